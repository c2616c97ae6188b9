//! `msgrctl webhook rotate`: another verify token, and no moment without one that works.
//!
//! The new one is kept beside the old one as the next verify token until Meta has it, so
//! that neither is lost wherever the command ends: run again, it goes on with the same.

use crate::operations::accounts::commands;
use crate::operations::secrets::place;
use clap::Args;

use super::found::{HandshakeFailed, handshake_failed, is_handshake, without_secrets};
use super::levels::{self, Target};
use super::probe::{self, outcome_of};
use super::verify::{TokenArgs, parsed};
use crate::accounts::Account;
use crate::address::shown;
use crate::checks::{GraphTrace, Outcome};
use crate::cli::account::inputs::SecretInputs;
use crate::cli::account::view;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;
use crate::dashboard;
use crate::graph::endpoints::subscription::same_callback;
use crate::graph::{Client, GraphError, Unreachable};
use crate::operations::change::{self, Change, Target as Place};
use crate::operations::journal::note_at_meta;
use crate::operations::key;
use crate::provision::subscription::{AppLevel, Step, carry_out};
use crate::secrets::{Secret, SecretKind, SecretRef, StoreName};
use crate::ui::interrupt;
use crate::ui::progress::Progress;
use crate::ui::style;
use crate::webhook::{Probe, Problem};

/// Replace an account's verify token, here and at Meta
///
/// Makes a new one, or takes the one that is given, and keeps it beside the old one
/// until Meta has it: `webhook show NAME --reveal` shows both, and `webhook listen`
/// accepts both. With the app secret and the callback URL known, the callback is asked
/// first, then Meta is given the new token and asks the callback again; so the contact
/// centre has to know it first. On a terminal the command waits until it does. If it
/// ends before Meta has the new one, run it again: it goes on with the same token.
/// Events go on arriving all the time, since they are signed with the app secret, not
/// with this token.
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
    /// Drop the new token of a rotation that was not finished
    #[arg(long, conflicts_with_all = ["stdin", "file", "from", "here_only"])]
    cancel: bool,
}

const CURRENT: SecretKind = SecretKind::VerifyToken;
const NEXT: SecretKind = SecretKind::NextVerifyToken;

