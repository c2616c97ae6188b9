//! Stores new tokens of several accounts: each account's secrets, then the records at once.

use std::collections::HashMap;

use super::Fresh;
use crate::accounts::Account;
use crate::operations::change::{Change, New, Stored, Target};
use crate::operations::{Error, Workspace};
use crate::secrets::{Secret, SecretKind, SecretRef};

/// Stores the Page's token and its new parent for each account; a result for each. Of an account
/// that another command has changed in the meantime nothing is touched. Killed at any moment, each
/// account has its old tokens or its new ones, and both work.
pub(super) fn store(
    workspace: &Workspace,
    fresh: &[Fresh],
    parent: &Secret,
    new: &Secret,
) -> Vec<Result<Account, Error>> {
    let all_failed = |error: Error| fresh.iter().map(|_| Err(error.clone())).collect();
    if fresh.is_empty() {
        return Vec::new();
    }
    let tenant = match workspace.hold_tenant() {
        Ok(tenant) => tenant,
        Err(error) => return all_failed(error),
    };
    let _hold = workspace.reporter.hold();
    let file = workspace.stores().file();
    workspace.stores().forget();
    let known = match workspace.accounts().and_then(|accounts| Ok(accounts.load()?)) {
        Ok(known) => known,
        Err(error) => return all_failed(error),
    };
    let known: HashMap<&str, &Account> = known.iter().map(|account| (account.id.as_str(), account)).collect();
    let (mut stored, written) = file.at_once(|| {
        let one = |fresh: &Fresh| {
            let account = known.get(fresh.member.account.id.as_str()).copied();
            stored_one(workspace, account, fresh, parent, new)
        };
        fresh.iter().map(one).collect::<Vec<Result<(Account, Stored), Error>>>()
    });
    if written.is_err() {
        stored.iter_mut().flatten().for_each(|(_, secrets)| secrets.forget_file());
    }
    let accounts: Vec<Account> = stored.iter().flatten().map(|(account, _)| account.clone()).collect();
    let put = || if accounts.is_empty() { Ok(()) } else { Ok(workspace.accounts()?.put(&accounts)?) };
    if let Err(error) = written.map_err(Error::from).and_then(|()| put()) {
        let (good, bad): (Vec<_>, Vec<_>) = stored.into_iter().enumerate().partition(|(_, one)| one.is_ok());
        let (places, secrets): (Vec<usize>, Vec<_>) =
            good.into_iter().filter_map(|(at, one)| Some((at, (one.ok()?.1, error.clone())))).unzip();
        let mut ends: Vec<(usize, Error)> = places.into_iter().zip(Stored::take_back_all(workspace, secrets)).collect();
        ends.extend(bad.into_iter().filter_map(|(at, one)| Some((at, one.err()?))));
        ends.sort_by_key(|(at, _)| *at);
        return ends.into_iter().map(|(_, error)| Err(error)).collect();
    }
    if stored.iter().any(Result::is_err) {
        tenant.partial();
    }
    let (ends, secrets): (Vec<_>, Vec<_>) = stored
        .into_iter()
        .map(|one| match one {
            Ok((account, secrets)) => (Ok(account), Some(secrets)),
            Err(error) => (Err(error), None),
        })
        .unzip();
    let done: Vec<(Stored, &Account)> = secrets.into_iter().flatten().zip(&accounts).collect();
    // Nothing moves to another store, so nothing is left to be removed.
    Stored::settle_all(workspace, &tenant, &done);
    ends
}

fn stored_one(
    workspace: &Workspace,
    account: Option<&Account>,
    fresh: &Fresh,
    parent: &Secret,
    new: &Secret,
) -> Result<(Account, Stored), Error> {
    let touched = || Error::failed("another command changed the account in the meantime; it was left untouched");
    let current = account.filter(|account| account.page_id == fresh.member.account.page_id).ok_or_else(touched)?;
    let both = [
        (SecretKind::PageAccessToken, &fresh.member.credentials.token, &fresh.token),
        (SecretKind::UserAccessToken, parent, new),
    ];
    let mut changes = Vec::new();
    for (kind, old, new) in both {
        if workspace.secret(current, kind)?.as_ref() != Some(old) {
            return Err(touched());
        }
        let store = current.secrets.get(&kind).and_then(SecretRef::store).ok_or_else(touched)?;
        if new != old {
            changes.push(Change { kind, new: Some(New::Value(new.clone(), Target::WhereItIs(store))) });
        }
    }
    let mut account = Account { updated_at: workspace.now(), ..current.clone() };
    let stored = Stored::of(workspace, &mut account, changes)?;
    Ok((account, stored))
}
