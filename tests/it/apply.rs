//! Made as the file says: once, whole, and again after whatever got in between.

use std::time::Duration;

use msgrctl::sandbox::{Fault, TokenState};
use serde_json::{Value, json};

#[cfg(unix)]
use crate::support::pty::Pty;
#[cfg(unix)]
use crate::support::seaweed::{LEAST, Seaweed, seaweed};
#[cfg(unix)]
use crate::support::vault::Folder;
use crate::support::world;
use crate::support::{Fleet, Run};

fn outcome(run: &Run, name: &str) -> Value {
    let results = run.json()["results"].as_array().cloned().unwrap();
    results.into_iter().find(|result| result["account"] == name).unwrap_or_else(|| panic!("{name}: {run:#?}"))
}

#[test]
fn the_second_apply_writes_nothing() {
    let fleet = Fleet::new(3);
    fleet.manifest(0..3);
    fleet.apply(&[]).code(0);
    // Each Page once, the app once.
    assert_eq!(fleet.writes(), 4);
    assert_eq!(fleet.subscribed(2), ["messages", "messaging_postbacks", "message_reads"]);
    let before = std::fs::read(fleet.home.accounts_file()).unwrap();
    let log = std::fs::read(fleet.home.path("config/msgrctl/log.jsonl")).unwrap();
    fleet.apply(&[]).code(0);
    let run = fleet.apply(&["--json"]).code(0);
    assert_eq!(run.json()["summary"]["unchanged"], 3);
    assert_eq!(fleet.writes(), 4);
    assert_eq!(std::fs::read(fleet.home.accounts_file()).unwrap(), before);
    assert_eq!(std::fs::read(fleet.home.path("config/msgrctl/log.jsonl")).unwrap(), log);
    fleet.home.run(&["webhook", "status", "--all"]).code(0);
}

#[test]
fn what_fails_is_reported_for_its_account_and_the_next_run_goes_on() {
    let fleet = Fleet::new(6);
    fleet.manifest(0..6);
    let ids = fleet.trouble();
    let gone = fleet.sandbox.world().pages.remove(2);
    let run = fleet.apply(&["--json"]).code(9);
    assert_eq!(
        run.json()["summary"],
        json!({"added": 2, "changed": 0, "removed": 0, "unchanged": 0, "failed": 4, "left": 0})
    );
    for (at, words, retryable) in [
        (1, "token.valid", false),
        (2, "does not show the token its own Page", false),
        (3, "limits the number of calls", true),
        (4, "page.subscription", true),
    ] {
        let result = outcome(&run, &format!("Page {at}"));
        assert_eq!(result["outcome"], "failed", "{result}");
        assert!(result["error"]["message"].as_str().unwrap().contains(words), "{result}");
        assert_eq!(result["error"]["retryable"], retryable, "{result}");
    }
    assert_eq!(fleet.subscribed(0).len(), 3);
    // What was refused before it began is not here at all; the one whose write failed is.
    let known = fleet.home.run(&["account", "list", "--json"]).code(0).json();
    assert_eq!(known["accounts"].as_array().unwrap().len(), 3);

    fleet.sandbox.world().faults.clear();
    fleet.sandbox.world().page_token_mut(&ids[1]).unwrap().state = TokenState::Valid;
    fleet.sandbox.world().pages.insert(2, gone);
    fleet.apply(&[]).code(0).shows(&["3 added, 1 changed, 0 removed, 2 unchanged"]);
    fleet.plan(&["--exit-code"]).code(0);
}

#[test]
fn limits_of_the_sandboxs_own_clock_end() {
    let clock = msgrctl::clock::Clock::at("2026-11-22T10:00:00Z".parse().unwrap());
    let world = msgrctl::sandbox::World::with_pages(2, clock.clone());
    let mut fleet = Fleet::new(2);
    fleet.sandbox = msgrctl::sandbox::InProcess::start(world).unwrap();
    fleet.home.set("MSGRCTL_GRAPH_URL", &fleet.sandbox.url());
    for at in 0..2 {
        let token = crate::support::fleet::token(&fleet.sandbox, at);
        fleet.home.set(&format!("TOKEN_{at}"), &token);
    }
    // No app secret: a signature of today is none on that clock.
    let head = fleet.head();
    let head = head.lines().filter(|line| !line.contains("app:")).collect::<Vec<_>>().join("\n") + "\n";
    fleet.write(&(head + &fleet.account(0, "") + &fleet.account(1, "")));
    fleet.sandbox.world().rules.rate_limits = true;
    let path = format!("/{}/subscribed_apps", fleet.sandbox.world().pages[1].id);
    let effect = Fault { code: Some(80006), regain_minutes: Some(20), ..Fault::default() };
    fleet.sandbox.world().faults.push(Fault { path: Some(path), times: Some(1), ..effect });
    fleet.apply(&[]).code(9).shows(&["added    Page 0", "wait 20 minutes"]);
    clock.advance(jiff::SignedDuration::from_mins(21));
    fleet.apply(&[]).code(0).shows(&["1 added, 0 changed, 0 removed, 1 unchanged"]);
}

