//! `msgrctl account show`: one account, every field. Reads no secret.

use clap::Args;
use serde_json::json;

use super::view::{account_json, account_text};
use crate::cli::browser::open_at_meta;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;
use crate::operations::accounts::at_meta::PageAtMeta;

/// Show an account: every field, and where its secrets are
///
/// Reads no secret and does not use the network.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl account show acme-support\n  msgrctl account show \"Acme Support\" --json\n  msgrctl account show acme-support --open"
)]
pub struct ShowArgs {
    #[command(flatten)]
    account: AccountArg,
    /// Open the app's dashboard at Meta in the browser, or the Page's settings if the app
    /// is not known; without a browser the address is printed
    #[arg(long)]
    open: bool,
}

pub fn run(args: &ShowArgs, ctx: &Context) -> Result<u8, CliError> {
    let account = args.account.pick(ctx)?;
    let tenant = ctx.settings()?.tenant.value.as_str();
    let page = args.open.then(|| PageAtMeta::of(&account));
    if ctx.output.json {
        let account = account_json(&account, tenant);
        ctx.output.json(&match &page {
            Some(page) => json!({"schema_version": 1, "account": account, "address": page.address}),
            None => json!({"schema_version": 1, "account": account}),
        });
    } else {
        ctx.output.result(&account_text(&account, tenant, ctx.now(), ctx.output.terminal.out()));
    }
    if let Some(page) = page {
        open_at_meta(ctx, &page, ctx.output.json);
    }
    Ok(0)
}
