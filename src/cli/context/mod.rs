//! What a command works with. Opened when it is asked for; a command that needs
//! no keyring and no network touches neither.

mod others;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::future::Future;
use std::io::Read;
use std::path::PathBuf;
use std::rc::Rc;

use secrecy::zeroize::Zeroizing;

pub use self::others::{Seed, Tenants};
use super::args::Global;
use super::error::CliError;
use super::history::Changing;
use super::settings::{Origin, Settings};
use crate::accounts::{Account, AccountStore, CHAT_SETTINGS_KEYS, Realm, TENANT_KEYS, Tenant, TenantFile};
use crate::clock::Clock;
use crate::env::Environment;
use crate::files::{self, Lock};
use crate::graph::Client;
use crate::http;
use crate::messages::ChatSettings;
use crate::secrets::{
    KeyringStore, MemoryStore, Secret, SecretKey, SecretKind, SecretRef, SecretStore, StoreError, StoreName, Stores,
};
use crate::touched;
use crate::ui::output::Output;
use crate::ui::prompt::{Person, Prompter};
use crate::webhook::Prober;

/// A change may wait for a person at a dialog of the keyring.
const TENANT_PATIENCE: std::time::Duration = std::time::Duration::from_secs(90);

/// Everything a command may need.
pub struct Context {
    /// The variables.
    pub env: Environment,
    /// Where it prints.
    pub output: Rc<Output>,
    /// The time.
    pub clock: Clock,
    pub(super) global: Global,
    command: String,
    stdin: RefCell<Box<dyn Read>>,
    /// Whether somebody types what is read from there.
    pub stdin_is_terminal: bool,
    memory: Option<MemoryStore>,
    settings: OnceCell<Settings>,
    stores: OnceCell<Stores>,
    /// One for all tenants: what it did not answer once is not asked for again.
    pub(super) keyring: Rc<OnceCell<Rc<KeyringStore>>>,
    prompter: Rc<dyn Prompter>,
}

impl Context {
    /// The context of this process.
    pub(super) fn new(env: Environment, output: Output, global: &Global, command: String) -> Self {
        let terminal = output.terminal;
        Self {
            env,
            output: Rc::new(output),
            clock: Clock::system(),
            global: global.clone(),
            command,
            stdin: RefCell::new(Box::new(std::io::stdin())),
            stdin_is_terminal: terminal.stdin,
            memory: None,
            settings: OnceCell::new(),
            stores: OnceCell::new(),
            keyring: Rc::default(),
            prompter: Rc::new(Person { screen: terminal.err() }),
        }
    }

