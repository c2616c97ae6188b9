//! The encrypted file: one file with every secret of a tenant, for machines without a keyring,
//! and for many accounts.

mod key;

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use secrecy::zeroize::Zeroizing;

use super::sealed::{self, Entries, Header, Key, KeySource, Sealed};
use super::{KeyringStore, Secret, SecretKey, SecretStore, StoreError};
use crate::files::{self, FileError, Lock};

pub use key::{Ask, Asking, KeyAccess, MAKE_KEY_FILE, MAKE_OWN_KEY_FILE, NewKey, OWN_KEY_FILE};

pub struct FileStore {
    path: PathBuf,
    tenant: String,
    access: KeyAccess,
    keyring: Rc<KeyringStore>,
    /// The decrypted content, until the next write.
    opened: RefCell<Option<Opened>>,
    /// The last key that opened the file, by the header's `check`.
    known: RefCell<Option<(String, Key)>>,
    /// The passphrase for a file that is about to be created.
    asked: RefCell<Option<Secret>>,
    /// Why it did not open: trying again would fail the same way.
    failed: RefCell<Option<StoreError>>,
    /// Whether changes are collected and written together.
    gathers: Cell<bool>,
    /// Changes that are not written yet.
    gathered: RefCell<Option<Gathered>>,
}

/// Several changes of the file, under its lock.
struct Gathered {
    lock: Lock,
    opened: Opened,
    new: bool,
    changed: bool,
}

/// A key that has opened the file, and the check that tells whether it still fits.
pub struct KnownKey((String, Key));

/// A file that was decrypted in this process.
struct Opened {
    header: Header,
    key: Key,
    entries: Entries,
}

const SIZE_LIMIT: u64 = 256 * 1024 * 1024;

impl FileStore {
    pub fn new(path: PathBuf, tenant: &str, access: KeyAccess, keyring: Rc<KeyringStore>) -> Self {
        Self {
            path,
            tenant: tenant.into(),
            access,
            keyring,
            opened: RefCell::default(),
            known: RefCell::default(),
            asked: RefCell::default(),
            failed: RefCell::default(),
            gathers: Cell::default(),
            gathered: RefCell::default(),
        }
    }

    /// Makes any number of changes and writes the file once at the end, since each write is of
    /// the whole file. Returns what `changes` returns, and whether the file could be written; if
    /// not, it is unchanged.
    pub fn at_once<T>(&self, changes: impl FnOnce() -> T) -> (T, Result<(), StoreError>) {
        if self.gathers.replace(true) {
            // Part of a larger change, which does the writing.
            return (changes(), Ok(()));
        }
        let done = changes();
        self.gathers.set(false);
        let written = match self.gathered.take() {
            Some(gathered) if gathered.changed => self.seal(&gathered.lock, gathered.opened, gathered.new),
            _ => Ok(()),
        };
        (done, written)
    }

    fn broken(&self, cause: impl Into<String>) -> StoreError {
        StoreError::BrokenFile { path: self.path.clone(), cause: cause.into() }
    }

    /// Reads and decrypts the file; `None` if it does not exist.
    fn load(&self) -> Result<Option<Opened>, StoreError> {
        let Some(bytes) = self.read()? else { return Ok(None) };
        let sealed = Sealed::parse(&bytes).map_err(|damage| self.broken(damage.to_string()))?;
        let header = &sealed.header;
        let known =
            self.known.borrow().as_ref().filter(|(check, _)| *check == header.check).map(|(_, key)| key.clone());
        let key = match known {
            Some(key) => key,
            None => self.right_key(header)?,
        };
        if sealed::check_of(&key) != header.check {
            return Err(StoreError::WrongKey(header.key.means()));
        }
        *self.known.borrow_mut() = Some((header.check.clone(), key.clone()));
        let entries = sealed.open(&key).map_err(|damage| self.broken(damage.to_string()))?;
        Ok(Some(Opened { header: sealed.header, key, entries }))
    }

