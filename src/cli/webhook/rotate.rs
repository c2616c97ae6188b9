//! `msgrctl webhook rotate`: another verify token, and no moment without one that works.

use crate::address::shown;
use clap::Args;

use super::found::{HandshakeFailed, handshake_failed, is_handshake, without_secrets};
use super::levels::{self, Target};
use super::probe::{self, outcome_of};
use super::verify::{TokenArgs, parsed};
use crate::accounts::Account;
use crate::checks::{GraphTrace, Outcome};
use crate::cli::account::inputs::SecretInputs;
use crate::cli::account::save::{self, Target as Place};
use crate::cli::account::view;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::history::note_at_meta;
use crate::cli::pick::AccountArg;
use crate::dashboard;
use crate::graph::endpoints::subscription::same_callback;
use crate::graph::{GraphError, Unreachable};
use crate::provision::subscription::{AppLevel, Step, carry_out};
use crate::secrets::{Secret, SecretKind, SecretRef};
use crate::ui::interrupt::{self, Hold};
use crate::ui::progress::Progress;
use crate::webhook::Problem;

/// Replace an account's verify token, here and at Meta
///
/// Makes a new one, or takes the one that is given, and stores it. With the app
/// secret and the callback URL known, Meta is given it as well: Meta then asks the
/// callback for the handshake, so the contact centre has to know the new token
/// first. On a terminal the command waits until it does. When Meta does not take it,
/// the old one is put back; events go on arriving all the time, since they are
/// signed with the app secret, not with this token.
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
}

pub fn run(args: &RotateArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    let account = args.account.pick(ctx)?;
    let given = SecretInputs::of_one(SecretKind::VerifyToken, &args.token.given(), ctx)?;
    let inputs = if given.verify_token.is_some() { given } else { SecretInputs::generated() };
    let Some(token) = inputs.verify_token.clone() else { unreachable!("it was given or made") };
    let at_meta = if args.here_only { None } else { at_meta(ctx, &account)? };
    let kind = SecretKind::VerifyToken;
    let what = if at_meta.is_some() { ", here and at Meta" } else { "" };
    if account.secrets.contains_key(&kind) {
        let question = format!("Replace the verify token of '{}'{what}?", account.name);
        ctx.confirm(&question, &format!("msgrctl webhook rotate {}", account.handle))?;
    }
    let store = account.secrets.get(&kind).and_then(SecretRef::store).unwrap_or(ctx.settings()?.store.value);
    if !inputs.references.contains_key(&kind) {
        ctx.store(store).probe()?;
    }
    let change = inputs.change(kind, &token, Place::WhereItIs(store));
    let (now, accounts) = (ctx.now(), ctx.accounts()?);
    let mut new = account.clone();
    let mut given = false;
    let saved = save::save(ctx, &mut new, vec![change], |new| {
        if let Some(target) = &at_meta {
            given = give_to_meta(ctx, target, &token)?;
        }
        let source = new.secrets.get(&kind).cloned();
        let saved = accounts.update(&account.id, |current| {
            current.secrets.extend(source.map(|source| (kind, source)));
            current.updated_at = now;
        });
        saved.map_err(CliError::from)
    })?;
    if view::print_saved(ctx, &saved, None)? {
        return Ok(0);
    }
    let handle = &saved.handle;
    if given {
        note_at_meta(ctx, vec![levels::changed(&saved, &[levels::APP])]);
    }
    let lines = if given {
        format!("the verify token of '{}' is a new one, here and at Meta", saved.name)
    } else {
        format!(
            "the verify token of '{}' is a new one here\n\nLeft to do, in this order; the old one works at Meta until then:\n  1. put it into the contact centre's form (msgrctl webhook show {handle} --reveal)\n  2. put it into the Meta app: {}\n  3. msgrctl webhook verify {handle}",
            saved.name,
            dashboard::WEBHOOKS
        )
    };
    ctx.output.result(&lines);
    Ok(0)
}

/// The account as Meta is given its token; `None`, and why, where Meta cannot be.
fn at_meta(ctx: &Context, account: &Account) -> Result<Option<Target>, CliError> {
    let handle = &account.handle;
    let missing = if account.callback_url.is_none() {
        format!("it has no callback URL: msgrctl account edit {handle} --callback-url URL")
    } else if account.app_id.is_none() || !account.secrets.contains_key(&SecretKind::AppSecret) {
        format!("its app secret is not known: {}", crate::cli::account::connection::saved_commands(account).add_app)
    } else {
        ctx.check_realm(account)?;
        let target = Target::of(ctx, account.clone())?;
        if target.app.is_some() {
            return Ok(Some(target));
        }
        format!(
            "its app secret is not there: {}",
            crate::cli::account::connection::place(account, SecretKind::AppSecret)
        )
    };
    ctx.output.notice(&format!("'{}' is rotated here alone; {missing}", account.name));
    Ok(None)
}

