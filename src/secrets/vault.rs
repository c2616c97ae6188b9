//! KV version 2 of HashiCorp Vault and OpenBao: an entry for each account, at
//! `PATH/TENANT/ACCOUNT_ID`, with a field for each kind of secret.
//!
//! A thread of its own makes the calls, so that connections and the token stay open between
//! them, and so that a store can be asked from anywhere. What was read is kept in memory until
//! the command forgets it, and never on disk.

mod client;
mod config;
mod entry;
mod error;
mod session;
mod worker;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use futures_util::StreamExt as _;

use self::client::Client;
pub use self::config::{JwtSource, VaultAddress, VaultConfig, VaultLogin, vault_policy};
use self::entry::{Entry, Field};
pub use self::error::{Trouble, VaultError};
use self::worker::Worker;
use super::{Secret, SecretKey, SecretKind, SecretStore, StoreError, StoreName};

/// Calls under way at once.
const AT_ONCE: usize = 8;

/// A connection to Vault, shared by all tenants. The first call opens it; a failure of the
/// server or of the token is the answer to all later calls.
pub struct Vault {
    resolve: Box<dyn Fn() -> Result<VaultConfig, VaultError>>,
    config: OnceCell<Result<Arc<VaultConfig>, VaultError>>,
    worker: RefCell<Option<Worker>>,
    failed: RefCell<Option<VaultError>>,
    seen: RefCell<HashMap<String, Seen>>,
}

/// An entry that was read or written.
struct Seen {
    entry: Entry,
    /// Whether it was written since: then it is read again, to be sure of what is there.
    written: bool,
}

/// The state of the server and of the token, for `doctor`.
pub struct VaultState {
    pub address: String,
    /// The server's version.
    pub version: Option<String>,
    /// The rest of the token's time in seconds, 0 for one that does not end, and whether it can
    /// be renewed; `None` if its policy does not let it look.
    pub token: Option<(u64, bool)>,
    /// What the token lacks: `read on secret/data/msgrctl/acme/x`.
    pub lacking: Vec<String>,
}

impl Vault {
    /// `resolve` gives the settings when Vault is first used; its error is then the answer to every
    /// call.
    pub fn new(resolve: Box<dyn Fn() -> Result<VaultConfig, VaultError>>) -> Self {
        Self {
            resolve,
            config: OnceCell::new(),
            worker: RefCell::default(),
            failed: RefCell::default(),
            seen: RefCell::default(),
        }
    }

    fn config(&self) -> Result<&Arc<VaultConfig>, VaultError> {
        self.config.get_or_init(|| (self.resolve)().map(Arc::new)).as_ref().map_err(Clone::clone)
    }

    /// Forgets that the server did not answer: the user may have fixed the cause.
    pub(super) fn try_again(&self) {
        if self.failed.borrow_mut().take().is_some() {
            *self.worker.borrow_mut() = None;
        }
    }

    /// Forgets what was read: another command may have changed it.
    pub(super) fn forget(&self) {
        self.seen.borrow_mut().clear();
    }

    /// A field of any entry below the mount.
    pub(super) fn field(&self, path: &str, field: &str) -> Result<Option<Secret>, StoreError> {
        let path = path.trim_matches('/');
        let known = |seen: &Seen| (!seen.written).then(|| seen.entry.clone());
        let known = self.seen.borrow().get(path).and_then(known);
        let entry = if let Some(known) = known {
            known
        } else {
            let at = path.to_owned();
            let entry = self.run(move |client| async move { client.read(&at).await })?;
            self.see(path, entry.clone(), false);
            entry
        };
        let damaged = |cause: &str| StoreError::Damaged {
            store: StoreName::Vault,
            entry: format!("{path}#{field}"),
            cause: cause.into(),
        };
        match entry.fields.get(field) {
            None => Ok(None),
            Some(Field::Other(_)) => Err(damaged("the field is not a text")),
            Some(Field::Text(secret)) => {
                Secret::from_copy(secret.expose().as_bytes()).map(Some).map_err(|error| damaged(&error.to_string()))
            }
        }
    }

