//! Chat Settings as a page to edit: every field, its value in a comment.

use serde_json::Value;

use super::show::timeouts;
use crate::messages::{ChatSettings, ChatText, Event};

/// The page, in the format of the settings file.
pub fn text(tenant: &str, settings: &ChatSettings) -> String {
    let mut lines = vec![
        format!(
            "# Chat Settings of tenant '{tenant}'. Save and close to keep them; an unchanged page changes nothing."
        ),
        String::new(),
        "[timeouts]".into(),
        "# Times: 10m, 1h 30m; whole minutes, except for agent_ramp_up.".into(),
    ];
    let explained = [
        "SMS or Messenger chats: how long to wait for a response",
        "Web chats: how long to wait for a response",
        "Between two queued chats offered to an agent who became Ready",
        "How long a first outbound message may stay without response",
    ];
    for ((name, _, value), what) in timeouts(&settings.timeouts).into_iter().zip(explained) {
        lines.push(format!("# {what}."));
        lines.push(match value {
            Some(value) => format!("{name} = \"{value}\""),
            None if name == "agent_ramp_up" => format!("# {name} = \"5s\""),
            None => format!("# {name} = \"10m\""),
        });
    }
    lines.extend([
        String::new(),
        "[messages]".into(),
        "# A line for each chat event: \"disabled\" (nothing is sent), or a text:".into(),
        "#   session-ended = { state = \"custom\", text = \"Thank you.\" }".into(),
        "# A missing or commented line means the built-in text.".into(),
    ]);
    // A JSON string is also a TOML string.
    let custom = |text: &str| format!("{{ state = \"custom\", text = {} }}", Value::from(text));
    for event in Event::all() {
        let entry = event.entry();
        lines.push(format!("# {}: when {}.", entry.title, entry.when));
        lines.push(match settings.messages.get(&event) {
            Some(ChatText::Disabled) => format!("{event} = \"disabled\""),
            Some(ChatText::Custom(text)) => format!("{event} = {}", custom(text.as_str())),
            None => format!("# {event} = {}", custom(entry.text)),
        });
    }
    lines.join("\n") + "\n"
}
