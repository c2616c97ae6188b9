//! msgrctl's own files: private, locked while they change, replaced as a whole.
//!
//! A reader sees the old file or the new one, even if the writer is killed: the new text goes to
//! a private file beside the old one, is flushed to the disk, and is renamed over it. The
//! directory is flushed too.
//!
//! Each is a regular file or a link to one. A link whose target is missing is an error, not an
//! absent file: a drive may not be mounted, and a new file there would hide the real one.

mod access;
mod lines;
mod lock;
mod owner;

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::zeroize::Zeroizing;

use crate::text;
use crate::touched;

pub use access::{closing_command, exposure};
pub use lines::{append_line, last_line};
pub use lock::Lock;
pub use owner::other_than_root;

/// A failed file operation, with its path.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file exists and cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file cannot be written, or its directory cannot be created.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The path, or a directory in it, is a link whose target is missing.
    #[error("cannot use {}: {} is a link to {}, which is missing", path.display(), link.display(), target.display())]
    Dangling {
        /// The file.
        path: PathBuf,
        /// The link.
        link: PathBuf,
        /// Its target.
        target: PathBuf,
    },
    /// The path is not a regular file but a directory, a pipe, a device or a socket.
    #[error("cannot use {}: it is {kind}, not a regular file", path.display())]
    Irregular {
        /// The path.
        path: PathBuf,
        /// What it is: `a directory`.
        kind: &'static str,
    },
    /// Another process has held the lock too long.
    #[error("another msgrctl has been changing {} for {} s", path.display(), waited.as_secs())]
    Busy {
        /// The locked file.
        path: PathBuf,
        /// How long was waited.
        waited: Duration,
    },
}

/// The text of one of msgrctl's files; `None` when it does not exist. Bytes that are not UTF-8
/// are an error of kind `InvalidData`.
pub fn read_text(path: &Path) -> Result<Option<String>, FileError> {
    let Some(bytes) = read_all(path)? else { return Ok(None) };
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let text = String::from_utf8(bytes).map_err(invalid);
    text.map(Some).map_err(|source| FileError::Read { path: path.into(), source })
}

/// The bytes of one of msgrctl's files; `None` when it does not exist.
pub fn read_all(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    if !is_there(path)? {
        return Ok(None);
    }
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        // It was removed just now.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FileError::Read { path: path.into(), source }),
    }
}

/// Whether one of msgrctl's files exists. Only a regular file is opened: a pipe would block, and
/// a device might never end.
pub fn is_there(path: &Path) -> Result<bool, FileError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(true),
        Ok(metadata) => Err(FileError::Irregular { path: path.into(), kind: kind(&metadata) }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => refuse_dangling(path).map(|()| false),
        Err(source) => Err(FileError::Read { path: path.into(), source }),
    }
}

fn kind(metadata: &fs::Metadata) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let kind = metadata.file_type();
        if kind.is_fifo() {
            return "a named pipe";
        } else if kind.is_socket() {
            return "a socket";
        } else if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if metadata.is_dir() { "a directory" } else { "something else" }
}

/// For a path where nothing exists: refuses one that leads through a dangling link.
fn refuse_dangling(path: &Path) -> Result<(), FileError> {
    for link in path.ancestors() {
        let Ok(target) = fs::read_link(link) else { continue };
        if fs::metadata(link).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Err(FileError::Dangling { path: path.into(), link: link.into(), target });
        }
    }
    Ok(())
}

/// The names of the directories in one of msgrctl's directories, including links to directories;
/// empty when it does not exist. Names that begin with a dot are skipped.
pub fn directories(path: &Path) -> Result<Vec<String>, FileError> {
    let paths = match list(path) {
        Err(FileError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return refuse_dangling(path).map(|()| Vec::new());
        }
        paths => paths?,
    };
    let mut names = Vec::new();
    for path in paths {
        let Some(name) = path.file_name().and_then(OsStr::to_str).filter(|name| !name.starts_with('.')) else {
            continue;
        };
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => names.push(name.to_owned()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => refuse_dangling(&path)?,
            Err(source) => return Err(FileError::Read { path, source }),
        }
    }
    Ok(names)
}

