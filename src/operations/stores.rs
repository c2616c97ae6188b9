//! Opens the secret stores of a workspace: a key file, a variable or a prompt gives the key of
//! the encrypted file.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::rc::Rc;

use super::Workspace;
use crate::secrets::{EnvironmentStore, FileStore, KeyAccess, KeyringStore, MemoryStore, Secret, Stores};

/// A shorter passphrase gets a warning.
pub const SHORT_PASSPHRASE: usize = 12;

/// The stores of one run; none has been read yet.
pub(super) fn open(workspace: &Workspace, keyring: &OnceCell<Rc<KeyringStore>>, memory: MemoryStore) -> Stores {
    let reporter = workspace.reporter.clone();
    let on_dialog = move || reporter.notice("waiting for the keyring to be unlocked: see its dialog …");
    let can_unlock = workspace.reporter.can_unlock();
    let keyring = keyring.get_or_init(|| Rc::new(KeyringStore::new(can_unlock, Box::new(on_dialog)))).clone();
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
        EnvironmentStore::new(workspace.env.clone()),
        memory,
    )
}
