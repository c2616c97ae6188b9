//! The store for new secrets: can it store, return and remove one.

use crate::checks::Outcome;
use crate::checks::causes::{STORE_UNAVAILABLE, VAULT_DENIED};
use crate::checks::ids;
use crate::operations::{Error, Found, Origin, Tenants, Workspace};
use crate::secrets::{SecretKey, SecretKind, StoreError, StoreName, Trouble, VaultState, generate_verify_token};

/// The problems of the store.
pub fn look(workspace: &Workspace, tenants: &Tenants<'_>) -> Result<Vec<Found>, Error> {
    let store = &workspace.settings()?.store;
    let id = match store.value {
        StoreName::Keyring => ids::STORE_KEYRING,
        StoreName::File => ids::STORE_FILE,
        StoreName::Vault => ids::STORE_VAULT,
        StoreName::Env => ids::STORE_ENV,
        StoreName::Memory => ids::STORE_MEMORY,
    };
    let chosen = format!("chosen by {}", store.origin);
    Ok(vec![match store.value {
        StoreName::Env => Found::pass(id, format!("secrets are read from variables and kept nowhere ({chosen})")),
        _ => match round_trip(workspace, store.value) {
            Ok(Trip::Whole) if store.value == StoreName::Vault => of_vault(workspace, id, &chosen),
            Ok(Trip::Whole) => Found::pass(id, format!("it stores, returns and removes a secret ({chosen})")),
            Ok(Trip::NotMade) => Found::pass(id, format!("the encrypted file is not made yet; it could be ({chosen})")),
            Ok(Trip::Changed) => {
                Found::new(id, Outcome::Fail, format!("it returned a different secret from the stored one ({chosen})"))
                    .because(&STORE_UNAVAILABLE)
                    .hint("check it with its own program, or choose another: --store keyring, file, vault or env")
            }
            Err(StoreError::Vault(error)) if error.trouble == Trouble::Denied => {
                match workspace.stores().vault().state() {
                    // All of what is missing, where the token may ask.
                    Ok(state) if !state.lacking.is_empty() => lacking(id, &state),
                    _ => Found::of_error(id, StoreError::Vault(error), &VAULT_DENIED),
                }
            }
            Err(error) if !is_needed(workspace, tenants)? => {
                Found::new(id, Outcome::Skip, format!("no account uses it, and no setting names it: {error}"))
            }
            Err(error) => Found::of_error(id, error, &STORE_UNAVAILABLE),
        },
    }])
}

/// A Vault that keeps secrets: its version, its token's time, and what the policy lacks.
fn of_vault(workspace: &Workspace, id: &'static str, chosen: &str) -> Found {
    let state = match workspace.stores().vault().state() {
        Ok(state) => state,
        Err(error) => return Found::of_error(id, error, &STORE_UNAVAILABLE),
    };
    if !state.lacking.is_empty() {
        return lacking(id, &state);
    }
    let version = state.version.map(|version| format!(" {version}")).unwrap_or_default();
    let token = match state.token {
        None => "its time is not known".to_owned(),
        Some((0, _)) => "it does not end".to_owned(),
        Some((seconds, renewable)) => {
            let renewable = if renewable { ", and can be renewed" } else { "" };
            format!("it ends in {} minutes{renewable}", seconds.div_ceil(60))
        }
    };
    Found::pass(
        id,
        format!(
            "Vault{version} at {} stores, returns and removes a secret; the token is valid: {token} ({chosen})",
            state.address
        ),
    )
}

fn lacking(id: &'static str, state: &VaultState) -> Found {
    let summary = format!("the policy of the token at {} lacks {}", state.address, state.lacking.join(", "));
    Found::new(id, Outcome::Fail, summary).because(&VAULT_DENIED).hint(VAULT_DENIED.fix())
}

/// Whether the keyring, if only the default, is needed: not if every account keeps its secrets
/// elsewhere.
fn is_needed(workspace: &Workspace, tenants: &Tenants<'_>) -> Result<bool, Error> {
    let mut accounts = Vec::new();
    for (_, inside) in tenants.iter() {
        let Ok(more) = inside.accounts()?.load() else { return Ok(true) };
        accounts.extend(more);
    }
    let store = &workspace.settings()?.store;
    let used =
        accounts.iter().flat_map(|account| account.secrets.values()).any(|source| source.store() == Some(store.value));
    Ok(used || accounts.is_empty() || store.origin != Origin::BuiltIn)
}

/// The result of storing a test secret.
enum Trip {
    /// It came back unchanged and was removed.
    Whole,
    /// It came back different, or was not removed.
    Changed,
    /// There is no encrypted file, and the test does not create one.
    NotMade,
}

fn round_trip(workspace: &Workspace, name: StoreName) -> Result<Trip, StoreError> {
    let store = workspace.store(name);
    if store.is_made()? == Some(false) {
        // It would prompt for a new passphrase, which is not needed yet.
        if workspace.reporter.passphrase_prompt().is_none() {
            store.probe()?;
        }
        return Ok(Trip::NotMade);
    }
    store.probe()?;
    let key = SecretKey {
        account_id: format!("doctor-{}", uuid::Uuid::new_v4()),
        handle: "doctor".into(),
        account_name: "a test that removes itself".into(),
        kind: SecretKind::VerifyToken,
    };
    let secret = generate_verify_token();
    store.set(&key, &secret)?;
    let back = store.get(&key);
    let removed = store.remove(&key)?;
    let gone = store.get(&key)?.is_none();
    Ok(if removed && gone && back? == Some(secret) { Trip::Whole } else { Trip::Changed })
}
