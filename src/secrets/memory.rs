//! Secrets in this process's memory, for the demo; lost when it ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Secret, SecretKey, SecretStore, StoreError};

/// Its clones share the secrets.
#[derive(Clone, Default)]
pub struct MemoryStore {
    entries: Arc<Mutex<HashMap<String, Secret>>>,
    #[cfg(test)]
    is_shut: Arc<std::sync::atomic::AtomicBool>,
}

impl MemoryStore {
    fn entries(&self) -> MutexGuard<'_, HashMap<String, Secret>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecretStore for MemoryStore {
    fn get(&self, key: &SecretKey) -> Result<Option<Secret>, StoreError> {
        Ok(self.entries().get(&key.entry()).cloned())
    }

    fn set(&self, key: &SecretKey, secret: &Secret) -> Result<(), StoreError> {
        #[cfg(test)]
        self.check()?;
        self.entries().insert(key.entry(), secret.clone());
        Ok(())
    }

    fn remove(&self, key: &SecretKey) -> Result<bool, StoreError> {
        #[cfg(test)]
        self.check()?;
        Ok(self.entries().remove(&key.entry()).is_some())
    }
}

#[cfg(test)]
impl MemoryStore {
    /// From now on it answers, but refuses to add or remove entries.
    pub fn shut(&self) {
        self.is_shut.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    fn check(&self) -> Result<(), StoreError> {
        let is_shut = self.is_shut.load(std::sync::atomic::Ordering::Relaxed);
        if is_shut { Err(StoreError::Failed("it is shut".into())) } else { Ok(()) }
    }
}
