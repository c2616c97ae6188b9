//! Moves secrets from one store to another.
//!
//! Group by group, each file written once: copy, read back, compare; then the records; then
//! remove the old copies. After any interruption every secret is where its record says, and a
//! new run also clears old copies of an interrupted one.

use std::collections::{BTreeSet, HashMap};

use crate::accounts::{Account, AccountError, AccountStore};
use crate::operations::accounts::named;
use crate::operations::journal;
use crate::operations::{Error, Workspace, groups, key, unstored};
use crate::secrets::{Secret, SecretKind, SecretRef, StoreError, StoreName};
use crate::state::Change;

/// The accounts, and the store to move to.
pub struct Prepared {
    accounts: Vec<Account>,
    to: StoreName,
}

pub struct Moved {
    /// The number of named accounts.
    pub accounts: usize,
    /// The number of moved secrets.
    pub secrets: usize,
    /// The accounts that stay as they were, and why.
    pub failed: Vec<(Account, Error)>,
}

/// The accounts with these names; `None`: every account of the tenant. Asks every store, so
/// that passphrase prompts come while Ctrl-C still ends the command.
pub fn prepare(workspace: &Workspace, addresses: Option<&[String]>, to: StoreName) -> Result<Prepared, Error> {
    if !StoreName::KEEPING.contains(&to) {
        let ways = StoreName::KEEPING.map(|store| format!("--to {store}"));
        return Err(Error::usage(format!("nothing can be moved to the {to} store")).hint(ways.join(" or ")));
    }
    let known = workspace.accounts()?.load()?;
    let accounts = match addresses {
        Some(addresses) => named(workspace, &known, addresses)?,
        None => known,
    };
    workspace.store(to).probe()?;
    for from in StoreName::KEEPING {
        let used =
            accounts.iter().flat_map(|account| account.secrets.values()).any(|source| source.store() == Some(from));
        // An interrupted run may have left entries that no record names.
        if used || workspace.store(from).is_made()? == Some(true) {
            workspace.store(from).probe()?;
        }
    }
    Ok(Prepared { accounts, to })
}

/// Moves the secrets, group by group.
///
/// # Errors
///
/// The operator asked to stop, or the records could not be read; what was moved stays in its
/// new place. An account that could not be moved is not an error here.
pub fn carry_out(workspace: &Workspace, prepared: &Prepared) -> Result<Moved, Error> {
    let Prepared { accounts, to } = prepared;
    let progress = workspace.reporter.waiting(&format!("moving secrets to the {to} store …"));
    let mut moved = Moved { accounts: accounts.len(), secrets: 0, failed: Vec::new() };
    let mut begun = 0;
    for group in groups(accounts) {
        let tenant = workspace.lock_tenant()?;
        let hold = workspace.reporter.hold();
        let on_account = |account: &Account| {
            begun += 1;
            progress.now(&format!("moving the secrets of '{}' ({begun} of {}) …", account.name, accounts.len()));
        };
        let mut noted = Vec::new();
        for (account, end) in move_group(workspace, group, *to, on_account)? {
            match end {
                Ok(kinds) => {
                    moved.secrets += kinds.len();
                    noted.extend((!kinds.is_empty()).then(|| {
                        let fields = kinds.iter().map(|kind| format!("secrets.{}", kind.key())).collect();
                        Change::named(account.name.to_string(), account.handle.to_string(), fields)
                    }));
                }
                Err(error) => moved.failed.push((account.clone(), error)),
            }
        }
        drop(tenant);
        if let Err(error) = journal::note(workspace, noted) {
            workspace.warning(&format!("the move is not in the log: {}", error.message()));
        }
        if hold.was_interrupted() {
            return Err(Error::interrupted().note("run it again to continue"));
        }
    }
    Ok(moved)
}

/// An account that is being moved.
struct Moving<'a> {
    /// The account as it was named.
    named: &'a Account,
    account: Account,
    /// The secrets from other stores.
    copied: Vec<(SecretKind, Secret)>,
    /// Those stores.
    from: BTreeSet<StoreName>,
    /// Why it stays as it is.
    failed: Option<Error>,
}

/// The result for an account: the moved secrets.
type End<'a> = (&'a Account, Result<Vec<SecretKind>, Error>);

