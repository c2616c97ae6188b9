//! `msgrctl tenant use`: the tenant that commands work in when none is named.

use std::path::Path;

use clap::Args;
use toml_edit::{DocumentMut, value};

use super::{NamedTenant, view};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::files::{self, Lock};
use crate::operations::Origin;
use crate::ui::interrupt;

/// Work in a tenant from now on
///
/// Writes it into config.toml and leaves the rest of that file, comments too, as it
/// is. --tenant and MSGRCTL_TENANT still win.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl tenant use acme")]
pub struct UseArgs {
    #[command(flatten)]
    tenant: NamedTenant,
}

pub fn run(args: &UseArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    let name = args.tenant.find(ctx)?;
    let settings = ctx.settings()?;
    // One that cannot be read would stand in every command's way.
    let tenant = ctx.tenant_file(name.as_str())?.load()?;
    let change = ctx.hold_tenant_of(name.as_str())?.and_configuration()?;
    write(&settings.paths.config_file(), Some(name.as_str()))?;
    drop(change);
    if ctx.output.json {
        view::print(ctx, name.as_str(), &tenant)?;
    } else {
        ctx.output.result(&format!("commands now work in tenant '{name}'"));
    }
    if let Origin::Flag(wins) | Origin::Variable(wins) = &settings.tenant.origin {
        ctx.output.warning(&format!("{wins} is set, and wins where it is"));
    }
    Ok(0)
}

/// Writes the tenant into config.toml, or takes it out.
pub(super) fn write(path: &Path, tenant: Option<&str>) -> Result<(), CliError> {
    let lock = Lock::acquire(path, Lock::PATIENCE, &|_| {})?;
    let text = files::read_text(path)?.unwrap_or_default();
    // The settings were read from it, so its syntax is right.
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| CliError::file(error.message().to_owned()))?;
    match tenant {
        Some(tenant) => {
            let comment = document.get("tenant").and_then(|item| item.as_value()).map(|value| value.decor().clone());
            document["tenant"] = value(tenant);
            // A new value would come without the comment behind the old one.
            if let (Some(decor), Some(value)) = (comment, document["tenant"].as_value_mut()) {
                *value.decor_mut() = decor;
            }
        }
        None => drop(document.remove("tenant")),
    }
    lock.replace(document.to_string().as_bytes())?;
    Ok(())
}
