//! `msgrctl webhook rotate`: replaces the verify token so that one always works.
//!
//! The new token is stored beside the old one until Meta has it. If the command ends early,
//! both remain, and the next run continues with the same new token.

use clap::Args;

use super::probe;
use super::verify::TokenArgs;
use crate::accounts::Account;
use crate::cli::account::view;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;
use crate::dashboard;
use crate::operations::webhooks::callback_of;
use crate::operations::webhooks::rotate::{self, Rotated, is_refused};
use crate::ui::style;
use crate::webhook::{Probe, Problem};

/// Replace an account's verify token, here and at Meta
///
/// Generates a new token, or takes a given one, and keeps it beside the old one until Meta
/// has it: `webhook show NAME --reveal` shows both, and `webhook listen` accepts both.
/// With app secret and callback URL it first asks the callback, then gives Meta the new
/// token, and Meta asks the callback again; so the contact centre must have it first. On a
/// terminal the command waits for that. If it ends before Meta has the new token, run it
/// again: it continues with the same one. Events keep arriving, because they are signed
/// with the app secret, not with this token.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl webhook rotate acme-support
  printf %s \"$VERIFY_TOKEN\" | msgrctl webhook rotate acme-support --verify-token-stdin --yes
  msgrctl webhook rotate acme-support --here-only --yes")]
pub struct RotateArgs {
    #[command(flatten)]
    account: AccountArg,
    #[command(flatten)]
    token: TokenArgs,
    /// Store it without giving it to Meta
    #[arg(long)]
    here_only: bool,
    /// Drop the new token of an unfinished rotation
    #[arg(long, conflicts_with_all = ["stdin", "file", "from", "here_only"])]
    cancel: bool,
}

pub fn run(args: &RotateArgs, ctx: &Context) -> Result<u8, CliError> {
    let account = args.account.pick(ctx)?;
    if args.cancel {
        return cancel(ctx, &account);
    }
    let prepared = rotate::prepare(ctx, account, args.token.read(ctx)?, args.here_only)?;
    if let Some(question) = prepared.question() {
        ctx.confirm(&question, &format!("msgrctl webhook rotate {}", prepared.account.handle))?;
    }
    let Rotated { account: saved, is_at_meta } = rotate::carry_out(ctx, &prepared, &|account, found, problem| {
        Ok(ctx.someone_can_answer && !ctx.global.yes && asks_again(ctx, account, found, problem)?)
    })?;
    if view::print_saved(ctx, &saved, None)? {
        return Ok(0);
    }
    let handle = &saved.handle;
    let says = if is_at_meta {
        format!("the verify token of '{}' was replaced, here and at Meta", saved.name)
    } else {
        format!(
            "the verify token of '{}' was replaced here\n\nNext steps, in this order; until then what Meta has stays as it is:\n  1. put it into the contact centre's form (msgrctl webhook show {handle} --reveal)\n  2. put it into the Meta app: {}\n  3. msgrctl webhook verify {handle}",
            saved.name,
            dashboard::WEBHOOKS
        )
    };
    ctx.output.result(&ctx.output.calls().complete(&says));
    Ok(0)
}

fn cancel(ctx: &Context, account: &Account) -> Result<u8, CliError> {
    let Account { name, handle, .. } = account;
    rotate::check_cancel(ctx, account)?;
    let question =
        format!("Drop the new verify token of '{name}'? If Meta already has it, the old one no longer works");
    ctx.confirm(&question, &format!("msgrctl webhook rotate {handle} --cancel"))?;
    let saved = rotate::cancel(ctx, account)?;
    if !view::print_saved(ctx, &saved, None)? {
        ctx.output.result(&format!("the new verify token of '{name}' is dropped; the old one stays"));
    }
    Ok(0)
}

/// Asks whether to call the callback again, after the operator has fixed it.
fn asks_again(ctx: &Context, account: &Account, found: &Probe, problem: &Problem) -> Result<bool, CliError> {
    let callback = callback_of(account)?;
    if is_refused(problem) {
        ctx.output.talk(&format!("{} does not know the new verify token yet", callback.shown()));
    } else {
        ctx.output.talk(&probe::text(callback.as_str(), found, None, ctx.output.terminal.err()));
    }
    let refused =
        matches!(problem, Problem::TokenRefused { .. } | Problem::OtherBody { .. } | Problem::OtherStatus { .. });
    if !refused {
        return Ok(ctx.prompter.confirm("Fixed? Answering no keeps both tokens")?);
    }
    let says = "Put the new verify token into the contact centre's form now and save it there. To see it, in another terminal:";
    let says = style::wrap(says, ctx.output.terminal.err().width, 0);
    let command = format!("msgrctl webhook show {} --reveal", account.handle);
    ctx.output.talk(&format!("\n{says}\n  {}", ctx.output.calls().complete(&command)));
    Ok(ctx.prompter.confirm("Has the new token been saved there? Answering no keeps both")?)
}
