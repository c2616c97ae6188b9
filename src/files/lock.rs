//! Locks a file for a change, and replaces it as a whole.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{
    FileError, access, file_name, flush, is_there, make_private_dir, parent, real_path, refuse_dangling, rename,
};
use crate::touched;

/// The right to change one file, held until it is dropped.
///
/// An advisory lock on `.NAME.lock` beside the file. The system releases it when its holder
/// dies, so a lock file that remains blocks no command.
#[derive(Debug)]
pub struct Lock {
    target: PathBuf,
    _held: File,
}

impl Lock {
    /// How long to wait for another process before giving up.
    pub const PATIENCE: Duration = Duration::from_secs(15);

    /// Waits for the right to change `path`, creating its directory if needed.
    ///
    /// `on_wait` is called once, when the wait is long enough to be noticed.
    pub fn acquire(path: &Path, patience: Duration, on_wait: &dyn Fn(&Path)) -> Result<Self, FileError> {
        // A link stays a link: its target is replaced.
        let target = target_of(path)?;
        let dir = parent(&target);
        make_private_dir(dir)?;
        let lock_path = dir.join(format!(".{}.lock", file_name(&target)));
        let refuse = |source| FileError::Write { path: lock_path.clone(), source };
        let open = || {
            is_there(&lock_path)?;
            let mut options = OpenOptions::new();
            options.create(true).truncate(false).write(true);
            access::of_new_file(&mut options);
            options.open(&lock_path).map_err(refuse)
        };
        let mut file = open()?;
        let start = Instant::now();
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) if is_still_at(&file, &lock_path) => return Ok(Self { target, _held: file }),
                // The lock file was removed, with its directory, during the wait.
                Ok(()) => {
                    make_private_dir(dir)?;
                    file = open()?;
                }
                Err(TryLockError::Error(source)) => return Err(refuse(source)),
                Err(TryLockError::WouldBlock) => {}
            }
            let waited = start.elapsed();
            if waited >= patience {
                return Err(FileError::Busy { path: target, waited });
            }
            if waited > Duration::from_secs(1) && !told {
                on_wait(&target);
                told = true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Replaces the file's content, and removes what a killed writer left behind.
    pub fn replace(&self, content: &[u8]) -> Result<(), FileError> {
        replace(&self.target, content)
    }

    /// Replaces another file, which only holders of this lock write.
    pub fn replace_beside(&self, path: &Path, content: &[u8]) -> Result<(), FileError> {
        replace(&target_of(path)?, content)
    }
}

/// The file to write: the target of a link.
fn target_of(path: &Path) -> Result<PathBuf, FileError> {
    match real_path(path) {
        Ok(target) => Ok(target),
        Err(error) if error.kind() == io::ErrorKind::NotFound => refuse_dangling(path).map(|()| path.into()),
        Err(source) => Err(FileError::Read { path: path.into(), source }),
    }
}

fn replace(target: &Path, content: &[u8]) -> Result<(), FileError> {
    if is_there(target)? {
        refuse_read_only(target)?;
    }
    clear_leftovers(parent(target), &prefix(target));
    put(target, content)
}

/// A rename would replace a file that its owner made read-only.
fn refuse_read_only(target: &Path) -> Result<(), FileError> {
    if fs::metadata(target).is_ok_and(|metadata| metadata.permissions().readonly()) {
        let source = io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only");
        return Err(FileError::Write { path: target.into(), source });
    }
    Ok(())
}

/// Writes a file beside `target` and renames it over `target`, even if that is a link.
pub(super) fn put(target: &Path, content: &[u8]) -> Result<(), FileError> {
    put_as(target, content, false)
}

/// The same; where it is public every user may read the file.
pub(super) fn put_as(target: &Path, content: &[u8], public: bool) -> Result<(), FileError> {
    let dir = parent(target);
    let write = || -> io::Result<()> {
        // tempfile creates with mode 0600 and removes the file when it is dropped.
        let mut new = tempfile::Builder::new().prefix(&prefix(target)).suffix(LEFTOVER).tempfile_in(dir)?;
        if public {
            #[cfg(unix)]
            new.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        } else {
            access::restrict(new.path());
        }
        new.write_all(content)?;
        new.as_file().sync_all()?;
        // Closed first, since Windows renames no open file, and no longer marked as temporary.
        let new = new.into_temp_path().keep()?;
        rename(&new, target).inspect_err(|_| {
            let _ = fs::remove_file(&new);
        })?;
        touched::note();
        flush(dir);
        Ok(())
    };
    write().map_err(|source| FileError::Write { path: target.into(), source })
}

/// The beginning of the temporary file's name.
fn prefix(target: &Path) -> String {
    format!(".{}.", file_name(target))
}

/// Whether an open file still has its name.
#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let place = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    let (Ok(held), Ok(named)) = (file.metadata(), fs::metadata(path)) else { return false };
    place(&held) == place(&named)
}

#[cfg(windows)]
fn is_still_at(file: &File, path: &Path) -> bool {
    use same_file::Handle;
    let (Ok(held), Ok(named)) = (file.try_clone().and_then(Handle::from_file), Handle::from_path(path)) else {
        return false;
    };
    held == named
}

/// The ending of the temporary file's name.
const LEFTOVER: &str = ".new";

/// Removes half-written files. Called under the lock, so no process is writing one.
fn clear_leftovers(dir: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(prefix) && name.ends_with(LEFTOVER) {
            // A file that cannot be removed does not stop saving.
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{make_private_dir, read_text};

    fn lock(path: &Path) -> Lock {
        Lock::acquire(path, Duration::from_millis(50), &|_| {}).expect("the lock")
    }

    #[test]
    fn a_file_is_replaced_whole_and_leftovers_go() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("deep/accounts.toml");
        make_private_dir(path.parent().expect("a parent")).expect("made");
        let left = dir.path().join("deep/.accounts.toml.x1y2.new");
        fs::write(&left, "half").expect("written");
        lock(&path).replace(b"whole").expect("replaced");
        assert_eq!(read_text(&path).expect("read").as_deref(), Some("whole"));
        assert!(!left.exists());
    }

    #[test]
    fn waiting_is_limited_and_names_the_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("accounts.toml");
        let held = lock(&path);
        let error = Lock::acquire(&path, Duration::from_millis(30), &|_| {}).expect_err("busy");
        assert!(error.to_string().contains("accounts.toml"), "{error}");
        drop(held);
        lock(&path);
    }

    #[cfg(unix)]
    #[test]
    fn a_linked_file_stays_a_link() {
        let dir = tempfile::tempdir().expect("a directory");
        let real = dir.path().join("real.toml");
        fs::write(&real, "old").expect("written");
        let link = dir.path().join("accounts.toml");
        std::os::unix::fs::symlink(&real, &link).expect("linked");
        lock(&link).replace(b"new").expect("replaced");
        assert_eq!(fs::read_to_string(&real).expect("read"), "new");
        assert!(fs::symlink_metadata(&link).expect("metadata").is_symlink());
    }
}
