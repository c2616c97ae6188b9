//! What the last test of an account found, and which levels of its webhook were ever set up.
//! Kept beside the accounts, so that it is known without asking Meta again.

use std::collections::HashSet;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Change, Record, What};
use crate::files::FileError;
use crate::storage::StorageError;

/// What the last test of an account found, and what was seen of its webhook after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The account's id.
    pub account_id: String,
    /// `pass`, `warn`, `fail` or `unreachable`: its worst check.
    pub outcome: String,
    /// The first check that ended so, where that is not `pass`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Why it ended so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// When a test first ended like this one: with the same outcome for the same cause.
    pub since: Timestamp,
    /// When the test was made.
    pub checked_at: Timestamp,
    /// When the token ends; absent where it does not end or that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What the token is: `page-of-long-user`; absent where that is not known, and in files of older
    /// versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_life: Option<String>,
    /// When the access to personal data ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_access_ends_at: Option<Timestamp>,
    /// The worst of what was found about the delivery of messages; `skip` where that is not known.
    pub webhook: String,
    /// The checks that this rests on: those that are not `pass`, and what was found about the
    /// delivery. Empty in files of older versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckResult>,
    /// When something was changed since that the result rests on; absent where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
}

/// How one check ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Its id.
    pub check: String,
    /// `pass`, `warn`, `fail` or `unreachable`.
    pub outcome: String,
    /// Why, where that is not `pass`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// The levels of an account's webhook that were there once, or were ordered from here: since
/// then their absence is a failure, and no longer something to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetUp {
    /// The account's id.
    pub account_id: String,
    /// The id of the app whose webhook it was: another app has none by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// The id of the Page whose subscription it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// The id of the app that the Page was subscribed for; absent where it was not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_app: Option<String>,
}

/// The version of the file that is written here.
const SCHEMA_VERSION: u64 = 1;

/// What is known of a tenant's accounts: the content of `health.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthFile {
    schema_version: u64,
    /// The result of the last test of each account.
    pub accounts: Vec<Health>,
    /// What was set up, an entry an account.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set_up: Vec<SetUp>,
}

impl Default for HealthFile {
    fn default() -> Self {
        Self { schema_version: SCHEMA_VERSION, accounts: Vec::new(), set_up: Vec::new() }
    }
}

/// Why `health.json` does not tell all that it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthTrouble {
    /// The file, or so many of its entries, cannot be read; `None`: nothing of it can be.
    Damaged {
        /// The file.
        path: PathBuf,
        /// How many entries.
        entries: Option<usize>,
    },
    /// A newer version has written it: it is neither read nor replaced.
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        version: u64,
    },
}

impl fmt::Display for HealthTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { path, entries: None } => {
                write!(f, "{} is damaged, and its results were skipped", path.display())
            }
            Self::Damaged { path, entries: Some(1) } => write!(f, "{} is damaged: 1 entry was skipped", path.display()),
            Self::Damaged { path, entries: Some(count) } => {
                write!(f, "{} is damaged: {count} entries were skipped", path.display())
            }
            Self::Newer { path, version } => write!(
                f,
                "{} was written by a newer msgrctl (schema version {version}; this one knows {SCHEMA_VERSION}): its results are not shown, and no new ones are kept",
                path.display()
            ),
        }
    }
}

impl HealthFile {
    /// The content of the document that was `read` at `path`, entry by entry, and what is wrong
    /// with it.
    pub(super) fn of(
        read: Result<Option<String>, StorageError>,
        path: &Path,
    ) -> Result<(Self, Option<HealthTrouble>), StorageError> {
        let damaged = |entries| Some(HealthTrouble::Damaged { path: path.into(), entries });
        let text = match read {
            Ok(Some(text)) => text,
            Ok(None) => return Ok((Self::default(), None)),
            // It is not text.
            Err(StorageError::File(FileError::Read { source, .. })) if source.kind() == ErrorKind::InvalidData => {
                return Ok((Self::default(), damaged(None)));
            }
            Err(error) => return Err(error),
        };
        let Ok(Value::Object(mut content)) = serde_json::from_str(&text) else {
            return Ok((Self::default(), damaged(None)));
        };
        let version = content.get("schema_version").and_then(Value::as_u64).unwrap_or(SCHEMA_VERSION);
        if version > SCHEMA_VERSION {
            return Ok((Self::default(), Some(HealthTrouble::Newer { path: path.into(), version })));
        }
        let mut bad = 0;
        let file = Self {
            accounts: entries(content.remove("accounts"), &mut bad),
            set_up: entries(content.remove("set_up"), &mut bad),
            ..Self::default()
        };
        Ok((file, if bad == 0 { None } else { damaged(Some(bad)) }))
    }

