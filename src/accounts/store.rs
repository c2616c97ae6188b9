//! The accounts of one tenant, in a document.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use super::addresses::{Addresses, Clash, clashes};
use super::schema::{self, SchemaError};
use super::{Account, Handle, Name, Parsed};
use crate::document::{self, Document};
use crate::files::FileError;
use crate::storage::{Place, RemoteError, StorageError};

/// Why accounts could not be read, found or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The file could not be read, written or locked.
    #[error(transparent)]
    File(#[from] FileError),
    /// A backend on the network failed.
    #[error(transparent)]
    Remote(RemoteError),
    /// The file's content is not valid.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// No account has that address.
    #[error("there is no account '{address}'")]
    Unknown {
        /// The address.
        address: String,
        /// The handles or names that were probably meant.
        near: Vec<String>,
    },
    /// Several accounts have that address: the file was edited or merged by hand.
    #[error("{} accounts answer to '{address}': {}", accounts.len(), accounts.join(" and "))]
    Ambiguous {
        /// The address.
        address: String,
        /// The accounts: `'Acme Support' (handle acme-support, id 7f9c…)`.
        accounts: Vec<String>,
        /// The command that renames one of them.
        command: String,
    },
    /// Another account has the name already.
    #[error("the name '{name}' is taken: the account '{other}' (handle {handle}) answers to it")]
    NameTaken {
        /// The wanted name.
        name: String,
        /// The other account's name.
        other: String,
        /// The other account's handle.
        handle: String,
    },
    /// Another account has the handle already.
    #[error("the handle '{handle}' is taken by the account '{name}'")]
    HandleTaken {
        /// The wanted handle.
        handle: String,
        /// The other account's name.
        name: String,
    },
}

impl From<StorageError> for AccountError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::File(error) => Self::File(error),
            StorageError::Remote(error) => Self::Remote(error),
        }
    }
}

/// `accounts.toml` of one tenant. Read at each use: another process may have changed it.
pub struct AccountStore {
    place: Place,
    parsed: Parsed,
    on_wait: Box<dyn Fn(&Path)>,
    flag: String,
}

impl AccountStore {
    /// A store in the document at `place`. `on_wait` is called when another process holds it for
    /// noticeably long.
    pub fn new(place: impl Into<Place>, on_wait: Box<dyn Fn(&Path)>) -> Self {
        Self { place: place.into(), parsed: Parsed::default(), on_wait, flag: String::new() }
    }

    /// The same, with a cache of parsed texts.
    #[must_use]
    pub fn knowing(self, parsed: Parsed) -> Self {
        Self { parsed, ..self }
    }

    /// The same, with the flag that puts this tenant into a suggested command: ` --tenant acme`.
    #[must_use]
    pub fn called_with(self, flag: String) -> Self {
        Self { flag, ..self }
    }

    /// All accounts, in the order in which they were added.
    pub fn load(&self) -> Result<Vec<Account>, AccountError> {
        Ok(Rc::unwrap_or_clone(self.read()?))
    }

    fn read(&self) -> Result<Rc<Vec<Account>>, AccountError> {
        self.parse(self.place.read()?)
    }

    fn parse(&self, text: Option<String>) -> Result<Rc<Vec<Account>>, AccountError> {
        match text {
            Some(text) => Ok(self.parsed.accounts(&text, self.place.path())?),
            None => Ok(Rc::default()),
        }
    }

    /// Handle and name of each account, for completions: what is known within `limit`, without
    /// anything broken.
    pub fn names_soon(&self, limit: Duration) -> Vec<[String; 2]> {
        let Some(text) = self.place.read_soon(limit) else { return Vec::new() };
        Document::new(&text).map(|document| document.pairs("accounts", ["handle", "name"])).unwrap_or_default()
    }

    /// The account with this name, handle or id.
    pub fn find(&self, address: &str) -> Result<Account, AccountError> {
        Ok(self.find_among(&self.read()?, address)?.clone())
    }

