//! One file of a manifest.

use std::collections::BTreeMap;

use super::account::{Draft, Shared};
use super::keys::{CHAT_SETTINGS, TIMEOUTS, TOP};
use super::node::{self, Entry, Node, Value};
use super::place::At;
use super::reader::{Reader, Spot};
use super::scalar::Plain;
use super::{LIMIT, Text, texts};
use crate::accounts::TenantName;
use crate::messages::{ChatText, Event, Timeout};

/// The content of a file, each value with its place.
#[derive(Debug, Default)]
pub(super) struct File {
    pub tenant: Option<Spot<TenantName>>,
    /// In the order of [`TIMEOUTS`].
    pub timeouts: [Option<Spot<Timeout>>; 4],
    pub texts: BTreeMap<Event, Spot<Option<ChatText>>>,
    pub accounts: Vec<Draft>,
}

/// The version of the format that this reader knows.
const VERSION: u64 = 1;

impl File {
    /// Reads the file with this number.
    pub fn read(reader: &mut Reader<'_>, number: usize, text: &Text<'_>) -> Self {
        let top = At { file: number, line: 1, column: 1 };
        if text.text.len() as u64 > LIMIT {
            reader.wrong(top, format!("the file has more than {} MiB: split it", LIMIT >> 20));
            return Self::default();
        }
        let (root, wrong) = node::read(number, text.text);
        let entries = match root.as_deref() {
            Some(Node { value: Value::Mapping(entries), .. }) => entries.as_slice(),
            _ => &[],
        };
        let version = entries.iter().find(|entry| entry.key == "version").map(|entry| version(&entry.value));
        if let Some(Err(Version::Newer(at, newer))) = version {
            reader.wrong(at, format!("version {newer} of the manifest is newer than this msgrctl, which knows {VERSION}: use a newer msgrctl"));
            return Self::default();
        }
        for (at, message) in wrong {
            reader.wrong(at, message);
        }
        let Some(root) = root else { return Self::default() };
        let mut file = Self::default();
        match &root.value {
            Value::Mapping(_) => file.take(reader, &root, text),
            Value::Unusable => {}
            Value::Word(_, Plain::Nothing) => {
                reader.wrong(root.at, "the file is empty: a manifest begins with 'version: 1'");
            }
            _ => reader.wrong(root.at, "a manifest is a mapping: it begins with 'version: 1'"),
        }
        file
    }

    fn take(&mut self, reader: &mut Reader<'_>, root: &Node, text: &Text<'_>) {
        let Some(entries) = reader.known("manifest", root, &TOP) else { return };
        let key = |key: &str| entries.iter().find(|entry| entry.key == key).map(|entry| &*entry.value);
        match key("version").map(version) {
            Some(Err(Version::Unknown(at) | Version::Newer(at, _))) => {
                reader.wrong(at, format!("'version' is {VERSION}, without quotes"));
            }
            Some(Ok(())) => {}
            None => reader.missing(root.at, "'version': put 'version: 1' at the top of the file"),
        }
        if let Some(node) = key("tenant") {
            self.tenant = Some(reader.field("tenant", node));
        }
        if let Some(node) = key("chat_settings") {
            self.take_chat_settings(reader, node);
        }
        let defaults = key("defaults").map(|node| Shared::read(reader, node, text.directory)).unwrap_or_default();
        if let Some(node) = key("accounts") {
            for item in reader.list("accounts", node).unwrap_or_default() {
                self.accounts.extend(Draft::read(reader, item, &defaults, text.directory));
            }
        }
    }

    fn take_chat_settings(&mut self, reader: &mut Reader<'_>, node: &Node) {
        for Entry { key, value, .. } in reader.known("chat_settings", node, &CHAT_SETTINGS).unwrap_or_default() {
            if let Some(at) = TIMEOUTS.iter().position(|name| name == key) {
                self.timeouts[at] = Some(timeout(reader, key, value));
            } else if key == "messages" {
                self.texts = texts::of_chat_settings(reader, value);
            }
        }
    }
}

