//! Removes single secrets.

use super::owners::Owners;
use crate::accounts::Account;
use crate::operations::change::{self, Change};
use crate::operations::{Error, Workspace};
use crate::secrets::{SecretKey, SecretKind, StoreName};

/// Removes a secret of an account, and returns the changed account. The value behind a
/// reference stays.
pub fn one(workspace: &Workspace, account: &Account, kind: SecretKind) -> Result<Account, Error> {
    let accounts = workspace.accounts()?;
    let now = workspace.now();
    change::save(workspace, &mut account.clone(), vec![Change { kind, new: None }], |_| {
        accounts.update(&account.id, |account| {
            account.secrets.remove(&kind);
            account.updated_at = now;
        })
    })
}

/// The keys of entries that belong to no account; refuses others.
pub fn entries(workspace: &Workspace, store: StoreName, entries: &[String]) -> Result<Vec<SecretKey>, Error> {
    let owners = Owners::read(workspace)?;
    let key_of = |entry: &String| {
        owners.left_behind(store, entry).ok_or_else(|| {
            Error::failed(format!("'{entry}' is not an entry of msgrctl, or belongs to an account"))
                .hint("msgrctl doctor names what is left behind")
        })
    };
    entries.iter().map(key_of).collect()
}

/// Removes such entries, and returns how many there were.
pub fn remove_entries(workspace: &Workspace, store: StoreName, entries: &[String]) -> Result<usize, Error> {
    // Ownership must not change in between.
    let _tenants = workspace.hold_all_tenants()?;
    let keys = self::entries(workspace, store, entries)?;
    let (removed, written) = workspace.stores().file().at_once(|| {
        let mut removed = 0;
        for (at, key) in keys.iter().enumerate() {
            match workspace.store(store).remove(key) {
                Ok(there) => removed += usize::from(there),
                Err(error) => return Err((at, error)),
            }
        }
        Ok(removed)
    });
    match (removed, written) {
        (Ok(removed), Ok(())) => Ok(removed),
        // None of what is in one file went without the others.
        (_, Err(error)) => Err(error.into()),
        (Err((done, error)), Ok(())) => {
            Err(Error::from(error).note(format!("{done} of {} entries were removed before", keys.len())))
        }
    }
}
