//! What was changed, and how the last change is undone: a line in `log.jsonl` for each
//! change, and the files as they were in `undo.json`.
//!
//! A change is what happens to the files of a tenant between getting the right to
//! change them and giving it back; what changed is found by comparing, so no command
//! has to say it. Before it begins the files are kept in `pending/TENANT.json`: the next
//! command finds a change whose process was killed by it. None of these files holds a
//! secret, since the files they tell of do not.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::context::Context;
use super::difference::{Difference, Texts};
use super::error::CliError;
use super::log::several_in_words;
use super::pending::{self, Pending};
use crate::accounts::TenantName;
use crate::files::{self, FileError, Lock};
use crate::secrets::SecretKind;
use crate::text::excerpt;
use crate::ui::interrupt::Hold;

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its own: twelve hexadecimal digits. Older versions wrote none.
    #[serde(default)]
    pub id: String,
    /// RFC 3339, UTC.
    pub time: String,
    /// Who ran the command, as the system calls them.
    pub user: String,
    /// `account edit`.
    pub command: String,
    /// The tenant.
    pub tenant: String,
    /// What was changed.
    pub changes: Vec<ChangedThing>,
    /// [`DONE`], [`PARTIAL`] or [`INTERRUPTED`].
    pub result: String,
}

/// The whole change.
pub const DONE: &str = "done";
/// The command failed after a part of its change.
pub const PARTIAL: &str = "partial";
/// The process was killed before it wrote its change down.
pub const INTERRUPTED: &str = "interrupted";

impl Entry {
    /// A line about what this process does.
    pub fn new(ctx: &Context, tenant: &str, changes: Vec<ChangedThing>) -> Self {
        let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| ctx.env.text(name));
        let mut id = uuid::Uuid::new_v4().simple().to_string();
        id.truncate(12);
        Self {
            id,
            time: ctx.now().to_string(),
            user: excerpt(user.unwrap_or("unknown"), 100),
            command: ctx.command().into(),
            tenant: tenant.into(),
            changes,
            result: DONE.into(),
        }
    }

    /// The line as it is written.
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| unreachable!("it is JSON: {error}"))
    }
}

/// Writes down a change: how it is undone, then the line of the log. Each is tried whatever
/// becomes of the other. When the first fails nothing is left that would undo an older one
/// in its place.
fn write(ctx: &Context, undo: &Undo) -> Result<(), CliError> {
    let paths = &ctx.settings()?.paths;
    let (log, last) = (paths.log_file(), paths.undo_file());
    let _log = Lock::acquire(&log, Lock::PATIENCE, &|_| {})?;
    let text = serde_json::to_string(undo).unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
    let kept = Lock::acquire(&last, Lock::PATIENCE, &|_| {}).and_then(|lock| lock.replace(text.as_bytes()));
    let kept = kept.or_else(|error| {
        files::remove(&last)?;
        Err(CliError::from(error).context("it cannot be undone"))
    });
    files::append_line(&log, &undo.entry.line())?;
    kept
}

/// Writes a line of the log alone.
pub fn write_line(ctx: &Context, entry: &Entry) -> Result<(), CliError> {
    let log = ctx.settings()?.paths.log_file();
    let _log = Lock::acquire(&log, Lock::PATIENCE, &|_| {})?;
    Ok(files::append_line(&log, &entry.line())?)
}

/// Writes down a change that is not undone by putting files back: secrets that were moved.
pub fn note(ctx: &Context, changes: Vec<ChangedThing>) -> Result<(), CliError> {
    if changes.is_empty() {
        return Ok(());
    }
    let tenant = ctx.settings()?.tenant.value.to_string();
    let entry = Entry::new(ctx, &tenant, changes);
    write(ctx, &Undo { entry, files: Vec::new(), others: Vec::new() })
}

/// Writes down a change at Meta: a line of the log alone, since `undo` undoes what was
/// changed here, and that stays the last change. What is done is done: a log that cannot
/// be written is a warning, and holds back nothing that is still to be said.
pub fn note_at_meta(ctx: &Context, changes: Vec<ChangedThing>) {
    if changes.is_empty() {
        return;
    }
    let write = || {
        let tenant = ctx.settings()?.tenant.value.to_string();
        write_line(ctx, &Entry::new(ctx, &tenant, changes))
    };
    if let Err(error) = write() {
        ctx.output.warning(&format!("the change at Meta is not in the log: {}", error.message()));
    }
}

/// One thing that was changed, and what about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedThing {
    /// An account's name, `chat settings`, `tenant` or `configuration`.
    pub of: String,
    /// The account's handle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// `added`, `changed` or `removed`.
    pub what: String,
    /// The fields; `secrets.page_access_token` for a new value or place.
    pub fields: Vec<String>,
}

/// How the last change is undone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Undo {
    /// The change.
    pub entry: Entry,
    /// The files it changed.
    pub files: Vec<FileBefore>,
    /// The tenant's other files as they were: a change of them that was not written
    /// down, since its process was killed, is noticed by them.
    #[serde(default)]
    pub others: Vec<FileBefore>,
}

