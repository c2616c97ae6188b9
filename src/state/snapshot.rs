//! The records of a tenant at one moment.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::change::{Change, Fields, Record, What, flat};
use crate::accounts::{Account, Parsed, SchemaError};

/// A tenant's records at one moment, parsed only when asked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Snapshot {
    pub(super) texts: BTreeMap<RecordGroup, Option<String>>,
    #[serde(skip)]
    pub(super) parsed: Parsed,
}

impl PartialEq for Snapshot {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

/// The groups in which records are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RecordGroup {
    /// First: other records depend on it least.
    Configuration,
    Accounts,
    ChatSettings,
    Tenant,
}

impl RecordGroup {
    /// The record, where the group has only one; `None` for accounts.
    fn record(self) -> Option<Record> {
        match self {
            Self::Configuration => Some(Record::Configuration),
            Self::Accounts => None,
            Self::ChatSettings => Some(Record::ChatSettings),
            Self::Tenant => Some(Record::Tenant),
        }
    }
}

impl Snapshot {
    /// Whether it includes the setting that all tenants share.
    pub fn has_configuration(&self) -> bool {
        self.texts.contains_key(&RecordGroup::Configuration)
    }

    /// The accounts, in their order.
    ///
    /// # Errors
    ///
    /// The accounts cannot be read; `place` says in the error where they are.
    pub fn accounts(&self, place: &str) -> Result<Rc<Vec<Account>>, SchemaError> {
        match self.texts.get(&RecordGroup::Accounts) {
            Some(Some(text)) => self.parsed.accounts(text, Path::new(place)),
            _ => Ok(Rc::default()),
        }
    }

    /// The accounts; empty if they cannot be read, which the commands that read them report.
    fn or_none(&self) -> Rc<Vec<Account>> {
        self.accounts("accounts.toml").unwrap_or_default()
    }

    /// The changes between this moment and `after`. `secrets` are the changed ones, each by
    /// account id and field, since records do not show them.
    pub fn changes_to(&self, after: &Self, secrets: &[(String, String)]) -> Vec<Change> {
        let mut changes = Vec::new();
        for (kept, before) in &self.texts {
            let now = after.texts.get(kept).and_then(Option::as_deref);
            let before = before.as_deref();
            match kept.record() {
                Some(record) if before != now => {
                    changes.extend(Change::between(record, before.map(parsed).as_ref(), now.map(parsed).as_ref()));
                }
                None if before != now || !secrets.is_empty() => {
                    changes.extend(changes_of(&self.or_none(), &after.or_none(), secrets));
                }
                _ => {}
            }
        }
        changes
    }

    /// SHA-256 of the fields of all records, in hexadecimal digits: the same where records only
    /// stand in another order or layout.
    pub fn digest(&self) -> String {
        let records: Vec<(Record, Fields)> = self.records().into_iter().collect();
        let text = serde_json::to_vec(&records).unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
        hex::encode(Sha256::digest(text))
    }

    /// The fields of all records.
    pub fn records(&self) -> BTreeMap<Record, Fields> {
        let mut records = BTreeMap::new();
        for (kept, text) in &self.texts {
            let Some(text) = text else { continue };
            if let Some(record) = kept.record() {
                records.insert(record, flat(Some(&parsed(text))));
            } else {
                let fields = |account: &Account| (Record::Account(account.id.clone()), flat(Some(&value(account))));
                records.extend(self.or_none().iter().map(fields));
            }
        }
        records
    }
}

/// A text of TOML as a value; empty if it is broken, which the commands that read it report.
fn parsed(text: &str) -> Value {
    toml::from_str(text).unwrap_or_else(|_| Value::Object(serde_json::Map::new()))
}

fn value(account: &Account) -> Value {
    serde_json::to_value(account).unwrap_or_else(|error| unreachable!("it is JSON: {error}"))
}