/// Gives Meta the new token, once the callback takes it; `false`: Meta has no webhook of
/// the app, so there is nothing to give it to.
fn give_to_meta(ctx: &Context, target: &Target, token: &Secret) -> Result<bool, CliError> {
    let account = &target.account;
    let client = ctx.graph()?;
    let seen = {
        let _progress = Progress::start(&ctx.output, "asking Graph about the app's webhook …");
        Context::wait(levels::observe(&client, &[target]))?.pop()
    };
    let level = match seen.and_then(|seen| seen.app) {
        Some(level) => level?,
        None => return Ok(false),
    };
    let callback = super::verify::callback_of(account)?;
    let AppLevel::Present(present) = level else {
        ctx.output.notice(&format!(
            "Meta has no webhook of this app yet, so there is nothing to replace there; msgrctl webhook subscribe {} sets it",
            account.handle
        ));
        return Ok(false);
    };
    if present.callback_url.as_deref().is_none_or(|now| !same_callback(now, callback.as_str())) {
        let now = shown(present.callback_url.as_deref().unwrap_or("nowhere"));
        return Err(CliError::failed(format!("the app's events go to {now}, not to {}", callback.shown()))
            .hint(format!("set that first: msgrctl webhook subscribe {}", account.handle))
            .hint("or store the token alone: --here-only"));
    }
    wait_for_callback(ctx, account, token)?;
    if Hold::is_asked() {
        return Err(CliError::interrupted());
    }
    let step = Step::SetApp { callback_url: callback.as_str().to_owned(), fields: present.fields, replaces: None };
    let _progress = Progress::start(&ctx.output, "giving Meta the new verify token …");
    match Context::wait(carry_out(&client, &step, target.page(), Some(token)))? {
        Err(GraphError::Refused(api)) if is_handshake(api.code) => {
            let prober = ctx.prober()?;
            let HandshakeFailed { cause, summary, fix, .. } =
                Context::wait(handshake_failed(&prober, callback.as_str(), token))?;
            Err(CliError::check(summary).reason(cause).hint(fix).graph(without_secrets(
                GraphTrace::from(&*api),
                callback.as_str(),
                token,
            )))
        }
        Ok(true) => Ok(true),
        Ok(false) => Err(CliError::failed("Meta says that it did not take the new verify token")
            .hint(format!("try again: msgrctl webhook rotate {}", account.handle))),
        // It may have arrived: then Meta has the new one, and the old one would be wrong.
        Err(GraphError::Unreachable(Unreachable::Fault { fault, .. })) if !fault.never_arrived() => {
            ctx.output.warning(&format!(
                "Meta did not answer in time ({fault}), and may have taken the new verify token; it is kept here. To be sure: msgrctl webhook subscribe {} and msgrctl webhook verify {}",
                account.handle, account.handle
            ));
            Ok(true)
        }
        Err(error) => Err(error.into()),
    }
}

/// Asks the callback with the new token until it takes it, as long as somebody says so.
fn wait_for_callback(ctx: &Context, account: &Account, token: &Secret) -> Result<(), CliError> {
    let callback = super::verify::callback_of(account)?;
    let url = parsed(&callback)?;
    let prober = ctx.prober()?;
    loop {
        if Hold::is_asked() {
            return Err(CliError::interrupted());
        }
        let found = {
            let _progress =
                Progress::start(&ctx.output, &format!("asking {} with the new verify token …", callback.shown()));
            Context::wait(prober.ask(&url, token))??
        };
        let Some(problem) = found.problem.as_ref().filter(|_| outcome_of(&found) == Outcome::Fail) else {
            return Ok(());
        };
        if ctx.someone_can_answer() && !ctx.says_yes() {
            ctx.output.talk(&probe::text(callback.as_str(), &found, ctx.output.terminal.err()));
            let refused = matches!(
                problem,
                Problem::TokenRefused { .. } | Problem::OtherBody { .. } | Problem::OtherStatus { .. }
            );
            let go_on = if refused { "Is it there?" } else { "Is that mended?" };
            if refused {
                ctx.output.talk(&format!(
                "\nPut the new verify token into the contact centre's form now and save it there. To see it, in another terminal:\n  msgrctl webhook show {} --reveal",
                account.handle
            ));
            }
            if ctx.asks(&format!("{go_on} (no puts the old one back)"))? {
                continue;
            }
        }
        return Err(CliError::check(format!("the callback does not take the new verify token: {}", problem.summary()))
            .hint(format!(
                "give the receiver the new token first, then hand the same to this command: msgrctl webhook rotate {} --verify-token-stdin --yes",
                account.handle
            ))
            .hint("or store it here alone, and go on by hand: --here-only"));
    }
}
