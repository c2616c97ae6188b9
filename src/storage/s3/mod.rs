//! Keeps documents in a bucket of S3, or of a server that speaks as it does.
//!
//! Below the prefix lie `format.json`; a tenant's records together in
//! `tenants/TENANT/state.json`, with a lineage and a serial that grows with each change; what is
//! known of its accounts beside it; `locks/TENANT.json`; `pending/TENANT.json`; and logs in parts,
//! `log/00000001.jsonl`. Each write names the version that it replaces. A lock alone would not
//! do: its holder may be paused for longer than it lasts.

mod address;
mod bucket;
mod copy;
mod credentials;
mod lease;
mod log;
mod opened;
mod policy;
mod sign;
mod state;
mod xml;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Held, History, Holder, Link, LockInfo, OpenDocument, RemoteError, Storage, StorageError, TenantState, WholeLog,
};
use crate::env::Environment;
use crate::http;
use address::Address;
use bucket::{Bucket, Expected, Got, Written, guard};
use copy::Copies;
use credentials::Credentials;
use lease::Lease;
use log::Log;
use opened::Opened;
pub use policy::policy;
use state::StateDocument;

/// How often a write is repeated that another one overtook.
const REPEATS: u32 = 40;

/// What this version writes.
const SCHEMA_VERSION: u64 = 1;

/// A backend in a bucket.
#[derive(Debug)]
pub struct S3 {
    bucket: Arc<Bucket>,
    copies: Copies,
    /// The records of each tenant, as they were last read or written here.
    known: Mutex<HashMap<String, Known>>,
    leases: Mutex<HashMap<String, Weak<Lease>>>,
    log: Log,
    /// Whether the server was seen to obey conditions.
    checked: Mutex<bool>,
}

#[derive(Clone, Debug)]
struct Known {
    etag: String,
    state: Arc<StateDocument>,
    /// Read while the lock was held: no other command changes it.
    current: bool,
}

/// `format.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Format {
    schema_version: u64,
}

/// How a document is kept.
enum Kept<'a> {
    /// In the state of this tenant.
    Record(&'a str, &'a str),
    /// In an object of its own.
    Object,
}

fn kept(name: &str) -> Kept<'_> {
    match name.strip_prefix("tenants/").and_then(|rest| rest.split_once('/')) {
        Some((tenant, document)) if document.strip_suffix(".toml").is_some() => Kept::Record(tenant, document),
        _ => Kept::Object,
    }
}

fn state_key(tenant: &str) -> String {
    format!("tenants/{tenant}/state.json")
}

impl S3 {
    /// The backend at `address`. Nothing is asked yet. `copies` is a directory for copies of
    /// what was read.
    pub fn new(address: &str, env: &Environment, http: http::Settings, copies: PathBuf) -> Result<Self, RemoteError> {
        let address = Address::parse(address, env)?;
        let http = http::Settings { loopback: address.loopback, timeout: http.timeout.min(LONGEST), ..http };
        let copies = Copies::new(copies, address.base.clone() + "/" + &address.prefix);
        let bucket = Bucket::new(address, Credentials::find(env), http);
        Ok(Self {
            log: Log::new(bucket.clone()),
            bucket,
            copies,
            known: Mutex::default(),
            leases: Mutex::default(),
            checked: Mutex::default(),
        })
    }

    fn get(&self, key: &str, known: Option<String>) -> Result<Got, RemoteError> {
        self.bucket.check()?;
        let key = key.to_owned();
        self.bucket.wait(|bucket| async move { bucket.get(&key, known.as_deref()).await })
    }

    fn put_object(&self, key: &str, text: &str, expected: Expected) -> Result<Written, RemoteError> {
        self.bucket.check()?;
        let (key, text) = (key.to_owned(), text.to_owned());
        self.bucket.wait(|bucket| async move { bucket.put(&key, &text, &expected).await })
    }

