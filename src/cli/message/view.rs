//! How messages look, to a person and to a program.

use serde::Serialize;

use crate::accounts::Account;
use crate::messages::{ChatSettings, Effective, Event, MessageState, Origin, resolve};
use crate::ui::terminal::Screen;

/// One message as JSON.
#[derive(Serialize)]
pub struct MessageView {
    pub event: &'static str,
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_text: Option<String>,
    pub origin: String,
}

impl MessageView {
    /// What an account does at an event.
    pub fn new(account: &Account, event: Event, settings: &ChatSettings) -> Self {
        let state = account.messages.state(event);
        let Effective { text, origin } = resolve(event, &state, settings);
        Self {
            event: event.id(),
            state: state.word(),
            text: match &state {
                MessageState::Custom(text) => Some(text.to_string()),
                _ => None,
            },
            effective_text: text.map(str::to_owned),
            origin: origin.to_string(),
        }
    }

    /// Every message of an account.
    pub fn all(account: &Account, settings: &ChatSettings) -> Vec<Self> {
        Event::all().map(|event| Self::new(account, event, settings)).collect()
    }
}

/// What is sent, on one line: the text, or why there is none.
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
