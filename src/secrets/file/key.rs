//! Finds the key of an encrypted file, and makes that of a new one.

use std::path::{Path, PathBuf};

use rand::Rng as _;
use secrecy::zeroize::Zeroizing;

pub use making::{MAKE_KEY_FILE, MAKE_OWN_KEY_FILE, OWN_KEY_FILE};

use super::{FileStore, Opened, cause_of, keyring_entry, unwritten};
use crate::files::{self, Lock};
use crate::secrets::sealed::{self, Entries, Header, Key, KeySource, Work};
use crate::secrets::{InputError, Secret, SecretStore as _, StoreError, keyring};

/// The commands that make a key file, for a person to paste into a Unix shell.
#[cfg(not(windows))]
mod making {
    /// A file of a name to choose.
    pub const MAKE_KEY_FILE: &str = "(umask 077; head -c 32 /dev/urandom > FILE)";
    /// [`OWN_KEY_FILE`], unless it exists.
    pub const MAKE_OWN_KEY_FILE: &str =
        "[ -e ~/.msgrctl.key ] || (umask 077; head -c 32 /dev/urandom > ~/.msgrctl.key)";
    /// A file in the home directory.
    pub const OWN_KEY_FILE: &str = "~/.msgrctl.key";
}

/// The same for PowerShell. The home directory's access list keeps others out.
#[cfg(windows)]
mod making {
    /// A file of a name to choose.
    pub const MAKE_KEY_FILE: &str = "$k = [byte[]]::new(32); [Security.Cryptography.RandomNumberGenerator]::Create().GetBytes($k); [IO.File]::WriteAllBytes('FILE', $k)";
    /// [`OWN_KEY_FILE`], unless it exists.
    pub const MAKE_OWN_KEY_FILE: &str = "if (!(Test-Path \"$HOME\\.msgrctl.key\")) { $k = [byte[]]::new(32); [Security.Cryptography.RandomNumberGenerator]::Create().GetBytes($k); [IO.File]::WriteAllBytes(\"$HOME\\.msgrctl.key\", $k) }";
    /// A file in the home directory.
    pub const OWN_KEY_FILE: &str = "\"$HOME\\.msgrctl.key\"";
}

/// Where the key of a new file comes from, and an existing file's key is found.
pub struct KeyAccess {
    /// `--key-file`, `MSGRCTL_KEY_FILE`.
    pub key_file: Option<PathBuf>,
    /// `MSGRCTL_PASSPHRASE`, or why its value is not valid.
    pub passphrase: Option<Result<Secret, InputError>>,
    /// Asks for the passphrase, twice for a new one; `None` where there is no terminal to ask
    /// on.
    pub ask: Option<Ask>,
}

/// Why the passphrase is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// To open the file.
    Open,
    /// To open the file, after a wrong one.
    Again,
    /// For a new file, or a new key.
    New,
}

/// Asks for a passphrase; `None` for Ctrl-C and Esc.
pub type Ask = Box<dyn Fn(Asking) -> Option<Secret>>;

/// The key that is to open the file from now on.
pub enum NewKey {
    Passphrase(Secret),
    /// The key file at this path.
    KeyFile(PathBuf),
    /// A random key, kept in the keyring.
    Keyring,
}

const KEY_FILE_LEAST: usize = 32;

impl FileStore {
    /// The key that a header asks for; a mistyped passphrase may be typed again.
    pub(super) fn right_key(&self, header: &Header) -> Result<Key, StoreError> {
        const TRIES: usize = 3;
        let typed = matches!(header.key, KeySource::Passphrase(_)) && self.access.passphrase.is_none();
        let mut key = self.key(header, Asking::Open)?;
        for _ in 1..TRIES {
            if !typed || sealed::check_of(&key) == header.check {
                break;
            }
            key = self.key(header, Asking::Again)?;
        }
        Ok(key)
    }

