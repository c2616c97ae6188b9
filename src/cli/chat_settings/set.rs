//! `msgrctl chat-settings set`: one text, or timeouts.

use clap::Args;

use super::show;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::message::texts::TextArgs;
use crate::cli::message::{events, warn_of_doubts};
use crate::messages::{ChatText, Event, Timeout};
use crate::ui::interrupt;

/// Set the tenant's text for a chat event, or timeouts
///
/// The text is what every account sends whose event is Default. --disable sends
/// nothing there, --reset goes back to the built-in text.
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
    /// Go back to the built-in text
    #[arg(long, group = "source", requires = "event")]
    reset: bool,
    /// How long a response in SMS or Messenger chats is waited for: 10m
    #[arg(long, value_name = "TIME", help_heading = "Timeouts")]
    messenger_timeout: Option<String>,
    /// The same in web chats
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
    interrupt::install();
    let old = ctx.chat_settings()?.load()?;
    let mut new = old.clone();
    let minutes = |flag: &str, text: Option<&String>, field: &mut Option<Timeout>| -> Result<bool, CliError> {
        let Some(text) = text else { return Ok(false) };
        let value: Timeout = text.parse().map_err(|error| usage(flag, &error))?;
        if flag != "--agent-ramp-up" && !value.is_whole_minutes() {
            return Err(usage(flag, &format!("{value} is not whole minutes, the contact centre's unit")));
        }
        *field = Some(value);
        Ok(true)
    };
    let mut any = minutes("--messenger-timeout", args.messenger_timeout.as_ref(), &mut new.timeouts.messenger)?;
    any |= minutes("--web-timeout", args.web_timeout.as_ref(), &mut new.timeouts.web)?;
    any |= minutes("--agent-ramp-up", args.agent_ramp_up.as_ref(), &mut new.timeouts.agent_ramp_up)?;
    any |= minutes("--outbound-timeout", args.outbound_timeout.as_ref(), &mut new.timeouts.outbound)?;
    let event: Option<Event> = args.event.as_deref().map(str::parse).transpose().map_err(CliError::from)?;
    if let Some(event) = event {
        if (args.disable || args.reset) && args.dash.is_some() {
            return Err(CliError::usage("'-' gives a text, and --disable and --reset send none: give one of them"));
        }
        if args.disable {
            new.messages.insert(event, ChatText::Disabled);
        } else if args.reset {
            new.messages.remove(&event);
        } else if let Some(text) = args.text.read(ctx, args.dash.is_some())? {
            warn_of_doubts(ctx, event, &text);
            new.messages.insert(event, ChatText::Custom(text));
        } else {
            return Err(CliError::usage(format!("missing: what to send at {event}"))
                .hint("give --text TEXT, --text-file PATH, '-' for standard input, --disable or --reset"));
        }
    } else if !any {
        return Err(CliError::usage("nothing to change was given").hint("msgrctl chat-settings set --help"));
    } else if args.text.is_given() {
        return Err(CliError::usage("missing: EVENT, the chat event that the text is for"));
    }
    if new == old {
        ctx.output.notice("nothing to change");
    } else {
        super::save(ctx, &new)?;
    }
    show::print(ctx, &new)
}

fn usage(flag: &str, why: &impl std::fmt::Display) -> CliError {
    CliError::usage(format!("{flag}: {why}"))
}
