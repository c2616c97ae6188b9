//! The right to change a tenant, and the line that says what was done with it.

use std::cell::{Cell, RefCell};

use super::entry::{DONE, Entry, PARTIAL, several_in_words};
use super::pending::{Pending, follow, recover};
use crate::files::Lock;
use crate::operations::{Error, Workspace};
use crate::secrets::SecretKind;
use crate::state::Change;

/// The right to change a tenant's records and secrets, held until it is dropped; then
/// what was changed is written into the log.
pub struct Changing<'a> {
    workspace: &'a Workspace,
    pending: Pending,
    secrets: RefCell<Vec<(String, String)>>,
    result: Cell<&'static str>,
    /// An undo that was not done: it can go on.
    unfinished: Cell<bool>,
    _held: Lock,
}

impl<'a> Changing<'a> {
    /// Begins a change of `tenant`, whose lock is held.
    pub fn begin(workspace: &'a Workspace, tenant: &str, held: Lock) -> Result<Self, Error> {
        recover(workspace, Some(tenant), true)?;
        let before = workspace.records()?.snapshot(tenant, false)?;
        Self::of(workspace, Pending { entry: Entry::new(workspace, tenant, Vec::new()), before }, held)
    }

    /// Begins the undoing of a change, or goes on with one that was not finished.
    pub(super) fn begin_undo(
        workspace: &'a Workspace,
        undone: &Entry,
        held: Lock,
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

    fn of(workspace: &'a Workspace, pending: Pending, held: Lock) -> Result<Self, Error> {
        // A log that could not be written for what it is would be found out at the end.
        workspace.records()?.can_append()?;
        if let Err(error) = pending.write(workspace) {
            if pending.entry.undoes.is_some() {
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
        self.pending.before = self.workspace.records()?.snapshot(&self.pending.entry.tenant, true)?;
        self.pending.write(self.workspace)?;
        Ok(self)
    }

    /// Says that a secret of the account with this id has another value.
    pub fn secret(&self, account_id: &str, kind: SecretKind) {
        self.secrets.borrow_mut().push((account_id.into(), format!("secrets.{}", kind.key())));
    }

    /// Says that the command fails after a part of its change: the log has it so.
    pub fn partial(&self) {
        self.result.set(PARTIAL);
    }

    /// An error in the middle of the change: with what was done by then, and the command
    /// that goes on. Unchanged where nothing was done.
    pub fn stopped(&self, error: Error, go_on: &str) -> Error {
        match self.changes() {
            Ok(done) if !done.is_empty() => {
                self.partial();
                error
                    .note(format!("done before that: {}", several_in_words(&done)))
                    .hint(format!("to go on: {go_on}"))
                    .hint("to undo what was done: msgrctl undo --yes")
            }
            _ => error,
        }
    }

    /// The same for an undo, which goes on when it is run again.
    pub(super) fn not_undone(&self, error: Error) -> Error {
        match self.changes() {
            Ok(done) if !done.is_empty() => {
                self.partial();
                self.unfinished.set(true);
                error
                    .note(format!("undone in part: {}", several_in_words(&done)))
                    .hint("to go on when that is fixed: msgrctl undo --yes")
            }
            _ => error,
        }
    }

    /// What was changed since it began.
    fn changes(&self) -> Result<Vec<Change>, Error> {
        let before = &self.pending.before;
        let after = self.workspace.records()?.snapshot(&self.pending.entry.tenant, before.has_configuration())?;
        Ok(before.changes_to(&after, &self.secrets.borrow()))
    }

    /// Compares, and writes down what is different.
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
            // What is kept of it is of an undo that is not written down yet.
            let part = Entry { id: Entry::new(self.workspace, &entry.tenant, Vec::new()).id, ..entry };
            return Ok(self.workspace.records()?.append(&part.line())?);
        }
        let written = self.workspace.records()?.append(&entry.line());
        written.map_err(Error::from).and(self.pending.end(self.workspace))
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            self.workspace.warning(&format!("the change is made, but is not in the log: {}", error.message()));
        }
    }
}
