//! Chat Settings of a manifest against those that are.

use super::manifest::WantedSettings;
use super::plan::{Change, quoted};
use crate::messages::{ChatSettings, ChatText};

/// Chat Settings as they will be, and what differs.
pub fn changed(wanted: &WantedSettings, known: &ChatSettings) -> (ChatSettings, Vec<Change>) {
    let mut new = known.clone();
    let mut changes = Vec::new();
    let timeouts = &mut new.timeouts;
    for (field, place, value) in [
        ("messenger_timeout", &mut timeouts.messenger, wanted.timeouts.messenger),
        ("web_timeout", &mut timeouts.web, wanted.timeouts.web),
        ("agent_ramp_up", &mut timeouts.agent_ramp_up, wanted.timeouts.agent_ramp_up),
        ("outbound_timeout", &mut timeouts.outbound, wanted.timeouts.outbound),
    ] {
        if let Some(value) = value
            && *place != Some(value)
        {
            changes.push(Change::new(field, place.map(|known| known.to_string()), Some(value.to_string())));
            *place = Some(value);
        }
    }
    let words = |text: Option<&ChatText>| match text {
        Some(ChatText::Custom(text)) => format!("custom: {}", quoted(text.as_str())),
        Some(ChatText::Disabled) => "disabled".into(),
        None => "built-in".into(),
    };
    for (event, text) in &wanted.messages {
        let before = new.messages.get(event);
        if before != text.as_ref() {
            changes.push(Change::new(format!("messages.{event}"), Some(words(before)), Some(words(text.as_ref()))));
            match text {
                Some(text) => drop(new.messages.insert(*event, text.clone())),
                None => drop(new.messages.remove(event)),
            }
        }
    }
    (new, changes)
}
