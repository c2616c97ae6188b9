//! Renames accounts.

use crate::accounts::{self, Account, Handle, Name};
use crate::operations::{Error, Workspace, change, key};

/// A rename that may be carried out.
pub struct Prepared {
    old: Account,
    name: Name,
    handle: Handle,
}

/// Prepares a new name or handle; `None` if nothing changes.
pub fn prepare(
    workspace: &Workspace,
    old: &Account,
    name: Name,
    handle: Option<Handle>,
) -> Result<Option<Prepared>, Error> {
    let handle = handle.unwrap_or_else(|| old.handle.clone());
    if name == old.name && handle == old.handle {
        return Ok(None);
    }
    let mut others = workspace.accounts()?.load()?;
    others.retain(|other| other.id != old.id);
    let new = Account { name: name.clone(), handle: handle.clone(), ..old.clone() };
    accounts::check_renamed(&others, old, &new)?;
    change::check_variables(workspace, &new, Some(old))?;
    Ok(Some(Prepared { old: old.clone(), name, handle }))
}

/// Renames the account and returns it.
pub fn carry_out(workspace: &Workspace, prepared: Prepared) -> Result<Account, Error> {
    let Prepared { old, name, handle } = prepared;
    let _tenant = workspace.hold_tenant()?;
    let now = workspace.now();
    let renamed = workspace.accounts()?.update(&old.id, |account| {
        account.name = name;
        // A handle that another command set in the meantime stays.
        if handle != old.handle {
            account.handle = handle;
        }
        account.updated_at = now;
    })?;
    if renamed.name != old.name {
        relabel(workspace, &renamed);
    }
    Ok(renamed)
}

/// The keyring's label follows the name. It is only for people: an old label does no harm.
pub fn relabel(workspace: &Workspace, account: &Account) {
    for (kind, source) in &account.secrets {
        let Some(store) = source.store() else { continue };
        if let Err(error) = workspace.store(store).relabel(&key(account, *kind)) {
            workspace.warning(&format!("the {source} store still shows the old name: {error}"));
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::trial::Trial;
    use crate::secrets::SecretKind;

    fn name(name: &str) -> Name {
        name.parse().expect("a name")
    }

    #[test]
    fn an_account_keeps_its_secrets_and_its_handle_under_another_name() {
        let trial = Trial::new();
        let old = trial.account("Acme");
        let prepared = prepare(&trial.workspace, &old, name("Bravo"), None).expect("free").expect("a change");
        assert_eq!(trial.now(&old).name, old.name, "not yet");
        let renamed = carry_out(&trial.workspace, prepared).expect("renamed");
        assert_eq!((renamed.name.as_str(), renamed.handle.as_str()), ("Bravo", "acme"));
        assert_eq!(trial.now(&old), renamed);
        assert!(trial.secret(&renamed, SecretKind::PageAccessToken).is_some());
        let handle = "bravo".parse().expect("a handle");
        let prepared =
            prepare(&trial.workspace, &renamed, name("Bravo"), Some(handle)).expect("free").expect("a change");
        assert_eq!(carry_out(&trial.workspace, prepared).expect("renamed").handle.as_str(), "bravo");
    }

    #[test]
    fn a_name_that_is_taken_is_refused_and_the_same_one_is_no_change() {
        let trial = Trial::new();
        let (old, _other) = (trial.account("Acme"), trial.account("Bravo"));
        assert!(prepare(&trial.workspace, &old, name("BRAVO"), None).is_err());
        let handle = Some("bravo".parse().expect("a handle"));
        assert!(prepare(&trial.workspace, &old, name("Acme"), handle).is_err());
        assert!(prepare(&trial.workspace, &old, name("Acme"), None).expect("free").is_none());
    }
}
