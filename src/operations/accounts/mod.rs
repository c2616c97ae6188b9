//! Adds, changes, renames, removes and tests accounts.

pub(crate) mod add;
pub(crate) mod at_meta;
pub(crate) mod bulk;
pub(crate) mod commands;
pub(crate) mod complete;
pub(crate) mod discover;
pub(crate) mod draft;
pub(crate) mod edit;
pub(crate) mod fields;
pub(crate) mod gate;
pub(crate) mod inputs;
pub(crate) mod owner;
pub(crate) mod remove;
pub(crate) mod rename;
pub(crate) mod renew;
pub(crate) mod test;
pub(crate) mod token_life;

pub use add::add;
pub use draft::Draft;
pub use test::test;

use super::{Error, Workspace};
use crate::accounts::{Account, AccountError, TenantName};

/// The tenant's account with this name, handle or id.
pub(crate) fn find(workspace: &Workspace, address: &str) -> Result<Account, Error> {
    Ok(find_among(workspace, &workspace.accounts()?.load()?, address)?.clone())
}

/// The same for accounts already read. With several tenants the error says in which one it
/// looked, and which one has the account.
pub(crate) fn find_among<'a>(workspace: &Workspace, known: &'a [Account], address: &str) -> Result<&'a Account, Error> {
    let error = match workspace.accounts()?.find_among(known, address) {
        Ok(account) => return Ok(account),
        Err(error @ AccountError::Unknown { .. }) => error,
        Err(error) => return Err(error.into()),
    };
    let tenant = workspace.settings()?.tenant.value.as_str();
    let mut others = workspace.tenant_names().unwrap_or_default();
    others.retain(|other| other != tenant && other.parse::<TenantName>().is_ok());
    if others.is_empty() {
        return Err(error.into());
    }
    let has_it = |other: &String| workspace.accounts_of(other).is_ok_and(|accounts| accounts.find(address).is_ok());
    let found = others.iter().find(|other| has_it(other));
    let message = format!("{error} in tenant '{tenant}'");
    Err(match found {
        Some(other) => Error::failed(message)
            .hint(format!("tenant '{other}' has it: add --tenant {other}, or work there: msgrctl tenant use {other}")),
        None => Error::from(error).saying(message),
    })
}

/// The accounts with these names, handles or ids, in order, each only once.
pub(crate) fn named(workspace: &Workspace, known: &[Account], addresses: &[String]) -> Result<Vec<Account>, Error> {
    let mut accounts: Vec<Account> = Vec::new();
    for address in addresses {
        let account = find_among(workspace, known, address)?;
        if !accounts.iter().any(|known| known.id == account.id) {
            accounts.push(account.clone());
        }
    }
    Ok(accounts)
}
