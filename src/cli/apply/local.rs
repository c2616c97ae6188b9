//! What is kept here: Chat Settings, secrets and records. A group of accounts is written
//! at once, so that a thousand of them do not rewrite a file a thousand times.

use std::collections::HashMap;

use super::{Failure, Outcome, Run};
use crate::accounts::Account;
use crate::cli::account::remove::{probe, remove_held};
use crate::cli::account::save::{Change, New, Stored, Target, check_variables};
use crate::cli::error::CliError;
use crate::cli::history::Changing;
use crate::cli::plan::Prepared;
use crate::provision::plan::{AccountPlan, Action, ReadySecret};
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
    let speakers: Vec<usize> = plan.apps.iter().map(|app| app.speaker).collect();
    let has_more = |at: usize| plan.accounts[at].page.is_some() || speakers.contains(&at);
    let todo: Vec<usize> = (0..plan.accounts.len())
        .filter(|at| plan.accounts[*at].problems.is_empty())
        .filter(|at| plan.accounts[*at].action != Action::Nothing || has_more(*at))
        .collect();
    let mut ready = HashMap::new();
    let tenant = ctx.hold_tenant()?;
    if prepared.new_tenant {
        let name = ctx.settings()?.tenant.value.to_string();
        ctx.tenant_file(&name)?.change(|_| ())?;
    }
    if !plan.chat_settings.is_empty() {
        ctx.chat_settings()?.change(|settings| *settings = prepared.chat_settings.clone())?;
    }
    let (removed, kept): (Vec<usize>, Vec<usize>) =
        todo.into_iter().partition(|at| plan.accounts[*at].action == Action::Remove);
    let group = if run.fail_fast { 1 } else { GROUP.max(kept.len().div_ceil(WRITES)) };
    for some in kept.chunks(group) {
        if run.stops() {
            return Ok(ready);
        }
        let hold = Hold::begin();
        for (at, saved) in save(run, &tenant, some)? {
            if has_more(at) {
                ready.insert(at, saved);
            } else {
                run.end(at, Outcome::Done);
            }
        }
        if hold.was_interrupted() {
            return Err(CliError::interrupted().note("what was done is saved; run it again to go on"));
        }
    }
    for at in removed {
        if run.stops() {
            return Ok(ready);
        }
        let hold = Hold::begin();
        let outcome = match &plan.accounts[at].before {
            Some(account) => match probe(ctx, account, false).and_then(|()| remove_held(ctx, account, false)) {
                Ok(_) => Outcome::Done,
                Err(error) if error.is_interrupt() => return Err(error),
                Err(error) => Outcome::Failed(Failure::from(error)),
            },
            None => Outcome::Done,
        };
        run.end(at, outcome);
        if hold.was_interrupted() {
            return Err(CliError::interrupted().note("what was done is saved; run it again to go on"));
        }
    }
    Ok(ready)
}

/// Saves some accounts at once, and returns those that are saved.
fn save(run: &mut Run<'_>, tenant: &Changing<'_>, group: &[usize]) -> Result<Vec<(usize, Account)>, CliError> {
    let ctx = run.ctx;
    let plan = run.plan;
    ctx.stores().file().forget();
    let known: HashMap<String, Account> =
        ctx.accounts()?.load()?.into_iter().map(|account| (account.id.clone(), account)).collect();
    let now = ctx.now();
    let mut stored = Vec::new();
    for &at in group {
        let planned = &plan.accounts[at];
        match store(run, planned, known.get(&id(planned)), now) {
            Ok(Some((account, secrets))) => stored.push((at, account, secrets)),
            Ok(None) => {}
            Err(error) if error.is_interrupt() => {
                let taken = stored.into_iter().map(|(_, _, secrets): (usize, Account, Stored)| secrets);
                return Err(taken.fold(error, |error, secrets| secrets.take_back(ctx, error)));
            }
            Err(error) => run.end(at, Outcome::Failed(Failure::from(error))),
        }
    }
    let accounts: Vec<Account> = stored.iter().map(|(_, account, _)| account.clone()).collect();
    if let Err(error) = ctx.accounts()?.put(&accounts) {
        let secrets = stored.into_iter().map(|(_, _, secrets)| secrets);
        return Err(secrets.fold(CliError::from(error), |error, secrets| secrets.take_back(ctx, error)));
    }
    let mut saved = Vec::new();
    for (at, account, secrets) in stored {
        match secrets.settle(ctx, tenant, &account) {
            Ok(()) => saved.push((at, account)),
            // It is saved; what it left behind has to be said.
            Err(error) => run.end(at, Outcome::Failed(Failure::from(error))),
        }
    }
    Ok(saved)
}

fn id(planned: &AccountPlan) -> String {
    let account = planned.before.as_ref().or(planned.after.as_ref());
    account.map(|account| account.id.clone()).unwrap_or_default()
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
    check_variables(run.ctx, &account, planned.before.as_ref())?;
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
