//! The chat events, as data: a new event is one more entry.
//!
//! The exact list of boxes in the contact centre is not public; these are the events of its
//! messaging API that have a configurable text (accounts/FACTS.md, "System Messages and Chat
//! Settings"). The default texts are msgrctl's own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::text_form;

/// A chat event.
#[derive(Debug)]
pub struct ChatEvent {
    /// Its name in msgrctl: `agent-joined`.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// When it happens, in a sentence without a full stop.
    pub when: &'static str,
    /// Its name in the platform's messaging API.
    pub platform: &'static str,
    /// What the platform could insert into its text, in words.
    pub variable: Option<&'static str>,
    /// The text that is sent unless another one is set.
    pub text: &'static str,
    /// When it happens after the customer's last message, as a share of the messenger timeout:
    /// `(1, 2)` is half of it. `None`: at no fixed time.
    pub at: Option<(u64, u64)>,
}

/// All events, in the order in which they are shown.
pub const CATALOGUE: &[ChatEvent] = &[
    ChatEvent {
        id: "agent-joined",
        title: "Agent joined",
        when: "an agent is connected to the customer",
        platform: "chat_session_party_joined",
        variable: Some("the agent's display name"),
        text: "You are now talking to one of our agents.",
        at: None,
    },
    ChatEvent {
        id: "inactivity-warning",
        title: "Inactivity warning",
        when: "the customer has not answered for half of the messenger timeout",
        platform: "chat_session_timeout_warning",
        variable: None,
        text: "Are you still there? This conversation ends soon if we do not hear from you.",
        at: Some((1, 2)),
    },
    ChatEvent {
        id: "inactivity-timeout",
        title: "Inactivity timeout",
        when: "the session is closed because the customer has not answered",
        platform: "chat_session_inactivity_timeout",
        variable: None,
        text: "We have not heard from you, so this conversation is closed. Write again whenever you like.",
        at: Some((1, 1)),
    },
    ChatEvent {
        id: "session-ended",
        title: "Session ended",
        when: "the session is closed in the normal way",
        platform: "chat_session_ended",
        variable: None,
        text: "This conversation has ended. Thank you for writing to us.",
        at: None,
    },
    ChatEvent {
        id: "agent-left",
        title: "Agent left",
        when: "the agent leaves the conversation",
        platform: "chat_session_party_left",
        variable: Some("the agent's display name"),
        text: "The agent has left the conversation.",
        at: None,
    },
];

/// An event of the catalogue, ordered as the catalogue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Event(usize);
text_form!(Event);

impl Event {
    /// Every event, in order.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        (0..CATALOGUE.len()).map(Self)
    }

    /// Its entry in the catalogue.
    pub fn entry(self) -> &'static ChatEvent {
        &CATALOGUE[self.0]
    }

    /// Its place in the catalogue, from 0.
    pub fn place(self) -> usize {
        self.0
    }

    /// Its name.
    pub fn id(self) -> &'static str {
        self.entry().id
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// Not the name of an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no chat event '{0}'; the events are {list}", list = CATALOGUE.iter().map(|event| event.id).collect::<Vec<_>>().join(", "))]
pub struct UnknownEvent(pub String);

impl FromStr for Event {
    type Err = UnknownEvent;
    fn from_str(text: &str) -> Result<Self, UnknownEvent> {
        let at = CATALOGUE.iter().position(|event| event.id == text);
        at.map(Self).ok_or_else(|| UnknownEvent(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::MessageText;

    #[test]
    fn every_entry_is_whole_and_its_text_can_be_sent() {
        for event in Event::all() {
            let entry = event.entry();
            assert_eq!(entry.id.parse(), Ok(event));
            assert!(entry.id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", entry.id);
            assert!(entry.platform.starts_with("chat_session_"));
            let text: MessageText = entry.text.parse().expect("a text");
            assert!(text.doubts().is_empty(), "{}", entry.id);
        }
        assert!("agent-joind".parse::<Event>().is_err());
    }
}
