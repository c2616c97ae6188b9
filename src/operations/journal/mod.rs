//! What was changed, and how the last change is undone: a line in `log.jsonl` for each
//! change, and the files as they were in `undo.json`.
//!
//! A change is what happens to the files of a tenant between getting the right to
//! change them and giving it back; what changed is found by comparing, so no command
//! has to say it. Before it begins the files are kept in `pending/TENANT.json`: the next
//! command finds a change whose process was killed by it. None of these files holds a
//! secret, since the files they tell of do not.

mod difference;
mod pending;

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use self::difference::{Difference, Texts};
pub use self::pending::{Pending, recover};
use crate::accounts::TenantName;
use crate::files::{self, FileError, Lock};
use crate::operations::{Error, Workspace};
use crate::secrets::SecretKind;
use crate::text::excerpt;

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
    pub fn new(workspace: &Workspace, tenant: &str, changes: Vec<ChangedThing>) -> Self {
        let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| workspace.env.text(name));
        let mut id = uuid::Uuid::new_v4().simple().to_string();
        id.truncate(12);
        Self {
            id,
            time: workspace.now().to_string(),
            user: excerpt(user.unwrap_or("unknown"), 100),
            command: workspace.command().into(),
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
fn write(workspace: &Workspace, undo: &Undo) -> Result<(), Error> {
    let paths = &workspace.settings()?.paths;
    let (log, last) = (paths.log_file(), paths.undo_file());
    let _log = Lock::acquire(&log, Lock::PATIENCE, &|_| {})?;
    let text = serde_json::to_string(undo).unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
    let kept = Lock::acquire(&last, Lock::PATIENCE, &|_| {}).and_then(|lock| lock.replace(text.as_bytes()));
    let kept = kept.or_else(|error| {
        files::remove(&last)?;
        Err(Error::from(error).context("it cannot be undone"))
    });
    files::append_line(&log, &undo.entry.line())?;
    kept
}

/// Writes a line of the log alone.
pub fn write_line(workspace: &Workspace, entry: &Entry) -> Result<(), Error> {
    let log = workspace.settings()?.paths.log_file();
    let _log = Lock::acquire(&log, Lock::PATIENCE, &|_| {})?;
    Ok(files::append_line(&log, &entry.line())?)
}

/// Writes down a change that is not undone by putting files back: secrets that were moved.
pub fn note(workspace: &Workspace, changes: Vec<ChangedThing>) -> Result<(), Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let tenant = workspace.settings()?.tenant.value.to_string();
    let entry = Entry::new(workspace, &tenant, changes);
    write(workspace, &Undo { entry, files: Vec::new(), others: Vec::new() })
}

/// Writes down a change at Meta: a line of the log alone, since `undo` undoes what was
/// changed here, and that stays the last change. What is done is done: a log that cannot
/// be written is a warning, and holds back nothing that is still to be said.
pub fn note_at_meta(workspace: &Workspace, changes: Vec<ChangedThing>) {
    if changes.is_empty() {
        return;
    }
    let write = || {
        let tenant = workspace.settings()?.tenant.value.to_string();
        write_line(workspace, &Entry::new(workspace, &tenant, changes))
    };
    if let Err(error) = write() {
        workspace.warning(&format!("the change at Meta is not in the log: {}", error.message()));
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
    pub fn read(workspace: &Workspace) -> Result<Option<Self>, Error> {
        let path = workspace.settings()?.paths.undo_file();
        let Some(text) = files::read_text(&path)? else { return Ok(None) };
        let undo: Self = serde_json::from_str(&text)
            .map_err(|error| Error::file(format!("{} cannot be read: {error}", path.display())))?;
        let paths = undo.files.iter().chain(&undo.others).map(|file| file.path.as_path());
        check_paths(workspace, &path, &undo.entry.tenant, paths)?;
        Ok(Some(undo))
    }
}

/// Refuses a file of ours that tells of other files than a change of this tenant has: it
/// was edited, and would have anything written anywhere.
pub fn check_paths<'p>(
    workspace: &Workspace,
    told_by: &Path,
    tenant: &str,
    mut paths: impl Iterator<Item = &'p Path>,
) -> Result<(), Error> {
    let wrong = |what: String| {
        Error::file(format!("{} cannot be used: {what}", told_by.display()))
            .hint(format!("it was changed by hand or by another program; remove it: rm '{}'", told_by.display()))
    };
    if tenant.parse::<TenantName>().is_err() {
        return Err(wrong("the tenant that it names is not valid".into()));
    }
    let ours = files_of(workspace, tenant)?;
    let config = relative(workspace, &workspace.settings()?.paths.config_file())?;
    match paths.find(|path| *path != config && !ours.iter().any(|ours| ours == path)) {
        Some(path) => Err(wrong(format!("{} is not a file that a change has", path.display()))),
        None => Ok(()),
    }
}

