//! Where an account's secret is: in one of msgrctl's stores, or in a place that msgrctl only
//! reads.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::StoreName;
use crate::programs;
use crate::text::{code_point, first_unfit, text_form};

/// Where an account's secret is, as its record says. Never the secret.
///
/// One string in files, flags and JSON: `keyring` is msgrctl's store of that name,
/// `env:ACME_TOKEN` a reference to a variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SecretRef {
    /// In one of msgrctl's stores.
    Stored(StoreName),
    /// `env:NAME`: a variable.
    Variable(String),
    /// `file:PATH`: a file that contains only the secret.
    File(PathBuf),
    /// `keyring:SERVICE/USER`: an entry of another program in the keyring.
    Keyring {
        /// The entry's service.
        service: String,
        /// Its user name.
        user: String,
    },
    /// `vault:PATH#FIELD`: a field of an entry in Vault, below the mount of the settings.
    Vault {
        /// The entry's path.
        path: String,
        /// The field.
        field: String,
    },
    /// `command:PROGRAM ARG…`: the output of a program, run without a shell.
    Command(Vec<String>),
}
text_form!(SecretRef);

/// Why a reference was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefError {
    /// No known word before the colon.
    #[error("expected env:NAME, file:PATH, keyring:SERVICE/USER, vault:PATH#FIELD or command:PROGRAM ARG…")]
    Unknown,
    /// The part after the colon is missing or not valid.
    #[error("{0}")]
    Incomplete(&'static str),
    /// An invisible character, such as `U+202E`.
    #[error("it contains {0}, an invisible character")]
    Unfit(String),
}

impl SecretRef {
    /// The store that keeps it; `None` for a reference.
    pub fn store(&self) -> Option<StoreName> {
        match self {
            Self::Stored(store) => Some(*store),
            _ => None,
        }
    }

    /// Parses a reference from the user; the name of a store is not one. Refuses invisible
    /// characters, since a plan would show another reference.
    pub fn parse_reference(text: &str) -> Result<Self, RefError> {
        match first_unfit(text) {
            Some(c) => Err(RefError::Unfit(code_point(c))),
            None => Self::read(text),
        }
    }

    /// Parses a reference in a record.
    fn read(text: &str) -> Result<Self, RefError> {
        let (scheme, rest) = text.split_once(':').ok_or(RefError::Unknown)?;
        let incomplete = |what| Err(RefError::Incomplete(what));
        if text.contains('\0') {
            return incomplete("it holds a NUL");
        }
        match scheme {
            "env" if rest.starts_with('$') => incomplete("env: takes the variable's name without the $"),
            "env" if rest.is_empty() || rest.contains(['=', ' ', '\0']) => {
                incomplete("env: needs the name of a variable, as in env:ACME_TOKEN")
            }
            "env" => Ok(Self::Variable(rest.into())),
            "file" if rest.is_empty() => incomplete("file: needs a path, as in file:/run/secrets/acme-token"),
            "file" => Ok(Self::File(rest.into())),
            "keyring" => match rest.split_once('/') {
                Some((service, user)) if !service.is_empty() && !user.is_empty() => {
                    Ok(Self::Keyring { service: service.into(), user: user.into() })
                }
                _ => incomplete("keyring: needs a service and a user, as in keyring:acme/page-token"),
            },
            "vault" => match rest.rsplit_once('#') {
                Some((path, field)) if !field.is_empty() && check_vault_path(path).is_ok() => {
                    Ok(Self::Vault { path: path.into(), field: field.into() })
                }
                _ => incomplete("vault: needs a path and a field, as in vault:teams/acme/meta#page_token"),
            },
            "command" => match programs::split(rest) {
                Some(words) if !words.is_empty() => Ok(Self::Command(words)),
                Some(_) => incomplete("command: needs a program, as in command:pass show acme/token"),
                None => incomplete("command: has a quotation mark that is not closed"),
            },
            _ => Err(RefError::Unknown),
        }
    }

