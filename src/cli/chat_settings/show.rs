//! `msgrctl chat-settings show`: timeouts and texts of the tenant.

use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::message::view::MessageView;
use crate::messages::{ChatSettings, ChatText, Event, MessageState, Timeout, Timeouts, resolve};
use crate::ui::style::{self, paint, wrap};
use crate::ui::terminal::Screen;

pub fn print(ctx: &Context, settings: &ChatSettings) -> Result<u8, CliError> {
    let tenant = ctx.settings()?.tenant.value.as_str();
    if ctx.output.json {
        ctx.output.json(&view(tenant, settings));
    } else {
        ctx.output.result(&text(tenant, settings, ctx.output.terminal.out()));
    }
    Ok(0)
}

/// The four timeouts: JSON key, label, value.
pub fn timeouts(timeouts: &Timeouts) -> [(&'static str, &'static str, Option<Timeout>); 4] {
    [
        ("messenger", "SMS or Messenger chats", timeouts.messenger),
        ("web", "Web chats", timeouts.web),
        ("agent_ramp_up", "Agent ramp-up interval", timeouts.agent_ramp_up),
        ("outbound", "No response to a first outbound message", timeouts.outbound),
    ]
}

fn view(tenant: &str, settings: &ChatSettings) -> Value {
    let timeouts = timeouts(&settings.timeouts).into_iter().filter_map(|(name, _, value)| {
        value.map(|value| json!({"name": name, "value": value, "seconds": value.seconds()}))
    });
    let message = |event: Event| {
        let state = settings.messages.get(&event).cloned().map(MessageState::from);
        MessageView::new(event, state.as_ref(), resolve(event, &MessageState::Default, settings))
    };
    let (timeouts, messages): (Vec<Value>, Vec<MessageView>) =
        (timeouts.collect(), Event::all().map(message).collect());
    json!({"schema_version": 1, "tenant": tenant, "timeouts": timeouts, "messages": messages})
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
