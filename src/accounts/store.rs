//! The accounts of one tenant on disk.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::schema::{self, SchemaError};
use super::{Account, Handle, Name};
use crate::document;
use crate::files::{self, FileError, Lock};

/// Why accounts could not be read, found or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The file could not be read, written or locked.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not what it should be.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Nobody answers to that address.
    #[error("there is no account '{address}'")]
    Unknown {
        /// What was asked for.
        address: String,
        /// The handle that was perhaps meant.
        nearest: Option<String>,
    },
    /// An account answers to the name already.
    #[error("the name '{name}' is taken: the account '{other}' (handle {handle}) answers to it")]
    NameTaken {
        /// The name that was wanted.
        name: String,
        /// The name of the account that has it.
        other: String,
        /// Its handle.
        handle: String,
    },
    /// An account answers to the handle already.
    #[error("the handle '{handle}' is taken by the account '{name}'")]
    HandleTaken {
        /// The handle that was wanted.
        handle: String,
        /// The account that has it.
        name: String,
    },
}

/// `accounts.toml` of one tenant. Opened at each use, kept by nobody.
pub struct AccountStore {
    path: PathBuf,
    on_wait: Box<dyn Fn(&Path)>,
}

impl AccountStore {
    /// A store in the file `path`. `on_wait` is called when another process
    /// changes the file for so long that a person would wonder.
    pub fn new(path: PathBuf, on_wait: Box<dyn Fn(&Path)>) -> Self {
        Self { path, on_wait }
    }

    /// All accounts, in the order in which they were added.
    pub fn load(&self) -> Result<Vec<Account>, AccountError> {
        match files::read_text(&self.path)? {
            Some(text) => Ok(schema::read(&text, &self.path)?),
            None => Ok(Vec::new()),
        }
    }

    /// Handle and name of each, for completions: what is broken is passed over.
    pub fn names(&self) -> Vec<[String; 2]> {
        files::read_text(&self.path).ok().flatten().map(|text| schema::names(&text)).unwrap_or_default()
    }

    /// The account that answers to `address`.
    pub fn find(&self, address: &str) -> Result<Account, AccountError> {
        let mut accounts = self.load()?;
        let at = position(&accounts, address)?;
        Ok(accounts.swap_remove(at))
    }

    /// Adds an account. A handle that was derived from the name (`derived`) gives
    /// way to one that is taken, by getting a number; a chosen one does not.
    pub fn add(&self, mut account: Account, derived: bool) -> Result<Account, AccountError> {
        self.change(|accounts| {
            check_name(accounts, &account.name)?;
            account.handle =
                if derived { free_handle(accounts, &account.handle) } else { check_handle(accounts, account.handle)? };
            accounts.push(account.clone());
            Ok(account)
        })
    }

    /// Changes the account with this id in place. Its id and its place in the
    /// list stay; a new name or handle must be free.
    pub fn update(&self, id: &str, change: impl FnOnce(&mut Account)) -> Result<Account, AccountError> {
        self.change(|accounts| {
            let at = position(accounts, id)?;
            let mut changed = accounts.remove(at);
            change(&mut changed);
            check_name(accounts, &changed.name)?;
            changed.handle = check_handle(accounts, changed.handle)?;
            accounts.insert(at, changed.clone());
            Ok(changed)
        })
    }

    /// Changes the accounts with these ids in place, all or none of them: one that is not
    /// there any more is an error. Names and handles must stay.
    pub fn update_all(&self, ids: &[&str], mut change: impl FnMut(&mut Account)) -> Result<(), AccountError> {
        self.change(|accounts| {
            let places: HashMap<String, usize> =
                accounts.iter().enumerate().map(|(at, account)| (account.id.clone(), at)).collect();
            for id in ids {
                let at = places.get(*id).copied();
                let at = at.ok_or_else(|| AccountError::Unknown { address: (*id).into(), nearest: None })?;
                change(&mut accounts[at]);
            }
            Ok(())
        })
    }

    /// Puts accounts into the places of those with their ids, and the others behind them;
    /// all or none of them. No two may answer to one name or handle afterwards.
    pub fn put(&self, changed: &[Account]) -> Result<(), AccountError> {
        self.change(|accounts| {
            let places: HashMap<String, usize> =
                accounts.iter().enumerate().map(|(at, account)| (account.id.clone(), at)).collect();
            for account in changed {
                match places.get(&account.id) {
                    Some(at) => accounts[*at] = account.clone(),
                    None => accounts.push(account.clone()),
                }
            }
            let mut owners: HashMap<String, &Account> = HashMap::new();
            for account in accounts.iter() {
                let (name, handle) = (account.name.as_str().to_lowercase(), account.handle.to_string());
                let other = |owner: &&Account| owner.id != account.id;
                if let Some(other) = owners.insert(name, account).filter(other) {
                    return Err(AccountError::NameTaken {
                        name: account.name.to_string(),
                        other: other.name.to_string(),
                        handle: other.handle.to_string(),
                    });
                }
                if let Some(other) = owners.insert(handle, account).filter(other) {
                    let name = other.name.to_string();
                    return Err(AccountError::HandleTaken { handle: account.handle.to_string(), name });
                }
            }
            Ok(())
        })
    }

    /// Removes the account with this id.
    pub fn remove(&self, id: &str) -> Result<Account, AccountError> {
        self.change(|accounts| {
            let at = position(accounts, id)?;
            Ok(accounts.remove(at))
        })
    }

