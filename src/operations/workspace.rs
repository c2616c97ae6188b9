//! What operations work with. Parts open on first use: an operation without keyring or network
//! touches neither.

use std::cell::{Cell, OnceCell};
use std::future::Future;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use super::holding::{old, refuse_moved, to_the_end, warn_of_owner};
use super::journal::Changing;
use super::reporter::Reporter;
use super::settings::{Given, Origin, Setting, Settings, pem_of};
use super::{Error, Who, stores};
use crate::accounts::{Account, AccountStore, Parsed, Realm, Tenant, TenantFile};
use crate::checks::causes::STATE_CONFLICT;
use crate::clock::Clock;
use crate::env::{Environment, host_name};
use crate::graph::{Client, HeldBack};
use crate::http;
use crate::messages::ChatSettings;
use crate::secrets::{
    MemoryStore, Secret, SecretKey, SecretKind, SecretRef, SecretStore, StoreError, StoreName, Stores,
};
use crate::state::{Documents, HealthTrouble, Records};
use crate::storage::{Held, Holder, Place, Storage, names};
use crate::webhook::Prober;

/// The other command may wait at a keyring dialog.
const TENANT_PATIENCE: std::time::Duration = std::time::Duration::from_secs(90);

/// A configuration and its tenant, with everything that an operation needs.
pub struct Workspace {
    /// The variables.
    pub env: Environment,
    /// The time.
    pub clock: Clock,
    /// Receives messages.
    pub reporter: Rc<dyn Reporter>,
    /// The caller's choices.
    pub given: Given,
    /// The words of the running command: `account edit`.
    pub command: String,
    pub(super) memory: Option<MemoryStore>,
    settings: OnceCell<Settings>,
    parsed: Parsed,
    stores: OnceCell<Stores>,
    shared: Rc<stores::Shared>,
    /// Whether it was said what is wrong with `health.json`.
    said_of_health: Cell<bool>,
    /// Whether accounts were read that may have been moved away; not those of a place that was held.
    may_be_old: Rc<Cell<Option<bool>>>,
}

impl Workspace {
    /// From `given`, `env` and `config.toml`. `command` is the log's name for the changes:
    /// `account edit`. Opens nothing yet.
    pub fn new(env: Environment, given: Given, reporter: Rc<dyn Reporter>, command: impl Into<String>) -> Self {
        Self {
            env,
            clock: Clock::system(),
            reporter,
            given,
            command: command.into(),
            memory: None,
            settings: OnceCell::new(),
            parsed: Parsed::default(),
            stores: OnceCell::new(),
            shared: Rc::default(),
            said_of_health: Cell::default(),
            may_be_old: Rc::default(),
        }
    }

