//! Keeps each document in a file below one directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{
    Held, History, Holder, Link, LockInfo, OpenDocument, PATIENCE, Storage, StorageError, TenantState, WholeLog, names,
};
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

    /// Where a log should end; a file that is damaged counts as none, which the next line shows.
    fn end(&self, log: &str) -> Result<Option<String>, StorageError> {
        let bytes = files::read_all(&self.path(&names::end_of(log)))?;
        Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
    }
}

fn lock(path: &Path) -> Result<Lock, StorageError> {
    Ok(Lock::acquire(path, PATIENCE, &|_| {})?)
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
        // Part by part: the system's separators are between them.
        name.split('/').fold(self.root.clone(), |path, part| path.join(part))
    }

    fn identity(&self) -> String {
        self.root.display().to_string()
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
        if matches!(name, names::LOG | names::HEALTH_LOG) {
            files::remove(&self.path(&names::end_of(name)))?;
        }
        Ok(files::remove(&self.path(name))?)
    }

    fn tenants(&self) -> Result<Vec<String>, StorageError> {
        let mut all = files::directories(&self.root.join("tenants"))?;
        all.retain(|tenant| files::only_locks(&self.tenant_dir(tenant)).is_none());
        Ok(all)
    }

    fn documents(&self, directory: &str) -> Result<Vec<String>, StorageError> {
        let paths = files::list_ours(&self.path(directory))?;
        let names = paths.iter().filter_map(|path| path.file_name()?.to_str());
        Ok(names.map(|name| format!("{directory}/{name}")).collect())
    }

    fn lines(&self, log: &str) -> Result<Vec<String>, StorageError> {
        // A line that was damaged hides no other.
        let bytes = files::read_all(&self.path(log))?.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let whole = text.strip_suffix('\n').unwrap_or(&text);
        Ok(if text.is_empty() { Vec::new() } else { whole.split('\n').map(str::to_owned).collect() })
    }

    fn whole(&self, log: &str) -> Result<WholeLog, StorageError> {
        const TRIES: usize = 20;
        let mut end = self.end(log)?;
        // Every line that is added meanwhile changes the end before and after.
        for _ in 1..TRIES {
            let lines = self.lines(log)?;
            let now = self.end(log)?;
            if now == end {
                return Ok(WholeLog { lines, end });
            }
            end = now;
        }
        let _lock = lock(&self.path(log))?;
        Ok(WholeLog { lines: self.lines(log)?, end: self.end(log)? })
    }

    fn append(&self, log: &str, lines: &str) -> Result<(), StorageError> {
        let path = self.path(log);
        let _lock = lock(&path)?;
        Ok(files::append_line(&path, lines)?)
    }

    fn link(&self, log: &str, next: &Link<'_>) -> Result<(), StorageError> {
        let (path, end) = (self.path(log), self.path(&names::end_of(log)));
        let lock = lock(&path)?;
        let last = files::last_line(&path)?;
        let last = last.as_ref().map(|(line, end)| (line.as_slice(), *end));
        let linked = next(self.end(log)?.as_deref(), last);
        lock.replace_beside(&end, linked.before.as_bytes())?;
        files::append_line(&path, &linked.line)?;
        Ok(lock.replace_beside(&end, linked.after.as_bytes())?)
    }

    fn set_end(&self, log: &str, end: &str) -> Result<(), StorageError> {
        Ok(lock(&self.path(log))?.replace_beside(&self.path(&names::end_of(log)), end.as_bytes())?)
    }

    fn can_append(&self, log: &str) -> Result<(), StorageError> {
        let path = self.path(log);
        files::is_there(&path)?;
        files::is_there(&self.path(&names::end_of(log)))?;
        lock(&path).map(drop)
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

    fn history(&self, _tenant: &str, begin: bool) -> Result<History, StorageError> {
        let path = self.path(names::LINEAGE);
        let known = || Ok::<_, StorageError>(files::read_text(&path)?.unwrap_or_default().trim().to_owned());
        let mut lineage = known()?;
        if lineage.is_empty() && begin {
            let lock = lock(&path)?;
            // Another process may have made it meanwhile.
            lineage = known()?;
            if lineage.is_empty() {
                lineage = uuid::Uuid::new_v4().to_string();
                lock.replace(format!("{lineage}\n").as_bytes())?;
            }
        }
        Ok(History { lineage, serial: None })
    }

    fn state_of(&self, tenant: &str) -> Result<TenantState, StorageError> {
        let all = [names::accounts(tenant), names::chat_settings(tenant), names::tenant(tenant)];
        let sizes = all.iter().map(|name| Ok(self.read(name)?.map_or(0, |text| text.len())));
        let bytes = sizes.sum::<Result<usize, StorageError>>()?;
        Ok(TenantState { tenant: tenant.into(), lineage: None, serial: None, bytes, damaged: None, lock: None })
    }

    fn lock_of(&self, _tenant: &str) -> Result<Option<LockInfo>, StorageError> {
        // The system frees the lock of a process that has ended.
        Ok(None)
    }

    fn unlock(&self, _tenant: &str, _id: &str) -> Result<bool, StorageError> {
        Ok(false)
    }
}
