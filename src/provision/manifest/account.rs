//! One account of a manifest, merged with the `defaults`.

use std::collections::BTreeMap;
use std::path::Path;

use super::keys::{ACCOUNT, APP, DEFAULTS, WEBHOOK};
use super::node::{Entry, Node, Value};
use super::place::{At, shown};
use super::reader::{Reader, Spot};
use super::{Source, source, texts};
use crate::accounts::{AppId, CallbackUrl, Handle, Name, PageId, PageUsername};
use crate::channel::Channel;
use crate::document::nearest;
use crate::messages::{Event, MessageState};
use crate::provision::subscription::webhook;

/// The keys that `defaults` can set.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    pub channel: Option<Spot<Channel>>,
    pub app_id: Option<Spot<AppId>>,
    pub app_secret: Option<Spot<Source>>,
    pub callback_url: Option<Spot<CallbackUrl>>,
    pub verify_token: Option<Spot<Source>>,
    pub fields: Option<Spot<Vec<String>>>,
    pub messages: BTreeMap<Event, Spot<MessageState>>,
}

/// An account as written, merged with its file's `defaults`.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub at: At,
    pub name: Option<Spot<Name>>,
    pub handle: Option<Spot<Handle>>,
    pub page_username: Option<Spot<PageUsername>>,
    pub page_id: Option<Spot<PageId>>,
    pub token: Option<Spot<Source>>,
    pub shared: Shared,
}

impl Shared {
    /// Reads the `defaults` of a file.
    pub fn read(reader: &mut Reader<'_>, node: &Node, directory: &Path) -> Self {
        let mut shared = Self::default();
        for entry in reader.known("defaults", node, &DEFAULTS).unwrap_or_default() {
            shared.take(reader, entry, directory);
        }
        shared
    }

    /// Reads one of the keys that accounts and `defaults` share.
    fn take(&mut self, reader: &mut Reader<'_>, entry: &Entry, directory: &Path) {
        let Entry { key, value, .. } = entry;
        match key.as_str() {
            "type" => self.channel = Some(channel(reader, value)),
            "app" => {
                for Entry { key, value, .. } in reader.known(key, value, &APP).unwrap_or_default() {
                    match key.as_str() {
                        "id" => self.app_id = Some(reader.field(key, value)),
                        "secret" => self.app_secret = Some(source::read(reader, key, value, directory)),
                        _ => {}
                    }
                }
            }
            "webhook" => {
                for Entry { key, value, .. } in reader.known(key, value, &WEBHOOK).unwrap_or_default() {
                    match key.as_str() {
                        "callback_url" => self.callback_url = Some(callback_url(reader, value)),
                        "verify_token" => self.verify_token = Some(verify_token(reader, value, directory)),
                        "fields" => self.fields = Some(fields(reader, value)),
                        _ => {}
                    }
                }
            }
            "messages" => self.messages = texts::of_account(reader, value),
            _ => {}
        }
    }

    /// Fills in the keys that only `defaults` have.
    fn over(mut self, defaults: &Self) -> Self {
        self.channel = self.channel.or_else(|| defaults.channel.clone());
        self.app_id = self.app_id.or_else(|| defaults.app_id.clone());
        self.app_secret = self.app_secret.or_else(|| defaults.app_secret.clone());
        self.callback_url = self.callback_url.or_else(|| defaults.callback_url.clone());
        self.verify_token = self.verify_token.or_else(|| defaults.verify_token.clone());
        self.fields = self.fields.or_else(|| defaults.fields.clone());
        for (event, state) in &defaults.messages {
            self.messages.entry(*event).or_insert_with(|| state.clone());
        }
        self
    }
}

impl Draft {
    /// Reads an account; `None` if it is not one.
    pub fn read(reader: &mut Reader<'_>, node: &Node, defaults: &Shared, directory: &Path) -> Option<Self> {
        if !matches!(node.value, Value::Mapping(_) | Value::Unusable) {
            reader.wrong(node.at, "an account is a mapping: '- name: …', and its other keys below the name");
        }
        let Value::Mapping(_) = &node.value else { return None };
        let entries = reader.known("accounts", node, &ACCOUNT)?;
        let mut draft = Self { at: node.at, ..Self::default() };
        for entry in entries {
            let Entry { key, value, .. } = entry;
            match key.as_str() {
                "name" => draft.name = Some(reader.field(key, value)),
                "handle" => draft.handle = Some(reader.field(key, value)),
                "page_username" => draft.page_username = Some(page_username(reader, value)),
                "page_id" => draft.page_id = Some(reader.field(key, value)),
                "token" => draft.token = Some(source::read(reader, key, value, directory)),
                _ => draft.shared.take(reader, entry, directory),
            }
        }
        let misspelt = |entry: &Entry| {
            !ACCOUNT.keys.contains(&entry.key.as_str())
                && nearest(&entry.key, ACCOUNT.keys.iter().copied()) == Some("name")
        };
        if draft.name.is_none() && !entries.iter().any(misspelt) {
            reader.missing(node.at, "'name', which every account needs");
        }
        let own = draft.shared.app_secret.is_some();
        draft.shared = draft.shared.over(defaults);
        draft.check_app(reader, own);
        Some(draft)
    }

