//! The stores of this process, and reading a secret from where its record says it is.

use std::path::Path;
use std::rc::Rc;

use super::{
    EnvironmentStore, FileStore, KeyMeans, KeyringStore, MemoryStore, Secret, SecretKey, SecretRef, SecretStore,
    StoreError, StoreName, VaultStore, command, plain_file, sealed::Sealed,
};
use crate::files;

/// The stores of this process. Each is opened when first used.
pub struct Stores {
    keyring: Rc<KeyringStore>,
    file: FileStore,
    vault: VaultStore,
    env: EnvironmentStore,
    memory: MemoryStore,
}

impl Stores {
    pub fn new(
        keyring: Rc<KeyringStore>,
        file: FileStore,
        vault: VaultStore,
        env: EnvironmentStore,
        memory: MemoryStore,
    ) -> Self {
        Self { keyring, file, vault, env, memory }
    }

    /// The encrypted file, for callers that need it as a whole.
    pub fn file(&self) -> &FileStore {
        &self.file
    }

    /// Vault, for what only it can answer.
    pub fn vault(&self) -> &VaultStore {
        &self.vault
    }

    /// Forgets earlier failures of the stores.
    pub fn try_again(&self) {
        self.keyring.try_again();
        self.file.try_again();
        self.vault.vault().try_again();
    }

    /// Forgets what was read: another command may have changed it.
    pub fn forget(&self) {
        self.file.forget();
        self.vault.vault().forget();
    }

    /// Reads a secret from where its record says it is; `None` if it is not there.
    pub fn read(&self, reference: &SecretRef, key: &SecretKey) -> Result<Option<Secret>, StoreError> {
        match reference {
            SecretRef::Stored(store) => self.store(*store).get(key),
            SecretRef::Variable(name) => self.env.variable(name),
            SecretRef::Keyring { service, user } => self.keyring.foreign(service, user),
            SecretRef::Command(words) => command::run(words, &self.env.ours()).map(Some),
            SecretRef::Vault { path, field } => self.vault.vault().field(path, field),
            SecretRef::File(path) => plain_file::read(path),
        }
    }

    /// Reads at once what is across a network: places, each with the id of its account. Failures
    /// are told when a secret is needed.
    pub fn read_ahead<'a>(&self, places: impl Iterator<Item = (&'a SecretRef, &'a str)>) {
        self.vault.read_ahead(places.filter_map(|(place, id)| match place {
            SecretRef::Stored(StoreName::Vault) => Some((id, None)),
            SecretRef::Vault { path, .. } => Some((id, Some(path.as_str()))),
            _ => None,
        }));
    }

    pub fn store(&self, name: StoreName) -> &dyn SecretStore {
        match name {
            StoreName::Keyring => &*self.keyring,
            StoreName::File => &self.file,
            StoreName::Vault => &self.vault,
            StoreName::Env => &self.env,
            StoreName::Memory => &self.memory,
        }
    }
}

/// What opens the encrypted file at `path`; `None` if no file can be read there.
pub(crate) fn key_of(path: &Path) -> Option<KeyMeans> {
    const LARGEST: u64 = 256 * 1024 * 1024;
    let bytes = files::read_bytes(path, LARGEST).ok()?;
    Some(Sealed::parse(&bytes).ok()?.header.key.means())
}
