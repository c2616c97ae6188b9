//! What a shell offers at a TAB: accounts, tenants, events of this machine's files.
//! No network, no secret store; what cannot be read is not offered, without a word.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{Arg, Command, ValueHint};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _};

use super::args::Global;
use super::settings::Settings;
use crate::accounts::{AccountStore, Handle, TenantName};
use crate::env::{self, Environment};
use crate::files;
use crate::text::{excerpt, first_unfit};

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

/// Answers a shell that asks what could come next (`MSGRCTL_COMPLETE` is set);
/// `false` when nobody does. A failure prints nothing.
pub(super) fn answer(arguments: &[OsString]) -> bool {
    let completions = CompleteEnv::with_factory(|| tree(arguments)).var(VARIABLE).bin("msgrctl");
    completions.try_complete(arguments.iter(), env::current_directory().as_deref()).unwrap_or(true)
}

/// The commands as they are offered: flags step back until somebody types a '-', so
/// that handles are not lost among them.
fn tree(arguments: &[OsString]) -> Command {
    let words: Vec<&OsString> = arguments.iter().skip_while(|word| *word != "--").skip(1).collect();
    let at = Environment::of_process().text("_CLAP_COMPLETE_INDEX").and_then(|index| index.parse().ok());
    let word = words.get(at.unwrap_or(words.len().saturating_sub(1)));
    let wants_flags = word.is_some_and(|word| word.to_string_lossy().starts_with('-'));
    let command = with_readable_paths(super::command());
    if wants_flags { command } else { without_flags(command) }
}

/// Offers only files whose names a terminal shows as they are: a shell prints what it is
/// offered.
fn with_readable_paths(command: Command) -> Command {
    let paths = |argument: Arg| match argument.get_value_hint() {
        ValueHint::AnyPath => argument.add(readable(PathCompleter::any())),
        ValueHint::FilePath => argument.add(readable(PathCompleter::file())),
        ValueHint::DirPath => argument.add(readable(PathCompleter::dir())),
        _ => argument,
    };
    command.mut_args(paths).mut_subcommands(with_readable_paths)
}

fn readable(paths: PathCompleter) -> ArgValueCompleter {
    ArgValueCompleter::new(move |current: &OsStr| {
        let mut found = paths.complete(current);
        found.retain(|path| first_unfit(&path.get_value().to_string_lossy()).is_none());
        found
    })
}

fn without_flags(command: Command) -> Command {
    let hide = |argument: Arg| {
        let is_flag = !argument.is_positional();
        argument.hide(is_flag)
    };
    command.disable_help_flag(true).mut_args(hide).mut_subcommands(without_flags)
}

/// The variable by which a shell asks.
pub(super) const VARIABLE: &str = "MSGRCTL_COMPLETE";

/// The settings of the line that is being completed.
fn settings() -> Option<Settings> {
    let global = of_line(&env::arguments());
    Settings::resolve(&global, &Environment::of_process()).ok()
}

/// The flags on the line that say where to look. The line stands behind `--`.
fn of_line(arguments: &[OsString]) -> Global {
    let mut words = arguments.iter().skip_while(|word| *word != "--").skip(1).map(|word| word.to_string_lossy());
    let mut global = Global::default();
    while let Some(word) = words.next() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
            None => (word.into_owned(), None),
        };
        let field = match flag.as_str() {
            "--tenant" => &mut global.tenant,
            "--config-dir" => {
                global.config_dir = value.or_else(|| words.next().map(std::borrow::Cow::into_owned)).map(PathBuf::from);
                continue;
            }
            _ => continue,
        };
        // One that is not typed yet is not known.
        *field = value.or_else(|| words.next().map(std::borrow::Cow::into_owned)).filter(|value| !value.is_empty());
    }
    global
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
