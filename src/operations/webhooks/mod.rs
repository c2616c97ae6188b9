//! Webhooks: what Meta is asked about them and given. One plan
//! ([`provision::apps`](crate::provision::apps), [`provision::subscription`](crate::provision::subscription)) and one way
//! to carry it out, for an account alone, for many, and for a manifest.

mod carry_out;
mod found;
mod handshake;
mod observe;
mod others;
mod results;
mod target;

pub mod rotate;
pub mod status;
pub mod subscribe;
pub mod unsubscribe;

pub use carry_out::{Work, carry_out};
pub use found::with_app_and_callback;
pub use handshake::{address, ask, callback_of, keep_answer, outcome_of, stored_token};
pub use observe::{Seen, changed_in_words, changed_levels, observe};
pub use others::others_of_app;
pub use results::AccountResult;
pub use target::Target;

#[cfg(test)]
pub(super) mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use std::future::pending;
    use std::rc::Rc;
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::http::{StatusCode, Uri};
    use jiff::Timestamp;
    use tempfile::TempDir;

    use crate::accounts::{Account, Handle, Name, Realm};
    use crate::channel::Channel;
    use crate::clock::Clock;
    use crate::env::Environment;
    use crate::operations::{Given, Reporter, Workspace, key};
    use crate::sandbox::{InProcess, Subscription, World};
    use crate::secrets::{MemoryStore, Secret, SecretKind, SecretRef, SecretStore as _, StoreName};

    /// What was told, a line each.
    #[derive(Default)]
    pub struct Told(RefCell<Vec<String>>);

    impl Reporter for Told {
        fn notice(&self, text: &str) {
            self.0.borrow_mut().push(text.into());
        }

        fn warning(&self, text: &str) {
            self.0.borrow_mut().push(format!("warning: {text}"));
        }
    }

    /// The account Acme of the sandbox's first Page, whose secrets are in memory, and its
    /// callback, which knows the verify token `old`. The clock stands still.
    pub struct Rig {
        pub workspace: Workspace,
        pub sandbox: InProcess,
        pub callback_url: String,
        pub told: Rc<Told>,
        known: Known,
        memory: MemoryStore,
        _config: TempDir,
    }

    impl Rig {
        pub fn new() -> Self {
            let clock = Clock::at(Timestamp::from_second(1_790_000_000).expect("a time"));
            let sandbox = InProcess::start(World::new(clock.clone())).expect("a sandbox");
            let known = Known::default();
            let callback_url = callback(known.clone());
            let (config, memory) = (tempfile::tempdir().expect("a directory"), MemoryStore::default());
            let given = Given {
                config_dir: Some(config.path().into()),
                store: Some(StoreName::Memory),
                graph_url: Some(sandbox.url()),
                ..Given::default()
            };
            let told = Rc::<Told>::default();
            let workspace = Workspace::new(Environment::default(), given, told.clone(), "webhook rotate");
            let workspace = workspace.with_memory(Some(memory.clone())).with_clock(clock);
            let rig = Self { workspace, sandbox, callback_url, told, known, memory, _config: config };
            rig.callback_knows(&["old"]);
            rig.add();
            rig
        }

        fn add(&self) {
            let (page, app, token) = {
                let world = self.sandbox.world();
                let page = world.pages[0].clone();
                let token = world.page_token(&page.id).expect("a token").value.clone();
                (page, world.apps[0].clone(), token)
            };
            let name: Name = "Acme".parse().expect("a name");
            let now = self.workspace.now();
            let mut account = Account {
                id: "id-of-acme".into(),
                handle: Handle::slug(&name),
                name,
                channel: Channel::Facebook,
                page_username: "acme.support".parse().expect("a username"),
                page_id: page.id.parse().expect("a page id"),
                page_name: None,
                app_id: Some(app.id.parse().expect("an app id")),
                callback_url: Some(self.callback_url.parse().expect("a URL")),
                graph: Realm::Sandbox,
                created_at: now,
                updated_at: now,
                messages: crate::messages::AccountMessages::default(),
                secrets: BTreeMap::new(),
            };
            let secrets = [
                (SecretKind::PageAccessToken, token.as_str()),
                (SecretKind::AppSecret, app.secret.as_str()),
                (SecretKind::VerifyToken, "old"),
            ];
            for (kind, value) in secrets {
                self.memory.set(&key(&account, kind), &Secret::new(value)).expect("stored");
                account.secrets.insert(kind, SecretRef::Stored(StoreName::Memory));
            }
            self.workspace.accounts().expect("accounts").add(account, false).expect("added");
        }

        /// Has the app's webhook set already, to `callback_url` and with the verify token `old`.
        pub fn subscribed(self, callback_url: &str) -> Self {
            let mut world = self.sandbox.world();
            let app_id = world.apps[0].id.clone();
            world.subscriptions.push(Subscription {
                app_id,
                object: "page".into(),
                callback_url: callback_url.into(),
                verify_token: "old".into(),
                active: true,
                fields: vec!["messages".into()],
            });
            drop(world);
            self
        }

        /// From here on the callback knows these verify tokens.
        pub fn callback_knows(&self, tokens: &[&str]) {
            *self.known.lock().expect("not poisoned") = tokens.iter().map(|token| (*token).to_owned()).collect();
        }

        /// The account as its record says.
        pub fn account(&self) -> Account {
            self.workspace.accounts().and_then(|accounts| Ok(accounts.find("acme")?)).expect("the account")
        }

        /// One of its secrets, as its store has it.
        pub fn stored(&self, kind: SecretKind) -> Option<Secret> {
            self.memory.get(&key(&self.account(), kind)).expect("a store")
        }

        /// The verify token that Meta has.
        pub fn at_meta(&self) -> String {
            self.sandbox.world().subscriptions[0].verify_token.clone()
        }

        /// Whether something was told that has `part` in it.
        pub fn was_told(&self, part: &str) -> bool {
            self.told.0.borrow().iter().any(|line| line.contains(part))
        }

        /// The fields of the changes in the log.
        pub fn logged(&self) -> String {
            let log = self.workspace.settings().expect("settings").paths.root().join("log.jsonl");
            std::fs::read_to_string(log).unwrap_or_default()
        }
    }

    /// The verify tokens that a callback knows.
    type Known = Arc<Mutex<Vec<String>>>;

    /// A callback, which lives as long as the process.
    fn callback(known: Known) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                listener.set_nonblocking(true).expect("a listener");
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                let router = Router::new().fallback(move |uri: Uri| {
                    let query: BTreeMap<String, String> =
                        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
                    let of = |name: &str| query.get(name).cloned().unwrap_or_default();
                    let is_known = known.lock().expect("not poisoned").contains(&of("hub.verify_token"));
                    let challenge = of("hub.challenge");
                    async move {
                        if is_known { (StatusCode::OK, challenge) } else { (StatusCode::FORBIDDEN, String::new()) }
                    }
                });
                crate::serve::until(listener, router, pending()).await
            })
        });
        url
    }
}
