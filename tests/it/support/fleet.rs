//! A few Pages of a sandbox, and the manifest that names them.

use std::fmt::Write as _;

use msgrctl::clock::Clock;
use msgrctl::sandbox::{Entry, Fault, InProcess, TokenState, World};

use super::{Home, Hook, world};

pub struct Fleet {
    pub sandbox: InProcess,
    pub home: Home,
    pub hook: Hook,
}

impl Fleet {
    /// What goes wrong with the Pages 1, 3 and 4: a token that was logged out, a limit of
    /// calls, and a write that is answered with nonsense, while all that is looked at is
    /// well. Returns the ids of all Pages.
    pub fn trouble(&self) -> Vec<String> {
        let mut world = self.sandbox.world();
        let ids: Vec<String> = world.pages.iter().map(|page| page.id.clone()).collect();
        world.page_token_mut(&ids[1]).unwrap().state = TokenState::LoggedOut;
        let limit = Fault { code: Some(80006), regain_minutes: Some(12), ..Fault::default() };
        let broken = Fault { body: Some("<html>".into()), ..Fault::default() };
        let of = |at: usize| Some(format!("/{}/subscribed_apps", ids[at]));
        world.faults =
            vec![Fault { path: of(3), ..limit }, Fault { path: of(4), method: Some("POST".into()), ..broken }];
        ids
    }

    /// So many Pages of one app, a receiver that passes the handshake, and a home that
    /// knows none of them: the tokens are in variables `TOKEN_0`, `TOKEN_1`, …
    pub fn new(pages: usize) -> Self {
        let sandbox = InProcess::start(World::with_pages(pages, Clock::system())).unwrap();
        // Copies go into the encrypted file: there is no keyring here.
        let mut home = Home::new().with("MSGRCTL_GRAPH_URL", &sandbox.url()).with_key_file();
        home.set("APP_SECRET", &world::app(&sandbox).1);
        home.set("VERIFY", "s3cret");
        for at in 0..pages {
            let token = token(&sandbox, at);
            home.set(&format!("TOKEN_{at}"), &token);
        }
        Self { sandbox, home, hook: Hook::start() }
    }

    /// The manifest's beginning: the app, its callback and its fields for every account.
    pub fn head(&self) -> String {
        let app_id = world::app(&self.sandbox).0;
        format!(
            "version: 1\ndefaults:\n  app: {{id: \"{app_id}\", secret: {{env: APP_SECRET}}}}\n  webhook:\n    \
             callback_url: {}\n    verify_token: {{env: VERIFY}}\n    fields: [messages, messaging_postbacks, message_reads]\n\
             accounts:\n",
            self.hook.url
        )
    }

    /// An account of the Page at this place; `more` are further keys, indented by four.
    pub fn account(&self, at: usize, more: &str) -> String {
        let world = self.sandbox.world();
        let page = &world.pages[at];
        let mut text = format!(
            "  - name: Page {at}\n    page_username: {}\n    page_id: \"{}\"\n",
            page.username.as_deref().unwrap(),
            page.id
        );
        if !more.contains("    token:") {
            writeln!(text, "    token: {{env: TOKEN_{at}}}").unwrap();
        }
        text + more
    }

    /// Writes a manifest of accounts for the Pages at these places.
    pub fn manifest(&self, places: impl IntoIterator<Item = usize>) {
        let accounts: String = places.into_iter().map(|at| self.account(at, "")).collect();
        self.write(&(self.head() + &accounts));
    }

    /// Writes any manifest.
    pub fn write(&self, text: &str) {
        self.home.file("accounts.yaml", text);
    }

    /// `msgrctl plan` of it.
    pub fn plan(&self, more: &[&str]) -> super::Run {
        self.home.run(&[&["plan", "-f", "accounts.yaml"], more].concat())
    }

    /// `msgrctl apply` of it, without a question.
    pub fn apply(&self, more: &[&str]) -> super::Run {
        self.home.run(&[&["apply", "-f", "accounts.yaml", "--yes"], more].concat())
    }

    /// How many writes Meta has seen.
    pub fn writes(&self) -> usize {
        let is_write =
            |entry: &&Entry| entry.method != "GET" && entry.path != "/v26.0/" && !entry.path.starts_with("->");
        self.sandbox.world().journal.entries().iter().filter(is_write).count()
    }

    /// The fields that the Page at this place sends the app.
    pub fn subscribed(&self, at: usize) -> Vec<String> {
        let app_id = world::app(&self.sandbox).0;
        self.sandbox.world().pages[at].subscribed.get(&app_id).cloned().unwrap_or_default()
    }
}

/// The token of the Page at this place.
pub fn token(sandbox: &InProcess, at: usize) -> String {
    let world = sandbox.world();
    let id = world.pages[at].id.clone();
    world.page_token(&id).unwrap().value.clone()
}