pub fn run(args: &RotateArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    let account = args.account.pick(ctx)?;
    if args.cancel {
        return cancel(ctx, &account);
    }
    let begun = begun(ctx, &account)?;
    let (inputs, token) = new_token(args, ctx, &account, begun.as_ref())?;
    let at_meta = if args.here_only { None } else { at_meta(ctx, &account)? };
    if account.secrets.contains_key(&CURRENT) {
        let what = if at_meta.is_some() { ", here and at Meta" } else { "" };
        let question = match &begun {
            Some(_) => format!("Go on with the rotation of the verify token of '{}'{what}?", account.name),
            None => format!("Replace the verify token of '{}'{what}?", account.name),
        };
        ctx.confirm(&question, &format!("msgrctl webhook rotate {}", account.handle))?;
    }
    let store = account.secrets.get(&CURRENT).and_then(SecretRef::store).unwrap_or(ctx.settings()?.store.value);
    if !inputs.references.contains_key(&CURRENT) {
        if store == StoreName::Env {
            return Err(CliError::usage(format!(
                "the verify token of '{}' is in the variable {}, which msgrctl cannot change",
                account.name,
                key(&account, CURRENT).variable()
            ))
            .hint("set the variable to the new token where it comes from")
            .hint(format!("then give Meta the new one: msgrctl webhook subscribe {} --resend", account.handle)));
        }
        if let Some(place) = account.secrets.get(&CURRENT).filter(|place| place.store().is_none()) {
            ctx.output.warning(&format!(
                "the verify token of '{}' was read from {place}; the new one is kept in the {store} store instead (or give it there, and say so with --verify-token-from)",
                account.name
            ));
        }
        ctx.store(store).probe()?;
    }
    let mut is_at_meta = false;
    if let Some(target) = &at_meta
        && let Some(mut step) = step_at_meta(ctx, target)?
    {
        if begun.is_none() {
            let next = Change { kind: NEXT, ..inputs.change(CURRENT, &token, Place::WhereItIs(store)) };
            record(ctx, &account, vec![next])?;
        }
        if wait_for_callback(ctx, &account, &token)? {
            // Another tool may have changed the app's webhook while the operator was busy.
            step = step_at_meta(ctx, target)?.unwrap_or(step);
        }
        give_to_meta(ctx, target, &step, &token)?;
        is_at_meta = true;
    }
    let current = inputs.change(CURRENT, &token, Place::WhereItIs(store));
    let saved = promote(ctx, &account, current, &token).map_err(|error| {
        let now = ctx.accounts().and_then(|accounts| Ok(accounts.find(&account.id)?));
        let is_kept = now.is_ok_and(|now| now.secrets.contains_key(&NEXT));
        if !is_at_meta || !is_kept {
            return error;
        }
        error
            .context(format!("Meta has the new verify token of '{}', which is kept as the next one here", account.name))
            .hint(format!("to finish: msgrctl webhook rotate {}", account.handle))
    })?;
    if is_at_meta {
        note_at_meta(ctx, vec![levels::changed(&saved, &[levels::APP])]);
    }
    if view::print_saved(ctx, &saved, None)? {
        return Ok(0);
    }
    let handle = &saved.handle;
    ctx.output.result(&if is_at_meta {
        format!("the verify token of '{}' is a new one, here and at Meta", saved.name)
    } else {
        format!(
            "the verify token of '{}' is a new one here\n\nLeft to do, in this order; the old one works at Meta until then:\n  1. put it into the contact centre's form (msgrctl webhook show {handle} --reveal)\n  2. put it into the Meta app: {}\n  3. msgrctl webhook verify {handle}",
            saved.name,
            dashboard::WEBHOOKS
        )
    });
    Ok(0)
}

/// The token of a rotation that was begun and not finished. One that is recorded and not
/// there must not be replaced by another: Meta may have it.
fn begun(ctx: &Context, account: &Account) -> Result<Option<Secret>, CliError> {
    let found = ctx.secret(account, NEXT)?;
    if found.is_none() && account.secrets.contains_key(&NEXT) {
        let place = place(account, NEXT);
        return Err(CliError::credentials(format!(
            "a rotation of the verify token of '{}' is not finished, and its new token cannot be read: {place}",
            account.name
        ))
        .hint("put it back where it was, and run the command again")
        .hint(format!("or drop it: msgrctl webhook rotate {} --cancel", account.handle)));
    }
    Ok(found)
}

/// The token to rotate to: the one that was begun with, the one that is given, or a new
/// one. A rotation that was begun is finished or cancelled first, since Meta may have its
/// token already.
fn new_token(
    args: &RotateArgs,
    ctx: &Context,
    account: &Account,
    begun: Option<&Secret>,
) -> Result<(SecretInputs, Secret), CliError> {
    let given = SecretInputs::of_one(CURRENT, &args.token.given(), ctx)?;
    let handle = &account.handle;
    let inputs = match (begun, &given.verify_token) {
        (Some(begun), Some(given)) if given != begun => {
            return Err(CliError::usage(format!(
                "a rotation of '{}' to another verify token is not finished, and Meta may have that one already",
                account.name
            ))
            .hint(format!("to finish it: msgrctl webhook rotate {handle}"))
            .hint(format!("or drop its token first: msgrctl webhook rotate {handle} --cancel")));
        }
        (None, Some(_)) => given,
        (Some(begun), _) => {
            let mut inputs = SecretInputs { verify_token: Some(begun.clone()), ..given };
            let reference = account.secrets.get(&NEXT).filter(|place| place.store().is_none());
            inputs.references.extend(reference.map(|reference| (CURRENT, reference.clone())));
            inputs
        }
        (None, None) => SecretInputs::generated(),
    };
    let Some(token) = inputs.verify_token.clone() else { unreachable!("it was begun with, given or made") };
    Ok((inputs, token))
}