/// The files of a tenant that a change may change.
fn files_of(workspace: &Workspace, tenant: &str) -> Result<[PathBuf; 3], Error> {
    let paths = &workspace.settings()?.paths;
    let [a, b, c] = [paths.tenant_file(tenant), paths.chat_settings_file(tenant), paths.accounts_file(tenant)];
    Ok([relative(workspace, &a)?, relative(workspace, &b)?, relative(workspace, &c)?])
}

/// A file of ours below the configuration directory.
fn relative(workspace: &Workspace, path: &Path) -> Result<PathBuf, Error> {
    Ok(path.strip_prefix(workspace.settings()?.paths.root()).unwrap_or(path).into())
}

/// The text of a file as `undo.json` compares it.
pub fn fingerprint(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// The right to change a tenant's files and secrets, held until it is dropped; then
/// what was changed is written into the log.
pub struct Changing<'a> {
    workspace: &'a Workspace,
    pending: Pending,
    secrets: RefCell<Vec<(String, SecretKind)>>,
    result: Cell<&'static str>,
    /// An undo that was not done: it stays the next one.
    unfinished: Cell<bool>,
    _held: Lock,
}

impl<'a> Changing<'a> {
    /// Begins a change of `tenant`, whose lock is held.
    pub fn begin(workspace: &'a Workspace, tenant: &str, held: Lock) -> Result<Self, Error> {
        pending::recover(workspace, Some(tenant), true)?;
        let before = texts(workspace, files_of(workspace, tenant)?)?;
        Self::of(workspace, Pending::new(Entry::new(workspace, tenant, Vec::new()), before), held)
    }

    /// Begins the undoing of the last change, or goes on with one that was not finished.
    pub fn begin_undo(
        workspace: &'a Workspace,
        last: &Undo,
        held: Lock,
        unfinished: Option<Pending>,
    ) -> Result<Self, Error> {
        if let Some(mut pending) = unfinished {
            pending.entry.id = Entry::new(workspace, &pending.entry.tenant, Vec::new()).id;
            return Self::of(workspace, pending, held);
        }
        let tenant = &last.entry.tenant;
        let mut before = texts(workspace, files_of(workspace, tenant)?)?;
        before.extend(texts(workspace, [relative(workspace, &workspace.settings()?.paths.config_file())?])?);
        let pending = Pending::new(Entry::new(workspace, tenant, Vec::new()), before);
        Self::of(workspace, Pending { undoes: Some(last.entry.id.clone()), ..pending }, held)
    }

    fn of(workspace: &'a Workspace, pending: Pending, held: Lock) -> Result<Self, Error> {
        let paths = &workspace.settings()?.paths;
        // A log that could not be written for what it is would be found out at the end.
        for path in [paths.log_file(), paths.undo_file()] {
            files::is_there(&path)?;
            Lock::acquire(&path, Lock::PATIENCE, &|_| {})?;
        }
        if let Err(error) = pending.write(workspace) {
            if pending.undoes.is_some() {
                // An undo goes on by it after an error.
                return Err(error);
            }
            // It is still written down at its end, unless the process is killed.
            workspace.warning(&format!("the change could not be noted before it was made: {}", error.message()));
        }
        let (secrets, result, unfinished) = (RefCell::default(), Cell::new(DONE), Cell::new(false));
        Ok(Self { workspace, pending, secrets, result, unfinished, _held: held })
    }