/// What a run should have led to, however it got there.
fn state(fleet: &Fleet, pages: usize) -> (Value, Vec<Vec<String>>, Value) {
    let mut accounts = fleet.home.run(&["account", "list", "--json"]).code(0).json();
    for account in accounts["accounts"].as_array_mut().unwrap() {
        // Each fleet has a receiver of its own.
        for key in ["id", "created_at", "updated_at", "callback_url"] {
            account.as_object_mut().unwrap().remove(key);
        }
    }
    let secrets = fleet.home.run(&["secret", "list", "--json"]).code(0).json();
    let present: Vec<Value> = secrets["secrets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|secret| json!([secret["account"], secret["kind"], secret["present"], secret["source"]]))
        .collect();
    (accounts, (0..pages).map(|at| fleet.subscribed(at)).collect(), json!(present))
}

/// Kills runs at some of their moments, then lets one end: it comes to the same as one that was
/// never killed. `keep` says where a fleet keeps its records and secrets; `kills` are the moments,
/// in tenths of a whole run. Returns both fleets, the calm one first.
fn killed_and_run_again(pages: usize, store: &str, kills: &[u32], keep: &dyn Fn(&mut Fleet)) -> [Fleet; 2] {
    let manifest = |fleet: &Fleet| {
        let head = fleet.head().replace("verify_token: {env: VERIFY}", "verify_token: generate");
        let head = head.replace("accounts:\n", "chat_settings: {messenger_timeout: 15m}\naccounts:\n");
        let account = |at: usize| {
            let token = format!("    token: {{env: TOKEN_{at}, store: {store}}}\n");
            fleet.account(at, &(token + "    messages: {agent-left: disabled}\n"))
        };
        let accounts: String = (0..pages).map(account).collect();
        fleet.write(&(head + &accounts));
    };
    let begin = || {
        let mut fleet = Fleet::new(pages);
        keep(&mut fleet);
        manifest(&fleet);
        fleet
    };
    let calm = begin();
    let start = std::time::Instant::now();
    calm.apply(&[]).code(0);
    let whole = start.elapsed();
    let expected = state(&calm, pages);
    let rough = begin();
    for part in kills {
        let mut child = rough
            .home
            .msgrctl(&["apply", "-f", "accounts.yaml", "--yes"])
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(whole * *part / 10);
        let _ = child.kill();
        child.wait().unwrap();
    }
    rough.apply(&[]).code(0);
    assert_eq!(state(&rough, pages), expected);
    rough.apply(&[]).code(0).shows(&[&format!("nothing to change: {pages} unchanged")]);
    rough.home.run(&["log", "--verify"]).code(0);
    // The app's webhook asks with the token of an account that exists.
    rough.home.run(&["webhook", "status", "--all"]).code(0);
    [calm, rough]
}

#[test]
fn killed_at_any_moment_and_run_again_it_comes_to_the_same() {
    let files = |fleet: &mut Fleet| fleet.home.set("MSGRCTL_STORE", "file");
    let fleets = killed_and_run_again(40, "file", &[3, 9, 6, 2, 8, 5, 7, 4, 9], &files);
    // No secret is left of a run that was killed before its record: the encrypted file
    // has as many entries, of the same lengths.
    let kept = fleets
        .map(|fleet| std::fs::metadata(fleet.home.path("config/msgrctl/tenants/default/secrets.enc")).unwrap().len());
    assert_eq!(kept[0], kept[1]);
}

#[cfg(unix)]
#[test]
fn killed_with_the_records_in_a_bucket_and_the_secrets_in_vault_it_comes_to_the_same() {
    let Some(server) = seaweed() else { return };
    let folders = std::cell::RefCell::new(Vec::new());
    let keep = |fleet: &mut Fleet| {
        let folder = Folder::new().expect("OpenBao runs where SeaweedFS does");
        fleet.home.set("MSGRCTL_STATE", &server.address(&Seaweed::prefix(), "&lease=2"));
        fleet.home.set("AWS_ACCESS_KEY_ID", LEAST[0]);
        fleet.home.set("AWS_SECRET_ACCESS_KEY", LEAST[1]);
        fleet.home.set("VAULT_TOKEN", &folder.token);
        fleet.home.set("VAULT_ADDR", &folder.bao.address);
        fleet
            .home
            .file("config/msgrctl/config.toml", format!("store = \"vault\"\n[vault]\npath = \"{}\"\n", folder.path));
        folders.borrow_mut().push(folder);
    };
    let [calm, rough] = killed_and_run_again(12, "vault", &[3, 6, 8, 5], &keep);
    // No secret is left of a run that was killed before its record.
    for (fleet, folder) in [&calm, &rough].into_iter().zip(folders.borrow().iter()) {
        let listed = fleet.home.run(&["account", "list", "--json"]).code(0).json();
        let mut ids: Vec<String> = listed["accounts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|account| account["id"].as_str().unwrap().into())
            .collect();
        let mut kept = folder.ids();
        ids.sort();
        kept.sort();
        assert_eq!(kept, ids);
        assert!(!fleet.home.accounts_file().exists(), "nothing of it is in files");
    }
}

#[cfg(unix)]
#[test]
fn interrupted_by_a_person_it_says_so_and_goes_on_later() {
    let mut fleet = Fleet::new(30);
    fleet.home.set("MSGRCTL_STORE", "file");
    fleet.manifest(0..30);
    fleet.sandbox.world().rules.latency = Duration::from_millis(400);
    let command = fleet.home.msgrctl(&["apply", "-f", "accounts.yaml", "--yes"]);
    let mut pty = Pty::start(&command, 100);
    pty.expect("asking Graph");
    pty.send("\u{3}");
    let (_, code) = pty.end();
    assert_eq!(code, 130);
    fleet.sandbox.world().rules.latency = Duration::ZERO;
    fleet.apply(&[]).code(0);
    fleet.plan(&["--exit-code"]).code(0);
}

#[test]
fn nothing_goes_by_omission() {
    let mut fleet = Fleet::new(3);
    fleet.home.set("MSGRCTL_STORE", "file");
    let stored = |at: usize| fleet.account(at, &format!("    token: {{env: TOKEN_{at}, store: file}}\n"));
    fleet.write(&(fleet.head() + &stored(0) + &stored(1) + &stored(2)));
    fleet.apply(&[]).code(0);
    fleet.write(&(fleet.head() + &stored(0)));
    fleet.apply(&[]).code(0).shows(&["nothing to change: 1 unchanged"]);
    let run = fleet.home.run(&["apply", "-f", "accounts.yaml", "--prune"]).code(2);
    run.screen("apply-prune-without-terminal");
    assert_eq!(fleet.home.run(&["account", "list", "--json"]).json()["accounts"].as_array().unwrap().len(), 3);
    fleet.plan(&["--prune", "--exit-code"]).code(8);
    fleet.apply(&["--prune"]).code(0);
    let left = fleet.home.run(&["secret", "list", "--json"]).code(0);
    assert!(!left.stdout.contains("Page 1"));
    fleet.home.run(&["log"]).code(0).shows(&["apply"]);
}

#[cfg(unix)]
#[test]
fn it_asks_once_and_no_is_no() {
    let fleet = Fleet::new(2);
    fleet.manifest(0..2);
    let start = || Pty::start(&fleet.home.msgrctl(&["apply", "-f", "accounts.yaml"]), 100);
    let mut no = start();
    no.expect("Page 1 (page-1)");
    no.expect("plan: 2 to add, 0 to change, 0 to remove, 0 unchanged; the webhook of 1 app changes");
    no.expect("Apply this?");
    no.send("n");
    no.send("\r");
    let (_, code) = no.end();
    assert_eq!((code, fleet.writes()), (1, 0));
    assert!(!fleet.home.accounts_file().exists());
    let mut yes = start();
    yes.expect("Apply this?");
    yes.send("y");
    yes.send("\r");
    yes.expect("2 added, 0 changed");
    assert_eq!(yes.end().1, 0);
    assert_eq!(fleet.writes(), 3);
}

#[test]
fn a_stop_at_the_first_failure_leaves_the_rest() {
    let fleet = Fleet::new(3);
    fleet.write(
        &(fleet.head()
            + &fleet.account(0, "    token: {env: MISSING}\n")
            + &fleet.account(1, "")
            + &fleet.account(2, "")),
    );
    let run = fleet.apply(&["--fail-fast", "--json"]).code(9);
    assert_eq!(run.json()["summary"]["left"], 2);
    assert_eq!(fleet.writes(), 0);
    assert!(!fleet.home.accounts_file().exists());
    fleet.apply(&[]).code(9).shows(&["2 added, 0 changed, 0 removed, 0 unchanged, 1 failed"]);
}

#[test]
fn the_tenant_is_the_files_unless_somebody_says_another() {
    let fleet = Fleet::new(1);
    let text = fleet.head().replace("version: 1\n", "version: 1\ntenant: acme\n") + &fleet.account(0, "");
    fleet.write(&text);
    fleet.plan(&[]).code(0).shows(&["+ tenant acme"]);
    fleet.apply(&[]).code(0);
    fleet.home.run(&["account", "list", "--tenant", "acme"]).code(0).shows(&["Page 0"]);
    fleet.home.run(&["tenant", "list"]).code(0).shows(&["acme"]);
    fleet.apply(&[]).code(0).shows(&["nothing to change"]);
    fleet.home.run(&["account", "list", "--json"]).code(0).shows(&["\"accounts\":[]"]);
    fleet.apply(&["--tenant", "default"]).code(0).shows(&["added"]);
    // A tenant that only a flag names is perhaps a typing mistake.
    fleet.apply(&["--tenant", "acne"]).code(1);
}

#[test]
fn what_was_changed_here_is_taken_back_by_undo() {
    let fleet = Fleet::new(2);
    fleet.manifest(0..2);
    fleet.apply(&[]).code(0);
    let before = std::fs::read_to_string(fleet.home.accounts_file()).unwrap();
    let text = std::fs::read_to_string(fleet.home.path("accounts.yaml")).unwrap();
    fleet.write(
        &text
            .replace("accounts:\n", "chat_settings: {messenger_timeout: 20m}\naccounts:\n")
            .replace("name: Page 1", "name: Page One\n    handle: page-1"),
    );
    fleet.apply(&[]).code(0).screen("apply-chat-settings");
    fleet.home.run(&["undo", "--yes"]).code(0);
    assert_eq!(std::fs::read_to_string(fleet.home.accounts_file()).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn a_record_that_somebody_changes_meanwhile_is_left_to_them() {
    let fleet = Fleet::new(2);
    fleet.manifest(0..2);
    fleet.apply(&[]).code(0);
    let text = std::fs::read_to_string(fleet.home.path("accounts.yaml")).unwrap();
    fleet.write(&(text + "    messages: {agent-left: disabled}\n"));
    let mut pty = Pty::start(&fleet.home.msgrctl(&["apply", "-f", "accounts.yaml"]), 100);
    pty.expect("Apply this?");
    fleet.home.run(&["message", "disable", "page-1", "agent-joined"]).code(0);
    pty.send("y");
    pty.send("\r");
    pty.expect("changed it in the meantime");
    assert_eq!(pty.end().1, 9);
    fleet.apply(&[]).code(0).shows(&["0 added, 1 changed"]);
    let shown = fleet.home.run(&["message", "list", "page-1"]).code(0).stdout;
    assert_eq!(shown.matches("disabled").count(), 2, "{shown}");
}

#[test]
fn a_callback_that_does_not_answer_holds_its_apps_pages() {
    let fleet = Fleet::new(2);
    fleet.write(
        &(fleet.head().replace(&fleet.hook.url, &format!("http://{}/hook", world::nowhere()))
            + &fleet.account(0, "")
            + &fleet.account(1, "")),
    );
    let run = fleet.apply(&["--json"]).code(9);
    let message = outcome(&run, "Page 0")["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("app.subscription") && message.contains("handshake"), "{message}");
    // It is saved, so that what is left can be looked into: webhook verify.
    fleet.home.run(&["account", "show", "page-0"]).code(0);
    fleet.manifest(0..2);
    fleet.apply(&[]).code(0);
    fleet.plan(&["--exit-code"]).code(0);
}

#[test]
fn no_output_has_a_secret() {
    let mut fleet = Fleet::new(2);
    fleet.home.set("MSGRCTL_STORE", "file");
    fleet
        .write(&(fleet.head() + &fleet.account(0, "    token: {env: TOKEN_0, store: file}\n") + &fleet.account(1, "")));
    let secrets = [
        crate::support::fleet::token(&fleet.sandbox, 0),
        crate::support::fleet::token(&fleet.sandbox, 1),
        world::app(&fleet.sandbox).1,
        "s3cret".to_owned(),
    ];
    let check = |run: Run| {
        for secret in &secrets {
            assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{secret}: {run:#?}");
        }
    };
    check(fleet.plan(&["-vvv", "--json"]));
    check(fleet.apply(&["-vvv"]));
    check(fleet.home.run(&["export"]));
    fleet.sandbox.world().tokens.iter_mut().for_each(|token| token.state = TokenState::LoggedOut);
    check(fleet.plan(&["-vvv"]));
    check(fleet.apply(&["-vvv", "--json"]));
    for name in ["config/msgrctl/log.jsonl", "config/msgrctl/tenants/default/accounts.toml"] {
        let text = std::fs::read_to_string(fleet.home.path(name)).unwrap();
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "{name}");
    }
}

#[test]
fn nothing_is_removed_while_an_account_cannot_be_made() {
    let mut fleet = Fleet::new(2);
    fleet.home.set("MSGRCTL_STORE", "file");
    let stored = |at: usize| fleet.account(at, &format!("    token: {{env: TOKEN_{at}, store: file}}\n"));
    fleet.write(&(fleet.head() + &stored(0) + &stored(1)));
    fleet.apply(&[]).code(0);
    // Renamed without its handle, its secret where it was: the only copy of it.
    let renamed = fleet.account(0, "    token: {stored: true}\n").replace("Page 0", "Uno");
    fleet.write(&(fleet.head() + &renamed + &stored(1)));
    fleet.apply(&["--prune"]).code(9).says(&["nothing is removed while"]);
    fleet.home.run(&["secret", "reveal", "page-0", "page-access-token"]).code(0);
    // The file of another tenant, and one that names nobody.
    fleet.write(&(fleet.head().replace("version: 1\n", "version: 1\ntenant: blue\n") + &stored(0)));
    fleet.apply(&["--prune", "--tenant", "default"]).code(2).says(&["the file is for the tenant 'blue'"]);
    fleet.write("version: 1\n");
    fleet.apply(&["--prune"]).code(2).says(&["the file names no account"]);
    assert_eq!(fleet.home.run(&["account", "list", "--json"]).json()["accounts"].as_array().unwrap().len(), 2);
}

#[cfg(unix)]
#[test]
fn what_the_file_does_not_name_is_not_lost_meanwhile() {
    let fleet = Fleet::new(1);
    fleet.write("version: 1\nchat_settings: {messenger_timeout: 15m}\naccounts: []\n");
    let mut pty = Pty::start(&fleet.home.msgrctl(&["apply", "-f", "accounts.yaml"]), 100);
    pty.expect("Apply this?");
    fleet.home.run(&["chat-settings", "set", "session-ended", "--text", "Bye"]).code(0);
    pty.send("y");
    pty.send("\r");
    assert_eq!(pty.end().1, 0);
    let shown = fleet.home.run(&["chat-settings", "show"]).code(0);
    shown.shows(&["Bye", "15m"]);
}

#[test]
fn names_can_be_exchanged() {
    let fleet = Fleet::new(2);
    fleet.manifest(0..2);
    fleet.apply(&[]).code(0);
    let named = |at: usize, name: &str| {
        fleet.account(at, &format!("    handle: page-{at}\n")).replace(&format!("Page {at}"), name)
    };
    fleet.write(&(fleet.head() + &named(0, "Page 1") + &named(1, "Page 0")));
    fleet.apply(&["--fail-fast"]).code(0).shows(&["2 changed"]);
    fleet.home.run(&["account", "show", "page-0"]).code(0).shows(&["Page 1"]);
}

#[test]
fn another_configuration_has_secrets_of_its_own() {
    let fleet = Fleet::new(1);
    fleet.manifest(0..1);
    let id = |run: Run| run.code(0).json()["accounts"][0]["id"].clone();
    fleet.apply(&[]).code(0);
    let here = id(fleet.home.run(&["account", "list", "--json"]));
    let elsewhere = fleet.home.path("elsewhere").display().to_string();
    fleet.apply(&["--config-dir", &elsewhere]).code(0);
    let there = id(fleet.home.run(&["account", "list", "--json", "--config-dir", &elsewhere]));
    assert_ne!(there, here);
    // The same directory is the same one, however it is named and whether it is there yet.
    std::fs::remove_dir_all(&elsewhere).unwrap();
    fleet.apply(&["--config-dir", "elsewhere"]).code(0);
    assert_eq!(id(fleet.home.run(&["account", "list", "--json", "--config-dir", "elsewhere"])), there);
}
