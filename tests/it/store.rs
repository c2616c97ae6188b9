//! `accounts.toml` under pressure.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use rand::RngExt as _;

use crate::support::world::PAGE_ID;
use crate::support::{Bus, Home, Kills};

fn add(home: &Home, name: &str) -> std::process::Command {
    let arguments = [
        "account",
        "add",
        name,
        "--page-username",
        "acme.support",
        "--page-id",
        PAGE_ID,
        "--token-file",
        "token",
        "--no-test",
        "-q",
    ];
    home.msgrctl(&arguments)
}

fn handles(home: &Home) -> Vec<String> {
    let value = home.run(&["account", "list", "--json"]).code(0).json();
    let accounts = value["accounts"].as_array().unwrap();
    accounts.iter().map(|account| account["handle"].as_str().unwrap().to_owned()).collect()
}

fn leftovers(home: &Home) -> Vec<String> {
    let dir = home.accounts_file();
    let names = fs::read_dir(dir.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.to_string_lossy().into_owned()).filter(|name| name.contains(".new")).collect()
}

#[test]
fn fifty_at_once_all_survive() {
    let Some(bus) = Bus::with_keyring() else { return };
    let home = Home::on(&bus);
    home.file("token", "EAAx");
    let children: Vec<_> = (0..50)
        .map(|at| add(&home, &format!("Account {at}")).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let mut found = handles(&home);
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 50);
    assert!(leftovers(&home).is_empty());
    assert_eq!(bus.entries().matches("label = msgrctl:").count(), 100);
}

/// What a test of kills believes: the accounts on disk, each with the entries
/// that its record names.
#[track_caller]
fn assert_whole(home: &Home, bus: &Bus) {
    let value = home.run(&["account", "list", "--json"]).code(0).json();
    let entries = bus.entries();
    for account in value["accounts"].as_array().unwrap() {
        for secret in account["secrets"].as_array().unwrap() {
            let kind = secret["kind"].as_str().unwrap().replace('_', "-");
            let entry = format!("attribute.username = {}/{kind}\n", account["id"].as_str().unwrap());
            assert!(entries.contains(&entry), "{account} names a secret that is gone");
        }
    }
}

#[test]
fn killed_at_any_moment_nothing_breaks_and_no_stored_secret_is_lost() {
    let Some(bus) = Bus::with_keyring() else { return };
    let home = Home::on(&bus);
    home.file("token", "EAAx");
    let mut rng = rand::rng();
    let mut kills = Kills::within(Duration::from_millis(60));
    for round in 0..300 {
        let name = format!("account-{}", rng.random_range(0..6));
        let mut command = match rng.random_range(0..5) {
            0 => home.msgrctl(&["account", "remove", &name, "--yes", "-q"]),
            1 => home.msgrctl(&["account", "edit", &name, "--token-file", "token", "--no-test", "--yes", "-q"]),
            _ => add(&home, &name),
        };
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        kills.kill(&mut child);
        if round % 10 == 9 {
            assert_whole(&home, &bus);
        }
    }
    assert!(kills.killed > 50, "only {} of 300 were killed in time", kills.killed);
    assert_whole(&home, &bus);
    // The next save clears what the killed ones left.
    add(&home, "the last").stdout(Stdio::null()).status().unwrap();
    assert!(leftovers(&home).is_empty());
}

#[test]
fn a_full_disk_leaves_the_old_file_and_takes_the_secret_back() {
    let Some(bus) = Bus::with_keyring() else { return };
    let home = Home::on(&bus);
    home.file("token", "EAAx");
    assert!(add(&home, "First").stdout(Stdio::null()).status().unwrap().success());
    let before = fs::read(home.accounts_file()).unwrap();
    // No file may grow: writing fails as it does on a full disk.
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"";
    let mut command = home.program("sh");
    let binary = add(&home, "Second");
    command.args(["-c", script]).arg(binary.get_program()).args(binary.get_args());
    let run = crate::support::Run::of(command, b"");
    run.code(3).says(&["cannot write", "accounts.toml", "nothing was saved, and the secrets were rolled back"]);
    assert_eq!(fs::read(home.accounts_file()).unwrap(), before);
    assert!(leftovers(&home).is_empty());
    assert!(!bus.entries().contains("Second"), "{}", bus.entries());
}

