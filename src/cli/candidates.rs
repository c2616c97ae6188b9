//! Values that a shell completes: accounts, tenants, references. Reads this machine's
//! files, and a shared state where it answers at once; what cannot be read is silently not offered.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use clap_complete::engine::CompletionCandidate;

use crate::accounts::{AccountStore, Handle, TenantName};
use crate::env::{self, Environment};
use crate::operations::{Given, Settings};
use crate::storage::{Place, names};
use crate::text::excerpt;

/// How long a shared state may take to answer: who presses Tab waits.
const LIMIT: Duration = Duration::from_millis(300);

/// The tenant's accounts whose handle or name begins with the typed text: handles, which
/// need no quotes, each with the account's name.
pub(super) fn accounts(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(settings) = settings() else { return Vec::new() };
    let place = Place::new(&settings.storage, names::accounts(settings.tenant.value.as_str()));
    let names = AccountStore::new(place, Box::new(|_| {})).names_soon(LIMIT);
    let typed = typed.to_string_lossy().to_lowercase();
    // A hand-edited file may hold anything, and the shell types what is offered.
    let offer = |[handle, name]: [String; 2]| {
        let handle: Handle = handle.parse().ok()?;
        let begins = handle.as_str().starts_with(&typed) || name.to_lowercase().starts_with(&typed);
        begins.then(|| CompletionCandidate::new(handle.as_str()).help(Some(excerpt(&name, 100).into())))
    };
    names.into_iter().filter_map(offer).collect()
}

/// The commands below those already typed after `noun`.
pub(super) fn commands_below(noun: &str, tree: clap::Command) -> Vec<CompletionCandidate> {
    let words = env::arguments();
    let words: Vec<String> =
        words.iter().skip_while(|word| *word != "--").skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let at = Environment::of_process().text("_CLAP_COMPLETE_INDEX").and_then(|index| index.parse().ok());
    let at = at.unwrap_or(words.len().saturating_sub(1)).min(words.len());
    let typed = words[..at].iter().skip_while(|word| *word != noun).skip(1).filter(|word| !word.starts_with('-'));
    below(tree, typed.map(String::as_str))
}

fn below<'a>(mut command: clap::Command, mut words: impl Iterator<Item = &'a str>) -> Vec<CompletionCandidate> {
    let found = words.try_for_each(|word| {
        command = command.find_subcommand(word)?.clone();
        Some(())
    });
    let offer = |command: &clap::Command| {
        let about = command.get_about().map(ToString::to_string);
        CompletionCandidate::new(command.get_name().to_owned()).help(about.map(Into::into))
    };
    found
        .map(|()| command.get_subcommands().filter(|below| !below.is_hide_set()).map(offer).collect())
        .unwrap_or_default()
}

/// The tenants that have a directory.
pub(super) fn tenants() -> Vec<CompletionCandidate> {
    let tenants = settings().map(|settings| settings.storage.tenants_soon());
    let tenants = tenants.unwrap_or_default().into_iter();
    tenants.filter(|name| name.parse::<TenantName>().is_ok()).map(CompletionCandidate::new).collect()
}

/// The prefixes of references.
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

/// The settings of the line being completed.
fn settings() -> Option<Settings> {
    let given = of_line(&env::arguments());
    let given = Given { offline: true, ..given };
    Settings::resolve(&given, &Environment::of_process()).ok()
}

/// The global flags on the line, which comes after `--`.
fn of_line(arguments: &[OsString]) -> Given {
    given_in(arguments.iter().skip_while(|word| *word != "--").skip(1))
}

/// The global flags among `words`, as far as typed.
pub(super) fn given_in<'a>(words: impl Iterator<Item = &'a OsString>) -> Given {
    let mut words = words.map(|word| word.to_string_lossy().into_owned());
    let mut given = Given::default();
    while let Some(word) = words.next() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        if !matches!(
            &*flag,
            "--tenant"
                | "--config-dir"
                | "--key-file"
                | "--graph-url"
                | "--graph-version"
                | "--timeout"
                | "--ca-bundle"
        ) {
            continue;
        }
        let value = value.or_else(|| words.next()).filter(|value| !value.is_empty());
        match &*flag {
            "--tenant" => given.tenant = value,
            "--config-dir" => given.config_dir = value.map(PathBuf::from),
            "--key-file" => given.key_file = value.map(PathBuf::from),
            "--graph-url" => given.graph_url = value,
            "--graph-version" => given.graph_version = value,
            "--timeout" => given.timeout = value,
            _ => given.ca_bundle = value.map(PathBuf::from),
        }
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
    fn commands_are_those_below_what_is_typed() {
        let names = |words: &[&str]| -> Vec<String> {
            let found = below(crate::cli::command(), words.iter().copied());
            found.iter().map(|found| found.get_value().to_string_lossy().into_owned()).collect()
        };
        assert!(names(&[]).contains(&"account".into()));
        assert!(names(&["account"]).contains(&"handover".into()) && !names(&["account"]).contains(&"doctor".into()));
        assert!(names(&["account", "add"]).is_empty() && names(&["nothing"]).is_empty());
    }

    #[test]
    fn the_line_says_which_tenant() {
        assert_eq!(tenant("msgrctl -- msgrctl account show --tenant acme a"), Some("acme".into()));
        assert_eq!(tenant("msgrctl -- msgrctl --tenant=acme account show "), Some("acme".into()));
        assert_eq!(tenant("msgrctl -- msgrctl account show "), None);
    }
}
