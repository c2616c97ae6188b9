//! `msgrctl doctor`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::bus::SilentBus;
use crate::support::pty::Pty;
use crate::support::world::{PAGE_ID, acme, page_token, sandbox};
use crate::support::{Bus, Home, Run};

#[track_caller]
fn check(run: &Run, id: &str) -> Value {
    let value = run.json();
    let found = value["checks"].as_array().unwrap().iter().find(|check| check["id"] == id).cloned();
    found.unwrap_or_else(|| panic!("no check {id}: {run:#?}"))
}

const DOCTOR: [&str; 2] = ["doctor", "--json"];

#[test]
fn all_is_well() {
    let Some(bus) = Bus::with_keyring() else { return };
    let sandbox = sandbox();
    let home = Home::on(&bus).with("MSGRCTL_GRAPH_URL", &sandbox.url());
    home.run_with(&["account", "add", "Acme", "--token-stdin"], page_token(&sandbox)).code(0);
    let before = bus.entries();
    let run = home.run(&DOCTOR).code(0);
    let value = run.json();
    let ids: Vec<&str> =
        value["checks"].as_array().unwrap().iter().map(|check| check["id"].as_str().unwrap()).collect();
    assert_eq!(
        ids,
        [
            "msgrctl.version",
            "config.file",
            "accounts.file",
            "accounts.names",
            "files.modes",
            "store.keyring",
            "secrets.present",
            "secrets.left_behind",
            "proxy",
            "tls.certificates",
            "graph.reachable",
            "graph.version",
            "clock",
        ]
    );
    assert!(check(&run, "store.keyring")["summary"].as_str().unwrap().contains("chosen by the default"));
    assert_eq!(bus.entries(), before, "the throw-away secret is gone");
    home.run(&["doctor"]).code(0);
}

#[test]
fn a_store_that_does_not_answer_is_named_with_its_ways_out() {
    let run = Home::new().with("MSGRCTL_GRAPH_URL", "http://127.0.0.1:1").run(&DOCTOR).code(7);
    let store = check(&run, "store.keyring");
    assert_eq!(store["outcome"], "fail");
    assert!(store["hint"].as_str().unwrap().contains("dbus-run-session"), "{store}");
    let silent = SilentBus::start();
    let home =
        Home::new().with("DBUS_SESSION_BUS_ADDRESS", &silent.address).with("MSGRCTL_GRAPH_URL", "http://127.0.0.1:1");
    let run = home.run(&DOCTOR).code(7);
    assert!(check(&run, "store.keyring")["summary"].as_str().unwrap().contains("did not answer within 3 s"));
    assert!(run.took < std::time::Duration::from_secs(6), "{:?}", run.took);
}

#[test]
fn missing_secrets_and_secrets_of_nobody_are_found_with_their_commands() {
    let Some(bus) = Bus::with_keyring() else { return };
    let sandbox = sandbox();
    let home = Home::on(&bus).with("MSGRCTL_GRAPH_URL", &sandbox.url());
    home.run_with(&["account", "add", "Acme", "--token-stdin"], page_token(&sandbox)).code(0);
    home.run_with(&["account", "add", "Gone", "--token-stdin"], page_token(&sandbox)).code(0);
    // A process that was killed between the record and the secrets leaves these.
    let text = fs::read_to_string(home.accounts_file()).unwrap();
    fs::write(home.accounts_file(), &text[..text.rfind("[[accounts]]").unwrap()]).unwrap();
    let id = text.lines().find_map(|line| line.strip_prefix("id = ")).unwrap().trim_matches('"').to_owned();
    let clear = bus
        .program("secret-tool")
        .args(["clear", "service", "msgrctl", "username", &format!("{id}/verify-token")])
        .status();
    assert!(clear.unwrap().success());
    let run = home.run(&DOCTOR).code(7);
    let missing = check(&run, "secrets.present");
    assert!(missing["hint"].as_str().unwrap().ends_with("; then: msgrctl webhook rotate acme --yes"), "{missing}");
    home.run(&["webhook", "rotate", "acme", "--yes"]).code(0);
    home.run(&["secret", "remove", "--left-behind", "--store", "env", "--yes"]).code(2).says(&["--store keyring"]);
    // The account is named, the condition stands before the command, and the command asks.
    let found = check(&home.run(&DOCTOR).code(7), "secrets.left_behind");
    assert!(
        found["summary"].as_str().unwrap().contains("'Gone': page access token, verify token, in the keyring"),
        "{found}"
    );
    let hint = found["hint"].as_str().unwrap();
    assert!(hint.contains("another configuration directory of yours shares the keyring"), "{hint}");
    assert!(hint.ends_with("; then: msgrctl secret remove --left-behind"), "{hint}");
    let remove = ["secret", "remove", "--left-behind"];
    home.run(&remove).code(2).screen("secret-remove-left-behind-without-terminal");
    check(&home.run(&DOCTOR).code(7), "secrets.left_behind");
    let mut pty = Pty::start(&home.msgrctl(&remove), 100);
    pty.expect("'Gone'");
    pty.expect("Remove these secrets (2)?");
    pty.send("\r");
    assert_eq!(pty.end().1, 1);
    home.run(&[&remove[..], &["--store", "file", "--yes"]].concat()).code(0).says(&["no secret is left behind"]);
    let run = home.run(&[&remove[..], &["--yes", "--json"]].concat()).code(0);
    assert_eq!(run.json()["removed"], 2);
    home.run(&DOCTOR).code(0);
    home.run(&[&remove[..], &["--yes"]].concat()).code(0).says(&["no secret is left behind"]);
    // What belongs to an account is no entry to remove this way.
    home.run(&["secret", "remove", "--entry", &format!("{id}/verify-token"), "--yes"])
        .code(1)
        .says(&["belongs to an account"]);
}

