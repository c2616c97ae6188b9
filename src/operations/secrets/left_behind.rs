//! Secrets that belong to no account of this configuration: a killed process left them, or
//! another configuration that shares the keyring owns them.

use std::collections::BTreeMap;

use super::owners::Owners;
use crate::operations::{Error, Tenants, Workspace};
use crate::secrets::{SecretKey, StoreError, StoreName};
use crate::text::excerpt;

/// What the stores contain.
pub struct LeftBehind {
    /// The entries, by store.
    pub entries: Vec<Entry>,
    /// Whether this machine has no keyring.
    pub no_keyring: bool,
    /// Stores that did not answer, with the tenant where each has its own place.
    pub unknown: Vec<(StoreName, Option<String>, StoreError)>,
}

/// A secret that belongs to no account.
#[derive(Clone)]
pub struct Entry {
    /// The store.
    pub store: StoreName,
    /// The tenant; `None` in the keyring, which all tenants share.
    pub tenant: Option<String>,
    /// Id and kind; name and handle are not known.
    pub key: SecretKey,
    /// The former account, if the store tells.
    pub account: Option<String>,
}

impl Entry {
    fn is_same(&self, other: &Self) -> bool {
        self.store == other.store && self.tenant == other.tenant && self.key.entry() == other.key.entry()
    }

    /// `in the keyring`, `in the encrypted file of tenant acme`.
    fn place(&self) -> String {
        place(self.store, self.tenant.as_deref())
    }
}

fn place(store: StoreName, tenant: Option<&str>) -> String {
    match (store, tenant) {
        (StoreName::Vault, Some(tenant)) => format!("in Vault for tenant {tenant}"),
        (_, Some(tenant)) => format!("in the encrypted file of tenant {tenant}"),
        (_, None) => "in the keyring".into(),
    }
}

/// Searches the keyring, every tenant's encrypted file, and Vault where the settings choose it,
/// or one of them with `only`.
pub fn find(workspace: &Workspace, tenants: &Tenants<'_>, only: Option<StoreName>) -> Result<LeftBehind, Error> {
    let owners = Owners::read(workspace)?;
    let mut found = LeftBehind { entries: Vec::new(), no_keyring: false, unknown: Vec::new() };
    let is_searched = |store: &StoreName| only.map_or_else(|| workspace.searches(*store), |only| only == *store);
    for store in StoreName::KEEPING.into_iter().filter(is_searched) {
        let of_tenants = tenants.iter().map(|(tenant, inside)| (Some(tenant.to_owned()), inside));
        let places: Vec<_> = if store.is_shared() { vec![(None, workspace)] } else { of_tenants.collect() };
        for (tenant, inside) in places {
            match inside.store(store).entries() {
                Ok(entries) => found.entries.extend(entries.into_iter().filter_map(|(name, label)| {
                    let key = owners.left_behind(store, &name)?;
                    let account = key.account_of_label(&label).map(|name| excerpt(name, 100));
                    Some(Entry { store, tenant: tenant.clone(), key, account })
                })),
                Err(StoreError::Absent(_)) if store.is_shared() => found.no_keyring = true,
                Err(error) => found.unknown.push((store, tenant, error)),
            }
        }
    }
    found
        .entries
        .sort_by_cached_key(|entry| (entry.store, entry.tenant.clone(), entry.key.account_id.clone(), entry.key.kind));
    Ok(found)
}

/// A line for each former account: its name (or id) and its secrets.
pub fn in_words(entries: &[Entry]) -> Vec<String> {
    let mut accounts: BTreeMap<(String, &str), (String, Vec<&str>)> = BTreeMap::new();
    for entry in entries {
        let named = entry.account.as_ref().map_or_else(
            || format!("an account with the id {}", excerpt(&entry.key.account_id, 64)),
            |name| format!("'{name}'"),
        );
        let (_, kinds) =
            accounts.entry((entry.place(), entry.key.account_id.as_str())).or_insert_with(|| (named, Vec::new()));
        kinds.push(entry.key.kind.words());
    }
    accounts.into_iter().map(|((place, _), (named, kinds))| format!("{named}: {}, {place}", kinds.join(", "))).collect()
}

/// The removable entries. Every store must answer, or some would silently remain.
pub fn removable(workspace: &Workspace, tenants: &Tenants<'_>, only: Option<StoreName>) -> Result<Vec<Entry>, Error> {
    let found = find(workspace, tenants, only)?;
    match found.unknown.into_iter().next() {
        None => Ok(found.entries),
        Some((_, None, error)) => Err(error.into()),
        Some((store, Some(tenant), error)) => {
            Err(Error::from(error).context(format!("the secrets {}", place(store, Some(&tenant)))))
        }
    }
}

/// Removes the listed entries that still belong to no account, and returns their number.
pub fn remove(
    workspace: &Workspace,
    tenants: &Tenants<'_>,
    only: Option<StoreName>,
    listed: &[Entry],
) -> Result<usize, Error> {
    // Checked again under the lock; only listed entries are removed.
    let _tenants = workspace.hold_all_tenants()?;
    let _hold = workspace.reporter.hold();
    tenants.iter().for_each(|(_, inside)| inside.stores().forget());
    let now = if listed.is_empty() { Vec::new() } else { removable(workspace, tenants, only)? };
    let entries: Vec<&Entry> = now.iter().filter(|entry| listed.iter().any(|listed| listed.is_same(entry))).collect();
    let mut removed = 0;
    remove_each(workspace, tenants, &entries, &mut removed).map_err(|error| {
        let error = Error::from(error);
        if removed == 0 { error } else { error.note(format!("{removed} of {} are removed", entries.len())) }
    })?;
    Ok(removed)
}

/// Adds to `removed`. Each encrypted file is written once.
fn remove_each(
    workspace: &Workspace,
    tenants: &Tenants<'_>,
    entries: &[&Entry],
    removed: &mut usize,
) -> Result<(), StoreError> {
    for (tenant, inside) in tenants.iter() {
        let of_tenant = |store: StoreName| {
            entries.iter().filter(move |entry| entry.store == store && entry.tenant.as_deref() == Some(tenant))
        };
        for entry in of_tenant(StoreName::Vault) {
            *removed += usize::from(inside.store(entry.store).remove(&entry.key)?);
        }
        let of_file = || of_tenant(StoreName::File);
        if of_file().next().is_none() {
            continue;
        }
        let store = inside.store(StoreName::File);
        let mut gone = 0;
        let (taken, written) = inside
            .stores()
            .file()
            .at_once(|| of_file().try_for_each(|entry| store.remove(&entry.key).map(|was| gone += usize::from(was))));
        written?;
        *removed += gone;
        taken?;
    }
    for entry in entries.iter().filter(|entry| entry.tenant.is_none()) {
        *removed += usize::from(workspace.store(StoreName::Keyring).remove(&entry.key)?);
    }
    Ok(())
}