    /// The time as records have it: in whole seconds, so that files stay readable.
    pub fn now(&self) -> jiff::Timestamp {
        let now = self.clock.now();
        jiff::Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    /// The settings of all levels; the configuration file is read the first time.
    pub fn settings(&self) -> Result<&Settings, CliError> {
        if let Some(settings) = self.settings.get() {
            return Ok(settings);
        }
        let settings = Settings::resolve(&self.global, &self.env)?;
        if settings.store.value == StoreName::Memory && self.memory.is_none() {
            return Err(CliError::usage(format!(
                "{}: the memory store lasts as long as one process, so what it keeps would be gone when this command ends",
                settings.store.origin
            ))
            .hint("it is for 'msgrctl demo'; leave it out to use the keyring"));
        }
        Ok(self.settings.get_or_init(|| settings))
    }

    /// What is known of a tenant.
    pub fn tenant_file(&self, tenant: &str) -> Result<TenantFile<Tenant>, CliError> {
        Ok(TenantFile::new(self.settings()?.paths.tenant_file(tenant), &TENANT_KEYS))
    }

    /// The tenant that is worked in.
    pub fn tenant(&self) -> Result<Tenant, CliError> {
        Ok(self.tenant_file(self.settings()?.tenant.value.as_str())?.load()?)
    }

    /// The Chat Settings of the tenant.
    pub fn chat_settings(&self) -> Result<TenantFile<ChatSettings>, CliError> {
        let settings = self.settings()?;
        let path = settings.paths.chat_settings_file(settings.tenant.value.as_str());
        Ok(TenantFile::new(path, &CHAT_SETTINGS_KEYS))
    }

    /// The tenants that have a directory, by name.
    pub fn tenant_names(&self) -> Result<Vec<String>, CliError> {
        Ok(files::directories(&self.settings()?.paths.tenants_dir())?)
    }

    /// The words of the command that runs: `account edit`.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// The accounts of the tenant.
    pub fn accounts(&self) -> Result<AccountStore, CliError> {
        self.accounts_of(self.settings()?.tenant.value.as_str())
    }

    /// The accounts of any tenant.
    pub fn accounts_of(&self, tenant: &str) -> Result<AccountStore, CliError> {
        let path = self.settings()?.paths.accounts_file(tenant);
        let output = self.output.clone();
        let on_wait = move |path: &std::path::Path| {
            output.notice(&format!("waiting for another msgrctl to finish with {} …", path.display()));
        };
        Ok(AccountStore::new(path, Box::new(on_wait)).called_with(self.tenant_flag(tenant)?))
    }

    /// What a command needs to be one of this tenant: ` --tenant acme`; nothing where the
    /// same command without it is.
    pub fn tenant_flag(&self, tenant: &str) -> Result<String, CliError> {
        let setting = &self.settings()?.tenant;
        let is_usual = setting.value.as_str() == tenant && !matches!(setting.origin, Origin::Flag(_));
        Ok(if is_usual { String::new() } else { format!(" --tenant {tenant}") })
    }

    /// Whether `--yes` was given.
    pub fn says_yes(&self) -> bool {
        self.global.yes
    }

    /// Whether a question would be answered.
    pub fn someone_can_answer(&self) -> bool {
        let no_input = self.global.no_input || self.env.is_on("MSGRCTL_NO_INPUT");
        // A step of the demo has the terminal, and an input of its own.
        self.stdin_is_terminal && self.output.terminal.someone_can_answer(no_input, &self.env)
    }

    /// The store of that name.
    pub fn store(&self, name: StoreName) -> &dyn SecretStore {
        self.stores().store(name)
    }

    /// One of an account's secrets, where its record says it is; `None` where the
    /// record names none or there is none.
    pub fn secret(&self, account: &Account, kind: SecretKind) -> Result<Option<Secret>, StoreError> {
        match account.secrets.get(&kind) {
            Some(reference) => self.stores().read(reference, &key(account, kind)),
            None => Ok(None),
        }
    }

    /// What a reference refers to.
    pub fn referred(&self, reference: &SecretRef) -> Result<Option<Secret>, StoreError> {
        let nobody = SecretKey {
            account_id: String::new(),
            handle: String::new(),
            account_name: String::new(),
            kind: SecretKind::PageAccessToken,
        };
        self.stores().read(reference, &nobody)
    }

    /// Asks the stores that keep something of these accounts, and those of `more`, whether
    /// they answer, so that whatever they have to ask a person is asked before a line
    /// moves. What is wrong with one is judged when it matters.
    pub fn ask_stores<'a>(
        &self,
        accounts: impl IntoIterator<Item = &'a Account>,
        more: impl IntoIterator<Item = StoreName>,
    ) {
        let of = |account: &'a Account| account.secrets.values().filter_map(SecretRef::store);
        let stores: BTreeSet<StoreName> = accounts.into_iter().flat_map(of).chain(more).collect();
        for store in stores {
            let _ = self.store(store).probe();
        }
    }

    /// The stores of this run.
    pub fn stores(&self) -> &Stores {
        self.stores
            .get_or_init(|| super::stores::open(self, self.memory.clone().unwrap_or_default(), self.prompter.clone()))
    }

