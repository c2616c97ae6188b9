//! Manifests: files that say which accounts a tenant should have. Reports all mistakes at once,
//! each with its place.
//!
//! A manifest is YAML or JSON and holds references to secrets, never a secret. Anything it does
//! not name stays as it is.

mod account;
mod discovered;
mod file;
mod keys;
mod node;
mod place;
mod reader;
mod scalar;
mod source;
mod texts;
mod whole;
mod write;

use std::collections::BTreeMap;
use std::path::Path;

use crate::accounts::{AppId, CallbackUrl, Handle, Name, PageId, PageUsername, TenantName};
use crate::channel::Channel;
use crate::messages::{ChatText, Event, MessageState, Timeouts};
use crate::secrets::{SecretRef, StoreName};

pub(crate) use discovered::{discovered, reason};
pub(super) use keys::TIMEOUTS;
pub use place::{Mistake, Place, escaped};
pub use write::{Exported, json, write};

/// The largest file, in bytes.
pub const LIMIT: u64 = 8 * 1024 * 1024;
/// The largest size of all files of a manifest together, in bytes.
pub const LIMIT_TOGETHER: u64 = 64 * 1024 * 1024;
/// The most files of a manifest.
pub const MOST_FILES: usize = 10_000;

/// A file that was read.
#[derive(Clone, Copy, Debug)]
pub struct Text<'t> {
    /// The file's name, as mistakes show it.
    pub file: &'t str,
    /// Its directory; relative paths start here.
    pub directory: &'t Path,
    /// Its content.
    pub text: &'t str,
}

/// The content of a manifest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifest {
    /// The tenant that it is for.
    pub tenant: Option<TenantName>,
    /// The tenant's Chat Settings.
    pub chat_settings: WantedSettings,
    /// The accounts, in the order of the files.
    pub accounts: Vec<Wanted>,
    /// Oddities that are not mistakes.
    pub doubts: Vec<Mistake>,
}

/// Chat Settings to apply; anything absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WantedSettings {
    /// The timeouts.
    pub timeouts: Timeouts,
    /// The texts; `None`: the built-in one.
    pub messages: BTreeMap<Event, Option<ChatText>>,
}

/// An account to apply, merged with the `defaults` of its file; anything absent stays as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Its place in the file.
    pub place: Place,
    /// Its name.
    pub name: Name,
    /// Its handle.
    pub handle: Option<Handle>,
    /// Its channel.
    pub channel: Channel,
    /// The Page's @username.
    pub page_username: Option<PageUsername>,
    /// The Page's id.
    pub page_id: Option<PageId>,
    /// Where the page access token is.
    pub token: Option<Source>,
    /// The Meta app; always set if there is an app secret.
    pub app_id: Option<AppId>,
    /// Where the app's secret is.
    pub app_secret: Option<Source>,
    /// Where Meta's events go.
    pub callback_url: Option<CallbackUrl>,
    /// What Meta repeats in the webhook handshake.
    pub verify_token: Option<Source>,
    /// The webhook fields: at least one, without duplicates.
    pub fields: Option<Vec<String>>,
    /// Its state for each event that is named.
    pub messages: BTreeMap<Event, MessageState>,
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// It stays in this place.
    Reference(SecretRef),
    /// Its value is copied from a place into one of msgrctl's stores, again when it differs.
    Copy {
        /// The place to copy from.
        from: SecretRef,
        /// The store.
        to: StoreName,
    },
    /// Where the account has it already.
    Stored,
    /// A verify token is generated if there is none.
    Generate,
}

