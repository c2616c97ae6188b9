//! `msgrctl message show`: what the customer sees at an event.

use clap::Args;
use serde::Serialize;

use super::events;
use super::view::{MessageView, said};
use crate::accounts::Account;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;
use crate::messages::{ChatSettings, Event, LIMIT, preview, resolve};
use crate::ui::style::{self, paint, wrap};
use crate::ui::terminal::Screen;

/// Show what the customer sees at a chat event
///
/// With line breaks, sample values for variables, and the number of characters.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl message show acme-support session-ended")]
pub struct ShowArgs {
    #[command(flatten)]
    account: AccountArg,
    /// The chat event [on a terminal it is asked for]
    #[arg(value_name = "EVENT", value_parser = events())]
    event: Option<String>,
}

#[derive(Serialize)]
struct ShowView<'a> {
    schema_version: u8,
    account: &'a str,
    #[serde(flatten)]
    message: MessageView,
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<String>,
    characters: usize,
    limit: usize,
}

pub fn run(args: &ShowArgs, ctx: &Context) -> Result<u8, CliError> {
    let account = args.account.pick(ctx)?;
    let event = match &args.event {
        Some(event) => event.parse().map_err(CliError::from)?,
        None => pick_event(ctx)?,
    };
    let settings = ctx.chat_settings()?.load()?;
    if ctx.output.json {
        let message = MessageView::of(&account, event, &settings);
        let preview = message.effective_text.as_deref().map(filled);
        let characters = message.effective_text.as_deref().map_or(0, |text| text.chars().count());
        let account = account.name.as_str();
        ctx.output.json(&ShowView { schema_version: 1, account, message, preview, characters, limit: LIMIT });
    } else {
        ctx.output.result(&text(&account, event, &settings, ctx.output.terminal.out()));
    }
    Ok(0)
}

/// Lets the operator choose an event.
pub fn pick_event(ctx: &Context) -> Result<Event, CliError> {
    if !ctx.someone_can_answer {
        return Err(
            CliError::usage("missing: EVENT, the chat event").hint(format!("it is one of: {}", super::change::ids()))
        );
    }
    let items: Vec<String> = Event::all().map(|event| format!("{event:<20}{}", event.entry().when)).collect();
    match ctx.prompter.choose("Which event?", &items, 0)? {
        Some(at) => Event::all().nth(at).ok_or_else(|| CliError::failed("no event was chosen")),
        None => Err(CliError::left("no event was chosen")),
    }
}

fn filled(text: &str) -> String {
    preview(text, |name| match name {
        "agent" | "agent.name" | "name" | "display_name" => "Alex".into(),
        other => format!("[{other}]"),
    })
}

/// An event with what the customer sees.
pub fn text(account: &Account, event: Event, settings: &ChatSettings, screen: Screen) -> String {
    let (state, entry) = (account.messages.state(event), event.entry());
    let effective = resolve(event, &state, settings);
    let mut lines = vec![paint(style::BOLD, &format!("{}: {}", account.name, entry.title), screen.color)];
    lines.push(format!("  {}", wrap(&format!("When {}.", entry.when), screen.width, 2)));
    lines.push(format!("  State {}, from {}.", state.word(), effective.origin));
    if let Some(variable) = entry.variable {
        let known = format!("The contact centre knows {variable} here; how a text names it is not documented.");
        lines.push(format!("  {}", wrap(&known, screen.width, 2)));
    }
    lines.push(String::new());
    match effective.text {
        Some(text) => {
            let bar = if screen.unicode { "│" } else { "|" };
            let width = screen.width.map(|width| width.saturating_sub(4));
            for line in filled(text).lines() {
                lines.extend(wrap(line, width, 0).lines().map(|line| format!("  {bar} {line}").trim_end().to_owned()));
                if line.is_empty() {
                    lines.push(format!("  {bar}"));
                }
            }
            lines.extend([String::new(), format!("  {} of {LIMIT} characters", text.chars().count())]);
        }
        None => lines.push(format!("  {}", said(&state, &effective, screen))),
    }
    lines.join("\n")
}
