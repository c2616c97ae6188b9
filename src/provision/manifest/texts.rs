//! Messages at chat events, in accounts and in Chat Settings.
//!
//! A misspelt `disabled` must never be sent to customers. An account's text needs an explicit
//! state; Chat Settings accept a bare text, but refuse one that is close to a state's name.

use std::collections::BTreeMap;

use super::keys::MESSAGE;
use super::node::{Node, Value};
use super::place::{At, harmless, shown};
use super::reader::{Reader, Spot};
use crate::document::nearest;
use crate::messages::{ChatText, Event, MessageState, MessageText, UnknownEvent};

/// The states in an account.
const STATES: [&str; 3] = ["custom", "default", "disabled"];

/// The states in Chat Settings, which are the default themselves.
const CHAT_STATES: [&str; 3] = ["custom", "disabled", "built-in"];

const FORM: &str = "default, disabled, or {state: custom, text: \"…\"}";
const CHAT_FORM: &str = "a text, disabled, built-in, or {state: custom, text: \"…\"}";

/// The messages of an account.
pub(super) fn of_account(reader: &mut Reader<'_>, node: &Node) -> BTreeMap<Event, Spot<MessageState>> {
    each(reader, node, |reader, event, node| {
        let said = match &node.value {
            Value::Text(text) => return state(reader, node.at, text),
            _ => said(reader, event, node, &STATES, FORM)?,
        };
        match said {
            Said::State(word, at) => state(reader, at, word),
            Said::Text(text) => Some(MessageState::Custom(text)),
        }
    })
}

fn state(reader: &mut Reader<'_>, at: At, word: &str) -> Option<MessageState> {
    match word {
        "default" => return Some(MessageState::Default),
        "disabled" => return Some(MessageState::Disabled),
        _ => {}
    }
    let near = near(word, &["default", "disabled"]);
    let message = match near {
        _ if word == "built-in" => "'built-in' is a state of chat_settings; of an account it is default".to_owned(),
        Some(_) => format!("unknown message state {}", shown(word)),
        None => format!("a message is {FORM}: a bare text is not accepted, so that a misspelt state is never sent"),
    };
    reader.wrong_near(at, message, near);
    None
}

/// The messages of Chat Settings.
pub(super) fn of_chat_settings(reader: &mut Reader<'_>, node: &Node) -> BTreeMap<Event, Spot<Option<ChatText>>> {
    each(reader, node, |reader, event, node| {
        let said = match &node.value {
            Value::Text(text) => Said::State(text, node.at),
            _ => said(reader, event, node, &CHAT_STATES, CHAT_FORM)?,
        };
        match said {
            Said::Text(text) => Some(Some(ChatText::Custom(text))),
            Said::State("disabled", _) => Some(Some(ChatText::Disabled)),
            Said::State("built-in", _) => Some(None),
            Said::State(text, at) => {
                let meant = match near(text, &["disabled", "built-in", "default", "custom"]) {
                    None => return self::text(reader, event, at, text).map(ChatText::Custom).map(Some),
                    Some("default") => Some("built-in"),
                    Some("custom") => None,
                    meant => meant,
                };
                let message = format!(
                    "{} is not a valid state of chat_settings; to send it as a text write {{state: custom, text: \"…\"}}",
                    shown(text)
                );
                reader.wrong_near(at, message, meant);
                None
            }
        }
    })
}

/// Reads a mapping of events.
fn each<T>(
    reader: &mut Reader<'_>,
    node: &Node,
    read: impl Fn(&mut Reader<'_>, Event, &Node) -> Option<T>,
) -> BTreeMap<Event, Spot<T>> {
    let mut found = BTreeMap::new();
    for entry in reader.mapping("messages", node).unwrap_or_default() {
        match entry.key.parse::<Event>() {
            Ok(event) => {
                let value = read(reader, event, &entry.value);
                found.insert(event, Spot { at: entry.at, value });
            }
            Err(UnknownEvent(key)) => match nearest(&key, Event::all().map(Event::id)) {
                Some(near) => {
                    reader.wrong_near(entry.at, format!("there is no chat event {}", shown(&key)), Some(near));
                }
                None => reader.wrong(entry.at, harmless(&UnknownEvent(key.clone()).to_string(), &key)),
            },
        }
    }
    found
}

/// What a mapping or an unquoted word means.
enum Said<'n> {
    /// A state, and its place.
    State(&'n str, At),
    Text(MessageText),
}

fn said<'n>(
    reader: &mut Reader<'_>,
    event: Event,
    node: &'n Node,
    states: &[&'static str],
    form: &str,
) -> Option<Said<'n>> {
    if !matches!(node.value, Value::Mapping(_)) {
        return reader.other(event.id(), node, || format!("a message is {form}"));
    }
    let entries = reader.known(event.id(), node, &MESSAGE)?;
    let key = |key: &str| entries.iter().find(|entry| entry.key == key);
    let (state, text) = (key("state"), key("text"));
    let Some(state) = state else {
        if entries.iter().all(|entry| MESSAGE.keys.contains(&entry.key.as_str())) {
            reader.missing(node.at, &format!("'state': a message is {form}"));
        }
        return None;
    };
    let word = reader.text("state", &state.value)?;
    let at = state.value.at;
    if !states.contains(&word) {
        let message = format!("unknown message state {}: it is {}", shown(word), states.join(", "));
        reader.wrong_near(at, message, nearest(word, states.iter().copied()));
        return None;
    }
    match (word, text) {
        ("custom", Some(entry)) => {
            let text = reader.text("text", &entry.value)?;
            self::text(reader, event, entry.value.at, text).map(Said::Text)
        }
        ("custom", None) => {
            reader.missing(node.at, "'text', which state: custom needs");
            None
        }
        (_, Some(entry)) => {
            reader.wrong(entry.at, format!("'text' belongs to state: custom, and the state here is {word}"));
            None
        }
        (word, None) => Some(Said::State(word, at)),
    }
}