#[test]
fn files_are_private() {
    let home = Home::new().with_secrets("acme", "EAAx");
    home.run(&["account", "add", "Acme", "--page-username", "a.page", "--page-id", PAGE_ID, "--no-test"]).code(0);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.accounts_file()), 0o600);
    assert_eq!(mode(home.accounts_file().parent().unwrap()), 0o700);
    assert_eq!(mode(&home.path("config/msgrctl")), 0o700);
    let text = fs::read_to_string(home.accounts_file()).unwrap();
    assert!(!text.contains("EAAx"), "{text}");
}

#[test]
fn a_lock_that_a_killed_process_left_blocks_nobody() {
    let home = Home::new().with_secrets("acme", "EAAx");
    home.file("config/msgrctl/tenants/default/.accounts.toml.lock", "");
    home.run(&["account", "add", "Acme", "--page-username", "a.page", "--page-id", PAGE_ID, "--no-test"]).code(0);
}

#[test]
fn broken_files_are_named_with_the_place_and_never_touched() {
    let home = Home::new().with_secrets("other", "EAAx").with_secrets("acme", "EAAx");
    home.run(&["account", "add", "Acme", "--page-username", "a.page", "--page-id", PAGE_ID, "--no-test"]).code(0);
    let good = fs::read_to_string(home.accounts_file()).unwrap();
    let cases = [
        (good.replace("page_username =", "page_usrname ="), "page_usrname", "'page_username'"),
        (good.replace("schema_version = 1", "schema_version = 9"), "newer msgrctl", "nothing was changed"),
        (good.replace(&format!("\"{PAGE_ID}\""), PAGE_ID), "expected a string", "accounts.toml:"),
        (good.replace("\"facebook\"", "\"fax\""), "fax", "accounts.toml:"),
        (format!("{good}\n[[accounts"), "accounts.toml:", "hint:"),
        (good.split_at(good.len() / 2).0.to_owned(), "accounts.toml:", "hint:"),
    ];
    for (text, says, too) in cases {
        fs::write(home.accounts_file(), &text).unwrap();
        home.run(&["account", "list"]).code(3).says(&[says, too]);
        home.run(&["account", "add", "Other", "--page-username", "a.page", "--page-id", PAGE_ID, "--no-test"]).code(3);
        home.run(&["account", "remove", "acme", "--yes"]).code(3);
        assert_eq!(fs::read_to_string(home.accounts_file()).unwrap(), text);
    }
    fs::write(home.accounts_file(), [0xff, 0xfe]).unwrap();
    home.run(&["account", "list"]).code(3).says(&["cannot read", "UTF-8"]);
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let home = Home::new().with_secrets("acme", "EAAx");
    home.file("config", "a file where a directory should be");
    home.run(&["account", "add", "Acme", "--page-username", "a.page", "--page-id", PAGE_ID, "--no-test"])
        .code(3)
        .says(&["config"]);
}

#[test]
fn a_change_made_meanwhile_is_not_lost() {
    let sandbox = crate::support::world::sandbox();
    let home = crate::support::world::acme(&sandbox, false);
    sandbox.world().rules.latency = Duration::from_millis(800);
    let mut slow = home.msgrctl(&["account", "edit", "acme", "--page-username", "AcmeSupport", "-q"]);
    let mut slow = slow.stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    home.run(&["account", "edit", "acme", "--callback-url", "https://example.com/hook"]).code(0);
    home.run(&["account", "rename", "acme", "Renamed"]).code(0);
    assert!(slow.wait().unwrap().success());
    let shown = home.run(&["account", "show", "acme", "--json"]).code(0).json();
    assert_eq!(shown["account"]["page_username"], "AcmeSupport");
    assert_eq!(shown["account"]["callback_url"], "https://example.com/hook");
    assert_eq!(shown["account"]["name"], "Renamed");
}