    /// The file's bytes; refused if others may read it or it is a link.
    fn read(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        match std::fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return self.refuse_dangling().map(|()| None);
            }
            Ok(metadata) if metadata.is_symlink() => {
                self.refuse_dangling()?;
                Self::check_private(&self.path, &metadata)?;
            }
            Err(error) => return Err(self.broken(format!("it cannot be read: {error}"))),
            Ok(metadata) => Self::check_private(&self.path, &metadata)?,
        }
        let bytes = files::read_bytes(&self.path, SIZE_LIMIT).map_err(|error| self.broken(cause_of(&error)))?;
        Ok(Some(bytes))
    }

    fn refuse_dangling(&self) -> Result<(), StoreError> {
        match files::is_there(&self.path) {
            Err(error @ FileError::Dangling { .. }) => Err(unwritten(&error)),
            _ => Ok(()),
        }
    }

    fn check_private(path: &Path, metadata: &std::fs::Metadata) -> Result<(), StoreError> {
        let exposed = |why: &str| Err(StoreError::Exposed { path: path.into(), why: why.into() });
        if !metadata.is_file() {
            return exposed("it is a link or not a regular file");
        }
        match files::exposure(path) {
            Some(why) => exposed(&format!("others may read it ({why})")),
            None => Ok(()),
        }
    }

    /// Reads, changes and writes under the lock. Writes nothing if `change` returns `false`.
    fn change(&self, change: impl FnOnce(&mut Entries) -> bool) -> Result<bool, StoreError> {
        if let Some(gathered) = &mut *self.gathered.borrow_mut() {
            let changed = change(&mut gathered.opened.entries);
            gathered.changed |= changed;
            return Ok(changed);
        }
        let lock = Lock::acquire(&self.path, Lock::PATIENCE, &|_| {}).map_err(|error| unwritten(&error))?;
        if let Some(error) = &*self.failed.borrow() {
            return Err(error.clone());
        }
        let loaded = self.load().inspect_err(|error| *self.failed.borrow_mut() = Some(error.clone()))?;
        let (mut opened, new) = match loaded {
            Some(opened) => (opened, false),
            None => (self.create()?, true),
        };
        // Later reads come from the disk.
        self.forget();
        let changed = change(&mut opened.entries);
        if self.gathers.get() {
            *self.gathered.borrow_mut() = Some(Gathered { lock, opened, new, changed });
        } else if changed {
            self.seal(&lock, opened, new)?;
        }
        Ok(changed)
    }

    /// Replaces the file.
    fn seal(&self, lock: &Lock, mut opened: Opened, new: bool) -> Result<(), StoreError> {
        let sealed = Sealed::seal(&mut opened.header, &opened.key, &opened.entries);
        *self.known.borrow_mut() = Some((opened.header.check.clone(), opened.key.clone()));
        self.forget();
        if let Err(error) = lock.replace(&sealed) {
            if new && opened.header.key == KeySource::Keyring {
                // The key opens nothing; one that cannot be removed does no harm.
                let _ = self.keyring.discard(&keyring_entry(&opened.header.id));
            }
            return Err(unwritten(&error));
        }
        Ok(())
    }

    /// Opens the file now, if it exists, so that any question is asked now.
    pub fn open_now(&self) -> Result<(), StoreError> {
        self.open()
    }

    /// A key that opened the file in this process, for another thread that reads it.
    pub fn known_key(&self) -> Option<KnownKey> {
        self.known.borrow().clone().map(KnownKey)
    }

    /// Uses a key that has opened the file.
    pub fn know_key(&self, key: KnownKey) {
        *self.known.borrow_mut() = Some(key.0);
    }

    /// Reads the file again at the next request.
    pub fn forget(&self) {
        *self.opened.borrow_mut() = None;
    }

    /// Forgets that the file did not open: the user may have fixed the cause.
    pub(super) fn try_again(&self) {
        *self.failed.borrow_mut() = None;
        self.forget();
    }

    /// Removes a file that holds no secret, and then its key in the keyring: a process killed in
    /// between leaves a useless key, never a file that cannot be opened.
    pub fn remove_empty(&self) -> Result<(), StoreError> {
        if self.read()?.is_none() {
            return Ok(());
        }
        let _lock = Lock::acquire(&self.path, Lock::PATIENCE, &|_| {}).map_err(|error| unwritten(&error))?;
        // Read it again: another process may have added a secret in the meantime.
        let Some(opened) = self.load()? else { return Ok(()) };
        if !opened.entries.is_empty() {
            return Ok(());
        }
        self.forget();
        files::remove(&self.path).map_err(|error| unwritten(&error))?;
        if opened.header.key == KeySource::Keyring {
            self.keyring.discard(&keyring_entry(&opened.header.id))?;
        }
        Ok(())
    }

    /// Opens the file once in a process; a failure is not retried.
    fn open(&self) -> Result<(), StoreError> {
        if let Some(error) = &*self.failed.borrow() {
            return Err(error.clone());
        }
        if self.opened.borrow().is_none() {
            let opened = self.load().inspect_err(|error| *self.failed.borrow_mut() = Some(error.clone()))?;
            *self.opened.borrow_mut() = opened;
        }
        Ok(())
    }
}

