//! Which entries of the stores belong to an account.

use std::collections::HashSet;

use crate::operations::{Error, Workspace, key};
use crate::secrets::{SecretKey, SecretKind, StoreName};

/// Which entries of the stores belong to an account of any tenant.
pub struct Owners(HashSet<(StoreName, String)>);

impl Owners {
    /// Reads the accounts of every tenant; a file that cannot be read is an error, because its
    /// entries are not known.
    pub fn read(workspace: &Workspace) -> Result<Self, Error> {
        let mut owned = HashSet::new();
        for tenant in workspace.tenant_names()? {
            for account in workspace.accounts_of(&tenant)?.load()? {
                for (kind, source) in &account.secrets {
                    owned.extend(source.store().map(|store| (store, key(&account, *kind).entry())));
                }
            }
        }
        Ok(Self(owned))
    }

    /// The key of one of our entries that no account refers to; `None` for any other entry.
    pub fn left_behind(&self, store: StoreName, entry: &str) -> Option<SecretKey> {
        let (account_id, kind) = entry.split_once('/')?;
        let kind = SecretKind::KEPT.into_iter().find(|known| known.argument() == kind)?;
        let owned = self.0.contains(&(store, entry.to_owned()));
        (!owned).then(|| SecretKey::of_entry(account_id, kind))
    }
}
