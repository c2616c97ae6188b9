//! Secrets: their kinds, the stores that keep them, and the references to them.

mod command;
mod credential;
mod dumps;
mod environment;
mod file;
mod input;
mod keyring;
mod kind;
mod memory;
mod plain_file;
mod print;
mod redact;
mod reference;
mod sealed;
mod shape;
mod store;
mod stores;
mod variable;
mod vault;

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

pub use credential::{credential_in, holds_credential};
pub(crate) use dumps::keep_out_of_dumps;
pub(crate) use environment::EnvironmentStore;
pub use file::{Ask, Asking};
pub(crate) use file::{FileStore, KeyAccess, KnownKey, MAKE_KEY_FILE, MAKE_OWN_KEY_FILE, NewKey, OWN_KEY_FILE};
pub(crate) use input::InputError;
pub(crate) use keyring::KeyringStore;
pub use kind::{SecretKind, StoreName, generate_verify_token};
pub use memory::MemoryStore;
pub(crate) use print::generate_print_key;
pub(crate) use redact::{redact, redacted};
pub(crate) use reference::check_vault_path;
pub use reference::{RefError, SecretRef};
pub use sealed::open_sealed;
pub(crate) use shape::{Giver, Shape, Verdict};
pub(crate) use store::{KeyMeans, SecretKey, SecretStore, StoreError};

pub(crate) use stores::{Stores, key_of};
pub(crate) use variable::misplaced as misplaced_variable;
pub(crate) use vault::{
    JwtSource, Trouble, Vault, VaultAddress, VaultConfig, VaultError, VaultLogin, VaultState, VaultStore, vault_policy,
};

/// A token, an app secret or a verify token. Wiped when dropped; it has no `Display`, and its
/// `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a value that is known to be a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value itself. For storing it and for putting it on the wire, nowhere else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// `text` with this secret masked, both as it is and URL-encoded.
    pub fn hidden_in(&self, text: &str) -> String {
        let value = self.expose();
        if value.is_empty() {
            return text.to_owned();
        }
        let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        text.replace(value, MASK).replace(&encoded, MASK)
    }

    /// A mask of fixed length, followed by the last four characters if the secret is long enough
    /// for that to be safe.
    pub fn masked(&self) -> String {
        const LONG_ENOUGH: usize = 16;
        let value = self.expose();
        let length = value.chars().count();
        let tail: String = if length < LONG_ENOUGH { String::new() } else { value.chars().skip(length - 4).collect() };
        format!("{MASK}{tail}")
    }
}

/// What stands for a hidden value.
pub use crate::text::MASK;

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(********)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_have_one_length_and_show_four_characters_at_most() {
        assert_eq!(Secret::new("EAAB0123456789abcdWXYZ").masked(), "********WXYZ");
        assert_eq!(Secret::new("short").masked(), "********");
        assert_eq!(Secret::new("").masked(), "********");
    }

    #[test]
    fn debug_shows_nothing() {
        let shown = format!("{:?}", Secret::new("EAABmarked0123456789"));
        assert_eq!(shown, "Secret(********)");
    }
}
