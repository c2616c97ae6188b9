//! The trait of all stores, and their errors.

use std::path::PathBuf;
use std::time::Duration;

use super::{InputError, Secret, SecretKind, StoreName, Trouble, VaultError, variable};
use crate::text::words;

/// Names a secret: its account and its kind.
#[derive(Clone, Debug)]
pub struct SecretKey {
    /// The account's id, which never changes; writable stores file the secret under it.
    pub account_id: String,
    /// The account's handle, which the variable's name is made from.
    pub handle: String,
    /// The account's name, for a label that the user recognises.
    pub account_name: String,
    /// Page access token, app secret or verify token.
    pub kind: SecretKind,
}

impl SecretKey {
    /// The key with only what finds an entry.
    pub fn of_entry(account_id: &str, kind: SecretKind) -> Self {
        Self { account_id: account_id.into(), handle: String::new(), account_name: String::new(), kind }
    }

    /// The name of the entry in a store: `ID/page-access-token`.
    pub fn entry(&self) -> String {
        format!("{}/{}", self.account_id, self.kind.argument())
    }

    /// The entry's label in the keyring's own program.
    pub fn label(&self) -> String {
        format!("msgrctl: {} – {}", self.account_name, self.kind.words())
    }

    /// The account's name in a label of this kind of secret; `None` for another text.
    pub fn account_of_label<'l>(&self, label: &'l str) -> Option<&'l str> {
        let kind = format!(" – {}", self.kind.words());
        label.strip_prefix("msgrctl: ")?.strip_suffix(&kind).filter(|name| !name.is_empty())
    }

    /// The variable of the read-only `env` store:
    /// `MSGRCTL_SECRET_ACME_SUPPORT_PAGE_ACCESS_TOKEN`.
    pub fn variable(&self) -> String {
        variable::of_store(&self.handle, self.kind)
    }
}

/// Where the key of an encrypted file comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMeans {
    Keyring,
    KeyFile,
    Passphrase,
}

words!(KeyMeans { Keyring => "its key in the keyring", KeyFile => "the key file", Passphrase => "the passphrase" });

/// Why a store failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// No keyring answers on this machine: what was missing, in words.
    #[error("this machine has no keyring that answers: {0}")]
    Absent(String),
    /// It is locked, and there was no user to unlock it.
    #[error("the keyring is locked")]
    Locked,
    /// The user did not unlock it, or the dialog could not open.
    #[error("the keyring was not unlocked: its dialog was dismissed or could not be shown")]
    Declined,
    /// It accepted the request and did not answer: how long was waited.
    #[error("the keyring did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// It can only be read.
    #[error("the env store is read only: it takes secrets from variables and keeps none")]
    ReadOnly(String),
    /// More than one entry has this name.
    #[error("the keyring holds several entries for {0}")]
    Ambiguous(String),
    /// The value under this name is not a secret.
    #[error("what the {store} store holds for {entry} cannot be used: {cause}")]
    Damaged { store: StoreName, entry: String, cause: String },
    /// The encrypted file is damaged or not valid. It was not changed.
    #[error("the encrypted file {} cannot be used: {cause}", path.display())]
    BrokenFile { path: PathBuf, cause: String },
    /// The encrypted file, or a directory in its path, is a dangling link.
    #[error("{cause}")]
    Dangling { link: PathBuf, cause: String },
    /// The encrypted file, or its key file, is open to others.
    #[error("{} is not used: {why}", path.display())]
    Exposed { path: PathBuf, why: String },
    /// The key of the encrypted file is missing: where it comes from.
    #[error("the encrypted file needs {0}, which is not there")]
    NoKey(KeyMeans),
    /// The key does not fit the encrypted file: where it comes from.
    #[error("{0} does not open the encrypted file")]
    WrongKey(KeyMeans),
    /// MSGRCTL_PASSPHRASE is not valid: what is wrong with it.
    #[error("MSGRCTL_PASSPHRASE cannot be a passphrase: {0}")]
    Passphrase(InputError),
    /// The user pressed Ctrl-C at the store's prompt.
    #[error("interrupted")]
    Interrupted,
    /// No source for the key of a new encrypted file: why the keyring cannot keep one.
    #[error("a new encrypted file needs a key: no key file, no passphrase, and no keyring ({0})")]
    NoNewKey(String),
    /// A key file that cannot be used.
    #[error("the key file {} cannot be used: {cause}", path.display())]
    KeyFile { path: PathBuf, cause: String },
    /// The encrypted file could not be written: the system's error. The old one is still there.
    #[error("the encrypted file could not be written: {0}")]
    Write(String),
    /// The file that a reference names exists but cannot be used.
    #[error("the secret in {} cannot be used: {cause}", path.display())]
    File { path: PathBuf, cause: String },
    /// A program that should print a secret did not.
    #[error("the command '{program}' did not return a secret: {cause}")]
    Command { program: String, cause: String },
    /// Vault did not do what it was asked.
    #[error("{0}")]
    Vault(VaultError),
    /// Any other error, as the system reported it.
    #[error("the keyring refused: {0}")]
    Failed(String),
}

impl StoreError {
    /// Whether there is no answer at all, neither from a keyring nor from a server.
    pub fn is_gone(&self) -> bool {
        match self {
            Self::Absent(_) | Self::TimedOut(_) => true,
            Self::Vault(error) => matches!(error.trouble, Trouble::Unreachable | Trouble::Slow),
            _ => false,
        }
    }

    /// Whether the keyring does not answer.
    pub fn is_keyring_away(&self) -> bool {
        matches!(self, Self::Absent(_) | Self::Locked | Self::Declined | Self::TimedOut(_))
    }
}

/// A place that keeps secrets.
pub trait SecretStore {
    /// Whether it can be used now. Cheap; commands call it first, before work that would be lost
    /// if the store failed later.
    fn probe(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// The secret; `None` if the store answers and does not have it.
    fn get(&self, key: &SecretKey) -> Result<Option<Secret>, StoreError>;

    /// Saves a secret, replacing an older one.
    fn set(&self, key: &SecretKey, secret: &Secret) -> Result<(), StoreError>;

    /// Removes a secret. Returns whether there was one.
    fn remove(&self, key: &SecretKey) -> Result<bool, StoreError>;

    /// Whether it exists yet, for a store that its first secret creates; `None` for others.
    fn is_made(&self) -> Result<Option<bool>, StoreError> {
        Ok(None)
    }

    /// Name and label of each of msgrctl's entries, to find those that belong to no account;
    /// empty if they cannot be listed. The label is empty where entries have none.
    fn entries(&self) -> Result<Vec<(String, String)>, StoreError> {
        Ok(Vec::new())
    }

    /// Updates an entry's label to its account's current name, where entries have labels.
    fn relabel(&self, _key: &SecretKey) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_entries_labels_and_variables() {
        let key = SecretKey {
            account_id: "7f9c".into(),
            handle: "acme.support-eu".into(),
            account_name: "Acme Support".into(),
            kind: SecretKind::PageAccessToken,
        };
        assert_eq!(key.entry(), "7f9c/page-access-token");
        assert_eq!(key.label(), "msgrctl: Acme Support – page access token");
        assert_eq!(key.account_of_label(&key.label()), Some("Acme Support"));
        assert_eq!(key.account_of_label("msgrctl: Acme Support – verify token"), None);
        assert_eq!(key.variable(), "MSGRCTL_SECRET_ACME_SUPPORT_EU_PAGE_ACCESS_TOKEN");
    }
}
