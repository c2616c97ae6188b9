//! Local changes: Chat Settings, secrets and records. Accounts are written in groups, so that
//! a thousand do not rewrite a file a thousand times.

use std::collections::HashMap;

use super::prepare::Prepared;
use super::run::{Outcome, Run};
use crate::accounts::Account;
use crate::operations::accounts::remove;
use crate::operations::accounts::rename::relabel;
use crate::operations::change::{Change, New, Stored, Target};
use crate::operations::journal::Changing;
use crate::operations::{Error, groups};
use crate::provision::chat_settings;
use crate::provision::kept::ReadySecret;
use crate::provision::plan::{AccountPlan, Action, Problem};
use crate::secrets::{SecretKind, generate_verify_token};

/// Carries out the local changes. Accounts with nothing to do at Meta end here; the others
/// are returned as saved, by position.
pub fn carry_out(
    run: &mut Run<'_>,
    prepared: &Prepared,
    tenant: Option<Changing<'_>>,
) -> Result<HashMap<usize, Account>, Error> {
    let workspace = run.workspace;
    let plan = run.plan;
    let speaks = |at: usize| plan.apps.iter().any(|app| app.speaker == at);
    let has_more = |at: usize| plan.accounts[at].page.is_some() || speaks(at);
    let todo: Vec<usize> = (0..plan.accounts.len())
        .filter(|at| plan.accounts[*at].problems.is_empty())
        .filter(|at| plan.accounts[*at].action != Action::Nothing || has_more(*at))
        .collect();
    let mut ready = HashMap::new();
    let tenant = tenant.map_or_else(|| workspace.hold_tenant(), Ok)?;
    let hold = workspace.reporter.hold();
    write_settings(run, prepared).map_err(|error| tenant.stopped(error, run.how.again))?;
    let (removed, kept): (Vec<usize>, Vec<usize>) =
        todo.into_iter().partition(|at| plan.accounts[*at].action == Action::Remove);
    // Accounts may swap names, so renames go together.
    let (renamed, kept): (Vec<usize>, Vec<usize>) = kept.into_iter().partition(|at| is_renamed(&plan.accounts[*at]));
    let all = std::iter::once(renamed.as_slice()).filter(|some| !some.is_empty()).chain(groups(&kept));
    for some in all {
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
        run.interrupted(&*hold)?;
    }
    let held_back = plan.blocked() > 0 || run.has_failed();
    if held_back && !removed.is_empty() {
        // A removed name may be the old name of an account that failed.
        workspace.warning("nothing is removed while an account cannot be applied");
        return Ok(ready);
    }
    for some in groups(&removed) {
        if run.stops() {
            return Ok(ready);
        }
        remove(run, &tenant, some)?;
        run.interrupted(&*hold)?;
    }
    Ok(ready)
}

/// The tenant, and its Chat Settings.
fn write_settings(run: &mut Run<'_>, prepared: &Prepared) -> Result<(), Error> {
    let workspace = run.workspace;
    if prepared.new_tenant {
        let name = workspace.settings()?.tenant.value.to_string();
        workspace.tenant_file(&name)?.change(|_| ())?;
    }
    if !run.plan.chat_settings.is_empty() {
        // Read again: fields that the file does not name may have changed in the meantime.
        let wanted = &prepared.chat_settings;
        workspace.chat_settings()?.change(|settings| *settings = chat_settings::changed(wanted, settings).0)?;
        run.ended.settings_changed = true;
    }
    Ok(())
}

/// Removes a group of accounts. Ends early if the operator asks to stop.
fn remove(run: &mut Run<'_>, tenant: &Changing<'_>, group: &[usize]) -> Result<(), Error> {
    let (workspace, plan) = (run.workspace, run.plan);
    let mut going: Vec<(usize, &Account)> = Vec::new();
    for &at in group {
        let Some(account) = &plan.accounts[at].before else { continue };
        match remove::probe(workspace, account, false) {
            Ok(()) => going.push((at, account)),
            Err(error) if error.is_interrupt() => return Err(error),
            Err(error) => fail(run, tenant, at, Problem::from(error)),
        }
        if run.stops() {
            break;
        }
    }
    let accounts: Vec<&Account> = going.iter().map(|(_, account)| *account).collect();
    match remove::group(workspace, &accounts, false, run.how.fail_fast) {
        Ok(results) => {
            for ((at, _), result) in going.into_iter().zip(results) {
                match result {
                    Ok(_) => run.end(at, Outcome::Done),
                    Err(error) => fail(run, tenant, at, Problem::from(error)),
                }
            }
        }
        Err(error) => {
            let failure = Problem::from(error);
            for (at, _) in going {
                fail(run, tenant, at, failure.clone());
            }
        }
    }
    Ok(())
}

