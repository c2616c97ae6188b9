//! The schema of manifests, as validators that others wrote read it (`tests/interop`).

use msgrctl::accounts::Account;
use msgrctl::messages::ChatSettings;
use msgrctl::provision::manifest::{Exported, json, write};
use serde_json::{Value, json as value};

use crate::apply_check::{bad, good};
use crate::interop::{driver, packages};
use crate::support::Home;

#[test]
fn the_schema_is_printed_and_has_to_be_named() {
    let home = Home::new();
    let schema: Value = serde_json::from_str(&home.run(&["schema", "manifest"]).code(0).stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["$id"], "urn:msgrctl:manifest:1");
    home.run(&["schema"]).code(2).says(&["manifest"]);
    home.run(&["schema", "manifst"]).code(2).says(&["manifest"]);
}

#[test]
fn validators_of_others_agree_with_the_reader() {
    let Some(packages) = packages() else { return };
    let home = Home::new();
    let schema = home.file("manifest.schema.json", home.run(&["schema", "manifest"]).code(0).stdout);
    let shapes: Vec<_> = bad().into_iter().filter(|path| path.to_string_lossy().contains("/shape-")).collect();
    assert!(good().len() > 6 && shapes.len() > 30, "{shapes:?}");
    let ran = driver(&packages, "schemas.py").arg(schema).args(good()).args(&shapes).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let found: Value = serde_json::from_slice(&ran.stdout).unwrap();
    // What the reader says of each is held in apply_check.rs.
    for path in good() {
        assert_eq!(found[path.to_str().unwrap()].as_array().map(Vec::len), Some(0), "{path:?}: {found:#}");
    }
    for path in shapes {
        assert!(
            found[path.to_str().unwrap()].as_array().is_some_and(|errors| !errors.is_empty()),
            "{path:?} is allowed"
        );
    }
}

/// Texts that one reader of YAML or another takes for something else.
const ODD: [&str; 22] = [
    "No",
    "null",
    "~",
    "1e3",
    "0o17",
    "12:30",
    "2026-01-02",
    "- a",
    "a: b",
    "a #b",
    "&a",
    "*a",
    "!a",
    "@a",
    "%a",
    "{a}",
    "'a'",
    "\"a\\",
    "a\u{2028}b\u{feff}\u{fffe}",
    "caf\u{e9} \u{1f600}\u{1f468}\u{200d}\u{1f469}",
    "a\tb\nc ",
    "---",
];

#[test]
fn what_is_written_is_read_alike_by_others() {
    let Some(packages) = packages() else { return };
    let account = |(at, odd): (usize, &&str)| -> Account {
        let name = odd.replace(['\n', '\t'], " ");
        serde_json::from_value(value!({
            "id": at.to_string(), "handle": format!("{at}e4"), "name": format!("{name}{}", if at > 15 { at.to_string() } else { String::new() }),
            "type": "facebook", "page_username": "0x10", "page_id": "0123456", "app_id": "1234567", "graph": "live",
            "callback_url": "https://example.com/a?b=c,{d}", "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z",
            "messages": {"session-ended": {"state": "custom", "text": odd}, "agent-left": "disabled"},
            "secrets": {"page_access_token": "keyring", "app_secret": "env:NO", "verify_token": "command:op read 'a: #b'"},
        }))
        .unwrap()
    };
    let accounts: Vec<Account> = ODD.iter().enumerate().map(account).collect();
    let settings = value!({"timeouts": {"messenger": "1h 30m", "web": "10m"}, "messages": {"session-ended": {"state": "custom", "text": "off"}}});
    let chat_settings: ChatSettings = serde_json::from_value(settings).unwrap();
    let tenant = "1e3".parse().unwrap();
    let exported = Exported { tenant: Some(&tenant), chat_settings: &chat_settings, accounts: &accounts };
    let home = Home::new();
    let (yaml, json) = (home.file("a.yaml", write(&exported)), home.file("a.json", json(&exported).to_string()));
    home.run(&["apply", "--check", "-f", "a.yaml"]).code(0).shows(&["ok: 22 accounts"]);
    let ran = driver(&packages, "schemas.py").arg("--same").args([&yaml, &json]).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let schema = home.file("manifest.schema.json", home.run(&["schema", "manifest"]).code(0).stdout);
    let ran = driver(&packages, "schemas.py").arg(schema).args([&yaml, &json]).output().unwrap();
    let found: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert!(found.as_object().unwrap().values().all(|errors| errors == &value!([])), "{found:#}");
}
