//! The read-only store: one variable for each secret, for CI and containers.

use super::{Secret, SecretKey, SecretStore, StoreError, StoreName};
use crate::env::Environment;

/// Reads `MSGRCTL_SECRET_<HANDLE>_<KIND>`.
pub struct EnvironmentStore {
    env: Environment,
}

impl EnvironmentStore {
    pub fn new(env: Environment) -> Self {
        Self { env }
    }

    /// The variables that are kept from a program that prints a secret.
    pub(super) fn ours(&self) -> Vec<std::ffi::OsString> {
        self.env.ours()
    }

    /// The secret in a given variable.
    pub(super) fn variable(&self, name: &str) -> Result<Option<Secret>, StoreError> {
        let Some(value) = self.env.text(name) else { return Ok(None) };
        let damaged = |cause: String| StoreError::Damaged { store: StoreName::Env, entry: name.into(), cause };
        Secret::from_copy(value.as_bytes()).map(Some).map_err(|error| damaged(error.to_string()))
    }
}

impl SecretStore for EnvironmentStore {
    fn get(&self, key: &SecretKey) -> Result<Option<Secret>, StoreError> {
        self.variable(&key.variable())
    }

    fn set(&self, key: &SecretKey, _secret: &Secret) -> Result<(), StoreError> {
        Err(StoreError::ReadOnly(key.variable()))
    }

    /// Removes nothing: the variable belongs to the user who set it.
    fn remove(&self, _key: &SecretKey) -> Result<bool, StoreError> {
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::SecretKind;

    #[test]
    fn reads_a_variable_and_writes_none() {
        let env = Environment::default().with("MSGRCTL_SECRET_ACME_APP_SECRET", "hush\n");
        let store = EnvironmentStore::new(env);
        let key = |kind| SecretKey { account_id: "1".into(), handle: "acme".into(), account_name: "Acme".into(), kind };
        let found = store.get(&key(SecretKind::AppSecret)).expect("read");
        assert_eq!(found.expect("set").expose(), "hush");
        assert!(store.get(&key(SecretKind::VerifyToken)).expect("read").is_none());
        let refused = store.set(&key(SecretKind::AppSecret), &Secret::new("x"));
        assert!(matches!(refused, Err(StoreError::ReadOnly(variable)) if variable.ends_with("APP_SECRET")));
    }
}