    /// The same among accounts that the caller has loaded, to look up several with one read.
    pub fn find_among<'a>(&self, accounts: &'a [Account], address: &str) -> Result<&'a Account, AccountError> {
        let answering: Vec<usize> = (0..accounts.len()).filter(|at| accounts[*at].answers_to(address)).collect();
        match answering.as_slice() {
            [] => Err(unknown(accounts, address)),
            [one] => Ok(&accounts[*one]),
            _ => Err(self.ambiguous(accounts, address, &answering)),
        }
    }

    /// The account with this id.
    pub fn get(&self, id: &str) -> Result<Account, AccountError> {
        let accounts = self.read()?;
        Ok(accounts[place_of(&accounts, id)?].clone())
    }

    fn ambiguous(&self, accounts: &[Account], address: &str, answering: &[usize]) -> AccountError {
        let clashes = clashes(accounts);
        let clash = clashes.iter().find(|clash| answering.contains(&clash.at));
        AccountError::Ambiguous {
            address: address.into(),
            accounts: answering.iter().map(|at| described(&accounts[*at])).collect(),
            command: clash.map(Clash::command).unwrap_or_default() + &self.flag,
        }
    }

    /// Adds an account. A handle that is taken gets a number if it was derived from the name
    /// (`derived`); a chosen one is refused.
    pub fn add(&self, mut account: Account, derived: bool) -> Result<Account, AccountError> {
        self.change(|accounts| {
            check_name(accounts, &account.name)?;
            if derived {
                account.handle = free_handle(accounts, &account.handle);
            }
            check_handle(accounts, &account.handle)?;
            accounts.push(account.clone());
            Ok(account)
        })
    }

    /// Changes the account with this id. Its id and its position stay; a new name or handle must
    /// be free. One that it already has is not checked, so it does not block another change.
    pub fn update(&self, id: &str, change: impl FnOnce(&mut Account)) -> Result<Account, AccountError> {
        self.change(|accounts| {
            let at = place_of(accounts, id)?;
            let old = accounts.remove(at);
            let mut changed = old.clone();
            change(&mut changed);
            check_renamed(accounts, &old, &changed)?;
            accounts.insert(at, changed.clone());
            Ok(changed)
        })
    }

    /// Changes the accounts with these ids, all or none: a missing one is an error. Names and
    /// handles must stay the same.
    pub fn update_all(&self, ids: &[&str], mut change: impl FnMut(&mut Account)) -> Result<(), AccountError> {
        self.change(|accounts| {
            let places = places(accounts);
            for id in ids {
                let at = places.get(*id).copied();
                let at = at.ok_or_else(|| AccountError::Unknown { address: (*id).into(), near: Vec::new() })?;
                change(&mut accounts[at]);
            }
            Ok(())
        })
    }

    /// Replaces the accounts with the same ids and appends the others, all or none. A new name
    /// or handle must be free afterwards.
    pub fn put(&self, changed: &[Account]) -> Result<(), AccountError> {
        self.change(|accounts| {
            let places = places(accounts);
            let mut put = Vec::new();
            for account in changed {
                if let Some(at) = places.get(&account.id) {
                    put.push((*at, Some(std::mem::replace(&mut accounts[*at], account.clone()))));
                } else {
                    put.push((accounts.len(), None));
                    accounts.push(account.clone());
                }
            }
            let addresses = Addresses::of(accounts.iter());
            for (at, old) in put {
                let account = &accounts[at];
                let (name, handle) = (account.name.as_str(), account.handle.as_str());
                if old.as_ref().is_none_or(|old| !old.name.same_as(name))
                    && let Some(other) = addresses.other(name, at)
                {
                    return Err(name_taken(&account.name, &accounts[other]));
                }
                if old.as_ref().is_none_or(|old| old.handle != account.handle)
                    && let Some(other) = addresses.other(handle, at)
                {
                    return Err(handle_taken(&account.handle, &accounts[other]));
                }
            }
            Ok(())
        })
    }

    /// Removes the accounts with these ids. Returns each as it was, with its position; `None`
    /// for one that does not exist.
    pub fn remove_all(&self, ids: &[&str]) -> Result<Vec<Option<(usize, Account)>>, AccountError> {
        self.change(|accounts| {
            let places = places(accounts);
            let goes: HashSet<&str> = ids.iter().copied().collect();
            let removed = ids.iter().map(|id| places.get(*id).map(|at| (*at, accounts[*at].clone()))).collect();
            accounts.retain(|account| !goes.contains(account.id.as_str()));
            Ok(removed)
        })
    }

    /// Restores accounts to their positions: of accounts that were removed together, each with
    /// its position, those given return.
    pub fn put_back(&self, mut removed: Vec<(usize, Option<Account>)>) -> Result<(), AccountError> {
        removed.sort_by_key(|(at, _)| *at);
        self.change(|accounts| {
            let mut gone = 0;
            for (at, account) in removed {
                match account {
                    Some(account) => accounts.insert((at - gone).min(accounts.len()), account),
                    None => gone += 1,
                }
            }
            Ok(())
        })
    }

    /// Reads, changes and writes under the lock, without further checks. Writes nothing on an
    /// error.
    pub fn change<T, E: From<AccountError>>(
        &self,
        change: impl FnOnce(&mut Vec<Account>) -> Result<T, E>,
    ) -> Result<T, E> {
        let open = self.place.open(&self.on_wait).map_err(AccountError::from)?;
        let mut accounts = Rc::unwrap_or_clone(self.parse(open.read().map_err(AccountError::from)?)?);
        let done = change(&mut accounts)?;
        let text = schema::write(&accounts);
        open.replace(&text).map_err(AccountError::from)?;
        self.parsed.remember(text, accounts);
        Ok(done)
    }
}