/// Why a version is not accepted.
enum Version {
    Newer(At, u64),
    Unknown(At),
}

fn version(node: &Node) -> Result<(), Version> {
    match &node.value {
        Value::Word(word, Plain::Number) => match word.parse::<u64>() {
            Ok(VERSION) => Ok(()),
            Ok(newer) if newer > VERSION => Err(Version::Newer(node.at, newer)),
            _ => Err(Version::Unknown(node.at)),
        },
        _ => Err(Version::Unknown(node.at)),
    }
}

fn timeout(reader: &mut Reader<'_>, key: &str, node: &Node) -> Spot<Timeout> {
    if let Value::Word(_, Plain::Number) = &node.value {
        reader.wrong(node.at, format!("'{key}' is a length of time with its unit, as in 10m or 30s"));
        return Spot { at: node.at, value: None };
    }
    let mut spot = reader.field::<Timeout>(key, node);
    if let Some(value) = spot.value
        && key != "agent_ramp_up"
        && !value.is_whole_minutes()
    {
        reader.wrong(node.at, format!("'{key}': {value} is not whole minutes, the contact centre's unit"));
        spot.value = None;
    }
    spot
}

#[cfg(test)]
mod tests {
    use super::super::tests::{good, mistakes};

    #[test]
    fn the_version_is_needed_and_a_newer_one_ends_it() {
        assert_eq!(mistakes("accounts: []\n"), ["1:1: missing: 'version': put 'version: 1' at the top of the file"]);
        for wrong in ["0", "'1'", "one", "1.0", "null", "[1]"] {
            assert_eq!(mistakes(&format!("version: {wrong}\n")), ["1:10: 'version' is 1, without quotes"], "{wrong}");
        }
        let newer = mistakes("version: 2\nunheard: of\nunheard: of\n");
        assert_eq!(newer.len(), 1);
        assert!(newer[0].starts_with("1:10: version 2 of the manifest is newer than this msgrctl"), "{newer:?}");
        assert_eq!(good("{\"accounts\": [], \"version\": 1}"), good("version: 1"));
    }

    #[test]
    fn what_is_no_manifest_says_what_one_is() {
        for (text, part) in [
            ("", "the file is empty"),
            ("---\n", "the file is empty"),
            ("[1]", "a manifest is a mapping"),
            ("acme", "a manifest is a mapping"),
            ("version: 1\ntenant: Acme\n", "'Acme' is not a tenant's name"),
            ("version: 1\naccounts: {}\n", "'accounts' is a list"),
            ("version: 1\ndefaults:\n", "'defaults' has no value"),
            ("version: 1\ncallback_url: x\n", "it belongs below 'webhook'"),
        ] {
            let found = mistakes(text);
            assert!(found.len() == 1 && found[0].contains(part), "{text}: {found:?}");
        }
        let large = mistakes(&"#".repeat(8 * 1024 * 1024 + 1));
        assert_eq!(large, ["1:1: the file has more than 8 MiB: split it"]);
    }

    #[test]
    fn timeouts_are_lengths_of_time_in_the_units_of_the_contact_centre() {
        let settings = |text: &str| format!("version: 1\nchat_settings: {{{text}}}\n");
        assert!(good(&settings("agent_ramp_up: 5s, web_timeout: 1h 30m")).chat_settings.timeouts.web.is_some());
        for (text, part) in [
            ("web_timeout: 10", "a length of time with its unit"),
            ("web_timeout: 90s", "1m 30s is not whole minutes"),
            ("web_timeout: soon", "'soon' is not a length of time"),
            ("web_timeout: 40d", "out of range"),
            ("web_timout: 10m", "did you mean 'web_timeout'?"),
        ] {
            assert!(mistakes(&settings(text))[0].contains(part), "{text}: {:?}", mistakes(&settings(text)));
        }
    }
}