    /// The change may be one of the configuration file too, which is no tenant's.
    pub fn and_configuration(mut self) -> Result<Self, Error> {
        let config = relative(self.workspace, &self.workspace.settings()?.paths.config_file())?;
        self.pending.before.extend(texts(self.workspace, [config])?);
        self.pending.write(self.workspace)?;
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
    pub fn stopped(&self, error: Error, go_on: &str) -> Error {
        let Ok(after) = texts(self.workspace, self.pending.before.keys().cloned()) else { return error };
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
    pub fn not_undone(&self, error: Error) -> Error {
        let Ok(after) = texts(self.workspace, self.pending.before.keys().cloned()) else { return error };
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
    fn end(&self) -> Result<(), Error> {
        let _hold = self.workspace.reporter.hold();
        let after = texts(self.workspace, self.pending.before.keys().cloned())?;
        let changes = self.changes(&after);
        if changes.is_empty() {
            // The same in other words changes nothing: an older change can still be undone.
            put_back(
                self.workspace,
                self.pending.before.iter().filter(|(path, text)| after.get(*path) != Some(*text)),
            )?;
            return self.pending.end(self.workspace);
        }
        let time = self.workspace.now().to_string();
        let entry = Entry { time, changes, result: self.result.get().into(), ..self.pending.entry.clone() };
        if self.unfinished.get() {
            return write_line(self.workspace, &entry);
        }
        let written = record(self.workspace, &self.pending, &after, entry);
        written.and(self.pending.end(self.workspace))
    }
}

/// Writes down what became of the files that a change had before it.
pub fn record(workspace: &Workspace, pending: &Pending, after: &Texts, entry: Entry) -> Result<(), Error> {
    let (files, others): (Vec<_>, Vec<_>) =
        pending.before.iter().partition(|(path, text)| after.get(*path) != Some(*text));
    let file = |path: &PathBuf, before: Option<String>| FileBefore {
        path: path.clone(),
        before,
        after_sha256: after.get(path).and_then(Option::as_deref).map(fingerprint),
    };
    let files: Vec<FileBefore> = files.into_iter().map(|(path, text)| file(path, text.clone())).collect();
    // The configuration is edited by hand too, and belongs to all tenants.
    let config = relative(workspace, &workspace.settings()?.paths.config_file())?;
    let others = others.into_iter().filter(|(path, _)| **path != config);
    let others = others.map(|(path, _)| file(path, None)).collect();
    write(workspace, &Undo { entry, files, others })
}

/// Gives files of ours the texts that they had.
pub fn put_back<'t>(
    workspace: &Workspace,
    texts: impl Iterator<Item = (&'t PathBuf, &'t Option<String>)>,
) -> Result<(), Error> {
    let root = workspace.settings()?.paths.root();
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
            self.workspace.warning(&format!("the change is made, but is not in the log: {}", error.message()));
        }
    }
}

/// The texts of files of ours; nothing for those that are not there.
pub fn texts(workspace: &Workspace, files: impl IntoIterator<Item = PathBuf>) -> Result<Texts, Error> {
    let root = workspace.settings()?.paths.root();
    let read = |path: PathBuf| Ok::<_, FileError>((path.clone(), files::read_text(&root.join(path))?));
    Ok(files.into_iter().map(read).collect::<Result<_, _>>()?)
}

/// The first changes in a line, and how many more there are.
pub fn several_in_words(changes: &[ChangedThing]) -> String {
    const FIRST: usize = 2;
    let mut words: Vec<String> = changes.iter().take(FIRST).map(in_words).collect();
    words.extend((changes.len() > FIRST).then(|| format!("and {} more", changes.len() - FIRST)));
    words.join("; ")
}

/// One change in a line: `Acme Support: callback_url`.
fn in_words(change: &ChangedThing) -> String {
    match change.what.as_str() {
        "changed" if change.fields.len() > 3 => {
            format!("{}: {} and {} more", change.of, change.fields[..2].join(", "), change.fields.len() - 2)
        }
        "changed" => format!("{}: {}", change.of, change.fields.join(", ")),
        what => format!("{} {what}", change.of),
    }
}
