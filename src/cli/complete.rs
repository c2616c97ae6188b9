//! Answers a shell's request for completions.

use std::ffi::{OsStr, OsString};

use clap::builder::Resettable;
use clap::{Arg, Command, ValueHint};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, PathCompleter, ValueCompleter as _};

use crate::env::{self, Environment};
use crate::text::first_unfit;

/// Prints completions if `MSGRCTL_COMPLETE` is set, else returns `false`. A failure prints
/// nothing.
pub(super) fn answer(arguments: &[OsString]) -> bool {
    let completions = CompleteEnv::with_factory(|| tree(arguments)).var(VARIABLE).bin("msgrctl");
    completions.try_complete(arguments.iter(), env::current_directory().as_deref()).unwrap_or(true)
}

/// The tree to complete from: without flags until the operator types '-', so that handles
/// are not lost among them.
fn tree(arguments: &[OsString]) -> Command {
    let words: Vec<&OsString> = arguments.iter().skip_while(|word| *word != "--").skip(1).collect();
    let at = Environment::of_process().text("_CLAP_COMPLETE_INDEX").and_then(|index| index.parse().ok());
    let word = words.get(at.unwrap_or(words.len().saturating_sub(1)));
    let wants_flags = word.is_some_and(|word| word.to_string_lossy().starts_with('-'));
    let command = under_one_name(with_readable_paths(super::args::command()));
    if wants_flags { command } else { without_flags(command) }
}

/// Offers a command under the name that the help has: of all its names the first in the alphabet
/// would be. The others are still completed once they are begun.
fn under_one_name(command: Command) -> Command {
    let others: Vec<String> = command.get_all_aliases().map(str::to_owned).collect();
    command.visible_alias(Resettable::Reset).aliases(others).mut_subcommands(under_one_name)
}

/// Offers only file names that a terminal shows unchanged: a shell prints them.
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

/// The variable that a completion script sets.
pub(super) const VARIABLE: &str = "MSGRCTL_COMPLETE";
