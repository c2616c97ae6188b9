//! The one trait behind which every store stands, and what can go wrong there.

use std::path::PathBuf;
use std::time::Duration;

use super::{InputError, Secret, SecretKind, StoreName, variable};
use crate::text::words;

/// Which secret is meant: of whom, and of what kind.
#[derive(Clone, Debug)]
pub struct SecretKey {
    /// The account's id, which never changes: stores that write file under it.
    pub account_id: String,
    /// The account's handle, from which the variable's name is made.
    pub handle: String,
    /// The account's name, for a label that a person recognises.
    pub account_name: String,
    /// Page access token, app secret or verify token.
    pub kind: SecretKind,
}

impl SecretKey {
    /// A secret of which only that is known by which an entry is found.
    pub fn of_entry(account_id: &str, kind: SecretKind) -> Self {
        Self { account_id: account_id.into(), handle: String::new(), account_name: String::new(), kind }
    }

    /// The name of the entry in a store: `ID/page-access-token`.
    pub fn entry(&self) -> String {
        format!("{}/{}", self.account_id, self.kind.argument())
    }

    /// What a person reads in the keyring's own program.
    pub fn label(&self) -> String {
        format!("msgrctl: {} – {}", self.account_name, self.kind.words())
    }

    /// The account's name in such a label of a key of this kind; `None` in another text.
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

/// Where the key of the encrypted file comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMeans {
    Keyring,
    KeyFile,
    Passphrase,
}

words!(KeyMeans { Keyring => "its key in the keyring", KeyFile => "the key file", Passphrase => "the passphrase" });

/// Why a store did not do what it was asked to.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Nobody answers for it on this machine: what was missing, in words.
    #[error("this machine has no keyring that answers: {0}")]
    Absent(String),
    /// It is locked, and nobody was there to unlock it.
    #[error("the keyring is locked")]
    Locked,
    /// A person was asked to unlock it and did not, or the dialog could not open.
    #[error("the keyring was not unlocked: its dialog was dismissed or could not be shown")]
    Declined,
    /// It took the request and never answered: how long was waited.
    #[error("the keyring did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// It can only be read: the variable that would hold the secret.
    #[error("the env store is read only: it takes secrets from variables and keeps none")]
    ReadOnly(String),
    /// More than one entry answers to this name.
    #[error("the keyring holds several entries for {0}")]
    Ambiguous(String),
    /// What is kept under the name is no secret of ours.
    #[error("what the {store} store holds for {entry} cannot be used: {cause}")]
    Damaged { store: StoreName, entry: String, cause: String },
    /// The encrypted file is not what it should be. It was left as it is.
    #[error("the encrypted file {} cannot be used: {cause}", path.display())]
    BrokenFile { path: PathBuf, cause: String },
    /// The encrypted file, or a directory that it is in, is a link to a place that is not there.
    #[error("{cause}")]
    Dangling { link: PathBuf, cause: String },
    /// The encrypted file, or its key file, is open to others.
    #[error("{} is not used: {why}", path.display())]
    Exposed { path: PathBuf, why: String },
    /// The key of the encrypted file is not there: where it comes from.
    #[error("the encrypted file needs {0}, which is not there")]
    NoKey(KeyMeans),
    /// The key of the encrypted file is another one: where it comes from.
    #[error("{0} does not open the encrypted file")]
    WrongKey(KeyMeans),
    /// The passphrase that was set is none: what is wrong with it.
    #[error("MSGRCTL_PASSPHRASE cannot be a passphrase: {0}")]
    Passphrase(InputError),
    /// Somebody pressed Ctrl-C where the store had to ask.
    #[error("interrupted")]
    Interrupted,
    /// There is nothing to make the key of a new encrypted file from: why the keyring cannot
    /// keep one.
    #[error("a new encrypted file needs a key: no key file, no passphrase, and no keyring ({0})")]
    NoNewKey(String),
    /// A key file that cannot be used.
    #[error("the key file {} cannot be used: {cause}", path.display())]
    KeyFile { path: PathBuf, cause: String },
    /// The encrypted file could not be written, as the system says. The old one is still there.
    #[error("the encrypted file could not be written: {0}")]
    Write(String),
    /// A reference to a file that is there and cannot be used.
    #[error("the secret in {} cannot be used: {cause}", path.display())]
    File { path: PathBuf, cause: String },
    /// A program that should print a secret did not.
    #[error("the command '{program}' gave no secret: {cause}")]
    Command { program: String, cause: String },
    /// Anything else, as the system reported it.
    #[error("the keyring refused: {0}")]
    Failed(String),
}

impl StoreError {
    /// Whether it is the keyring that does not answer.
    pub fn is_keyring_away(&self) -> bool {
        matches!(self, Self::Absent(_) | Self::Locked | Self::Declined | Self::TimedOut(_))
    }
}

/// A place that keeps secrets.
pub trait SecretStore {
    /// Whether it can be used now. Cheap, and the first thing a command does
    /// before work that would be lost if the store failed later.
    fn probe(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// The secret, or `None` when the store answers and has none.
    fn get(&self, key: &SecretKey) -> Result<Option<Secret>, StoreError>;

    /// Keeps a secret, in place of the one that was there.
    fn set(&self, key: &SecretKey, secret: &Secret) -> Result<(), StoreError>;

    /// Removes a secret. Says whether there was one.
    fn remove(&self, key: &SecretKey) -> Result<bool, StoreError>;

    /// Whether it is there yet, for one that its first secret makes; `None` for any other.
    fn is_made(&self) -> Result<Option<bool>, StoreError> {
        Ok(None)
    }

    /// Name and label of each entry of ours, to find those that belong to no account; none
    /// where they cannot be listed. The label is empty where entries have none.
    fn entries(&self) -> Result<Vec<(String, String)>, StoreError> {
        Ok(Vec::new())
    }

    /// Gives an entry the label of its account's present name, where entries have one.
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
