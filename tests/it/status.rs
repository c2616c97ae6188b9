//! What is known of accounts without asking anybody.

use msgrctl::sandbox::{InProcess, TokenState};
use serde_json::Value;

use crate::support::Home;
use crate::support::listening::Listening;
use crate::support::many::{many, set_app};
use crate::support::world::{acme, app, nowhere, sandbox};

fn accounts(home: &Home) -> Vec<Value> {
    home.run(&["status", "--json"]).code(0).json()["accounts"].as_array().unwrap().clone()
}

#[test]
fn status_shows_what_the_last_test_found_and_asks_nobody() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    home.run(&["status"]).screen("status-not-tested");
    assert_eq!(accounts(&home)[0].get("outcome"), None);
    home.run(&["account", "test", "acme"]).code(0);
    let first = &accounts(&home)[0];
    assert_eq!((&first["account"], &first["outcome"]), (&"acme".into(), &"pass".into()), "{first}");
    assert_eq!(first["since"], first["checked_at"]);
    sandbox.world().page_token_mut("109876543210987").unwrap().state = TokenState::Expired;
    home.run(&["account", "test", "acme"]).code(7);
    // Nothing answers any more, and no secret is there.
    let mut home = home;
    home.set("MSGRCTL_GRAPH_URL", "http://127.0.0.1:1");
    home.unset("MSGRCTL_SECRET_ACME_PAGE_ACCESS_TOKEN");
    home.run(&["status"]).screen("status-failing");
    let failing = &accounts(&home)[0];
    assert_eq!((&failing["cause"], &failing["check"]), (&"expired".into(), &"token.valid".into()), "{failing}");
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(file(&home)).unwrap());
        assert_eq!(mode & 0o777, 0o600);
    }
}

fn file(home: &Home) -> std::path::PathBuf {
    home.path("config/msgrctl/tenants/default/health.json")
}

/// Outcome, cause and webhook of the only account.
fn of_acme(home: &Home) -> [String; 3] {
    let [account] = &accounts(home)[..] else { panic!("one account") };
    ["outcome", "cause", "webhook"].map(|key| account[key].as_str().unwrap_or_default().to_owned())
}

fn is_changed(home: &Home, at: usize) -> bool {
    accounts(home)[at].get("changed_at").is_some()
}

/// The account `acme`, whose events should go to a listener that runs.
fn connected(sandbox: &InProcess) -> (Home, Listening) {
    let home = acme(sandbox, true);
    sandbox.world().pages[0].subscribed.clear();
    let listening = Listening::start(&home, &["acme"]);
    home.run(&["account", "edit", "acme", "--callback-url", &listening.url]).code(0);
    home.run(&["account", "test", "acme"]).code(0);
    (home, listening)
}

#[test]
fn what_a_webhook_command_sees_or_changes_is_shown_at_once() {
    let sandbox = sandbox();
    let (home, _listening) = connected(&sandbox);
    assert_eq!(of_acme(&home), ["warn", "to-do", "warn"]);
    home.run(&["webhook", "subscribe", "acme"]).code(0);
    assert_eq!(of_acme(&home), ["pass", "", "pass"]);
    let tested = accounts(&home)[0]["checked_at"].clone();
    sandbox.world().subscriptions[0].callback_url = "https://elsewhere.example.com/".into();
    home.run(&["webhook", "status", "acme"]).code(7);
    assert_eq!(of_acme(&home), ["fail", "callback-differs", "fail"]);
    home.run(&["webhook", "subscribe", "acme", "--yes"]).code(0);
    assert_eq!(of_acme(&home), ["pass", "", "pass"]);
    // The answer to another token says nothing of the account.
    let home = home.with("OTHER", "other-verify-token");
    home.run(&["webhook", "verify", "acme", "--verify-token-from", "env:OTHER"]).code(7);
    assert_eq!(of_acme(&home), ["pass", "", "pass"]);
    sandbox.world().pages[0].subscribed.clear();
    home.run(&["webhook", "status", "acme"]).code(7);
    assert_eq!(of_acme(&home), ["fail", "not-subscribed", "fail"]);
    // What was ended on purpose is not missed, by no command.
    home.run(&["webhook", "unsubscribe", "acme", "--app", "--yes"]).code(0);
    assert_eq!(of_acme(&home), ["warn", "to-do", "warn"]);
    assert_eq!(accounts(&home)[0]["checked_at"], tested);
    assert!(!is_changed(&home, 0));
    home.run(&["webhook", "status", "acme", "--json"]).code(7).shows(&["to-do"]);
    home.run(&["account", "test", "acme"]).code(0);
    assert_eq!(of_acme(&home), ["warn", "to-do", "warn"]);
}

