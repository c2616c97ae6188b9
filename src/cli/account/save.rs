//! Secret first, then the record; taken back when the record cannot be saved. What
//! is removed goes last: a process that is killed in between leaves a secret too
//! many, never a record that names one too few.

use crate::accounts::Account;
use crate::cli::context::{Context, key};
use crate::cli::error::CliError;
use crate::cli::history::Changing;
use crate::secrets::{Secret, SecretKey, SecretKind, SecretRef, StoreError, StoreName};
use crate::ui::interrupt::Hold;

/// What happens to one secret of an account.
pub struct Change {
    /// Which secret.
    pub kind: SecretKind,
    /// What comes in its place; `None`: it is removed.
    pub new: Option<New>,
}

/// A new secret.
pub enum New {
    /// Its value, and the store that keeps it.
    Value(Secret, Target),
    /// Where it is kept for us.
    Reference(SecretRef),
}

/// The store that a new secret goes to.
#[derive(Clone, Copy)]
pub enum Target {
    /// This one.
    Chosen(StoreName),
    /// The one where the old value is; this one where there is none.
    WhereItIs(StoreName),
}

impl New {
    /// The store of ours that it goes to.
    pub fn store(&self) -> Option<StoreName> {
        match self {
            Self::Value(_, Target::Chosen(store) | Target::WhereItIs(store)) => Some(*store),
            Self::Reference(_) => None,
        }
    }
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
/// secrets are is read again, and brought up to date, here: nobody else changes
/// the tenant meanwhile.
pub fn save<E: Into<CliError>>(
    ctx: &Context,
    account: &mut Account,
    changes: Vec<Change>,
    record: impl FnOnce(&Account) -> Result<Account, E>,
) -> Result<Account, CliError> {
    // Whatever has to be asked for is asked for now, while Ctrl-C still ends all.
    let places = changes.iter().filter_map(|change| account.secrets.get(&change.kind)?.store());
    places.into_iter().try_for_each(|place| match ctx.store(place).probe() {
        Err(StoreError::Interrupted) => Err(StoreError::Interrupted),
        // Any other trouble is judged when it matters.
        _ => Ok(()),
    })?;
    let tenant = ctx.hold_tenant()?;
    ctx.stores().file().forget();
    let hold = Hold::begin();
    let now = ctx.accounts()?.load()?.into_iter().find(|known| known.id == account.id);
    if let Some(now) = now {
        account.secrets = now.secrets;
    }
    let stored = Stored::of(ctx, account, changes)?;
    let done = if hold.was_interrupted() { Err(CliError::interrupted()) } else { record(account).map_err(Into::into) };
    match done {
        Ok(saved) => stored.settle(ctx, &tenant, &saved).map(|()| saved),
        Err(error) => Err(stored.take_back(ctx, error)),
    }
}

/// The secrets of an account that are in their stores, while its record is not written yet.
#[derive(Default)]
pub struct Stored {
    before: Vec<Before>,
    obsolete: Vec<(SecretKey, StoreName)>,
}

impl Stored {
    /// Stores the secrets of `account` and brings its record of where they are up to date.
    /// When one cannot be stored, all are put back as they were. The caller holds the tenant.
    pub fn of(ctx: &Context, account: &mut Account, changes: Vec<Change>) -> Result<Self, CliError> {
        let mut stored = Self { before: Vec::new(), obsolete: Vec::new() };
        let done = changes
            .into_iter()
            .try_for_each(|change| store(ctx, account, change, &mut stored.before, &mut stored.obsolete));
        match done {
            Ok(()) => Ok(stored),
            Err(error) => Err(stored.take_back(ctx, error)),
        }
    }