/// At most `limit` bytes of a file that the user named (a token, a scenario): a regular file or
/// a pipe (`<(…)`). They may be a secret and are wiped when dropped.
pub fn read_bytes(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let read = || {
        let file = File::open(path)?;
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        let bytes = fill(file, size, limit)?;
        if bytes.len() as u64 > limit {
            let text = format!("larger than {limit} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        Ok(bytes)
    };
    read().map_err(|source| FileError::Read { path: path.into(), source })
}

/// The text of a file that the user named, at most `limit` bytes.
pub fn read_given_text(path: &Path, limit: u64) -> Result<String, FileError> {
    let bytes = read_bytes(path, limit)?;
    let text = text::decode(&bytes).map(Cow::into_owned);
    text.map_err(|error| FileError::Read {
        path: path.into(),
        source: io::Error::new(io::ErrorKind::InvalidData, error),
    })
}

/// Reads to the end, or to one byte more than `limit`. The buffer has room from the start, for
/// `size` bytes or any secret: a growing buffer would leave copies of a secret behind.
pub fn fill(from: impl io::Read, size: u64, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    const ROOM: u64 = 64 * 1024;
    let room = size.max(ROOM).min(limit) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(room).unwrap_or_default()));
    from.take(limit + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The content of one of msgrctl's directories, sorted by name; empty when it does not exist.
pub fn list_ours(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    if path.is_dir() { list(path) } else { refuse_dangling(path).map(|()| Vec::new()) }
}

/// The content of a directory that the user named, sorted by name.
pub fn list(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    let read = || fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
    let mut paths = read().map_err(|source| FileError::Read { path: path.into(), source })?;
    paths.sort();
    Ok(paths)
}

/// Creates a directory and its parents, accessible only to their owner (0700, or an access list).
pub fn make_private_dir(path: &Path) -> Result<(), FileError> {
    let builder = access::directory_builder();
    let missing: Vec<&Path> = path.ancestors().take_while(|above| !above.is_dir()).collect();
    for directory in missing.into_iter().rev().filter(|path| !path.as_os_str().is_empty()) {
        match builder.create(directory) {
            Ok(()) => {
                access::restrict(directory);
                flush(parent(directory));
            }
            // Another process created it first.
            Err(_) if directory.is_dir() => {}
            Err(source) => return Err(FileError::Write { path: path.into(), source }),
        }
    }
    Ok(())
}

/// Flushes a directory after a change in it. The change is done by then, so a directory that
/// cannot be flushed is not an error.
fn flush(directory: &Path) {
    #[cfg(unix)]
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    #[cfg(not(unix))]
    let _ = directory;
}

/// The directory that contains a path.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a private file in place, not as a whole: for a file that only the holder of another
/// lock writes, and that means nothing while unfinished. An unfinished one is removed.
pub fn write_in_place(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let new = !is_there(path)?;
    make_private_dir(parent(path))?;
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    access::of_new_file(&mut options);
    let write = || {
        let mut file = options.open(path)?;
        if new {
            access::restrict(path);
        }
        file.write_all(content)?;
        file.sync_all()
    };
    if let Err(source) = write() {
        // An unfinished file means nothing.
        let _ = fs::remove_file(path);
        return Err(FileError::Write { path: path.into(), source });
    }
    if new {
        flush(parent(path));
    }
    Ok(())
}

/// Writes a file that the user named, private (0600) and as a whole. Replaces only a regular
/// file: a link may lead somewhere unintended.
pub fn write_given(path: &Path, content: &[u8]) -> Result<(), FileError> {
    refuse_irregular(path)?;
    lock::put(path, content)
}

fn refuse_irregular(path: &Path) -> Result<(), FileError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(metadata) => {
            let kind = if metadata.is_symlink() { "a link" } else { kind(&metadata) };
            return Err(FileError::Irregular { path: path.into(), kind });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(FileError::Write { path: path.into(), source }),
    }
    Ok(())
}

/// The same for a file that another user's program reads (0644).
pub fn write_public(path: &Path, content: &[u8]) -> Result<(), FileError> {
    refuse_irregular(path)?;
    lock::put_as(path, content, true)
}

/// A new private temporary file, which is kept; returns its path.
pub fn write_temporary(prefix: &str, suffix: &str, content: &[u8]) -> Result<PathBuf, FileError> {
    let write = || -> io::Result<PathBuf> {
        // Made with mode 0600.
        let mut file = tempfile::Builder::new().prefix(prefix).suffix(suffix).tempfile()?;
        access::restrict(file.path());
        file.write_all(content)?;
        Ok(file.into_temp_path().keep()?)
    };
    write().map_err(|source| FileError::Write { path: "a temporary file".into(), source })
}

/// Renames a file to `NAME.old`, or `NAME.old.2` if that exists; returns the new path.
pub fn set_aside(path: &Path) -> Result<PathBuf, FileError> {
    let old = |suffix: &str| path.with_file_name(format!("{}.old{suffix}", file_name(path)));
    let mut names = std::iter::once(old("")).chain((2..).map(|number| old(&format!(".{number}"))));
    let aside = names.find(|name| !name.exists()).unwrap_or_else(|| old(""));
    rename(path, &aside).map_err(|source| FileError::Write { path: path.into(), source })?;
    Ok(aside)
}

/// Renames a file, over another where there is one. Windows refuses that while a virus scanner,
/// an indexer or a backup has one of them open, which takes moments.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    const PAUSES: [u64; 7] = [5, 10, 20, 40, 80, 160, 320];
    for pause in PAUSES {
        match fs::rename(from, to) {
            Err(error) if cfg!(windows) && is_in_use(&error) => std::thread::sleep(Duration::from_millis(pause)),
            renamed => return renamed,
        }
    }
    fs::rename(from, to)
}

