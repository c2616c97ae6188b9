//! `msgrctl tenant show`: one tenant, every field.

use clap::Args;

use super::{TenantArg, view};
use crate::cli::context::Context;
use crate::cli::error::CliError;

/// Show a tenant
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl tenant show\n  msgrctl tenant show acme --json")]
pub struct ShowArgs {
    #[command(flatten)]
    tenant: TenantArg,
}

pub fn run(args: &ShowArgs, ctx: &Context) -> Result<u8, CliError> {
    let name = args.tenant.pick(ctx)?;
    view::print(ctx, name.as_str(), &ctx.tenant_file(name.as_str())?.load()?)?;
    Ok(0)
}
