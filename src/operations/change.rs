//! Secret first, then the record; the secret is rolled back if the record cannot be saved.
//! Removals come last: a killed process may leave a secret too many, never a record of one
//! that is missing.

use crate::accounts::Account;
use crate::operations::journal::Changing;
use crate::operations::{Error, Workspace, key, unstored};
use crate::secrets::{Secret, SecretKey, SecretKind, SecretRef, StoreError, StoreName};

/// A change of one secret of an account.
pub struct Change {
    pub kind: SecretKind,
    /// The replacement; `None` removes it.
    pub new: Option<New>,
}

pub enum New {
    /// Its value, and the store that keeps it.
    Value(Secret, Target),
    /// A reference to a secret that another program keeps.
    Reference(SecretRef),
}

/// The store for a new secret.
#[derive(Clone, Copy)]
pub enum Target {
    /// This one.
    Chosen(StoreName),
    /// The store of the old value, or this one if there is none.
    WhereItIs(StoreName),
}

impl New {
    /// The store of ours that it goes to; `None` for a reference.
    pub fn store(&self) -> Option<StoreName> {
        match self {
            Self::Value(_, Target::Chosen(store) | Target::WhereItIs(store)) => Some(*store),
            Self::Reference(_) => None,
        }
    }
}

/// A secret before it was changed.
struct Before {
    key: SecretKey,
    store: StoreName,
    value: Option<Secret>,
}

/// Stores the new secrets, runs `record`, then removes what nothing refers to any more. If
/// storing or recording fails, or the operator presses Ctrl-C in between, every secret is
/// restored.
///
/// `account` is the account as it will be. Its record of where secrets are is read again and
/// updated here; no other command changes the tenant in the meantime.
pub fn save<E: Into<Error>>(
    workspace: &Workspace,
    account: &mut Account,
    changes: Vec<Change>,
    record: impl FnOnce(&Account) -> Result<Account, E>,
) -> Result<Account, Error> {
    // Prompts come now, while Ctrl-C still ends the command.
    let places = changes.iter().filter_map(|change| account.secrets.get(&change.kind)?.store());
    places.into_iter().try_for_each(|place| match workspace.store(place).probe() {
        Err(StoreError::Interrupted) => Err(StoreError::Interrupted),
        // Other errors are handled where they matter.
        _ => Ok(()),
    })?;
    let tenant = workspace.hold_tenant()?;
    workspace.stores().forget();
    let hold = workspace.reporter.hold();
    let now = workspace.accounts()?.load()?.into_iter().find(|known| known.id == account.id);
    if let Some(now) = now {
        account.secrets = now.secrets;
    }
    let stored = Stored::of(workspace, account, changes)?;
    let done = if hold.was_interrupted() { Err(Error::interrupted()) } else { record(account).map_err(Into::into) };
    match done {
        Ok(saved) => stored.settle(workspace, &tenant, &saved).map(|()| saved),
        Err(error) => Err(stored.take_back(workspace, error)),
    }
}

/// An account's secrets in their stores, before its record is written.
#[derive(Default)]
pub struct Stored {
    before: Vec<Before>,
    obsolete: Vec<(SecretKey, StoreName)>,
}

impl Stored {
    /// Stores the secrets of `account` and updates its record of where they are; if one cannot be
    /// stored, restores all. The caller holds the tenant.
    pub fn of(workspace: &Workspace, account: &mut Account, changes: Vec<Change>) -> Result<Self, Error> {
        let mut stored = Self { before: Vec::new(), obsolete: Vec::new() };
        let done = changes
            .into_iter()
            .try_for_each(|change| store(workspace, account, change, &mut stored.before, &mut stored.obsolete));
        match done {
            Ok(()) => Ok(stored),
            Err(error) => Err(stored.take_back(workspace, error)),
        }
    }

    /// After the record is written: logs the secrets, and removes what nothing refers to any
    /// more.
    pub fn settle(self, workspace: &Workspace, tenant: &Changing<'_>, saved: &Account) -> Result<(), Error> {
        Self::settle_all(workspace, tenant, &[(self, saved)]).remove(0)
    }