#[test]
fn every_tenant_is_looked_at_and_named() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, false);
    let key = home.file("key", [7; 64]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    home.set("MSGRCTL_KEY_FILE", &key.to_string_lossy());
    home.run(&["tenant", "add", "second", "--host", "second.example.com"]).code(0);
    let add = ["account", "add", "--no-test", "--tenant", "second", "--store", "file", "--token-stdin"];
    for at in 0..12 {
        let (name, id) = (format!("Gone {at}"), format!("{}", 109_000_000_000_000_u64 + at));
        let more = [name.as_str(), "--page-username", "gone.page", "--page-id", &id];
        home.run_with(&[&add[..], &more].concat(), "EAAx").code(0);
    }
    home.run(&DOCTOR).code(0);
    // The file of the other tenant loses its secret, and its records lose twelve accounts but one.
    let records = home.path("config/msgrctl/tenants/second/accounts.toml");
    let text = fs::read_to_string(&records).unwrap();
    let second = text.match_indices("[[accounts]]").nth(1).unwrap().0;
    fs::write(&records, text[..second].replace("verify_token = \"file\"", "verify_token = \"env:NOT_SET\"")).unwrap();
    let run = home.run(&DOCTOR).code(7);
    let missing = check(&run, "secrets.present");
    assert!(missing["summary"].as_str().unwrap().starts_with("in tenant second: gone-0: "), "{missing}");
    let found = check(&run, "secrets.left_behind");
    let summary = found["summary"].as_str().unwrap();
    assert!(
        summary.contains("configuration: 23; ") && summary.contains("in the encrypted file of tenant second"),
        "{found}"
    );
    assert!(!found["hint"].as_str().unwrap().contains("keyring"), "{found}");
    // One command for all of them.
    home.run(&["secret", "remove", "--left-behind", "--yes"]).code(0).shows(&["23"]);
    assert_eq!(check(&home.run(&DOCTOR), "secrets.left_behind")["outcome"], "pass");
    home.run(&["secret", "reveal", "gone-0", "page-access-token", "--tenant", "second"]).code(0).shows(&["EAAx"]);
}

#[test]
fn commands_for_another_tenant_name_it() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, false);
    let key = home.file("key", [7; 64]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    home.set("MSGRCTL_KEY_FILE", &key.to_string_lossy());
    home.run(&["tenant", "add", "second", "--host", "second.example.com"]).code(0);
    let add = ["account", "add", "Other", "--no-test", "--tenant", "second", "--store", "file", "--token-stdin"];
    home.run_with(&[&add[..], &["--page-username", "other.page", "--page-id", PAGE_ID]].concat(), "EAAx").code(0);
    fs::remove_file(home.path("config/msgrctl/tenants/second/secrets.enc")).unwrap();
    let found = check(&home.run(&DOCTOR).code(7), "secrets.present");
    let hint = found["hint"].as_str().unwrap();
    assert!(hint.ends_with("msgrctl secret set other page-access-token --stdin --yes --tenant second"), "{found}");
    // A tenant that is not there is not one without accounts.
    home.run(&["doctor", "--tenant", "secnod"]).code(1);
}

