//! Secrets in this process's memory: for the demo, gone when it ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Secret, SecretKey, SecretStore, StoreError};

/// Shared by its clones.
#[derive(Clone, Default)]
pub struct MemoryStore {
    entries: Arc<Mutex<HashMap<String, Secret>>>,
}

impl MemoryStore {
    fn entries(&self) -> MutexGuard<'_, HashMap<String, Secret>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecretStore for MemoryStore {
    fn probe(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn get(&self, key: &SecretKey) -> Result<Option<Secret>, StoreError> {
        Ok(self.entries().get(&key.entry()).cloned())
    }

    fn set(&self, key: &SecretKey, secret: &Secret) -> Result<(), StoreError> {
        self.entries().insert(key.entry(), secret.clone());
        Ok(())
    }

    fn remove(&self, key: &SecretKey) -> Result<bool, StoreError> {
        Ok(self.entries().remove(&key.entry()).is_some())
    }

    fn relabel(&self, _key: &SecretKey) -> Result<(), StoreError> {
        Ok(())
    }
}
