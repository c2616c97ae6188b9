//! Removes a tenant and its files.

use std::path::PathBuf;

use crate::accounts::{Account, TenantName};
use crate::operations::apply::saved;
use crate::operations::config;
use crate::operations::{Error, Origin, Workspace, accounts, groups};
use crate::secrets::SecretStore as _;
use crate::storage::names;

/// A tenant that may be removed.
pub struct Prepared {
    pub name: TenantName,
    /// Its accounts, which are removed too.
    pub accounts: Vec<Account>,
    /// Whether `config.toml` names it as the current tenant.
    pub is_worked_in: bool,
    /// The tenant's own stores.
    inside: Workspace,
}

impl Prepared {
    /// `1 account`, `3 accounts`.
    pub fn count(&self) -> String {
        if self.accounts.len() == 1 { "1 account".to_owned() } else { format!("{} accounts", self.accounts.len()) }
    }
}

/// Prepares the removal.
///
/// # Errors
///
/// It has accounts, and `with_accounts` is not set.
pub fn prepare(workspace: &Workspace, name: TenantName, with_accounts: bool) -> Result<Prepared, Error> {
    let accounts = workspace.accounts_of(name.as_str())?.load()?;
    let here = &workspace.settings()?.tenant;
    let is_worked_in = here.value == name && matches!(here.origin, Origin::File(..));
    let inside = workspace.in_tenant(name.as_str());
    let prepared = Prepared { name, accounts, is_worked_in, inside };
    if prepared.accounts.is_empty() || with_accounts {
        return Ok(prepared);
    }
    let (name, count) = (&prepared.name, prepared.count());
    Err(Error::failed(format!("the tenant '{name}' has {count}; nothing was changed"))
        .hint("to remove them and their secrets too: --with-accounts"))
}

/// Removes the accounts, then the tenant; it stays if an account stays. `again`: the command
/// that continues. Returns its directory if other files keep it.
pub fn carry_out(prepared: &Prepared, again: &str) -> Result<Option<PathBuf>, Error> {
    let Prepared { name, accounts, is_worked_in, inside } = prepared;
    // Passphrase prompts come now, while Ctrl-C still ends the command.
    accounts.iter().try_for_each(|account| accounts::remove::probe(inside, account, false))?;
    let file = inside.stores().file();
    let opens = file.is_made()? == Some(true) && file.probe().is_ok();
    let paths = &inside.settings()?.paths;
    let directory = paths.tenant_dir(name.as_str());
    let change = inside.hold_tenant()?.and_configuration()?;
    let hold = inside.reporter.hold();
    let ids = |accounts: &[Account]| accounts.iter().map(|account| account.id.clone()).collect::<Vec<_>>();
    if ids(&inside.accounts()?.load()?) != ids(accounts) {
        return Err(Error::failed(format!(
            "another command has added or removed accounts of '{name}' in the meantime; nothing was changed"
        ))
        .hint("msgrctl tenant list shows how many there are; then try again"));
    }
    // Without one no plan was made from files; a shared state has one with its first record.
    let lineage = inside.records()?.version(name.as_str(), false)?.lineage;
    let remove = || {
        remove_accounts(inside, accounts)?;
        if !lineage.is_empty()
            && let Err(error) = saved::forget_key(inside, &lineage, name)
        {
            inside.warning(&format!("the key of its saved plans stays: {}", error.message()));
        }
        if opens && let Err(error) = file.remove_empty() {
            inside.warning(&error.to_string());
        }
        let tenant = name.as_str();
        for name in
            [names::tenant(tenant), names::chat_settings(tenant), names::health(tenant), names::accounts(tenant)]
        {
            inside.place(name)?.remove()?;
        }
        if *is_worked_in {
            config::write(&paths.config_file(), "tenant", None)?;
        }
        Ok::<_, Error>(())
    };
    let removed = remove().map_err(|error| change.stopped(error, again));
    if removed.is_ok() {
        inside.storage()?.forget_tenant(name.as_str());
    }
    // Logged before an interrupt may end the process.
    drop(change);
    drop(hold);
    removed?;
    Ok(directory.exists().then_some(directory))
}

/// Removes the accounts until one stays; its error says what was removed.
fn remove_accounts(workspace: &Workspace, accounts: &[Account]) -> Result<(), Error> {
    let mut removed = 0;
    let so_far =
        |removed: usize| format!("{removed} of {} accounts were removed, and the tenant stays", accounts.len());
    for group in groups(accounts) {
        let group: Vec<&Account> = group.iter().collect();
        let results = match accounts::remove::group(workspace, &group, false, false) {
            Ok(results) => results,
            Err(error) => return Err(error.note(so_far(removed))),
        };
        let mut failed = Vec::new();
        for (account, result) in group.iter().zip(results) {
            match result {
                Ok(_) => removed += 1,
                Err(error) => failed.push((account, error)),
            }
        }
        let mut failed = failed.into_iter();
        if let Some((_, first)) = failed.next() {
            for (account, error) in failed {
                workspace.warning(&format!("'{}': {}", account.name, error.message()));
            }
            return Err(first.note(so_far(removed)));
        }
        if removed < accounts.len() && workspace.reporter.is_stop_asked() {
            return Err(Error::interrupted().note(format!("{}; run it again to continue", so_far(removed))));
        }
    }
    Ok(())
}
