//! Accounts and stores against each other: secrets that are missing, and secrets that
//! belong to nobody any more.

use super::Found;
use crate::accounts::Account;
use crate::checks::Outcome;
use crate::checks::causes::{SECRET_MISSING, SECRETS_LEFT_BEHIND, STORE_UNAVAILABLE};
use crate::cli::account::connection;
use crate::cli::context::{Context, key};
use crate::cli::error::CliError;
use crate::cli::secret;
use crate::secrets::{SecretKind, SecretRef, StoreError, StoreName};

pub(super) fn look(ctx: &Context) -> Result<Vec<Found>, CliError> {
    // A file that cannot be read was named already, with the place.
    let Ok(accounts) = ctx.accounts()?.load() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let mut unknown: Vec<(&Account, SecretKind, StoreError)> = Vec::new();
    for account in &accounts {
        for kind in account.secrets.keys().copied() {
            match ctx.secret(account, kind) {
                Ok(Some(_)) => {}
                Ok(None) => found.push(missing(account, kind)),
                Err(error) => unknown.push((account, kind, error)),
            }
        }
        if !account.secrets.contains_key(&SecretKind::PageAccessToken) {
            found.push(missing(account, SecretKind::PageAccessToken));
        }
    }
    if found.is_empty() && unknown.is_empty() {
        found.push(Found::pass("secrets.present", "every secret is where its record says"));
    }
    // One store that does not answer is one trouble, however many secrets it has.
    if let Some((account, kind, error)) = unknown.first() {
        let more = if unknown.len() > 1 { format!(", and {} more", unknown.len() - 1) } else { String::new() };
        let mut cannot = Found::of_error("secrets.present", error.clone(), &STORE_UNAVAILABLE);
        cannot.summary = format!("the {kind} of {}{more} cannot be read: {}", account.handle, cannot.summary);
        found.push(cannot);
    }
    found.push(left_behind(ctx));
    Ok(found)
}

fn missing(account: &Account, kind: SecretKind) -> Found {
    let place = connection::place(account, kind);
    let handle = &account.handle;
    let mend = match account.secrets.get(&kind) {
        Some(SecretRef::Stored(StoreName::Env)) => format!("set the variable {}", key(account, kind).variable()),
        Some(source) if source.store().is_none() => format!("put it back where {source} finds it"),
        _ if kind == SecretKind::VerifyToken => {
            format!(
                "make a new one, and put it into the Meta app too; then: msgrctl secret set {handle} verify-token --generate --yes"
            )
        }
        _ => format!("give it one; then: msgrctl secret set {handle} {} --stdin --yes", kind.argument()),
    };
    Found::new("secrets.present", Outcome::Fail, format!("{handle}: {place}")).because(&SECRET_MISSING).hint(mend)
}

/// Entries of ours that no account of any tenant points to there: left by a process
/// that was killed, or kept by another configuration directory on this machine.
fn left_behind(ctx: &Context) -> Found {
    const ID: &str = "secrets.left_behind";
    let not_known = |why: String| Found::new(ID, Outcome::Skip, format!("not known: {why}"));
    let owners = match secret::owners(ctx) {
        Ok(owners) => owners,
        Err(error) => return not_known(error.message().to_owned()),
    };
    let (in_keyring, absent) = match ctx.stores().keyring().entries() {
        Ok(entries) => (entries.unwrap_or_default(), false),
        Err(StoreError::Absent { .. }) => (Vec::new(), true),
        Err(error) => return not_known(error.to_string()),
    };
    let in_file = match ctx.stores().file().entries() {
        Ok(entries) => entries,
        Err(error) => return not_known(error.to_string()),
    };
    let mut orphans = Vec::new();
    for (store, entries) in [(StoreName::Keyring, in_keyring), (StoreName::File, in_file)] {
        orphans.extend(
            entries.into_iter().filter(|entry| owners.left_behind(store, entry).is_some()).map(|entry| (store, entry)),
        );
    }
    let Some((first, _)) = orphans.first().cloned() else {
        return if absent {
            Found::new(ID, Outcome::Skip, "there is no keyring to look into")
        } else {
            Found::pass(ID, "no secret is left behind")
        };
    };
    let count = orphans.len();
    let entries: Vec<String> = orphans
        .into_iter()
        .filter(|(store, _)| *store == first)
        .take(20)
        .map(|(_, entry)| format!("--entry {entry}"))
        .collect();
    let command = format!("msgrctl secret remove {} --store {first} --yes", entries.join(" "));
    Found::new(ID, Outcome::Warn, format!("secrets that belong to no account of this configuration: {count}"))
        .because(&SECRETS_LEFT_BEHIND)
        .hint(format!("if no other configuration uses them; then: {command}"))
}
