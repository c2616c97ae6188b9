//! A change that has begun: the records before it, kept until it is logged. If one is found
//! while its tenant's lock is free, its process was killed, and it is logged now.

use serde::{Deserialize, Serialize};

use super::entry::{Entry, INTERRUPTED};
use crate::accounts::TenantName;
use crate::operations::{Error, Workspace};
use crate::state::{Change, Snapshot};
use crate::storage::names;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pending {
    /// The log line without changes; its id is in the log once the change is logged.
    pub entry: Entry,
    pub before: Snapshot,
}

impl Pending {
    /// Writes it. One cut off by a kill means that nothing had begun.
    pub fn write(&self, workspace: &Workspace) -> Result<(), Error> {
        let text = serde_json::to_string(self).unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
        Ok(workspace.storage()?.put(&names::pending(&self.entry.tenant), &text)?)
    }

    /// The change is logged, or nothing changed.
    pub fn end(&self, workspace: &Workspace) -> Result<(), Error> {
        Ok(workspace.storage()?.remove(&names::pending(&self.entry.tenant))?)
    }

    fn read(workspace: &Workspace, tenant: &str) -> Result<Option<Self>, Error> {
        let place = workspace.place(names::pending(tenant))?;
        let Some(text) = place.read()? else { return Ok(None) };
        let Ok(pending) = serde_json::from_str::<Self>(&text) else {
            place.remove()?;
            return Ok(None);
        };
        Ok((pending.entry.tenant == tenant).then_some(pending))
    }
}

/// Logs the changes of killed processes: those of tenants whose lock is free, and of the
/// tenant `held`, whose lock the caller holds.
///
/// Returns an unfinished undo that can continue because nothing has changed after it. With
/// `all` it is logged too, because something is about to change.
pub fn recover(workspace: &Workspace, held: Option<&str>, all: bool) -> Result<Option<Pending>, Error> {
    let mut unfinished = None;
    for name in workspace.storage()?.documents(names::PENDING)? {
        let Some(tenant) = tenant_of(&name) else { continue };
        let is_held = held == Some(tenant.as_str());
        let lock = if is_held { None } else { workspace.try_hold(tenant.as_str())? };
        if !is_held && lock.is_none() {
            // Its process is running.
            continue;
        }
        let Some(pending) = Pending::read(workspace, tenant.as_str())? else { continue };
        if !all && pending.entry.undoes.is_some() && !is_written_down(workspace, &pending)? {
            unfinished = Some(pending);
            continue;
        }
        if let Err(error) = recover_one(workspace, &pending) {
            workspace.warning(&format!(
                "'{}' in tenant '{tenant}' was cut off, and could not be written into the log: {}",
                pending.entry.command,
                error.message()
            ));
            continue;
        }
        pending.end(workspace)?;
        if !is_held {
            // Locking has created it again while a tenant was being removed.
            workspace.storage()?.forget_tenant(tenant.as_str());
        }
    }
    Ok(unfinished)
}

fn tenant_of(name: &str) -> Option<TenantName> {
    name.strip_prefix(names::PENDING)?.strip_prefix('/')?.strip_suffix(".json")?.parse().ok()
}

/// Whether the process was killed only after it logged the change.
fn is_written_down(workspace: &Workspace, pending: &Pending) -> Result<bool, Error> {
    const NEAR: usize = 100;
    let lines = workspace.records()?.log()?;
    let is_it = |line: &String| {
        line.contains(&pending.entry.id)
            && serde_json::from_str::<Entry>(line).is_ok_and(|written| written.id == pending.entry.id)
    };
    Ok(lines.iter().rev().take(NEAR).any(is_it))
}

/// Has what is known of accounts follow a change of the tenant's records.
pub(super) fn follow(workspace: &Workspace, tenant: &str, changes: &[Change]) {
    let now = workspace.now();
    let followed =
        workspace.records().and_then(|records| Ok(records.change_health(tenant, &|file| file.follow(changes, now))?));
    match followed {
        Ok(trouble) => workspace.say_of_health(tenant, trouble.as_ref()),
        Err(error) => {
            workspace.notice(&format!("'msgrctl status' may show results of before the change: {}", error.message()));
        }
    }
}

/// Logs one change, whose tenant is held.
fn recover_one(workspace: &Workspace, pending: &Pending) -> Result<(), Error> {
    if is_written_down(workspace, pending)? {
        return Ok(());
    }
    let records = workspace.records()?;
    let after = records.snapshot(&pending.entry.tenant, pending.before.has_configuration())?;
    if after == pending.before {
        return Ok(());
    }
    workspace.notice(&format!(
        "'{}' in tenant '{}' was cut off at {}; what it had changed by then is now in the log",
        pending.entry.command, pending.entry.tenant, pending.entry.time
    ));
    // If a record was rewritten without a visible change, perhaps a secret has a new value.
    let changes = pending.before.changes_to(&after, &[]);
    follow(workspace, &pending.entry.tenant, &changes);
    let entry = Entry { changes, result: INTERRUPTED.into(), ..pending.entry.clone() };
    Ok(records.append(&entry.line())?)
}