/// Reads the files of a manifest. Reports every mistake of every file, ordered by file and line.
pub fn read(texts: &[Text<'_>]) -> Result<Manifest, Vec<Mistake>> {
    let mut reader = reader::Reader::new(texts.iter().map(|text| text.file).collect());
    let files = texts.iter().enumerate().map(|(number, text)| file::File::read(&mut reader, number, text)).collect();
    let manifest = whole::join(&mut reader, files);
    Ok(Manifest { doubts: reader.end()?, ..manifest })
}

/// A file of a manifest without mistakes as JSON, without comments; read again it says the same.
pub fn as_json(text: &str) -> serde_json::Value {
    node::read(0, text).0.map_or(serde_json::Value::Null, |root| root.json())
}

/// The JSON Schema of a manifest (draft 2020-12).
pub fn schema() -> &'static str {
    include_str!("manifest.schema.json")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::messages::{CATALOGUE, Timeout};

    pub(in crate::provision::manifest) fn one(text: &str) -> Text<'_> {
        Text { file: "a.yaml", directory: Path::new("/srv/acme"), text }
    }

    #[test]
    fn a_manifest_as_json_says_the_same_and_has_no_comments() {
        let text = r#"# a comment
version: 1
tenant: acme # another
chat_settings: {messenger_timeout: 10m, messages: {agent-left: "on"}}
defaults:
  app: &app {id: "123456789012345", secret: {file: secret.txt}}
  webhook: {callback_url: "https://example.com/m?code=1", verify_token: generate, fields: [messages]}
accounts:
  - name: "007"
    page_id: "109876543210987"
    page_username: acme.support
    token: {env: ACME_TOKEN, store: file}
    messages: {agent-joined: disabled, agent-left: default}
  - {name: Two, handle: two, app: *app, token: {stored: true}}
"#;
        let json = as_json(text);
        assert!(!json.to_string().contains("comment"));
        let of = |text: &str| {
            let mut manifest = good(text);
            for account in &mut manifest.accounts {
                account.place = Place { file: String::new(), line: 0, column: 0 };
            }
            (manifest.tenant, manifest.chat_settings, manifest.accounts)
        };
        assert_eq!(of(&json.to_string()), of(text));
        assert_eq!(of(&as_json(&json.to_string()).to_string()), of(text));
    }

    /// Reads a valid manifest.
    #[track_caller]
    pub(in crate::provision::manifest) fn good(text: &str) -> Manifest {
        read(&[one(text)]).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
    }

    /// The mistakes of a manifest as shown, without the file's name.
    #[track_caller]
    pub(in crate::provision::manifest) fn mistakes(text: &str) -> Vec<String> {
        let found = read(&[one(text)]).expect_err("mistakes");
        found.iter().map(|mistake| mistake.to_string().replace("a.yaml:", "")).collect()
    }

    /// The only mistake of an account with these lines, without its place.
    #[track_caller]
    pub(in crate::provision::manifest) fn of_account(lines: &str) -> String {
        let text = format!("version: 1\naccounts:\n  - name: Acme\n    {}\n", lines.replace('\n', "\n    "));
        let found = mistakes(&text);
        assert_eq!(found.len(), 1, "{found:#?}");
        found[0].splitn(3, ':').nth(2).expect("a message").trim().to_owned()
    }

    const WHOLE: &str = r#"
version: 1
tenant: acme
chat_settings:
  messenger_timeout: 10m
  agent_ramp_up: 5s
  messages: {session-ended: "Thank you.", agent-left: disabled, agent-joined: built-in}
defaults:
  app: {id: "123456789012345", secret: {env: ACME_APP_SECRET}}
  webhook: {fields: [messages, messaging_postbacks]}
  messages: {agent-left: disabled}
accounts:
  - name: Acme Support
    handle: acme-support
    type: facebook
    page_username: "@acmesupport"
    page_id: "109876543210987"
    token: {file: secrets/token, store: keyring}
    app: {secret: {stored: true}}
    webhook: {callback_url: "https://example.com/m", verify_token: generate}
    messages:
      agent-joined: {state: custom, text: "An agent is here."}
      session-ended: default
  - name: Acme Sales
    token: {command: [bin/secret, "a b"]}
    webhook: {verify_token: {keyring: acme/verify}, fields: [messages]}