    /// The record is written: notes the secrets in the log and removes what nothing points
    /// to any more.
    pub fn settle(self, ctx: &Context, tenant: &Changing<'_>, saved: &Account) -> Result<(), CliError> {
        for before in &self.before {
            tenant.secret(&saved.id, before.key.kind);
        }
        let mut stuck = Vec::new();
        for (key, store) in self.obsolete {
            if let Err(error) = ctx.store(store).remove(&key) {
                stuck.push((key, store, error));
            }
        }
        let Some((_, store, error)) = stuck.first() else { return Ok(()) };
        tenant.partial();
        let entries = stuck.iter().filter(|(_, of, _)| of == store).map(|(key, ..)| format!("--entry {}", key.entry()));
        let command = format!("msgrctl secret remove {} --store {store} --yes", entries.collect::<Vec<_>>().join(" "));
        let left = stuck
            .iter()
            .map(|(key, store, _)| format!("{} in the {store} store (entry msgrctl / {})", key.kind, key.entry()));
        let left = left.collect::<Vec<_>>().join(", ");
        let error = CliError::from(error.clone());
        let error = error.context(format!("'{}' is changed, but this is left: {left}", saved.name));
        Err(error.hint(format!("to remove what is left, when the store can be written again: {command}")))
    }

    /// The record could not be written: puts every secret back as it was.
    pub fn take_back(self, ctx: &Context, error: CliError) -> CliError {
        take_back(ctx, self.before, error)
    }
}

fn store(
    ctx: &Context,
    account: &mut Account,
    change: Change,
    before: &mut Vec<Before>,
    obsolete: &mut Vec<(SecretKey, StoreName)>,
) -> Result<(), CliError> {
    let kind = change.kind;
    let adoption = matches!(change.new, Some(New::Reference(SecretRef::Stored(_))));
    if adoption && account.secrets.contains_key(&kind) {
        // Another process gave it one meanwhile: that one stays.
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
            let value = match ctx.store(store).get(&key) {
                // What cannot be used need not come back.
                Err(StoreError::Damaged { .. }) => None,
                other => other?,
            };
            before.push(Before { key: key.clone(), store, value });
            ctx.store(store).set(&key, &secret)?;
            account.secrets.insert(kind, SecretRef::Stored(store));
        }
        None => {
            account.secrets.remove(&kind);
        }
    }
    if let Some(old) = old.filter(|old| Some(*old) != target) {
        // A store that would not let it go is better known before anything is saved;
        // one that is gone for good must not hold its secrets back.
        match ctx.store(old).probe() {
            Ok(()) => obsolete.push((key, old)),
            Err(error @ (StoreError::Absent { .. } | StoreError::TimedOut { .. })) => ctx.output.warning(&format!(
                "the old {kind} may be left in the {old} store, as the entry msgrctl / {}: {error}",
                key.entry()
            )),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn take_back(ctx: &Context, before: Vec<Before>, error: CliError) -> CliError {
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
        error.note(format!("nothing was saved, and these secrets may be left in the store: {}", stuck.join(", ")))
    } else if any {
        error.note("nothing was saved, and the secrets were taken back")
    } else {
        error
    }
}

/// Says so when another account of the tenant has the same Page.
pub fn warn_of_twins(ctx: &Context, account: &Account) -> Result<(), CliError> {
    let existing = ctx.accounts()?.load()?;
    let same =
        |other: &&Account| other.page_id == account.page_id && other.graph == account.graph && other.id != account.id;
    if let Some(twin) = existing.iter().find(same) {
        ctx.output.warning(&format!("the account '{}' has the same page id {}", twin.name, twin.page_id));
    }
    Ok(())
}

/// The names of the variables follow the handle. Refuses a handle whose variables
/// another account has already; says what they are called now when it changes.
pub fn check_variables(ctx: &Context, account: &Account, old: Option<&Account>) -> Result<(), CliError> {
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
    for other in ctx.accounts()?.load()?.iter().filter(|other| other.id != account.id) {
        let theirs = other.secrets.values().any(|source| source.store() == Some(StoreName::Env));
        let kind = SecretKind::PageAccessToken;
        if theirs && variable(other, kind) == variable(account, kind) {
            return Err(CliError::failed(format!(
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
        ctx.output.warning(&format!("its secrets are now read from {}", names.join(", ")));
    }
    Ok(())
}
