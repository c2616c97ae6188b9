//! `plan --out` and `apply PLAN`: exactly what was reviewed, or nothing.

use std::fmt::Write as _;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

#[cfg(unix)]
use crate::support::Kills;
use crate::support::{Fleet, Home, Run};

/// A fleet with a saved plan that adds so many accounts.
fn planned(pages: usize) -> Fleet {
    let fleet = fleet(pages);
    fleet.manifest(0..pages);
    fleet.plan(&["--out", "p.plan"]).code(0);
    fleet
}

/// A fleet whose store keeps the key of plans.
fn fleet(pages: usize) -> Fleet {
    let mut fleet = Fleet::new(pages);
    fleet.home.set("MSGRCTL_STORE", "file");
    fleet
}

fn apply(home: &Home) -> Run {
    home.run(&["apply", "p.plan"])
}

fn plan_file(fleet: &Fleet) -> PathBuf {
    fleet.home.path("p.plan")
}

fn text(fleet: &Fleet) -> String {
    std::fs::read_to_string(plan_file(fleet)).unwrap()
}

/// The plan is refused for this cause, with these words, and nothing was written.
#[track_caller]
fn refused(fleet: &Fleet, more: &[&str], cause: &str, words: &str) {
    let accounts = || std::fs::read(fleet.home.accounts_file()).ok();
    let (writes, before) = (fleet.writes(), accounts());
    let run = fleet.home.run(&[&["apply", "p.plan", "--json"], more].concat()).code(1);
    let error = run.json_error();
    let message = error["message"].as_str().unwrap();
    assert_eq!(error["cause"], cause, "{error}");
    assert!(message.starts_with("the plan was not applied: ") && message.contains(words), "{message}");
    assert_eq!((fleet.writes(), accounts()), (writes, before), "something was written");
    fleet.home.run(&["explain", cause]).code(0);
}

/// With its digest made again, as somebody would who knows the format.
fn with_digest(text: &str) -> String {
    let mark = "\"plan_sha256\": \"";
    let start = text.rfind(mark).unwrap() + mark.len();
    let end = start + text[start..].find('"').unwrap();
    let bare = format!("{}{}", &text[..start], &text[end..]);
    format!("{}{}{}", &text[..start], hex::encode(Sha256::digest(&bare)), &text[end..])
}

#[cfg(unix)]
#[test]
fn a_saved_plan_is_applied_as_it_is_without_a_question_and_only_once() {
    let fleet = fleet(3);
    fleet.manifest(0..3);
    let run = fleet.plan(&["--out", "p.plan", "--json"]).code(0);
    run.says(&["to apply exactly this: msgrctl apply p.plan"]);
    let run = fleet.plan(&["--out", "p.plan", "--json"]).code(0).json();
    assert_eq!(run["saved"]["file"], "p.plan");
    let text = text(&fleet);
    let plan: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(plan["plan_sha256"], run["saved"]["sha256"]);
    assert_eq!(std::fs::metadata(plan_file(&fleet)).unwrap().permissions().mode() & 0o777, 0o600);
    let manifest = std::fs::read(fleet.home.path("accounts.yaml")).unwrap();
    assert_eq!(plan["manifest"][0]["sha256"], hex::encode(Sha256::digest(manifest)));
    assert_eq!((plan["tenant"].as_str(), plan["steps"][0]["of"].as_str()), (Some("default"), Some("app")));
    assert_eq!(fleet.writes(), 0);
    let run = fleet.home.run(&["apply", "p.plan", "--json"]).code(0).json();
    assert_eq!(run["summary"]["added"], 3);
    assert_eq!(fleet.subscribed(2).len(), 3);
    refused(&fleet, &[], "plan-stale", "the records of tenant 'default' were changed");
    fleet.plan(&["--exit-code"]).code(0);
    // Of an unchanged manifest the plan is empty, and does nothing.
    fleet.plan(&["--out", "p.plan"]).code(0);
    apply(&fleet.home).code(0).shows(&["nothing to change: 3 unchanged"]);
    apply(&fleet.home).code(0).shows(&["nothing to change: 3 unchanged"]);
}

