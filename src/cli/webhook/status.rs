//! `msgrctl webhook status`: whether Meta would send an event, and where to.

use clap::Args;

use super::results::show_as;
use crate::checks::Outcome;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::format::{FormatArg, nagios};
use crate::cli::pick::{AccountsArg, Chosen};
use crate::operations::webhooks::status::status;
use crate::operations::webhooks::{AccountResult, Target};

/// Show whether and where Meta sends events, on both levels
///
/// An event is sent if both the app's webhook and the Page's subscription have its field.
/// The app's level needs app id and app secret; without them only the Page's level is
/// shown. Reads only.
///
/// Exit codes: 0 no problem seen, 7 messages do not reach the callback URL, or not all of
/// them, 5 Graph could not be reached.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl webhook status acme-support\n  msgrctl webhook status --all --json")]
pub struct StatusArgs {
    #[command(flatten)]
    accounts: AccountsArg,
    #[command(flatten)]
    pub(super) format: FormatArg,
}

pub fn run(args: &StatusArgs, ctx: &Context) -> Result<u8, CliError> {
    let Chosen { accounts, left_out } = args.accounts.choose(ctx)?;
    if accounts.is_empty() {
        ctx.output.notice("no accounts to ask about");
        return Ok(show_as(ctx, args.format.chosen(ctx), &[]).unwrap_or(0));
    }
    let (targets, failed) = Target::all(ctx, accounts)?;
    let results = status(ctx, &targets)?;
    let code = show_as(ctx, args.format.chosen(ctx), &results);
    let left = failed + left_out;
    if let Some(code) = code {
        return Ok(nagios::with_untested(code, left));
    }
    if left > 0 {
        return Err(CliError::partial(format!("{left} of the accounts could not be checked, for the reasons above")));
    }
    Ok(match results.iter().map(AccountResult::outcome).fold(Outcome::Pass, Ord::max) {
        Outcome::Fail | Outcome::Warn => 7,
        Outcome::Unreachable => 5,
        Outcome::Pass | Outcome::Skip => 0,
    })
}
