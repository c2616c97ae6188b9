//! Which tenants there are.

use super::{Error, Origin, Setting, Workspace};
use crate::document::nearest;

/// Refuses a tenant that a flag or a variable names and that is not there. What is wrong
/// with the configuration itself is said by the command.
pub fn check_named(workspace: &Workspace) -> Result<(), Error> {
    match workspace.settings().map(|settings| &settings.tenant) {
        Ok(Setting { value, origin: Origin::Flag(_) | Origin::Variable(_) }) => check_known(workspace, value.as_str()),
        _ => Ok(()),
    }
}

/// Refuses a tenant that nobody has added: a typing mistake must not make one.
pub fn check_known(workspace: &Workspace, name: &str) -> Result<(), Error> {
    // The one that is always there.
    if name == "default" {
        return Ok(());
    }
    let known = workspace.tenant_names()?;
    if known.iter().any(|known| known == name) {
        return Ok(());
    }
    let error = Error::failed(format!("there is no tenant '{name}'"));
    let add = format!("to add it: msgrctl tenant add {name} --host HOST");
    Err(match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean '{near}'? (msgrctl tenant list shows all; {add})")),
        None => error.hint(add),
    })
}
