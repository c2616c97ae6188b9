//! The state of each event on an account.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Event, MessageText};

/// What an account does at an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MessageState {
    /// It sends its own text.
    Custom(MessageText),
    /// It does what Chat Settings say.
    #[default]
    Default,
    /// It sends nothing.
    Disabled,
}

impl MessageState {
    /// The state in a word: `custom`, `default`, `disabled`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Custom(_) => "custom",
            Self::Default => "default",
            Self::Disabled => "disabled",
        }
    }
}

/// `"default"`, `"disabled"`, or `{ state = "custom", text = "…" }`.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Written {
    Word(Word),
    Text(Text),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Word {
    Default,
    Disabled,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    state: Custom,
    text: MessageText,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Custom {
    Custom,
}

impl Written {
    pub(super) fn custom(text: MessageText) -> Self {
        Self::Text(Text { state: Custom::Custom, text })
    }

    pub(super) fn into_state(self) -> MessageState {
        match self {
            Self::Word(Word::Default) => MessageState::Default,
            Self::Word(Word::Disabled) => MessageState::Disabled,
            Self::Text(Text { text, .. }) => MessageState::Custom(text),
        }
    }
}

impl Serialize for MessageState {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match self {
            Self::Custom(text) => Written::custom(text.clone()),
            Self::Default => Written::Word(Word::Default),
            Self::Disabled => Written::Word(Word::Disabled),
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MessageState {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Written::deserialize(deserializer)?.into_state())
    }
}

/// The states of an account; an event that is not there is Default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountMessages(BTreeMap<Event, MessageState>);

impl AccountMessages {
    /// The state of an event.
    pub fn state(&self, event: Event) -> MessageState {
        self.0.get(&event).cloned().unwrap_or_default()
    }

    /// Gives an event a state; Default is not written down.
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
