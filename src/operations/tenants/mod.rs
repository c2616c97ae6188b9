//! Tenants: which there are, and what is kept of each.

pub mod remove;

use super::{Error, Origin, Setting, Workspace, config};
use crate::accounts::{Tenant, TenantName};
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

/// Adds a tenant with what `facts` puts into it.
pub fn add(
    workspace: &Workspace,
    name: &TenantName,
    facts: impl Fn(&mut Tenant) -> Result<(), Error>,
) -> Result<Tenant, Error> {
    // Checked before a directory is made for it.
    facts(&mut Tenant::default())?;
    let file = workspace.tenant_file(name.as_str())?;
    let _change = workspace.hold_tenant_of(name.as_str())?;
    let mut tenant = file.load()?;
    if tenant.host.is_some() {
        return Err(Error::failed(format!("there is a tenant '{name}' already"))
            .hint(format!("to change it: msgrctl tenant edit {name} --help")));
    }
    facts(&mut tenant)?;
    file.change(|known| *known = tenant.clone())?;
    Ok(tenant)
}

/// Changes a tenant as it is now, and returns it.
pub fn edit(
    workspace: &Workspace,
    name: &TenantName,
    change: impl FnOnce(&mut Tenant) -> Result<(), Error>,
) -> Result<Tenant, Error> {
    let file = workspace.tenant_file(name.as_str())?;
    let _change = workspace.hold_tenant_of(name.as_str())?;
    let old = file.load()?;
    let mut tenant = old.clone();
    change(&mut tenant)?;
    if tenant == old {
        workspace.notice("nothing to change");
    } else {
        file.change(|known| *known = tenant.clone())?;
    }
    Ok(tenant)
}

/// Makes a tenant the one that is worked in when none is named, and returns it.
pub fn work_in(workspace: &Workspace, name: &TenantName) -> Result<Tenant, Error> {
    // One that cannot be read would stand in every command's way.
    let tenant = workspace.tenant_file(name.as_str())?.load()?;
    let _change = workspace.hold_tenant_of(name.as_str())?.and_configuration()?;
    config::write(&workspace.settings()?.paths.config_file(), "tenant", Some(name.as_str().into()))?;
    Ok(tenant)
}
