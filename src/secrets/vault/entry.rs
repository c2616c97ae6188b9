//! An entry of KV version 2: a map of fields and its version.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::secrets::Secret;

/// A map of fields at a version.
#[derive(Clone, Default)]
pub struct Entry {
    /// The number that a write has to name; 0 for an entry that was never written.
    pub version: u64,
    /// Whether its newest version is deleted or destroyed; an operator may bring it back.
    pub deleted: bool,
    /// Its fields.
    pub fields: BTreeMap<String, Field>,
}

/// The value of a field.
#[derive(Clone)]
pub enum Field {
    /// A text, wiped on drop.
    Text(Secret),
    /// What another program wrote: numbers, lists. It is written back as it was.
    Other(Value),
}

impl Entry {
    /// From the reply to a read; `None` if the reply has no version.
    pub fn of_reply(body: &mut Value) -> Option<Self> {
        let outer = body.get_mut("data")?;
        let version = outer["metadata"]["version"].as_u64()?;
        let inner = outer.get_mut("data").map(Value::take).unwrap_or_default();
        let deleted = inner.is_null();
        let fields = match inner {
            Value::Object(map) => map.into_iter().map(|(name, value)| (name, Field::of(value))).collect(),
            _ => BTreeMap::new(),
        };
        Some(Self { version, deleted, fields })
    }

    /// Whether it is there without any field: another command removes it.
    pub fn is_being_removed(&self) -> bool {
        self.version > 0 && !self.deleted && self.fields.is_empty()
    }

    /// The body of a write that only succeeds at this version.
    pub fn body(&self) -> Value {
        let field = |(name, field): (&String, &Field)| (name.clone(), field.value());
        let data: Map<String, Value> = self.fields.iter().map(field).collect();
        json!({"options": {"cas": self.version}, "data": data})
    }
}

impl Field {
    fn of(value: Value) -> Self {
        match value {
            Value::String(text) => Self::Text(Secret::new(text)),
            other => Self::Other(other),
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Text(secret) => Value::String(secret.expose().to_owned()),
            Self::Other(value) => value.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_program_wrote_is_written_back_as_it_was() {
        let mut reply =
            json!({"data": {"data": {"app_secret": "x", "owner": 7, "tags": ["a"]}, "metadata": {"version": 3}}});
        let entry = Entry::of_reply(&mut reply).expect("an entry");
        assert_eq!(
            entry.body(),
            json!({"options": {"cas": 3}, "data": {"app_secret": "x", "owner": 7, "tags": ["a"]}})
        );
    }

    #[test]
    fn a_deleted_entry_keeps_its_version_and_is_not_one_that_is_being_removed() {
        let read = |data: Value| {
            let mut reply = json!({"data": {"data": data, "metadata": {"version": 4}}});
            Entry::of_reply(&mut reply).expect("an entry")
        };
        let deleted = read(Value::Null);
        assert!(deleted.deleted && deleted.version == 4 && !deleted.is_being_removed());
        assert!(read(json!({})).is_being_removed());
        assert!(!Entry::default().is_being_removed());
        assert!(Entry::of_reply(&mut json!({"errors": []})).is_none());
    }
}