    /// Whether it refers to one of msgrctl's own entries: those are removed with their accounts,
    /// so no reference may depend on them.
    pub fn is_our_own_entry(&self) -> bool {
        matches!(self, Self::Keyring { service, .. } if service == super::keyring::SERVICE)
    }

    /// The same with relative paths made absolute: a record outlives the directory that a
    /// command was run in.
    #[must_use]
    pub fn absolute(self, directory: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(directory.join(path)),
            // A program with a path; a bare name is found in PATH.
            Self::Command(mut words) if words.first().is_some_and(|program| has_folder(program)) => {
                words[0] = directory.join(&words[0]).to_string_lossy().into_owned();
                Self::Command(words)
            }
            other => other,
        }
    }
}

impl FromStr for SecretRef {
    type Err = RefError;
    fn from_str(text: &str) -> Result<Self, RefError> {
        match StoreName::ALL.into_iter().find(|store| store.as_str() == text) {
            Some(store) => Ok(Self::Stored(store)),
            None => Self::read(text),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stored(store) => f.write_str(store.as_str()),
            Self::Variable(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Keyring { service, user } => write!(f, "keyring:{service}/{user}"),
            Self::Vault { path, field } => write!(f, "vault:{path}#{field}"),
            Self::Command(words) => {
                let words = words.iter().map(String::as_str);
                // Fails only on a NUL, which no command line can hold.
                write!(f, "command:{}", programs::join(words).ok_or(fmt::Error)?)
            }
        }
    }
}

/// Whether a program is named by its path.
fn has_folder(program: &str) -> bool {
    program.contains(std::path::is_separator)
}

/// The segments of a path in Vault: names between slashes.
pub(super) fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// Checks the path of a mount of Vault, of a folder or of an entry.
///
/// # Errors
///
/// In a sentence, what is wrong with it.
pub fn check_vault_path(path: &str) -> Result<(), &'static str> {
    if segments(path).next().is_none() {
        return Err("it is empty");
    }
    if segments(path).any(|segment| matches!(segment, "." | "..")) {
        return Err("it must not have '.' or '..' in it");
    }
    if path.chars().any(|c| c.is_control() || matches!(c, '#' | '?' | '*' | '+' | '"' | '\\')) {
        return Err("it has a character that a path in Vault cannot have here");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_written_alike() {
        for text in [
            "keyring",
            "env",
            "env:ACME_TOKEN",
            "file:/run/secrets/acme token",
            "keyring:acme/page/token",
            "vault",
            "vault:teams/acme/meta#page token",
            "command:op read 'op://vault/acme page/token'",
        ] {
            let reference: SecretRef = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(reference.to_string(), text);
        }
        let words = ["pass", "show", "a b"].map(str::to_owned).to_vec();
        assert_eq!("command:pass show \"a b\"".parse(), Ok(SecretRef::Command(words)));
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in [
            "",
            "EAAtoken",
            "vault:x",
            "vault:#x",
            "vault:x#",
            "vault:a/../b#x",
            "env:",
            "env:A B",
            "file:",
            "keyring:acme",
            "keyring:/x",
            "env:A\0",
            "command:",
            "command:a 'b",
        ] {
            assert!(SecretRef::parse_reference(text).is_err(), "{text}");
        }
        assert!(SecretRef::parse_reference("keyring").is_err(), "a store is no reference");
        let unseen = SecretRef::parse_reference("file:/run/a\u{202e}b").expect_err("refused");
        assert!(unseen.to_string().contains("U+202E"), "{unseen}");
        assert!("file:/run/a\u{202e}b".parse::<SecretRef>().is_ok(), "records that have it can be read");
    }

    #[test]
    fn paths_have_names_and_nothing_else() {
        assert!(["secret", "teams/acme/", "a b"].into_iter().all(|path| check_vault_path(path).is_ok()));
        assert!(["", "/", "a/../b", "a*", "a#b", "a\n"].into_iter().all(|path| check_vault_path(path).is_err()));
    }
}