    /// The same for several accounts, each file written once; a result for each.
    pub fn settle_all(
        workspace: &Workspace,
        tenant: &Changing<'_>,
        all: &[(Self, &Account)],
    ) -> Vec<Result<(), Error>> {
        for (stored, saved) in all {
            stored.before.iter().for_each(|before| tenant.secret(&saved.id, before.key.kind));
        }
        let (removed, written) = workspace.stores().file().at_once(|| {
            let remove = |(key, store): &(SecretKey, StoreName)| workspace.store(*store).remove(key).map(drop);
            all.iter().map(|(stored, _)| stored.obsolete.iter().map(remove).collect()).collect::<Vec<Vec<_>>>()
        });
        let ends = all.iter().zip(removed);
        let ends: Vec<_> = ends.map(|((stored, saved), removed)| stored.left(removed, &written, saved)).collect();
        if ends.iter().any(Result::is_err) {
            tenant.partial();
        }
        ends
    }

    /// The error about old secrets that remain, and why.
    fn left(
        &self,
        removed: Vec<Result<(), StoreError>>,
        written: &Result<(), StoreError>,
        saved: &Account,
    ) -> Result<(), Error> {
        let ends = self.obsolete.iter().zip(removed).map(|((key, store), removed)| {
            let removed = if *store == StoreName::File { removed.and(written.clone()) } else { removed };
            removed.err().map(|error| (key, store, error))
        });
        let stuck: Vec<_> = ends.flatten().collect();
        let Some((_, store, error)) = stuck.first() else { return Ok(()) };
        let entries = stuck.iter().filter(|(_, of, _)| of == store).map(|(key, ..)| format!("--entry {}", key.entry()));
        let command = format!("msgrctl secret remove {} --store {store} --yes", entries.collect::<Vec<_>>().join(" "));
        let left = stuck
            .iter()
            .map(|(key, store, _)| format!("{} in the {store} store (entry msgrctl / {})", key.kind, key.entry()));
        let left = left.collect::<Vec<_>>().join(", ");
        let error = Error::from(error.clone());
        let error = error.context(format!("'{}' was changed, but this could not be removed: {left}", saved.name));
        Err(error.hint(format!("to remove what is left, when the store can be written again: {command}")))
    }

    /// After the record could not be written: restores every secret.
    pub fn take_back(self, workspace: &Workspace, error: Error) -> Error {
        Self::take_back_all(workspace, vec![(self, error)]).remove(0)
    }

    /// The same for several accounts, each file written once; the error for each.
    pub fn take_back_all(workspace: &Workspace, all: Vec<(Self, Error)>) -> Vec<Error> {
        let (stuck, written) = workspace
            .stores()
            .file()
            .at_once(|| all.iter().map(|(stored, _)| stored.put_back(workspace)).collect::<Vec<_>>());
        let ends = all.into_iter().zip(stuck);
        ends.map(|((stored, error), mut kinds)| {
            let in_file = |before: &&Before| before.store == StoreName::File && written.is_err();
            kinds.extend(stored.before.iter().filter(in_file).map(|before| before.key.kind));
            kinds.sort_unstable();
            kinds.dedup();
            if !kinds.is_empty() {
                let kinds: Vec<&str> = kinds.into_iter().map(SecretKind::words).collect();
                error.note(format!(
                    "nothing was saved, and these secrets may be left in the store: {}",
                    kinds.join(", ")
                ))
            } else if stored.before.is_empty() {
                error
            } else {
                error.note("nothing was saved, and the secrets were rolled back")
            }
        })
        .collect()
    }

    /// The encrypted file could not be written and still has the old secrets.
    pub fn forget_file(&mut self) {
        self.before.retain(|before| before.store != StoreName::File);
    }

    /// Restores the secrets, and returns those that could not be restored.
    fn put_back(&self, workspace: &Workspace) -> Vec<SecretKind> {
        let stuck = self.before.iter().rev().filter(|Before { key, store, value }| {
            let store = workspace.store(*store);
            match value {
                Some(value) => store.set(key, value),
                None => store.remove(key).map(drop),
            }
            .is_err()
        });
        stuck.map(|before| before.key.kind).collect()
    }
}

