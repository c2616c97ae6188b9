//! What differs, seen and not touched.

use msgrctl::sandbox::{Subscription, TokenState};
use serde_json::{Value, json};

use crate::support::fleet::token;
use crate::support::world::{self, nowhere};
use crate::support::{Fleet, Home, Run};

/// The account of that name in a plan.
fn account(run: &Run, name: &str) -> Value {
    let accounts = run.json()["accounts"].as_array().cloned().unwrap();
    accounts.into_iter().find(|account| account["account"] == name).unwrap_or_else(|| panic!("{name}: {run:#?}"))
}

fn fields(of: &Value) -> Vec<String> {
    of["changes"].as_array().unwrap().iter().map(|change| change["field"].as_str().unwrap().to_owned()).collect()
}

fn problem(run: &Run, name: &str) -> String {
    account(run, name)["problems"][0]["summary"].as_str().unwrap_or_default().to_owned()
}

/// Every file below a folder, with what it holds.
fn files(home: &Home) -> Vec<(String, Vec<u8>)> {
    fn below(path: &std::path::Path, found: &mut Vec<(String, Vec<u8>)>) {
        for entry in std::fs::read_dir(path).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                below(&path, found);
            } else {
                found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    below(&home.path("config"), &mut found);
    found.sort();
    found
}

#[test]
fn an_empty_file_of_an_empty_tenant_is_an_empty_plan() {
    let fleet = Fleet::new(1);
    fleet.write("version: 1\naccounts: []\n");
    let run = fleet.plan(&["--exit-code", "--json"]).code(0);
    assert_eq!(run.json()["summary"], json!({"added": 0, "changed": 0, "removed": 0, "unchanged": 0, "blocked": 0}));
    fleet.plan(&[]).code(0).shows(&["nothing to change"]);
}

#[test]
fn a_fix_of_a_manifest_speaks_in_its_keys() {
    let fleet = Fleet::new(1);
    let (username, id) = {
        let world = fleet.sandbox.world();
        (world.pages[0].username.clone().unwrap(), world.pages[0].id.clone())
    };
    for (right, wrong, fix) in [
        (&username, "some.other", format!("set it in the file: page_username: {username}")),
        (&id, "5555555555", format!("set it in the file: page_id: \"{id}\"")),
    ] {
        let account = fleet.account(0, "").replace(&**right, wrong);
        fleet.write(&(fleet.head() + &account));
        let run = fleet.plan(&[]).code(9).shows(&[&fix]);
        assert!(!run.stdout.contains("--page-"), "{run:#?}");
    }
}

#[test]
fn a_plan_shows_what_differs_and_writes_nothing() {
    let fleet = Fleet::new(3);
    fleet.manifest(0..3);
    let run = fleet.plan(&["--json", "--exit-code"]).code(8);
    let value = run.json();
    assert_eq!(value["summary"]["added"], 3);
    assert_eq!(value["apps"][0]["changes"][0]["field"], "webhook.callback_url");
    let page = account(&run, "Page 1");
    assert_eq!(page["action"], "add");
    assert_eq!(
        fields(&page),
        [
            "page_username",
            "page_id",
            "app.id",
            "webhook.callback_url",
            "token",
            "app.secret",
            "webhook.verify_token",
            "webhook.fields"
        ]
    );
    fleet.plan(&[]).code(0);
    assert_eq!(fleet.writes(), 0);
    assert!(files(&fleet.home).is_empty(), "{:?}", files(&fleet.home));

    fleet.apply(&[]).code(0);
    let (before, writes) = (files(&fleet.home), fleet.writes());
    fleet.plan(&["--exit-code"]).code(0);
    assert_eq!((files(&fleet.home), fleet.writes()), (before, writes));
}

#[test]
fn offline_neither_secrets_nor_meta_are_looked_at() {
    let mut fleet = Fleet::new(2);
    let marker = fleet.home.path("ran");
    let token = format!("    token: {{command: [touch, '{}']}}\n", marker.display());
    fleet.write(&(fleet.head() + &fleet.account(0, &token) + &fleet.account(1, "")));
    for name in ["TOKEN_1", "APP_SECRET", "VERIFY"] {
        fleet.home.unset(name);
    }
    fleet.home.set("MSGRCTL_GRAPH_URL", &format!("http://{}", nowhere()));
    let run = fleet.plan(&["--offline", "--json"]).code(0);
    assert_eq!(run.json()["offline"], true);
    assert_eq!(run.json()["summary"]["added"], 2);
    assert_eq!(fields(&account(&run, "Page 1")).last().unwrap(), "webhook.fields");
    assert!(!marker.exists(), "a program of the file was run");
    assert!(fleet.sandbox.world().journal.entries().is_empty());
}

#[test]
fn what_has_drifted_at_meta_is_seen() {
    let fleet = Fleet::new(3);
    fleet.manifest(0..3);
    fleet.apply(&[]).code(0);
    {
        let app_id = world::app(&fleet.sandbox).0;
        let mut world = fleet.sandbox.world();
        world.pages[0].subscribed.remove(&app_id);
        world.pages[1].name = "Acme Renamed".into();
        world.pages[2].username = Some("somebody.else".into());
        world.subscriptions[0].callback_url = "https://old.example.com/m".into();
    }
    let run = fleet.plan(&["--json"]).code(9);
    assert_eq!(fields(&account(&run, "Page 0")), ["webhook.fields"]);
    let renamed = account(&run, "Page 1");
    assert_eq!(renamed["changes"], json!([{"field": "page_name", "from": "Acme Support 2", "to": "Acme Renamed"}]));
    assert!(problem(&run, "Page 2").contains("@somebody.else"), "{}", problem(&run, "Page 2"));
    let app = &run.json()["apps"][0];
    assert_eq!(app["changes"][0]["from"], "https://old.example.com/m");
    fleet.plan(&[]).code(9);
}

#[test]
fn an_app_that_others_use_too_names_them_before_it_is_moved() {
    let fleet = Fleet::new(2);
    fleet.manifest(0..2);
    fleet.apply(&[]).code(0);
    let hook = crate::support::Hook::start();
    let moved = fleet.head().replace(&fleet.hook.url, &hook.url);
    fleet.write(&(moved + &fleet.account(0, "")));
    let run = fleet.plan(&["--json"]).code(0);
    assert_eq!(run.json()["apps"][0]["affects"], json!(["'Page 1'"]));
    assert_eq!(run.json()["left"], json!(["Page 1"]));
    fleet.plan(&[]).code(0).screen("plan-moves-an-app");
}

#[test]
fn a_copied_secret_that_differs_rotates_and_is_never_shown() {
    let mut fleet = Fleet::new(1);
    let copied = "    token: {env: TOKEN_0, store: file}\n";
    fleet.write(&(fleet.head() + &fleet.account(0, copied)));
    fleet.apply(&[]).code(0);
    fleet.plan(&["--exit-code"]).code(0);
    let old = token(&fleet.sandbox, 0);
    let new = {
        let mut world = fleet.sandbox.world();
        let mut other = world.tokens.iter().find(|token| token.value == old).unwrap().clone();
        other.value = format!("{old}Rotated");
        world.tokens.push(other.clone());
        other.value
    };
    fleet.home.set("TOKEN_0", &new);
    let run = fleet.plan(&["--json", "--exit-code"]).code(8);
    let change = account(&run, "Page 0")["changes"][0].clone();
    assert_eq!(change["field"], "token");
    assert!(change["to"].as_str().unwrap().starts_with("rotates: file (sha256 "), "{change}");
    assert!(!run.stdout.contains(&old) && !run.stdout.contains(&new));
    fleet.apply(&[]).code(0);
    let revealed = fleet.home.run(&["secret", "reveal", "page-0", "page-access-token"]).code(0);
    assert_eq!(revealed.stdout.trim_end(), new);
    // Without the variable what was copied is kept, and that is said.
    fleet.home.unset("TOKEN_0");
    fleet.plan(&["--exit-code"]).code(0).screen("plan-secret-not-compared");
    fleet.apply(&[]).code(0);
}

#[test]
fn whatever_cannot_be_made_so_is_told_all_at_once() {
    let mut fleet = Fleet::new(8);
    fleet.manifest(0..1);
    fleet.apply(&[]).code(0);
    let named = |at: usize, more: &str| fleet.account(at, more);
    let text = fleet.head()
        + &named(0, "    token: {stored: true}\n")
        + &named(1, "    token: {command: [printf, x]}\n")
        + &named(2, "    token: {stored: true}\n")
        + &named(3, "    token: {env: TOKEN_4}\n")
        + &named(4, "    token: {env: NOBODY_SET_IT}\n")
        + &named(5, "").replace("    page_id", "    # page_id")
        + &named(6, "")
        + &named(7, "    handle: page-0\n").replace("name: Page 7", "name: Page 6b");
    fleet.write(&text);
    let dead = fleet.sandbox.world().pages[6].id.clone();
    fleet.sandbox.world().page_token_mut(&dead).unwrap().state = TokenState::LoggedOut;
    let run = fleet.plan(&["--json"]).code(9);
    assert_eq!(run.json()["summary"]["blocked"], 7, "{:#?}", run.json());
    for (name, words) in [
        ("Page 1", "--allow-commands"),
        ("Page 2", "new here"),
        ("Page 3", "not of page"),
        ("Page 4", "the variable NOBODY_SET_IT is not set"),
        ("Page 5", "lacks: page_id"),
        ("Page 6", "token.valid"),
        ("Page 6b", "same account"),
    ] {
        let found = account(&run, name)["problems"].to_string();
        assert!(found.contains(words), "{name}: {found}");
    }
    fleet.home.set("MSGRCTL_GRAPH_URL", &format!("http://{}", nowhere()));
    let run = fleet.plan(&["--json"]).code(9);
    assert_eq!(account(&run, "Page 4")["problems"][0]["retryable"], false);
    assert_eq!(account(&run, "Page 6")["problems"][0]["retryable"], true);
}

#[cfg(unix)]
#[test]
fn programs_run_only_where_they_are_allowed_and_once_each() {
    let fleet = Fleet::new(2);
    let program = fleet.home.file(
        "give",
        format!("#!/bin/sh\necho x >> {}\nprintf %s \"$APP_SECRET\"\n", fleet.home.path("runs").display()),
    );
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let head = fleet.head().replace("{env: APP_SECRET}", "{command: [./give]}");
    fleet.write(&(head + &fleet.account(0, "") + &fleet.account(1, "")));
    fleet.plan(&[]).code(9);
    assert!(!fleet.home.path("runs").exists());
    fleet.plan(&["--allow-commands"]).code(0);
    assert_eq!(std::fs::read_to_string(fleet.home.path("runs")).unwrap(), "x\n", "once for both accounts");
}

#[test]
fn a_token_never_passes_for_a_verify_token() {
    let mut fleet = Fleet::new(2);
    // One variable for both: the callback would be told the token.
    let head = fleet.head().replace("{env: VERIFY}", "{env: TOKEN_1}");
    fleet.write(&(head + &fleet.account(0, "") + &fleet.account(1, "")));
    for how in [&["--offline"][..], &[]] {
        let run = fleet.plan(&[how, &["--json"]].concat()).code(9);
        let found = account(&run, "Page 0")["problems"].to_string();
        assert!(found.contains("another kind of secret"), "{found}");
    }
    // Another name for it does not help.
    let other = token(&fleet.sandbox, 1);
    fleet.home.set("VERIFY", &other);
    fleet.manifest(0..1);
    assert!(problem(&fleet.plan(&["--json"]).code(9), "Page 0").contains("has the shape of a Meta access token"));
    fleet.apply(&[]).code(9);
    assert_eq!(fleet.writes(), 0);
    assert!(fleet.hook.received().is_empty(), "the callback was asked");
}

#[cfg(unix)]
#[test]
fn a_store_that_does_not_answer_is_known_before_anything_is_done() {
    let fleet = Fleet::new(2);
    let head = fleet.head().replace("{env: VERIFY}", "generate");
    // No keyring here, and nobody has chosen another store.
    fleet.write(&(head + &fleet.account(0, "") + &fleet.account(1, "    webhook: {verify_token: {env: VERIFY}}\n")));
    let run = fleet.plan(&["--json"]).code(9);
    assert_eq!(problem(&run, "Page 1"), "");
    assert!(problem(&run, "Page 0").contains("keyring"), "{}", problem(&run, "Page 0"));
}

#[test]
fn two_accounts_of_one_page_are_said_and_a_program_that_would_run_too() {
    let fleet = Fleet::new(1);
    fleet.manifest(0..1);
    fleet.apply(&[]).code(0);
    let renamed = fleet.account(0, "    token: {command: [cat, x]}\n").replace("Page 0", "Acme Sales");
    fleet.write(&(fleet.head() + &renamed));
    let run = fleet.plan(&["--offline", "--json"]).code(0);
    let notes = account(&run, "Acme Sales")["notes"].to_string();
    assert!(notes.contains("'Page 0' has the same page id") && notes.contains("handle: page-0"), "{notes}");
    assert!(notes.contains("--allow-commands"), "{notes}");
}

#[test]
fn without_a_network_a_plan_ends_as_what_may_go_better_later() {
    let mut fleet = Fleet::new(2);
    fleet.manifest(0..2);
    fleet.home.set("MSGRCTL_GRAPH_URL", &format!("http://{}", nowhere()));
    fleet.plan(&[]).code(5);
    fleet.apply(&[]).code(5);
}

#[test]
fn what_meta_limits_is_said_with_the_minutes() {
    use msgrctl::sandbox::Fault;
    let fleet = Fleet::new(2);
    fleet.manifest(0..2);
    let path = format!("/{}/subscribed_apps", fleet.sandbox.world().pages[1].id);
    let effect = Fault { code: Some(80006), regain_minutes: Some(12), ..Fault::default() };
    fleet.sandbox.world().faults.push(Fault { path: Some(path), ..effect });
    let run = fleet.plan(&["--json"]).code(9);
    assert_eq!(run.json()["summary"]["blocked"], 1);
    let problem = account(&run, "Page 1")["problems"][0].clone();
    assert_eq!(problem["retryable"], true);
    assert!(problem.to_string().contains("12 minutes"), "{problem}");
}

#[test]
fn a_subscription_of_another_app_is_nobodys_to_change() {
    let fleet = Fleet::new(1);
    fleet.manifest(0..1);
    let other = Subscription {
        app_id: "999".into(),
        object: "page".into(),
        callback_url: "https://other.example.com/m".into(),
        verify_token: "v".into(),
        active: true,
        fields: vec!["messages".into()],
    };
    fleet.sandbox.world().subscriptions.push(other);
    fleet.apply(&[]).code(0);
    assert_eq!(fleet.sandbox.world().subscriptions.iter().filter(|known| known.app_id == "999").count(), 1);
}

#[test]
fn an_app_that_cannot_be_seen_or_served_is_a_problem_of_its_accounts() {
    use msgrctl::sandbox::Fault;
    let fleet = Fleet::new(2);
    let app_id = world::app(&fleet.sandbox).0;
    fleet.manifest(0..2);
    let effect = Fault { code: Some(4), status: Some(403), ..Fault::default() };
    fleet.sandbox.world().faults = vec![Fault { path: Some(format!("/{app_id}/subscriptions")), ..effect }];
    let run = fleet.plan(&["--json"]).code(5);
    assert!(problem(&run, "Page 0").contains(&format!("the webhook of app {app_id} could not be read")));
    fleet.sandbox.world().faults.clear();
    fleet.apply(&[]).code(0);
    // One callback stands in a record, another one in the file.
    let text = fleet.head().replace(&format!("    callback_url: {}\n", fleet.hook.url), "");
    fleet.home.run(&["account", "edit", "page-1", "--callback-url", "http://127.0.0.1:9/other", "--no-test"]).code(0);
    fleet.write(&(text + &fleet.account(0, "") + &fleet.account(1, "")));
    let run = fleet.plan(&["--json"]).code(9);
    assert!(problem(&run, "Page 1").contains("one callback URL for all of its Pages"), "{run:#?}");
    // Without the app secret the app's own level is not looked at, and that is said.
    let text = fleet.head().replace(", secret: {env: APP_SECRET}", "");
    fleet.write(&(text + &fleet.account(0, "")));
    let elsewhere = fleet.home.path("elsewhere").display().to_string();
    let run = fleet.plan(&["--json", "--config-dir", &elsewhere]).code(0);
    assert!(account(&run, "Page 0")["notes"].to_string().contains("without the app secret"));
}

#[test]
fn what_looks_like_a_secret_is_masked_in_json_too() {
    let fleet = Fleet::new(1);
    let secret = token(&fleet.sandbox, 0);
    let command = format!("    token: {{command: [curl, \"X-Vault-Token: {secret}\"]}}\n");
    fleet.write(&(fleet.head() + &fleet.account(0, &command)));
    for arguments in [&["--offline", "--json"][..], &["--offline"], &["--json"]] {
        let run = fleet.plan(arguments);
        assert!(!run.stdout.contains(&secret) && !run.stderr.contains(&secret), "{run:#?}");
    }
}

#[test]
fn everything_that_is_missing_is_named_in_one_run() {
    let mut fleet = Fleet::new(1);
    fleet.manifest(0..1);
    for name in ["TOKEN_0", "APP_SECRET", "VERIFY"] {
        fleet.home.unset(name);
    }
    fleet.plan(&[]).code(9).screen("plan-secrets-missing");
}

#[test]
fn an_account_that_is_renamed_with_its_app_is_not_one_of_the_others() {
    let mut fleet = Fleet::new(2);
    fleet.home.set("MSGRCTL_STORE", "file");
    fleet.manifest(0..2);
    fleet.apply(&[]).code(0);
    let hook = crate::support::Hook::start();
    let renamed = fleet.account(1, "    handle: page-1\n").replace("name: Page 1", "name: Another");
    let text = (fleet.head() + &fleet.account(0, "") + &renamed).replace(&fleet.hook.url, &hook.url);
    fleet.write(&text);
    let plan = fleet.plan(&["--json"]).code(0).json();
    assert_eq!(plan["apps"].as_array().unwrap().len(), 1, "{plan}");
    assert_eq!(plan["apps"][0]["affects"], json!([]));
}