#[test]
fn files_that_others_may_read_are_found() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    home.run(&DOCTOR).code(0);
    fs::set_permissions(home.accounts_file(), fs::Permissions::from_mode(0o644)).unwrap();
    let run = home.run(&DOCTOR).code(7);
    let hint = check(&run, "files.modes")["hint"].as_str().unwrap().to_owned();
    assert!(home.program("sh").args(["-c", &hint]).status().unwrap().success(), "{hint}");
    home.run(&DOCTOR).code(0);
}

#[test]
fn broken_files_are_found_with_their_place() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    fs::write(home.accounts_file(), "schema_version = 1\nbroken").unwrap();
    let run = home.run(&DOCTOR).code(7);
    assert!(check(&run, "accounts.file")["summary"].as_str().unwrap().contains("accounts.toml:2:"));
    home.file("config/msgrctl/config.toml", "tenat = 'x'");
    let run = home.run(&DOCTOR).code(7);
    assert!(check(&run, "config.file")["summary"].as_str().unwrap().contains("tenat"));
}

#[test]
fn the_way_to_graph_is_looked_at() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false).with("HTTPS_PROXY", "http://user:proxymark@127.0.0.1:1");
    let run = home.run(&[&DOCTOR[..], &["--graph-version", "v18.0"]].concat()).code(7);
    assert_eq!(check(&run, "graph.version")["outcome"], "warn");
    assert!(check(&run, "proxy")["summary"].as_str().unwrap().contains("HTTPS_PROXY"));
    // One that cannot be used is left aside by every library; here that is said.
    let home = acme(&sandbox, false).with("HTTPS_PROXY", "foo://user:proxymark@127.0.0.1:1");
    let run = home.run(&["doctor", "--json"]).code(7);
    let found = check(&run, "proxy");
    assert_eq!(found["outcome"], "fail", "{found}");
    assert!(!run.stdout.contains("proxymark") && found["hint"].as_str().unwrap().contains("http://HOST:PORT"));
    assert!(!run.stdout.contains("proxymark"));
    drop(sandbox);
    let run = home.run(&DOCTOR).code(7);
    assert_eq!(check(&run, "graph.reachable")["outcome"], "unreachable");
}

#[test]
fn the_encrypted_file_is_tried_too() {
    let home = Home::new()
        .with("MSGRCTL_STORE", "file")
        .with("MSGRCTL_PASSPHRASE", "correct horse battery")
        .with("MSGRCTL_GRAPH_URL", "http://127.0.0.1:1");
    assert_eq!(check(&home.run(&DOCTOR), "store.file")["outcome"], "pass");
    let add =
        ["account", "add", "Acme", "--page-username", "a.page", "--page-id", PAGE_ID, "--no-test", "--token-stdin"];
    home.run_with(&add, "EAAx").code(0);
    assert_eq!(check(&home.run(&DOCTOR), "store.file")["outcome"], "pass");
    let wrong = home.with("MSGRCTL_PASSPHRASE", "another passphrase");
    let run = wrong.run(&DOCTOR).code(7);
    assert!(check(&run, "store.file")["summary"].as_str().unwrap().contains("the passphrase does not open"));
}

#[test]
fn an_old_copy_in_another_store_is_found() {
    let Some(bus) = Bus::with_keyring() else { return };
    let sandbox = sandbox();
    let home = Home::on(&bus).with("MSGRCTL_GRAPH_URL", &sandbox.url()).with("TOK", &page_token(&sandbox));
    home.run_with(&["account", "add", "Acme", "--token-stdin"], page_token(&sandbox)).code(0);
    // As after a kill between the record and the removal of the old copy.
    let text = fs::read_to_string(home.accounts_file()).unwrap();
    fs::write(home.accounts_file(), text.replace("page_access_token = \"keyring\"", "page_access_token = \"env:TOK\""))
        .unwrap();
    let found = check(&home.run(&DOCTOR).code(7), "secrets.left_behind");
    assert!(found["summary"].as_str().unwrap().contains("'Acme': page access token, in the keyring"), "{found}");
}

#[test]
fn a_machine_without_a_keyring_is_well_when_nothing_needs_one() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, false);
    home.unset("MSGRCTL_STORE");
    let run = home.run(&DOCTOR).code(0);
    assert_eq!(check(&run, "store.keyring")["outcome"], "skip");
    assert_eq!(check(&run, "secrets.left_behind")["outcome"], "pass");
}

#[test]
fn a_missing_variable_is_named_for_its_kind() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, true);
    home.unset("MSGRCTL_SECRET_ACME_APP_SECRET");
    let found = check(&home.run(&DOCTOR).code(7), "secrets.present");
    assert!(found["hint"].as_str().unwrap().contains("MSGRCTL_SECRET_ACME_APP_SECRET"), "{found}");
}
