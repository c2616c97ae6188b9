//! `msgrctl message set`: an account's own text for an event.

use clap::Args;

use super::change::{Targets, carry_out};
use super::texts::TextArgs;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::messages::{MessageState, TextError};
use crate::operations::messages::warn_of_doubts;

/// Give accounts their own text for a chat event (Custom)
///
/// 1 to 2000 characters, with line breaks. Several accounts, or --all-accounts, get the same
/// text in one change.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl message set acme-support session-ended --text 'Bye, and thank you!'
  printf 'Hello.\\nAn agent is here.\\n' | msgrctl message set acme-support agent-joined -
  msgrctl message set --all-accounts agent-left --text-file bye.txt")]
pub struct SetArgs {
    #[command(flatten)]
    targets: Targets,
    #[command(flatten)]
    text: TextArgs,
}

pub fn run(args: &SetArgs, ctx: &Context) -> Result<u8, CliError> {
    let dash = args.targets.ends_in_dash();
    let (accounts, events) = args.targets.resolve(ctx, if dash { &["-"] } else { &[] })?;
    let account = match accounts.as_slice() {
        [one] => one.handle.as_str(),
        _ => "NAME",
    };
    let given = args.text.read(ctx, dash).map_err(|error| {
        if args.text.is_empty() {
            error.hint(format!("to send nothing: msgrctl message disable {account} {}", events[0]))
        } else {
            error
        }
    })?;
    let text = match given {
        Some(text) => text,
        None if ctx.someone_can_answer && !ctx.global.yes => {
            ctx.ask_line("Text", "")?.unwrap_or_default().parse().map_err(|error: TextError| CliError::from(error))?
        }
        None => {
            return Err(CliError::usage("missing: the text")
                .hint(format!("--text TEXT, --text-file PATH, or '-' for standard input: msgrctl message set {account} {} --text TEXT", events[0]))
                .hint(format!("to write it in an editor: msgrctl message edit {account} {}", events[0])));
        }
    };
    for event in &events {
        warn_of_doubts(ctx, *event, &text);
    }
    carry_out(ctx, &accounts, &events, &MessageState::Custom(text))
}
