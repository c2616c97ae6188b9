//! Chat Settings, for the whole tenant.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::{Deserialize, Serialize};

use super::{Event, MessageState, MessageText};
use crate::text::text_form;

/// The text of Chat Settings for an event. There is no Default here: they are the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "MessageState", into = "MessageState")]
pub enum ChatText {
    /// This text is sent.
    Custom(MessageText),
    /// Nothing is sent.
    Disabled,
}

impl From<ChatText> for MessageState {
    fn from(text: ChatText) -> Self {
        match text {
            ChatText::Custom(text) => Self::Custom(text),
            ChatText::Disabled => Self::Disabled,
        }
    }
}

impl TryFrom<MessageState> for ChatText {
    type Error = &'static str;

    fn try_from(state: MessageState) -> Result<Self, Self::Error> {
        match state {
            MessageState::Custom(text) => Ok(Self::Custom(text)),
            MessageState::Disabled => Ok(Self::Disabled),
            MessageState::Default => Err("Chat Settings are the default themselves: a text, or \"disabled\""),
        }
    }
}

/// A length of time, in whole seconds: `10m`, `1h 30m`, `5s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timeout(u64);
text_form!(Timeout);

/// Why a length of time was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TimeoutError(String);

impl Timeout {
    /// This many minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Self(minutes * 60)
    }

    /// In seconds.
    pub fn seconds(self) -> u64 {
        self.0
    }

    /// A fraction of it, rounded down.
    #[must_use]
    pub fn share(self, part: u64, whole: u64) -> Self {
        Self(self.0 * part / whole)
    }

    /// Whether it is whole minutes, the unit of most of the contact centre's fields.
    pub fn is_whole_minutes(self) -> bool {
        self.0.is_multiple_of(60)
    }
}

impl FromStr for Timeout {
    type Err = TimeoutError;
    fn from_str(text: &str) -> Result<Self, TimeoutError> {
        let refuse = || TimeoutError(format!("'{text}' is not a length of time: write 10m, 1h 30m or 2d"));
        let span: Span = text.trim().parse().map_err(|_| refuse())?;
        let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| refuse())?;
        match u64::try_from(length.as_secs()) {
            Ok(seconds @ 1..=2_592_000) if length.subsec_nanos() == 0 => Ok(Self(seconds)),
            _ => Err(TimeoutError(format!("'{text}' is out of range: whole seconds, 1s to 30d"))),
        }
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0).unwrap_or(i64::MAX);
        f.pad(&format!("{:#}", SignedDuration::from_secs(seconds)))
    }
}

/// The four timeouts. An unset one is the contact centre's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeouts {
    /// SMS or Messenger chats: how long to wait for a response, in minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messenger: Option<Timeout>,
    /// The same for web chats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web: Option<Timeout>,
    /// The pause between two queued chats offered to an agent who became Ready, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_ramp_up: Option<Timeout>,
    /// How long a first outbound message may stay unanswered, in minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound: Option<Timeout>,
}

impl Timeouts {
    /// The contact centre's own timeout for messengers (older versions: 10 minutes).
    pub const MESSENGER: Timeout = Timeout::minutes(10);

    /// All of them, in the order of the fields.
    pub fn all(&self) -> [Option<Timeout>; 4] {
        [self.messenger, self.web, self.agent_ramp_up, self.outbound]
    }

    /// The same, to be changed.
    pub fn all_mut(&mut self) -> [&mut Option<Timeout>; 4] {
        [&mut self.messenger, &mut self.web, &mut self.agent_ramp_up, &mut self.outbound]
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The Chat Settings of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatSettings {
    /// The timeouts.
    #[serde(default, skip_serializing_if = "Timeouts::is_empty")]
    pub timeouts: Timeouts,
    /// The texts; an event that is not there has the built-in one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: BTreeMap<Event, ChatText>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_and_written_as_people_do() {
        let text = |text: &str| text.parse::<Timeout>().map(|timeout| timeout.to_string());
        assert_eq!(text("10m").as_deref(), Ok("10m"));
        assert_eq!(text("90m").as_deref(), Ok("1h 30m"));
        assert_eq!(text("1h30m").as_deref(), Ok("1h 30m"));
        assert_eq!(text("2d").as_deref(), Ok("48h"));
        assert_eq!(text("5 seconds").as_deref(), Ok("5s"));
        for wrong in ["", "10", "-5m", "0s", "ten minutes", "40d", "1.5s", "1500ms"] {
            assert!(wrong.parse::<Timeout>().is_err(), "{wrong}");
        }
        assert!(!Timeout(90).is_whole_minutes() && Timeout(120).is_whole_minutes());
    }
}
