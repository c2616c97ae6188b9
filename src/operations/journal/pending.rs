//! A change that has begun: the files as they were before it, kept until it is written
//! down. One that is found while its tenant's lock is free belongs to a process that was
//! killed, and is written down in its place.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::difference::{Difference, Texts};
use super::{Entry, INTERRUPTED, Undo, check_paths};
use crate::accounts::TenantName;
use crate::files;
use crate::operations::{Error, Workspace};

/// The change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pending {
    /// The line of the log, without what was changed; `undo.json` has its id once the
    /// change is written down.
    pub entry: Entry,
    /// The id of the change that it undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// The files before it.
    pub before: Texts,
}

impl Pending {
    /// A change that begins now.
    pub fn new(entry: Entry, before: Texts) -> Self {
        Self { entry, undoes: None, before }
    }

    /// Keeps it. A file that was cut off by a kill says that nothing had begun, so it is
    /// not written beside itself first.
    pub fn write(&self, workspace: &Workspace) -> Result<(), Error> {
        let text = serde_json::to_string(self).unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
        Ok(files::write_in_place(&path(workspace, &self.entry.tenant)?, text.as_bytes())?)
    }

    /// The change is written down, or was none.
    pub fn end(&self, workspace: &Workspace) -> Result<(), Error> {
        Ok(files::remove(&path(workspace, &self.entry.tenant)?)?)
    }

    fn read(workspace: &Workspace, tenant: &str) -> Result<Option<Self>, Error> {
        let path = path(workspace, tenant)?;
        let Some(text) = files::read_text(&path)? else { return Ok(None) };
        let Ok(pending) = serde_json::from_str::<Self>(&text) else {
            files::remove(&path)?;
            return Ok(None);
        };
        check_paths(workspace, &path, tenant, pending.before.keys().map(PathBuf::as_path))?;
        Ok((pending.entry.tenant == tenant).then_some(pending))
    }
}

fn path(workspace: &Workspace, tenant: &str) -> Result<PathBuf, Error> {
    Ok(workspace.settings()?.paths.pending_dir().join(format!("{tenant}.json")))
}

/// Writes down the changes of processes that were killed: those of tenants whose lock is
/// free, and of the tenant `held`, whose lock the caller holds.
///
/// Returns an undo that was not finished and can go on, since nothing has changed after
/// it; with `all` it is written down too, because something is about to.
pub fn recover(workspace: &Workspace, held: Option<&str>, all: bool) -> Result<Option<Pending>, Error> {
    let directory = workspace.settings()?.paths.pending_dir();
    let mut unfinished = None;
    for path in files::list_ours(&directory)? {
        let Some(tenant) = tenant_of(&path) else { continue };
        let is_held = held == Some(tenant.as_str());
        let lock = if is_held { None } else { workspace.try_hold(tenant.as_str())? };
        if !is_held && lock.is_none() {
            // Its process is alive.
            continue;
        }
        let Some(pending) = Pending::read(workspace, tenant.as_str())? else { continue };
        let last = Undo::read(workspace)?;
        let last = last.as_ref().map(|last| &last.entry.id);
        if !all && pending.undoes.is_some() && pending.undoes.as_ref() == last {
            unfinished = Some(pending);
            continue;
        }
        if let Err(error) = recover_one(workspace, &pending, last) {
            workspace.warning(&format!(
                "'{}' in tenant '{tenant}' was cut off, and could not be written into the log: {}",
                pending.entry.command,
                error.message()
            ));
        }
        pending.end(workspace)?;
        if !is_held {
            // The lock has made it again, where a tenant was being removed.
            files::remove_empty_dir(&workspace.settings()?.paths.tenant_dir(tenant.as_str()));
        }
    }
    Ok(unfinished)
}

fn tenant_of(path: &Path) -> Option<TenantName> {
    path.file_name()?.to_str()?.strip_suffix(".json")?.parse().ok()
}

/// Writes down one change, whose tenant is held. `last` is the id of the one that
/// `undo.json` knows.
fn recover_one(workspace: &Workspace, pending: &Pending, last: Option<&String>) -> Result<(), Error> {
    if last == Some(&pending.entry.id) {
        return complete_log(workspace);
    }
    let after = super::texts(workspace, pending.before.keys().cloned())?;
    let changes = Difference { before: &pending.before, after: &after, secrets: &[] }.changes();
    if after == pending.before {
        return Ok(());
    }
    workspace.notice(&format!(
        "'{}' in tenant '{}' was cut off at {}; what it had changed by then is now in the log",
        pending.entry.command, pending.entry.tenant, pending.entry.time
    ));
    let entry = Entry { changes, result: INTERRUPTED.into(), ..pending.entry.clone() };
    if entry.changes.is_empty() {
        // A record was written again and nothing shows why: a secret has another value, perhaps.
        return super::write_line(workspace, &entry);
    }
    super::record(workspace, pending, &after, entry)
}

/// The process was killed between `undo.json` and the log.
fn complete_log(workspace: &Workspace) -> Result<(), Error> {
    const NEAR: usize = 100;
    let Some(last) = Undo::read(workspace)? else { return Ok(()) };
    let log = files::read_text(&workspace.settings()?.paths.log_file())?.unwrap_or_default();
    let is_it = |line: &str| serde_json::from_str::<Entry>(line).is_ok_and(|written| written.id == last.entry.id);
    if log.lines().rev().take(NEAR).any(is_it) {
        return Ok(());
    }
    super::write_line(workspace, &last.entry)
}