/// Moves a group of accounts. `on_account` is called for each; once the operator asks to
/// stop, no other begins, and begun ones are finished. The caller holds the tenant.
fn move_group<'a>(
    workspace: &Workspace,
    group: &'a [Account],
    to: StoreName,
    on_account: impl FnMut(&Account),
) -> Result<Vec<End<'a>>, Error> {
    let accounts = workspace.accounts()?;
    // Read again: another command may have changed them since.
    workspace.stores().forget();
    workspace.read_ahead(group);
    let (mut all, mut ended) = copy_all(workspace, &accounts.load()?, group, to, on_account);
    let came_from: BTreeSet<StoreName> = all.iter().flat_map(|moving| moving.from.iter().copied()).collect();
    record(&accounts, &mut all, to, workspace.now());
    let moved: Vec<&Account> =
        all.iter().filter(|moving| moving.failed.is_none()).map(|moving| &moving.account).collect();
    let others = StoreName::KEEPING.into_iter().filter(|other| *other != to);
    for other in others.filter(|other| came_from.contains(other) || workspace.searches(*other)) {
        clear_old_copies(workspace, &moved, to, other);
    }
    ended.extend(all.into_iter().map(|moving| match moving.failed {
        None => (moving.named, Ok(moving.copied.into_iter().map(|(kind, _)| kind).collect())),
        Some(error) => (moving.named, Err(error)),
    }));
    Ok(ended)
}

/// Copies the secrets and reads the copies back. An account that no longer exists has failed.
fn copy_all<'a>(
    workspace: &Workspace,
    known: &[Account],
    group: &'a [Account],
    to: StoreName,
    mut on_account: impl FnMut(&Account),
) -> (Vec<Moving<'a>>, Vec<End<'a>>) {
    let known: HashMap<&str, &Account> = known.iter().map(|account| (account.id.as_str(), account)).collect();
    let mut gone: Vec<End<'a>> = Vec::new();
    let (mut all, written) = workspace.stores().file().at_once(|| {
        let mut all = Vec::new();
        for named in group {
            if workspace.reporter.is_stop_asked() {
                break;
            }
            on_account(named);
            let Some(account) = known.get(named.id.as_str()) else {
                let address = named.handle.to_string();
                gone.push((named, Err(AccountError::Unknown { address, near: Vec::new() }.into())));
                continue;
            };
            let mut moving =
                Moving { named, account: (*account).clone(), copied: Vec::new(), from: BTreeSet::new(), failed: None };
            moving.failed = copy(workspace, &mut moving, to).err();
            all.push(moving);
        }
        all
    });
    for moving in all.iter_mut().filter(|moving| moving.failed.is_none() && !moving.copied.is_empty()) {
        let written = written.clone().map_err(Error::from);
        moving.failed = written.and_then(|()| compare(workspace, moving, to)).err();
    }
    (all, gone)
}

fn copy(workspace: &Workspace, moving: &mut Moving<'_>, to: StoreName) -> Result<(), Error> {
    for (kind, from) in moving.account.secrets.iter().filter_map(|(kind, source)| Some((*kind, source.store()?))) {
        if from == to {
            continue;
        }
        let key = key(&moving.account, kind);
        let missing = || Error::credentials(format!("the {from} store has no {kind}"));
        let secret = workspace.store(from).get(&key)?.ok_or_else(missing)?;
        workspace.store(to).set(&key, &secret).map_err(|error| unstored(workspace, error))?;
        moving.copied.push((kind, secret));
        moving.from.insert(from);
    }
    Ok(())
}

fn compare(workspace: &Workspace, moving: &Moving<'_>, to: StoreName) -> Result<(), Error> {
    for (kind, secret) in &moving.copied {
        if workspace.store(to).get(&key(&moving.account, *kind))?.as_ref() != Some(secret) {
            return Err(Error::failed(format!("the {to} store returned a different {kind} from the stored one"))
                .note("the old one was not touched"));
        }
    }
    Ok(())
}