    fn delete(&self, key: &str, tag: Option<String>) -> Result<bool, RemoteError> {
        self.bucket.check()?;
        let key = key.to_owned();
        self.bucket.wait(|bucket| async move { bucket.delete(&key, tag.as_deref()).await })
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>, RemoteError> {
        self.bucket.check()?;
        let prefix = prefix.to_owned();
        self.bucket.wait(move |bucket| async move { bucket.list(&prefix).await })
    }

    /// Before the first write of a process: whether the server obeys conditions, and whether a
    /// newer version has written there.
    fn check_server(&self) -> Result<(), RemoteError> {
        let mut checked = guard(&self.checked);
        if *checked {
            return Ok(());
        }
        let text = serde_json::to_string(&Format { schema_version: SCHEMA_VERSION })
            .unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
        let unconditional = || RemoteError::Unconditional { place: self.bucket.place() };
        let is_new = matches!(self.put_object(FORMAT, &text, Expected::Absent)?, Written::Done(_));
        if is_new {
            // Both kinds of conditions, once for each state.
            let wrong = Expected::Tag("\"00000000000000000000000000000000\"".into());
            for expected in [Expected::Absent, wrong] {
                if matches!(self.put_object(FORMAT, &text, expected)?, Written::Done(_)) {
                    // The next command has to find out, too.
                    self.delete(FORMAT, None)?;
                    return Err(unconditional());
                }
            }
        } else if let Got::Found(found) = self.get(FORMAT, None)? {
            let damaged = |why: String| RemoteError::Damaged { document: self.bucket.shown(FORMAT), why };
            let format: Format = serde_json::from_str(&found.text).map_err(|error| damaged(error.to_string()))?;
            if format.schema_version > SCHEMA_VERSION {
                return Err(damaged(format!("a newer msgrctl wrote it (schema_version {})", format.schema_version)));
            }
        } else {
            return Err(unconditional());
        }
        *checked = true;
        Ok(())
    }

    /// The lock of a tenant that this process holds.
    fn lease(&self, tenant: &str) -> Option<Arc<Lease>> {
        guard(&self.leases).get(tenant)?.upgrade()
    }

    fn check_lease(&self, tenant: &str) -> Result<(), RemoteError> {
        match self.lease(tenant) {
            Some(lease) if lease.is_lost() => Err(RemoteError::LockLost { tenant: tenant.into() }),
            _ => Ok(()),
        }
    }
}

/// Says what is written there.
const FORMAT: &str = "format.json";

/// The longest time for one request.
const LONGEST: Duration = Duration::from_secs(20);

impl Storage for S3 {
    fn path(&self, name: &str) -> PathBuf {
        self.bucket.shown(name).into()
    }

    fn read(&self, name: &str) -> Result<Option<String>, StorageError> {
        Ok(match kept(name) {
            Kept::Record(tenant, document) => {
                self.state(tenant)?.and_then(|known| known.state.documents.get(document).cloned())
            }
            Kept::Object => match self.get(name, None)? {
                Got::Found(found) => Some(found.text),
                Got::Absent | Got::Same => None,
            },
        })
    }

    fn read_soon(&self, name: &str, limit: Duration) -> Option<String> {
        let Kept::Record(tenant, document) = kept(name) else { return None };
        let copy = self.copies.read(tenant);
        if let Some(copy) = copy.as_ref().filter(|copy| copy.is_young) {
            return copy.state.documents.get(document).cloned();
        }
        let fresh = self.state_within(tenant, limit, copy.as_ref().map(|copy| copy.etag.clone()));
        fresh.or(copy.map(|copy| copy.state)).and_then(|state| state.documents.get(document).cloned())
    }

    fn open(
        &self,
        name: &str,
        _patience: Duration,
        _on_wait: &dyn Fn(&Path),
    ) -> Result<Box<dyn OpenDocument + '_>, StorageError> {
        Ok(Box::new(Opened::new(self, name)))
    }

    fn put(&self, name: &str, text: &str) -> Result<(), StorageError> {
        self.check_server()?;
        self.put_object(name, text, Expected::Anything)?;
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), StorageError> {
        match kept(name) {
            Kept::Record(tenant, document) => {
                let before = self.state(tenant)?.and_then(|known| known.state.documents.get(document).cloned());
                if before.is_some() {
                    self.check_server()?;
                    self.change_record(tenant, document, before.as_deref(), None)?;
                }
            }
            Kept::Object if matches!(name, super::names::LOG | super::names::HEALTH_LOG) => self.log.remove(name)?,
            Kept::Object => drop(self.delete(name, None)?),
        }
        Ok(())
    }

    fn tenants(&self) -> Result<Vec<String>, StorageError> {
        let all = self.list("tenants/")?;
        Ok(all.iter().filter_map(|name| Some(name.strip_suffix("/state.json")?.to_owned())).collect())
    }

