//! The effects of an undo on secrets, and on the accounts that name them.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::accounts::{Account, newly_alike};
use crate::operations::journal::entry::Entry;
use crate::operations::{Error, Workspace, key};
use crate::secrets::{SecretKind, SecretRef, StoreName};
use crate::state::{Change, Record, What, carry_out};

/// The field of an account whose verify token is being rotated.
const NEXT_VERIFY_TOKEN: &str = "secrets.next_verify_token";

/// The effects on secrets.
pub(super) struct Secrets {
    /// Secrets that no record will name any more: they are removed.
    pub(super) vanishing: Vec<(Account, SecretKind, StoreName)>,
    /// Secrets that the old record names and no store has.
    pub(super) lost: Vec<(Account, SecretKind)>,
    /// Secrets that are in another store now.
    moved: Vec<(Account, SecretRef)>,
    /// Accounts that would share a Page: both names.
    pub(super) same_page: Vec<(String, String)>,
}

impl Secrets {
    /// The effects of undoing `entry` on the current accounts. `flag`: ` --tenant …` for commands,
    /// if needed.
    ///
    /// # Errors
    ///
    /// An account prevents the undo.
    pub(super) fn of(now: &[Account], entry: &Entry, flag: &str) -> Result<Self, Error> {
        let mut secrets = Self { vanishing: Vec::new(), lost: Vec::new(), moved: Vec::new(), same_page: Vec::new() };
        let of_accounts = |change: &&Change| matches!(change.record, Some(Record::Account(_))) && change.has_values();
        let reversed: Vec<Change> = entry.changes.iter().filter(of_accounts).map(Change::reversed).collect();
        if reversed.is_empty() {
            return Ok(secrets);
        }
        let mut then = now.to_vec();
        carry_out(&mut then, &reversed.iter().collect::<Vec<_>>())?;
        if let Some(pair) = newly_alike(now, &then) {
            return Err(alike(&reversed, pair, flag));
        }
        let finished = entry.changes.iter().find(|change| {
            change.what == What::Changed
                && change.before.contains_key(NEXT_VERIFY_TOKEN)
                && !change.after.contains_key(NEXT_VERIFY_TOKEN)
        });
        if let Some(change) = finished {
            return Err(Error::failed(format!(
                "'{}' ended the rotation of the verify token of '{}', which cannot be undone",
                entry.command, change.of
            ))
            .hint(format!(
                "for another token: msgrctl webhook rotate {}{flag}",
                change.handle.as_deref().unwrap_or("NAME")
            )));
        }
        let (then_by_id, now_by_id) = (by_id(&then), by_id(now));
        let touched: Vec<&str> = reversed.iter().filter_map(account_of).collect();
        let gets_a_page = |change: &&Change| change.after.contains_key("page_id");
        let ids: HashSet<&str> = reversed.iter().filter(gets_a_page).filter_map(account_of).collect();
        let mut of_page: HashMap<&str, &Account> = HashMap::new();
        for account in &then {
            let Some(other) = of_page.insert(account.page_id.as_str(), account) else { continue };
            if [account, other].iter().any(|one| ids.contains(one.id.as_str())) {
                secrets.same_page.push((other.name.to_string(), account.name.to_string()));
            }
        }
        for account in touched.iter().filter_map(|id| then_by_id.get(id)) {
            let here = now_by_id.get(account.id.as_str());
            // Secrets in variables were never ours to remove.
            let ours = |source: &SecretRef| source.store().is_some_and(|store| store != StoreName::Env);
            for (kind, source) in account.secrets.iter().filter(|(_, source)| ours(source)) {
                match here.and_then(|here| here.secrets.get(kind)) {
                    Some(same) if same == source => {}
                    // A reference replaced it, and its value was removed.
                    Some(other) if other.store().is_none() => secrets.lost.push(((*account).clone(), *kind)),
                    Some(other) => secrets.moved.push(((*account).clone(), other.clone())),
                    None => secrets.lost.push(((*account).clone(), *kind)),
                }
            }
        }
        for account in touched.iter().filter_map(|id| now_by_id.get(id)) {
            let old = then_by_id.get(account.id.as_str());
            for (kind, source) in &account.secrets {
                let stays = old.is_some_and(|old| old.secrets.get(kind) == Some(source));
                if let Some(store) = source.store().filter(|store| !stays && *store != StoreName::Env) {
                    secrets.vanishing.push(((*account).clone(), *kind, store));
                }
            }
        }
        secrets.refuse_moves()?;
        secrets.refuse_rotations()?;
        Ok(secrets)
    }

