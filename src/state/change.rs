//! One change of one record.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The fields of a record by name: `callback_url`; a table's fields have its name before them
/// (`messages.agent-left`, `secrets.app_secret`).
pub type Fields = Map<String, Value>;

/// Which record of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The account with this id.
    Account(String),
    /// The tenant's Chat Settings.
    ChatSettings,
    /// The tenant's own settings.
    Tenant,
    /// The settings of `config.toml`, which all tenants share.
    Configuration,
}

impl Record {
    /// What to call it where it has no name.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::ChatSettings => "chat settings",
            Self::Tenant => "tenant",
            Self::Configuration => "configuration",
        }
    }
}

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It was created.
    Added,
    /// Its fields changed.
    Changed,
    /// It was removed.
    Removed,
}

/// What happened to one record, as logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// An account's name, `chat settings`, `tenant` or `configuration`.
    pub of: String,
    /// The account's handle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// What happened to it.
    pub what: What,
    /// The names of the changed fields; `secrets.page_access_token` for a new value or place,
    /// `meta.…` for changes at Meta.
    pub fields: Vec<String>,
    /// Which record; absent where nothing changed locally, and in lines of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
    /// An account's position in the list before it was removed, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<usize>,
    /// The changed fields before.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub before: Fields,
    /// The changed fields after.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub after: Fields,
}

/// Written with each change; not a change by itself.
pub(super) const STAMP: &str = "updated_at";

impl Change {
    /// A change that has only the names of fields: their values are kept elsewhere.
    pub fn named(of: String, handle: String, fields: Vec<String>) -> Self {
        Self {
            of,
            handle: Some(handle),
            what: What::Changed,
            fields,
            record: None,
            place: None,
            before: Fields::new(),
            after: Fields::new(),
        }
    }

    /// The change between two states of a record; `None` if they have the same fields.
    pub(super) fn between(record: Record, before: Option<&Value>, after: Option<&Value>) -> Option<Self> {
        let what = match (before, after) {
            (None, None) => return None,
            (None, Some(_)) => What::Added,
            (Some(_), None) => What::Removed,
            (Some(_), Some(_)) => What::Changed,
        };
        let (mut old, mut new) = (flat(before), flat(after));
        let text = |key: &str| new.get(key).or(old.get(key)).and_then(Value::as_str).map(str::to_owned);
        let (of, handle) = match &record {
            Record::Account(id) => (text("name").unwrap_or_else(|| id.clone()), text("handle")),
            other => (other.word().to_owned(), None),
        };
        if what == What::Changed {
            let same: Vec<String> =
                old.iter().filter(|(key, value)| new.get(*key) == Some(*value)).map(|(key, _)| key.clone()).collect();
            for key in same {
                old.shift_remove(&key);
                new.shift_remove(&key);
            }
        }
        let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
        let own = |key: &&String| *key != STAMP && *key != "id";
        let fields: Vec<String> = keys.filter(own).cloned().collect();
        if what == What::Changed && fields.is_empty() {
            return None;
        }
        Some(Self { of, handle, what, fields, record: Some(record), place: None, before: old, after: new })
    }

    /// The change that undoes it.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let what = match self.what {
            What::Added => What::Removed,
            What::Changed => What::Changed,
            What::Removed => What::Added,
        };
        Self { what, before: self.after.clone(), after: self.before.clone(), ..self.clone() }
    }

    /// Whether it has the values before and after, so that it can be undone.
    pub fn has_values(&self) -> bool {
        let mut keys = self.before.keys().chain(self.after.keys());
        self.record.is_some() && (self.what != What::Changed || keys.any(|key| key != STAMP))
    }

    /// The first field whose value in `now` is not what the change left; `None` when it can be
    /// reversed. `again` also accepts the value before the change.
    pub fn conflict(&self, now: Option<&Fields>, again: bool) -> Option<String> {
        let empty = Fields::new();
        let (is_there, now) = (now.is_some(), now.unwrap_or(&empty));
        let expected = self.what != What::Removed;
        if is_there != expected {
            let is_back = self.what != What::Changed && again;
            return if is_back { None } else { Some(String::new()) };
        }
        let keys = self.before.keys().chain(self.after.keys()).map(String::as_str);
        // A record about to be removed must be as it was created, without new fields.
        let more = now.keys().map(String::as_str).filter(|_| self.what == What::Added);
        let differs = keys.chain(more).filter(|key| *key != STAMP).find(|key| {
            let now = now.get(*key);
            now != self.after.get(*key) && !(again && now == self.before.get(*key))
        });
        differs.map(str::to_owned)
    }

    /// The record's fields after the change.
    ///
    /// # Errors
    ///
    /// The first field that is not what it was before.
    pub(super) fn carry_out(&self, now: Fields) -> Result<Fields, String> {
        let mut then = now;
        let stamp_moved = then.get(STAMP) != self.before.get(STAMP);
        for key in self.before.keys().chain(self.after.keys()).filter(|key| *key != STAMP || !stamp_moved) {
            let (old, new) = (self.before.get(key), self.after.get(key));
            let is = then.get(key);
            if is != old && is != new {
                return Err(key.clone());
            }
            match new {
                Some(value) => drop(then.insert(key.clone(), value.clone())),
                None => drop(then.shift_remove(key)),
            }
        }
        Ok(then)
    }
}