    /// Meta identifies an app by its id; a secret without it is useless.
    fn check_app(&self, reader: &mut Reader<'_>, own: bool) {
        let (Some(secret), None) = (&self.shared.app_secret, &self.shared.app_id) else { return };
        if own {
            reader.wrong(secret.at, "an app secret without the id of its app: write app: {id: \"…\", secret: …}");
        } else {
            let line = secret.at.line;
            let message = format!(
                "the app secret of 'defaults' (line {line}) has no app id here: give app.id below 'defaults' or in this account"
            );
            reader.wrong(self.at, message);
        }
    }
}

fn channel(reader: &mut Reader<'_>, node: &Node) -> Spot<Channel> {
    let value = reader.text("type", node).and_then(|text| {
        if let Ok(channel) = text.parse() {
            return Some(channel);
        }
        let known = Channel::ALL.map(Channel::id);
        let near = nearest(&text.to_lowercase(), known.into_iter());
        let known = known.join(", ");
        let message = format!("{} is not a valid type of account: only {known} can be connected today", shown(text));
        reader.wrong_near(node.at, message, near);
        None
    });
    Spot { at: node.at, value }
}

fn page_username(reader: &mut Reader<'_>, node: &Node) -> Spot<PageUsername> {
    let spot = reader.field::<PageUsername>("page_username", node);
    if let Some((name, doubt)) = spot.value.as_ref().and_then(|name| Some((name, name.doubt()?))) {
        reader.doubt(node.at, &doubt, name.as_str());
    }
    spot
}

fn callback_url(reader: &mut Reader<'_>, node: &Node) -> Spot<CallbackUrl> {
    let spot = reader.field::<CallbackUrl>("callback_url", node);
    if let Some((url, doubt)) = spot.value.as_ref().and_then(|url| Some((url, url.doubt()?))) {
        reader.doubt(node.at, &doubt, url.as_str());
    }
    spot
}

fn verify_token(reader: &mut Reader<'_>, node: &Node, directory: &Path) -> Spot<Source> {
    const GENERATE: &str = "generate";
    if let Value::Text(text) = &node.value {
        if text == GENERATE {
            return Spot { at: node.at, value: Some(Source::Generate) };
        }
        // The text is not quoted: it may be the token.
        let near = nearest(text, std::iter::once(GENERATE));
        let message = "a secret must not be in a file: 'verify_token' is generate, or says where the token is: {env: NAME}, {file: PATH}, {keyring: SERVICE/USER}, {vault: PATH#FIELD} or {command: [PROGRAM, ARGUMENT]}";
        reader.wrong_near(node.at, message, near);
        return Spot { at: node.at, value: None };
    }
    source::read(reader, "verify_token", node, directory)
}

/// The known field that was probably meant.
fn misspelt(field: &str) -> Option<&'static str> {
    // Meta's new fields are often longer forms of others; a typing error is not.
    const SLIP: usize = 2;
    let of = |channel| webhook(channel).fields.iter().chain(webhook(channel).others).copied();
    let known = || Channel::ALL.into_iter().flat_map(of);
    if known().any(|known| known == field) {
        return None;
    }
    known().find(|known| strsim::osa_distance(known, field) <= SLIP)
}

