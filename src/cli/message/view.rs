//! Views of messages, for people and programs.

use serde::Serialize;

use crate::accounts::Account;
use crate::messages::{ChatSettings, Effective, Event, MessageState, Origin, resolve};
use crate::ui::terminal::Screen;

#[derive(Serialize)]
pub struct MessageView {
    event: Event,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_text: Option<String>,
    origin: String,
}

impl MessageView {
    /// An event, with its own state if it has one.
    pub fn new(event: Event, state: Option<&MessageState>, effective: Effective<'_>) -> Self {
        let text = match state {
            Some(MessageState::Custom(text)) => Some(text.to_string()),
            _ => None,
        };
        let (effective_text, origin) = (effective.text.map(str::to_owned), effective.origin.to_string());
        Self { event, state: state.map(MessageState::word), text, effective_text, origin }
    }

    /// The message of an account at an event.
    pub fn of(account: &Account, event: Event, settings: &ChatSettings) -> Self {
        let state = account.messages.state(event);
        Self::new(event, Some(&state), resolve(event, &state, settings))
    }

    /// Every message of an account.
    pub fn all(account: &Account, settings: &ChatSettings) -> Vec<Self> {
        Event::all().map(|event| Self::of(account, event, settings)).collect()
    }
}

/// What is sent, on one line: the text, or why nothing is.
pub fn said(state: &MessageState, effective: &Effective<'_>, screen: Screen) -> String {
    match (effective.text, state, effective.origin) {
        (Some(text), ..) => {
            let mark = if screen.unicode { " ↵ " } else { " / " };
            text.lines().collect::<Vec<_>>().join(mark)
        }
        (None, MessageState::Default, Origin::ChatSettings) => {
            "(Default, but disabled in Chat Settings: nothing is sent)".into()
        }
        (None, ..) => "(nothing is sent)".into(),
    }
}