impl SecretStore for FileStore {
    /// Opens the file, or finds out whether one could be created.
    fn probe(&self) -> Result<(), StoreError> {
        self.open()?;
        if self.opened.borrow().is_some() {
            return Ok(());
        }
        match &self.access {
            KeyAccess { key_file: Some(path), .. } => Self::key_of_file(path).map(drop),
            KeyAccess { passphrase: Some(Err(error)), .. } => Err(StoreError::Passphrase(*error)),
            // The passphrase is asked for now, while Ctrl-C can still end everything.
            _ => self.source().map(drop),
        }
    }

    fn get(&self, key: &SecretKey) -> Result<Option<Secret>, StoreError> {
        if let Some(gathered) = &*self.gathered.borrow() {
            return Ok(gathered.opened.entries.get(&key.entry()).map(|value| Secret::new(value.as_str())));
        }
        self.open()?;
        let opened = self.opened.borrow();
        Ok(opened.as_ref().and_then(|opened| opened.entries.get(&key.entry())).map(|value| Secret::new(value.as_str())))
    }

    fn set(&self, key: &SecretKey, secret: &Secret) -> Result<(), StoreError> {
        let value = Zeroizing::new(secret.expose().to_owned());
        self.change(|entries| {
            entries.insert(key.entry(), value);
            true
        })
        .map(drop)
    }

    fn remove(&self, key: &SecretKey) -> Result<bool, StoreError> {
        // Removing a secret creates no file.
        if self.gathered.borrow().is_none() && self.read()?.is_none() {
            return Ok(false);
        }
        self.change(|entries| entries.remove(&key.entry()).is_some())
    }

    fn is_made(&self) -> Result<Option<bool>, StoreError> {
        self.read().map(|bytes| Some(bytes.is_some()))
    }

    fn entries(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.open()?;
        let opened = self.opened.borrow();
        let names = opened.iter().flat_map(|opened| opened.entries.keys());
        Ok(names.map(|name| (name.clone(), String::new())).collect())
    }
}

fn keyring_entry(id: &str) -> String {
    format!("file-store/{id}")
}

fn unwritten(error: &FileError) -> StoreError {
    match error {
        FileError::Dangling { link, .. } => StoreError::Dangling { link: link.clone(), cause: error.to_string() },
        _ => StoreError::Write(cause_of(error)),
    }
}

