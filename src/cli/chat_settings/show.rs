//! `msgrctl chat-settings show`: timeouts and texts of the tenant.

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::messages::{ChatSettings, ChatText, Event, MessageState, Timeout, Timeouts, resolve};
use crate::ui::style::{self, paint, wrap};
use crate::ui::terminal::Screen;

/// Show the Chat Settings of the tenant: timeouts, and a text for each chat event
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl chat-settings show\n  msgrctl chat-settings show --json")]
pub struct ShowArgs {}

#[derive(Serialize)]
struct SettingsView<'a> {
    schema_version: u8,
    tenant: &'a str,
    timeouts: Vec<TimeoutView>,
    messages: Vec<MessageView<'a>>,
}

#[derive(Serialize)]
struct TimeoutView {
    name: &'static str,
    value: String,
    seconds: u64,
}

#[derive(Serialize)]
struct MessageView<'a> {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_text: Option<&'a str>,
    origin: String,
}

pub fn run(_args: &ShowArgs, ctx: &Context) -> Result<u8, CliError> {
    print(ctx, &ctx.chat_settings()?.load()?)
}

pub fn print(ctx: &Context, settings: &ChatSettings) -> Result<u8, CliError> {
    let tenant = ctx.settings()?.tenant.value.as_str();
    if ctx.output.json {
        ctx.output.json(&view(tenant, settings));
    } else {
        ctx.output.result(&text(tenant, settings, ctx.output.terminal.out()));
    }
    Ok(0)
}

/// The four timeouts: name of the flag's beginning, label, value.
pub fn timeouts(timeouts: &Timeouts) -> [(&'static str, &'static str, Option<Timeout>); 4] {
    [
        ("messenger", "SMS or Messenger chats", timeouts.messenger),
        ("web", "Web chats", timeouts.web),
        ("agent_ramp_up", "Agent ramp-up interval", timeouts.agent_ramp_up),
        ("outbound", "No response to a first outbound message", timeouts.outbound),
    ]
}

fn view<'a>(tenant: &'a str, settings: &'a ChatSettings) -> SettingsView<'a> {
    let timeouts = timeouts(&settings.timeouts).into_iter().filter_map(|(name, _, value)| {
        value.map(|value| TimeoutView { name, value: value.to_string(), seconds: value.seconds() })
    });
    let message = |event: Event| {
        let effective = resolve(event, &MessageState::Default, settings);
        let (state, text) = match settings.messages.get(&event) {
            Some(ChatText::Custom(text)) => (Some("custom"), Some(text.as_str())),
            Some(ChatText::Disabled) => (Some("disabled"), None),
            None => (None, None),
        };
        MessageView {
            event: event.id(),
            state,
            text,
            effective_text: effective.text,
            origin: effective.origin.to_string(),
        }
    };
    SettingsView {
        schema_version: 1,
        tenant,
        timeouts: timeouts.collect(),
        messages: Event::all().map(message).collect(),
    }
}

fn text(tenant: &str, settings: &ChatSettings, screen: Screen) -> String {
    let mut lines =
        vec![paint(style::BOLD, &format!("Chat Settings of tenant '{tenant}'"), screen.color), String::new()];
    lines.push("Timeouts".into());
    for (_, label, value) in timeouts(&settings.timeouts) {
        let value = value.map_or("not set here".into(), |value| value.to_string());
        lines.push(format!("  {label:<41}{value}"));
    }
    lines.extend([String::new(), "Messages".into()]);
    for event in Event::all() {
        let effective = resolve(event, &MessageState::Default, settings);
        let from = match settings.messages.get(&event) {
            Some(ChatText::Custom(_)) => "custom",
            Some(ChatText::Disabled) => "disabled",
            None => "built-in text",
        };
        lines.push(format!("  {event:<20}{from}"));
        let said = effective.text.unwrap_or("(nothing is sent)");
        lines.extend(said.lines().map(|line| format!("      {}", wrap(line, screen.width, 6))));
    }
    lines.join("\n")
}