#[test]
fn what_a_manifest_sets_at_meta_is_shown() {
    let sandbox = sandbox();
    let (home, _listening) = connected(&sandbox);
    let manifest = home.run(&["export"]).code(0).stdout;
    home.file(
        "accounts.yaml",
        manifest.replace("    webhook:\n", "    webhook:\n      fields: [messages, messaging_postbacks]\n"),
    );
    let file = home.path("accounts.yaml");
    let apply = ["apply", "-f", file.to_str().unwrap(), "--yes"];
    home.run(&["webhook", "subscribe", "acme"]).code(0);
    sandbox.world().subscriptions.clear();
    home.run(&["account", "test", "acme"]).code(7);
    assert_eq!(of_acme(&home), ["fail", "not-subscribed", "fail"]);
    let plan = ["plan", "-f", file.to_str().unwrap()];
    home.run(&apply).code(0);
    assert_eq!(of_acme(&home), ["pass", "", "pass"]);
    // It looks before it changes anything.
    sandbox.world().subscriptions.clear();
    home.run(&plan).code(0);
    assert_eq!(of_acme(&home), ["fail", "not-subscribed", "fail"]);
}

#[test]
fn a_callback_that_is_asked_later_is_judged_by_that() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    let set = |url: &str| home.run(&["account", "edit", "acme", "--callback-url", url]).code(0);
    set(&format!("http://{}/", nowhere()));
    home.run(&["account", "test", "acme"]).code(7);
    assert_eq!(of_acme(&home)[1], "refused");
    let other = Listening::start(&home, &["acme"]);
    set(&other.url);
    home.run(&["webhook", "verify", "acme"]).code(0);
    assert_ne!(of_acme(&home)[1], "refused");
    assert!(is_changed(&home, 0), "its events may go elsewhere at Meta");
    drop(other);
    home.run(&["webhook", "verify", "acme"]).code(7);
    assert_eq!(of_acme(&home), ["fail", "refused", "fail"]);
}

#[test]
fn a_result_of_before_a_change_is_not_shown_as_how_it_is() {
    let sandbox = sandbox();
    let (mut home, _listening) = connected(&sandbox);
    home.set("VERIFY", "another-verify-token");
    let changes: [&[&str]; 4] = [
        &["account", "edit", "acme", "--page-username", "other.name", "--no-test"],
        &["secret", "set", "acme", "verify-token", "--from", "env:VERIFY", "--yes"],
        &["chat-settings", "set", "--messenger-timeout", "10m"],
        &["undo", "--yes"],
    ];
    for change in changes {
        home.run(&["account", "test", "acme"]);
        assert!(!is_changed(&home, 0), "{change:?}");
        home.run(change).code(0);
        assert!(is_changed(&home, 0), "{change:?}");
        let run = home.run(&["status"]).code(0).shows(&["- was ", "changed since", "1 account: 1 changed since"]);
        run.says(&["changed since the last test; to test again: msgrctl account test acme"]);
    }
    home.run(&["account", "test", "acme"]);
    home.run(&["account", "rename", "acme", "Acme Limited", "--yes"]).code(0);
    home.run(&["account", "remove", "acme", "--yes"]).code(0);
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(file(&home)).unwrap()).unwrap();
    assert_eq!(kept["accounts"], Value::Array(Vec::new()), "what is gone is not known");
}

