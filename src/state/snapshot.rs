//! The records of a tenant at one moment.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::{Change, Fields, Record, What, flat};
use crate::accounts::{Account, SchemaError, read_accounts};

/// The records of a tenant at one moment. Parsed as far as it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Snapshot(pub(super) BTreeMap<Kept, Option<String>>);

/// What is kept together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kept {
    /// First: it is the record that others depend on least.
    Configuration,
    Accounts,
    ChatSettings,
    Tenant,
}

/// A new table of the list.
const ACCOUNT: &str = "\n[[accounts]]\n";

impl Snapshot {
    /// Whether the setting that all tenants share is in it.
    pub fn has_configuration(&self) -> bool {
        self.0.contains_key(&Kept::Configuration)
    }

    /// The accounts, in their order.
    ///
    /// # Errors
    ///
    /// They cannot be read; `place` is what the error says of where they are.
    pub fn accounts(&self, place: &str) -> Result<Vec<Account>, SchemaError> {
        match self.0.get(&Kept::Accounts) {
            Some(Some(text)) => read_accounts(text, Path::new(place)),
            _ => Ok(Vec::new()),
        }
    }

    /// What became of the records until `after`. `secrets` are those with another value, each by
    /// its account's id and field: no record shows that.
    pub fn changes_to(&self, after: &Self, secrets: &[(String, String)]) -> Vec<Change> {
        let mut changes = Vec::new();
        for (kept, before) in &self.0 {
            let now = after.0.get(kept).and_then(Option::as_deref);
            let before = before.as_deref();
            let record = match kept {
                Kept::Accounts => {
                    changes.extend(accounts(before, now, secrets));
                    continue;
                }
                Kept::Configuration => Record::Configuration,
                Kept::ChatSettings => Record::ChatSettings,
                Kept::Tenant => Record::Tenant,
            };
            if before != now {
                changes.extend(Change::between(record, before.map(parsed).as_ref(), now.map(parsed).as_ref()));
            }
        }
        changes
    }

    /// The fields of all records.
    pub fn records(&self) -> BTreeMap<Record, Fields> {
        let mut records = BTreeMap::new();
        for (kept, text) in &self.0 {
            let Some(text) = text else { continue };
            match kept {
                Kept::Accounts => {
                    let accounts = list(&parsed(text)).into_iter();
                    records.extend(accounts.map(|(id, account)| (Record::Account(id), flat(Some(&account)))));
                }
                Kept::Configuration => drop(records.insert(Record::Configuration, flat(Some(&parsed(text))))),
                Kept::ChatSettings => drop(records.insert(Record::ChatSettings, flat(Some(&parsed(text))))),
                Kept::Tenant => drop(records.insert(Record::Tenant, flat(Some(&parsed(text))))),
            }
        }
        records
    }
}

/// A text of TOML as a value; empty where it is broken, which the commands that read it say.
fn parsed(text: &str) -> Value {
    toml::from_str(text).unwrap_or_else(|_| Value::Object(serde_json::Map::new()))
}

fn list(value: &Value) -> Vec<(String, Value)> {
    let accounts = value["accounts"].as_array().cloned().unwrap_or_default();
    accounts.into_iter().map(|account| (account["id"].as_str().unwrap_or_default().to_owned(), account)).collect()
}

