//! The shapes that scripts rely on.

use serde_json::Value;

use crate::support::Home;
use crate::support::world::{acme, app, sandbox};

fn keys(value: &Value) -> Vec<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn an_account_as_json() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    // A test on the way tells the Page's name.
    home.run(&[
        "account",
        "edit",
        "acme",
        "--callback-url",
        "https://example.com/hook",
        "--page-username",
        "AcmeSupport",
    ])
    .code(0);
    let shown = home.run(&["account", "show", "acme", "--json"]).code(0);
    assert_eq!(shown.stderr, "");
    let shown = shown.json();
    assert_eq!(keys(&shown), ["schema_version", "account", "token_life"]);
    assert_eq!(shown["token_life"], "page-of-long-user");
    let account = &shown["account"];
    assert_eq!(
        keys(account),
        [
            "id",
            "handle",
            "name",
            "tenant",
            "type",
            "page_username",
            "page_id",
            "page_name",
            "app_id",
            "callback_url",
            "graph",
            "secrets",
            "created_at",
            "updated_at",
        ]
    );
    assert_eq!(account["type"], "facebook");
    assert_eq!(account["tenant"], "default");
    assert!(account["page_id"].is_string());
    let secrets: Vec<(&str, &str)> = account["secrets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|secret| (secret["kind"].as_str().unwrap(), secret["source"].as_str().unwrap()))
        .collect();
    assert_eq!(secrets, [("page_access_token", "env"), ("app_secret", "env"), ("verify_token", "env")]);
    let created = account["created_at"].as_str().unwrap();
    assert!(created.ends_with('Z') && created.parse::<jiff::Timestamp>().is_ok(), "{created}");
    let listed = home.run(&["account", "list", "--json"]).json();
    assert_eq!(&listed["accounts"][0], account);
}

#[test]
fn a_test_as_json() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    let value = home.run(&["account", "test", "acme", "--json"]).code(0).json();
    assert_eq!(keys(&value["results"][0]), ["account", "handle", "tenant", "outcome", "token_life", "checks"]);
    let check = &value["results"][0]["checks"][0];
    assert_eq!(keys(check), ["id", "group", "outcome", "summary", "duration_ms"]);
    sandbox.world().page_token_mut("109876543210987").unwrap().state = msgrctl::sandbox::TokenState::LoggedOut;
    let check = home.run(&["account", "test", "acme", "--json"]).code(7).check("token.valid");
    assert_eq!(keys(&check), ["id", "group", "outcome", "cause", "summary", "hint", "duration_ms", "graph"]);
    assert_eq!(keys(&check["graph"]), ["code", "subcode", "fbtrace_id", "says"]);
}

#[test]
fn an_error_as_json() {
    let home = Home::new();
    let run = home.run(&["account", "show", "nobody", "--json"]).code(1);
    assert_eq!(run.stdout, "");
    let error = run.json_error();
    assert_eq!(keys(&error), ["kind", "exit_code", "message", "causes", "hint", "retryable"]);
    assert_eq!(run.stderr.trim_end().lines().count(), 1);
}

#[test]
fn an_added_and_a_changed_account_as_json() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false).with_secrets("two", &sandbox.world().tokens[1].value.clone());
    let added = home.run(&["account", "add", "Two", "--json"]).code(0).json();
    assert_eq!(added["account"]["handle"], "two");
    assert_eq!(added["checks"].as_array().unwrap().len(), 16);
    let (app_id, _) = app(&sandbox);
    let changed = home.run(&["account", "edit", "two", "--app-id", &app_id, "--json"]).code(0).json();
    assert_eq!(changed["account"]["app_id"], app_id.as_str());
    let renamed = home.run(&["account", "rename", "two", "Three", "--json"]).code(0).json();
    assert_eq!((&renamed["account"]["name"], &renamed["account"]["handle"]), (&"Three".into(), &"two".into()));
    let removed = home.run(&["account", "remove", "two", "--yes", "--json"]).code(0).json();
    assert_eq!(removed["account"]["name"], "Three");
}
