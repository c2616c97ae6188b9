//! Resolves what is sent at an event, and where that is set.

use super::{ChatSettings, ChatText, Event, MessageState, Timeout, Timeouts};
use crate::text::words;

/// Where the text is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The account itself.
    Account,
    /// The tenant's Chat Settings.
    ChatSettings,
    /// The catalogue's text: no other is set.
    BuiltIn,
}

words!(Origin { Account => "account", ChatSettings => "chat-settings", BuiltIn => "built-in" });

/// What is sent at an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effective<'a> {
    /// The text; `None`: nothing is sent.
    pub text: Option<&'a str>,
    /// Where that is set.
    pub origin: Origin,
}

/// What an account with this state sends under these settings.
pub fn resolve<'a>(event: Event, state: &'a MessageState, settings: &'a ChatSettings) -> Effective<'a> {
    match (state, settings.messages.get(&event)) {
        (MessageState::Custom(text), _) => Effective { text: Some(text.as_str()), origin: Origin::Account },
        (MessageState::Disabled, _) => Effective { text: None, origin: Origin::Account },
        (MessageState::Default, Some(ChatText::Custom(text))) => {
            Effective { text: Some(text.as_str()), origin: Origin::ChatSettings }
        }
        (MessageState::Default, Some(ChatText::Disabled)) => Effective { text: None, origin: Origin::ChatSettings },
        (MessageState::Default, None) => Effective { text: Some(event.entry().text), origin: Origin::BuiltIn },
    }
}

/// A message that the messenger timeout puts outside the 24 hours in which Meta accepts
/// automated messages after the customer's last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub event: Event,
    /// When it would be sent, after the customer's last message.
    pub after: Timeout,
}

const WINDOW: u64 = 24 * 3600;

/// The events whose message can never be delivered with this timeout (accounts/FACTS.md,
/// "Messages that come too late").
pub fn undeliverable(timeouts: &Timeouts) -> Vec<Window> {
    let timeout = timeouts.messenger.unwrap_or(Timeouts::MESSENGER);
    let late = |event: Event| {
        let (part, whole) = event.entry().at?;
        let after = timeout.share(part, whole);
        (after.seconds() >= WINDOW).then_some(Window { event, after })
    };
    Event::all().filter_map(late).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::{AccountMessages, MessageText};

    fn text(text: &str) -> MessageText {
        text.parse().expect("a text")
    }

    /// Every state of the account with every state of Chat Settings.
    #[test]
    fn every_combination_of_states() {
        let event: Event = "session-ended".parse().expect("an event");
        let custom = || MessageState::Custom(text("Bye from the account"));
        let settings = |message: Option<ChatText>| ChatSettings {
            messages: message.into_iter().map(|message| (event, message)).collect(),
            ..ChatSettings::default()
        };
        let ours = event.entry().text;
        let own = Some("Bye from the account");
        let tenants = Some("Bye from the tenant");
        let set = || Some(ChatText::Custom(text("Bye from the tenant")));
        let off = || Some(ChatText::Disabled);
        let table = [
            (custom(), None, own, Origin::Account),
            (custom(), set(), own, Origin::Account),
            (custom(), off(), own, Origin::Account),
            (MessageState::Default, None, Some(ours), Origin::BuiltIn),
            (MessageState::Default, set(), tenants, Origin::ChatSettings),
            (MessageState::Default, off(), None, Origin::ChatSettings),
            (MessageState::Disabled, None, None, Origin::Account),
            (MessageState::Disabled, set(), None, Origin::Account),
            (MessageState::Disabled, off(), None, Origin::Account),
        ];
        for (state, message, expected, origin) in table {
            let settings = settings(message);
            assert_eq!(
                resolve(event, &state, &settings),
                Effective { text: expected, origin },
                "{state:?} {settings:?}"
            );
        }
    }

    #[test]
    fn long_timeouts_put_messages_outside_the_window() {
        let late = |timeout: Option<&str>| {
            let messenger = timeout.map(|timeout| timeout.parse().expect("a timeout"));
            let windows = undeliverable(&Timeouts { messenger, ..Timeouts::default() });
            windows.into_iter().map(|window| window.event.id()).collect::<Vec<_>>()
        };
        assert!(late(None).is_empty());
        assert!(late(Some("23h 59m")).is_empty());
        assert_eq!(late(Some("24h")), ["inactivity-timeout"]);
        assert_eq!(late(Some("47h")), ["inactivity-timeout"]);
        assert_eq!(late(Some("48h")), ["inactivity-warning", "inactivity-timeout"]);
    }

    #[test]
    fn default_is_not_written_down() {
        let event: Event = "agent-left".parse().expect("an event");
        let mut messages = AccountMessages::default();
        messages.set(event, MessageState::Disabled);
        assert!(!messages.is_default());
        messages.set(event, MessageState::Default);
        assert!(messages.is_default());
    }
}