/// An account that failed: the tenant's change is logged as partial.
fn fail(run: &mut Run<'_>, tenant: &Changing<'_>, at: usize, failure: Problem) {
    tenant.partial();
    run.end(at, Outcome::Failed(failure));
}

fn is_renamed(planned: &AccountPlan) -> bool {
    match (&planned.before, &planned.after) {
        (Some(before), Some(after)) => before.name != after.name || before.handle != after.handle,
        _ => false,
    }
}

/// Saves a group of accounts and returns the saved ones. Ends early if the operator asks to
/// stop.
fn save(run: &mut Run<'_>, tenant: &Changing<'_>, group: &[usize]) -> Vec<(usize, Account)> {
    let workspace = run.workspace;
    let plan = run.plan;
    let known = match workspace.accounts().and_then(|accounts| Ok(accounts.load()?)) {
        Ok(known) => known,
        Err(error) => {
            let failure = Problem::from(error);
            for at in group {
                fail(run, tenant, *at, failure.clone());
            }
            return Vec::new();
        }
    };
    let known: HashMap<&str, &Account> = known.iter().map(|account| (account.id.as_str(), account)).collect();
    let now = workspace.now();
    let file = workspace.stores().file();
    workspace.stores().forget();
    workspace.read_ahead(group.iter().filter_map(|at| known.get(id(&plan.accounts[*at])).copied()));
    let (mut stored, written) = file.at_once(|| {
        let mut stored: Vec<(usize, Account, Stored)> = Vec::new();
        for &at in group {
            if workspace.reporter.is_stop_asked() || run.stops() {
                break;
            }
            let planned = &plan.accounts[at];
            match store(run, planned, known.get(id(planned)).copied(), now) {
                Ok(Some((account, secrets))) => stored.push((at, account, secrets)),
                Ok(None) => {}
                Err(error) => fail(run, tenant, at, Problem::from(error)),
            }
        }
        stored
    });
    if written.is_err() {
        for (.., secrets) in &mut stored {
            secrets.forget_file();
        }
    }
    let accounts: Vec<Account> = stored.iter().map(|(_, account, _)| account.clone()).collect();
    let put = || if accounts.is_empty() { Ok(()) } else { Ok(workspace.accounts()?.put(&accounts)?) };
    if let Err(error) = written.map_err(Error::from).and_then(|()| put()) {
        let failure = Problem::from(error);
        let (places, secrets): (Vec<usize>, Vec<_>) =
            stored.into_iter().map(|(at, _, secrets)| (at, (secrets, Error::failed(failure.summary.clone())))).unzip();
        for (at, error) in places.into_iter().zip(Stored::take_back_all(workspace, secrets)) {
            fail(run, tenant, at, Problem { summary: error.message().to_owned(), ..failure.clone() });
        }
        return Vec::new();
    }
    let mut places = Vec::new();
    let mut secrets = Vec::new();
    for ((at, _, of_account), account) in stored.into_iter().zip(&accounts) {
        if plan.accounts[at].before.as_ref().is_some_and(|before| before.name != account.name) {
            relabel(workspace, account);
        }
        places.push(at);
        secrets.push((of_account, account));
    }
    let settled = Stored::settle_all(workspace, tenant, &secrets);
    let mut saved = Vec::new();
    for ((at, settled), account) in places.into_iter().zip(settled).zip(&accounts) {
        match settled {
            Ok(()) => saved.push((at, account.clone())),
            // It is saved; report what remains.
            Err(error) => fail(run, tenant, at, Problem::from(error)),
        }
    }
    saved
}

fn id(planned: &AccountPlan) -> &str {
    let account = planned.before.as_ref().or(planned.after.as_ref());
    account.map(|account| account.id.as_str()).unwrap_or_default()
}

/// Stores the secrets of one account and returns the account to record. `known` is its
/// current record, which may have changed since the plan.
fn store(
    run: &Run<'_>,
    planned: &AccountPlan,
    known: Option<&Account>,
    now: jiff::Timestamp,
) -> Result<Option<(Account, Stored)>, Error> {
    let Some(mut account) = planned.after.clone() else { return Ok(None) };
    if known != planned.before.as_ref() {
        return Err(
            Error::failed("another command changed it in the meantime; it was left untouched").hint("run this again")
        );
    }
    if planned.action == Action::Nothing {
        return Ok(Some((account, Stored::default())));
    }
    // The record names the old places until the new secrets are there.
    account.secrets = planned.before.as_ref().map(|before| before.secrets.clone()).unwrap_or_default();
    let changes = planned.secrets.iter().map(|(kind, secret)| Change { kind: *kind, new: Some(new(*kind, secret)) });
    let secrets = Stored::of(run.workspace, &mut account, changes.collect())?;
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