    /// Reads, changes and writes under the lock. An error writes nothing.
    fn change<T>(&self, change: impl FnOnce(&mut Vec<Account>) -> Result<T, AccountError>) -> Result<T, AccountError> {
        let lock = Lock::acquire(&self.path, Lock::PATIENCE, &self.on_wait)?;
        let mut accounts = self.load()?;
        let done = change(&mut accounts)?;
        lock.replace(schema::write(&accounts).as_bytes())?;
        Ok(done)
    }
}

/// The account that answers to `address`, for whoever looks for several: the file is read
/// once.
pub fn find_among<'a>(accounts: &'a [Account], address: &str) -> Result<&'a Account, AccountError> {
    position(accounts, address).map(|at| &accounts[at])
}

/// Whether a new account may have this name: no other account may answer to it,
/// by name, handle or id.
pub fn check_name(accounts: &[Account], name: &Name) -> Result<(), AccountError> {
    match accounts.iter().find(|account| account.answers_to(name.as_str())) {
        Some(other) => Err(AccountError::NameTaken {
            name: name.to_string(),
            other: other.name.to_string(),
            handle: other.handle.to_string(),
        }),
        None => Ok(()),
    }
}

/// Whether a new account may have this handle.
pub fn check_handle(accounts: &[Account], handle: Handle) -> Result<Handle, AccountError> {
    match accounts.iter().find(|account| account.answers_to(handle.as_str())) {
        Some(other) => Err(AccountError::HandleTaken { handle: handle.to_string(), name: other.name.to_string() }),
        None => Ok(handle),
    }
}

/// The handle that a new account gets when nobody chooses one: `wanted`, or the same
/// with a number.
pub fn free_handle(accounts: &[Account], wanted: &Handle) -> Handle {
    // Thousands of names without a letter of ASCII's ask for the same one.
    let addresses =
        |account: &Account| [account.name.as_str().to_lowercase(), account.handle.to_string(), account.id.clone()];
    let taken: HashSet<String> = accounts.iter().flat_map(addresses).collect();
    // An account answers to two of them at most, its name and its handle.
    let numbered = (2..=2 * accounts.len() + 2).map(|number| wanted.numbered(number));
    let free = |handle: &Handle| !taken.contains(handle.as_str());
    std::iter::once(wanted.clone()).chain(numbered).find(free).unwrap_or_else(|| wanted.clone())
}

fn position(accounts: &[Account], address: &str) -> Result<usize, AccountError> {
    accounts.iter().position(|account| account.answers_to(address)).ok_or_else(|| {
        let known = accounts.iter().flat_map(|account| [account.handle.as_str(), account.name.as_str()]);
        let nearest = document::nearest(&address.to_lowercase(), known).map(str::to_owned);
        AccountError::Unknown { address: address.into(), nearest }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::account::tests::account;

    fn store() -> (tempfile::TempDir, AccountStore) {
        let dir = tempfile::tempdir().expect("a directory");
        let store = AccountStore::new(dir.path().join("accounts.toml"), Box::new(|_| {}));
        (dir, store)
    }

    #[test]
    fn accounts_are_found_by_name_handle_and_id() {
        let (_dir, store) = store();
        let added = store.add(account("Acme Support"), true).expect("added");
        for address in ["acme support", "ACME SUPPORT", "acme-support", &added.id] {
            assert_eq!(store.find(address).expect("found"), added);
        }
        let error = store.find("acme-suport").expect_err("unknown");
        assert!(matches!(error, AccountError::Unknown { nearest: Some(near), .. } if near == "acme-support"));
    }

    #[test]
    fn derived_handles_give_way_and_chosen_ones_do_not() {
        let (_dir, store) = store();
        store.add(account("Acme Support"), true).expect("added");
        let second = store.add(account("Acme  Support!"), true).expect("added");
        assert_eq!(second.handle.as_str(), "acme-support-2");
        let mut third = account("Third");
        third.handle = "acme-support".parse().expect("a handle");
        assert!(matches!(store.add(third, false), Err(AccountError::HandleTaken { .. })));
        assert!(matches!(store.add(account("acme support"), true), Err(AccountError::NameTaken { .. })));
        assert!(matches!(store.add(account("acme-support-2"), true), Err(AccountError::NameTaken { .. })));
        assert_eq!(store.load().expect("read").len(), 2);
        // One account can block two candidates: by its name and by its handle.
        let mut both = account("acme-2");
        both.handle = "acme".parse().expect("a handle");
        store.add(both, false).expect("added");
        assert_eq!(store.add(account("Acme"), true).expect("added").handle.as_str(), "acme-3");
        store.load().expect("what was written is read");
    }

    #[test]
    fn an_update_keeps_id_and_place() {
        let (_dir, store) = store();
        let first = store.add(account("First"), true).expect("added");
        store.add(account("Second"), true).expect("added");
        store.update(&first.id, |account| account.name = "Renamed".parse().expect("a name")).expect("changed");
        let accounts = store.load().expect("read");
        assert_eq!((accounts[0].name.as_str(), &accounts[0].id), ("Renamed", &first.id));
        let taken = store.update(&first.id, |account| account.name = "second".parse().expect("a name"));
        assert!(matches!(taken, Err(AccountError::NameTaken { .. })));
    }

    #[test]
    fn a_broken_file_is_left_as_it_is() {
        let (dir, store) = store();
        let path = dir.path().join("accounts.toml");
        std::fs::write(&path, "schema_version = 1\nbroken").expect("written");
        assert!(store.add(account("Acme"), true).is_err());
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "schema_version = 1\nbroken");
    }
}
