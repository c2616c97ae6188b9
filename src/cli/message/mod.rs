//! `msgrctl message`: the messages that accounts send at chat events.

pub mod change;
mod edit;
mod list;
mod send;
mod set;
mod show;
pub mod texts;
pub mod view;

use std::ffi::OsStr;

use clap::Subcommand;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap_complete::engine::CompletionCandidate;

use super::candidates;
use super::context::Context;
use super::error::CliError;
use crate::messages::{CATALOGUE, MessageState};

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, after_help = "Examples:\n  msgrctl message list acme-support")]
pub(super) enum MessageCommand {
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    #[command(visible_aliases = ["get", "info"])]
    Show(show::ShowArgs),
    Set(set::SetArgs),
    /// Set messages to Default: accounts send the text of Chat Settings
    #[command(after_help = "\
Examples:
  msgrctl message default acme-support session-ended
  msgrctl message default --all-accounts --all-events")]
    Default(change::Targets),
    /// Disable messages: accounts send nothing at an event
    #[command(after_help = "\
Examples:
  msgrctl message disable acme-support agent-joined agent-left
  msgrctl message disable --all-accounts agent-left")]
    Disable(change::Targets),
    Edit(edit::EditArgs),
    Send(send::SendArgs),
}

pub(super) fn run(command: MessageCommand, ctx: &Context) -> Result<u8, CliError> {
    match command {
        MessageCommand::List(args) => list::run(&args, ctx),
        MessageCommand::Show(args) => show::run(&args, ctx),
        MessageCommand::Set(args) => set::run(&args, ctx),
        MessageCommand::Default(targets) => change::run(&targets, ctx, &MessageState::Default),
        MessageCommand::Disable(targets) => change::run(&targets, ctx, &MessageState::Disabled),
        MessageCommand::Edit(args) => edit::run(&args, ctx),
        MessageCommand::Send(args) => send::run(&args, ctx),
    }
}

/// The values of an event flag.
pub(super) fn events() -> PossibleValuesParser {
    CATALOGUE.iter().map(|event| PossibleValue::new(event.id).help(event.title)).collect::<Vec<_>>().into()
}

/// Completions for a list of accounts and events.
fn accounts_and_events(typed: &OsStr) -> Vec<CompletionCandidate> {
    let begun = typed.to_string_lossy();
    let events = CATALOGUE.iter().filter(|event| event.id.starts_with(&*begun));
    let events = events.map(|event| CompletionCandidate::new(event.id).help(Some(event.title.into())));
    candidates::accounts(typed).into_iter().chain(events).collect()
}