    /// Removes what no record names any more; returns what could not be removed, in words.
    pub(super) fn remove_vanishing(&self, inside: &Workspace) -> Vec<String> {
        let (removed, written) = inside.stores().file().at_once(|| {
            let remove = |(account, kind, store): &(Account, SecretKind, StoreName)| {
                inside.store(*store).remove(&key(account, *kind)).map(drop)
            };
            self.vanishing.iter().map(remove).collect::<Vec<_>>()
        });
        let ends = self.vanishing.iter().zip(removed).filter_map(|((account, kind, store), result)| {
            let result = if *store == StoreName::File { result.and(written.clone()) } else { result };
            let entry = key(account, *kind).entry();
            Some(format!("the {kind} in the {store} store (entry msgrctl / {entry}): {}", result.err()?))
        });
        ends.collect()
    }

    /// The secrets that the change replaced: account and kind in words.
    pub(super) fn replaced(&self, entry: &Entry) -> Vec<(String, String)> {
        let changed = entry.changes.iter().filter(|change| change.what == What::Changed);
        let replaced = changed.flat_map(|change| {
            change
                .fields
                .iter()
                .filter_map(|field| Some((change.of.clone(), field.strip_prefix("secrets.")?.replace('_', " "))))
        });
        let is = |account: &Account, kind: SecretKind, of: &str, words: &str| {
            account.name.as_str() == of && kind.words() == words
        };
        let stays = |(of, words): &(String, String)| {
            !self.lost.iter().any(|(account, kind)| is(account, *kind, of, words))
                && !self.vanishing.iter().any(|(account, kind, _)| is(account, *kind, of, words))
        };
        replaced.filter(stays).collect()
    }

    /// Refuses to remove the new token of an unfinished rotation: Meta may have it.
    fn refuse_rotations(&self) -> Result<(), Error> {
        let is_next = |(_, kind, _): &&(Account, SecretKind, StoreName)| *kind == SecretKind::NextVerifyToken;
        let Some((account, ..)) = self.vanishing.iter().find(is_next) else { return Ok(()) };
        Err(Error::failed(format!(
            "the rotation of the verify token of '{}' is not finished, and Meta may have the new one; nothing was undone",
            account.name
        ))
        .hint(format!("to finish it: msgrctl webhook rotate {}", account.handle))
        .hint(format!("or cancel it: msgrctl webhook rotate {} --cancel", account.handle)))
    }

    fn refuse_moves(&self) -> Result<(), Error> {
        let Some((account, now)) = self.moved.first() else { return Ok(()) };
        let error = Error::failed(format!(
            "the secrets of '{}' are in another place now ({now}); nothing was undone",
            account.name
        ));
        let before = account.secrets.values().find_map(SecretRef::store);
        Err(match before {
            Some(store) => {
                error.hint(format!("to move them back: msgrctl secret move {} --to {store}", account.handle))
            }
            None => error,
        })
    }
}

fn account_of(change: &Change) -> Option<&str> {
    match &change.record {
        Some(Record::Account(id)) => Some(id),
        _ => None,
    }
}

/// The error if an account would get a name or handle that another account now has.
fn alike(reversed: &[Change], pair: [&Account; 2], flag: &str) -> Error {
    let touched = |account: &Account| reversed.iter().filter_map(account_of).any(|id| id == account.id);
    let [other, returning] = if touched(pair[0]) { [pair[1], pair[0]] } else { pair };
    let own = [returning.name.as_str(), returning.handle.as_str(), &returning.id];
    let is_own = |address: &str| own.iter().any(|own| own.eq_ignore_ascii_case(address));
    let (field, argument) =
        if is_own(other.handle.as_str()) { ("handle", "--handle NEW_HANDLE") } else { ("name", "NEW_NAME") };
    Error::failed(format!(
        "cannot restore '{}': its name, handle or id is the {field} of the account '{}' now; nothing was undone",
        returning.name, other.handle
    ))
    .hint(format!("to change that {field} first: msgrctl account rename {} {argument}{flag}", other.id))
}

fn by_id(accounts: &[Account]) -> BTreeMap<&str, &Account> {
    accounts.iter().map(|account| (account.id.as_str(), account)).collect()
}
