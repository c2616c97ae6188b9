//! What is kept here: Chat Settings, secrets and records. A group of accounts is written
//! at once, so that a thousand of them do not rewrite a file a thousand times.

use std::collections::HashMap;

use super::{Failure, Outcome, Run};
use crate::accounts::Account;
use crate::cli::account::remove::{probe, remove_held};
use crate::cli::account::rename::relabel;
use crate::cli::account::save::{Change, New, Stored, Target};
use crate::cli::error::CliError;
use crate::cli::history::Changing;
use crate::cli::plan::{Prepared, settings_of};
use crate::provision::kept::ReadySecret;
use crate::provision::plan::{AccountPlan, Action};
use crate::secrets::{SecretKind, generate_verify_token};
use crate::ui::interrupt::Hold;

/// How many accounts are written at once, at least; and how often all of them together
/// may have the file written, at most.
const GROUP: usize = 100;
const WRITES: usize = 20;

/// Carries out what is to be done here. Accounts that have nothing to do at Meta end with
/// it; those that have are returned as they were saved, by their places.
pub fn carry_out(run: &mut Run<'_>, prepared: &Prepared) -> Result<HashMap<usize, Account>, CliError> {
    let ctx = run.ctx;
    let plan = run.plan;
    let speaks = |at: usize| plan.apps.iter().any(|app| app.speaker == at);
    let has_more = |at: usize| plan.accounts[at].page.is_some() || speaks(at);
    let todo: Vec<usize> = (0..plan.accounts.len())
        .filter(|at| plan.accounts[*at].problems.is_empty())
        .filter(|at| plan.accounts[*at].action != Action::Nothing || has_more(*at))
        .collect();
    let mut ready = HashMap::new();
    let tenant = ctx.hold_tenant()?;
    let hold = Hold::begin();
    write_settings(run, prepared).map_err(|error| tenant.stopped(error, run.again))?;
    let (removed, kept): (Vec<usize>, Vec<usize>) =
        todo.into_iter().partition(|at| plan.accounts[*at].action == Action::Remove);
    // Names may be exchanged: those that change go together.
    let (renamed, kept): (Vec<usize>, Vec<usize>) = kept.into_iter().partition(|at| is_renamed(&plan.accounts[*at]));
    let group = if run.fail_fast { 1 } else { GROUP.max(kept.len().div_ceil(WRITES)) };
    let groups = std::iter::once(renamed.as_slice()).filter(|some| !some.is_empty()).chain(kept.chunks(group));
    for some in groups {
        if run.stops() {
            return Ok(ready);
        }
        for (at, saved) in save(run, &tenant, some) {
            if has_more(at) {
                ready.insert(at, saved);
            } else {
                run.end(at, Outcome::Done);
            }
        }
        run.interrupted(&hold)?;
    }
    let held_back = plan.blocked() > 0 || run.has_failed();
    if held_back && !removed.is_empty() {
        // One of them may be what an account that failed was called before.
        ctx.output.warning("nothing is removed while an account cannot be made as the file says");
        return Ok(ready);
    }
    for at in removed {
        if run.stops() {
            return Ok(ready);
        }
        let Some(account) = &plan.accounts[at].before else { continue };
        let outcome = match probe(ctx, account, false).and_then(|()| remove_held(ctx, account, false)) {
            Ok(_) => Outcome::Done,
            Err(error) if error.is_interrupt() => return Err(error),
            Err(error) => {
                tenant.partial();
                Outcome::Failed(Failure::from(error))
            }
        };
        run.end(at, outcome);
        run.interrupted(&hold)?;
    }
    Ok(ready)
}

/// The tenant itself, and its Chat Settings.
fn write_settings(run: &mut Run<'_>, prepared: &Prepared) -> Result<(), CliError> {
    let ctx = run.ctx;
    if prepared.new_tenant {
        let name = ctx.settings()?.tenant.value.to_string();
        ctx.tenant_file(&name)?.change(|_| ())?;
    }
    if !run.plan.chat_settings.is_empty() {
        // As they are now: what the file does not name may have been changed meanwhile.
        let wanted = &prepared.chat_settings;
        ctx.chat_settings()?.change(|settings| *settings = settings_of(wanted, settings).0)?;
        run.settings_changed = true;
    }
    Ok(())
}