/// The changes of accounts.
fn changes_of(before: &[Account], now: &[Account], secrets: &[(String, String)]) -> Vec<Change> {
    fn by_id(accounts: &[Account]) -> BTreeMap<&str, (usize, &Account)> {
        accounts.iter().enumerate().map(|(at, account)| (account.id.as_str(), (at, account))).collect()
    }
    let (before, now) = (by_id(before), by_id(now));
    let mut others: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, field) in secrets {
        others.entry(id).or_default().push(field);
    }
    let ids = before.keys().chain(now.keys().filter(|id| !before.contains_key(*id)));
    let mut changes = Vec::new();
    for id in ids {
        let (old, new) = (before.get(id), now.get(id));
        let others = others.get(id).map(Vec::as_slice).unwrap_or_default();
        let (was, is) = (old.map(|(_, account)| *account), new.map(|(_, account)| *account));
        if was == is && others.is_empty() {
            continue;
        }
        let record = Record::Account((*id).to_owned());
        let change = Change::between(record.clone(), was.map(value).as_ref(), is.map(value).as_ref());
        let change = change.or_else(|| {
            let named = Change::named(is?.name.to_string(), is?.handle.to_string(), Vec::new());
            (!others.is_empty()).then_some(Change { record: Some(record), ..named })
        });
        changes.extend(change.map(|mut change| {
            for field in others {
                if !change.fields.iter().any(|known| known == field) {
                    change.fields.push((*field).to_owned());
                }
            }
            if change.what == What::Removed {
                change.place = old.map(|(at, _)| *at);
            }
            change
        }));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kept: RecordGroup, text: Option<&str>) -> Snapshot {
        Snapshot { texts: BTreeMap::from([(kept, text.map(str::to_owned))]), parsed: Parsed::default() }
    }

    fn account(id: &str, name: &str) -> String {
        format!(
            "\n[[accounts]]\nid = '{id}'\nhandle = 'h{id}'\nname = '{name}'\ntype = 'facebook'\npage_username = 'page.{id}'\npage_id = '10987654321{id}'\ngraph = 'sandbox'\ncreated_at = '2026-01-01T00:00:00Z'\nupdated_at = '2026-01-01T00:00:00Z'\n[accounts.secrets]\n"
        )
    }

    #[test]
    fn accounts_that_differ_are_found_with_their_places() {
        let head = "# The accounts\nschema_version = 1\n";
        let before = format!("{head}{}{}{}", account("1", "A"), account("2", "B"), account("3", "C"));
        let after = format!("{head}{}{}", account("1", "A"), account("3", "D"));
        let secrets = [("1".to_owned(), "secrets.app_secret".to_owned())];
        let snapshot = |text: &str| of(RecordGroup::Accounts, Some(text));
        let changes = snapshot(&before).changes_to(&snapshot(&after), &secrets);
        let found: Vec<_> = changes.iter().map(|change| (change.of.as_str(), change.what, change.place)).collect();
        assert_eq!(found, [("A", What::Changed, None), ("B", What::Removed, Some(1)), ("D", What::Changed, None)]);
        assert_eq!(changes[0].fields, ["secrets.app_secret"]);
        assert!(!changes[0].has_values() && changes[1].has_values());
        let broken = snapshot("accounts = 1").changes_to(&snapshot(&before), &[]);
        assert_eq!((broken.len(), broken[0].what), (3, What::Added), "what cannot be read is nothing");
    }

    #[test]
    fn the_digest_is_of_the_fields_and_not_of_their_layout() {
        let of_texts = |accounts: &str| of(RecordGroup::Accounts, Some(accounts)).digest();
        let (one, two) = (account("1", "A"), account("2", "B"));
        let both = format!("schema_version = 1\n{one}{two}");
        assert_eq!(of_texts(&both), of_texts(&format!("# edited\nschema_version = 1\n{two}{one}")));
        assert_ne!(of_texts(&both), of_texts(&both.replace("'A'", "'C'")));
        assert_ne!(of_texts(&both), of_texts(&format!("schema_version = 1\n{one}")));
        let none = of(RecordGroup::Tenant, None).digest();
        assert_ne!(none, of(RecordGroup::Tenant, Some("host = 'a'\n")).digest());
    }

    #[test]
    fn a_moment_without_a_record_differs_from_one_with_an_empty_one() {
        let (none, empty) = (of(RecordGroup::Tenant, None), of(RecordGroup::Tenant, Some("schema_version = 1\n")));
        assert_eq!(none.changes_to(&empty, &[])[0].what, What::Added);
        assert_eq!(empty.changes_to(&none, &[])[0].what, What::Removed);
        assert!(empty.changes_to(&empty, &[]).is_empty());
    }
}