    /// With a memory store, for the demo and tests.
    #[must_use]
    pub(crate) fn with_memory(self, memory: Option<MemoryStore>) -> Self {
        Self { memory, ..self }
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The same in another tenant.
    #[must_use]
    pub(crate) fn in_tenant(&self, tenant: &str) -> Self {
        let storage = self.settings.get().map(|settings| settings.storage.clone());
        let given = Given { tenant: Some(tenant.into()), storage, ..self.given.clone() };
        Self {
            clock: self.clock.clone(),
            memory: self.memory.clone(),
            parsed: self.parsed.clone(),
            shared: self.shared.clone(),
            may_be_old: self.may_be_old.clone(),
            ..Self::new(self.env.clone(), given, self.reporter.clone(), self.command.clone())
        }
    }

    /// Reports a fact.
    pub(crate) fn notice(&self, text: &str) {
        self.reporter.notice(text);
    }

    /// Reports a problem.
    pub(crate) fn warning(&self, text: &str) {
        self.reporter.warning(text);
    }

    /// The time in whole seconds, so that files stay readable.
    pub(crate) fn now(&self) -> jiff::Timestamp {
        let now = self.clock.now();
        jiff::Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    /// Says once what is wrong with the `health.json` of a tenant, and what to do.
    pub(crate) fn say_of_health(&self, tenant: &str, trouble: Option<&HealthTrouble>) {
        let Some(trouble) = trouble.filter(|_| !self.said_of_health.replace(true)) else { return };
        let next = match trouble {
            HealthTrouble::Damaged { .. } => {
                let flag = self.tenant_flag(tenant).unwrap_or_default();
                format!("to test the accounts again: msgrctl account test --all{flag}")
            }
            HealthTrouble::Newer { .. } => "update msgrctl".into(),
        };
        self.notice(&format!("{trouble}; {next}"));
    }

    /// The settings; reads the configuration file the first time.
    pub(crate) fn settings(&self) -> Result<&Settings, Error> {
        if let Some(settings) = self.settings.get() {
            return Ok(settings);
        }
        let settings = Settings::resolve(&self.given, &self.env)?;
        if settings.store.value == StoreName::Memory && self.memory.is_none() {
            return Err(Error::usage(format!(
                "{}: the memory store lasts as long as one process, so what it keeps would be gone when this command ends",
                settings.store.origin
            ))
            .hint("it is for 'msgrctl demo'; omit it to use the keyring"));
        }
        Ok(self.settings.get_or_init(|| settings))
    }

    /// A tenant's settings.
    pub(crate) fn tenant_file(&self, tenant: &str) -> Result<TenantFile<Tenant>, Error> {
        Ok(TenantFile::new(self.place(names::tenant(tenant))?))
    }

    /// The current tenant.
    pub(crate) fn tenant(&self) -> Result<Tenant, Error> {
        Ok(self.tenant_file(self.settings()?.tenant.value.as_str())?.load()?)
    }

    /// The tenant's Chat Settings.
    pub(crate) fn chat_settings(&self) -> Result<TenantFile<ChatSettings>, Error> {
        let tenant = self.settings()?.tenant.value.as_str();
        Ok(TenantFile::new(self.place(names::chat_settings(tenant))?))
    }

    pub(crate) fn records(&self) -> Result<Box<dyn Records>, Error> {
        let settings = self.settings()?;
        Ok(Box::new(Documents::new(settings.paths.clone(), settings.storage.clone(), self.parsed.clone())))
    }

    /// Where the documents are.
    pub(crate) fn storage(&self) -> Result<&Arc<dyn Storage>, Error> {
        Ok(&self.settings()?.storage)
    }

    /// The document with this name.
    pub(crate) fn place(&self, name: impl Into<String>) -> Result<Place, Error> {
        Ok(Place::new(self.storage()?, name))
    }

    /// The tenants that have documents, by name.
    pub(crate) fn tenant_names(&self) -> Result<Vec<String>, Error> {
        Ok(self.storage()?.tenants()?)
    }

    /// The tenant's accounts.
    pub fn accounts(&self) -> Result<AccountStore, Error> {
        self.accounts_of(self.settings()?.tenant.value.as_str())
    }

    /// Any tenant's accounts.
    pub(crate) fn accounts_of(&self, tenant: &str) -> Result<AccountStore, Error> {
        let place = self.place(names::accounts(tenant))?;
        self.may_be_old.set(self.may_be_old.get().or(Some(true)));
        let reporter = self.reporter.clone();
        let on_wait = move |path: &std::path::Path| {
            reporter.notice(&format!("waiting for another msgrctl to finish with {} …", path.display()));
        };
        let store = AccountStore::new(place, Box::new(on_wait)).knowing(self.parsed.clone());
        Ok(store.called_with(self.tenant_flag(tenant)?))
    }

    /// The flag for this tenant, ` --tenant acme`; empty if commands use it anyway.
    pub(crate) fn tenant_flag(&self, tenant: &str) -> Result<String, Error> {
        let setting = &self.settings()?.tenant;
        let is_usual = setting.value.as_str() == tenant && !matches!(setting.origin, Origin::Flag(_));
        Ok(if is_usual { String::new() } else { format!(" --tenant {tenant}") })
    }

    /// The store of that name.
    pub(crate) fn store(&self, name: StoreName) -> &dyn SecretStore {
        self.stores().store(name)
    }

    /// An account's secret, from where its record says; `None` if the record names none or the
    /// store has none.
    pub(crate) fn secret(&self, account: &Account, kind: SecretKind) -> Result<Option<Secret>, StoreError> {
        match account.secrets.get(&kind) {
            Some(reference) => self.stores().read(reference, &key(account, kind)),
            None => Ok(None),
        }
    }

    /// The value of a reference.
    pub(crate) fn referred(&self, reference: &SecretRef) -> Result<Option<Secret>, StoreError> {
        self.stores().read(reference, &SecretKey::of_entry("", SecretKind::PageAccessToken))
    }

    /// The stores of this run.
    pub(crate) fn stores(&self) -> &Stores {
        self.stores.get_or_init(|| {
            // A program that prints a secret may prompt: from here on Ctrl-C restores the terminal.
            drop(self.reporter.hold());
            stores::open(self, &self.shared, self.memory.clone().unwrap_or_default())
        })
    }

    /// The stores, if open.
    pub(crate) fn opened_stores(&self) -> Option<&Stores> {
        self.stores.get()
    }

    /// The right to change accounts and their secrets together, until dropped; without it two
    /// processes would overwrite each other's changes.
    pub(crate) fn hold_tenant(&self) -> Result<Changing<'_>, Error> {
        self.hold_tenant_of(self.settings()?.tenant.value.as_str())
    }

    /// The same without a log line, for a command that writes its own.
    pub(crate) fn lock_tenant(&self) -> Result<Box<dyn Held>, Error> {
        self.hold(self.settings()?.tenant.value.as_str())
    }

    /// The same for any tenant.
    pub(crate) fn hold_tenant_of(&self, tenant: &str) -> Result<Changing<'_>, Error> {
        Changing::begin(self, tenant, self.hold(tenant)?)
    }

