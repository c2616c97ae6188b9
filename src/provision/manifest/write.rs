//! Writes a manifest of existing accounts; reading it gives the same again.

use std::fmt::Write as _;

use serde_json::{Map, Value, json as value};

use super::keys::TIMEOUTS;
use super::scalar::Plain;
use crate::accounts::{Account, TenantName};
use crate::messages::{ChatSettings, ChatText, Event, MessageState};
use crate::secrets::{SecretKind, SecretRef, StoreName};
use crate::text::{is_control, is_runner_command, is_unseen};

/// What to write.
#[derive(Clone, Copy, Debug)]
pub struct Exported<'e> {
    /// The tenant.
    pub tenant: Option<&'e TenantName>,
    /// Its Chat Settings.
    pub chat_settings: &'e ChatSettings,
    /// Its accounts, in order.
    pub accounts: &'e [Account],
}

const HEADER: &str = "\
# A manifest of msgrctl: the accounts of a tenant, their messages, and the chat settings.
# 'msgrctl plan -f' and this file shows what differs from what is there; what the file does
# not name is left as it is.
#
# It says where each secret is and holds none. {stored: true} is a secret that the account
# has on this machine: on another one, write where it is there, as in {env: NAME},
# {file: PATH}, {keyring: SERVICE/USER}, {vault: PATH#FIELD} or {command: [PROGRAM, ARGUMENT]}.
#
# Webhook fields are kept at Meta and are not in here. To have 'msgrctl apply' subscribe, add
# below 'webhook', or once in 'defaults':  fields: [messages, messaging_postbacks]
";

/// The keys whose values are written as blocks.
const BLOCKS: [&str; 4] = ["chat_settings", "app", "webhook", "messages"];

/// The manifest as YAML.
pub fn write(exported: &Exported<'_>) -> String {
    let mut text = String::from(HEADER);
    block(&mut text, &top(exported), 0, &|_| None);
    text.push_str(if exported.accounts.is_empty() { "accounts: []\n" } else { "accounts:\n" });
    for account in exported.accounts {
        let begun = text.len();
        block(&mut text, &self::account(account), 4, &|key| remark(account, key));
        // The first line begins the list item.
        text.replace_range(begun + 2..begun + 3, "-");
    }
    text
}

/// The manifest as JSON.
pub fn json(exported: &Exported<'_>) -> Value {
    let mut top = top(exported);
    top.insert("accounts".into(), exported.accounts.iter().map(|found| Value::Object(account(found))).collect());
    Value::Object(top)
}

/// Everything but the accounts.
fn top(exported: &Exported<'_>) -> Map<String, Value> {
    let mut top = Map::new();
    top.insert("version".into(), 1.into());
    top.extend(exported.tenant.map(|tenant| ("tenant".to_owned(), tenant.as_str().into())));
    let ChatSettings { timeouts, messages } = exported.chat_settings;
    let known = TIMEOUTS.into_iter().zip(timeouts.all());
    let known = known.filter_map(|(key, timeout)| Some((key.to_owned(), timeout?.to_string().into())));
    let mut settings: Map<String, Value> = known.collect();
    let texts: Map<String, Value> = messages
        .iter()
        .map(|(event, text)| {
            let text = match text {
                // With a state, since a bare text could be taken for one.
                ChatText::Custom(text) => value!({"state": "custom", "text": text}),
                ChatText::Disabled => "disabled".into(),
            };
            (event.id().to_owned(), text)
        })
        .collect();
    insert(&mut settings, "messages", texts);
    insert(&mut top, "chat_settings", settings);
    top
}