fn cause_of(error: &FileError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::SecretKind;

    fn store(path: &Path, passphrase: &str) -> FileStore {
        let access = KeyAccess { key_file: None, passphrase: Some(Ok(Secret::new(passphrase))), ask: None };
        FileStore::new(path.into(), "default", access, Rc::new(KeyringStore::new(false, Box::new(|| {}))))
    }

    /// A store that opens fast: a key file needs no key derivation.
    fn quick(dir: &Path) -> FileStore {
        let key_file = dir.join("key");
        if !key_file.exists() {
            Lock::acquire(&key_file, Lock::PATIENCE, &|_| {}).expect("a lock").replace(&[7; 32]).expect("written");
        }
        let access = KeyAccess { key_file: Some(key_file), passphrase: None, ask: None };
        let keyring = Rc::new(KeyringStore::new(false, Box::new(|| {})));
        FileStore::new(dir.join("secrets.enc"), "default", access, keyring)
    }

    fn key(id: &str) -> SecretKey {
        SecretKey { account_id: id.into(), handle: "h".into(), account_name: "n".into(), kind: SecretKind::AppSecret }
    }

    #[test]
    fn what_is_kept_is_found_again_by_another_process_and_not_in_the_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("secrets.enc");
        store(&path, "correct horse").set(&key("1"), &Secret::new("hush-hush")).expect("kept");
        let other = store(&path, "correct horse");
        assert_eq!(other.get(&key("1")).expect("read").expect("there").expose(), "hush-hush");
        assert!(other.get(&key("2")).expect("read").is_none());
        let text = std::fs::read_to_string(&path).expect("text");
        assert!(
            !text.contains("hush") && !text.contains(&hex::encode("hush")) && text.contains("passphrase"),
            "{text}"
        );
        assert!(other.remove(&key("1")).expect("removed"));
        assert!(!other.remove(&key("1")).expect("nothing there"));
    }

    #[test]
    fn changes_made_at_once_are_one_write_and_none_where_it_fails() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("secrets.enc");
        let ours = quick(dir.path());
        let there = |id: &str| quick(dir.path()).get(&key(id)).expect("read").is_some();
        let ((), written) = ours.at_once(|| {
            for id in ["1", "2", "3"] {
                ours.set(&key(id), &Secret::new("hush")).expect("kept");
            }
            assert!(!path.exists(), "nothing is written in between");
            assert!(ours.get(&key("2")).expect("read").is_some());
            let (removed, inner) = ours.at_once(|| ours.remove(&key("2")));
            assert!(removed.expect("removed") && inner.is_ok() && !path.exists());
        });
        written.expect("written");
        assert!(there("1") && !there("2") && there("3"));
        let ((), written) = ours.at_once(|| {
            ours.remove(&key("1")).expect("removed");
            // The file cannot be replaced: a directory has its name now.
            std::fs::rename(&path, dir.path().join("aside")).expect("moved");
            std::fs::create_dir(&path).expect("made");
        });
        assert!(matches!(written, Err(StoreError::Write(_))), "{written:?}");
        std::fs::remove_dir(&path).expect("removed");
        std::fs::rename(dir.path().join("aside"), &path).expect("moved back");
        assert!(there("1"));
        assert!(ours.get(&key("1")).expect("read").is_some(), "what was not written is not believed");
    }

    #[test]
    fn only_an_empty_file_is_removed_and_nobody_may_be_changing_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("secrets.enc");
        let ours = quick(dir.path());
        ours.set(&key("1"), &Secret::new("hush")).expect("kept");
        ours.remove_empty().expect("nothing to do");
        assert!(path.exists());
        ours.remove(&key("1")).expect("removed");
        // Another process is about to add a secret.
        let lock = Lock::acquire(&path, Lock::PATIENCE, &|_| {}).expect("the lock");
        std::thread::scope(|scope| {
            let removing = scope.spawn(|| quick(dir.path()).remove_empty());
            std::thread::sleep(std::time::Duration::from_millis(300));
            assert!(path.exists(), "it waits for the lock");
            let opened = quick(dir.path()).load().expect("opened").expect("there");
            let mut header = opened.header;
            let entries = Entries::from([("x/app-secret".to_owned(), Zeroizing::new("hush".to_owned()))]);
            lock.replace(&Sealed::seal(&mut header, &opened.key, &entries)).expect("replaced");
            drop(lock);
            removing.join().expect("no panic").expect("left as it is");
        });
        assert_eq!(quick(dir.path()).entries().expect("read"), [("x/app-secret".to_owned(), String::new())]);
        quick(dir.path()).change(|entries| entries.remove("x/app-secret").is_some()).expect("removed");
        quick(dir.path()).remove_empty().expect("removed");
        assert!(!path.exists());
    }

    #[test]
    fn a_wrong_passphrase_and_a_changed_file_are_told_apart() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("secrets.enc");
        store(&path, "right").set(&key("1"), &Secret::new("hush")).expect("kept");
        let found = |passphrase: &str| store(&path, passphrase).get(&key("1")).map(|_| ());
        assert!(matches!(found("wrong"), Err(StoreError::WrongKey(_))));
        let good = std::fs::read_to_string(&path).expect("text");
        let write = |text: &str| std::fs::write(&path, text).expect("written");
        write(&good[..good.len() / 2]);
        assert!(matches!(found("right"), Err(StoreError::BrokenFile { .. })));
        // One digit of the ciphertext, and one of the authenticated header.
        let at = good.find("ciphertext\":\"").expect("there") + 13;
        let flip = if good.as_bytes()[at] == b'0' { "1" } else { "0" };
        write(&format!("{}{flip}{}", &good[..at], &good[at + 1..]));
        assert!(matches!(found("right"), Err(StoreError::BrokenFile { .. })));
        let id = serde_json::from_str::<Sealed>(&good).expect("sealed").header.id;
        write(&good.replace(&id, "another"));
        assert!(matches!(found("right"), Err(StoreError::BrokenFile { .. })));
        write(&good);
        assert!(found("right").is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn files_that_others_may_read_and_links_are_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("secrets.enc");
        store(&path, "p").set(&key("1"), &Secret::new("hush")).expect("kept");
        let mode = std::fs::metadata(&path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
        assert!(matches!(store(&path, "p").get(&key("1")), Err(StoreError::Exposed { .. })));
        assert!(matches!(store(&path, "p").set(&key("1"), &Secret::new("x")), Err(StoreError::Exposed { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
        let link = dir.path().join("link.enc");
        std::os::unix::fs::symlink(&path, &link).expect("linked");
        assert!(matches!(store(&link, "p").get(&key("1")), Err(StoreError::Exposed { .. })));
    }
}
