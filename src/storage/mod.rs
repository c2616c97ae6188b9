//! Where documents are kept: the texts that hold a tenant's accounts, settings, health and
//! notices, and the lines of the log.
//!
//! A backend ([`Storage`]) reads and replaces whole texts by name, appends lines and hands out
//! the right to change a tenant. It knows nothing of what the texts mean. [`LocalFiles`] keeps
//! each in a file, [`Shared`] on a server that a team
//! shares: in a bucket of S3, or in a PostgreSQL database.

mod local;
mod lock_info;
pub mod names;
mod postgres;
mod s3;
mod shared;
mod trouble;

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::files::FileError;

pub use local::LocalFiles;
pub use lock_info::{Holder, LockInfo};
pub use postgres::{holds_password, is_address as is_postgres, policy as postgres_policy, without_password};
pub use s3::policy as s3_policy;
pub use shared::Shared;
pub use trouble::RemoteError;

/// How long to wait for another process before giving up a change of one document.
pub const PATIENCE: Duration = crate::files::Lock::PATIENCE;

/// A backend. Names are relative paths: `tenants/acme/accounts.toml`, `log.jsonl`.
pub trait Storage: Debug + Send + Sync {
    /// Where a document is, for showing.
    fn path(&self, name: &str) -> PathBuf;

    /// Names the place of all of it, however its address is written.
    fn identity(&self) -> String;

    /// A document's text; `None` when it does not exist.
    fn read(&self, name: &str) -> Result<Option<String>, StorageError>;

    /// The text, perhaps of a minute ago, if it is known within `limit`: for completions.
    fn read_soon(&self, name: &str, _limit: Duration) -> Option<String> {
        self.read(name).ok().flatten()
    }

    /// Opens a document for a change. `on_wait` is called once when another process holds it
    /// for noticeably long.
    fn open(
        &self,
        name: &str,
        patience: Duration,
        on_wait: &dyn Fn(&Path),
    ) -> Result<Box<dyn OpenDocument + '_>, StorageError>;

    /// Writes a document that only the holder of its tenant writes, and that means nothing while
    /// unfinished.
    fn put(&self, name: &str, text: &str) -> Result<(), StorageError>;

    /// Removes a document, if it exists.
    fn remove(&self, name: &str) -> Result<(), StorageError>;

    /// The names of the tenants that have a document, sorted.
    fn tenants(&self) -> Result<Vec<String>, StorageError>;

    /// The same at once, perhaps not all of them: for completions.
    fn tenants_soon(&self) -> Vec<String> {
        self.tenants().unwrap_or_default()
    }

    /// The names of the documents in a directory, sorted: `pending/acme.json`.
    fn documents(&self, directory: &str) -> Result<Vec<String>, StorageError>;

    /// The lines of a log, the oldest first; empty when it does not exist.
    fn lines(&self, log: &str) -> Result<Vec<String>, StorageError>;

    /// The lines of a log as one moment has them, with where it should end.
    fn whole(&self, log: &str) -> Result<WholeLog, StorageError>;

    /// Adds lines to a log: all of them or nothing.
    fn append(&self, log: &str, lines: &str) -> Result<(), StorageError>;