/// What became of accounts.
fn accounts(before: Option<&str>, now: Option<&str>, secrets: &[(String, String)]) -> Vec<Change> {
    if before == now && secrets.is_empty() {
        return Vec::new();
    }
    let (before, now) = (before.unwrap_or_default(), now.unwrap_or_default());
    let [before, now] = differing(before, now, secrets)
        .unwrap_or_else(|| [before, now].map(|text| list(&parsed(text)).into_iter().enumerate().collect()));
    let by_id = |all: Vec<(usize, (String, Value))>| -> BTreeMap<String, (usize, Value)> {
        all.into_iter().map(|(at, (id, account))| (id, (at, account))).collect()
    };
    let (before, now) = (by_id(before), by_id(now));
    let mut others: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, field) in secrets {
        others.entry(id).or_default().push(field);
    }
    let ids = before.keys().chain(now.keys().filter(|id| !before.contains_key(*id)));
    let mut changes = Vec::new();
    for id in ids {
        let (old, new) = (before.get(id), now.get(id));
        let (was, is) = (old.map(|(_, account)| account), new.map(|(_, account)| account));
        let others = others.get(id.as_str()).map(Vec::as_slice).unwrap_or_default();
        let change = Change::between(Record::Account(id.clone()), was, is);
        let change = change.or_else(|| {
            let text = |key: &str| is?[key].as_str().map(str::to_owned);
            let mut named = Change::named(text("name").unwrap_or_else(|| id.clone()), String::new(), Vec::new());
            named.handle = text("handle");
            named.record = Some(Record::Account(id.clone()));
            (!others.is_empty() && is.is_some()).then_some(named)
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

type Placed = Vec<(usize, (String, Value))>;

/// The accounts of two lists that are not the same in both, and those with other secrets, each
/// with its place: of ten thousand mostly one differs, and the others need not be parsed.
/// `None` where the texts have to be parsed whole.
fn differing(before: &str, now: &str, secrets: &[(String, String)]) -> Option<[Placed; 2]> {
    // Where a text may span lines, a line says nothing of where an account begins.
    let spans = |text: &str| text.contains("'''") || text.contains("\"\"\"");
    if spans(before) || spans(now) {
        return None;
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (before.split(ACCOUNT).collect(), now.split(ACCOUNT).collect());
    let begins_before = |tables: &[&str]| {
        tables[0].lines().any(|line| line.contains("accounts") && !line.trim_start().starts_with('#'))
    };
    if begins_before(&old) || begins_before(&new) {
        return None;
    }
    let in_both: HashSet<&str> = old.iter().skip(1).copied().collect();
    let in_both: HashSet<&str> = new.iter().skip(1).copied().filter(|table| in_both.contains(table)).collect();
    let parse = |tables: &[&str]| {
        let mut placed = Vec::new();
        for (at, table) in tables.iter().skip(1).enumerate() {
            let has_other_secret = || secrets.iter().any(|(id, _)| table.contains(id.as_str()));
            if in_both.contains(table) && !has_other_secret() {
                continue;
            }
            let value: Value = toml::from_str(&format!("{ACCOUNT}{table}")).ok()?;
            let [account] = list(&value).try_into().ok()?;
            placed.push((at, account));
        }
        Some(placed)
    };
    Some([parse(&old)?, parse(&new)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Snapshot {
        Snapshot(BTreeMap::from([(Kept::Accounts, Some(text.to_owned()))]))
    }

    fn account(id: &str, name: &str) -> String {
        format!("\n[[accounts]]\nid = \"{id}\"\nname = \"{name}\"\n")
    }

    #[test]
    fn accounts_that_differ_are_found_with_their_places() {
        let head = "# The accounts\nschema_version = 1\n";
        let before = format!("{head}{}{}{}", account("1", "A"), account("2", "B"), account("3", "C"));
        let after = format!("{head}{}{}", account("1", "A"), account("3", "D"));
        let secrets = [("1".to_owned(), "secrets.app_secret".to_owned())];
        let changes = of(&before).changes_to(&of(&after), &secrets);
        let found: Vec<_> = changes.iter().map(|change| (change.of.as_str(), change.what, change.place)).collect();
        assert_eq!(found, [("A", What::Changed, None), ("B", What::Removed, Some(1)), ("D", What::Changed, None)]);
        assert_eq!(changes[0].fields, ["secrets.app_secret"]);
        assert!(!changes[0].has_values() && changes[1].has_values());
        // Texts over several lines are parsed whole, to the same end.
        let spanning = |text: &str| of(&format!("{text}{}t = '''\n[[accounts]]\n'''\n", account("9", "E")));
        assert_eq!(spanning(&before).changes_to(&spanning(&after), &secrets), changes);
    }

    #[test]
    fn a_moment_without_a_record_differs_from_one_with_an_empty_one() {
        let none = Snapshot(BTreeMap::from([(Kept::Tenant, None)]));
        let empty = Snapshot(BTreeMap::from([(Kept::Tenant, Some("schema_version = 1\n".into()))]));
        assert_eq!(none.changes_to(&empty, &[])[0].what, What::Added);
        assert_eq!(empty.changes_to(&none, &[])[0].what, What::Removed);
        assert!(empty.changes_to(&empty, &[]).is_empty());
    }
}
