//! Keeps records in documents of TOML, and the log as lines of JSON. The configuration is
//! always a file here: it says where the rest is.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

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
use crate::storage::{self, Linked, Place, RemoteError, Storage, StorageError, names};

/// Records in the documents of a backend.
pub struct Documents {
    paths: Paths,
    storage: Arc<dyn Storage>,
    parsed: Parsed,
}

impl Documents {
    /// The documents in `storage`, and the configuration below `paths`; `parsed` caches their
    /// parsed texts.
    pub fn new(paths: Paths, storage: Arc<dyn Storage>, parsed: Parsed) -> Self {
        Self { paths, storage, parsed }
    }

    fn group(&self, tenant: &str, kept: RecordGroup) -> Place {
        self.at(match kept {
            RecordGroup::Configuration => return self.paths.config_file().into(),
            RecordGroup::Accounts => names::accounts(tenant),
            RecordGroup::ChatSettings => names::chat_settings(tenant),
            RecordGroup::Tenant => names::tenant(tenant),
        })
    }

    fn at(&self, name: String) -> Place {
        Place::new(&self.storage, name)
    }

    fn write_accounts(&self, tenant: &str, changes: &[&Change]) -> Result<(), StateError> {
        let place = self.group(tenant, RecordGroup::Accounts);
        let is_empty =
            AccountStore::new(place.clone(), Box::new(|_| {})).knowing(self.parsed.clone()).change(|accounts| {
                carry_out(accounts, changes)?;
                Ok::<_, StateError>(accounts.is_empty())
            })?;
        if is_empty {
            // As before the first account was added.
            place.remove()?;
        }
        Ok(())
    }