/// The name, with a number if another account has it.
pub fn free_name(others: &[Account], name: &str) -> Option<String> {
    let numbered = (2..).map(|number| format!("{name} {number}"));
    let is_free = |name: &String| name.parse().is_ok_and(|name| check_name(others, &name).is_ok());
    std::iter::once(name.to_owned()).chain(numbered.take(others.len() + 1)).find(is_free)
}

/// Whether a new account may have this name: no other account may have it as name, handle or id.
pub fn check_name(accounts: &[Account], name: &Name) -> Result<(), AccountError> {
    match accounts.iter().find(|account| account.answers_to(name.as_str())) {
        Some(other) => Err(name_taken(name, other)),
        None => Ok(()),
    }
}

/// Whether a new account may have this handle.
pub fn check_handle(accounts: &[Account], handle: &Handle) -> Result<(), AccountError> {
    match accounts.iter().find(|account| account.answers_to(handle.as_str())) {
        Some(other) => Err(handle_taken(handle, other)),
        None => Ok(()),
    }
}

/// Whether an account may be changed like this: a new name or handle must be free among the
/// others.
pub fn check_renamed(others: &[Account], old: &Account, new: &Account) -> Result<(), AccountError> {
    if !old.name.same_as(new.name.as_str()) {
        check_name(others, &new.name)?;
    }
    if old.handle != new.handle {
        check_handle(others, &new.handle)?;
    }
    Ok(())
}

/// The handle for a new account without a chosen one: `wanted`, or the same with a number.
pub fn free_handle(accounts: &[Account], wanted: &Handle) -> Handle {
    Addresses::of(accounts).free_handle(wanted, accounts.len())
}

fn name_taken(name: &Name, other: &Account) -> AccountError {
    AccountError::NameTaken { name: name.to_string(), other: other.name.to_string(), handle: other.handle.to_string() }
}

fn handle_taken(handle: &Handle, other: &Account) -> AccountError {
    AccountError::HandleTaken { handle: handle.to_string(), name: other.name.to_string() }
}

/// An account's description in errors.
fn described(account: &Account) -> String {
    format!("'{}' (handle {}, id {})", account.name, account.handle, account.id)
}

/// The positions of accounts, by id.
fn places(accounts: &[Account]) -> HashMap<String, usize> {
    accounts.iter().enumerate().map(|(at, account)| (account.id.clone(), at)).collect()
}

fn place_of(accounts: &[Account], id: &str) -> Result<usize, AccountError> {
    let place = accounts.iter().position(|account| account.id == id);
    place.ok_or_else(|| AccountError::Unknown { address: id.into(), near: Vec::new() })
}