    /// The right to change accounts and their secrets together, held until it is
    /// dropped: what two processes did in between would be lost otherwise.
    pub fn hold_tenant(&self) -> Result<Changing<'_>, CliError> {
        self.hold_tenant_of(self.settings()?.tenant.value.as_str())
    }

    /// The same without a word in the log, for a command that writes one itself.
    pub fn lock_tenant(&self) -> Result<Lock, CliError> {
        self.hold(self.settings()?.tenant.value.as_str())
    }

    /// The same of any tenant.
    pub fn hold_tenant_of(&self, tenant: &str) -> Result<Changing<'_>, CliError> {
        Changing::begin(self, tenant, self.hold(tenant)?)
    }

    /// The right to change the secrets of every tenant there is, in the order of their names: the keyring
    /// is one for all.
    pub fn hold_all_tenants(&self) -> Result<Vec<Lock>, CliError> {
        self.tenant_names()?.iter().map(|tenant| self.hold(tenant)).collect()
    }

    /// The right to change a tenant's files, if no other process has it.
    pub(super) fn try_hold(&self, tenant: &str) -> Result<Option<Lock>, CliError> {
        let path = self.settings()?.paths.tenant_dir(tenant).join("changes");
        Ok(Lock::acquire(&path, std::time::Duration::ZERO, &|_| {}).ok())
    }

    fn hold(&self, tenant: &str) -> Result<Lock, CliError> {
        self.warn_of_owner()?;
        let path = self.settings()?.paths.tenant_dir(tenant).join("changes");
        let output = self.output.clone();
        let on_wait = move |_: &std::path::Path| {
            output.notice("waiting for another msgrctl to finish its change of this tenant …");
        };
        Ok(Lock::acquire(&path, TENANT_PATIENCE, &on_wait)?)
    }

    /// Says once that root writes files into the configuration of another user, who cannot
    /// read them then.
    fn warn_of_owner(&self) -> Result<(), CliError> {
        static SAID: std::sync::Once = std::sync::Once::new();
        let root = self.settings()?.paths.root();
        if let Some(owner) = files::other_than_root(root) {
            SAID.call_once(|| {
                self.output.warning(&format!(
                    "running as root in {}, which belongs to {owner}: files made now belong to root; run msgrctl as {owner} instead, or set HOME (sudo -H)",
                    root.display()
                ));
            });
        }
        Ok(())
    }

    /// Where Graph is, as the settings say, and which accounts belong to it.
    pub fn realm(&self) -> Result<Realm, CliError> {
        let sandbox = self.settings()?.graph_url.value.is_loopback();
        Ok(if sandbox { Realm::Sandbox } else { Realm::Live })
    }

    /// Refuses to send an account's secrets to the Graph that it is not of.
    pub fn check_realm(&self, account: &Account) -> Result<(), CliError> {
        if self.realm()? == account.graph {
            return Ok(());
        }
        let name = &account.name;
        let settings = self.settings()?;
        Err(match account.graph {
            Realm::Live => {
                let origin = &settings.graph_url.origin;
                CliError::usage(format!(
                    "'{name}' is a live account, but {origin} points to {}: its secrets are not sent there",
                    settings.graph_url.value
                ))
                .hint(match origin {
                    Origin::Variable(name) => format!("unset {name}"),
                    _ => format!("leave {origin} out"),
                })
            }
            Realm::Sandbox => CliError::usage(format!(
                "'{name}' is a sandbox account, and {} points to {}: its secrets are not sent there",
                settings.graph_url.origin, settings.graph_url.value
            ))
            .hint("start a sandbox (msgrctl sandbox start) and set MSGRCTL_GRAPH_URL to where it is"),
        })
    }

    /// A client for the Graph that the settings name.
    pub fn graph(&self) -> Result<Client, CliError> {
        let settings = self.settings()?;
        let client = Client::new(
            settings.graph_url.value.clone(),
            settings.graph_version,
            self.clock.clone(),
            self.http_settings()?,
        );
        client.prepare()?;
        Ok(client)
    }

    /// Asks callbacks as Meta would.
    pub fn prober(&self) -> Result<Prober, CliError> {
        Ok(Prober::new(self.ca_bundle()?))
    }

    /// How HTTP is spoken.
    pub fn http_settings(&self) -> Result<http::Settings, CliError> {
        let settings = self.settings()?;
        let loopback = settings.graph_url.value.is_loopback();
        Ok(http::Settings { timeout: settings.timeout, ca_bundle: self.ca_bundle()?, loopback })
    }

    /// The certificates of `--ca-bundle`, and where they are from.
    pub fn ca_bundle(&self) -> Result<Option<(PathBuf, Vec<u8>)>, CliError> {
        Ok(match &self.settings()?.ca_bundle {
            Some(path) => {
                let pem = files::read_bytes(path, 4 * 1024 * 1024).map_err(|error| {
                    CliError::usage(error.to_string())
                        .hint("name a readable file with --ca-bundle FILE (MSGRCTL_CA_BUNDLE)")
                })?;
                Some((path.clone(), pem.to_vec()))
            }
            None => None,
        })
    }

    /// Waits for a future. The runtime lives as long as it; what it leaves behind
    /// (a name server that does not answer) holds nobody up.
    pub fn wait<T>(future: impl Future<Output = T>) -> Result<T, CliError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| CliError::failed("the network could not be set up").cause(error.to_string()))?;
        let value = runtime.block_on(future);
        runtime.shutdown_background();
        Ok(value)
    }

    /// Standard input to its end, or one byte more than `limit`. It may be a secret, and is
    /// wiped when dropped.
    pub fn read_stdin(&self, limit: u64) -> std::io::Result<Zeroizing<Vec<u8>>> {
        files::fill(&mut **self.stdin.borrow_mut(), 0, limit)
    }

    /// Asks before something that cannot be undone. Without a terminal `--yes` is
    /// needed: the hint shows it with `command`, or where that is empty with none.
    pub fn confirm(&self, question: &str, command: &str) -> Result<(), CliError> {
        if self.global.yes {
            return Ok(());
        }
        if !self.someone_can_answer() {
            return Err(CliError::usage(format!(
                "cannot prompt (not a terminal); {}{question}",
                if touched::anything() { "" } else { "nothing was changed: " }
            ))
            .hint(match command {
                "" => "to say yes beforehand: the same command with --yes".into(),
                command => format!("to say yes beforehand: {command} --yes"),
            }));
        }
        crate::ui::interrupt::install();
        if self.prompter.confirm(question)? {
            return Ok(());
        }
        Err(CliError::left(if touched::anything() { "not confirmed" } else { "not confirmed; nothing was changed" }))
    }

    /// Yes or no, no being the default, where `--yes` is no answer.
    pub fn asks(&self, question: &str) -> Result<bool, CliError> {
        Ok(self.prompter.confirm(question)?)
    }

    /// A line that somebody types; see [`Prompter::line`].
    pub fn ask_line(&self, question: &str, offered: &str) -> Result<String, CliError> {
        Ok(self.prompter.line(question, offered)?.trim().to_owned())
    }

    /// Shows an answer that may stay on the screen.
    pub fn show_answer(&self, question: &str, answer: &str) {
        self.prompter.show(question, answer);
    }

    /// One of a few; `None`: a step back.
    pub fn choose(&self, question: &str, items: &[String], at: usize) -> Result<Option<usize>, CliError> {
        Ok(self.prompter.choose(question, items, at)?)
    }

    /// One of many; `None`: a step back.
    pub fn search(&self, question: &str, items: &[String]) -> Result<Option<usize>, CliError> {
        Ok(self.prompter.search(question, items)?)
    }

    /// A secret that somebody types, unseen.
    pub fn ask_hidden(&self, question: &str) -> Result<String, CliError> {
        crate::ui::interrupt::install();
        Ok(self.prompter.hidden(question)?)
    }
}

/// The name of one of an account's secrets in the stores.
pub fn key(account: &Account, kind: SecretKind) -> SecretKey {
    SecretKey {
        account_id: account.id.clone(),
        handle: account.handle.to_string(),
        account_name: account.name.to_string(),
        kind,
    }
}