#[test]
fn a_change_of_an_app_is_one_of_its_other_accounts() {
    let (sandbox, home) = many(2);
    let (id, secret) = app(&sandbox);
    set_app(&home, &id, Some(&secret));
    let token = |value: &str| format!("file:{}", home.file(value, value).display());
    let [old, new] = ["verify-token-old", "verify-token-new"].map(token);
    home.run(&["secret", "set", "page-0", "verify-token", "--from", &old, "--yes"]).code(0);
    let listening = Listening::start(&home, &["page-0"]);
    home.run(&["account", "edit", "page-0", "--callback-url", &listening.url, "--no-test"]).code(0);
    home.run(&["account", "test", "--all"]);
    home.run(&["webhook", "subscribe", "page-0"]).code(0);
    assert!(!is_changed(&home, 0) && is_changed(&home, 1));
    home.run(&["status"]).code(0).says(&["to test again: msgrctl account test page-1"]);
    home.run(&["account", "test", "--all"]).code(0);
    home.run(&["webhook", "unsubscribe", "page-0", "--app", "--yes"]).code(0);
    assert!(!is_changed(&home, 0) && is_changed(&home, 1));
    home.run(&["account", "test", "--all"]);
    home.run(&["webhook", "subscribe", "page-0"]).code(0);
    home.run(&["account", "test", "--all"]);
    assert!(!is_changed(&home, 0) && !is_changed(&home, 1));
    home.run(&["webhook", "rotate", "page-0", "--verify-token-from", &new, "--yes"]).code(0);
    assert!(is_changed(&home, 0) && is_changed(&home, 1));
    home.run(&["status"]).code(0).says(&["to test again: msgrctl account test page-0 page-1"]);
}

#[test]
fn a_webhook_that_was_not_checked_does_not_pass() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    home.run(&["account", "test", "acme"]).code(0);
    assert_eq!(of_acme(&home), ["pass", "", "skip"]);
    let shown = home.run(&["status"]).code(0).stdout;
    assert!(shown.lines().any(|line| line.starts_with("acme") && line.contains("  -  ")), "{shown}");
}

#[test]
fn a_failure_does_not_hide_that_meta_could_not_be_reached() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    home.run(&["chat-settings", "set", "--messenger-timeout", "25h"]).code(0);
    let home = home.with("MSGRCTL_GRAPH_URL", &format!("http://{}", nowhere()));
    home.run(&["account", "test", "acme"]).code(7);
    assert_eq!(of_acme(&home)[1], "window-exceeded");
    home.run(&["status"]).code(0).shows(&["✗ fail", "window-exceeded, unreachable"]);
}

#[test]
fn a_damaged_file_is_told_of_and_keeps_what_can_be_read() {
    let (_sandbox, home) = many(3);
    home.run(&["account", "test", "--all"]).code(0);
    let whole: Value = serde_json::from_str(&std::fs::read_to_string(file(&home)).unwrap()).unwrap();
    let mut damaged = whole.clone();
    damaged["accounts"][1]["since"] = "yesterday".into();
    std::fs::write(file(&home), damaged.to_string()).unwrap();
    let is_known = |home: &Home| accounts(home).iter().map(|one| one.get("outcome").is_some()).collect::<Vec<_>>();
    assert_eq!(is_known(&home), [true, false, true]);
    let says = "health.json is damaged: 1 entry was skipped; to test the accounts again: msgrctl account test --all";
    home.run(&["status"]).code(0).says(&[says]);
    let run = home.run(&["account", "test", "page-1"]).code(0).says(&[says]);
    assert_eq!(run.stderr.matches("is damaged").count(), 1, "{}", run.stderr);
    assert_eq!(is_known(&home), [true, true, true]);
    assert!(!home.run(&["status"]).stderr.contains("damaged"), "it was written again");
    std::fs::write(file(&home), "{").unwrap();
    home.run(&["status"]).code(0).says(&["health.json is damaged, and its results were skipped; to test"]);
    // A newer one is not written over, and holds nothing back.
    let mut newer = whole;
    newer["schema_version"] = 2.into();
    std::fs::write(file(&home), newer.to_string()).unwrap();
    let says = "health.json was written by a newer msgrctl (schema version 2;";
    for command in [&["status"][..], &["account", "test", "--all"], &["account", "remove", "page-2", "--yes"]] {
        let run = home.run(command).code(0).says(&[says, "update msgrctl"]);
        assert_eq!(run.stderr.matches("newer msgrctl").count(), 1, "{}", run.stderr);
    }
    home.run(&["webhook", "status", "page-0"]).says(&[says]);
    assert_eq!(std::fs::read_to_string(file(&home)).unwrap(), newer.to_string());
}

