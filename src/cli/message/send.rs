//! `msgrctl message send`: one message through the Send API.

use clap::Args;
use serde::Serialize;

use super::events;
use super::texts::TextArgs;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::messages::Event;
use crate::operations::accounts::find;
use crate::operations::messages;
use crate::operations::webhooks::Target;
use crate::secrets::redact;
use crate::text::excerpt;

/// Send one message to a customer
///
/// To the page-scoped id of a person who wrote to this Page within 24 hours; msgrctl webhook
/// listen shows it. Sends TEXT, or with --event the account's message at that event. It is
/// sent once: if no answer comes, it may have arrived and is not sent again.
///
/// Exit codes: 0 Meta accepted it, 1 Meta refused it or the event has no message, 4 the token
/// or its permissions, 5 Graph could not be reached.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl message send acme-support --to 7654321098765432 'Your parcel is on its way.'
  msgrctl message send acme-support --to 7654321098765432 --event session-ended
  echo 'A longer text' | msgrctl message send acme-support --to 7654321098765432 -")]
pub struct SendArgs {
    /// The account's name, handle or id
    #[arg(value_name = "NAME", add = clap_complete::ArgValueCompleter::new(crate::cli::candidates::accounts))]
    account: String,
    /// The text; '-' reads it from standard input
    #[arg(value_name = "TEXT", required_unless_present = "event", conflicts_with = "event")]
    text: Option<String>,
    /// The customer's page-scoped id (PSID)
    #[arg(long, value_name = "PSID")]
    to: String,
    /// Send the account's message for this chat event
    #[arg(long, value_name = "EVENT", value_parser = events())]
    event: Option<String>,
    /// A person's answer, after 24 hours and within 7 days (the tag HUMAN_AGENT)
    #[arg(long, conflicts_with = "event")]
    human_agent: bool,
}

#[derive(Serialize)]
struct SentView<'a> {
    schema_version: u8,
    account: &'a str,
    recipient_id: &'a str,
    message_id: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'static str>,
}

pub fn run(args: &SendArgs, ctx: &Context) -> Result<u8, CliError> {
    let account = find(ctx, &args.account)?;
    if args.to.is_empty() || !args.to.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CliError::usage(format!("'{}' is not a page-scoped id, which is digits only", args.to))
            .hint("an event shows it: msgrctl webhook listen"));
    }
    let event: Option<Event> = args.event.as_deref().map(str::parse).transpose()?;
    let text = match (event, &args.text) {
        (Some(event), _) => messages::said_at(ctx, &account, event)?,
        (None, text) => match TextArgs::read_word(ctx, text.as_deref().unwrap_or("-"))? {
            Some(text) => text.to_string(),
            None => return Err(CliError::usage("missing: TEXT, or --event EVENT")),
        },
    };
    ctx.check_realm(&account)?;
    let target = Target::of(ctx, account)?;
    let sent = messages::send(ctx, &target, &args.to, &text, args.human_agent)?;
    let (recipient_id, message_id) =
        (sent.recipient_id.as_deref().unwrap_or(&args.to), sent.message_id.as_deref().unwrap_or_default());
    if ctx.output.json {
        let event = event.map(Event::id);
        let account = target.account.name.as_str();
        ctx.output.json(&SentView { schema_version: 1, account, recipient_id, message_id, text: &text, event });
    } else {
        let [recipient_id, message_id] = [recipient_id, message_id].map(|id| excerpt(&redact(id), 200));
        ctx.output.result(&format!("sent to {recipient_id} as {message_id}"));
    }
    Ok(0)
}