/// Whether Windows said that another process has the file open.
fn is_in_use(error: &io::Error) -> bool {
    const SHARING_VIOLATION: i32 = 32;
    error.kind() == io::ErrorKind::PermissionDenied || error.raw_os_error() == Some(SHARING_VIOLATION)
}

/// The absolute path without links. On Windows in the usual form, not the one with `\\?\` in
/// front, which takes no '/' and which few programs understand.
pub fn real_path(path: &Path) -> io::Result<PathBuf> {
    #[cfg(unix)]
    return path.canonicalize();
    #[cfg(windows)]
    return dunce::canonicalize(path);
}

/// Removes a file, if it exists.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Ok(()) => {
            touched::note();
            flush(parent(path));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(FileError::Write { path: path.into(), source }),
    }
    Ok(())
}

/// Makes a file as young as if it were just written, if that can be done.
pub fn touch(path: &Path) {
    // Windows asks for the right to write.
    let file = OpenOptions::new().write(true).open(path);
    let _ = file.and_then(|file| file.set_modified(std::time::SystemTime::now()));
}

/// Removes a directory that contains at most lock files. An older Windows keeps it while one of them
/// is held.
pub fn remove_empty_dir(path: &Path) {
    let Some(locks) = only_locks(path) else { return };
    // A file that cannot be removed does no harm.
    for lock in locks {
        let _ = fs::remove_file(lock);
    }
    let _ = fs::remove_dir(path);
    flush(parent(path));
}