    /// Reads many entries at once. What fails is told by the call that needs it.
    fn read_ahead(&self, paths: BTreeSet<String>) {
        let paths: Vec<String> = {
            let seen = self.seen.borrow();
            paths.into_iter().filter(|path| seen.get(path).is_none_or(|seen| seen.written)).collect()
        };
        if paths.len() < 2 {
            return;
        }
        let read = self.run(|client| async move {
            client.connect().await?;
            Ok(read_all(&client, paths).await)
        });
        for (path, entry) in read.into_iter().flatten() {
            match entry {
                Ok(entry) => self.see(&path, entry, false),
                Err(error) if error.trouble.is_lasting() => *self.failed.borrow_mut() = Some(error),
                Err(_) => {}
            }
        }
    }

    fn see(&self, path: &str, entry: Entry, written: bool) {
        self.seen.borrow_mut().insert(path.to_owned(), Seen { entry, written });
    }

    /// Changes a field of an entry, or removes it; returns whether there was anything to change.
    fn change(&self, path: &str, field: &'static str, new: Option<Secret>) -> Result<bool, StoreError> {
        let known = self.seen.borrow_mut().remove(path).map(|seen| seen.entry);
        let at = path.to_owned();
        let (entry, changed) = self.run(move |client| async move {
            let change = |entry: &mut Entry| match &new {
                Some(secret) => {
                    entry.fields.insert(field.into(), Field::Text(secret.clone()));
                    true
                }
                None => entry.fields.remove(field).is_some(),
            };
            client.update(&at, known, change).await
        })?;
        self.see(path, entry, true);
        Ok(changed)
    }

    /// Runs `job` on the thread of the calls and waits for it.
    fn run<T, J, F>(&self, job: J) -> Result<T, StoreError>
    where
        T: Send + 'static,
        J: FnOnce(Arc<Client>) -> F + Send + 'static,
        F: Future<Output = Result<T, VaultError>> + 'static,
    {
        let done = self.try_run(job);
        if let Err(error) = &done
            && error.trouble.is_lasting()
        {
            *self.failed.borrow_mut() = Some(error.clone());
        }
        done.map_err(StoreError::Vault)
    }

    fn try_run<T, J, F>(&self, job: J) -> Result<T, VaultError>
    where
        T: Send + 'static,
        J: FnOnce(Arc<Client>) -> F + Send + 'static,
        F: Future<Output = Result<T, VaultError>> + 'static,
    {
        let config = self.config()?;
        if let Some(error) = &*self.failed.borrow() {
            return Err(error.clone());
        }
        self.worker.borrow_mut().get_or_insert_with(|| Worker::start(config.clone())).run(job)
    }
}

/// Reads entries, several at once. A failure that concerns all of them ends it: a server that is
/// slow is not waited for once for each entry.
async fn read_all(
    client: &Client,
    paths: impl IntoIterator<Item = String>,
) -> Vec<(String, Result<Entry, VaultError>)> {
    let failed = &Cell::new(false);
    let read = |path: String| async move {
        if failed.get() {
            return None;
        }
        let entry = client.read(&path).await;
        failed.set(failed.get() || entry.as_ref().is_err_and(|error| error.trouble.is_lasting()));
        Some((path, entry))
    };
    let read = futures_util::stream::iter(paths).map(read).buffer_unordered(AT_ONCE);
    read.filter_map(std::future::ready).collect().await
}

/// The entries of one tenant.
pub struct VaultStore {
    vault: Rc<Vault>,
    tenant: String,
}

impl VaultStore {
    pub fn new(vault: Rc<Vault>, tenant: &str) -> Self {
        Self { vault, tenant: tenant.into() }
    }

