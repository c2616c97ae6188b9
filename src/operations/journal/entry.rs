//! A line of the log.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::address;
use crate::operations::Workspace;
use crate::state::{Change, Fields, Record, What};
use crate::text::{excerpt, in_json};

/// A line of the log: what one command changed in one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Twelve hexadecimal digits. Older versions wrote none.
    #[serde(default)]
    pub id: String,
    /// RFC 3339, UTC.
    pub time: String,
    /// The system's name for the user.
    pub user: String,
    /// As in `account edit`.
    pub command: String,
    pub tenant: String,
    pub changes: Vec<Change>,
    /// [`DONE`], [`PARTIAL`] or [`INTERRUPTED`].
    pub result: String,
    /// The id of the change that it undid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
}

/// The whole change.
pub const DONE: &str = "done";
/// The command failed after a part of its change.
pub const PARTIAL: &str = "partial";
/// The process was killed before it logged its change.
pub const INTERRUPTED: &str = "interrupted";

/// The prefix of fields at Meta.
const AT_META: &str = "meta.";
/// The prefix of secrets' fields.
const SECRETS: &str = "secrets.";

impl Entry {
    /// A line about this process.
    pub fn new(workspace: &Workspace, tenant: &str, changes: Vec<Change>) -> Self {
        let mut id = uuid::Uuid::new_v4().simple().to_string();
        id.truncate(12);
        Self {
            id,
            time: workspace.now().to_string(),
            user: user(workspace),
            command: workspace.command.clone(),
            tenant: tenant.into(),
            changes,
            result: DONE.into(),
            undoes: None,
        }
    }

    /// The line to write; control characters in texts are escaped.
    pub fn line(&self) -> String {
        let line = serde_json::to_string(self).unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
        in_json(&line).into_owned()
    }

    /// The same without values, which only an undo needs.
    #[must_use]
    pub fn without_values(&self) -> Self {
        let bare = |change: &Change| Change {
            record: None,
            place: None,
            before: Fields::new(),
            after: Fields::new(),
            ..change.clone()
        };
        Self { changes: self.changes.iter().map(bare).collect(), ..self.clone() }
    }

    /// Whether it changed something here, not only at Meta.
    pub fn is_local(&self) -> bool {
        self.changes.iter().any(|change| !change.fields.iter().all(|field| field.starts_with(AT_META)))
    }

    /// Whether it changed only values of secrets, as far as known.
    pub fn is_of_secrets_alone(&self) -> bool {
        let of_secrets = |change: &Change| {
            change.what == What::Changed && change.fields.iter().all(|field| field.starts_with(SECRETS))
        };
        self.changes.iter().all(of_secrets)
    }

    /// Whether it has the values that an undo needs.
    pub fn has_values(&self) -> bool {
        self.changes.iter().any(Change::has_values)
    }

    /// The change, on one line.
    pub fn in_words(&self) -> String {
        several_in_words(&self.changes)
    }
}

/// The system's name for the user.
pub fn user(workspace: &Workspace) -> String {
    let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| workspace.env.text(name));
    user.map_or_else(who_without_a_name, |name| excerpt(name, 100))
}

/// A container often has no variable for the user; the system knows the user's number.
#[cfg(unix)]
fn who_without_a_name() -> String {
    format!("uid {}", rustix::process::getuid().as_raw())
}

#[cfg(not(unix))]
fn who_without_a_name() -> String {
    "unknown".into()
}

/// The first changes on one line, and how many more there are.
pub fn several_in_words(changes: &[Change]) -> String {
    const FIRST: usize = 2;
    let mut words: Vec<String> = changes.iter().take(FIRST).map(in_words).collect();
    words.extend((changes.len() > FIRST).then(|| format!("and {} more", changes.len() - FIRST)));
    words.join("; ")
}

/// One change on one line: `Acme Support: callback_url (none) -> https://…`.
fn in_words(change: &Change) -> String {
    // The configuration always exists, whatever its file holds.
    let is_configuration = change.record == Some(Record::Configuration);
    match change.what {
        What::Added if !is_configuration => format!("{} added", change.of),
        What::Removed if !is_configuration => format!("{} removed", change.of),
        _ if change.fields.len() > 3 => {
            format!("{}: {} and {} more", change.of, change.fields[..2].join(", "), change.fields.len() - 2)
        }
        _ => {
            let fields: Vec<String> = change.fields.iter().map(|field| field_in_words(change, field)).collect();
            format!("{}: {}", change.of, fields.join(", "))
        }
    }
}

/// A field with its old and new value, if known and not secret.
fn field_in_words(change: &Change, field: &str) -> String {
    let (before, after) = (change.before.get(field), change.after.get(field));
    if field.starts_with(SECRETS) || (before.is_none() && after.is_none()) {
        return field.to_owned();
    }
    format!("{field} {} -> {}", value_in_words(before), value_in_words(after))
}

fn value_in_words(value: Option<&Value>) -> String {
    const LONGEST: usize = 60;
    match value {
        None => "(none)".into(),
        // The query of a URL may hold a key.
        Some(Value::String(text)) if text.contains("://") => excerpt(&address::shown(text), LONGEST),
        Some(Value::String(text)) => excerpt(text, LONGEST),
        // A custom message is a table; its text is what changed.
        Some(value) => match value.get("text").and_then(Value::as_str) {
            Some(text) => format!("'{}'", excerpt(text, LONGEST)),
            None => excerpt(&value.to_string(), LONGEST),
        },
    }
}
