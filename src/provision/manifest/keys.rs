//! The keys of each mapping: one list for the reader, its suggestions and the schema.

use crate::document::nearest;
use crate::messages::Event;

/// A mapping of the manifest, and its valid keys.
#[derive(Debug)]
pub(super) struct Level {
    /// Where its keys belong, in words.
    belongs: &'static str,
    pub keys: &'static [&'static str],
}

pub(super) const TOP: Level =
    Level { belongs: "at the top of the file", keys: &["version", "tenant", "chat_settings", "defaults", "accounts"] };

/// The four timeouts, in the order of their fields.
pub(in crate::provision) const TIMEOUTS: [&str; 4] =
    ["messenger_timeout", "web_timeout", "agent_ramp_up", "outbound_timeout"];

pub(super) const CHAT_SETTINGS: Level = Level {
    belongs: "below 'chat_settings'",
    keys: &["messenger_timeout", "web_timeout", "agent_ramp_up", "outbound_timeout", "messages"],
};

pub(super) const DEFAULTS: Level = Level { belongs: "below 'defaults'", keys: &["type", "app", "webhook", "messages"] };

pub(super) const ACCOUNT: Level = Level {
    belongs: "in an account",
    keys: &["name", "handle", "type", "page_username", "page_id", "token", "app", "webhook", "messages"],
};

pub(super) const APP: Level = Level { belongs: "below 'app'", keys: &["id", "secret"] };

pub(super) const WEBHOOK: Level =
    Level { belongs: "below 'webhook'", keys: &["callback_url", "verify_token", "fields"] };

pub(super) const MESSAGE: Level =
    Level { belongs: "in a message, as in {state: custom, text: …}", keys: &["state", "text"] };

pub(super) const REFERENCE: Level = Level {
    belongs: "in a reference, as in token: {env: NAME}",
    keys: &["env", "file", "keyring", "vault", "command", "store", "stored"],
};

/// Every level; the first ones are suggested first.
const LEVELS: [&Level; 8] = [&ACCOUNT, &APP, &WEBHOOK, &CHAT_SETTINGS, &DEFAULTS, &TOP, &MESSAGE, &REFERENCE];

/// Whether a key is valid anywhere in a manifest.
pub(super) fn stands_somewhere(key: &str) -> bool {
    LEVELS.iter().any(|level| level.keys.contains(&key)) || key.parse::<Event>().is_ok()
}

/// Names used in flags and in `--json`, with the manifest's key and level.
const CALLED: [(&str, &str, &Level); 9] = [
    ("page_access_token", "token", &ACCOUNT),
    ("access_token", "token", &ACCOUNT),
    ("page_token", "token", &ACCOUNT),
    ("username", "page_username", &ACCOUNT),
    ("app_id", "id", &APP),
    ("app_secret", "secret", &APP),
    ("callback", "callback_url", &WEBHOOK),
    ("url", "callback_url", &WEBHOOK),
    ("verifytoken", "verify_token", &WEBHOOK),
];

/// What to suggest for a key that its level does not have.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Instead {
    /// It is misspelt.
    Nearest(&'static str),
    /// It belongs elsewhere: in words.
    Elsewhere(String),
    Unknown,
}

impl Level {
    /// What was probably meant by a `key` that this level does not have.
    pub fn instead(&self, key: &str) -> Instead {
        let plain = key.to_lowercase().replace(['-', ' '], "_");
        if let Some(known) = self.keys.iter().find(|known| **known == plain) {
            return Instead::Nearest(known);
        }
        if let Some((_, known, level)) = CALLED.iter().find(|(called, _, _)| *called == plain) {
            return if self.keys.contains(known) {
                Instead::Nearest(known)
            } else {
                Instead::Elsewhere(format!("it is '{known}' {}", level.belongs))
            };
        }
        let homes: Vec<&str> =
            LEVELS.iter().filter(|level| level.keys.contains(&plain.as_str())).map(|level| level.belongs).collect();
        if !homes.is_empty() {
            return Instead::Elsewhere(format!("it belongs {}", homes.join(" or ")));
        }
        if key.parse::<Event>().is_ok() {
            return Instead::Elsewhere("it is a chat event and belongs below 'messages'".into());
        }
        nearest(key, self.keys.iter().copied()).map_or(Instead::Unknown, Instead::Nearest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_on_the_wrong_level_are_sent_to_theirs() {
        let elsewhere = |level: &Level, key: &str| match level.instead(key) {
            Instead::Elsewhere(words) => words,
            other => panic!("{key}: {other:?}"),
        };
        assert_eq!(elsewhere(&ACCOUNT, "callback_url"), "it belongs below 'webhook'");
        assert_eq!(elsewhere(&ACCOUNT, "app_id"), "it is 'id' below 'app'");
        assert_eq!(elsewhere(&ACCOUNT, "messenger_timeout"), "it belongs below 'chat_settings'");
        assert_eq!(elsewhere(&TOP, "app"), "it belongs in an account or below 'defaults'");
        assert_eq!(elsewhere(&DEFAULTS, "name"), "it belongs in an account");
        assert!(elsewhere(&ACCOUNT, "session-ended").contains("below 'messages'"));
        assert_eq!(ACCOUNT.instead("page_access_token"), Instead::Nearest("token"));
        assert_eq!(ACCOUNT.instead("Page-ID"), Instead::Nearest("page_id"));
        assert_eq!(ACCOUNT.instead("nmae"), Instead::Nearest("name"));
        assert_eq!(TOP.instead("xyzzy"), Instead::Unknown);
    }
}