/// Makes the new token the account's verify token. The next one goes, unless it is of
/// another rotation that has begun meanwhile.
fn promote(ctx: &Context, account: &Account, current: Change, token: &Secret) -> Result<Account, CliError> {
    let now = ctx.accounts()?.find(&account.id)?;
    let is_of_another = ctx.secret(&now, NEXT)?.is_some_and(|next| next != *token);
    let next = (!is_of_another).then_some(Change { kind: NEXT, new: None });
    record(ctx, account, [current].into_iter().chain(next).collect())
}

/// Changes the account's verify tokens; the tenant is held while they are written and no
/// longer.
fn record(ctx: &Context, account: &Account, changes: Vec<Change>) -> Result<Account, CliError> {
    let (now, accounts) = (ctx.now(), ctx.accounts()?);
    let kinds: Vec<SecretKind> = changes.iter().map(|change| change.kind).collect();
    let begins = changes.iter().any(|change| change.kind == NEXT && change.new.is_some());
    change::save(ctx, &mut account.clone(), changes, |new| {
        if begins && accounts.find(&account.id)?.secrets.contains_key(&NEXT) && !account.secrets.contains_key(&NEXT) {
            return Err(CliError::failed(format!(
                "another command has begun to rotate the verify token of '{}' meanwhile",
                account.name
            ))
            .hint(format!("to go on with its token: msgrctl webhook rotate {}", account.handle)));
        }
        Ok::<_, CliError>(accounts.update(&account.id, |current| {
            for kind in kinds {
                match new.secrets.get(&kind) {
                    Some(place) => drop(current.secrets.insert(kind, place.clone())),
                    None => drop(current.secrets.remove(&kind)),
                }
            }
            current.updated_at = now;
        })?)
    })
}

/// Whether the callback has the new verify token and no longer the old one.
fn is_in_use(ctx: &Context, account: &Account) -> Result<bool, CliError> {
    let Some(callback) = &account.callback_url else { return Ok(false) };
    // A token that cannot be read can be dropped all the same.
    let (Ok(Some(next)), Ok(current)) = (ctx.secret(account, NEXT), ctx.secret(account, CURRENT)) else {
        return Ok(false);
    };
    let (url, prober) = (parsed(callback)?, ctx.prober()?);
    let accepts = |token: &Secret| -> Result<bool, CliError> {
        Ok(Context::wait(prober.ask(&url, token))?.is_ok_and(|found| outcome_of(&found) != Outcome::Fail))
    };
    Ok(accepts(&next)? && !current.as_ref().map(accepts).transpose()?.unwrap_or(false))
}

fn cancel(ctx: &Context, account: &Account) -> Result<u8, CliError> {
    if !account.secrets.contains_key(&NEXT) {
        return Err(CliError::usage(format!("no rotation of the verify token of '{}' was begun", account.name)));
    }
    if is_in_use(ctx, account)? {
        return Err(CliError::check(format!(
            "the callback of '{}' accepts the new verify token and not the old one, so the new one is in use",
            account.name
        ))
        .hint(format!("to finish the rotation: msgrctl webhook rotate {}", account.handle))
        .hint("to cancel it, put the old verify token into the contact centre's form first"));
    }
    let question =
        format!("Drop the new verify token of '{}'? If Meta has it already, the old one is wrong", account.name);
    ctx.confirm(&question, &format!("msgrctl webhook rotate {} --cancel", account.handle))?;
    let saved = record(ctx, account, vec![Change { kind: NEXT, new: None }])?;
    if !view::print_saved(ctx, &saved, None)? {
        ctx.output.result(&format!("the new verify token of '{}' is dropped; the old one stays", saved.name));
    }
    Ok(0)
}

