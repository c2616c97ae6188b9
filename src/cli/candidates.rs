//! What a shell offers for a value: accounts, tenants, references of this machine's files.
//! No network, no secret store; what cannot be read is not offered, without a word.

use std::ffi::OsString;
use std::path::PathBuf;

use clap_complete::engine::CompletionCandidate;

use crate::accounts::{AccountStore, Handle, TenantName};
use crate::env::{self, Environment};
use crate::files;
use crate::operations::{Given, Settings};
use crate::text::excerpt;

/// The accounts of the tenant that the line names: handles, since they need no
/// quotes, each with the account's name.
pub(super) fn accounts() -> Vec<CompletionCandidate> {
    let Some(settings) = settings() else { return Vec::new() };
    let path = settings.paths.accounts_file(settings.tenant.value.as_str());
    let names = AccountStore::new(path, Box::new(|_| {})).names();
    // A file that was edited by hand may hold anything, and what is offered is typed.
    let offer = |[handle, name]: [String; 2]| {
        let handle: Handle = handle.parse().ok()?;
        Some(CompletionCandidate::new(handle.as_str()).help(Some(excerpt(&name, 100).into())))
    };
    names.into_iter().filter_map(offer).collect()
}

/// The tenants that have anything.
pub(super) fn tenants() -> Vec<CompletionCandidate> {
    let tenants = settings().and_then(|settings| files::directories(&settings.paths.tenants_dir()).ok());
    let tenants = tenants.unwrap_or_default().into_iter();
    tenants.filter(|name| name.parse::<TenantName>().is_ok()).map(CompletionCandidate::new).collect()
}

/// How a reference begins.
pub(super) fn references() -> Vec<CompletionCandidate> {
    let offer = |(start, help): (&str, &str)| CompletionCandidate::new(start).help(Some(help.to_owned().into()));
    [
        ("env:", "the name of a variable"),
        ("file:", "the path of a file"),
        ("keyring:", "SERVICE/USER of an entry that another program keeps"),
        ("command:", "a program and its arguments, run without a shell"),
    ]
    .into_iter()
    .map(offer)
    .collect()
}

/// The settings of the line that is being completed.
fn settings() -> Option<Settings> {
    let given = of_line(&env::arguments());
    Settings::resolve(&given, &Environment::of_process()).ok()
}

/// The flags on the line that say where to look. The line stands behind `--`.
fn of_line(arguments: &[OsString]) -> Given {
    let mut words = arguments.iter().skip_while(|word| *word != "--").skip(1).map(|word| word.to_string_lossy());
    let mut given = Given::default();
    while let Some(word) = words.next() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
            None => (word.into_owned(), None),
        };
        let field = match flag.as_str() {
            "--tenant" => &mut given.tenant,
            "--config-dir" => {
                given.config_dir = value.or_else(|| words.next().map(std::borrow::Cow::into_owned)).map(PathBuf::from);
                continue;
            }
            _ => continue,
        };
        // One that is not typed yet is not known.
        *field = value.or_else(|| words.next().map(std::borrow::Cow::into_owned)).filter(|value| !value.is_empty());
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(line: &str) -> Option<String> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        of_line(&words).tenant
    }

    #[test]
    fn the_line_says_which_tenant() {
        assert_eq!(tenant("msgrctl -- msgrctl account show --tenant acme a"), Some("acme".into()));
        assert_eq!(tenant("msgrctl -- msgrctl --tenant=acme account show "), Some("acme".into()));
        assert_eq!(tenant("msgrctl -- msgrctl account show "), None);
    }
}
