//! `msgrctl account show`: one account, every field. Reads no secret.

use clap::Args;

use super::view::{AccountEnvelope, account_text};
use crate::cli::context::Context;
use crate::cli::error::CliError;

/// Show an account: every field, and where its secrets are
///
/// Reads no secret and asks nobody.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl account show acme-support\n  msgrctl account show \"Acme Support\" --json"
)]
pub struct ShowArgs {
    /// The account's name, handle or id
    #[arg(value_name = "NAME")]
    account: String,
}

pub fn run(args: &ShowArgs, ctx: &Context) -> Result<u8, CliError> {
    let account = ctx.accounts()?.find(&args.account)?;
    let tenant = ctx.settings()?.tenant.value.as_str();
    if ctx.output.json {
        ctx.output.json(&AccountEnvelope::new(&account, tenant, None));
    } else {
        ctx.output.result(&account_text(&account, tenant, &ctx.output));
    }
    Ok(0)
}
