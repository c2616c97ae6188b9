//! Keeps records in TOML files below the configuration directory, and the log as lines of JSON.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::change::{deep, flat};
use super::health::{HealthFile, HealthTrouble};
use super::snapshot::RecordGroup;
use super::{
    Change, Fields, LogEnd, LogText, NoticeFile, Record, Records, Snapshot, StateError, StateVersion, What, config_text,
};
use crate::accounts::{Account, AccountStore, Parsed, Tenant, TenantFile};
use crate::files::{self, FileError, Lock};
use crate::messages::ChatSettings;
use crate::paths::Paths;

/// A backend of files in a configuration directory.
pub struct Files {
    paths: Paths,
    parsed: Parsed,
}

impl Files {
    /// The files below `paths`; `parsed` caches their parsed texts.
    pub fn new(paths: Paths, parsed: Parsed) -> Self {
        Self { paths, parsed }
    }

    fn path(&self, tenant: &str, kept: RecordGroup) -> PathBuf {
        match kept {
            RecordGroup::Configuration => self.paths.config_file(),
            RecordGroup::Accounts => self.paths.accounts_file(tenant),
            RecordGroup::ChatSettings => self.paths.chat_settings_file(tenant),
            RecordGroup::Tenant => self.paths.tenant_file(tenant),
        }
    }

    fn write_accounts(&self, tenant: &str, changes: &[&Change]) -> Result<(), StateError> {
        let path = self.paths.accounts_file(tenant);
        let is_empty =
            AccountStore::new(path.clone(), Box::new(|_| {})).knowing(self.parsed.clone()).change(|accounts| {
                carry_out(accounts, changes)?;
                Ok::<_, StateError>(accounts.is_empty())
            })?;
        if is_empty {
            // As before the first account was added.
            files::remove(&path)?;
        }
        Ok(())
    }

    fn write_configuration(&self, change: &Change) -> Result<(), StateError> {
        let path = self.paths.config_file();
        let lock = lock(&path)?;
        let text = files::read_text(&path)?.unwrap_or_default();
        let now = toml::from_str(&text).map_err(|error: toml::de::Error| invalid(change, &error.message()))?;
        let then = carried_out(flat(Some(&now)), change)?;
        let mut values = Vec::new();
        for key in change.before.keys().chain(change.after.keys()) {
            let plain = |value| value_of(value).ok_or_else(|| invalid(change, &format!("{key} is not a plain value")));
            values.push((key.as_str(), then.get(key).map(plain).transpose()?));
        }
        let new = config_text::with(&text, values).map_err(|error| invalid(change, &error.message()))?;
        if new.trim().is_empty() && change.what == What::Removed {
            // As before the first setting; what a person wrote beside it stays.
            return Ok(files::remove(&path)?);
        }
        Ok(lock.replace(new.as_bytes())?)
    }
}

impl Files {
    /// Where the log should end; `None` too where that file is damaged, which the next line then
    /// shows.
    fn log_end(&self) -> Result<Option<LogEnd>, StateError> {
        let bytes = files::read_all(&self.paths.log_end_file())?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }
}

fn lock(path: &Path) -> Result<Lock, StateError> {
    Ok(Lock::acquire(path, Lock::PATIENCE, &|_| {})?)
}

fn invalid(change: &Change, why: &impl ToString) -> StateError {
    StateError::Invalid { of: change.of.clone(), why: why.to_string() }
}

fn carried_out(now: Fields, change: &Change) -> Result<Fields, StateError> {
    change.carry_out(now).map_err(|field| StateError::Conflict { of: change.of.clone(), field })
}

/// Applies a change to a small file of a tenant.
fn write_small<T>(file: &TenantFile<T>, change: &Change) -> Result<(), StateError>
where
    T: Serialize + DeserializeOwned + Default,
{
    if change.what == What::Removed {
        return Ok(files::remove(file.path())?);
    }
    let now = serde_json::to_value(file.load()?).map_err(|error| invalid(change, &error))?;
    let then = deep(&carried_out(flat(Some(&now)), change)?);
    let then: T = serde_json::from_value(then).map_err(|error| invalid(change, &error))?;
    Ok(file.change(|value| *value = then)?)
}

fn value_of(value: &Value) -> Option<toml_edit::Value> {
    Some(match value {
        Value::String(text) => text.as_str().into(),
        Value::Bool(on) => (*on).into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64()?.into(),
        },
        _ => return None,
    })
}