fn unknown(accounts: &[Account], address: &str) -> AccountError {
    let known = accounts.iter().flat_map(|account| [account.handle.as_str(), account.name.as_str()]);
    let typed = address.trim().to_lowercase();
    // A name that begins with the typed text comes before one that is only similar.
    let begins = |text: &str| !typed.is_empty() && text.to_lowercase().starts_with(&typed);
    let begin = accounts.iter().filter(|account| begins(account.handle.as_str()) || begins(account.name.as_str()));
    let mut near: Vec<String> = begin.map(|account| account.handle.to_string()).collect();
    if near.is_empty() {
        near.extend(document::nearest(&typed, known).map(str::to_owned));
    }
    AccountError::Unknown { address: address.into(), near }
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
        assert!(matches!(error, AccountError::Unknown { near, .. } if near == ["acme-support"]));
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
        assert_eq!(store.add(account("Acme!"), true).expect("added").handle.as_str(), "acme-3");
        // Case does not count, whether in a name or in a handle.
        assert!(matches!(store.add(account("ACME-2"), true), Err(AccountError::NameTaken { .. })));
        assert!(matches!(store.add(account("Acme-Support"), true), Err(AccountError::NameTaken { .. })));
        assert!(matches!(store.add(account("ID-OF-Acme Support"), true), Err(AccountError::NameTaken { .. })));
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

    /// A file merged by hand: the name of the second account is the handle of the first.
    fn merged(store: &AccountStore) -> [Account; 3] {
        let mut twin = account("ACME-support");
        twin.handle = "twin".parse().expect("a handle");
        let all = [account("Acme Support"), twin, account("Other")];
        let lock = store.place.open(&|_| {}).expect("opened");
        lock.replace(&schema::write(&all)).expect("written");
        all
    }

    #[test]
    fn what_two_accounts_answer_to_is_not_guessed() {
        let (_dir, store) = store();
        let [first, twin, other] = merged(&store);
        let store = store.called_with(" --tenant acme".into());
        let Err(AccountError::Ambiguous { accounts, command, .. }) = store.find("Acme-Support") else {
            panic!("two answer to it")
        };
        assert_eq!(
            accounts,
            [
                "'Acme Support' (handle acme-support, id id-of-Acme Support)",
                "'ACME-support' (handle twin, id id-of-ACME-support)",
            ]
        );
        assert_eq!(command, "msgrctl account rename id-of-ACME-support twin --tenant acme");
        // Addresses of only one account still work.
        for (address, account) in [("acme support", &first), ("TWIN", &twin), ("other", &other), (&twin.id, &twin)] {
            assert_eq!(store.find(address).expect("found"), *account);
        }
        assert_eq!(store.get(&twin.id).expect("found"), twin);
        assert!(matches!(store.get("twin"), Err(AccountError::Unknown { .. })));
    }

    #[test]
    fn a_clash_that_is_there_locks_nothing_and_does_not_grow() {
        let (_dir, store) = store();
        let [first, twin, other] = merged(&store);
        let page = |account: &mut Account| account.page_name = Some("Seen".into());
        store.update(&first.id, page).expect("changed");
        store.update(&twin.id, page).expect("changed");
        let mut changed = store.get(&first.id).expect("found");
        changed.app_id = Some("12345".parse().expect("an app id"));
        store.put(&[changed]).expect("changed");
        let called = |name: &'static str| move |account: &mut Account| account.name = name.parse().expect("a name");
        let into_clash = store.update(&other.id, called("acme-SUPPORT"));
        assert!(matches!(into_clash, Err(AccountError::NameTaken { .. })));
        let mut third = store.get(&other.id).expect("found");
        third.handle = "acme-support".parse().expect("a handle");
        assert!(matches!(store.put(&[third]), Err(AccountError::HandleTaken { .. })));
        store.update(&twin.id, called("Twin")).expect("the way out");
        assert_eq!(store.find("acme-support").expect("found").id, first.id);
    }

    #[test]
    fn accounts_that_stay_after_all_stand_where_they_stood() {
        let (dir, store) = store();
        for name in ["A", "B", "C", "D", "E"] {
            store.add(account(name), true).expect("added");
        }
        let text = || std::fs::read_to_string(dir.path().join("accounts.toml")).expect("text");
        let before = text();
        let ids = ["id-of-D", "id-of-nobody", "id-of-A", "id-of-C"];
        let removed = store.remove_all(&ids).expect("removed");
        assert!(removed[1].is_none());
        let names = || store.load().expect("read").iter().map(|account| account.name.to_string()).collect::<String>();
        assert_eq!(names(), "BE");
        let back = |keep: &str| {
            let of =
                |(at, account): &(usize, Account)| (*at, keep.contains(account.name.as_str()).then(|| account.clone()));
            removed.iter().flatten().map(of).collect::<Vec<_>>()
        };
        store.put_back(back("CD")).expect("put back");
        assert_eq!(names(), "BCDE");
        store.remove_all(&["id-of-C", "id-of-D"]).expect("removed");
        store.put_back(back("ACD")).expect("put back");
        assert_eq!(text(), before);
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
