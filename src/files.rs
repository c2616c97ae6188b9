//! Files of ours: private, locked while they change, replaced as a whole.
//!
//! A reader sees the old file or the new one, whatever happens to the writer:
//! the new text is written to a private file beside the old one, flushed to the
//! disk, and renamed over it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What went wrong with a file, and which.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is there and cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot be written, or its directory cannot be made.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process holds the lock for longer than anyone should wait.
    #[error("another msgrctl has been changing {} for {} s", path.display(), waited.as_secs())]
    Busy {
        /// The file that is locked.
        path: PathBuf,
        /// How long was waited.
        waited: Duration,
    },
}

/// The text of a file; `None` when it does not exist. Bytes that are not UTF-8
/// are an error of kind `InvalidData`.
pub fn read_text(path: &Path) -> Result<Option<String>, FileError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FileError::Read { path: path.into(), source }),
    }
}

/// At most `limit` bytes of a file that the person named (a token, a scenario).
pub fn read_bytes(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            let text = format!("larger than {limit} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        Ok(bytes)
    };
    read().map_err(|source| FileError::Read { path: path.into(), source })
}

/// What stands in a directory that the person named, by name.
pub fn list(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    let read = || fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
    let mut paths = read().map_err(|source| FileError::Read { path: path.into(), source })?;
    paths.sort();
    Ok(paths)
}

/// Makes a directory and its parents, open to their owner alone (0700).
pub fn make_private_dir(path: &Path) -> Result<(), FileError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| FileError::Write { path: path.into(), source })
}

/// The right to change one file, held until it is dropped.
///
/// An advisory lock on `.NAME.lock` beside the file. The system gives it back
/// when its holder dies, so a lock file that was left behind blocks nobody.
#[derive(Debug)]
pub struct Lock {
    target: PathBuf,
    _held: File,
}

impl Lock {
    /// How long to wait for another process before giving up.
    pub const PATIENCE: Duration = Duration::from_secs(15);

    /// Waits for the right to change `path`, making its directory if need be.
    ///
    /// `on_wait` is called once, when the wait is long enough to be noticed.
    pub fn acquire(path: &Path, patience: Duration, on_wait: &dyn Fn(&Path)) -> Result<Self, FileError> {
        // A linked file stays a link: its target is what is replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        let dir = target.parent().unwrap_or(Path::new("."));
        make_private_dir(dir)?;
        let lock_path = dir.join(format!(".{}.lock", file_name(&target)));
        let refuse = |source| FileError::Write { path: lock_path.clone(), source };
        let open = || {
            let mut options = OpenOptions::new();
            options.create(true).truncate(false).write(true);
            private(&mut options);
            options.open(&lock_path).map_err(refuse)
        };
        let mut file = open()?;
        let start = Instant::now();
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) if is_still_at(&file, &lock_path) => return Ok(Self { target, _held: file }),
                // It was removed while it was waited for, with its whole directory.
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

    /// Replaces the file's content. Clears what a killed writer left behind.
    pub fn replace(&self, content: &[u8]) -> Result<(), FileError> {
        let dir = self.target.parent().unwrap_or(Path::new("."));
        let prefix = format!(".{}.", file_name(&self.target));
        clear_leftovers(dir, &prefix);
        let write = || -> io::Result<()> {
            // tempfile creates with mode 0600 and removes the file when it is dropped.
            let mut new = tempfile::Builder::new().prefix(&prefix).suffix(LEFTOVER).tempfile_in(dir)?;
            new.write_all(content)?;
            new.as_file().sync_all()?;
            new.persist(&self.target).map_err(|error| error.error)?;
            // The rename itself is durable once the directory is flushed. The new file
            // is in place by now: where a directory cannot be flushed that is no failure.
            #[cfg(unix)]
            let _ = File::open(dir).and_then(|dir| dir.sync_all());
            Ok(())
        };
        write().map_err(|source| FileError::Write { path: self.target.clone(), source })
    }
}

/// Whether an open file is the one that has its name now.
#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let place = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    let (Ok(held), Ok(named)) = (file.metadata(), fs::metadata(path)) else { return false };
    place(&held) == place(&named)
}

#[cfg(not(unix))]
fn is_still_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

/// Adds a line to the end of a private file, making it if need be. Called under a lock
/// by whoever shares the file.
pub fn append_line(path: &Path, line: &str) -> Result<(), FileError> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    private(&mut options);
    let write = || -> io::Result<()> {
        let mut file = options.open(path)?;
        // A line that a killed process left unfinished stays a line of its own.
        let gap = if ends_in_a_line(path)? { "" } else { "\n" };
        file.write_all(format!("{gap}{line}\n").as_bytes())?;
        file.sync_all()
    };
    write().map_err(|source| FileError::Write { path: path.into(), source })
}

fn ends_in_a_line(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Removes a file; one that is not there is no error.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(FileError::Write { path: path.into(), source }),
        _ => Ok(()),
    }
}

/// Removes a directory that has nothing in it but lock files.
pub fn remove_empty_dir(path: &Path) {
    let Ok(entries) = fs::read_dir(path) else { return };
    let entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    let is_lock =
        |path: &PathBuf| file_name(path).starts_with('.') && path.extension().is_some_and(|end| end == "lock");
    if entries.iter().all(is_lock) {
        // What cannot be removed does no harm.
        for entry in entries {
            let _ = fs::remove_file(entry);
        }
        let _ = fs::remove_dir(path);
    }
}

/// The ending of a file that is being written.
const LEFTOVER: &str = ".new";

/// Removes half-written files. Called under the lock, so none of them is in use.
fn clear_leftovers(dir: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(prefix) && name.ends_with(LEFTOVER) {
            // A file that cannot be removed is no reason not to save.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[cfg(unix)]
    #[test]
    fn files_and_directories_are_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("tenants/default/accounts.toml");
        lock(&path).replace(b"x").expect("replaced");
        let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().expect("a parent")), 0o700);
        assert_eq!(mode(&dir.path().join("tenants")), 0o700);
        assert_eq!(mode(&dir.path().join("tenants/default/.accounts.toml.lock")), 0o600);
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

    #[test]
    fn a_file_that_is_too_large_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("token");
        fs::write(&path, "12345").expect("written");
        assert_eq!(read_bytes(&path, 5).expect("read"), b"12345");
        assert!(read_bytes(&path, 4).is_err());
    }
}