    /// The right to change every tenant's secrets, locked in order of name: they share the keyring.
    pub(crate) fn hold_all_tenants(&self) -> Result<Vec<Box<dyn Held>>, Error> {
        self.tenant_names()?.iter().map(|tenant| self.hold(tenant)).collect()
    }

    /// The right to change a tenant's documents, if no other process has it.
    pub(crate) fn try_hold(&self, tenant: &str) -> Result<Option<Box<dyn Held>>, Error> {
        Ok(self.storage()?.hold(tenant, &self.holder(), std::time::Duration::ZERO, &|_| {}).ok())
    }

    /// This process, as a lock names it.
    pub(crate) fn holder(&self) -> Holder {
        let who = Who::of(&self.env);
        Holder {
            user: who.name().into(),
            host: host_name(&self.env),
            pid: std::process::id(),
            command: self.command.clone(),
            ci: who.run().map(str::to_owned),
        }
    }

    /// The right to a long run that changes the tenant here and at Meta, where the state is
    /// shared.
    pub(crate) fn hold_run(&self) -> Result<Option<Box<dyn Held>>, Error> {
        let tenant = self.settings()?.tenant.value.as_str();
        let storage = self.storage()?;
        let hold = || storage.hold(tenant, &self.holder(), TENANT_PATIENCE, &|waits| self.notice(waits));
        Ok(storage.holds_runs().then(hold).transpose()?)
    }

    fn hold(&self, tenant: &str) -> Result<Box<dyn Held>, Error> {
        warn_of_owner(self.settings()?.paths.root(), |text| self.warning(text));
        let storage = self.storage()?;
        let held = storage.hold(tenant, &self.holder(), TENANT_PATIENCE, &|waits| self.notice(waits))?;
        refuse_moved(self.settings()?.state.as_ref().map(|state| &state.origin), storage.as_ref())?;
        self.may_be_old.set(Some(false));
        if self.settings()?.state.is_none() {
            return Ok(held);
        }
        Ok(to_the_end(held, self.reporter.hold()))
    }