/// A file before the change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileBefore {
    /// Below the configuration directory.
    pub path: PathBuf,
    /// Its text; absent when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it became; absent when it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_sha256: Option<String>,
}

impl Undo {
    /// What `undo.json` says; `None` where there is none.
    pub fn read(ctx: &Context) -> Result<Option<Self>, CliError> {
        let path = ctx.settings()?.paths.undo_file();
        let Some(text) = files::read_text(&path)? else { return Ok(None) };
        let undo: Self = serde_json::from_str(&text)
            .map_err(|error| CliError::file(format!("{} cannot be read: {error}", path.display())))?;
        let paths = undo.files.iter().chain(&undo.others).map(|file| file.path.as_path());
        check_paths(ctx, &path, &undo.entry.tenant, paths)?;
        Ok(Some(undo))
    }
}

/// Refuses a file of ours that tells of other files than a change of this tenant has: it
/// was edited, and would have anything written anywhere.
pub fn check_paths<'p>(
    ctx: &Context,
    told_by: &Path,
    tenant: &str,
    mut paths: impl Iterator<Item = &'p Path>,
) -> Result<(), CliError> {
    let wrong = |what: String| {
        CliError::file(format!("{} cannot be used: {what}", told_by.display()))
            .hint(format!("it was changed by hand or by another program; remove it: rm '{}'", told_by.display()))
    };
    if tenant.parse::<TenantName>().is_err() {
        return Err(wrong("the tenant that it names is not valid".into()));
    }
    let ours = files_of(ctx, tenant)?;
    let config = relative(ctx, &ctx.settings()?.paths.config_file())?;
    match paths.find(|path| *path != config && !ours.iter().any(|ours| ours == path)) {
        Some(path) => Err(wrong(format!("{} is not a file that a change has", path.display()))),
        None => Ok(()),
    }
}

/// The files of a tenant that a change may change.
fn files_of(ctx: &Context, tenant: &str) -> Result<[PathBuf; 3], CliError> {
    let paths = &ctx.settings()?.paths;
    let [a, b, c] = [paths.tenant_file(tenant), paths.chat_settings_file(tenant), paths.accounts_file(tenant)];
    Ok([relative(ctx, &a)?, relative(ctx, &b)?, relative(ctx, &c)?])
}

/// A file of ours below the configuration directory.
fn relative(ctx: &Context, path: &Path) -> Result<PathBuf, CliError> {
    Ok(path.strip_prefix(ctx.settings()?.paths.root()).unwrap_or(path).into())
}

/// The text of a file as `undo.json` compares it.
pub fn fingerprint(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// The right to change a tenant's files and secrets, held until it is dropped; then
/// what was changed is written into the log.
pub struct Changing<'a> {
    ctx: &'a Context,
    pending: Pending,
    secrets: RefCell<Vec<(String, SecretKind)>>,
    result: Cell<&'static str>,
    /// An undo that was not done: it stays the next one.
    unfinished: Cell<bool>,
    _held: Lock,
}

impl<'a> Changing<'a> {
    /// Begins a change of `tenant`, whose lock is held.
    pub(super) fn begin(ctx: &'a Context, tenant: &str, held: Lock) -> Result<Self, CliError> {
        pending::recover(ctx, Some(tenant), true)?;
        let before = texts(ctx, files_of(ctx, tenant)?)?;
        Self::of(ctx, Pending::new(Entry::new(ctx, tenant, Vec::new()), before), held)
    }

    /// Begins the undoing of the last change, or goes on with one that was not finished.
    pub(super) fn begin_undo(
        ctx: &'a Context,
        last: &Undo,
        held: Lock,
        unfinished: Option<Pending>,
    ) -> Result<Self, CliError> {
        if let Some(mut pending) = unfinished {
            pending.entry.id = Entry::new(ctx, &pending.entry.tenant, Vec::new()).id;
            return Self::of(ctx, pending, held);
        }
        let tenant = &last.entry.tenant;
        let mut before = texts(ctx, files_of(ctx, tenant)?)?;
        before.extend(texts(ctx, [relative(ctx, &ctx.settings()?.paths.config_file())?])?);
        let pending = Pending::new(Entry::new(ctx, tenant, Vec::new()), before);
        Self::of(ctx, Pending { undoes: Some(last.entry.id.clone()), ..pending }, held)
    }

    fn of(ctx: &'a Context, pending: Pending, held: Lock) -> Result<Self, CliError> {
        let paths = &ctx.settings()?.paths;
        // A log that could not be written for what it is would be found out at the end.
        for path in [paths.log_file(), paths.undo_file()] {
            files::is_there(&path)?;
            Lock::acquire(&path, Lock::PATIENCE, &|_| {})?;
        }
        if let Err(error) = pending.write(ctx) {
            if pending.undoes.is_some() {
                // An undo goes on by it after an error.
                return Err(error);
            }
            // It is still written down at its end, unless the process is killed.
            ctx.output.warning(&format!("the change could not be noted before it was made: {}", error.message()));
        }
        let (secrets, result, unfinished) = (RefCell::default(), Cell::new(DONE), Cell::new(false));
        Ok(Self { ctx, pending, secrets, result, unfinished, _held: held })
    }

