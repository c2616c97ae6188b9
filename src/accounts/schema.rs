//! `accounts.toml`: its form, version by version.
//!
//! ```toml
//! schema_version = 1
//!
//! [[accounts]]
//! id = "7f9c0f4e-…"
//! handle = "acme-support"
//! name = "Acme Support"
//! type = "facebook"
//! page_username = "acme.support"
//! page_id = "109876543210987"
//! graph = "live"
//! created_at = "2026-11-22T09:30:00Z"
//! updated_at = "2026-11-22T09:30:00Z"
//!
//! [accounts.secrets]
//! page_access_token = "keyring"
//! verify_token = "keyring"
//! ```

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Account;
use crate::document::{Document, Mistake};

/// The version that is written. A change of form increments it and adds a migration from the one
/// before.
const VERSION: i64 = 1;

const HEADER: &str = "\
# The accounts of this tenant. Written by msgrctl, which replaces the whole file
# at each change: comments are not kept. It says where secrets are; it holds none.
";

/// Why a file of accounts was refused. The file was not changed.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// Its content is not valid.
    #[error("{}:{}:{}: {}", path.display(), mistake.line, mistake.column, mistake.message)]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        mistake: Mistake,
    },
    /// A newer msgrctl wrote it.
    #[error("{} was written by a newer msgrctl (schema version {found}; this one knows {VERSION})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version it names.
        found: i64,
    },
    /// Two accounts have the same id, so that it is unclear whose the secrets are.
    #[error("{}: '{}' and '{}' have the same id: {id}", path.display(), names[0], names[1])]
    SameId {
        /// The file.
        path: PathBuf,
        /// The shared id.
        id: String,
        /// The names of the accounts.
        names: [String; 2],
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "schema_version")]
    _version: i64,
    #[serde(default)]
    accounts: Vec<Account>,
}

#[derive(Serialize)]
struct NewFile<'a> {
    schema_version: i64,
    accounts: &'a [Account],
}

/// The accounts in a text. `path` is only for errors.
pub fn read(text: &str, path: &Path) -> Result<Vec<Account>, SchemaError> {
    let broken = |mistake| SchemaError::Broken { path: path.into(), mistake };
    let document = Document::new(text).map_err(broken)?;
    match document.number("schema_version") {
        Some(found) if found > VERSION => return Err(SchemaError::Newer { path: path.into(), found }),
        _ => {}
    }
    let file: File = document.read().map_err(broken)?;
    check_ids(&file.accounts, path)?;
    Ok(file.accounts)
}

/// Refuses a shared id, since everything of an account is filed under it. Shared names and
/// handles are detected when a command uses one: the other accounts still work.
fn check_ids(accounts: &[Account], path: &Path) -> Result<(), SchemaError> {
    let mut seen: HashMap<String, &Account> = HashMap::new();
    for account in accounts {
        if let Some(first) = seen.insert(account.id.to_lowercase(), account) {
            let names = [first, account].map(|account| account.name.to_string());
            return Err(SchemaError::SameId { path: path.into(), id: account.id.clone(), names });
        }
    }
    Ok(())
}

/// The text of a file with these accounts.
pub(super) fn write(accounts: &[Account]) -> String {
    let file = NewFile { schema_version: VERSION, accounts };
    // Every field is text, a time or a table of text, which TOML can always hold.
    let body = toml::to_string(&file).unwrap_or_else(|error| unreachable!("accounts are TOML: {error}"));
    format!("{HEADER}\n{body}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::accounts::account::tests::account;
    use crate::messages::MessageState;
    use crate::secrets::{SecretKind, SecretRef, StoreName};
    use crate::text::harmless;

    fn refused(text: &str) -> SchemaError {
        read(text, Path::new("accounts.toml")).expect_err("refused")
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut full = account("Acme Support");
        full.page_name = Some("Acme \"quoted\" 日本".into());
        full.app_id = Some("123456789012345".parse().expect("an app id"));
        full.callback_url = Some("https://example.com/hook".parse().expect("a URL"));
        let event = |id: &str| id.parse::<crate::messages::Event>().expect("an event");
        let text = "two\nlines, 日本 \"quoted\"".parse().expect("a text");
        full.messages.set(event("session-ended"), MessageState::Custom(text));
        full.messages.set(event("agent-left"), MessageState::Disabled);
        full.secrets = SecretKind::KEPT.into_iter().map(|kind| (kind, SecretRef::Stored(StoreName::Keyring))).collect();
        let accounts = vec![full, account("Other")];
        let text = write(&accounts);
        assert_eq!(read(&text, Path::new("accounts.toml")).expect("read"), accounts);
        assert_eq!(read(&write(&[]), Path::new("accounts.toml")).expect("read"), []);
    }

    #[test]
    fn a_newer_file_is_refused_even_when_it_has_other_keys() {
        let error = refused("schema_version = 2\n[[things]]\nx = 1\n");
        assert!(matches!(error, SchemaError::Newer { found: 2, .. }));
    }

    #[test]
    fn mistakes_are_located() {
        let text = write(&[account("Acme")]).replace("page_username =", "page_usrname =");
        let SchemaError::Broken { mistake, .. } = refused(&text) else { panic!("broken") };
        assert_eq!(mistake.nearest, Some("page_username"));
        assert_eq!(text.lines().nth(mistake.line - 1).map(|line| line.starts_with("page_usrname")), Some(true));
        let text =
            write(&[account("Acme")]).replace("[accounts.secrets]\n", "[accounts.secrets]\nverify_tokn = 'env'\n");
        assert!(
            matches!(refused(&text), SchemaError::Broken { mistake, .. } if mistake.nearest == Some("verify_token"))
        );
        let text = write(&[account("Acme")]).replace("\"109876543210987\"", "109876543210987");
        assert!(matches!(refused(&text), SchemaError::Broken { mistake, .. } if mistake.column > 1));
        let text = write(&[account("Acme")]).replace("\"109876543210987\"", "\"letters\"");
        assert!(matches!(refused(&text), SchemaError::Broken { mistake, .. } if mistake.message.contains("digits")));
        assert!(matches!(refused("accounts = []"), SchemaError::Broken { .. }));
    }

    #[test]
    fn two_accounts_of_one_id_are_refused_and_of_one_name_are_read() {
        let mut twin = account("ACME");
        twin.handle = "twin".parse().expect("a handle");
        twin.id = "another".into();
        let both = [account("Acme"), twin];
        assert_eq!(read(&write(&both), Path::new("accounts.toml")).expect("read"), both);
        let [one, mut twin] = both;
        twin.id = one.id.to_uppercase();
        let error = refused(&write(&[one, twin]));
        assert!(matches!(&error, SchemaError::SameId { names, .. } if *names == ["Acme", "ACME"]), "{error}");
    }

    proptest! {
        #[test]
        fn every_account_is_read_as_it_was_written(
            name in "[ -~“é日]{1,12}x", page_name in "\\PC{0,20}", message in "([ -~\n\t\"'\\\\日]|\"\"\"|'''){0,60}",
        ) {
            let Ok(name) = name.parse::<crate::accounts::Name>() else { return Ok(()) };
            let mut full = account(name.as_str());
            full.page_name = Some(harmless(&page_name));
            if let Ok(text) = message.parse() {
                full.messages.set("session-ended".parse().expect("an event"), MessageState::Custom(text));
            }
            let accounts = [full, account("Last")];
            prop_assert_eq!(read(&write(&accounts), Path::new("accounts.toml")).expect("TOML"), accounts);
        }
    }
}