#[test]
fn a_plan_replaces_no_file_but_a_plan() {
    let fleet = planned(1);
    let manifest = fleet.home.path("accounts.yaml");
    let before = std::fs::read(&manifest).unwrap();
    for there in ["accounts.yaml", "/dev/null", "."].into_iter().filter(|there| cfg!(unix) || *there != "/dev/null") {
        let run = fleet.plan(&["--out", there]).code(2);
        let run = run.says(&["is there already and is not a saved plan; nothing was written", "--out"]);
        assert!(!run.stderr.contains("mv "), "{run:#?}");
    }
    assert_eq!(std::fs::read(&manifest).unwrap(), before);
    fleet.plan(&["--out", "p.plan"]).code(0);
}

#[test]
fn the_key_of_plans_goes_with_its_tenant() {
    let fleet = planned(1);
    apply(&fleet.home).code(0);
    let secrets = fleet.home.path("config/msgrctl/tenants/default/secrets.enc");
    assert!(secrets.exists());
    fleet.home.run(&["tenant", "remove", "default", "--with-accounts", "--yes"]).code(0);
    assert!(!secrets.exists(), "a secret is left of it");
}

#[test]
fn no_secret_and_no_comment_stands_in_the_plan() {
    let mut fleet = fleet(2);
    fleet.home.set("VERIFY", "verify-mark-0123456789");
    let account = fleet.account(1, "    token: {env: TOKEN_1, store: file}\n");
    fleet.write(&format!("# comment-mark\n{}{}{account}", fleet.head(), fleet.account(0, "")));
    fleet.plan(&["--out", "p.plan"]).code(0);
    let (app_id, secret) = crate::support::world::app(&fleet.sandbox);
    let tokens = [0, 1].map(|at| crate::support::fleet::token(&fleet.sandbox, at));
    let text = text(&fleet);
    assert!(text.contains(&app_id) && text.contains("env:VERIFY"));
    for mark in tokens.iter().map(String::as_str).chain([secret.as_str(), "verify-mark-0123456789"]) {
        // Wherever in the text of base64 it may begin.
        let encoded = (0..3).map(|skip| {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(&mark.as_bytes()[skip..skip + 12])
        });
        let forms = encoded.chain([mark.to_owned(), mark[4..16].to_owned(), hex::encode(&mark[4..16])]);
        for form in forms.chain([hex::encode(Sha256::digest(mark)), hex::encode(&Sha256::digest(mark)[..8])]) {
            assert!(!text.to_lowercase().contains(&form.to_lowercase()), "{form} is in the plan");
        }
    }
    assert!(!text.contains("comment-mark"));
    // The same secret has another fingerprint in another account.
    let plan: Value = serde_json::from_str(&text).unwrap();
    let prints: Vec<&str> =
        plan["secrets"].as_array().unwrap().iter().map(|one| one["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(prints.len(), 5, "{prints:?}");
    assert!(prints.iter().enumerate().all(|(at, print)| !prints[..at].contains(print)));
    apply(&fleet.home).code(0);
    let ours = ["list", "doctor", "log"].map(|command| match command {
        "list" => fleet.home.run(&["secret", "list", "page-1"]),
        command => fleet.home.run(&[command]),
    });
    assert!(ours.iter().all(|run| !run.stdout.contains("plans-")), "the key is not an account's");
}

#[test]
fn an_edited_plan_is_refused_wherever_it_was_edited() {
    let fleet = planned(1);
    let good = text(&fleet);
    for at in (0..good.len()).step_by(good.len() / 25) {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'a' { b'b' } else { b'a' };
        std::fs::write(plan_file(&fleet), bytes).unwrap();
        refused(&fleet, &[], "plan-edited", "the file is not as it was written");
    }
    for broken in [&good[..good.len() / 2], &good[..good.len() - 10]] {
        std::fs::write(plan_file(&fleet), broken).unwrap();
        assert_ne!(apply(&fleet.home).code, 0);
    }
    // One who makes the digest again lacks the key.
    let forged = with_digest(&good.replace("\"prune\": false", "\"prune\": true"));
    std::fs::write(plan_file(&fleet), forged).unwrap();
    refused(&fleet, &[], "plan-edited", "the key of this tenant's plans in the file store did not make it");
    std::fs::write(
        plan_file(&fleet),
        with_digest(&good.replace("\"allow_commands\": false", "\"allow_commands\": true")),
    )
    .unwrap();
    apply(&fleet.home).code(2).says(&["--allow-commands"]);
    let other = good.replacen(&format!("\"program\": \"{}\"", env!("CARGO_PKG_VERSION")), "\"program\": \"0.0.9\"", 1);
    std::fs::write(plan_file(&fleet), with_digest(&other)).unwrap();
    refused(&fleet, &[], "plan-of-other-version", "it was made by version 0.0.9");
    let plan: Value = serde_json::from_str(&good).unwrap();
    let expired = good.replacen(plan["expires"].as_str().unwrap(), "2026-01-02T00:00:00Z", 1);
    std::fs::write(plan_file(&fleet), with_digest(&expired)).unwrap();
    refused(&fleet, &[], "plan-expired", "could be applied until 2026-01-02T00:00:00Z");
    std::fs::write(plan_file(&fleet), &good).unwrap();
    apply(&fleet.home).code(0);
}

#[test]
fn a_plan_belongs_to_its_tenant_its_graph_and_its_configuration() {
    let fleet = planned(1);
    fleet.home.run(&["tenant", "add", "east", "--host", "east.example"]).code(0);
    refused(&fleet, &["--tenant", "east"], "plan-of-other-tenant", "--tenant says 'east'");
    refused(&fleet, &["--graph-version", "v25.0"], "plan-of-other-graph", "v25.0");
    let elsewhere = fleet.home.path("elsewhere");
    refused(
        &fleet,
        &["--config-dir", elsewhere.to_str().unwrap()],
        "plan-of-other-configuration",
        "another configuration",
    );
    assert!(!elsewhere.exists());
    fleet.home.run(&["apply", "-f", "p.plan"]).code(2).says(&["p.plan is a saved plan", "msgrctl apply p.plan"]);
    fleet.home.run(&["plan", "p.plan"]).code(2).says(&["p.plan is a saved plan"]);
    fleet.home.run(&["apply", "p.plan", "--prune"]).code(2).says(&["--prune is for manifests"]);
    fleet.home.run(&["apply", "p.plan", "accounts.yaml"]).code(2).says(&["without other files"]);
    // The tenant that is worked in does not count: the plan knows its own.
    fleet.home.run(&["tenant", "use", "east"]).code(0);
    apply(&fleet.home).code(0);
    fleet.home.run(&["account", "show", "page-0", "--tenant", "default"]).code(0);
    // A tenant that the plan creates.
    fleet.plan(&["--tenant", "default", "--out", "p.plan"]).code(0);
    let text = std::fs::read_to_string(fleet.home.path("accounts.yaml")).unwrap();
    fleet.write(&text.replace("version: 1\n", "version: 1\ntenant: west\n"));
    fleet.plan(&["--out", "p.plan"]).code(0);
    apply(&fleet.home).code(0).shows(&["1 added"]);
    fleet.home.run(&["tenant", "show", "west"]).code(0);
}

#[test]
fn what_changed_since_the_plan_is_named() {
    let mut fleet = planned(2);
    let good = fleet.home.path("p.plan");
    // A secret.
    let token = crate::support::fleet::token(&fleet.sandbox, 1);
    fleet.home.set("TOKEN_1", &crate::support::fleet::token(&fleet.sandbox, 0));
    refused(&fleet, &[], "plan-stale", "the page access token of 'page-1' (env:TOKEN_1) has another value");
    fleet.home.set("TOKEN_1", &token);
    fleet.home.set("VERIFY", "another");
    refused(&fleet, &[], "plan-stale", "the verify token of 'page-");
    fleet.home.set("VERIFY", "s3cret");
    // The state at Meta, also where nothing would be written over it.
    let app_id = crate::support::world::app(&fleet.sandbox).0;
    let before = fleet.sandbox.world().pages[1].subscribed.insert(app_id.clone(), vec!["standby".into()]);
    refused(&fleet, &[], "plan-stale", "the Page's subscription of 'page-1' was changed at Meta since it was made");
    fleet.sandbox.world().pages[1].subscribed.insert(app_id, before.unwrap());
    let before = fleet.sandbox.world().subscriptions.clone();
    let pages = fleet.sandbox.world().pages.clone();
    crate::support::world::subscribe(&fleet.sandbox, "https://other.example.com/hook", &["messages"]);
    fleet.sandbox.world().pages = pages;
    refused(&fleet, &[], "plan-stale", "the app's webhook of 'page-");
    fleet.sandbox.world().subscriptions = before;
    let name = std::mem::replace(&mut fleet.sandbox.world().pages[0].name, "Renamed".into());
    refused(
        &fleet,
        &[],
        "plan-stale",
        "the Page's name of 'page-0' was changed at Meta since it was made: was Acme Support; is Renamed",
    );
    fleet.sandbox.world().pages[0].name = name;
    // The records, by any command.
    fleet.home.run(&["chat-settings", "set", "--messenger-timeout", "7m"]).code(0);
    refused(&fleet, &[], "plan-stale", "the records of tenant 'default' were changed");
    fleet.home.run(&["undo", "--yes"]).code(0);
    apply(&fleet.home).code(0);
    assert!(good.exists());
}

#[test]
fn a_plan_in_which_an_account_cannot_be_applied_is_not_saved() {
    let mut fleet = Fleet::new(2);
    fleet.manifest(0..2);
    fleet.home.unset("TOKEN_1");
    fleet.plan(&["--out", "p.plan"]).code(9).says(&["no plan was saved"]);
    assert!(!plan_file(&fleet).exists());
    fleet.plan(&["--out", "p.plan", "--offline"]).code(2);
    // Without a store that keeps the key its variable is named. Windows has one.
    fleet.manifest(0..1);
    let key = "MSGRCTL_SECRET_DEFAULT_PLAN_KEY";
    let cannot = "the key of the plan's fingerprints cannot be kept";
    if cfg!(unix) {
        fleet.plan(&["--out", "p.plan"]).code(6).says(&[cannot, key]);
    }
    fleet.home.set("MSGRCTL_STORE", "env");
    fleet.plan(&["--out", "p.plan"]).code(2).says(&[cannot, key]);
    fleet.home.set(key, "guess me");
    fleet.plan(&["--out", "p.plan"]).code(2).says(&["is too short for a key"]);
    fleet.home.set(key, "0123456789abcdef0123456789abcdef-of-the-team");
    fleet.plan(&["--out", "p.plan"]).code(0);
    apply(&fleet.home).code(0);
}

#[cfg(unix)]
#[test]
fn a_killed_apply_makes_its_plan_stale_or_has_done_nothing() {
    let mut kills = Kills::within(Duration::from_millis(250));
    for _ in 0..6 {
        let fleet = planned(3);
        kills.kill(
            &mut fleet.home.msgrctl(&["apply", "p.plan"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap(),
        );
        let again = fleet.home.run(&["apply", "p.plan", "--json"]);
        if again.code != 0 {
            assert_eq!(again.code(1).json_error()["cause"], "plan-stale");
            fleet.plan(&["--out", "p.plan"]).code(0);
            apply(&fleet.home).code(0);
        }
        fleet.plan(&["--exit-code"]).code(0);
        fleet.home.run(&["log", "--verify"]).code(0);
    }
}

#[test]
fn a_plan_as_markdown_is_short_and_nothing_in_it_breaks_out() {
    let fleet = Fleet::new(1);
    let mut text = fleet.head();
    text.push_str(&fleet.account(0, "").replace("name: Page 0", "name: \"@all | `x` <img src=x>\""));
    fleet.write(&text);
    let shown = fleet.plan(&["--format", "markdown"]).code(0).stdout;
    assert!(shown.starts_with("### msgrctl plan, tenant `default`\n\n1 to add, "), "{shown}");
    let row = shown.lines().find(|line| line.contains("page_username")).unwrap();
    assert!(
        row.starts_with("| add | `` @all ¦ `x` <img src=x> `` `all-x-img-src-x` | `page_username` |  | `"),
        "{row}"
    );
    assert!(shown.contains("| `env:TOKEN_0` | `Graph` |"), "{shown}");
    fleet.plan(&["--format", "markdown", "--json"]).code(2);
    // Of many accounts what does not fit is counted.
    let mut many = "version: 1\naccounts:\n".to_owned();
    for at in 0..1000 {
        let id = 100_000_000_000_000_u64 + at;
        writeln!(many, "  - {{name: Acme {at}, page_id: \"{id}\", page_username: acme.{at}, token: {{env: T}}}}")
            .unwrap();
    }
    fleet.write(&many);
    let shown = fleet.plan(&["--format", "markdown", "--offline"]).code(0).stdout;
    assert!(shown.len() < 65_536 && shown.contains("1000 to add"), "{}", shown.len());
    assert!(shown.contains("**Not shown, for want of room: ") && shown.contains(" of 3,000 changes.**"), "{shown}");
}
