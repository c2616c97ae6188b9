//! Compares a manifest's Chat Settings with the tenant's.

use super::manifest::{TIMEOUTS, WantedSettings};
use super::plan::{Change, state_in_words};
use crate::messages::{ChatSettings, ChatText};

/// Chat Settings after the change, and the differences.
pub fn changed(wanted: &WantedSettings, known: &ChatSettings) -> (ChatSettings, Vec<Change>) {
    let mut new = known.clone();
    let mut changes = Vec::new();
    for ((field, value), place) in TIMEOUTS.into_iter().zip(wanted.timeouts.all()).zip(new.timeouts.all_mut()) {
        if let Some(value) = value
            && *place != Some(value)
        {
            changes.push(Change::new(field, place.map(|known| known.to_string()), Some(value.to_string())));
            *place = Some(value);
        }
    }
    let words = |text: Option<&ChatText>| text.cloned().map_or("built-in".into(), |text| state_in_words(&text.into()));
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