#[test]
fn accounts_can_be_named() {
    let (_sandbox, home) = many(3);
    home.run(&["account", "test", "--all"]).code(0);
    let run = home.run(&["status", "page-1", "Page 0", "id-1", "--json"]).code(0).json();
    let handles: Vec<&str> =
        run["accounts"].as_array().unwrap().iter().map(|one| one["account"].as_str().unwrap()).collect();
    assert_eq!(handles, ["page-1", "page-0"]);
    home.run(&["status", "page-2"]).code(0).shows(&["1 account: 1 pass"]);
    home.run(&["status", "page-7"]).code(1).says(&["page-7"]);
    home.run(&["status", "page-1", "--all-tenants"]).code(2);
}

#[test]
fn every_tenant_is_tested_and_shown_where_all_are_asked_for() {
    let (_sandbox, mut home) = many(3);
    home.set("VERIFY", "verify-token-0123");
    home.run(&["tenant", "add", "other", "--host", "other.example.com"]).code(0);
    let list = home.run(&["account", "list", "--json"]).json();
    let other = &list["accounts"][2];
    let [username, id] = ["page_username", "page_id"].map(|key| other[key].as_str().unwrap().to_owned());
    let add = ["account", "add", "Page 2", "--page-username", &username, "--page-id", &id, "--tenant", "other"];
    let token = format!("file:{}", home.path("tokens/2").display());
    home.run(&[&add[..], &["--token-from", &token, "--verify-token-from", "env:VERIFY", "--no-test"]].concat()).code(0);
    let tested = home.run(&["account", "test", "--all-tenants", "--json"]).code(0).json();
    let tested: Vec<&str> =
        tested["results"].as_array().unwrap().iter().map(|result| result["tenant"].as_str().unwrap()).collect();
    assert_eq!(tested, ["default", "default", "default", "other"]);
    home.run(&["status", "--all-tenants"]).code(0).shows(&["TENANT", "other    page-2", "4 accounts: 4 pass"]);
    home.run(&["status", "--tenant", "other"]).code(0).shows(&["1 account: 1 pass"]);
    home.run(&["account", "list", "--all-tenants"]).code(0).shows(&["TENANT", "other"]);
    home.run(&["status", "--tenant", "nosuch"]).code(1).says(&["there is no tenant 'nosuch'"]);
    home.run(&["account", "test", "page-1", "--all-tenants"]).code(2).says(&["--all-tenants and NAME"]);
}

#[test]
fn a_tenant_that_cannot_be_read_holds_no_other_up() {
    let (_sandbox, home) = many(2);
    home.run(&["tenant", "add", "other", "--host", "other.example.com"]).code(0);
    home.file("config/msgrctl/tenants/other/accounts.toml", "garbage");
    home.run(&["status", "--all-tenants"]).code(0).shows(&["2 accounts"]).says(&["tenant 'other' was skipped"]);
    home.run(&["account", "list", "--all-tenants"]).code(9).shows(&["page-1"]).says(&["1 tenant was skipped"]);
    let report = home.run(&["account", "test", "--all-tenants", "--format", "junit"]).code(9);
    // What was skipped must not look as if it were well.
    assert_eq!(crate::support::xml::suites(&report.stdout).len(), 3);
    assert!(report.stdout.contains("classname=\"other/every account\" name=\"accounts.file\""), "{report:?}");
    let report = home.run(&["account", "test", "--all-tenants", "--json"]).code(9).json();
    assert_eq!(report["results"].as_array().unwrap().len(), 2);
    // An error before the first account leaves no half of a document.
    assert_eq!(home.run(&["account", "test", "nosuch", "--format", "junit"]).code(1).stdout, "");
}
