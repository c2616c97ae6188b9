//! The state of each event on an account.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Event, MessageText};

/// What an account sends at an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MessageState {
    /// It sends its own text.
    Custom(MessageText),
    /// It sends what Chat Settings say.
    #[default]
    Default,
    /// It sends nothing.
    Disabled,
}

impl MessageState {
    /// The state's name: `custom`, `default`, `disabled`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Custom(_) => "custom",
            Self::Default => "default",
            Self::Disabled => "disabled",
        }
    }
}

/// How a state is written: `"default"`, `"disabled"`, or `{ state = "custom", text = "…" }`.
const FORM: &str = "\"default\", \"disabled\", or { state = \"custom\", text = \"…\" }";

impl Serialize for MessageState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self::Custom(text) = self else { return serializer.serialize_str(self.word()) };
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("state", "custom")?;
        map.serialize_entry("text", text)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for MessageState {
    /// Written by hand, so that an error says what is wrong with the text.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = MessageState;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(FORM)
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<MessageState, E> {
                match word {
                    "default" => Ok(MessageState::Default),
                    "disabled" => Ok(MessageState::Disabled),
                    _ => Err(E::custom(format!("'{word}' is not a valid state: write {FORM}"))),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MessageState, A::Error> {
                let (mut state, mut text) = (None, None);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "state" => state = Some(map.next_value::<String>()?),
                        "text" => text = Some(map.next_value::<MessageText>()?),
                        _ => return Err(A::Error::custom(format!("unknown key '{key}': write {FORM}"))),
                    }
                }
                match (state.as_deref(), text) {
                    (Some("custom"), Some(text)) => Ok(MessageState::Custom(text)),
                    (Some("default"), None) => Ok(MessageState::Default),
                    (Some("disabled"), None) => Ok(MessageState::Disabled),
                    _ => Err(A::Error::custom(format!("this is not a valid state: write {FORM}"))),
                }
            }
        }
        deserializer.deserialize_any(Form)
    }
}

/// The states of an account; an event without an entry is Default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountMessages(BTreeMap<Event, MessageState>);

impl AccountMessages {
    /// The state of an event.
    pub fn state(&self, event: Event) -> MessageState {
        self.0.get(&event).cloned().unwrap_or_default()
    }

    /// Sets the state of an event; Default is not stored.
    pub fn set(&mut self, event: Event, state: MessageState) {
        if state == MessageState::Default {
            self.0.remove(&event);
        } else {
            self.0.insert(event, state);
        }
    }

    /// Whether every event is Default.
    pub fn is_default(&self) -> bool {
        self.0.is_empty()
    }
}