"#;

    #[test]
    fn a_whole_manifest_is_read_and_defaults_are_merged_under_it() {
        let Manifest { tenant, chat_settings, accounts, doubts } = good(WHOLE);
        assert_eq!((tenant.expect("a tenant").as_str(), doubts.len()), ("acme", 0));
        assert_eq!(chat_settings.timeouts.messenger, Some(Timeout::minutes(10)));
        assert_eq!(chat_settings.timeouts.agent_ramp_up.map(Timeout::seconds), Some(5));
        assert_eq!(chat_settings.messages.len(), 3);
        let [support, sales] = &accounts[..] else { panic!("{accounts:#?}") };
        assert_eq!(support.place.to_string(), "a.yaml:13:5");
        assert_eq!(support.page_username.as_ref().map(PageUsername::as_str), Some("acmesupport"));
        let token = SecretRef::File("/srv/acme/secrets/token".into());
        assert_eq!(support.token, Some(Source::Copy { from: token, to: StoreName::Keyring }));
        assert_eq!(support.app_id.as_ref().map(AppId::as_str), Some("123456789012345"));
        assert_eq!(support.app_secret, Some(Source::Stored));
        assert_eq!(support.verify_token, Some(Source::Generate));
        assert_eq!(support.fields.as_ref().map(Vec::len), Some(2));
        assert_eq!(support.messages.len(), 3);
        assert_eq!(sales.app_secret, Some(Source::Reference(SecretRef::Variable("ACME_APP_SECRET".into()))));
        let command = [Path::new("/srv/acme").join("bin/secret").to_string_lossy().into_owned(), "a b".to_owned()];
        assert_eq!(sales.token, Some(Source::Reference(SecretRef::Command(command.to_vec()))));
        assert_eq!((sales.fields.as_ref().map(Vec::len), sales.messages.len()), (Some(1), 1));
    }

    #[test]
    fn what_is_shared_by_an_alias_is_read_for_each_and_its_mistake_said_once() {
        let text = "version: 1\naccounts:\n  - {name: A, app: &app {id: '12345', secret: {env: X}}}\n  - {name: B, app: *app}\n";
        let manifest = good(text);
        assert_eq!(manifest.accounts[0].app_secret, manifest.accounts[1].app_secret);
        assert_eq!(mistakes(&text.replace("{env: X}", "{env: ''}")).len(), 1);
    }

    #[test]
    fn json_is_read_with_the_same_places() {
        let text = "\u{feff}{\r\n\t\"version\":\t1,\r\n\t\"accounts\": [\r\n\t\t{\"name\": \"\\ud83d\\ude00 caf\\u00e9\"}\r\n\t]\r\n}";
        assert_eq!(good(text).accounts[0].name.as_str(), "😀 café");
        assert_eq!(mistakes(&text.replace("name", "nmae")), ["4:4: unknown key 'nmae'; did you mean 'name'?"]);
    }

    #[test]
    fn everything_is_told_at_once_in_the_order_of_files_and_lines() {
        let other =
            Text { file: "b.yaml", directory: Path::new("/"), text: "version: 1\naccounts:\n- name: acme\n  x: 1\n" };
        let text = "version: 1\naccounts:\n- {nmae: Acme}\n- {name: Acme, page_id: 12345}\n- [\n";
        let found = read(&[one(text), other]).expect_err("mistakes");
        let places: Vec<String> = found.iter().map(|mistake| mistake.place.to_string()).collect();
        assert_eq!(places, ["a.yaml:5:3", "b.yaml:4:3"]);
        let text = text.replace("- [\n", "");
        let found = read(&[one(&text), other]).expect_err("mistakes");
        let places: Vec<String> = found.iter().map(|mistake| mistake.place.to_string()).collect();
        assert_eq!(places, ["a.yaml:3:4", "a.yaml:4:25", "b.yaml:3:9", "b.yaml:4:3"]);
    }

    /// The keys of the schema's mappings, by path.
    fn keys<'s>(schema: &'s Value, path: &str) -> Vec<&'s str> {
        let level = schema.pointer(path).unwrap_or_else(|| panic!("no {path}"));
        assert_eq!(level["additionalProperties"], false, "{path}");
        level["properties"].as_object().expect("properties").keys().map(String::as_str).collect()
    }

    #[test]
    fn the_schema_has_the_keys_that_are_read() {
        let schema: Value = serde_json::from_str(schema()).expect("JSON");
        for (path, level) in [
            ("", &keys::TOP),
            ("/properties/chat_settings", &keys::CHAT_SETTINGS),
            ("/properties/defaults", &keys::DEFAULTS),
            ("/$defs/account", &keys::ACCOUNT),
            ("/$defs/app", &keys::APP),
            ("/$defs/webhook", &keys::WEBHOOK),
            ("/$defs/custom", &keys::MESSAGE),
            ("/$defs/source", &keys::REFERENCE),
        ] {
            assert_eq!(keys(&schema, path), level.keys, "{path}");
        }
        let events: Vec<&str> = CATALOGUE.iter().map(|event| event.id).collect();
        assert_eq!(keys(&schema, "/$defs/messages"), events);
        assert_eq!(keys(&schema, "/properties/chat_settings/properties/messages"), events);
    }

    #[test]
    fn every_key_of_the_schema_is_explained() {
        fn walk(value: &Value, path: &str) {
            if let Some(properties) = value["properties"].as_object() {
                for (key, property) in properties {
                    assert!(property["description"].is_string(), "{path}/{key} has no description");
                }
            }
            match value {
                Value::Object(map) => map.iter().for_each(|(key, below)| walk(below, &format!("{path}/{key}"))),
                Value::Array(items) => items.iter().for_each(|below| walk(below, path)),
                _ => {}
            }
        }
        walk(&serde_json::from_str(schema()).expect("JSON"), "");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_makes_it_panic(text in "[ \\t\n\\PC]{0,200}", odd in "[-?:,\\[\\]{}#&*!|>'\"%@` \t\r\na<=~\\\\\u{feff}\u{85}]{0,120}") {
            let _ = read(&[one(&text)]);
            let _ = read(&[one(&odd)]);
            let _ = read(&[one(&format!("version: 1\n{odd}"))]);
        }

        #[test]
        fn no_change_of_a_good_manifest_makes_it_panic(
            at in 0..1200_usize,
            length in 0..40_usize,
            instead in "[-?:,\\[\\]{}#&*!|>'\"%@` \t\na1]{0,4}|\\PC{0,3}",
        ) {
            let mut text: Vec<char> = WHOLE.chars().collect();
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, instead.chars());
            let text = String::from_iter(text);
            if let Err(found) = read(&[one(&text)]) {
                prop_assert!(!found.is_empty());
                for mistake in found {
                    prop_assert!(mistake.place.line >= 1 && mistake.place.column >= 1);
                    prop_assert!(mistake.place.line <= text.lines().count() + 1, "{}", mistake);
                    prop_assert!(mistake.to_string().chars().count() < 420, "{}", mistake);
                }
            }
        }
    }
}