fn fields(reader: &mut Reader<'_>, node: &Node) -> Spot<Vec<String>> {
    let wrong = Spot { at: node.at, value: None };
    let Some(items) = reader.list("fields", node) else { return wrong };
    if items.is_empty() {
        reader.wrong(node.at, "'fields' is empty: omit the key to keep them as they are");
        return wrong;
    }
    let mut fields: Vec<String> = Vec::new();
    let mut sound = true;
    for item in items {
        let Some(text) = reader.text("fields", item) else {
            sound = false;
            continue;
        };
        let word = !text.is_empty() && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if !word {
            let message =
                format!("{} is not a valid webhook field: small letters, digits and '_', as in messages", shown(text));
            reader.wrong(item.at, message);
        } else if fields.iter().any(|known| known == text) {
            reader.wrong(item.at, format!("the field {} is given twice", shown(text)));
        } else {
            if let Some(near) = misspelt(text) {
                let doubt = format!("'{text}' is not a known webhook field of Messenger; did you mean '{near}'?");
                reader.doubt(item.at, &doubt, text);
            }
            fields.push(text.to_owned());
            continue;
        }
        sound = false;
    }
    Spot { at: node.at, value: sound.then_some(fields) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{good, mistakes, of_account};

    #[test]
    fn values_are_refused_in_the_words_of_their_fields() {
        for (lines, part) in [
            ("handle: Acme", "'Acme' is not a handle"),
            ("type: facebok", "only facebook can be connected today; did you mean 'facebook'?"),
            ("type: whatsapp", "'whatsapp' is not a valid type of account"),
            ("page_username: a b", "'a b' is not a page username"),
            ("page_id: acme", "'acme' is not a page id"),
            ("page_id: 109876543210987", "this is a number to YAML: write it in quotes"),
            ("page_id: ~", "'page_id' has no value: omit the key"),
            ("page_id: [1]", "'page_id' is a text"),
            ("app: {id: '12'}", "'12' is not an app id"),
            ("app: {secret: {env: X}}", "an app secret without the id of its app"),
            ("app: x", "'app' is a mapping"),
            ("app:", "'app' has no value"),
            ("webhook: {callback_url: example.com}", "'example.com' is not a URL"),
            ("webhook: {fields: []}", "'fields' is empty"),
            ("webhook: {fields: messages}", "'fields' is a list"),
            ("webhook: {fields: [Messages]}", "'Messages' is not a valid webhook field"),
            ("webhook: {fields: [messages, messages]}", "'messages' is given twice"),
            ("callback_url: x", "it belongs below 'webhook'"),
            ("page_access_token: x", "did you mean 'token'?"),
        ] {
            assert!(of_account(lines).contains(part), "{lines}: {}", of_account(lines));
        }
        let long = of_account(&format!("page_id: {}", "acme ".repeat(40)));
        assert!(long.chars().count() < 260 && !long.contains(&"acme ".repeat(13)), "{long}");
    }

    #[test]
    fn a_name_is_needed_and_not_asked_for_where_it_is_misspelt() {
        assert_eq!(
            mistakes("version: 1\naccounts:\n  - handle: a\n"),
            ["3:5: missing: 'name', which every account needs"]
        );
        assert_eq!(mistakes("version: 1\naccounts: [{nmae: A}]\n").len(), 1);
        assert!(mistakes("version: 1\naccounts: [{name: No}]\n")[0].contains("true or false to YAML"));
        assert!(mistakes("version: 1\naccounts: [Acme]\n")[0].contains("an account is a mapping"));
    }

    #[test]
    fn a_mistake_in_defaults_is_said_once_at_its_place() {
        let text = "version: 1\ndefaults:\n  app: {id: x, secret: {env: X}}\naccounts: [{name: A}, {name: B}]\n";
        let found = mistakes(text);
        assert_eq!((found.len(), &found[0][..5]), (1, "3:13:"), "{found:?}");
        let without = text.replace("id: x, ", "").replace("{name: B}", "{name: B, app: {id: '12345'}}");
        let found = mistakes(&without);
        assert_eq!((found.len(), &found[0][..5]), (1, "4:12:"), "{found:?}");
        assert!(found[0].contains("(line 3)"), "{found:?}");
    }

    #[test]
    fn a_slip_in_a_webhook_field_is_a_doubt() {
        let doubts = |field: &str| {
            let text = format!("version: 1\naccounts:\n  - name: A\n    webhook: {{fields: [messages, {field}]}}\n");
            good(&text).doubts.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let found = doubts("mesaging_postbacks");
        assert!(found[0].starts_with("a.yaml:4:34:") && found[0].contains("'messaging_postbacks'"), "{found:?}");
        assert!(doubts("feed").is_empty() && doubts("messaging_postbacks").is_empty());
    }

    #[test]
    fn what_is_odd_is_a_doubt() {
        let text =
            "version: 1\naccounts: [{name: A, page_username: abc, webhook: {callback_url: 'http://example.com'}}]\n";
        let doubts = good(text).doubts;
        assert_eq!(doubts.len(), 2, "{doubts:?}");
    }
}