pub(super) fn account(account: &Account) -> Map<String, Value> {
    let mut all = Map::new();
    all.insert("name".into(), account.name.as_str().into());
    all.insert("handle".into(), account.handle.as_str().into());
    all.insert("type".into(), account.channel.id().into());
    all.insert("page_username".into(), account.page_username.as_str().into());
    all.insert("page_id".into(), account.page_id.as_str().into());
    let secret = |kind| account.secrets.get(&kind).map(reference);
    all.extend(secret(SecretKind::PageAccessToken).map(|token| ("token".to_owned(), token)));
    // A secret without its app's id is useless, and is refused when the manifest is read.
    if let Some(id) = &account.app_id {
        let mut app = Map::from_iter([("id".to_owned(), id.as_str().into())]);
        app.extend(secret(SecretKind::AppSecret).map(|secret| ("secret".to_owned(), secret)));
        insert(&mut all, "app", app);
    }
    let mut webhook = Map::new();
    webhook.extend(account.callback_url.as_ref().map(|url| ("callback_url".to_owned(), url.as_str().into())));
    webhook.extend(secret(SecretKind::VerifyToken).map(|token| ("verify_token".to_owned(), token)));
    insert(&mut all, "webhook", webhook);
    let state = |event: Event| match account.messages.state(event) {
        MessageState::Default => None,
        MessageState::Disabled => Some((event.id().to_owned(), "disabled".into())),
        MessageState::Custom(text) => Some((event.id().to_owned(), value!({"state": "custom", "text": text}))),
    };
    insert(&mut all, "messages", Event::all().filter_map(state).collect());
    all
}

/// Adds a mapping unless it is empty.
fn insert(to: &mut Map<String, Value>, key: &str, map: Map<String, Value>) {
    if !map.is_empty() {
        to.insert(key.into(), map.into());
    }
}

fn reference(reference: &SecretRef) -> Value {
    match reference {
        SecretRef::Stored(_) => value!({"stored": true}),
        SecretRef::Variable(name) => value!({"env": name}),
        SecretRef::File(path) => value!({"file": path.to_string_lossy()}),
        SecretRef::Keyring { service, user } => value!({"keyring": format!("{service}/{user}")}),
        SecretRef::Vault { path, field } => value!({"vault": format!("{path}#{field}")}),
        SecretRef::Command(words) => value!({"command": words}),
    }
}

/// The comment after a secret that is in a store of this machine.
pub(super) fn remark(account: &Account, key: &str) -> Option<String> {
    let kind = match key {
        "token" => SecretKind::PageAccessToken,
        "secret" => SecretKind::AppSecret,
        "verify_token" => SecretKind::VerifyToken,
        _ => return None,
    };
    let place = match account.secrets.get(&kind)?.store()? {
        StoreName::Keyring => "in the keyring".to_owned(),
        StoreName::File => "in the encrypted file".into(),
        StoreName::Vault => "in Vault".into(),
        StoreName::Memory => "in memory".into(),
        StoreName::Env => return Some(format!("in the variable {}", account.key(kind).variable())),
    };
    Some(format!("{place}; on another machine: {{env: NAME}}"))
}

/// One line for each key, indented by `indent` spaces.
pub(super) fn block(
    text: &mut String,
    map: &Map<String, Value>,
    indent: usize,
    remark: &dyn Fn(&str) -> Option<String>,
) {
    for (key, value) in map {
        text.extend(std::iter::repeat_n(' ', indent));
        text.push_str(key);
        text.push(':');
        match value {
            Value::Object(below) if BLOCKS.contains(&key.as_str()) => {
                text.push('\n');
                block(text, below, indent + 2, remark);
                continue;
            }
            _ => text.push(' '),
        }
        // Written as Display writes it: digits, units and spaces.
        match value {
            Value::String(time) if key.ends_with("_timeout") || key == "agent_ramp_up" => text.push_str(time),
            value => flow(text, value),
        }
        if let Some(remark) = remark(key) {
            text.push_str(" # ");
            text.push_str(&remark);
        }
        text.push('\n');
    }
}

