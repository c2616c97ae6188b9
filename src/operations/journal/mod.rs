//! Logs changes and undoes them: one line for each change, with the fields before and after.
//!
//! A change is what happens to a tenant's records while the right to change them is held. It
//! is found by comparing, so operations need not report it. The records are first kept in
//! `pending/TENANT.json`, from which the next command finds a change whose process was
//! killed. These files hold no secret, because records hold none.

mod changing;
mod entry;
mod history;
mod pending;
mod undo;

pub use changing::Changing;
pub use entry::{DONE, Entry, user};
pub use history::{History, Standing};
pub use pending::{Pending, recover};
pub use undo::{Undone, prepare_undo, standings};

use super::{Error, Workspace};
use crate::state::Change;

/// Logs a change of secrets that no record shows: they were moved.
pub fn note(workspace: &Workspace, changes: Vec<Change>) -> Result<(), Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let tenant = workspace.settings()?.tenant.value.to_string();
    Ok(workspace.records()?.append(&Entry::new(workspace, &tenant, changes).line())?)
}

/// Logs a change at Meta, which `undo` does not undo. The change is already made, so a log that
/// cannot be written is only a warning.
pub fn note_at_meta(workspace: &Workspace, changes: Vec<Change>) {
    if let Err(error) = note(workspace, changes) {
        workspace.warning(&format!("the change at Meta is not in the log: {}", error.message()));
    }
}
