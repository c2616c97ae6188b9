//! Secret first, then the record; taken back when the record cannot be saved. What
//! is removed goes last: a process that is killed in between leaves a secret too
//! many, never a record that names one too few.

use crate::accounts::{Account, AccountError};
use crate::cli::context::{Context, key};
use crate::cli::error::CliError;
use crate::secrets::{Secret, SecretKey, SecretKind, SecretRef, StoreName};
use crate::ui::interrupt::Hold;

/// What happens to one secret of an account.
pub struct Change {
    /// Which secret.
    pub kind: SecretKind,
    /// The new value and where it goes; `None`: it is removed.
    pub new: Option<(Secret, StoreName)>,
}

/// A secret as it was before it was touched.
struct Before {
    key: SecretKey,
    store: StoreName,
    value: Option<Secret>,
}

/// Stores the new secrets, runs `record`, then removes what nothing points to any
/// more. When storing or recording fails, or somebody presses Ctrl-C in between,
/// every secret is put back as it was.
///
/// `account` is the account as it will be, except that its record of where
/// secrets are is brought up to date here.
pub fn save(
    ctx: &Context,
    account: &mut Account,
    changes: Vec<Change>,
    record: impl FnOnce(&Account) -> Result<Account, AccountError>,
) -> Result<Account, CliError> {
    let hold = Hold::begin();
    let mut before = Vec::new();
    let mut obsolete = Vec::new();
    let stored = changes.into_iter().try_for_each(|change| store(ctx, account, change, &mut before, &mut obsolete));
    let done = stored.and_then(|()| {
        if hold.was_interrupted() {
            return Err(CliError::interrupted());
        }
        record(account).map_err(CliError::from)
    });
    let saved = done.map_err(|error| take_back(ctx, before, error))?;
    for (key, store) in obsolete {
        ctx.store(store).remove(&key).map_err(|error| {
            CliError::from(error)
                .context(format!("'{}' is changed, but its old {} is still in the {store} store", saved.name, key.kind))
                .cause(format!("the entry is msgrctl / {}", key.entry()))
        })?;
    }
    Ok(saved)
}

fn store(
    ctx: &Context,
    account: &mut Account,
    change: Change,
    before: &mut Vec<Before>,
    obsolete: &mut Vec<(SecretKey, StoreName)>,
) -> Result<(), CliError> {
    let kind = change.kind;
    let key = key(account, kind);
    let old = account.secrets.get(&kind).map(|reference| reference.0);
    let target = change.new.as_ref().map(|(_, store)| *store);
    match change.new {
        Some((secret, store)) => {
            let value = ctx.store(store).get(&key)?;
            before.push(Before { key: key.clone(), store, value });
            ctx.store(store).set(&key, &secret)?;
            account.secrets.insert(kind, SecretRef(store));
        }
        None => {
            account.secrets.remove(&kind);
        }
    }
    if let Some(old) = old.filter(|old| Some(*old) != target) {
        // A store that would not let it go is better known before anything is saved.
        ctx.store(old).probe()?;
        obsolete.push((key, old));
    }
    Ok(())
}

fn take_back(ctx: &Context, before: Vec<Before>, mut error: CliError) -> CliError {
    let mut stuck = Vec::new();
    let any = !before.is_empty();
    for Before { key, store, value } in before.into_iter().rev() {
        let store = ctx.store(store);
        let undone = match value {
            Some(value) => store.set(&key, &value),
            None => store.remove(&key).map(drop),
        };
        if undone.is_err() {
            stuck.push(key.kind.words());
        }
    }
    if !stuck.is_empty() {
        error = error.cause(format!("these secrets may be left in the store: {}", stuck.join(", ")));
    } else if any {
        error = error.cause("nothing was saved; the secrets were taken back");
    }
    error
}