    /// Warns if the accounts that were read here were moved away, so are old.
    pub(crate) fn warn_of_move(&self) {
        let Some(settings) = self.settings.get().filter(|_| self.may_be_old.take() == Some(true)) else { return };
        if let Some(old) = old(settings.state.as_ref().map(|state| &state.origin), settings.storage.as_ref()) {
            self.warning(&old);
        }
    }

    /// The Graph in the settings, and which accounts belong to it.
    pub(crate) fn realm(&self) -> Result<Realm, Error> {
        let sandbox = self.settings()?.graph_url.value.is_loopback();
        Ok(if sandbox { Realm::Sandbox } else { Realm::Live })
    }

    /// Refuses to send an account's secrets to another Graph.
    pub(crate) fn check_realm(&self, account: &Account) -> Result<(), Error> {
        if self.realm()? == account.graph {
            return Ok(());
        }
        let Setting { value, origin } = &self.settings()?.graph_url;
        let (but, hint) = match (account.graph, origin) {
            (Realm::Live, Origin::Variable(name)) => ("but", format!("unset {name}")),
            (Realm::Live, _) => ("but", format!("omit {origin}")),
            (Realm::Sandbox, _) => {
                let start = "start a sandbox (msgrctl sandbox start) and set MSGRCTL_GRAPH_URL to where it is";
                ("and", start.to_owned())
            }
        };
        Err(Error::usage(format!(
            "'{}' is a {} account, {but} {origin} points to {value}: its secrets are not sent there",
            account.name, account.graph
        ))
        .hint(hint))
    }

    /// A client for the Graph in the settings.
    pub(crate) fn graph(&self) -> Result<Client, Error> {
        let settings = self.settings()?;
        let client = Client::new(
            settings.graph_url.value.clone(),
            settings.graph_version.value,
            self.clock.clone(),
            self.http_settings()?,
        );
        client.prepare()?;
        if settings.state.is_none() {
            return Ok(client);
        }
        // A lease does not stop a holder that was paused: it looks again before it changes Meta.
        let (storage, tenant) = (settings.storage.clone(), settings.tenant.value.to_string());
        let unknown = |why| HeldBack { why, cause: STATE_CONFLICT.id };
        let check = move || {
            storage.check_run(&tenant).map_err(|error| {
                let why = error.to_string();
                let error = Error::from(error);
                HeldBack { why, cause: error.why().unwrap_or(STATE_CONFLICT.id) }
            })
        };
        Ok(client.with_gate(Box::new(move || {
            // The answer of the state takes a moment, in which the calls in flight go on.
            let asked = tokio::task::spawn_blocking(check.clone());
            Box::pin(async move { asked.await.unwrap_or_else(|error| Err(unknown(error.to_string()))) })
        })))
    }

    /// Asks callbacks as Meta does.
    pub(crate) fn prober(&self) -> Result<Prober, Error> {
        Ok(Prober::new(self.ca_bundle()?))
    }

    /// HTTP settings.
    pub(crate) fn http_settings(&self) -> Result<http::Settings, Error> {
        let settings = self.settings()?;
        let loopback = settings.graph_url.value.is_loopback();
        Ok(http::Settings { timeout: settings.timeout.value.0, ca_bundle: self.ca_bundle()?, loopback })
    }

    /// The certificates of `--ca-bundle`, and their path.
    pub(crate) fn ca_bundle(&self) -> Result<Option<(PathBuf, Vec<u8>)>, Error> {
        pem_of(self.settings()?.ca_bundle.as_ref())
    }

    /// Waits for a future on its own runtime; a name server that does not answer delays no caller.
    pub(crate) fn wait<T>(future: impl Future<Output = T>) -> Result<T, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::failed("the network could not be set up").cause(error.to_string()))?;
        let value = runtime.block_on(future);
        runtime.shutdown_background();
        Ok(value)
    }
}

/// The key of an account's secret in the stores.
pub fn key(account: &Account, kind: SecretKind) -> SecretKey {
    account.key(kind)
}