    /// Adds a line that follows the last one, and writes where the log ends now: both or nothing.
    /// `next` makes the line and the end; it may be called again when others were faster.
    fn link(&self, log: &str, next: &Link<'_>) -> Result<(), StorageError>;

    /// Writes where a log ends that was copied.
    fn set_end(&self, log: &str, end: &str) -> Result<(), StorageError>;

    /// Whether a line could be added, as far as that can be told beforehand.
    fn can_append(&self, log: &str) -> Result<(), StorageError>;

    /// Waits for the right to change a tenant, which lasts until dropped. `say` is told of a
    /// long wait.
    fn hold(
        &self,
        tenant: &str,
        holder: &Holder,
        patience: Duration,
        say: &dyn Fn(&str),
    ) -> Result<Box<dyn Held>, StorageError>;

    /// Whether a long run that also changes Meta holds its tenant all along. A hold inside it is a
    /// part of it then.
    fn holds_runs(&self) -> bool {
        false
    }

    /// Whether such a run still has the right to go on: its lock has not ended, and the records
    /// are what it last read or wrote. Without a run there is nothing to check.
    fn check_run(&self, _tenant: &str) -> Result<(), StorageError> {
        Ok(())
    }

    /// After the removal of a tenant's documents: removes what only served them.
    fn forget_tenant(&self, tenant: &str);

    /// The history of a tenant's records. With `begin` a backend that has none yet begins one,
    /// where it can.
    fn history(&self, tenant: &str, begin: bool) -> Result<History, StorageError>;

    /// What there is of a tenant.
    fn state_of(&self, tenant: &str) -> Result<TenantState, StorageError>;

    /// Who holds the lock of a tenant, where that is known.
    fn lock_of(&self, tenant: &str) -> Result<Option<LockInfo>, StorageError>;

    /// Breaks the lock with this id; `false` if it has ended already.
    fn unlock(&self, tenant: &str, id: &str) -> Result<bool, StorageError>;
}

/// Makes a line that follows the last one. It is given where the log ended until now, and the
/// last line of the log with where that ends, in bytes from the beginning of its file.
pub type Link<'a> = dyn Fn(Option<&str>, Option<(&[u8], u64)>) -> Linked + 'a;

/// A line that follows the last one.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The line.
    pub line: String,
    /// Where the log ends while it is being added.
    pub before: String,
    /// Where it ends then.
    pub after: String,
}

/// A log as one moment has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WholeLog {
    /// The lines, oldest first.
    pub lines: Vec<String>,
    /// Where it should end, as the last writer said.
    pub end: Option<String>,
}

/// Names the history of records, and how far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Made once, with the first record; empty before.
    pub lineage: String,
    /// The number of changes, where a backend counts them.
    pub serial: Option<u64>,
}

/// What a backend has of a tenant.
#[derive(Clone, Debug)]
pub struct TenantState {
    /// Its name.
    pub tenant: String,
    /// Names the history of its records, where the backend has one.
    pub lineage: Option<String>,
    /// The number of changes in it.
    pub serial: Option<u64>,
    /// The size of its records.
    pub bytes: usize,
    /// Why its records cannot be read.
    pub damaged: Option<String>,
    /// Who holds its lock.
    pub lock: Option<LockInfo>,
}

/// A document that is being changed.
pub trait OpenDocument {
    /// Its text; `None` when it does not exist.
    fn read(&self) -> Result<Option<String>, StorageError>;

    /// Replaces it, if it is still what was read.
    fn replace(&self, text: &str) -> Result<(), StorageError>;
}

/// The right to change a tenant; dropping it gives it back.
pub trait Held: Debug {}

/// Why a backend did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A file could not be read, written or locked.
    #[error(transparent)]
    File(#[from] FileError),
    /// A backend on the network failed.
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

/// One document in a backend.
#[derive(Clone, Debug)]
pub struct Place {
    storage: Arc<dyn Storage>,
    name: String,
    path: PathBuf,
}

impl Place {
    /// The document with this name.
    pub fn new(storage: &Arc<dyn Storage>, name: impl Into<String>) -> Self {
        let name = name.into();
        Self { path: storage.path(&name), storage: storage.clone(), name }
    }

    /// Where it is, for showing.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text; `None` when it does not exist.
    pub fn read(&self) -> Result<Option<String>, StorageError> {
        self.storage.read(&self.name)
    }

    /// Its text, if it is known soon; see [`Storage::read_soon`].
    pub fn read_soon(&self, limit: Duration) -> Option<String> {
        self.storage.read_soon(&self.name, limit)
    }

    /// Opens it for a change; see [`Storage::open`].
    pub fn open(&self, on_wait: &dyn Fn(&Path)) -> Result<Box<dyn OpenDocument + '_>, StorageError> {
        self.storage.open(&self.name, PATIENCE, on_wait)
    }

    /// Removes it, if it exists.
    pub fn remove(&self) -> Result<(), StorageError> {
        self.storage.remove(&self.name)
    }
}

/// A file that belongs to no backend.
impl From<PathBuf> for Place {
    fn from(path: PathBuf) -> Self {
        let root = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { storage: Arc::new(LocalFiles::new(root)), name, path }
    }
}
