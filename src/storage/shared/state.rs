//! The records of a tenant: one object, replaced as a whole by compare-and-swap.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::objects::{Expected, Got, Object, REPEATS, SCHEMA_VERSION, Written, check_version, guard};
use super::{Known, Shared, state_key};
use crate::storage::RemoteError;
use crate::touched;

/// `state.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateDocument {
    schema_version: u64,
    /// Names this history: a state that was made anew has another one.
    pub lineage: String,
    /// Grows by one with each change.
    pub serial: u64,
    /// Names the change, so that its writer knows it again after a cut connection.
    write: String,
    /// The texts by name: `accounts.toml`.
    pub documents: BTreeMap<String, String>,
}

/// `removed/TENANT.json`: tells records that a command removed from records that a server lost.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Removed {
    /// The histories that ended so.
    lineages: Vec<String>,
}

fn removed_key(tenant: &str) -> String {
    format!("removed/{tenant}.json")
}

impl StateDocument {
    /// The beginning of a history.
    fn begin() -> Self {
        let (lineage, documents) = (uuid::Uuid::new_v4().to_string(), BTreeMap::new());
        Self { schema_version: SCHEMA_VERSION, lineage, serial: 0, write: String::new(), documents }
    }
}

impl Shared {
    /// The state of a tenant as it is now.
    pub(super) fn state(&self, tenant: &str) -> Result<Option<Known>, RemoteError> {
        let known = guard(&self.known).get(tenant).cloned();
        let holds = self.lease(tenant).is_some();
        if let Some(known) = known.as_ref().filter(|known| known.current && holds) {
            return Ok(Some(known.clone()));
        }
        let known = known.or_else(|| {
            let copy = self.copies.read(tenant)?;
            Some(Known { tag: copy.tag, state: Arc::new(copy.state), current: false })
        });
        match self.server.get(&state_key(tenant), known.as_ref().map(|known| known.tag.clone()))? {
            Got::Absent => {
                if let Some(known) = known {
                    self.check_removed(tenant, &known, 0)?;
                }
                guard(&self.known).remove(tenant);
                self.copies.forget(tenant);
                Ok(None)
            }
            Got::Same => {
                let known = known.map(|known| Known { current: holds, ..known });
                if let Some(known) = &known {
                    self.copies.touch(tenant);
                    guard(&self.known).insert(tenant.into(), known.clone());
                }
                Ok(known)
            }
            Got::Found(found) => {
                let state = self.parsed(tenant, &found)?;
                match known {
                    Some(before) if before.state.lineage != state.lineage => {
                        self.check_removed(tenant, &before, state.serial)?;
                    }
                    Some(before) if before.state.serial > state.serial => {
                        return Err(self.went_back(tenant, &before, state.serial));
                    }
                    _ => {}
                }
                Ok(Some(self.remember(tenant, found.tag, state, holds)))
            }
        }
    }

    fn went_back(&self, tenant: &str, known: &Known, now: u64) -> RemoteError {
        RemoteError::WentBack { document: self.server.shown(&state_key(tenant)), now, known: known.state.serial }
    }

    /// Refuses records whose history is not there any more, unless a command removed the tenant.
    fn check_removed(&self, tenant: &str, known: &Known, now: u64) -> Result<(), RemoteError> {
        let removed = self.removed(tenant)?.unwrap_or_default();
        if removed.lineages.contains(&known.state.lineage) {
            return Ok(());
        }
        Err(self.went_back(tenant, known, now))
    }

    fn removed(&self, tenant: &str) -> Result<Option<Removed>, RemoteError> {
        match self.server.get(&removed_key(tenant), None)? {
            Got::Found(found) => Ok(serde_json::from_str(&found.text).ok()),
            Got::Absent | Got::Same => Ok(None),
        }
    }

    /// Notes that a history ends because its tenant is removed.
    pub(super) fn note_removed(&self, tenant: &str, lineage: &str) -> Result<(), RemoteError> {
        let mut removed = self.removed(tenant)?.unwrap_or_default();
        removed.lineages.push(lineage.into());
        let text = serde_json::to_string(&removed).unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
        self.server.put(&removed_key(tenant), &text, Expected::Anything).map(drop)
    }