    /// The key that a header asks for.
    fn key(&self, header: &Header, asking: Asking) -> Result<Key, StoreError> {
        match &header.key {
            KeySource::Keyring => {
                let found = self.keyring.foreign(keyring::SERVICE, &keyring_entry(&header.id))?;
                let found = found.ok_or(StoreError::NoKey(header.key.means()))?;
                let bytes = Zeroizing::new(hex::decode(found.expose()).unwrap_or_default());
                let key =
                    <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| StoreError::WrongKey(header.key.means()))?;
                Ok(Zeroizing::new(key))
            }
            KeySource::KeyFile => {
                let path = self.access.key_file.as_ref().ok_or(StoreError::NoKey(header.key.means()))?;
                Self::key_of_file(path)
            }
            KeySource::Passphrase(work) => {
                let passphrase = match (&self.access.passphrase, &self.access.ask) {
                    (Some(Ok(passphrase)), _) => passphrase.clone(),
                    (Some(Err(error)), _) => return Err(StoreError::Passphrase(*error)),
                    (None, Some(ask)) => ask(asking).ok_or(StoreError::Interrupted)?,
                    (None, None) => return Err(StoreError::NoKey(header.key.means())),
                };
                self.key_of_passphrase(work, &passphrase, header)
            }
        }
    }

    pub(super) fn key_of_file(path: &Path) -> Result<Key, StoreError> {
        let unusable = |cause: String| StoreError::KeyFile { path: path.into(), cause };
        let metadata = std::fs::metadata(path).map_err(|error| unusable(error.to_string()))?;
        Self::check_private(path, &metadata)?;
        let content = files::read_bytes(path, 1024 * 1024).map_err(|error| unusable(cause_of(&error)))?;
        if content.len() < KEY_FILE_LEAST {
            return Err(unusable(format!("it has fewer than {KEY_FILE_LEAST} bytes; make one with: {MAKE_KEY_FILE}")));
        }
        Ok(sealed::key_of_content(&content))
    }

    /// Where a new file's key comes from: the key file if one is named, the passphrase if one is
    /// set, else the keyring, else a passphrase that is asked for, once.
    pub(super) fn source(&self) -> Result<KeySource, StoreError> {
        if self.access.key_file.is_some() {
            return Ok(KeySource::KeyFile);
        }
        if self.access.passphrase.is_some() {
            return Ok(KeySource::Passphrase(Work::new()));
        }
        match (self.keyring.probe(), &self.access.ask) {
            (Ok(()), _) => return Ok(KeySource::Keyring),
            (Err(_), Some(_)) if self.asked.borrow().is_some() => {}
            (Err(_), Some(ask)) => {
                let asked = ask(Asking::New).ok_or(StoreError::Interrupted)?;
                *self.asked.borrow_mut() = Some(asked);
            }
            (Err(absent), None) => return Err(StoreError::NoNewKey(absent.to_string())),
        }
        Ok(KeySource::Passphrase(Work::new()))
    }

    /// An empty file's header and key.
    pub(super) fn create(&self) -> Result<Opened, StoreError> {
        let mut header = Header::new(uuid::Uuid::new_v4().to_string(), self.source()?);
        let key = match (&header.key, self.asked.take()) {
            (KeySource::Keyring, _) => self.key_in_keyring(&header)?,
            (KeySource::Passphrase(work), Some(passphrase)) => self.key_of_passphrase(work, &passphrase, &header)?,
            _ => self.key(&header, Asking::Open)?,
        };
        header.check = sealed::check_of(&key);
        Ok(Opened { header, key, entries: Entries::new() })
    }

    /// Gives the file another key and encrypts every secret again. `None` makes a key in the
    /// keyring, as for a new file.
    ///
    /// # Errors
    ///
    /// The file is unchanged.
    pub fn rekey(&self, new: &NewKey) -> Result<bool, StoreError> {
        let lock = Lock::acquire(&self.path, Lock::PATIENCE, &|_| {}).map_err(|error| unwritten(&error))?;
        let Some(opened) = self.load()? else { return Ok(false) };
        let source = match new {
            NewKey::Passphrase(_) => KeySource::Passphrase(Work::new()),
            NewKey::KeyFile(_) => KeySource::KeyFile,
            NewKey::Keyring => KeySource::Keyring,
        };
        let mut header = Header::new(uuid::Uuid::new_v4().to_string(), source);
        let key = match (new, &header.key) {
            (NewKey::Passphrase(passphrase), KeySource::Passphrase(work)) => {
                self.key_of_passphrase(work, passphrase, &header)?
            }
            (NewKey::KeyFile(path), _) => Self::key_of_file(path)?,
            _ => self.key_in_keyring(&header)?,
        };
        header.check = sealed::check_of(&key);
        let old = opened.header;
        self.seal(&lock, Opened { header, key, entries: opened.entries }, true)?;
        if old.key == KeySource::Keyring {
            // The old key opens nothing; one that cannot be removed does no harm.
            let _ = self.keyring.discard(&keyring_entry(&old.id));
        }
        Ok(true)
    }

    fn key_in_keyring(&self, header: &Header) -> Result<Key, StoreError> {
        let mut key = Zeroizing::new([0; 32]);
        rand::rng().fill_bytes(&mut *key);
        let label = format!("msgrctl: key of the encrypted secrets of tenant {}", self.tenant);
        self.keyring.keep(&keyring_entry(&header.id), &label, &Secret::new(hex::encode(*key)))?;
        Ok(key)
    }

    fn key_of_passphrase(&self, work: &Work, passphrase: &Secret, header: &Header) -> Result<Key, StoreError> {
        work.fitting_key(passphrase, &header.check).map_err(|damage| self.broken(damage.to_string()))
    }
}