fn account_of(fields: &Fields, change: &Change) -> Result<Account, StateError> {
    let mut account = deep(fields);
    if let Some(fields) = account.as_object_mut() {
        // The table exists even for an account without a secret.
        fields.entry("secrets").or_insert_with(|| Value::Object(Map::new()));
    }
    serde_json::from_value(account).map_err(|error| invalid(change, &error))
}

/// Applies changes to accounts: each keeps its place, and a restored one returns to its own.
///
/// # Errors
///
/// An account is not what a change says it was, or the change cannot be applied.
pub fn carry_out(accounts: &mut Vec<Account>, changes: &[&Change]) -> Result<(), StateError> {
    let mut places: HashMap<String, usize> =
        accounts.iter().enumerate().map(|(at, account)| (account.id.clone(), at)).collect();
    let mut returning: Vec<(usize, Account)> = Vec::new();
    let mut going = HashSet::new();
    for change in changes {
        let Some(Record::Account(id)) = &change.record else { continue };
        match (change.what, places.remove(id)) {
            (What::Changed, Some(at)) => {
                let now = serde_json::to_value(&accounts[at]).map_err(|error| invalid(change, &error))?;
                accounts[at] = account_of(&carried_out(flat(Some(&now)), change)?, change)?;
            }
            (What::Removed, Some(_)) => drop(going.insert(id.as_str())),
            (What::Added, None) => {
                returning.push((change.place.unwrap_or(usize::MAX), account_of(&change.after, change)?));
            }
            // A change that is being continued may already be applied.
            (What::Removed, None) | (What::Added, Some(_)) => {}
            (What::Changed, None) => {
                return Err(StateError::Conflict { of: change.of.clone(), field: "it is gone".into() });
            }
        }
    }
    accounts.retain(|account| !going.contains(account.id.as_str()));
    returning.sort_by_key(|(at, _)| *at);
    for (at, account) in returning {
        accounts.insert(at.min(accounts.len()), account);
    }
    Ok(())
}

fn text_of(end: &LogEnd) -> String {
    serde_json::to_string(end).unwrap_or_else(|error| unreachable!("it is JSON: {error}"))
}

/// Changes it, and says whether it is another one now.
fn changes(file: &mut HealthFile, change: &dyn Fn(&mut HealthFile)) -> bool {
    let before = file.clone();
    change(file);
    *file != before
}

impl Records for Files {
    fn snapshot(&self, tenant: &str, with_configuration: bool) -> Result<Snapshot, StateError> {
        let own = [RecordGroup::Accounts, RecordGroup::ChatSettings, RecordGroup::Tenant];
        let kept = own.into_iter().chain(with_configuration.then_some(RecordGroup::Configuration));
        let read = |kept| Ok((kept, files::read_text(&self.path(tenant, kept))?));
        Ok(Snapshot { texts: kept.map(read).collect::<Result<_, StateError>>()?, parsed: self.parsed.clone() })
    }

    fn write(&self, tenant: &str, changes: &[Change]) -> Result<(), StateError> {
        let of = |wanted: Record| changes.iter().filter(move |change| change.record.as_ref() == Some(&wanted));
        for change in of(Record::Configuration) {
            self.write_configuration(change)?;
        }
        let accounts: Vec<&Change> =
            changes.iter().filter(|change| matches!(change.record, Some(Record::Account(_)))).collect();
        if !accounts.is_empty() {
            self.write_accounts(tenant, &accounts)?;
        }
        for change in of(Record::ChatSettings) {
            let path = self.paths.chat_settings_file(tenant);
            write_small(&TenantFile::<ChatSettings>::new(path), change)?;
        }
        for change in of(Record::Tenant) {
            write_small(&TenantFile::<Tenant>::new(self.paths.tenant_file(tenant)), change)?;
        }
        Ok(())
    }

    fn health(&self, tenant: &str) -> Result<(HealthFile, Option<HealthTrouble>), StateError> {
        Ok(HealthFile::read(&self.paths.health_file(tenant))?)
    }