    /// The change may be one of the configuration file too, which is no tenant's.
    pub(super) fn and_configuration(mut self) -> Result<Self, CliError> {
        let config = relative(self.ctx, &self.ctx.settings()?.paths.config_file())?;
        self.pending.before.extend(texts(self.ctx, [config])?);
        self.pending.write(self.ctx)?;
        Ok(self)
    }

    /// Says that a secret of the account with this id has another value.
    pub fn secret(&self, account_id: &str, kind: SecretKind) {
        self.secrets.borrow_mut().push((account_id.into(), kind));
    }

    /// Says that the command fails after a part of its change: the log has it so.
    pub fn partial(&self) {
        self.result.set(PARTIAL);
    }

    /// An error in the middle of the change: with what was done by then, and the command
    /// that goes on. Unchanged where nothing was done.
    pub fn stopped(&self, error: CliError, go_on: &str) -> CliError {
        let Ok(after) = texts(self.ctx, self.pending.before.keys().cloned()) else { return error };
        let done = self.changes(&after);
        if done.is_empty() {
            return error;
        }
        self.partial();
        error
            .note(format!("done before that: {}", several_in_words(&done)))
            .hint(format!("to go on: {go_on}"))
            .hint("to undo what was done: msgrctl undo --yes")
    }

    /// The same for an undo: `undo.json` stays, and the next undo goes on.
    pub(super) fn not_undone(&self, error: CliError) -> CliError {
        let Ok(after) = texts(self.ctx, self.pending.before.keys().cloned()) else { return error };
        let done = self.changes(&after);
        if done.is_empty() {
            return error;
        }
        self.partial();
        self.unfinished.set(true);
        error
            .note(format!("undone in part: {}", several_in_words(&done)))
            .hint("to go on when that is fixed: msgrctl undo --yes")
    }

    fn changes(&self, after: &Texts) -> Vec<ChangedThing> {
        Difference { before: &self.pending.before, after, secrets: &self.secrets.borrow() }.changes()
    }

    /// Compares, and writes down what is different.
    fn end(&self) -> Result<(), CliError> {
        let _hold = Hold::begin();
        let after = texts(self.ctx, self.pending.before.keys().cloned())?;
        let changes = self.changes(&after);
        if changes.is_empty() {
            // The same in other words changes nothing: an older change can still be undone.
            put_back(self.ctx, self.pending.before.iter().filter(|(path, text)| after.get(*path) != Some(*text)))?;
            return self.pending.end(self.ctx);
        }
        let time = self.ctx.now().to_string();
        let entry = Entry { time, changes, result: self.result.get().into(), ..self.pending.entry.clone() };
        if self.unfinished.get() {
            return write_line(self.ctx, &entry);
        }
        let written = record(self.ctx, &self.pending, &after, entry);
        written.and(self.pending.end(self.ctx))
    }
}

/// Writes down what became of the files that a change had before it.
pub fn record(ctx: &Context, pending: &Pending, after: &Texts, entry: Entry) -> Result<(), CliError> {
    let (files, others): (Vec<_>, Vec<_>) =
        pending.before.iter().partition(|(path, text)| after.get(*path) != Some(*text));
    let file = |path: &PathBuf, before: Option<String>| FileBefore {
        path: path.clone(),
        before,
        after_sha256: after.get(path).and_then(Option::as_deref).map(fingerprint),
    };
    let files: Vec<FileBefore> = files.into_iter().map(|(path, text)| file(path, text.clone())).collect();
    // The configuration is edited by hand too, and belongs to all tenants.
    let config = relative(ctx, &ctx.settings()?.paths.config_file())?;
    let others = others.into_iter().filter(|(path, _)| **path != config);
    let others = others.map(|(path, _)| file(path, None)).collect();
    write(ctx, &Undo { entry, files, others })
}

/// Gives files of ours the texts that they had.
pub fn put_back<'t>(
    ctx: &Context,
    texts: impl Iterator<Item = (&'t PathBuf, &'t Option<String>)>,
) -> Result<(), CliError> {
    let root = ctx.settings()?.paths.root();
    for (path, text) in texts {
        let path = root.join(path);
        match text {
            Some(text) => Lock::acquire(&path, Lock::PATIENCE, &|_| {})?.replace(text.as_bytes())?,
            None => files::remove(&path)?,
        }
    }
    Ok(())
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            self.ctx.output.warning(&format!("the change is made, but is not in the log: {}", error.message()));
        }
    }
}

/// The texts of files of ours; nothing for those that are not there.
pub fn texts(ctx: &Context, files: impl IntoIterator<Item = PathBuf>) -> Result<Texts, CliError> {
    let root = ctx.settings()?.paths.root();
    let read = |path: PathBuf| Ok::<_, FileError>((path.clone(), files::read_text(&root.join(path))?));
    Ok(files.into_iter().map(read).collect::<Result<_, _>>()?)
}
