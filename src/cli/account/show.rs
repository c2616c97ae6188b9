//! `msgrctl account show`: one account, every field. Reads no secret.

use clap::Args;

use super::view::{account_text, print_json};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;

/// Show an account: every field, and where its secrets are
///
/// Reads no secret and asks nobody.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl account show acme-support\n  msgrctl account show \"Acme Support\" --json"
)]
pub struct ShowArgs {
    #[command(flatten)]
    account: AccountArg,
}

pub fn run(args: &ShowArgs, ctx: &Context) -> Result<u8, CliError> {
    let account = args.account.pick(ctx)?;
    if ctx.output.json {
        print_json(ctx, &account, None)?;
    } else {
        let tenant = ctx.settings()?.tenant.value.as_str();
        ctx.output.result(&account_text(&account, tenant, ctx.output.terminal.out()));
    }
    Ok(0)
}
