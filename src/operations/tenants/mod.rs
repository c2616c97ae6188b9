//! Lists, adds and changes tenants.

pub mod remove;

use super::{Error, Origin, Setting, Workspace, config};
use crate::accounts::{Tenant, TenantName};
use crate::document::nearest;

/// Refuses a missing tenant that a flag or a variable names. The command itself reports errors
/// of the configuration.
pub fn check_named(workspace: &Workspace) -> Result<(), Error> {
    match workspace.settings().map(|settings| &settings.tenant) {
        Ok(Setting { value, origin: Origin::Flag(_) | Origin::Variable(_) }) => check_known(workspace, value.as_str()),
        _ => Ok(()),
    }
}

/// Refuses a tenant that was not added: a mistyped name must not create one.
pub fn check_known(workspace: &Workspace, name: &str) -> Result<(), Error> {
    // It always exists.
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
        None => error.hint(format!("all tenants: msgrctl tenant list; {add}")),
    })
}

/// Adds a tenant with the settings from `facts`.
pub fn add(
    workspace: &Workspace,
    name: &TenantName,
    facts: impl Fn(&mut Tenant) -> Result<(), Error>,
) -> Result<Tenant, Error> {
    // Checked before its directory is created.
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

/// Changes the current settings of a tenant, and returns it.
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

/// Makes a tenant the current one, and returns it.
pub fn work_in(workspace: &Workspace, name: &TenantName) -> Result<Tenant, Error> {
    // A tenant that cannot be read would break every command.
    let tenant = workspace.tenant_file(name.as_str())?.load()?;
    let _change = workspace.hold_tenant_of(name.as_str())?.and_configuration()?;
    config::write(&workspace.settings()?.paths.config_file(), "tenant", Some(name.as_str().into()))?;
    Ok(tenant)
}
