//! `msgrctl tenant use`: sets the current tenant.

use clap::Args;

use super::{NamedTenant, view};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::operations::{Origin, tenants};

/// Make a tenant the current one
///
/// Writes it into config.toml and keeps the rest of that file, with its comments. --tenant
/// and MSGRCTL_TENANT still win.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl tenant use acme")]
pub struct UseArgs {
    #[command(flatten)]
    tenant: NamedTenant,
}

pub fn run(args: &UseArgs, ctx: &Context) -> Result<u8, CliError> {
    let name = args.tenant.find(ctx)?;
    let tenant = tenants::work_in(ctx, &name)?;
    if ctx.output.json {
        view::print(ctx, name.as_str(), &tenant)?;
    } else {
        ctx.output.result(&format!("commands now work in tenant '{name}'"));
    }
    if let Origin::Flag(wins) | Origin::Variable(wins) = &ctx.settings()?.tenant.origin {
        ctx.output.warning(&format!("{wins} is set and overrides it"));
    }
    Ok(0)
}
