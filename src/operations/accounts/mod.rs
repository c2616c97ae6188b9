//! Accounts: how they are added, changed, renamed and removed; Test Connection, and what
//! fixes what it finds.

pub(crate) mod add;
pub(crate) mod at_meta;
pub(crate) mod bulk;
pub(crate) mod commands;
pub(crate) mod complete;
pub(crate) mod draft;
pub(crate) mod edit;
pub(crate) mod fields;
pub(crate) mod gate;
pub(crate) mod inputs;
pub(crate) mod owner;
pub(crate) mod remove;
pub(crate) mod rename;
pub(crate) mod test;

pub use add::add;
pub use draft::Draft;
pub use test::test;

use super::Error;
use crate::accounts::{Account, AccountStore};

/// The accounts of `known` that answer to these addresses, in their order. One that is named
/// twice, by name and handle perhaps, is meant once.
pub(crate) fn named(store: &AccountStore, known: &[Account], addresses: &[String]) -> Result<Vec<Account>, Error> {
    let mut accounts: Vec<Account> = Vec::new();
    for address in addresses {
        let account = store.find_among(known, address)?;
        if !accounts.iter().any(|known| known.id == account.id) {
            accounts.push(account.clone());
        }
    }
    Ok(accounts)
}
