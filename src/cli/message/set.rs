//! `msgrctl message set`: an account's own text for an event.

use clap::Args;

use super::change::{Targets, carry_out};
use super::texts::TextArgs;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::messages::MessageState;
use crate::operations::messages::warn_of_doubts;

/// Give accounts a text of their own for a chat event (Custom)
///
/// 1 to 2000 characters; line breaks are kept. Several accounts, or --all-accounts,
/// get the same text in one change.
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
    let Some(text) = args.text.read(ctx, dash)? else {
        return Err(CliError::usage("missing: the text")
            .hint("give --text TEXT, --text-file PATH, or '-' for standard input; to write it in an editor: msgrctl message edit"));
    };
    for event in &events {
        warn_of_doubts(ctx, *event, &text);
    }
    carry_out(ctx, &accounts, &events, &MessageState::Custom(text))
}
