//! `msgrctl account show`: one account, every field. Reads no secret.

use clap::Args;
use serde_json::json;

use super::view::{account_json, account_text};
use crate::cli::browser::open_at_meta;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;
use crate::operations::accounts::at_meta::PageAtMeta;
use crate::operations::status::known;

/// Show an account: every field, and where its secrets are
///
/// What the last test found the token to be is shown too: when it ends, and how it is renewed.
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
    let page = args.open.then(|| PageAtMeta::of(&account));
    let known = known(ctx, std::slice::from_ref(&account.id))?.swap_remove(0);
    if ctx.output.json {
        let mut view = json!({"schema_version": 1, "account": account_json(&known.account, &known.tenant)});
        if let Some(view) = view.as_object_mut() {
            let health = known.health.as_ref();
            let life = health.and_then(|health| health.token_life.as_ref()).map(|life| json!(life));
            let ends = health.and_then(|health| health.expires_at).map(|at| json!(at));
            let address = page.as_ref().map(|page| json!(page.address));
            let more = [("token_life", life), ("expires_at", ends), ("address", address)];
            view.extend(more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        }
        ctx.output.json(&view);
    } else {
        ctx.output.result(&account_text(&known, ctx.now(), ctx.output.terminal.out()));
    }
    if let Some(page) = page {
        open_at_meta(ctx, &page, ctx.output.json);
    }
    Ok(0)
}