fn is_renamed(planned: &AccountPlan) -> bool {
    match (&planned.before, &planned.after) {
        (Some(before), Some(after)) => before.name != after.name || before.handle != after.handle,
        _ => false,
    }
}

/// Saves some accounts at once, and returns those that are saved. Ends early when
/// somebody asks to stop.
fn save(run: &mut Run<'_>, tenant: &Changing<'_>, group: &[usize]) -> Vec<(usize, Account)> {
    let ctx = run.ctx;
    let plan = run.plan;
    let known = match ctx.accounts().and_then(|accounts| Ok(accounts.load()?)) {
        Ok(known) => known,
        Err(error) => {
            let failure = Failure::from(error);
            for at in group {
                run.end(*at, Outcome::Failed(failure.clone()));
            }
            return Vec::new();
        }
    };
    let known: HashMap<&str, &Account> = known.iter().map(|account| (account.id.as_str(), account)).collect();
    let now = ctx.now();
    ctx.stores().file().forget();
    ctx.stores().file().gather();
    let mut stored: Vec<(usize, Account, Stored)> = Vec::new();
    for &at in group {
        if Hold::is_asked() {
            break;
        }
        let planned = &plan.accounts[at];
        match store(run, planned, known.get(id(planned)).copied(), now) {
            Ok(Some((account, secrets))) => stored.push((at, account, secrets)),
            Ok(None) => {}
            Err(error) => {
                tenant.partial();
                run.end(at, Outcome::Failed(Failure::from(error)));
            }
        }
    }
    let accounts: Vec<Account> = stored.iter().map(|(_, account, _)| account.clone()).collect();
    let written = ctx.stores().file().write().map_err(CliError::from);
    let put = || if accounts.is_empty() { Ok(()) } else { Ok(ctx.accounts()?.put(&accounts)?) };
    if let Err(error) = written.and_then(|()| put()) {
        tenant.partial();
        let failure = Failure::from(error);
        for (at, _, secrets) in stored {
            let error = secrets.take_back(ctx, CliError::failed(failure.summary.clone()));
            run.end(at, Outcome::Failed(Failure { summary: error.message().to_owned(), ..failure.clone() }));
        }
        return Vec::new();
    }
    let mut saved = Vec::new();
    for (at, account, secrets) in stored {
        if plan.accounts[at].before.as_ref().is_some_and(|before| before.name != account.name) {
            relabel(ctx, &account);
        }
        match secrets.settle(ctx, tenant, &account) {
            Ok(()) => saved.push((at, account)),
            // It is saved; what it left behind has to be said.
            Err(error) => run.end(at, Outcome::Failed(Failure::from(error))),
        }
    }
    saved
}

fn id(planned: &AccountPlan) -> &str {
    let account = planned.before.as_ref().or(planned.after.as_ref());
    account.map(|account| account.id.as_str()).unwrap_or_default()
}

/// Stores the secrets of one account, and returns it as it is to be recorded. `known` is
/// its record as it is now; somebody may have changed it since the plan was made.
fn store(
    run: &Run<'_>,
    planned: &AccountPlan,
    known: Option<&Account>,
    now: jiff::Timestamp,
) -> Result<Option<(Account, Stored)>, CliError> {
    let Some(mut account) = planned.after.clone() else { return Ok(None) };
    if known != planned.before.as_ref() {
        return Err(CliError::failed("it was changed by somebody else meanwhile, and is left as it is now")
            .hint("run this again"));
    }
    if planned.action == Action::Nothing {
        return Ok(Some((account, Stored::default())));
    }
    // The record names the old places until the new secrets are there.
    account.secrets = planned.before.as_ref().map(|before| before.secrets.clone()).unwrap_or_default();
    let changes = planned.secrets.iter().map(|(kind, secret)| Change { kind: *kind, new: Some(new(*kind, secret)) });
    let secrets = Stored::of(run.ctx, &mut account, changes.collect())?;
    account.updated_at = now;
    Ok(Some((account, secrets)))
}

fn new(kind: SecretKind, secret: &ReadySecret) -> New {
    match secret {
        ReadySecret::Refer(place) => New::Reference(place.clone()),
        ReadySecret::Keep(value, store) => New::Value(value.clone(), Target::Chosen(*store)),
        ReadySecret::Generate(store) => {
            debug_assert_eq!(kind, SecretKind::VerifyToken, "only verify tokens are made here");
            New::Value(generate_verify_token(), Target::Chosen(*store))
        }
    }
}
