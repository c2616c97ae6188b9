//! The stores of this process, and reading a secret from where its record says it is.

use std::io;
use std::rc::Rc;

use super::{
    EnvironmentStore, FileStore, KeyMeans, KeyringStore, MemoryStore, Secret, SecretKey, SecretRef, SecretStore,
    StoreError, StoreName, command, sealed::Sealed,
};
use crate::files::{self, FileError};

/// The most bytes of a secret in a file.
const FILE_LIMIT: u64 = 64 * 1024;

/// The stores of this process. Each is opened when first used.
pub struct Stores {
    keyring: Rc<KeyringStore>,
    file: FileStore,
    env: EnvironmentStore,
    memory: MemoryStore,
}

impl Stores {
    pub fn new(keyring: Rc<KeyringStore>, file: FileStore, env: EnvironmentStore, memory: MemoryStore) -> Self {
        Self { keyring, file, env, memory }
    }

    /// The encrypted file, for callers that need it as a whole.
    pub fn file(&self) -> &FileStore {
        &self.file
    }

    /// Forgets earlier failures of the stores.
    pub fn try_again(&self) {
        self.keyring.try_again();
        self.file.try_again();
    }

    /// Reads a secret from where its record says it is; `None` if it is not there.
    pub fn read(&self, reference: &SecretRef, key: &SecretKey) -> Result<Option<Secret>, StoreError> {
        match reference {
            SecretRef::Stored(store) => self.store(*store).get(key),
            SecretRef::Variable(name) => self.env.variable(name),
            SecretRef::Keyring { service, user } => self.keyring.foreign(service, user),
            SecretRef::Command(words) => command::run(words, &self.env.ours()).map(Some),
            SecretRef::File(path) => {
                let unusable = |cause: String| StoreError::File { path: path.clone(), cause };
                match files::read_bytes(path, FILE_LIMIT) {
                    Ok(bytes) => Secret::from_copy(&bytes).map(Some).map_err(|error| unusable(error.to_string())),
                    Err(FileError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(FileError::Read { source, .. }) => Err(unusable(source.to_string())),
                    Err(error) => Err(unusable(error.to_string())),
                }
            }
        }
    }

    pub fn store(&self, name: StoreName) -> &dyn SecretStore {
        match name {
            StoreName::Keyring => &*self.keyring,
            StoreName::File => &self.file,
            StoreName::Env => &self.env,
            StoreName::Memory => &self.memory,
        }
    }
}

/// What opens the encrypted file at `path`; `None` if no file can be read there.
pub(crate) fn key_of(path: &std::path::Path) -> Option<KeyMeans> {
    const LARGEST: u64 = 256 * 1024 * 1024;
    let bytes = files::read_bytes(path, LARGEST).ok()?;
    Some(Sealed::parse(&bytes).ok()?.header.key.means())
}