fn store(
    workspace: &Workspace,
    account: &mut Account,
    change: Change,
    before: &mut Vec<Before>,
    obsolete: &mut Vec<(SecretKey, StoreName)>,
) -> Result<(), Error> {
    let kind = change.kind;
    let adoption = matches!(change.new, Some(New::Reference(SecretRef::Stored(_))));
    if adoption && account.secrets.contains_key(&kind) {
        // Another process stored one in the meantime; it stays.
        return Ok(());
    }
    let key = key(account, kind);
    let old = account.secrets.get(&kind).and_then(SecretRef::store);
    let target = match &change.new {
        Some(New::Value(_, Target::Chosen(store))) => Some(*store),
        Some(New::Value(_, Target::WhereItIs(store))) => Some(old.unwrap_or(*store)),
        Some(New::Reference(_)) | None => None,
    };
    match change.new {
        Some(New::Reference(reference)) => {
            account.secrets.insert(kind, reference);
        }
        Some(New::Value(secret, _)) => {
            let Some(store) = target else { return Ok(()) };
            let value = match workspace.store(store).get(&key) {
                // A damaged secret need not be restored.
                Err(StoreError::Damaged { .. }) => None,
                other => other.map_err(|error| unstored(workspace, error))?,
            };
            before.push(Before { key: key.clone(), store, value });
            workspace.store(store).set(&key, &secret).map_err(|error| unstored(workspace, error))?;
            account.secrets.insert(kind, SecretRef::Stored(store));
        }
        None => {
            account.secrets.remove(&kind);
        }
    }
    if let Some(old) = old.filter(|old| Some(*old) != target) {
        // Find out before saving whether the old store can remove it; a store that is gone must not
        // block the change.
        match workspace.store(old).probe() {
            Ok(()) => obsolete.push((key, old)),
            Err(error) if error.is_gone() => workspace.warning(&format!(
                "the old {kind} may be left in the {old} store, as the entry msgrctl / {}: {error}",
                key.entry()
            )),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Says so if another account of the tenant has the same Page.
pub fn warn_of_twins(workspace: &Workspace, account: &Account) -> Result<(), Error> {
    let existing = workspace.accounts()?.load()?;
    let same =
        |other: &&Account| other.page_id == account.page_id && other.graph == account.graph && other.id != account.id;
    let twins: Vec<String> = existing.iter().filter(same).map(|twin| format!("'{}'", twin.name)).collect();
    if !twins.is_empty() {
        let (several, have) = if twins.len() == 1 { ("", "has") } else { ("s", "have") };
        workspace.warning(&format!(
            "the account{several} {} {have} the same page id {}",
            twins.join(", "),
            account.page_id
        ));
    }
    Ok(())
}

/// Says so if another account of the same app has another callback URL: Meta keeps one for the
/// app, and a manifest with both is refused.
pub fn warn_of_other_callbacks(workspace: &Workspace, account: &Account) -> Result<(), Error> {
    let (Some(app), Some(callback)) = (&account.app_id, &account.callback_url) else { return Ok(()) };
    let existing = workspace.accounts()?.load()?;
    let apart = |other: &&Account| {
        other.id != account.id
            && other.graph == account.graph
            && other.app_id.as_ref() == Some(app)
            && other.callback_url.as_ref().is_some_and(|url| url != callback)
    };
    if let Some(other) = existing.iter().find(apart) {
        workspace.warning(&format!(
            "app {app} has one callback URL for all of its Pages, and '{}' has another one than '{}': Meta keeps the one that is subscribed last",
            other.name, account.name
        ));
    }
    Ok(())
}

/// Variable names follow the handle. Refuses a handle whose variables another account
/// already has; names the new variables if the handle changes.
pub fn check_variables(workspace: &Workspace, account: &Account, old: Option<&Account>) -> Result<(), Error> {
    let kinds: Vec<SecretKind> = account
        .secrets
        .iter()
        .filter(|(_, source)| source.store() == Some(StoreName::Env))
        .map(|(kind, _)| *kind)
        .collect();
    if kinds.is_empty() || old.is_some_and(|old| old.handle == account.handle) {
        return Ok(());
    }
    let variable = |account: &Account, kind| key(account, kind).variable();
    for other in workspace.accounts()?.load()?.iter().filter(|other| other.id != account.id) {
        let theirs = other.secrets.values().any(|source| source.store() == Some(StoreName::Env));
        let kind = SecretKind::PageAccessToken;
        if theirs && variable(other, kind) == variable(account, kind) {
            return Err(Error::failed(format!(
                "the handles '{}' and '{}' name the same variables: {}",
                account.handle,
                other.handle,
                variable(account, kind)
            ))
            .hint("choose another with --handle"));
        }
    }
    if old.is_some() {
        let names: Vec<String> = kinds.into_iter().map(|kind| variable(account, kind)).collect();
        workspace.warning(&format!("its secrets are now read from {}", names.join(", ")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::trial::Trial;

    const TOKEN: SecretKind = SecretKind::PageAccessToken;

    fn new(kind: SecretKind, value: &str) -> Change {
        Change { kind, new: Some(New::Value(Secret::new(value), Target::Chosen(StoreName::Memory))) }
    }

    fn not_written(_: &Account) -> Result<Account, Error> {
        Err(Error::failed("the record cannot be written"))
    }

    #[test]
    fn a_record_that_cannot_be_written_leaves_every_secret_as_it_was() {
        let trial = Trial::new();
        let mut account = trial.account("Acme");
        let changes = vec![new(TOKEN, "EAABnew"), new(SecretKind::AppSecret, "new")];
        let error = save(&trial.workspace, &mut account, changes, not_written).expect_err("not saved");
        assert_eq!(
            error.message(),
            "the record cannot be written; nothing was saved, and the secrets were rolled back"
        );
        assert_eq!(trial.secret(&account, TOKEN), Some(Secret::new("EAABold")));
        assert_eq!(trial.secret(&account, SecretKind::AppSecret), None, "there was none");
        assert_eq!(trial.now(&account).secrets.len(), 2);
    }

    #[test]
    fn a_secret_that_cannot_be_stored_leaves_those_before_it_as_they_were() {
        let trial = Trial::new();
        let mut account = trial.account("Acme");
        let to_env = New::Value(Secret::new("new"), Target::Chosen(StoreName::Env));
        let changes = vec![new(TOKEN, "EAABnew"), Change { kind: SecretKind::AppSecret, new: Some(to_env) }];
        let error = save(&trial.workspace, &mut account, changes, |account| Ok::<_, Error>(account.clone()));
        assert!(error.expect_err("read only").message().ends_with("the secrets were rolled back"));
        assert_eq!(trial.secret(&account, TOKEN), Some(Secret::new("EAABold")));
    }

    #[test]
    fn a_secret_goes_only_after_the_record_and_stays_where_the_record_does() {
        let trial = Trial::new();
        let mut account = trial.account("Acme");
        let removal = || vec![Change { kind: TOKEN, new: None }];
        save(&trial.workspace, &mut account, removal(), not_written).expect_err("not saved");
        assert!(trial.secret(&account, TOKEN).is_some());
        let written = |account: &Account| {
            assert!(trial.secret(account, TOKEN).is_some(), "not before the record");
            Ok::<_, Error>(account.clone())
        };
        save(&trial.workspace, &mut account, removal(), written).expect("saved");
        assert_eq!(trial.secret(&account, TOKEN), None);
    }

    #[test]
    fn a_store_that_does_not_let_an_old_secret_go_is_named_with_its_entry() {
        let trial = Trial::new();
        let mut account = trial.account("Acme");
        let reference = SecretRef::Variable("TOKEN".into());
        let changes = vec![Change { kind: TOKEN, new: Some(New::Reference(reference.clone())) }];
        let tenant = trial.workspace.hold_tenant().expect("held");
        let stored = Stored::of(&trial.workspace, &mut account, changes).expect("stored");
        assert_eq!(account.secrets.get(&TOKEN), Some(&reference));
        trial.memory.shut();
        let error = stored.settle(&trial.workspace, &tenant, &account).expect_err("it stays");
        let left = "'Acme' was changed, but this could not be removed: page access token in the memory store";
        assert!(error.message().starts_with(left), "{}", error.message());
        let entry = format!("secret remove --entry {}/page-access-token --store memory", account.id);
        assert!(error.hints().iter().any(|hint| hint.contains(&entry)), "{:?}", error.hints());
    }

    #[test]
    fn several_are_rolled_back_together_and_each_says_what_may_be_left() {
        let trial = Trial::new();
        let mut accounts = [trial.account("Acme"), trial.account("Bravo")];
        let store = |account: &mut Account| {
            let stored = Stored::of(&trial.workspace, account, vec![new(TOKEN, "EAABnew")]).expect("stored");
            (stored, Error::failed("no"))
        };
        let all: Vec<_> = accounts.iter_mut().map(store).collect();
        assert!(accounts.iter().all(|account| trial.secret(account, TOKEN) == Some(Secret::new("EAABnew"))));
        let untouched = (Stored::default(), Error::failed("no"));
        let all = all.into_iter().chain([untouched]).collect();
        let errors = Stored::take_back_all(&trial.workspace, all);
        let said: Vec<&str> = errors.iter().map(Error::message).collect();
        let rolled_back = "no; nothing was saved, and the secrets were rolled back";
        assert_eq!(said, [rolled_back, rolled_back, "no"]);
        assert!(accounts.iter().all(|account| trial.secret(account, TOKEN) == Some(Secret::new("EAABold"))));

        let stuck: Vec<_> = accounts.iter_mut().take(1).map(store).collect();
        trial.memory.shut();
        let errors = Stored::take_back_all(&trial.workspace, stuck);
        let left = "no; nothing was saved, and these secrets may be left in the store: page access token";
        assert_eq!(errors[0].message(), left);
    }
}