/// The lock files of a directory that contains nothing else.
pub fn only_locks(path: &Path) -> Option<Vec<PathBuf>> {
    let is_lock =
        |path: &PathBuf| file_name(path).starts_with('.') && path.extension().is_some_and(|end| end == "lock");
    fs::read_dir(path).ok()?.flatten().map(|entry| Some(entry.path()).filter(is_lock)).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(path: &Path) -> Lock {
        Lock::acquire(path, Duration::from_millis(50), &|_| {}).expect("the lock")
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

    #[cfg(unix)]
    #[test]
    fn a_file_that_the_person_named_is_private_and_no_link_is_followed() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        fs::write(at("page.html"), "old").expect("written");
        fs::set_permissions(at("page.html"), fs::Permissions::from_mode(0o644)).expect("set");
        write_given(&at("page.html"), b"new").expect("replaced");
        assert_eq!(fs::read_to_string(at("page.html")).expect("read"), "new");
        assert_eq!(fs::metadata(at("page.html")).expect("metadata").permissions().mode() & 0o777, 0o600);
        symlink(at("page.html"), at("link")).expect("linked");
        symlink(at("nowhere"), at("dangling")).expect("linked");
        for name in ["link", "dangling", "."] {
            let refused = write_given(&at(name), b"other").expect_err("refused");
            assert!(matches!(refused, FileError::Irregular { .. }), "{name}: {refused}");
        }
        assert_eq!(fs::read_to_string(at("page.html")).expect("read"), "new");
        assert!(!at("nowhere").exists());
        assert!(matches!(write_given(&at("no/such/page"), b"x"), Err(FileError::Write { .. })));
        assert_eq!(fs::read_dir(dir.path()).expect("read").count(), 3, "something was left behind");
    }

    #[test]
    fn a_file_that_is_too_large_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("token");
        fs::write(&path, "12345").expect("written");
        assert_eq!(read_bytes(&path, 5).expect("read").as_slice(), b"12345");
        assert!(read_bytes(&path, 4).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_nowhere_is_not_an_absent_file_and_stays() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        symlink(at("drive/real.toml"), at("accounts.toml")).expect("linked");
        symlink(at("drive"), at("default")).expect("linked");
        for path in [at("accounts.toml"), at("default/accounts.toml"), at("default/deep/accounts.toml")] {
            let dangling = |error| matches!(error, FileError::Dangling { .. });
            assert!(dangling(read_text(&path).expect_err("refused")), "{}", path.display());
            let lock = Lock::acquire(&path, Duration::ZERO, &|_| {});
            assert!(dangling(lock.expect_err("refused")), "{}", path.display());
            assert!(dangling(append_line(&path, "x").expect_err("refused")), "{}", path.display());
            assert!(dangling(write_in_place(&path, b"x").expect_err("refused")), "{}", path.display());
        }
        assert!(matches!(directories(&at("default")), Err(FileError::Dangling { .. })));
        assert!(matches!(directories(dir.path()), Err(FileError::Dangling { .. })));
        assert!(fs::symlink_metadata(at("accounts.toml")).expect("metadata").is_symlink());
        assert_eq!(read_text(&at("absent/accounts.toml")).expect("read"), None);
    }

    #[test]
    fn what_is_not_a_regular_file_is_refused_at_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("accounts.toml");
        make_private_dir(&path).expect("made");
        make_private_dir(&dir.path().join(".x.lock")).expect("made");
        let refused = |error| matches!(error, FileError::Irregular { kind: "a directory", .. });
        assert!(refused(read_text(&path).expect_err("refused")));
        assert!(refused(append_line(&path, "x").expect_err("refused")));
        assert!(refused(lock(&path).replace(b"x").expect_err("refused")));
        assert!(refused(Lock::acquire(&dir.path().join("x"), Duration::ZERO, &|_| {}).expect_err("refused")));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_given_is_read_to_its_limit() {
        let error = read_bytes(Path::new("/dev/zero"), 1000).expect_err("refused");
        assert!(matches!(error, FileError::Read { source, .. } if source.kind() == io::ErrorKind::FileTooLarge));
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("text");
        fs::write(&path, b"\xff").expect("written");
        assert!(read_given_text(&path, 10).is_err());
    }
}
