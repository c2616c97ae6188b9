//! What was changed, and how the last change is taken back: a line in `log.jsonl`
//! for each change, and the files as they were in `undo.json`.
//!
//! A change is what happens to the files of a tenant between getting the right to
//! change them and giving it back; what changed is found by comparing, so no command
//! has to say it. Neither file holds a secret, since the files they tell of do not.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::context::Context;
use super::error::CliError;
use crate::accounts::differing_accounts;
use crate::files::{self, FileError, Lock};
use crate::secrets::SecretKind;
use crate::ui::interrupt::Hold;

/// A line of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// RFC 3339, UTC.
    pub time: String,
    /// Who ran the command, as the system calls them.
    pub user: String,
    /// `account edit`.
    pub command: String,
    /// The tenant.
    pub tenant: String,
    /// What was changed.
    pub changes: Vec<ChangedThing>,
    /// `done`.
    pub result: String,
}

impl Entry {
    fn new(ctx: &Context, tenant: &str, changes: Vec<ChangedThing>) -> Self {
        let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| ctx.env.text(name));
        Self {
            time: ctx.now().to_string(),
            user: user.unwrap_or("unknown").into(),
            command: ctx.command().into(),
            tenant: tenant.into(),
            changes,
            result: "done".into(),
        }
    }
}

/// Writes down a change: how it is taken back, then the line of the log. When the
/// first fails nothing is left that would take back an older one in its place.
fn write(ctx: &Context, undo: &Undo) -> Result<(), CliError> {
    let paths = &ctx.settings()?.paths;
    let (log, last) = (paths.log_file(), paths.undo_file());
    let _log = Lock::acquire(&log, Lock::PATIENCE, &|_| {})?;
    let json = |error: serde_json::Error| unreachable!("it is JSON: {error}");
    let text = serde_json::to_string(undo).unwrap_or_else(json);
    if let Err(error) = Lock::acquire(&last, Lock::PATIENCE, &|_| {}).and_then(|lock| lock.replace(text.as_bytes())) {
        files::remove(&last)?;
        return Err(error.into());
    }
    files::append_line(&log, &serde_json::to_string(&undo.entry).unwrap_or_else(json))?;
    Ok(())
}

/// Writes down a change that is not taken back by putting files back: secrets that
/// were moved.
pub fn note(ctx: &Context, changes: Vec<ChangedThing>) -> Result<(), CliError> {
    if changes.is_empty() {
        return Ok(());
    }
    let tenant = ctx.settings()?.tenant.value.to_string();
    let entry = Entry::new(ctx, &tenant, changes);
    write(ctx, &Undo { entry, files: Vec::new(), others: Vec::new() })
}

/// Writes down a change at Meta: a line of the log alone, since `undo` takes back what
/// was changed here, and that stays the last change. What is done is done: a log that
/// cannot be written is a warning, and holds back nothing that is still to be said.
pub fn note_at_meta(ctx: &Context, changes: Vec<ChangedThing>) {
    if changes.is_empty() {
        return;
    }
    let write = || {
        let tenant = ctx.settings()?.tenant.value.to_string();
        let log = ctx.settings()?.paths.log_file();
        let _log = Lock::acquire(&log, Lock::PATIENCE, &|_| {})?;
        let entry = Entry::new(ctx, &tenant, changes);
        let line = serde_json::to_string(&entry).unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
        Ok::<_, CliError>(files::append_line(&log, &line)?)
    };
    if let Err(error) = write() {
        ctx.output.warning(&format!("the change at Meta is not in the log: {}", error.message()));
    }
}

/// One thing that was changed, and what about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChangedThing {
    /// An account's name, `chat settings`, `tenant` or `configuration`.
    pub of: String,
    /// The account's handle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// `added`, `changed` or `removed`.
    pub what: String,
    /// The fields; `secrets.page_access_token` for a new value or place.
    pub fields: Vec<String>,
}

/// How the last change is taken back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Undo {
    /// The change.
    pub entry: Entry,
    /// The files it changed.
    pub files: Vec<FileBefore>,
    /// The tenant's other files as they were: a change of them that was not written
    /// down, since its process was killed, is noticed by them.
    #[serde(default)]
    pub others: Vec<FileBefore>,
}

/// A file before the change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileBefore {
    /// Below the configuration directory.
    pub path: PathBuf,
    /// Its text; absent when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it became; absent when it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_sha256: Option<String>,
}

