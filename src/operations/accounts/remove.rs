//! Removes accounts and their secrets.

use crate::accounts::{Account, AccountError};
use crate::operations::{Error, Workspace, key};
use crate::secrets::{SecretKind, SecretRef, StoreError, StoreName};
use crate::touched;

/// Removes an account and its secrets; returns the kinds of the removed secrets.
pub fn one(workspace: &Workspace, account: &Account, leave_secrets: bool) -> Result<Vec<String>, Error> {
    probe(workspace, account, leave_secrets)?;
    let tenant = workspace.hold_tenant()?;
    let _hold = workspace.reporter.hold();
    let again = format!("msgrctl account remove {} --yes", account.handle);
    let removed = group(workspace, &[account], leave_secrets, false)
        .and_then(|mut removed| removed.pop().unwrap_or_else(|| Err(Error::interrupted())));
    removed.map_err(|error| tenant.stopped(error, &again))
}

/// The removal of one account.
struct Removal {
    /// The position of its record.
    place: usize,
    account: Account,
    /// The removed secrets, and whether their stores had them.
    gone: Vec<(SecretKind, StoreName, bool)>,
    stuck: Option<Error>,
}

/// Removes accounts: first their records, then their secrets, each file written once. The
/// caller holds the tenant's lock. Returns for each account its removed secrets, or why it
/// stays. Accounts not reached after a stop, or after a failure with `fail_fast`, stay
/// unchanged; they are the last ones, and have no result.
///
/// # Errors
///
/// The records could not be written; nothing was removed.
pub fn group(
    workspace: &Workspace,
    accounts: &[&Account],
    leave_secrets: bool,
    fail_fast: bool,
) -> Result<Vec<Result<Vec<String>, Error>>, Error> {
    let store = workspace.accounts()?;
    let ids: Vec<&str> = accounts.iter().map(|account| account.id.as_str()).collect();
    // Read again: another process may have given one a secret in the meantime.
    let records = store.remove_all(&ids)?;
    let file = workspace.stores().file();
    workspace.stores().forget();
    workspace.read_ahead(accounts.iter().copied());
    let (mut removals, written) = file.at_once(|| {
        let mut removals: Vec<Option<Removal>> = Vec::new();
        for record in &records {
            let stops = |removal: &Option<Removal>| removal.as_ref().is_none_or(|removal| removal.stuck.is_some());
            if workspace.reporter.is_stop_asked() || fail_fast && removals.last().is_some_and(stops) {
                break;
            }
            let record = record.clone();
            removals.push(record.map(|(place, account)| remove_secrets(workspace, place, account, leave_secrets)));
        }
        removals
    });
    if let Err(error) = &written {
        removals.iter_mut().flatten().for_each(|removal| removal.keep_in_file(workspace, error, leave_secrets));
    }
    let left = records.iter().skip(removals.len()).flatten().map(|(place, account)| (*place, Some(account.clone())));
    let returning: Vec<_> =
        removals.iter().flatten().map(|removal| (removal.place, removal.left())).chain(left).collect();
    let put_back =
        if returning.iter().any(|(_, account)| account.is_some()) { store.put_back(returning) } else { Ok(()) };
    let back = put_back.err().map(|error| error.to_string());
    let reached = removals.len();
    let ends = removals.into_iter().zip(&ids).map(|(removal, id)| match removal {
        Some(removal) => removal.end(back.as_deref()),
        None => Err(AccountError::Unknown { address: (*id).into(), near: Vec::new() }.into()),
    });
    // An account that was not reached has a result if its record is lost.
    let lost = back.iter().flat_map(|back| {
        ids.iter().skip(reached).map(move |_| Err(Error::failed(format!("its record could not be put back: {back}"))))
    });
    Ok(ends.chain(lost).collect())
}

impl Removal {
    /// The encrypted file could not be written, so it still has the account's secrets.
    fn keep_in_file(&mut self, workspace: &Workspace, error: &StoreError, leave: bool) {
        let (kept, gone): (Vec<_>, Vec<_>) =
            self.gone.drain(..).partition(|(_, store, there)| *store == StoreName::File && *there);
        self.gone = gone;
        for (kind, store, _) in kept {
            if leave {
                warn_of_left(workspace, &self.account, kind, store, error);
            } else if self.stuck.is_none() {
                self.stuck = Some(stuck(&self.account, error.clone()));
            }
        }
    }

    /// The record of an account that stays, without its removed secrets.
    fn left(&self) -> Option<Account> {
        self.stuck.as_ref()?;
        let mut account = self.account.clone();
        account.secrets.retain(|kind, _| !self.gone.iter().any(|(gone, ..)| gone == kind));
        Some(account)
    }

    /// The result; `back` is why the record could not be restored.
    fn end(self, back: Option<&str>) -> Result<Vec<String>, Error> {
        let removed = self.gone.iter().filter(|(.., there)| *there).map(|(kind, ..)| kind.to_string());
        let removed: Vec<String> = removed.collect();
        let Some(mut error) = self.stuck else { return Ok(removed) };
        if !removed.is_empty() {
            error = error.note(format!("removed before: {}", removed.join(", ")));
        }
        Err(match back {
            None => error.note("the account is still there"),
            Some(failed) => error.note(format!("its record could not be put back: {failed}")),
        })
    }
}

/// Whether every store with a secret of the account can remove it; with `leave` only an
/// interrupt is an error.
pub fn probe(workspace: &Workspace, account: &Account, leave: bool) -> Result<(), Error> {
    account.secrets.values().filter_map(SecretRef::store).try_for_each(|store| match workspace.store(store).probe() {
        Err(StoreError::Interrupted) => Err(Error::interrupted()),
        Err(error) if !leave && touched::anything() => Err(stuck(account, error)),
        Err(error) if !leave => Err(stuck(account, error).note("nothing was changed")),
        _ => Ok(()),
    })
}

fn stuck(account: &Account, error: StoreError) -> Error {
    Error::from(error).context(format!("the secrets of '{}' cannot be removed", account.name)).hint(format!(
        "to remove the account anyway and leave its secrets where they are: msgrctl account remove {} --leave-secrets --yes",
        account.handle
    ))
}

/// Removes the account's secrets until one fails.
fn remove_secrets(workspace: &Workspace, place: usize, account: Account, leave: bool) -> Removal {
    let mut removal = Removal { place, gone: Vec::new(), stuck: None, account };
    for (kind, source) in &removal.account.secrets {
        // A reference names another program's secret.
        let Some(store) = source.store() else { continue };
        match workspace.store(store).remove(&key(&removal.account, *kind)) {
            Ok(there) => removal.gone.push((*kind, store, there)),
            Err(error) if leave => warn_of_left(workspace, &removal.account, *kind, store, &error),
            Err(error) => {
                removal.stuck = Some(stuck(&removal.account, error));
                break;
            }
        }
    }
    removal
}

fn warn_of_left(workspace: &Workspace, account: &Account, kind: SecretKind, store: StoreName, error: &StoreError) {
    let entry = key(account, kind).entry();
    workspace.warning(&format!("the {kind} may be left in the {store} store, as the entry msgrctl / {entry}: {error}"));
}