/// A value on one line.
fn flow(text: &mut String, value: &Value) {
    let separate = |text: &mut String, at: usize| text.push_str(if at == 0 { "" } else { ", " });
    match value {
        Value::String(string) => scalar(text, string),
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                separate(text, at);
                flow(text, item);
            }
            text.push(']');
        }
        Value::Object(map) => {
            text.push('{');
            for (at, (key, value)) in map.iter().enumerate() {
                separate(text, at);
                text.push_str(key);
                text.push_str(": ");
                flow(text, value);
            }
            text.push('}');
        }
        other => text.push_str(&other.to_string()),
    }
}

/// A text: bare if every YAML reader takes it for one, else in double quotation marks, with
/// escapes that YAML 1.1 and 1.2 share.
pub(super) fn scalar(text: &mut String, string: &str) {
    let plain = |c: char| c.is_alphanumeric() && !is_unseen(c) || matches!(c, ' ' | '.' | '_' | '/' | '@' | '-');
    let harmless = string.starts_with(char::is_alphabetic) && string.chars().all(plain) && !string.ends_with(' ');
    if harmless && Plain::of(string) == Plain::Text {
        text.push_str(string);
        return;
    }
    text.push('"');
    for (at, c) in string.char_indices() {
        match (c, u32::from(c)) {
            ('"' | '\\', _) => text.extend(['\\', c]),
            ('\n', _) => text.push_str("\\n"),
            ('\t', _) => text.push_str("\\t"),
            (_, code)
                if is_control(c) || is_unseen(c) || is_runner_command(&string[at..]) || code & 0xfffe == 0xfffe =>
            {
                // Writing to memory cannot fail.
                let _ = if code > 0xffff { write!(text, "\\U{code:08x}") } else { write!(text, "\\u{code:04x}") };
            }
            _ => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use proptest::prelude::*;

    use super::super::{Source, Text, Wanted, read};
    use super::*;
    use crate::accounts::{Handle, Realm};
    use crate::channel::Channel;
    use crate::messages::{AccountMessages, MessageText, Timeout, Timeouts};
    use crate::text::in_json;

    fn read_back(text: &str) -> super::super::Manifest {
        let text = Text { file: "export.yaml", directory: Path::new("/elsewhere"), text };
        read(&[text]).unwrap_or_else(|mistakes| panic!("{mistakes:#?}\n{}", text.text))
    }

    fn message() -> impl Strategy<Value = MessageText> {
        let odd =
            "[ \t\na-z:#,{}\\[\\]&*!|>'\"%@`~?<=\\\\\u{85}\u{a0}\u{2028}\u{feff}\u{202e}\u{e000}\u{fffe}😀é-]{1,20}";
        let text = prop_oneof![odd, "\\PC{1,30}", "disabled|Default|no|null|1|2026-01-02|\\.\\.\\.|---"];
        text.prop_filter_map("a text", |text| text.parse().ok())
    }

    fn a_reference() -> impl Strategy<Value = SecretRef> {
        prop_oneof![
            prop::sample::select(&StoreName::ALL[..]).prop_map(SecretRef::Stored),
            "[A-Z_]{1,12}".prop_map(SecretRef::Variable),
            "/[a-z #:'\"]{1,12}/x".prop_map(|path| SecretRef::File(path.into())),
            ("[a-z]{8,10}", "[a-z/ :]{1,8}x").prop_map(|(service, user)| SecretRef::Keyring { service, user }),
            ("[a-z]{2,9}/[a-z]{1,5} ?[a-z:']{1,5}", "[a-z_]{2,9}")
                .prop_map(|(path, field)| SecretRef::Vault { path, field }),
            prop::collection::vec("[a-z:/ '\"#,]{0,9}", 1..4).prop_map(|mut words| {
                words[0] = "op".into();
                SecretRef::Command(words)
            }),
        ]
    }

    fn an_account() -> impl Strategy<Value = Account> {
        let name = prop_oneof!["\\PC{1,20}", "yes|No|~|1e3|2026-01-02|- a|a: b|a #b|'a'|\"a|@a|%a|Müller & Söhne"]
            .prop_filter_map("a name", |name| name.parse().ok());
        let name = (name, "[a-z0-9][a-z0-9._-]{0,12}");
        let page = ("[a-zA-Z0-9._-]{5,12}", "[0-9]{5,20}");
        let url = "https://example\\.com/[a-z?&=%#]{0,12}".prop_filter_map("a URL", |url| url.parse().ok());
        let rest = (prop::option::of("[0-9]{5,20}"), prop::option::of(url), prop::bool::ANY);
        let secrets = prop::collection::vec(prop::option::of(a_reference()), 3);
        let messages = prop::collection::vec(prop::option::of(prop::option::of(message())), 5);
        (name, page, rest, secrets, messages).prop_map(|(name, page, (app_id, callback_url, _), secrets, states)| {
            let mut messages = AccountMessages::default();
            for (event, state) in Event::all().zip(states) {
                match state {
                    Some(Some(text)) => messages.set(event, MessageState::Custom(text)),
                    Some(None) => messages.set(event, MessageState::Disabled),
                    None => {}
                }
            }
            let mut secrets: BTreeMap<SecretKind, SecretRef> = SecretKind::IN_MANIFEST
                .into_iter()
                .zip(secrets)
                .filter_map(|(kind, place)| Some((kind, place?)))
                .collect();
            if app_id.is_none() {
                secrets.remove(&SecretKind::AppSecret);
            }
            Account {
                id: "id".into(),
                handle: name.1.parse().expect("a handle"),
                name: name.0,
                channel: Channel::Facebook,
                page_username: page.0.parse().expect("a username"),
                page_id: page.1.parse().expect("a page id"),
                page_name: None,
                app_id: app_id.map(|id| id.parse().expect("an app id")),
                callback_url,
                graph: Realm::Live,
                created_at: jiff::Timestamp::UNIX_EPOCH,
                updated_at: jiff::Timestamp::UNIX_EPOCH,
                messages,
                secrets,
            }
        })
    }

    fn the_same(account: &Account, wanted: &Wanted) {
        assert_eq!((&account.name, Some(&account.handle)), (&wanted.name, wanted.handle.as_ref()));
        assert_eq!(Some(&account.page_username), wanted.page_username.as_ref());
        assert_eq!(Some(&account.page_id), wanted.page_id.as_ref());
        assert_eq!((&account.app_id, &account.callback_url), (&wanted.app_id, &wanted.callback_url));
        let source = |kind| {
            account.secrets.get(&kind).map(|place| match place {
                SecretRef::Stored(_) => Source::Stored,
                place => Source::Reference(place.clone()),
            })
        };
        assert_eq!(source(SecretKind::PageAccessToken), wanted.token);
        assert_eq!(source(SecretKind::AppSecret), wanted.app_secret);
        assert_eq!(source(SecretKind::VerifyToken), wanted.verify_token);
        for event in Event::all() {
            assert_eq!(account.messages.state(event), wanted.messages.get(&event).cloned().unwrap_or_default());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_reads_back_as_the_same(account in an_account(), text in message(), minutes in 1..5000_u64) {
            let chat_settings = ChatSettings {
                timeouts: Timeouts { messenger: Some(Timeout::minutes(minutes)), ..Timeouts::default() },
                messages: BTreeMap::from([("session-ended".parse().expect("an event"), ChatText::Custom(text.clone()))]),
            };
            let tenant = "acme".parse().expect("a tenant");
            let accounts = [account];
            let exported = Exported { tenant: Some(&tenant), chat_settings: &chat_settings, accounts: &accounts };
            for written in [write(&exported), in_json(&json(&exported).to_string()).into_owned()] {
                let manifest = read_back(&written);
                prop_assert_eq!(manifest.tenant.as_ref(), Some(&tenant));
                prop_assert_eq!(manifest.chat_settings.timeouts.messenger, Some(Timeout::minutes(minutes)));
                let said = manifest.chat_settings.messages.into_values().next();
                prop_assert_eq!(said, Some(Some(ChatText::Custom(text.clone()))));
                the_same(&accounts[0], &manifest.accounts[0]);
            }
        }
    }

    fn plain_account(number: usize) -> Account {
        let name: crate::accounts::Name = format!("Acme {number}").parse().expect("a name");
        Account {
            id: number.to_string(),
            handle: Handle::slug(&name),
            name,
            channel: Channel::Facebook,
            page_username: "acme.support".parse().expect("a username"),
            page_id: (109_876_543_210_000 + number).to_string().parse().expect("a page id"),
            page_name: None,
            app_id: Some("123456789012345".parse().expect("an app id")),
            callback_url: Some("https://example.com/hook".parse().expect("a URL")),
            graph: Realm::Live,
            created_at: jiff::Timestamp::UNIX_EPOCH,
            updated_at: jiff::Timestamp::UNIX_EPOCH,
            messages: AccountMessages::default(),
            secrets: BTreeMap::from([
                (SecretKind::PageAccessToken, SecretRef::Stored(StoreName::Keyring)),
                (SecretKind::AppSecret, SecretRef::Stored(StoreName::Env)),
                (SecretKind::VerifyToken, SecretRef::Variable("ACME_VERIFY".into())),
            ]),
        }
    }

    #[test]
    fn a_manifest_as_people_read_it() {
        let mut account = plain_account(1);
        let bye = "Bye:\n\"you\"".parse().expect("a text");
        account.messages.set("session-ended".parse().expect("an event"), MessageState::Custom(bye));
        account.messages.set("agent-left".parse().expect("an event"), MessageState::Disabled);
        let chat_settings = ChatSettings {
            timeouts: Timeouts { messenger: Some(Timeout::minutes(90)), ..Timeouts::default() },
            messages: BTreeMap::new(),
        };
        let tenant = "acme".parse().expect("a tenant");
        let accounts = [account];
        let text = write(&Exported { tenant: Some(&tenant), chat_settings: &chat_settings, accounts: &accounts });
        let (header, body) = text.split_once("version:").expect("a version");
        assert!(header.lines().all(|line| line.starts_with('#')) && header.contains("msgrctl plan -f"), "{header}");
        let expected = r#" 1
tenant: acme
chat_settings:
  messenger_timeout: 1h 30m
accounts:
  - name: Acme 1
    handle: acme-1
    type: facebook
    page_username: acme.support
    page_id: "109876543210001"
    token: {stored: true} # in the keyring; on another machine: {env: NAME}
    app:
      id: "123456789012345"
      secret: {stored: true} # in the variable MSGRCTL_SECRET_ACME_1_APP_SECRET
    webhook:
      callback_url: "https://example.com/hook"
      verify_token: {env: ACME_VERIFY}
    messages:
      session-ended: {state: custom, text: "Bye:\n\"you\""}
      agent-left: disabled
"#;
        assert_eq!(body, expected);
    }

    #[test]
    fn ten_thousand_accounts_are_written_and_read_in_seconds() {
        let accounts: Vec<Account> = (0..10_000).map(plain_account).collect();
        let settings = ChatSettings::default();
        let begun = std::time::Instant::now();
        let text = write(&Exported { tenant: None, chat_settings: &settings, accounts: &accounts });
        assert_eq!(read_back(&text).accounts.len(), 10_000);
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    }

    #[test]
    fn an_empty_tenant_is_a_manifest_too() {
        let settings = ChatSettings::default();
        let exported = Exported { tenant: None, chat_settings: &settings, accounts: &[] };
        assert_eq!(read_back(&write(&exported)), read_back(&json(&exported).to_string()));
    }
}