    fn tenants_soon(&self) -> Vec<String> {
        self.copies.tenants()
    }

    fn documents(&self, directory: &str) -> Result<Vec<String>, StorageError> {
        let directory = format!("{directory}/");
        Ok(self.list(&directory)?.into_iter().map(|name| directory.clone() + &name).collect())
    }

    fn lines(&self, log: &str) -> Result<Vec<String>, StorageError> {
        self.bucket.check()?;
        Ok(self.log.whole(log)?.lines)
    }

    fn whole(&self, log: &str) -> Result<WholeLog, StorageError> {
        self.bucket.check()?;
        Ok(self.log.whole(log)?)
    }

    fn append(&self, log: &str, lines: &str) -> Result<(), StorageError> {
        self.check_server()?;
        Ok(self.log.append(log, lines)?)
    }

    fn link(&self, log: &str, next: &Link<'_>) -> Result<(), StorageError> {
        self.check_server()?;
        Ok(self.log.link(log, next)?)
    }

    fn set_end(&self, log: &str, end: &str) -> Result<(), StorageError> {
        self.check_server()?;
        Ok(self.log.set_end(log, end)?)
    }

    fn can_append(&self, _log: &str) -> Result<(), StorageError> {
        Ok(self.check_server()?)
    }

    fn hold(
        &self,
        tenant: &str,
        holder: &Holder,
        patience: Duration,
        say: &dyn Fn(&str),
    ) -> Result<Box<dyn Held>, StorageError> {
        if let Some(lease) = self.lease(tenant) {
            return Ok(Box::new(lease));
        }
        self.check_server()?;
        let lease = lease::acquire(self, tenant, holder, patience, say)?;
        guard(&self.leases).insert(tenant.into(), Arc::downgrade(&lease));
        // What was read before may be old by now.
        if let Some(known) = guard(&self.known).get_mut(tenant) {
            known.current = false;
        }
        Ok(Box::new(lease))
    }

    fn hold_run(
        &self,
        tenant: &str,
        holder: &Holder,
        patience: Duration,
        say: &dyn Fn(&str),
    ) -> Result<Option<Box<dyn Held>>, StorageError> {
        self.hold(tenant, holder, patience, say).map(Some)
    }

    fn check_run(&self, tenant: &str) -> Result<(), StorageError> {
        self.check_lease(tenant)?;
        Ok(self.check_serial(tenant)?)
    }

    fn forget_tenant(&self, tenant: &str) {
        // The state stays where it cannot be removed: without a document it is no tenant's.
        if let Ok(Some(known)) = self.state(tenant)
            && known.state.documents.is_empty()
            && matches!(self.delete(&state_key(tenant), Some(known.etag)), Ok(true))
        {
            let _ = self.delete(&super::names::notices(tenant), None);
            guard(&self.known).remove(tenant);
            self.copies.forget(tenant);
        }
    }

    fn history(&self, tenant: &str, _begin: bool) -> Result<History, StorageError> {
        let known = self.state(tenant)?;
        Ok(known.map_or_else(History::default, |known| History {
            lineage: known.state.lineage.clone(),
            serial: Some(known.state.serial),
        }))
    }

    fn state_of(&self, tenant: &str) -> Result<TenantState, StorageError> {
        let known = self.state(tenant)?;
        let bytes = known.as_ref().map_or(0, |known| known.state.documents.values().map(String::len).sum());
        Ok(TenantState {
            tenant: tenant.into(),
            lineage: known.as_ref().map(|known| known.state.lineage.clone()),
            serial: known.as_ref().map(|known| known.state.serial),
            bytes,
            lock: self.lock_of(tenant)?,
        })
    }

    fn lock_of(&self, tenant: &str) -> Result<Option<LockInfo>, StorageError> {
        Ok(lease::read(self, tenant)?.map(|(lock, _)| lock).filter(|lock| lock.expires > self.bucket.now()))
    }

    fn unlock(&self, tenant: &str, id: &str) -> Result<bool, StorageError> {
        match lease::read(self, tenant)? {
            Some((lock, tag)) if lock.id == id => Ok(self.delete(&lease::key(tenant), Some(tag))?),
            _ => Ok(false),
        }
    }
}