/// The text of a file as `undo.json` compares it.
pub fn fingerprint(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// What files hold, where they are there.
type Texts = BTreeMap<PathBuf, Option<String>>;

/// The right to change a tenant's files and secrets, held until it is dropped; then
/// what was changed is written into the log.
pub struct Changing<'a> {
    ctx: &'a Context,
    tenant: String,
    before: Texts,
    secrets: RefCell<Vec<(String, SecretKind)>>,
    _held: Lock,
}

impl<'a> Changing<'a> {
    /// Begins a change of `tenant`, whose lock is held.
    pub(super) fn begin(ctx: &'a Context, tenant: &str, held: Lock) -> Result<Self, CliError> {
        let paths = &ctx.settings()?.paths;
        let before = texts([paths.tenant_file(tenant), paths.chat_settings_file(tenant), paths.accounts_file(tenant)])?;
        Ok(Self { ctx, tenant: tenant.into(), before, secrets: RefCell::default(), _held: held })
    }

    /// The change may be one of the configuration file too, which is no tenant's.
    pub(super) fn and_configuration(mut self) -> Result<Self, CliError> {
        self.before.extend(texts([self.ctx.settings()?.paths.config_file()])?);
        Ok(self)
    }

    /// Says that a secret of the account with this id has another value.
    pub fn secret(&self, account_id: &str, kind: SecretKind) {
        self.secrets.borrow_mut().push((account_id.into(), kind));
    }

    /// Compares, and writes down what is different.
    fn end(&self) -> Result<(), CliError> {
        let _hold = Hold::begin();
        let after = texts(self.before.keys().cloned())?;
        if after == self.before && self.secrets.borrow().is_empty() {
            return Ok(());
        }
        let paths = &self.ctx.settings()?.paths;
        let entry = Entry::new(self.ctx, &self.tenant, self.changes(&after));
        let (files, others): (Vec<_>, Vec<_>) =
            self.before.iter().partition(|(path, text)| after.get(*path) != Some(*text));
        let file = |path: &PathBuf, before: Option<String>| FileBefore {
            path: path.strip_prefix(paths.root()).unwrap_or(path).into(),
            before,
            after_sha256: after.get(path).and_then(Option::as_deref).map(fingerprint),
        };
        let files: Vec<FileBefore> = files.into_iter().map(|(path, text)| file(path, text.clone())).collect();
        // The configuration is edited by hand too, and is no tenant's.
        let others = others.into_iter().filter(|(path, _)| **path != paths.config_file());
        let others = others.map(|(path, _)| file(path, None)).collect();
        write(self.ctx, &Undo { entry, files, others })
    }

    fn changes(&self, after: &Texts) -> Vec<ChangedThing> {
        let mut changes = Vec::new();
        for (path, before) in &self.before {
            let now = after.get(path).cloned().flatten();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_accounts = name == "accounts.toml";
            let other_secrets = is_accounts && !self.secrets.borrow().is_empty();
            if *before == now && !other_secrets {
                continue;
            }
            if is_accounts {
                changes.extend(self.accounts(before.as_deref(), now.as_deref()));
                continue;
            }
            let (before, now) = (table(before.as_deref()), table(now.as_deref()));
            let of = match &*name {
                "chat-settings.toml" => "chat settings",
                "tenant.toml" => "tenant",
                _ => "configuration",
            };
            let fields = different(&before, &now);
            if !fields.is_empty() || before.is_null() != now.is_null() {
                changes.push(ChangedThing { of: of.into(), handle: None, what: what(&before, &now), fields });
            }
        }
        changes
    }

    fn accounts(&self, before: Option<&str>, now: Option<&str>) -> Vec<ChangedThing> {
        let secrets = self.secrets.borrow();
        // One account of ten thousand, mostly: the others need not be parsed.
        let touched: Vec<&str> = secrets.iter().map(|(id, _)| id.as_str()).collect();
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
            for (_, kind) in secrets.iter().filter(|(of, _)| of == id) {
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
            changes.push(ChangedThing { of, handle: text("handle"), what: what(old, new), fields });
        }
        changes
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            self.ctx.output.warning(&format!("the change could not be written into the log: {}", error.message()));
        }
    }
}

fn what(before: &Value, now: &Value) -> String {
    match (before.is_null(), now.is_null()) {
        (true, _) => "added",
        (_, true) => "removed",
        _ => "changed",
    }
    .into()
}

/// The texts of files; nothing for those that are not there.
fn texts(files: impl IntoIterator<Item = PathBuf>) -> Result<Texts, FileError> {
    files
        .into_iter()
        .map(|path| {
            let text = files::read_text(&path)?;
            Ok((path, text))
        })
        .collect()
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
        assert_eq!(what(&Value::Null, &now), "added");
    }
}