/// A record's fields; those of tables get the table's name before them.
pub(super) fn flat(record: Option<&Value>) -> Fields {
    let mut fields = Fields::new();
    for (key, value) in record.and_then(Value::as_object).into_iter().flatten() {
        match value.as_object() {
            _ if key == "schema_version" => {}
            Some(table) => {
                fields.extend(table.iter().map(|(below, value)| (format!("{key}.{below}"), value.clone())));
            }
            None => drop(fields.insert(key.clone(), value.clone())),
        }
    }
    fields
}

/// The record made of such fields.
pub(super) fn deep(fields: &Fields) -> Value {
    let mut record = Map::new();
    for (key, value) in fields {
        match key.split_once('.') {
            None => drop(record.insert(key.clone(), value.clone())),
            Some((table, below)) => {
                let table = record.entry(table).or_insert_with(|| Value::Object(Map::new()));
                if let Some(table) = table.as_object_mut() {
                    table.insert(below.into(), value.clone());
                }
            }
        }
    }
    Value::Object(record)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(before: Option<&Value>, after: Option<&Value>) -> Option<Change> {
        Change::between(Record::Account("1".into()), before, after)
    }

    #[test]
    fn a_change_has_the_fields_that_differ_and_no_others() {
        let before =
            json!({"id": "1", "name": "A", "updated_at": "x", "messages": {"x": "disabled", "z": {"text": "t"}}});
        let after = json!({"id": "1", "name": "A", "updated_at": "y", "b": 1, "messages": {"z": {"text": "v"}}});
        let found = change(Some(&before), Some(&after)).expect("a change");
        assert_eq!(found.fields, ["messages.x", "messages.z", "b"]);
        assert_eq!((found.of.as_str(), found.what), ("A", What::Changed));
        assert_eq!(deep(&found.carry_out(flat(Some(&before))).expect("carried out")), after);
        assert_eq!(deep(&found.reversed().carry_out(flat(Some(&after))).expect("reversed")), before);
        let stamped = json!({"id": "1", "name": "A", "updated_at": "z", "messages": before["messages"]});
        assert_eq!(change(Some(&before), Some(&stamped)), None, "the stamp alone is no change");
        assert_eq!(change(Some(&before), Some(&before)), None);
    }

    #[test]
    fn a_conflict_is_a_field_that_is_not_what_the_change_left() {
        let of = |value: Value| flat(Some(&value));
        let found = change(Some(&json!({"a": 1, "b": 1})), Some(&json!({"a": 2, "b": 1}))).expect("a change");
        assert_eq!(found.conflict(Some(&of(json!({"a": 2, "b": 9}))), false), None, "another field is free");
        assert_eq!(found.conflict(Some(&of(json!({"a": 3}))), false), Some("a".into()));
        assert_eq!(found.conflict(Some(&of(json!({"a": 1}))), false), Some("a".into()));
        assert_eq!(found.conflict(Some(&of(json!({"a": 1}))), true), None, "it is back already");
        assert_eq!(found.conflict(None, true), Some(String::new()));
        let added = change(None, Some(&json!({"a": 1}))).expect("a change");
        assert_eq!(added.conflict(Some(&of(json!({"a": 1}))), false), None);
        assert_eq!(added.conflict(Some(&of(json!({"a": 1, "b": 1}))), false), Some("b".into()));
        assert_eq!(added.conflict(None, false), Some(String::new()));
        assert_eq!(added.reversed().conflict(None, false), None);
    }

    #[test]
    fn a_line_of_an_older_version_has_no_values() {
        let line = r#"{"of":"Acme","handle":"acme","what":"changed","fields":["name"]}"#;
        let old: Change = serde_json::from_str(line).expect("read");
        assert!(!old.has_values());
        assert_eq!(serde_json::to_string(&old).expect("written"), line);
    }
}