/// The account as Meta is given its token; `None`, and why, where Meta cannot be.
fn at_meta(ctx: &Context, account: &Account) -> Result<Option<Target>, CliError> {
    let handle = &account.handle;
    let missing = if account.callback_url.is_none() {
        format!("it has no callback URL: msgrctl account edit {handle} --callback-url URL")
    } else if account.app_id.is_none() || !account.secrets.contains_key(&SecretKind::AppSecret) {
        format!("its app secret is not known: {}", commands::saved(account).add_app)
    } else {
        ctx.check_realm(account)?;
        let target = Target::of(ctx, account.clone())?;
        if target.app.is_some() {
            return Ok(Some(target));
        }
        format!("its app secret is not there: {}", place(account, SecretKind::AppSecret))
    };
    ctx.output.notice(&format!("'{}' is rotated only here; {missing}", account.name));
    Ok(None)
}

/// What gives Meta the new token; `None`: Meta has no webhook of the app, so it cannot be
/// given one.
fn step_at_meta(ctx: &Context, target: &Target) -> Result<Option<Step>, CliError> {
    let account = &target.account;
    let client = ctx.graph()?;
    let seen = {
        let _progress = Progress::start(&ctx.output, "asking Graph about the app's webhook …");
        Context::wait(levels::observe(&client, &[target]))?.pop()
    };
    let level = match seen.and_then(|seen| seen.app) {
        Some(level) => level?,
        None => return Ok(None),
    };
    let callback = super::verify::callback_of(account)?;
    let AppLevel::Present(present) = level else {
        ctx.output.notice(&format!(
            "Meta has no webhook of this app yet, so there is nothing to replace there; msgrctl webhook subscribe {} sets it",
            account.handle
        ));
        return Ok(None);
    };
    if present.callback_url.as_deref().is_none_or(|now| !same_callback(now, callback.as_str())) {
        let now = shown(present.callback_url.as_deref().unwrap_or("nowhere"));
        return Err(CliError::failed(format!("the app's events go to {now}, not to {}", callback.shown()))
            .hint(format!("set that first: msgrctl webhook subscribe {}", account.handle))
            .hint("or store it only here: --here-only"));
    }
    Ok(Some(Step::SetApp { callback_url: callback.as_str().to_owned(), fields: present.fields, replaces: None }))
}

/// Gives Meta the new token. Where no answer tells whether Meta took it, it is given once
/// more: Meta's own handshake with the callback then tells.
fn give_to_meta(ctx: &Context, target: &Target, step: &Step, token: &Secret) -> Result<(), CliError> {
    let account = &target.account;
    let callback = super::verify::callback_of(account)?;
    let client = ctx.graph()?;
    let progress = Progress::start(&ctx.output, "giving Meta the new verify token …");
    let mut given = give(&client, target, step, token)?;
    let is_unknown = given.as_ref().is_err_and(may_have_arrived);
    if is_unknown {
        given = give(&client, target, step, token)?;
    }
    drop(progress);
    let kept = format!("both verify tokens are kept; to try again: msgrctl webhook rotate {}", account.handle);
    match given {
        Ok(true) => Ok(()),
        other if is_unknown => {
            let why =
                other.err().map_or_else(|| "Meta rejected the second attempt".to_owned(), |error| error.to_string());
            Err(CliError::remote(format!(
                "it is not known whether Meta took the new verify token of '{}'",
                account.name
            ))
            .cause(why)
            .hint("both verify tokens are kept here, and events go on arriving")
            .hint(format!("to find out, and to finish: msgrctl webhook rotate {}", account.handle)))
        }
        Ok(false) => Err(CliError::failed("Meta says that it did not take the new verify token").hint(kept)),
        Err(GraphError::Refused(api)) if is_handshake(api.code) => {
            let prober = ctx.prober()?;
            let HandshakeFailed { cause, summary, fix, .. } =
                Context::wait(handshake_failed(&prober, callback.as_str(), token))?;
            let trace = without_secrets(GraphTrace::from(&*api), callback.as_str(), token);
            Err(CliError::check(summary).reason(cause).hint(fix).hint(kept).graph(trace))
        }
        Err(error) => Err(CliError::from(error).hint(kept)),
    }
}

