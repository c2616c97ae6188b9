//! A change that has begun: the files as they were before it, kept until it is written
//! down. One that is found while its tenant's lock is free belongs to a process that was
//! killed, and is written down in its place.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::difference::{Difference, Texts};
use super::error::CliError;
use super::history::{self, Entry, INTERRUPTED, Undo, check_paths};
use crate::accounts::TenantName;
use crate::files;

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
    pub fn write(&self, ctx: &Context) -> Result<(), CliError> {
        let text = serde_json::to_string(self).unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
        Ok(files::write_in_place(&path(ctx, &self.entry.tenant)?, text.as_bytes())?)
    }

    /// The change is written down, or was none.
    pub fn end(&self, ctx: &Context) -> Result<(), CliError> {
        Ok(files::remove(&path(ctx, &self.entry.tenant)?)?)
    }

    fn read(ctx: &Context, tenant: &str) -> Result<Option<Self>, CliError> {
        let path = path(ctx, tenant)?;
        let Some(text) = files::read_text(&path)? else { return Ok(None) };
        let Ok(pending) = serde_json::from_str::<Self>(&text) else {
            files::remove(&path)?;
            return Ok(None);
        };
        check_paths(ctx, &path, tenant, pending.before.keys().map(PathBuf::as_path))?;
        Ok((pending.entry.tenant == tenant).then_some(pending))
    }
}

fn path(ctx: &Context, tenant: &str) -> Result<PathBuf, CliError> {
    Ok(ctx.settings()?.paths.pending_dir().join(format!("{tenant}.json")))
}

/// Writes down the changes of processes that were killed: those of tenants whose lock is
/// free, and of the tenant `held`, whose lock the caller holds.
///
/// Returns an undo that was not finished and can go on, since nothing has changed after
/// it; with `all` it is written down too, because something is about to.
pub fn recover(ctx: &Context, held: Option<&str>, all: bool) -> Result<Option<Pending>, CliError> {
    let directory = ctx.settings()?.paths.pending_dir();
    let mut unfinished = None;
    for path in files::list_ours(&directory)? {
        let Some(tenant) = tenant_of(&path) else { continue };
        let is_held = held == Some(tenant.as_str());
        let lock = if is_held { None } else { ctx.try_hold(tenant.as_str())? };
        if !is_held && lock.is_none() {
            // Its process is alive.
            continue;
        }
        let Some(pending) = Pending::read(ctx, tenant.as_str())? else { continue };
        let last = Undo::read(ctx)?;
        let last = last.as_ref().map(|last| &last.entry.id);
        if !all && pending.undoes.is_some() && pending.undoes.as_ref() == last {
            unfinished = Some(pending);
            continue;
        }
        if let Err(error) = recover_one(ctx, &pending, last) {
            ctx.output.warning(&format!(
                "'{}' in tenant '{tenant}' was cut off, and could not be written into the log: {}",
                pending.entry.command,
                error.message()
            ));
        }
        pending.end(ctx)?;
        if !is_held {
            // The lock has made it again, where a tenant was being removed.
            files::remove_empty_dir(&ctx.settings()?.paths.tenant_dir(tenant.as_str()));
        }
    }
    Ok(unfinished)
}

fn tenant_of(path: &Path) -> Option<TenantName> {
    path.file_name()?.to_str()?.strip_suffix(".json")?.parse().ok()
}

/// Writes down one change, whose tenant is held. `last` is the id of the one that
/// `undo.json` knows.
fn recover_one(ctx: &Context, pending: &Pending, last: Option<&String>) -> Result<(), CliError> {
    if last == Some(&pending.entry.id) {
        return complete_log(ctx);
    }
    let after = history::texts(ctx, pending.before.keys().cloned())?;
    let changes = Difference { before: &pending.before, after: &after, secrets: &[] }.changes();
    if after == pending.before {
        return Ok(());
    }
    ctx.output.notice(&format!(
        "'{}' in tenant '{}' was cut off at {}; what it had changed by then is now in the log",
        pending.entry.command, pending.entry.tenant, pending.entry.time
    ));
    let entry = Entry { changes, result: INTERRUPTED.into(), ..pending.entry.clone() };
    if entry.changes.is_empty() {
        // A record was written again and nothing shows why: a secret has another value, perhaps.
        return history::write_line(ctx, &entry);
    }
    history::record(ctx, pending, &after, entry)
}

/// The process was killed between `undo.json` and the log.
fn complete_log(ctx: &Context) -> Result<(), CliError> {
    const NEAR: usize = 100;
    let Some(last) = Undo::read(ctx)? else { return Ok(()) };
    let log = files::read_text(&ctx.settings()?.paths.log_file())?.unwrap_or_default();
    let is_it = |line: &str| serde_json::from_str::<Entry>(line).is_ok_and(|written| written.id == last.entry.id);
    if log.lines().rev().take(NEAR).any(is_it) {
        return Ok(());
    }
    history::write_line(ctx, &last.entry)
}
