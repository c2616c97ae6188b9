//! `msgrctl tenant use`: the tenant that commands work in when none is named.

use clap::Args;
use toml_edit::{DocumentMut, value};

use super::TenantArg;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::settings::Origin;
use crate::files::{self, Lock};
use crate::ui::interrupt;

/// Work in a tenant from now on
///
/// Writes it into config.toml and leaves the rest of that file, comments too, as it
/// is. --tenant and MSGRCTL_TENANT still win.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl tenant use acme")]
pub struct UseArgs {
    #[command(flatten)]
    tenant: TenantArg,
}

pub fn run(args: &UseArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    if args.tenant.name.is_none() {
        return Err(CliError::usage("missing: TENANT, the tenant to work in").hint("msgrctl tenant list shows all"));
    }
    let name = args.tenant.pick(ctx)?;
    let settings = ctx.settings()?;
    let _change = ctx.hold_tenant_of(name.as_str())?;
    let path = settings.paths.config_file();
    let lock = Lock::acquire(&path, Lock::PATIENCE, &|_| {})?;
    let text = files::read_text(&path)?.unwrap_or_default();
    // The settings were read from it, so its syntax is right.
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| CliError::file(error.message().to_owned()))?;
    let comment = document.get("tenant").and_then(|item| item.as_value()).map(|value| value.decor().clone());
    document["tenant"] = value(name.as_str());
    // A new value would come without the comment behind the old one.
    if let (Some(decor), Some(value)) = (comment, document["tenant"].as_value_mut()) {
        *value.decor_mut() = decor;
    }
    lock.replace(document.to_string().as_bytes())?;
    ctx.output.result(&format!("commands now work in tenant '{name}'"));
    if let Origin::Flag(wins) | Origin::Variable(wins) = &settings.tenant.origin {
        ctx.output.warning(&format!("{wins} is set, and wins where it is"));
    }
    Ok(0)
}
