//! Keeps documents on a server that a team shares.
//!
//! There are `format.json`; a tenant's records together in `tenants/TENANT/state.json`, with a
//! lineage and a serial that grows with each change; what is known of its accounts beside it;
//! `locks/TENANT.json`; `pending/TENANT.json`; `removed/TENANT.json` for tenants that are gone; and
//! logs. Each write of records and of a log names the version that it replaces. A lock alone would
//! not do: its holder may be paused for longer than it lasts.

mod copy;
mod lease;
pub mod objects;
mod opened;
mod state;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use super::{
    Held, History, Holder, Link, LockInfo, OpenDocument, RemoteError, Storage, StorageError, TenantState, WholeLog,
};
use copy::Copies;
use lease::Lease;
use objects::{Expected, Got, Logs, Server, Written, guard};
use opened::Opened;
use state::StateDocument;

/// A backend on a server.
#[derive(Debug)]
pub struct Shared {
    server: Server,
    log: Box<dyn Logs>,
    copies: Copies,
    /// The records of each tenant, as they were last read or written here.
    known: Mutex<HashMap<String, Known>>,
    leases: Mutex<HashMap<String, Weak<Lease>>>,
    /// Whether the server was prepared for writes.
    prepared: Mutex<bool>,
}

#[derive(Clone, Debug)]
struct Known {
    tag: String,
    state: Arc<StateDocument>,
    /// Read while the lock was held: no other command changes it.
    current: bool,
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

/// The tenant of a note about a change that has begun, which belongs to the holder of its lock.
fn noted(name: &str) -> Option<&str> {
    name.strip_prefix(super::names::PENDING)?.strip_prefix('/')?.strip_suffix(".json")
}

fn state_key(tenant: &str) -> String {
    format!("tenants/{tenant}/state.json")
}

impl Shared {
    /// The backend on this server. Nothing is asked yet. `copies` is a directory for copies of
    /// what was read.
    pub(super) fn new(server: Server, log: Box<dyn Logs>, copies: PathBuf) -> Self {
        let copies = Copies::new(copies, server.objects.identity());
        let (known, leases, prepared) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { server, log, copies, known, leases, prepared }
    }

