//! What was changed, and how a change is undone: a line in the log for each change, with the
//! fields before and after it.
//!
//! A change is what happens to the records of a tenant between getting the right to
//! change them and giving it back; what changed is found by comparing, so no operation
//! has to say it. Before it begins the records are kept in `pending/TENANT.json`: the next
//! command finds a change whose process was killed by it. None of these files holds a
//! secret, since the records they tell of do not.

mod changing;
mod entry;
mod history;
mod pending;
mod undo;

pub use changing::Changing;
pub use entry::{DONE, Entry};
pub use history::{History, Standing};
pub use pending::{Pending, recover};
pub use undo::{Undone, prepare_undo, standings};

use super::{Error, Workspace};
use crate::state::Change;

/// Writes down a change of secrets that no record shows: they were moved.
pub fn note(workspace: &Workspace, changes: Vec<Change>) -> Result<(), Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let tenant = workspace.settings()?.tenant.value.to_string();
    Ok(workspace.records()?.append(&Entry::new(workspace, &tenant, changes).line())?)
}

/// Writes down a change at Meta, which `undo` does not undo. What is done is done: a log that
/// cannot be written is a warning, and holds back nothing that is still to be said.
pub fn note_at_meta(workspace: &Workspace, changes: Vec<Change>) {
    if let Err(error) = note(workspace, changes) {
        workspace.warning(&format!("the change at Meta is not in the log: {}", error.message()));
    }
}