fn give(client: &Client, target: &Target, step: &Step, token: &Secret) -> Result<Result<bool, GraphError>, CliError> {
    Context::wait(carry_out(client, step, target.page(), Some(token)))
}

/// Whether Meta may have done what it was asked to, although it did not say so.
fn may_have_arrived(error: &GraphError) -> bool {
    match error {
        GraphError::Unreachable(Unreachable::Fault { fault, .. }) => !fault.never_arrived(),
        GraphError::Unreachable(Unreachable::Throttled(_)) | GraphError::Refused(_) => false,
        GraphError::Unreachable(_) => true,
    }
}

/// Asks the callback with the new token until it accepts it, as long as the operator says
/// so. Nothing is held meanwhile, and the old token stays in force. Returns whether the
/// operator was asked.
fn wait_for_callback(ctx: &Context, account: &Account, token: &Secret) -> Result<bool, CliError> {
    let callback = super::verify::callback_of(account)?;
    let url = parsed(&callback)?;
    let prober = ctx.prober()?;
    let handle = &account.handle;
    let mut was_asked = false;
    loop {
        let found = {
            let _progress =
                Progress::start(&ctx.output, &format!("asking {} with the new verify token …", callback.shown()));
            Context::wait(prober.ask(&url, token))??
        };
        let Some(problem) = found.problem.as_ref().filter(|_| outcome_of(&found) == Outcome::Fail) else {
            return Ok(was_asked);
        };
        if ctx.someone_can_answer() && !ctx.says_yes() && asks_again(ctx, account, &found, problem)? {
            was_asked = true;
            continue;
        }
        let reveal = format!("msgrctl webhook show {handle} --reveal");
        return Err(CliError::check(format!(
            "the callback does not accept the new verify token: {}",
            if is_refused(problem) { "it does not know it yet".into() } else { problem.summary() }
        ))
        .reason(problem.cause())
        .hint(format!("the old one stays in force, and the new one is kept beside it; to see it: {reveal}"))
        .hint(format!("put it into the contact centre's form, then go on: msgrctl webhook rotate {handle}"))
        .hint(format!("or drop it: msgrctl webhook rotate {handle} --cancel")));
    }
}

/// Whether the receiver says that it is the wrong token.
fn is_refused(problem: &Problem) -> bool {
    matches!(problem, Problem::TokenRefused { .. })
}

/// Whether to ask the callback again, once the operator has done something about it.
fn asks_again(ctx: &Context, account: &Account, found: &Probe, problem: &Problem) -> Result<bool, CliError> {
    let callback = super::verify::callback_of(account)?;
    if is_refused(problem) {
        ctx.output.talk(&format!("{} does not know the new verify token yet", callback.shown()));
    } else {
        ctx.output.talk(&probe::text(callback.as_str(), found, ctx.output.terminal.err()));
    }
    let refused =
        matches!(problem, Problem::TokenRefused { .. } | Problem::OtherBody { .. } | Problem::OtherStatus { .. });
    if !refused {
        return ctx.asks("Fixed? Answering no keeps both tokens");
    }
    let says = "Put the new verify token into the contact centre's form now and save it there. To see it, in another terminal:";
    let says = style::wrap(says, ctx.output.terminal.err().width, 0);
    ctx.output.talk(&format!("\n{says}\n  msgrctl webhook show {} --reveal", account.handle));
    ctx.asks("Has the new token been saved there? Answering no keeps both")
}
