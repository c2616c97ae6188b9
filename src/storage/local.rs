//! Keeps each document in a file below one directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Held, Holder, LockInfo, OpenDocument, PATIENCE, Storage, StorageError, TenantState, names};
use crate::files::{self, Lock};

/// A backend of files.
#[derive(Debug)]
pub struct LocalFiles {
    root: PathBuf,
}

impl LocalFiles {
    /// The files below `root`.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn tenant_dir(&self, tenant: &str) -> PathBuf {
        self.root.join("tenants").join(tenant)
    }
}

/// A file whose lock is held.
struct LockedFile {
    path: PathBuf,
    lock: Lock,
}

impl OpenDocument for LockedFile {
    fn read(&self) -> Result<Option<String>, StorageError> {
        Ok(files::read_text(&self.path)?)
    }

    fn replace(&self, text: &str) -> Result<(), StorageError> {
        Ok(self.lock.replace(text.as_bytes())?)
    }
}

impl Held for Lock {}

impl Storage for LocalFiles {
    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn read(&self, name: &str) -> Result<Option<String>, StorageError> {
        Ok(files::read_text(&self.path(name))?)
    }

    fn open(
        &self,
        name: &str,
        patience: Duration,
        on_wait: &dyn Fn(&Path),
    ) -> Result<Box<dyn OpenDocument + '_>, StorageError> {
        let path = self.path(name);
        let lock = Lock::acquire(&path, patience, on_wait)?;
        Ok(Box::new(LockedFile { path, lock }))
    }

    fn put(&self, name: &str, text: &str) -> Result<(), StorageError> {
        // A file cut off by a kill means that nothing had begun, so it needs no atomic write.
        Ok(files::write_in_place(&self.path(name), text.as_bytes())?)
    }

    fn remove(&self, name: &str) -> Result<(), StorageError> {
        Ok(files::remove(&self.path(name))?)
    }

    fn tenants(&self) -> Result<Vec<String>, StorageError> {
        Ok(files::directories(&self.root.join("tenants"))?)
    }

    fn documents(&self, directory: &str) -> Result<Vec<String>, StorageError> {
        let paths = files::list_ours(&self.path(directory))?;
        let names = paths.iter().filter_map(|path| path.file_name()?.to_str());
        Ok(names.map(|name| format!("{directory}/{name}")).collect())
    }

    fn lines(&self, log: &str) -> Result<Vec<String>, StorageError> {
        let text = self.read(log)?.unwrap_or_default();
        Ok(text.lines().map(str::to_owned).collect())
    }

    fn append(&self, log: &str, lines: &str) -> Result<(), StorageError> {
        let path = self.path(log);
        let _lock = Lock::acquire(&path, PATIENCE, &|_| {})?;
        Ok(files::append_line(&path, lines)?)
    }

    fn can_append(&self, log: &str) -> Result<(), StorageError> {
        let path = self.path(log);
        files::is_there(&path)?;
        Ok(Lock::acquire(&path, PATIENCE, &|_| {}).map(drop)?)
    }

    fn hold(
        &self,
        tenant: &str,
        _holder: &Holder,
        patience: Duration,
        say: &dyn Fn(&str),
    ) -> Result<Box<dyn Held>, StorageError> {
        let on_wait = |_: &Path| say("waiting for another msgrctl to finish its change of this tenant …");
        Ok(Box::new(Lock::acquire(&self.tenant_dir(tenant).join("changes"), patience, &on_wait)?))
    }

    fn forget_tenant(&self, tenant: &str) {
        // The lock files go with the directory; other files keep it.
        files::remove_empty_dir(&self.tenant_dir(tenant));
    }

    fn state_of(&self, tenant: &str) -> Result<TenantState, StorageError> {
        let all = [names::accounts(tenant), names::chat_settings(tenant), names::tenant(tenant)];
        let sizes = all.iter().map(|name| Ok(self.read(name)?.map_or(0, |text| text.len())));
        let bytes = sizes.sum::<Result<usize, StorageError>>()?;
        Ok(TenantState { tenant: tenant.into(), lineage: None, serial: None, bytes, lock: None })
    }

    fn lock_of(&self, _tenant: &str) -> Result<Option<LockInfo>, StorageError> {
        // The system frees the lock of a process that has ended.
        Ok(None)
    }

    fn unlock(&self, _tenant: &str, _id: &str) -> Result<bool, StorageError> {
        Ok(false)
    }
}