    /// Refuses a state that is not the one that the holder of its lock last read or wrote.
    pub(super) fn check_serial(&self, tenant: &str) -> Result<(), RemoteError> {
        let known = guard(&self.known).get(tenant).cloned();
        let Some(known) = known.filter(|known| known.current && self.lease(tenant).is_some()) else { return Ok(()) };
        let key = state_key(tenant);
        match self.server.get(&key, Some(known.tag.clone()))? {
            Got::Same => Ok(()),
            Got::Found(found) if found.tag == known.tag => Ok(()),
            Got::Found(_) | Got::Absent => Err(RemoteError::Changed { document: self.server.shown(&key) }),
        }
    }

    fn parsed(&self, tenant: &str, found: &Object) -> Result<StateDocument, RemoteError> {
        let document = self.server.shown(&state_key(tenant));
        let state: StateDocument = serde_json::from_str(&found.text)
            .map_err(|error| RemoteError::Damaged { document: document.clone(), why: error.to_string() })?;
        check_version(state.schema_version, document)?;
        Ok(state)
    }

    fn remember(&self, tenant: &str, tag: String, state: StateDocument, current: bool) -> Known {
        self.copies.write(tenant, &tag, &state);
        let known = Known { tag, state: Arc::new(state), current };
        guard(&self.known).insert(tenant.into(), known.clone());
        known
    }

    /// The state, if it is read within `limit`; `tag` is that of a copy, which stands for an
    /// unchanged one.
    pub(super) fn state_within(&self, tenant: &str, limit: Duration, tag: Option<String>) -> Option<StateDocument> {
        self.server.objects.check().ok()?;
        let (send, receive) = mpsc::channel();
        let (objects, key) = (self.server.objects.clone(), state_key(tenant));
        let asked = async move { drop(send.send(objects.get(&key, tag.as_deref()).await)) };
        self.server.spawn(asked).ok()?;
        match receive.recv_timeout(limit).ok()?.ok()? {
            Got::Found(found) => {
                let state = self.parsed(tenant, &found).ok()?;
                self.copies.write(tenant, &found.tag, &state);
                Some(state)
            }
            Got::Same => {
                self.copies.touch(tenant);
                None
            }
            Got::Absent => None,
        }
    }

    /// Replaces one record if its text is still `before`. Another record of the state may have
    /// changed: then it is tried again with that.
    pub(super) fn change_record(
        &self,
        tenant: &str,
        document: &str,
        before: Option<&str>,
        after: Option<&str>,
    ) -> Result<(), RemoteError> {
        let key = state_key(tenant);
        self.check_lease(tenant)?;
        for tried in 1..=REPEATS {
            let now = self.state(tenant)?;
            let is = now.as_ref().and_then(|known| known.state.documents.get(document)).map(String::as_str);
            if tried > 1 && is == after {
                // It had arrived although it was not answered.
                return Ok(());
            }
            if is != before {
                return Err(RemoteError::Changed { document: self.server.shown(&key) });
            }
            let write = uuid::Uuid::new_v4().simple().to_string();
            let expected = now.as_ref().map_or(Expected::Absent, |known| Expected::Tag(known.tag.clone()));
            let mut state = now.map_or_else(StateDocument::begin, |known| (*known.state).clone());
            state.serial = state.serial.checked_add(1).ok_or_else(|| RemoteError::Damaged {
                document: self.server.shown(&key),
                why: format!("serial {} is too large", state.serial),
            })?;
            state.write = write;
            match after {
                Some(after) => drop(state.documents.insert(document.into(), after.into())),
                None => drop(state.documents.remove(document)),
            }
            let text = serde_json::to_string(&state).unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
            touched::note();
            if let Written::Done(tag) = self.server.put(&key, &text, expected)? {
                let holds = self.lease(tenant).is_some();
                self.remember(tenant, tag, state, holds);
                return Ok(());
            }
            if let Some(known) = guard(&self.known).get_mut(tenant) {
                known.current = false;
            }
            self.server.pause(tried)?;
        }
        Err(RemoteError::Contended { document: self.server.shown(&key), tries: REPEATS })
    }
}
