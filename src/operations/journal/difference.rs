//! What was changed, found by comparing the files before and after: no command has to say it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::ChangedThing;
use crate::accounts::differing_accounts;
use crate::secrets::SecretKind;

/// What files hold, where they are there; by their paths below the configuration directory.
pub type Texts = BTreeMap<PathBuf, Option<String>>;

/// The two sides, and the secrets that have another value, each by its account's id.
pub struct Difference<'a> {
    /// The files as they were.
    pub before: &'a Texts,
    /// The files as they are.
    pub after: &'a Texts,
    /// Secrets with another value.
    pub secrets: &'a [(String, SecretKind)],
}

impl Difference<'_> {
    /// What was changed; nothing where the files say the same in other words.
    pub fn changes(&self) -> Vec<ChangedThing> {
        let mut changes = Vec::new();
        for (path, before) in self.before {
            let now = self.after.get(path).cloned().flatten();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_accounts = name == "accounts.toml";
            let other_secrets = is_accounts && !self.secrets.is_empty();
            if *before == now && !other_secrets {
                continue;
            }
            let presence = what(before.is_some(), now.is_some());
            if is_accounts {
                let accounts = self.accounts(before.as_deref(), now.as_deref());
                if accounts.is_empty() && presence != "changed" {
                    let of = "list of accounts".into();
                    changes.push(ChangedThing { of, handle: None, what: presence.into(), fields: Vec::new() });
                }
                changes.extend(accounts);
                continue;
            }
            let of = match &*name {
                "chat-settings.toml" => "chat settings",
                "tenant.toml" => "tenant",
                _ => "configuration",
            };
            let fields = different(&table(before.as_deref()), &table(now.as_deref()));
            if !fields.is_empty() || presence != "changed" {
                changes.push(ChangedThing { of: of.into(), handle: None, what: presence.into(), fields });
            }
        }
        changes
    }

    fn accounts(&self, before: Option<&str>, now: Option<&str>) -> Vec<ChangedThing> {
        let mut secrets: BTreeMap<&str, Vec<SecretKind>> = BTreeMap::new();
        for (id, kind) in self.secrets {
            secrets.entry(id).or_default().push(*kind);
        }
        // One account of ten thousand, mostly: the others need not be parsed.
        let touched = secrets.keys().copied().collect();
        let differing = before.zip(now).and_then(|(before, now)| differing_accounts(before, now, &touched));
        let (before, now) = match &differing {
            Some([before, now]) => (Some(before.as_str()), Some(now.as_str())),
            None => (before, now),
        };
        let by_id = |value: &Value| -> BTreeMap<String, Value> {
            let accounts = value["accounts"].as_array().cloned().unwrap_or_default();
            accounts
                .into_iter()
                .map(|account| (account["id"].as_str().unwrap_or_default().to_owned(), account))
                .collect()
        };
        let (before, now) = (by_id(&table(before)), by_id(&table(now)));
        let ids = before.keys().chain(now.keys().filter(|id| !before.contains_key(*id)));
        let mut changes = Vec::new();
        for id in ids {
            let none = Value::Null;
            let (old, new) = (before.get(id).unwrap_or(&none), now.get(id).unwrap_or(&none));
            let mut fields = different(old, new);
            fields.retain(|field| field != "updated_at" && field != "id");
            for kind in secrets.get(id.as_str()).into_iter().flatten() {
                let field = format!("secrets.{}", kind.key());
                if !fields.contains(&field) {
                    fields.push(field);
                }
            }
            if fields.is_empty() {
                continue;
            }
            let text = |key: &str| new[key].as_str().or(old[key].as_str()).map(str::to_owned);
            let of = text("name").unwrap_or_else(|| id.clone());
            changes.push(ChangedThing {
                of,
                handle: text("handle"),
                what: what(!old.is_null(), !new.is_null()).into(),
                fields,
            });
        }
        changes
    }
}

fn what(before: bool, now: bool) -> &'static str {
    match (before, now) {
        (false, true) => "added",
        (true, false) => "removed",
        _ => "changed",
    }
}

/// A TOML text as a value; null when there is none.
fn table(text: Option<&str>) -> Value {
    text.and_then(|text| toml::from_str(text).ok()).unwrap_or_default()
}

/// The keys whose values differ; of tables the keys below them.
fn different(before: &Value, now: &Value) -> Vec<String> {
    let empty = serde_json::Map::new();
    let (old, new) = (before.as_object().unwrap_or(&empty), now.as_object().unwrap_or(&empty));
    let mut fields = Vec::new();
    for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
        let (a, b) = (old.get(key).unwrap_or(&Value::Null), new.get(key).unwrap_or(&Value::Null));
        if a == b || key == "schema_version" {
            continue;
        }
        let below = if a.is_object() || b.is_object() { different(a, b) } else { Vec::new() };
        if below.is_empty() {
            fields.push(key.clone());
        }
        // A message is a table of its own: its name is what changed.
        let deep = |below: String| format!("{key}.{}", below.split('.').next().unwrap_or_default());
        fields.extend(below.into_iter().map(deep));
    }
    fields.dedup();
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_named_by_their_keys() {
        let before =
            table(Some("a = 1\n[m]\nx = 'disabled'\n[m.z]\nstate = 'custom'\ntext = 't'\n[s]\nk = 'keyring'\n"));
        let now = table(Some(
            "a = 1\nb = 2\n[m.y]\nstate = 'custom'\ntext = 'u'\n[m.z]\nstate = 'custom'\ntext = 'v'\n[s]\nk = 'file'\n",
        ));
        assert_eq!(different(&before, &now), ["m.x", "m.z", "m.y", "s.k", "b"]);
        assert!(different(&now, &now).is_empty());
        assert_eq!(what(false, true), "added");
    }
}