    /// The connection, which all tenants share.
    pub(super) fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The tenant's folder; an account's entry in it.
    fn path(&self, account_id: Option<&str>) -> Result<String, StoreError> {
        let config = self.vault.config().map_err(StoreError::Vault)?;
        let folder = format!("{}/{}", config.path.trim_matches('/'), self.tenant);
        Ok(account_id.map_or(folder.clone(), |id| format!("{folder}/{id}")))
    }

    /// Reads entries at once: an account's own, or the one that is named.
    pub(super) fn read_ahead<'a>(&self, entries: impl Iterator<Item = (&'a str, Option<&'a str>)>) {
        let path = |(id, named): (&str, Option<&str>)| match named {
            Some(named) => Ok(named.trim_matches('/').to_owned()),
            None => self.path(Some(id)),
        };
        if let Ok(paths) = entries.map(path).collect::<Result<BTreeSet<String>, _>>() {
            self.vault.read_ahead(paths);
        }
    }

    /// The state of the server, of the token, and what its policy lacks.
    pub fn state(&self) -> Result<VaultState, StoreError> {
        let config = self.vault.config().map_err(StoreError::Vault)?;
        let mount = config.mount.trim_matches('/');
        let (folder, entry) = (self.path(None)?, self.path(Some("x"))?);
        let wanted: [(String, &[&str]); 3] = [
            (format!("{mount}/data/{entry}"), &["create", "read", "update"]),
            (format!("{mount}/metadata/{entry}"), &["delete"]),
            (format!("{mount}/metadata/{folder}/"), &["list"]),
        ];
        let paths: Vec<String> = wanted.iter().map(|(path, _)| path.clone()).collect();
        let address = config.address.to_string();
        let (version, token, may) = self.vault.run(move |client| async move {
            client.connect().await?;
            Ok((client.version().await?, client.life().await?, client.capabilities(&paths).await?))
        })?;
        let may = may.into_iter().flatten();
        let lacking = wanted.iter().zip(may).flat_map(|((path, needed), may)| {
            let lacks = move |need: &&&str| !may.iter().any(|may| may == *need || may == "root");
            needed.iter().filter(lacks).map(|need| format!("{need} on {path}")).collect::<Vec<_>>()
        });
        let token = token.map(|life| (life.ttl, life.renewable));
        Ok(VaultState { address, version, token, lacking: lacking.collect() })
    }
}

impl SecretStore for VaultStore {
    fn probe(&self) -> Result<(), StoreError> {
        self.vault.run(|client| async move { client.connect().await })
    }

    fn get(&self, key: &SecretKey) -> Result<Option<Secret>, StoreError> {
        self.vault.field(&self.path(Some(&key.account_id))?, key.kind.key())
    }

    fn set(&self, key: &SecretKey, secret: &Secret) -> Result<(), StoreError> {
        self.vault.change(&self.path(Some(&key.account_id))?, key.kind.key(), Some(secret.clone())).map(drop)
    }

    fn remove(&self, key: &SecretKey) -> Result<bool, StoreError> {
        self.vault.change(&self.path(Some(&key.account_id))?, key.kind.key(), None)
    }

    fn entries(&self) -> Result<Vec<(String, String)>, StoreError> {
        let folder = self.path(None)?;
        let entries = self.vault.run(move |client| async move {
            let names = client.list(&folder).await?.into_iter().filter(|name| !name.ends_with('/'));
            let paths = names.map(|name| format!("{folder}/{name}"));
            read_all(&client, paths)
                .await
                .into_iter()
                .map(|(path, entry)| Ok((path, entry?)))
                .collect::<Result<Vec<_>, _>>()
        })?;
        let mut names = Vec::new();
        for (path, entry) in entries {
            let id = path.rsplit('/').next().unwrap_or_default();
            let kinds = SecretKind::KEPT.into_iter().filter(|kind| entry.fields.contains_key(kind.key()));
            names.extend(kinds.map(|kind| (SecretKey::of_entry(id, kind).entry(), String::new())));
        }
        Ok(names)
    }
}
