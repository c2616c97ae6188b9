//! Opens the secret stores of a workspace: a key file, a variable or a prompt gives the key of
//! the encrypted file. Which stores are asked, and when.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::rc::Rc;

use super::Workspace;
use crate::accounts::Account;
use crate::secrets::{
    EnvironmentStore, FileStore, KeyAccess, KeyringStore, MemoryStore, Secret, SecretKind, SecretRef, StoreName,
    Stores, Trouble, Vault, VaultError, VaultStore,
};

/// A shorter passphrase gets a warning.
pub const SHORT_PASSPHRASE: usize = 12;

/// The stores that all tenants share, so that a failed unlock or login is not repeated.
#[derive(Default)]
pub(super) struct Shared {
    keyring: OnceCell<Rc<KeyringStore>>,
    vault: OnceCell<Rc<Vault>>,
}

/// The connection to Vault; its settings are checked when it is used.
fn vault(workspace: &Workspace) -> Vault {
    let settings = workspace.settings().cloned();
    let env = workspace.env.clone();
    Vault::new(Box::new(move || match &settings {
        Ok(settings) => settings.vault.config(&env, settings.timeout.value.0, settings.ca_bundle.as_ref()),
        Err(error) => {
            Err(VaultError { trouble: Trouble::Settings, address: String::new(), detail: error.message().into() })
        }
    }))
}

/// The stores of one run; none has been read yet.
pub(super) fn open(workspace: &Workspace, shared: &Shared, memory: MemoryStore) -> Stores {
    let reporter = workspace.reporter.clone();
    let on_dialog = move || reporter.notice("waiting for the keyring to be unlocked: see its dialog …");
    let can_unlock = workspace.reporter.can_unlock();
    let keyring = shared.keyring.get_or_init(|| Rc::new(KeyringStore::new(can_unlock, Box::new(on_dialog)))).clone();
    let passphrase = workspace.env.text("MSGRCTL_PASSPHRASE");
    let passphrase = passphrase.map(|text| Secret::from_input(text.as_bytes()));
    if passphrase.as_ref().is_some_and(|passphrase| {
        passphrase.as_ref().is_ok_and(|passphrase| passphrase.expose().chars().count() < SHORT_PASSPHRASE)
    }) {
        workspace.warning(&format!("MSGRCTL_PASSPHRASE has fewer than {SHORT_PASSPHRASE} characters"));
    }
    let key_file = workspace.settings().ok().and_then(|settings| Some(settings.key_file.as_ref()?.value.clone()));
    let access = KeyAccess { key_file, passphrase, ask: workspace.reporter.passphrase_prompt() };
    // Operations read the settings first; without them there is no tenant.
    let (path, tenant) = match workspace.settings() {
        Ok(settings) => {
            let tenant = settings.tenant.value.as_str();
            (settings.paths.secrets_file(tenant), tenant)
        }
        Err(_) => (PathBuf::new(), ""),
    };
    Stores::new(
        keyring.clone(),
        FileStore::new(path, tenant, access, keyring),
        VaultStore::new(shared.vault.get_or_init(|| Rc::new(vault(workspace))).clone(), tenant),
        EnvironmentStore::new(workspace.env.clone()),
        memory,
    )
}

impl Workspace {
    /// Asks the stores of these accounts, and `more`, so that their prompts come before a progress
    /// line starts. Their errors are handled where they matter.
    pub(crate) fn ask_stores<'a>(
        &self,
        accounts: impl IntoIterator<Item = &'a Account>,
        more: impl IntoIterator<Item = StoreName>,
    ) {
        let of = |account: &'a Account| account.secrets.values().filter_map(SecretRef::store);
        // A store set aside would ask for a new key only to be empty.
        let is_there = |store: &StoreName| !matches!(self.store(*store).is_made(), Ok(Some(false)));
        let of_accounts: BTreeSet<StoreName> = accounts.into_iter().flat_map(of).collect();
        let stores: BTreeSet<StoreName> = of_accounts.into_iter().filter(is_there).chain(more).collect();
        for store in stores {
            let _ = self.store(store).probe();
        }
    }

    /// Reads the secrets of many accounts at once, where their store is across a network.
    pub(crate) fn read_ahead<'a>(&self, accounts: impl IntoIterator<Item = &'a Account>) {
        let of = |account: &'a Account| account.secrets.values().map(|place| (place, account.id.as_str()));
        self.stores().read_ahead(accounts.into_iter().flat_map(of));
    }

    /// Whether a reference leads to an entry of msgrctl's own: those are removed with their accounts,
    /// so no other record may depend on them.
    pub(crate) fn is_own_entry(&self, reference: &SecretRef) -> bool {
        let SecretRef::Vault { path, field } = reference else { return reference.is_our_own_entry() };
        let place = self.settings().ok().and_then(|settings| settings.vault.place().ok());
        let is_within = |(_, folder): (String, String)| {
            let rest = path.trim_matches('/').strip_prefix(&folder).and_then(|rest| rest.strip_prefix('/'));
            rest.is_some_and(|rest| rest.matches('/').count() == 1)
        };
        SecretKind::KEPT.iter().any(|kind| kind.key() == field) && place.is_some_and(is_within)
    }

    /// Whether a store is searched for entries that no record names: a Vault only where the
    /// settings choose it, since its variables belong to other programs too.
    pub(crate) fn searches(&self, store: StoreName) -> bool {
        store != StoreName::Vault
            || self.settings().is_ok_and(|set| set.store.value == store || set.vault.is_configured())
    }
}