    fn write_configuration(&self, change: &Change) -> Result<(), StateError> {
        let path = self.paths.config_file();
        let lock = Lock::acquire(&path, storage::PATIENCE, &|_| {})?;
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

fn invalid(change: &Change, why: &impl ToString) -> StateError {
    StateError::Invalid { of: change.of.clone(), why: why.to_string() }
}

fn carried_out(now: Fields, change: &Change) -> Result<Fields, StateError> {
    change.carry_out(now).map_err(|field| StateError::Conflict { of: change.of.clone(), field })
}

/// Applies a change to a small document of a tenant.
fn write_small<T>(file: &TenantFile<T>, change: &Change) -> Result<(), StateError>
where
    T: Serialize + DeserializeOwned + Default,
{
    if change.what == What::Removed {
        return Ok(file.remove()?);
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

/// Where the log should end. One that is damaged counts as none, which the next line then shows.
fn end_of(text: &str) -> Option<LogEnd> {
    serde_json::from_str(text).ok()
}

fn text_of(end: &LogEnd) -> String {
    serde_json::to_string(end).unwrap_or_else(|error| unreachable!("it is JSON: {error}"))
}

/// How often a change is made anew that another machine overtook.
const MOST_TRIES: u32 = 20;

/// Changes it, and says whether it is another one now.
fn changes(file: &mut HealthFile, change: &dyn Fn(&mut HealthFile)) -> bool {
    let before = file.clone();
    change(file);
    *file != before
}

impl Records for Documents {
    fn snapshot(&self, tenant: &str, with_configuration: bool) -> Result<Snapshot, StateError> {
        let own = [RecordGroup::Accounts, RecordGroup::ChatSettings, RecordGroup::Tenant];
        let kept = own.into_iter().chain(with_configuration.then_some(RecordGroup::Configuration));
        let read = |kept| Ok((kept, self.group(tenant, kept).read()?));
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
            write_small(&TenantFile::<ChatSettings>::new(self.group(tenant, RecordGroup::ChatSettings)), change)?;
        }
        for change in of(Record::Tenant) {
            write_small(&TenantFile::<Tenant>::new(self.group(tenant, RecordGroup::Tenant)), change)?;
        }
        Ok(())
    }

    fn health(&self, tenant: &str) -> Result<(HealthFile, Option<HealthTrouble>), StateError> {
        let place = self.at(names::health(tenant));
        Ok(HealthFile::of(place.read(), place.path())?)
    }

    fn change_health(
        &self,
        tenant: &str,
        change: &dyn Fn(&mut HealthFile),
    ) -> Result<Option<HealthTrouble>, StateError> {
        let place = self.at(names::health(tenant));
        // Of a tenant that is gone not even a lock is made.
        if matches!(place.read(), Ok(None)) && !changes(&mut HealthFile::default(), change) {
            return Ok(None);
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let open = place.open(&|_| {})?;
            let (mut file, trouble) = HealthFile::of(open.read(), place.path())?;
            if matches!(trouble, Some(HealthTrouble::Newer { .. })) {
                return Ok(trouble);
            }
            if !changes(&mut file, change) {
                return Ok(None);
            }
            let text = serde_json::to_string(&file).unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
            match open.replace(&text) {
                // Another machine was faster: the change is made to what that has left.
                Err(StorageError::Remote(RemoteError::Changed { .. })) if tries < MOST_TRIES => {}
                replaced => return Ok(replaced.map(|()| trouble)?),
            }
        }
    }

    fn notices(&self, tenant: &str) -> Result<Option<NoticeFile>, StateError> {
        let place = self.at(names::notices(tenant));
        let Some(text) = place.read()? else { return Ok(None) };
        // Said as a cause: everything that fails would be told once more without it.
        let unreadable = |why: String| FileError::Read {
            path: place.path().into(),
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, why),
        };
        let file: NoticeFile = serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        if file.version() > NoticeFile::VERSION {
            return Err(unreadable(format!("a newer msgrctl wrote it (schema_version {})", file.version())).into());
        }
        Ok(Some(file))
    }

    fn keep_notices(&self, tenant: &str, notices: &NoticeFile) -> Result<(), StateError> {
        let place = self.at(names::notices(tenant));
        let open = place.open(&|_| {})?;
        let text = serde_json::to_string(notices).unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
        Ok(open.replace(&text)?)
    }

    fn health_log(&self) -> Result<Vec<String>, StateError> {
        Ok(self.storage.lines(names::HEALTH_LOG)?)
    }

    fn log_health(&self, lines: &[String]) -> Result<(), StateError> {
        Ok(self.storage.append(names::HEALTH_LOG, &lines.join("\n"))?)
    }

    fn version(&self, tenant: &str, begin: bool) -> Result<StateVersion, StateError> {
        let storage::History { lineage, serial } = self.storage.history(tenant, begin)?;
        Ok(StateVersion { lineage, serial, digest: self.snapshot(tenant, false)?.digest() })
    }

    fn place(&self, tenant: &str, record: &Record) -> String {
        let place = self.group(
            tenant,
            match record {
                Record::Account(_) => RecordGroup::Accounts,
                Record::ChatSettings => RecordGroup::ChatSettings,
                Record::Tenant => RecordGroup::Tenant,
                Record::Configuration => RecordGroup::Configuration,
            },
        );
        place.path().strip_prefix(self.paths.root()).unwrap_or(place.path()).display().to_string()
    }

    fn log(&self) -> Result<Vec<String>, StateError> {
        Ok(self.storage.lines(names::LOG)?)
    }

    fn log_text(&self) -> Result<LogText, StateError> {
        let log = self.storage.whole(names::LOG)?;
        Ok(LogText { lines: log.lines, end: log.end.as_deref().and_then(end_of) })
    }

    fn append(&self, line: &str) -> Result<(), StateError> {
        let next = |end: Option<&str>, last: Option<(&[u8], u64)>| {
            let (line, before, after) = LogEnd::adding(end.and_then(end_of).as_ref(), last, line);
            Linked { line, before: text_of(&before), after: text_of(&after) }
        };
        Ok(self.storage.link(names::LOG, &next)?)
    }

    fn can_append(&self) -> Result<(), StateError> {
        Ok(self.storage.can_append(names::LOG)?)
    }
}
