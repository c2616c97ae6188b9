//! `msgrctl chat-settings set`: one text, or timeouts.

use clap::Args;

use super::{say_where_it_is_typed, show};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::message::change::ids;
use crate::cli::message::events;
use crate::cli::message::texts::TextArgs;
use crate::messages::{ChatText, Event, Timeout};
use crate::operations::chat_settings::{self, WantedTimeouts};
use crate::operations::messages::warn_of_doubts;

/// Set the tenant's text for a chat event, or timeouts
///
/// Every account whose event is Default sends this text. --disable sends nothing, --reset
/// restores the built-in text. The timeout 'unset' clears it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl chat-settings set session-ended --text 'Thank you for writing to us.'
  printf 'Bye!\\n' | msgrctl chat-settings set session-ended -
  msgrctl chat-settings set agent-left --disable
  msgrctl chat-settings set --messenger-timeout 10m --agent-ramp-up 5s")]
pub struct SetArgs {
    /// The chat event
    #[arg(value_name = "EVENT", value_parser = events())]
    event: Option<String>,
    /// '-': read the text from standard input
    #[arg(value_name = "-", value_parser = ["-"], requires = "event")]
    dash: Option<String>,
    #[command(flatten)]
    text: TextArgs,
    /// Send nothing
    #[arg(long, group = "source", requires = "event")]
    disable: bool,
    /// Restore the built-in text
    #[arg(long, group = "source", requires = "event")]
    reset: bool,
    /// How long to wait for a response in SMS or Messenger chats: 10m
    #[arg(long, value_name = "TIME", help_heading = "Timeouts")]
    messenger_timeout: Option<String>,
    /// How long to wait for a response in web chats
    #[arg(long, value_name = "TIME", help_heading = "Timeouts")]
    web_timeout: Option<String>,
    /// Between two queued chats offered to an agent who became Ready: 5s
    #[arg(long, value_name = "TIME", help_heading = "Timeouts")]
    agent_ramp_up: Option<String>,
    /// How long a first outbound message may stay without response
    #[arg(long, value_name = "TIME", help_heading = "Timeouts")]
    outbound_timeout: Option<String>,
}

pub fn run(args: &SetArgs, ctx: &Context) -> Result<u8, CliError> {
    // `unset` clears the value.
    let timeout = |flag: &str, text: Option<&String>| -> Result<Option<Option<Timeout>>, CliError> {
        let Some(text) = text else { return Ok(None) };
        if text == "unset" {
            return Ok(Some(None));
        }
        let value: Timeout = text.parse().map_err(|error| usage(flag, &error))?;
        if flag != "--agent-ramp-up" && !value.is_whole_minutes() {
            return Err(usage(flag, &format!("{value} is not whole minutes, the contact centre's unit")));
        }
        Ok(Some(Some(value)))
    };
    let timeouts: WantedTimeouts = [
        timeout("--messenger-timeout", args.messenger_timeout.as_ref())?,
        timeout("--web-timeout", args.web_timeout.as_ref())?,
        timeout("--agent-ramp-up", args.agent_ramp_up.as_ref())?,
        timeout("--outbound-timeout", args.outbound_timeout.as_ref())?,
    ];
    let event: Option<Event> = args.event.as_deref().map(str::parse).transpose().map_err(CliError::from)?;
    if event.is_none() {
        if args.text.is_given() {
            return Err(CliError::usage(format!("missing: EVENT, the chat event; it is one of: {}", ids()))
                .hint("for example: msgrctl chat-settings set EVENT --text TEXT"));
        }
        if timeouts == [None; 4] {
            return Err(
                CliError::usage("nothing to change: no flag was given").hint("msgrctl chat-settings set --help")
            );
        }
    }
    let text = event.map(|event| Ok::<_, CliError>((event, text(args, ctx, event)?))).transpose()?;
    let old = ctx.chat_settings()?.load()?;
    let new = chat_settings::set(ctx, timeouts, text)?;
    say_where_it_is_typed(ctx, new != old);
    show::print(ctx, &new)
}

/// The tenant's text at an event; `None`: the built-in text.
fn text(args: &SetArgs, ctx: &Context, event: Event) -> Result<Option<ChatText>, CliError> {
    if args.disable || args.reset {
        if args.dash.is_some() {
            return Err(CliError::usage("'-' cannot be used with --disable or --reset"));
        }
        return Ok(args.disable.then_some(ChatText::Disabled));
    }
    let Some(text) = args.text.read(ctx, args.dash.is_some())? else {
        return Err(CliError::usage(format!("missing: what to send at {event}"))
            .hint("give --text TEXT, --text-file PATH, '-' for standard input, --disable or --reset"));
    };
    warn_of_doubts(ctx, event, &text);
    Ok(Some(ChatText::Custom(text)))
}

fn usage(flag: &str, why: &impl std::fmt::Display) -> CliError {
    CliError::usage(format!("{flag}: {why}"))
}
