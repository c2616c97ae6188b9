//! Chat Settings as a page to edit: every field with what it is, in a comment.

use crate::messages::{ChatSettings, ChatText, Event};

/// The page. What stands in it is read back as the file is.
pub fn text(tenant: &str, settings: &ChatSettings) -> String {
    let mut lines = vec![
        format!(
            "# Chat Settings of tenant '{tenant}'. Save and close to keep them; an unchanged page changes nothing."
        ),
        String::new(),
        "[timeouts]".into(),
        "# Lengths of time: 10m, 1h 30m; whole minutes, but for agent_ramp_up.".into(),
    ];
    let explained = [
        ("messenger", "SMS or Messenger chats: how long a response is waited for", settings.timeouts.messenger),
        ("web", "Web chats: the same", settings.timeouts.web),
        (
            "agent_ramp_up",
            "Between two queued chats offered to an agent who became Ready",
            settings.timeouts.agent_ramp_up,
        ),
        ("outbound", "How long a first outbound message may stay without response", settings.timeouts.outbound),
    ];
    for (name, what, value) in explained {
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
        "# One for each chat event: \"disabled\" (nothing is sent), or a text:".into(),
        "#   session-ended = { state = \"custom\", text = \"Thank you.\" }".into(),
        "# A line that is left out, or stays a comment, gives the built-in text.".into(),
    ]);
    for event in Event::all() {
        let entry = event.entry();
        lines.push(format!("# {}: when {}.", entry.title, entry.when));
        lines.push(match settings.messages.get(&event) {
            Some(ChatText::Disabled) => format!("{event} = \"disabled\""),
            Some(ChatText::Custom(text)) => {
                format!("{event} = {{ state = \"custom\", text = {} }}", quoted(text.as_str()))
            }
            None => format!("# {event} = {{ state = \"custom\", text = {} }}", quoted(entry.text)),
        });
    }
    lines.join("\n") + "\n"
}

/// A text as TOML writes it, on one line.
fn quoted(text: &str) -> String {
    // A string of JSON is one of TOML.
    serde_json::to_string(text).unwrap_or_else(|error| unreachable!("texts are JSON: {error}"))
}
