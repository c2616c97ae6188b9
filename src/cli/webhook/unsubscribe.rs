//! `msgrctl webhook unsubscribe`: stops the Page's events.

use clap::Args;

use super::results::show;
use crate::checks::Outcome;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;
use crate::operations::webhooks::unsubscribe::{carry_out, prepare};

/// Stop an account's events
///
/// Ends the Page's subscription of the app: customers' messages no longer reach the contact
/// centre. The app's webhook stays, because other Pages may use it; --app removes it too.
/// Asks first; without a terminal it needs --yes.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl webhook unsubscribe acme-support\n  msgrctl webhook unsubscribe acme-support --app --yes"
)]
pub struct UnsubscribeArgs {
    #[command(flatten)]
    account: AccountArg,
    /// Also remove the app's webhook for Pages: no Page of the app sends events any more
    #[arg(long)]
    app: bool,
}

pub fn run(args: &UnsubscribeArgs, ctx: &Context) -> Result<u8, CliError> {
    let account = args.account.pick(ctx)?;
    let command = format!("msgrctl webhook unsubscribe {}{}", account.handle, if args.app { " --app" } else { "" });
    let prepared = prepare(ctx, account, args.app)?;
    if let Some(question) = prepared.question(ctx)? {
        ctx.confirm(&question, &command)?;
    }
    let result = carry_out(ctx, &prepared)?;
    let failed = result.outcome() == Outcome::Fail;
    show(ctx, &[result]);
    if failed {
        return Err(CliError::failed("Meta accepted the change, but the subscription is still there")
            .hint(format!("wait a minute and try again: {command}")));
    }
    Ok(0)
}