/// Records the new places.
fn record(accounts: &AccountStore, all: &mut [Moving<'_>], to: StoreName, now: jiff::Timestamp) {
    let mut moved: HashMap<String, &mut Moving<'_>> = all
        .iter_mut()
        .filter(|moving| moving.failed.is_none() && !moving.copied.is_empty())
        .map(|moving| (moving.account.id.clone(), moving))
        .collect();
    if moved.is_empty() {
        return;
    }
    let ids: Vec<String> = moved.keys().cloned().collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let recorded = accounts.update_all(&ids, |current| {
        let Some(moving) = moved.get_mut(&current.id) else { return };
        current.secrets.extend(moving.copied.iter().map(|(kind, _)| (*kind, SecretRef::Stored(to))));
        current.updated_at = now;
        moving.account = current.clone();
    });
    if let Err(error) = recorded {
        let error = Error::from(error);
        for moving in moved.into_values() {
            moving.failed = Some(error.clone());
        }
    }
}

/// Removes copies in another of our stores: those just moved, and those of an interrupted run.
fn clear_old_copies(workspace: &Workspace, accounts: &[&Account], to: StoreName, other: StoreName) {
    let warn = |account: &Account, error: &StoreError| {
        workspace.warning(&format!("an old copy of '{}' may be left in the {other} store: {error}", account.name));
    };
    let (mut cleared, written) = workspace.stores().file().at_once(|| {
        let mut cleared = Vec::new();
        for account in accounts.iter().copied() {
            let here = account.secrets.iter().filter(|(_, source)| source.store() == Some(to));
            for kind in here.map(|(kind, _)| *kind) {
                match workspace.store(other).remove(&key(account, kind)) {
                    Ok(there) => cleared.extend(there.then_some(account)),
                    // A missing store holds nothing of ours.
                    Err(StoreError::Absent(_) | StoreError::NoKey(_)) => {}
                    Err(error) => {
                        warn(account, &error);
                        break;
                    }
                }
            }
        }
        cleared
    });
    if let Err(error) = written {
        cleared.dedup_by_key(|account| &account.id);
        for account in cleared {
            warn(account, &error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files;
    use crate::operations::trial::Trial;
    use crate::secrets::SecretStore as _;

    const TOKEN: SecretKind = SecretKind::PageAccessToken;

    fn trial() -> Trial {
        let trial = Trial::new();
        let key = files::Lock::acquire(&trial.directory.path().join("key"), files::Lock::PATIENCE, &|_| {});
        key.and_then(|key| key.replace(&[7; 32])).expect("a key file");
        trial
    }

    /// Moves a group, without clearing old copies, which would ask the system's keyring.
    fn copied<'a>(trial: &Trial, group: &'a [Account]) -> Vec<Moving<'a>> {
        let accounts = trial.workspace.accounts().expect("accounts");
        let known = accounts.load().expect("records");
        let (mut all, gone) = copy_all(&trial.workspace, &known, group, StoreName::File, |_| {});
        assert!(gone.is_empty());
        record(&accounts, &mut all, StoreName::File, trial.workspace.now());
        all
    }

    #[test]
    fn a_record_names_the_new_place_once_the_copy_is_there() {
        let trial = trial();
        let group = [trial.account("Acme"), trial.account("Bravo")];
        for moving in copied(&trial, &group) {
            assert!(moving.failed.is_none(), "{:?}", moving.failed);
            let now = trial.now(moving.named);
            assert!(now.secrets.values().all(|source| source.store() == Some(StoreName::File)));
            for kind in now.secrets.keys() {
                let copy = trial.workspace.secret(&now, *kind).expect("the file answers");
                assert_eq!(copy, trial.secret(&now, *kind));
                assert!(copy.is_some());
            }
        }
    }

    #[test]
    fn an_account_with_a_secret_that_is_gone_stays_as_it_is() {
        let trial = trial();
        let group = [trial.account("Acme"), trial.account("Bravo")];
        trial.memory.remove(&key(&group[0], TOKEN)).expect("removed");
        let all = copied(&trial, &group);
        let error = all[0].failed.as_ref().expect("it fails");
        assert_eq!(error.message(), "the memory store has no page access token");
        assert_eq!(trial.now(&group[0]), group[0]);
        assert!(all[1].failed.is_none());
        assert_eq!(trial.now(&group[1]).secrets[&TOKEN], SecretRef::Stored(StoreName::File));
    }

    #[test]
    fn only_the_keyring_and_the_file_can_be_moved_to() {
        let trial = Trial::new();
        for to in [StoreName::Env, StoreName::Memory] {
            assert!(prepare(&trial.workspace, None, to).is_err(), "{to}");
        }
    }
}