    /// Follows changes of the tenant's records: what is known of an account that is gone goes,
    /// and a result that rests on what was changed is older than the change.
    pub fn follow(&mut self, changes: &[Change], at: Timestamp) {
        let (mut gone, mut touched, mut all) = (HashSet::new(), HashSet::new(), false);
        for change in changes {
            match &change.record {
                Some(Record::Account(id)) => match change.what {
                    What::Removed => drop(gone.insert(id.as_str())),
                    What::Changed if change.fields.iter().any(|field| !UNCHECKED.contains(&field.as_str())) => {
                        touched.insert(id.as_str());
                    }
                    What::Changed | What::Added => {}
                },
                // Every account's messages are judged by them.
                Some(Record::ChatSettings) => all = true,
                Some(Record::Tenant | Record::Configuration) | None => {}
            }
        }
        self.accounts.retain(|health| !gone.contains(health.account_id.as_str()));
        self.set_up.retain(|set_up| !gone.contains(set_up.account_id.as_str()));
        for health in self.accounts.iter_mut().filter(|health| all || touched.contains(health.account_id.as_str())) {
            health.changed_at = Some(at);
        }
    }
}

/// Fields of an account that no check looks at.
const UNCHECKED: [&str; 4] = ["name", "page_name", "secrets.next_verify_token", "secrets.user_access_token"];

/// Those of a list that can be read; the others are counted.
fn entries<T: DeserializeOwned>(list: Option<Value>, bad: &mut usize) -> Vec<T> {
    let list = match list {
        None => Vec::new(),
        Some(Value::Array(list)) => list,
        Some(other) => vec![other],
    };
    let before = list.len();
    let read: Vec<T> = list.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect();
    *bad += before - read.len();
    read
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Fields;
    use crate::storage::Place;

    const GOOD: &str = r#"{"account_id":"one","outcome":"pass","since":"2026-01-01T00:00:00Z","checked_at":"2026-01-01T00:00:00Z","webhook":"pass"}"#;

    fn read(text: &[u8]) -> (HealthFile, Option<HealthTrouble>) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("health.json");
        std::fs::write(&path, text).expect("written");
        HealthFile::of(Place::from(path.clone()).read(), &path).expect("read")
    }

    #[test]
    fn an_entry_that_cannot_be_read_takes_no_other_with_it() {
        let text = format!(
            r#"{{"schema_version":1,"accounts":[{GOOD},{{"account_id":7}}],"set_up":[1,{{"account_id":"one"}}]}}"#
        );
        let (file, trouble) = read(text.as_bytes());
        assert_eq!((file.accounts.len(), file.set_up.len()), (1, 1));
        assert!(matches!(trouble, Some(HealthTrouble::Damaged { entries: Some(2), .. })), "{trouble:?}");
        for whole in [&b"{"[..], b"[]", b"\xff\xfe", b""] {
            let (file, trouble) = read(whole);
            assert!(file == HealthFile::default(), "{file:?}");
            assert!(matches!(trouble, Some(HealthTrouble::Damaged { entries: None, .. })), "{trouble:?}");
        }
        let old = read(br#"{"schema_version":1,"accounts":[]}"#);
        assert_eq!(old, (HealthFile::default(), None), "a file of before is read");
        let newer = read(br#"{"schema_version":400,"accounts":{}}"#).1;
        assert!(matches!(newer, Some(HealthTrouble::Newer { version: 400, .. })), "{newer:?}");
    }

    #[test]
    fn what_is_known_follows_the_records() {
        let file = || {
            let health: Health = serde_json::from_str(GOOD).expect("an entry");
            let two = Health { account_id: "two".into(), ..health.clone() };
            let set_up = vec![SetUp { account_id: "one".into(), ..SetUp::default() }];
            HealthFile { accounts: vec![health, two], set_up, ..HealthFile::default() }
        };
        let followed = |record, what, fields: &[&str]| {
            let fields = fields.iter().map(|field| (*field).to_owned()).collect();
            let change = Change {
                what,
                record: Some(record),
                before: Fields::new(),
                ..Change::named("One".into(), "one".into(), fields)
            };
            let mut file = file();
            file.follow(&[change], Timestamp::from_second(7).expect("a time"));
            let changed = file.accounts.iter().filter(|health| health.changed_at.is_some());
            let changed = changed.map(|health| health.account_id.clone()).collect::<Vec<_>>().join(" ");
            (file.accounts.len(), file.set_up.len(), changed)
        };
        let one = || Record::Account("one".into());
        assert_eq!(followed(one(), What::Removed, &[]), (1, 0, String::new()));
        assert_eq!(followed(one(), What::Changed, &["secrets.app_secret"]), (2, 1, "one".into()));
        assert_eq!(followed(one(), What::Changed, &["name", "page_name"]), (2, 1, String::new()));
        assert_eq!(followed(Record::ChatSettings, What::Changed, &["timeouts"]), (2, 1, "one two".into()));
        assert_eq!(followed(Record::Tenant, What::Changed, &["host"]), (2, 1, String::new()));
    }
}