    fn prepare(&self) -> Result<(), RemoteError> {
        let mut prepared = guard(&self.prepared);
        if !*prepared {
            self.server.prepare()?;
            *prepared = true;
        }
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

impl Storage for Shared {
    fn path(&self, name: &str) -> PathBuf {
        self.server.shown(name).into()
    }

    fn identity(&self) -> String {
        self.server.objects.identity()
    }

    fn read(&self, name: &str) -> Result<Option<String>, StorageError> {
        Ok(match kept(name) {
            Kept::Record(tenant, document) => {
                self.state(tenant)?.and_then(|known| known.state.documents.get(document).cloned())
            }
            Kept::Object => match self.server.get(name, None)? {
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
        let fresh = self.state_within(tenant, limit, copy.as_ref().map(|copy| copy.tag.clone()));
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
        if let Some(tenant) = noted(name) {
            self.check_lease(tenant)?;
        }
        self.prepare()?;
        match self.server.put(name, text, Expected::Anything)? {
            Written::Done(_) => Ok(()),
            Written::Lost => Err(RemoteError::Changed { document: self.server.shown(name) }.into()),
        }
    }

    fn remove(&self, name: &str) -> Result<(), StorageError> {
        match kept(name) {
            Kept::Record(tenant, document) => {
                let before = self.state(tenant)?.and_then(|known| known.state.documents.get(document).cloned());
                if before.is_some() {
                    self.prepare()?;
                    self.change_record(tenant, document, before.as_deref(), None)?;
                }
            }
            Kept::Object if matches!(name, super::names::LOG | super::names::HEALTH_LOG) => self.log.remove(name)?,
            Kept::Object => {
                if let Some(tenant) = noted(name) {
                    self.check_lease(tenant)?;
                }
                self.server.delete(name, None)?;
            }
        }
        Ok(())
    }

    fn tenants(&self) -> Result<Vec<String>, StorageError> {
        let all = self.server.list("tenants/")?;
        // The records of another state may lie below this one.
        let names = all.iter().filter_map(|name| name.strip_suffix("/state.json"));
        Ok(names.filter(|name| !name.contains('/')).map(str::to_owned).collect())
    }

    fn tenants_soon(&self) -> Vec<String> {
        self.copies.tenants()
    }

    fn documents(&self, directory: &str) -> Result<Vec<String>, StorageError> {
        let directory = format!("{directory}/");
        Ok(self.server.list(&directory)?.into_iter().map(|name| directory.clone() + &name).collect())
    }

    fn lines(&self, log: &str) -> Result<Vec<String>, StorageError> {
        Ok(self.log.whole(log)?.lines)
    }

    fn whole(&self, log: &str) -> Result<WholeLog, StorageError> {
        Ok(self.log.whole(log)?)
    }

    fn append(&self, log: &str, lines: &str) -> Result<(), StorageError> {
        self.prepare()?;
        Ok(self.log.append(log, lines)?)
    }

    fn link(&self, log: &str, next: &Link<'_>) -> Result<(), StorageError> {
        self.prepare()?;
        Ok(self.log.link(log, next)?)
    }

    fn set_end(&self, log: &str, end: &str) -> Result<(), StorageError> {
        self.prepare()?;
        Ok(self.log.set_end(log, end)?)
    }

    fn can_append(&self, log: &str) -> Result<(), StorageError> {
        self.prepare()?;
        Ok(self.log.can_append(log)?)
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
        self.prepare()?;
        let lease = lease::acquire(&self.server, tenant, holder, patience, say)?;
        guard(&self.leases).insert(tenant.into(), Arc::downgrade(&lease));
        // What was read before may be old by now.
        if let Some(known) = guard(&self.known).get_mut(tenant) {
            known.current = false;
        }
        Ok(Box::new(lease))
    }

    fn holds_runs(&self) -> bool {
        true
    }

    fn check_run(&self, tenant: &str) -> Result<(), StorageError> {
        self.check_lease(tenant)?;
        Ok(self.check_serial(tenant)?)
    }

    fn forget_tenant(&self, tenant: &str) {
        // A state that cannot be removed stays, as that of an empty tenant.
        if let Ok(Some(known)) = self.state(tenant)
            && known.state.documents.is_empty()
            && self.note_removed(tenant, &known.state.lineage).is_ok()
            && matches!(self.server.delete(&state_key(tenant), Some(known.tag)), Ok(true))
        {
            let _ = self.server.delete(&super::names::notices(tenant), None);
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
        let (known, damaged) = match self.state(tenant) {
            // The others, and its lock, are shown all the same.
            Err(error @ (RemoteError::Damaged { .. } | RemoteError::WentBack { .. })) => {
                (None, Some(error.to_string()))
            }
            state => (state?, None),
        };
        let bytes = known.as_ref().map_or(0, |known| known.state.documents.values().map(String::len).sum());
        Ok(TenantState {
            tenant: tenant.into(),
            lineage: known.as_ref().map(|known| known.state.lineage.clone()),
            serial: known.as_ref().map(|known| known.state.serial),
            bytes,
            damaged,
            lock: self.lock_of(tenant)?,
        })
    }

    fn lock_of(&self, tenant: &str) -> Result<Option<LockInfo>, StorageError> {
        Ok(lease::read(&self.server, tenant)?
            .map(|(lock, _)| lock)
            .filter(|lock| lock.expires > self.server.objects.now()))
    }

    fn unlock(&self, tenant: &str, id: &str) -> Result<bool, StorageError> {
        match lease::read(&self.server, tenant)? {
            Some((lock, tag)) if lock.id == id => Ok(self.server.delete(&lease::key(tenant), Some(tag))?),
            _ => Ok(false),
        }
    }
}
