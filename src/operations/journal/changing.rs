//! The right to change a tenant, and the log line about the change.

use std::cell::{Cell, RefCell};

use super::entry::{DONE, Entry, PARTIAL, several_in_words};
use super::pending::{Pending, follow, recover};
use crate::operations::{Error, Workspace};
use crate::secrets::SecretKind;
use crate::state::Change;
use crate::storage::Held;

/// The right to change a tenant's records and secrets. Dropping it writes the change to the
/// log.
pub struct Changing<'a> {
    workspace: &'a Workspace,
    pending: Pending,
    secrets: RefCell<Vec<(String, String)>>,
    result: Cell<&'static str>,
    /// An undo that was not done and can continue.
    unfinished: Cell<bool>,
    _held: Box<dyn Held>,
}

impl<'a> Changing<'a> {
    /// Begins a change of `tenant`, whose lock is held.
    pub fn begin(workspace: &'a Workspace, tenant: &str, held: Box<dyn Held>) -> Result<Self, Error> {
        recover(workspace, Some(tenant), true)?;
        let before = workspace.records()?.snapshot(tenant, false)?;
        Self::of(workspace, Pending { entry: Entry::new(workspace, tenant, Vec::new()), before }, held)
    }

    /// Begins an undo, or continues an unfinished one.
    pub(super) fn begin_undo(
        workspace: &'a Workspace,
        undone: &Entry,
        held: Box<dyn Held>,
        unfinished: Option<Pending>,
    ) -> Result<Self, Error> {
        let entry = Entry::new(workspace, &undone.tenant, Vec::new());
        let entry = Entry { undoes: Some(undone.id.clone()), ..entry };
        let before = match unfinished {
            Some(pending) => pending.before,
            None => workspace.records()?.snapshot(&undone.tenant, true)?,
        };
        Self::of(workspace, Pending { entry, before }, held)
    }

    fn of(workspace: &'a Workspace, pending: Pending, held: Box<dyn Held>) -> Result<Self, Error> {
        // Fail now if the log cannot be written, not at the end.
        workspace.records()?.can_append()?;
        if let Err(error) = pending.write(workspace) {
            if pending.entry.undoes.is_some() {
                // After an error an undo continues from this note.
                return Err(error);
            }
            // The end still logs it, unless the process is killed.
            workspace.warning(&format!("the change could not be noted before it was made: {}", error.message()));
        }
        let (secrets, result, unfinished) = (RefCell::default(), Cell::new(DONE), Cell::new(false));
        Ok(Self { workspace, pending, secrets, result, unfinished, _held: held })
    }

    /// The change may include the configuration file, which belongs to no tenant.
    pub fn and_configuration(mut self) -> Result<Self, Error> {
        self.pending.before = self.workspace.records()?.snapshot(&self.pending.entry.tenant, true)?;
        self.pending.write(self.workspace)?;
        Ok(self)
    }

    /// Logs that a secret of the account with this id has a new value.
    pub fn secret(&self, account_id: &str, kind: SecretKind) {
        self.secrets.borrow_mut().push((account_id.into(), format!("secrets.{}", kind.key())));
    }

    /// Logs that the command failed after a part of its change.
    pub fn partial(&self) {
        self.result.set(PARTIAL);
    }

    /// An error in the middle of a change, with what was done and the command that continues;
    /// unchanged if nothing was done.
    pub fn stopped(&self, error: Error, go_on: &str) -> Error {
        match self.changes() {
            Ok(done) if !done.is_empty() => {
                self.partial();
                error
                    .note(format!("done before that: {}", several_in_words(&done)))
                    .hint(format!("to continue: {go_on}"))
                    .hint("to undo what was done: msgrctl undo --yes")
            }
            _ => error,
        }
    }

    /// The same for an undo, which continues when it is run again.
    pub(super) fn not_undone(&self, error: Error) -> Error {
        match self.changes() {
            Ok(done) if !done.is_empty() => {
                self.partial();
                self.unfinished.set(true);
                error
                    .note(format!("undone in part: {}", several_in_words(&done)))
                    .hint("to continue when that is fixed: msgrctl undo --yes")
            }
            _ => error,
        }
    }

    /// The changes since the beginning.
    fn changes(&self) -> Result<Vec<Change>, Error> {
        let before = &self.pending.before;
        let after = self.workspace.records()?.snapshot(&self.pending.entry.tenant, before.has_configuration())?;
        Ok(before.changes_to(&after, &self.secrets.borrow()))
    }

    /// Compares the records and logs the difference.
    fn end(&self) -> Result<(), Error> {
        let _hold = self.workspace.reporter.hold();
        let changes = self.changes()?;
        if changes.is_empty() {
            return self.pending.end(self.workspace);
        }
        follow(self.workspace, &self.pending.entry.tenant, &changes);
        let time = self.workspace.now().to_string();
        let entry = Entry { time, changes, result: self.result.get().into(), ..self.pending.entry.clone() };
        if self.unfinished.get() {
            // The pending note belongs to an undo that is not logged yet.
            let part = Entry { id: Entry::new(self.workspace, &entry.tenant, Vec::new()).id, ..entry };
            return Ok(self.workspace.records()?.append(&part.line())?);
        }
        // Without the line the note stays: the next command writes it.
        self.workspace.records()?.append(&entry.line())?;
        self.pending.end(self.workspace)
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            self.workspace.warning(&format!(
                "what was changed is not in the log yet: {}; the next change writes it there",
                error.message()
            ));
        }
    }
}
