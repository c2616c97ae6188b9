//! Where a secret should be, in words.

use crate::accounts::Account;
use crate::operations::key;
use crate::secrets::{SecretKind, SecretRef, StoreName};

/// Where a secret should be and is not, in words.
pub fn place(account: &Account, kind: SecretKind) -> String {
    match account.secrets.get(&kind) {
        Some(SecretRef::Stored(StoreName::Env)) => {
            format!("the variable {} is not set", key(account, kind).variable())
        }
        Some(source) => absent(source, kind),
        None => format!("the account has no {kind}"),
    }
}

/// The same for a place that is not an account's variable.
pub fn absent(source: &SecretRef, kind: SecretKind) -> String {
    match source {
        SecretRef::Variable(name) => format!("the variable {name} is not set"),
        SecretRef::File(path) => format!("the file {} does not exist", path.display()),
        SecretRef::Keyring { service, user } => format!("the keyring has no entry {service}/{user}"),
        SecretRef::Vault { path, field } => format!("Vault has no field {field} at {path}"),
        SecretRef::Stored(_) | SecretRef::Command(_) => format!("the {source} store has no {kind} for this account"),
    }
}

/// Whether an account's secrets are in the variables of the env store.
pub fn is_in_variables(account: &Account) -> bool {
    account.secrets.values().any(|source| source.store() == Some(StoreName::Env))
}
