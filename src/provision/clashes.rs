//! Finds clashes between accounts as they will be: names, handles, places of secrets, Pages.

use std::collections::{BTreeSet, HashMap};

use super::draft::{Draft, NewSecret};
use super::kept::key_of;
use super::plan::Problem;
use crate::accounts::{Account, Addresses};
use crate::secrets::{SecretKind, StoreName};

/// Gives every draft the problems and notes from clashes with the other drafts and with `rest`,
/// the accounts that stay as they are.
pub(super) fn find(drafts: &mut [Draft], rest: &[Account]) {
    refuse_collisions(drafts, rest);
    refuse_two_kinds(drafts);
    refuse_same_variables(drafts, rest);
    note_twins(drafts, rest);
}

/// A new name or handle that another account will have too. Existing clashes do not block:
/// doctor reports them.
fn refuse_collisions(drafts: &mut [Draft], rest: &[Account]) {
    let mut addresses = Addresses::default();
    let mut owners = Vec::new();
    for draft in drafts.iter() {
        let id = draft.after.as_ref().map(|after| after.id.as_str());
        addresses.add(owners.len(), [draft.wanted.name.as_str(), draft.handle.as_str()].into_iter().chain(id));
        owners.push(draft.wanted.name.to_string());
    }
    for account in rest {
        addresses.add(owners.len(), [account.name.as_str(), account.handle.as_str(), &account.id]);
        owners.push(account.name.to_string());
    }
    for (number, draft) in drafts.iter_mut().enumerate() {
        let before = draft.before.as_ref();
        let (name, handle) = (draft.wanted.name.as_str(), draft.handle.as_str());
        let new_name = before.is_none_or(|before| !before.name.same_as(name)).then_some(("name", name));
        let new_handle = before.is_none_or(|before| before.handle != draft.handle).then_some(("handle", handle));
        let taken = new_name.into_iter().chain(new_handle).find_map(|(what, value)| {
            let owner = &owners[addresses.other(value, number)?];
            Some(Problem::new(
                format!("the {what} '{value}' is taken: the account '{owner}' answers to it"),
                format!("give it another {what}, or name both accounts with their handles"),
            ))
        });
        draft.problems.extend(taken);
    }
}

/// One place named for two kinds of secret: a verify token is sent to the callback unchanged, so
/// a file could have a token sent anywhere.
fn refuse_two_kinds(drafts: &mut [Draft]) {
    let place = |new: &NewSecret| match new {
        NewSecret::Refer(place) | NewSecret::Copy { from: place, .. } if place.store().is_none() => {
            Some(place.to_string())
        }
        _ => None,
    };
    let mut kinds: HashMap<String, BTreeSet<SecretKind>> = HashMap::new();
    for (kind, new) in drafts.iter().flat_map(|draft| &draft.secrets) {
        if let Some(place) = place(new) {
            kinds.entry(place).or_default().insert(*kind);
        }
    }
    for draft in drafts.iter_mut() {
        for (kind, new) in draft.secrets.clone() {
            let Some(place) = place(&new) else { continue };
            let Some(others) = kinds.get(&place).filter(|kinds| kinds.len() > 1) else { continue };
            let others: Vec<&str> = others.iter().filter(|other| **other != kind).map(|other| other.words()).collect();
            draft.problems.push(Problem::new(
                format!(
                    "{}: {place} is named as the place of another kind of secret too: the {}",
                    key_of(kind),
                    others.join(", ")
                ),
                "give each kind of secret a place of its own",
            ));
        }
    }
}

/// The env store makes variable names from handles: `a.b` and `a-b` share theirs.
fn refuse_same_variables(drafts: &mut [Draft], rest: &[Account]) {
    let in_variables = |account: &Account| account.secrets.values().any(|place| place.store() == Some(StoreName::Env));
    let spelt = |account: &Account| account.handle.as_str().replace(['-', '.'], "_");
    let mut owners: HashMap<String, String> = HashMap::new();
    for account in rest.iter().filter(|account| in_variables(account)) {
        owners.insert(spelt(account), account.handle.to_string());
    }
    for draft in drafts.iter_mut() {
        let Some(after) = draft.after.as_ref().filter(|after| in_variables(after)) else { continue };
        if let Some(other) = owners.insert(spelt(after), after.handle.to_string()) {
            draft.problems.push(Problem::new(
                format!("the handles '{}' and '{other}' name the same variables of the env store", after.handle),
                "give one of them another handle",
            ));
        } else if let Some(before) = draft.before.as_ref().filter(|before| before.handle != after.handle) {
            let (old, new) = (spelt(before).to_uppercase(), spelt(after).to_uppercase());
            draft.notes.push(format!(
                "its secrets are read from MSGRCTL_SECRET_{new}_… then, no longer from MSGRCTL_SECRET_{old}_…"
            ));
        }
    }
}

/// Two accounts of one Page: allowed, but rarely intended.
fn note_twins(drafts: &mut [Draft], rest: &[Account]) {
    let mut owners: HashMap<String, Vec<[String; 3]>> = HashMap::new();
    let wanted = drafts.iter().filter_map(|draft| draft.after.as_ref());
    for account in rest.iter().chain(wanted) {
        let called = [account.id.clone(), account.name.to_string(), account.handle.to_string()];
        owners.entry(account.page_id.to_string()).or_default().push(called);
    }
    for draft in drafts.iter_mut() {
        let Some(after) = &draft.after else { continue };
        let others = owners.get(after.page_id.as_str()).into_iter().flatten();
        let others: Vec<_> = others.filter(|[id, ..]| *id != after.id).collect();
        let Some([_, _, handle]) = others.first() else { continue };
        let names = others.iter().map(|[_, name, _]| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        let have = if others.len() == 1 { "has" } else { "have" };
        let new = draft.before.is_none();
        let hint =
            if new { format!("; if it is that one renamed, add to it: handle: {handle}") } else { String::new() };
        draft.notes.push(format!("{names} {have} the same page id {}{hint}", after.page_id));
    }
}