    fn change_health(
        &self,
        tenant: &str,
        change: &dyn Fn(&mut HealthFile),
    ) -> Result<Option<HealthTrouble>, StateError> {
        let path = self.paths.health_file(tenant);
        // Of a tenant that is gone not even a lock is made.
        if !files::is_there(&path)? && !changes(&mut HealthFile::default(), change) {
            return Ok(None);
        }
        let lock = lock(&path)?;
        let (mut file, trouble) = HealthFile::read(&path)?;
        if matches!(trouble, Some(HealthTrouble::Newer { .. })) {
            return Ok(trouble);
        }
        if !changes(&mut file, change) {
            return Ok(None);
        }
        let text = serde_json::to_string(&file).unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
        lock.replace(text.as_bytes())?;
        Ok(trouble)
    }

    fn notices(&self, tenant: &str) -> Result<Option<NoticeFile>, StateError> {
        let path = self.paths.notices_file(tenant);
        let Some(text) = files::read_text(&path)? else { return Ok(None) };
        // Said as a cause: everything that fails would be told once more without it.
        let unreadable = |why: String| FileError::Read {
            path: path.clone(),
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, why),
        };
        let file: NoticeFile = serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        if file.version() > NoticeFile::VERSION {
            return Err(unreadable(format!("a newer msgrctl wrote it (schema_version {})", file.version())).into());
        }
        Ok(Some(file))
    }

    fn keep_notices(&self, tenant: &str, notices: &NoticeFile) -> Result<(), StateError> {
        let lock = lock(&self.paths.notices_file(tenant))?;
        let text = serde_json::to_string(notices).unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
        Ok(lock.replace(text.as_bytes())?)
    }

    fn health_log(&self) -> Result<Vec<String>, StateError> {
        let text = files::read_text(&self.paths.health_log_file())?.unwrap_or_default();
        Ok(text.lines().map(str::to_owned).collect())
    }

    fn log_health(&self, lines: &[String]) -> Result<(), StateError> {
        let path = self.paths.health_log_file();
        let _lock = lock(&path)?;
        Ok(files::append_line(&path, &lines.join("\n"))?)
    }

    fn version(&self, tenant: &str, begin: bool) -> Result<StateVersion, StateError> {
        let path = self.paths.lineage_file();
        let known = || Ok::<_, StateError>(files::read_text(&path)?.unwrap_or_default().trim().to_owned());
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
        Ok(StateVersion { lineage, serial: None, digest: self.snapshot(tenant, false)?.digest() })
    }

    fn place(&self, tenant: &str, record: &Record) -> String {
        let path = self.path(
            tenant,
            match record {
                Record::Account(_) => RecordGroup::Accounts,
                Record::ChatSettings => RecordGroup::ChatSettings,
                Record::Tenant => RecordGroup::Tenant,
                Record::Configuration => RecordGroup::Configuration,
            },
        );
        path.strip_prefix(self.paths.root()).unwrap_or(&path).display().to_string()
    }

    fn log(&self) -> Result<Vec<String>, StateError> {
        // A line that was damaged hides no other.
        let bytes = files::read_all(&self.paths.log_file())?.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let whole = text.strip_suffix('\n').unwrap_or(&text);
        Ok(if text.is_empty() { Vec::new() } else { whole.split('\n').map(str::to_owned).collect() })
    }

    fn log_text(&self) -> Result<LogText, StateError> {
        const TRIES: usize = 20;
        let mut end = self.log_end()?;
        // Every line that is added meanwhile changes the end before and after.
        for _ in 1..TRIES {
            let lines = self.log()?;
            let now = self.log_end()?;
            if now == end {
                return Ok(LogText { lines, end });
            }
            end = now;
        }
        let _lock = lock(&self.paths.log_file())?;
        Ok(LogText { lines: self.log()?, end: self.log_end()? })
    }

    fn append(&self, line: &str) -> Result<(), StateError> {
        let (log, end) = (self.paths.log_file(), self.paths.log_end_file());
        let lock = lock(&log)?;
        let last = files::last_line(&log)?;
        let last = last.as_ref().map(|(line, end)| (line.as_slice(), *end));
        let (line, before, after) = LogEnd::adding(self.log_end()?.as_ref(), last, line);
        lock.replace_beside(&end, text_of(&before).as_bytes())?;
        files::append_line(&log, &line)?;
        Ok(lock.replace_beside(&end, text_of(&after).as_bytes())?)
    }

    fn can_append(&self) -> Result<(), StateError> {
        let log = self.paths.log_file();
        files::is_there(&log)?;
        files::is_there(&self.paths.log_end_file())?;
        lock(&log).map(drop)
    }
}