fn text(reader: &mut Reader<'_>, event: Event, at: At, text: &str) -> Option<MessageText> {
    match text.parse::<MessageText>() {
        Ok(found) => {
            for doubt in found.doubts() {
                reader.doubt(at, &format!("the text of {event}: {doubt}"), "");
            }
            Some(found)
        }
        Err(error) => {
            reader.wrong(at, error.to_string());
            None
        }
    }
}

/// The one of `words` that a single word was probably meant to be.
fn near<'w>(text: &str, words: &[&'w str]) -> Option<&'w str> {
    let plain = text.trim().to_lowercase().replace(['_', ' '], "-");
    words.iter().copied().find(|word| strsim::osa_distance(&plain, word) <= 2)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{good, mistakes, of_account};
    use super::*;

    #[test]
    fn a_misspelt_state_of_an_account_is_never_a_text() {
        let wrong = |message: &str| of_account(&format!("messages: {{session-ended: {message}}}"));
        assert_eq!(wrong("disbled"), "unknown message state 'disbled'; did you mean 'disabled'?");
        assert!(wrong("Bye").contains("{state: custom, text: \"…\"}"));
        assert!(wrong("built-in").contains("of an account it is default"));
        for (message, part) in [
            ("no", "a message is default, disabled"),
            ("[Bye]", "a message is default, disabled"),
            ("null", "'session-ended' has no value"),
            ("{text: Bye}", "missing: 'state'"),
            ("{state: custom}", "missing: 'text'"),
            ("{state: default, text: Bye}", "'text' belongs to state: custom"),
            ("{state: costum, text: Bye}", "did you mean 'custom'?"),
            ("{state: custom, text: ' '}", "the text is empty"),
            ("{state: custom, text: 5}", "write it in quotes"),
            ("{state: custom, txet: Bye, text: Bye}", "unknown key 'txet'; did you mean 'text'?"),
        ] {
            assert!(wrong(message).contains(part), "{message}: {}", wrong(message));
        }
        assert!(of_account("messages: {session-endet: default}").contains("did you mean 'session-ended'?"));
        assert!(of_account("messages: {xyz: default}").contains("the events are agent-joined"));
    }

    #[test]
    fn chat_settings_take_texts_and_no_misspelt_state() {
        let text = |message: &str| format!("version: 1\nchat_settings: {{messages: {{session-ended: {message}}}}}\n");
        let said = |message: &str| good(&text(message)).chat_settings.messages.into_values().next();
        let custom = |text: &str| Some(Some(ChatText::Custom(text.parse().expect("a text"))));
        assert_eq!(said("Bye!"), custom("Bye!"));
        assert_eq!(said("{state: custom, text: Disabled}"), custom("Disabled"));
        assert_eq!((said("disabled"), said("built-in")), (Some(Some(ChatText::Disabled)), Some(None)));
        assert_eq!((said("{state: disabled}"), said("{state: built-in}")), (said("disabled"), said("built-in")));
        for message in ["disbled", "Disabled", "built_in", "default", "DEFAULT", "custom", "{state: default}"] {
            let found = mistakes(&text(message));
            assert_eq!(found.len(), 1, "{found:?}");
        }
        assert!(mistakes(&text("disbled"))[0].contains("write {state: custom, text: \"…\"}; did you mean 'disabled'?"));
    }

    #[test]
    fn what_customers_may_see_otherwise_is_a_doubt() {
        let text = "version: 1\nchat_settings: {messages: {session-ended: 'Bye $(name)'}}\n";
        let doubts = good(text).doubts;
        assert!(doubts[0].to_string().starts_with("a.yaml:2:43: the text of session-ended: it has $("), "{doubts:?}");
    }

    #[test]
    fn words_that_were_meant_as_states() {
        let all = ["disabled", "built-in", "default", "custom"];
        for (text, word) in [
            ("disbled", "disabled"),
            ("Disabled", "disabled"),
            ("DISABLED ", "disabled"),
            ("disable", "disabled"),
            ("built_in", "built-in"),
            ("Built in", "built-in"),
            ("builtin", "built-in"),
            ("default", "default"),
            ("defualt", "default"),
        ] {
            assert_eq!(near(text, &all), Some(word), "{text}");
        }
        for text in ["Bye!", "Thank you", "Hello", "See you", "disabled until Monday", "😀"] {
            assert_eq!(near(text, &all), None, "{text}");
        }
    }
}
