//! The cost of a change grows with the change: n accounts write each file a bounded number
//! of times, whatever is done with them.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Bus, Fleet, Writes};

/// A fleet whose secrets go into the encrypted file, and the manifest of so many of its
/// accounts: nothing is set at Meta.
fn stored(pages: usize) -> Fleet {
    let mut fleet = Fleet::new(pages);
    fleet.home.set("MSGRCTL_STORE", "file");
    keep(&fleet, 0..pages);
    fleet
}

/// The manifest of the accounts at these places.
fn keep(fleet: &Fleet, places: impl IntoIterator<Item = usize>) {
    let mut text = "version: 1\naccounts:\n".to_owned();
    for at in places {
        let more = format!("    token: {{env: TOKEN_{at}, store: file}}\n    webhook: {{verify_token: generate}}\n");
        write!(text, "{}", fleet.account(at, &more)).unwrap();
    }
    fleet.write(&text);
}

/// Counts what is written of the default tenant.
fn writes(fleet: &Fleet) -> Writes {
    Writes::of(&fleet.home.path("config/msgrctl/tenants/default"))
}

#[track_caller]
fn assert_few(writes: &Writes) {
    let counts = writes.take();
    assert!(!counts.is_empty() && counts.values().all(|count| *count <= 25), "{counts:?}");
}

fn accounts(fleet: &Fleet) -> usize {
    fleet.home.run(&["account", "list", "--json"]).code(0).json()["accounts"].as_array().unwrap().len()
}

/// Which accounts the last line of the log says were removed.
fn removed_by_log(fleet: &Fleet) -> Vec<String> {
    let entries = fleet.home.run(&["log", "--json"]).code(0).json();
    let last = entries["entries"].as_array().unwrap().last().unwrap().clone();
    let changes = last["changes"].as_array().unwrap().iter().filter(|change| change["what"] == "removed");
    changes.map(|change| change["of"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn removing_many_takes_as_long_as_adding_them() {
    const PAGES: usize = 250;
    let fleet = stored(PAGES);
    let added = fleet.apply(&["-q"]).code(0).took;
    let writes = writes(&fleet);
    keep(&fleet, [0]);
    let removed = fleet.apply(&["--prune", "-q"]).code(0).took;
    assert_few(&writes);
    assert!(removed < added * 3, "added in {added:?}, removed in {removed:?}");
    assert_eq!(accounts(&fleet), 1);
    assert_eq!(removed_by_log(&fleet).len(), PAGES - 1);
    let secrets = fleet.home.run(&["secret", "list", "--json"]).code(0).json();
    assert_eq!(secrets["secrets"].as_array().unwrap().len(), 2);
    assert_eq!(check(&fleet, "secrets.present")["outcome"], "pass");
}

#[test]
fn other_changes_of_many_accounts_are_few_writes_too() {
    const PAGES: usize = 120;
    let fleet = stored(PAGES);
    fleet.apply(&["-q"]).code(0);
    let writes = writes(&fleet);
    // Old copies go together, also one at a time: a stop at the first failure is none.
    let referred: String =
        (0..PAGES).map(|at| fleet.account(at, &format!("    token: {{env: TOKEN_{at}}}\n"))).collect();
    fleet.write(&format!("version: 1\naccounts:\n{referred}"));
    fleet.apply(&["--fail-fast", "-q"]).code(0);
    assert_few(&writes);
    fleet.home.run(&["message", "disable", "--all-accounts", "agent-left"]).code(0);
    assert_few(&writes);
    // An undo of what added them removes as many secrets.
    keep(&fleet, 0..PAGES);
    fleet.apply(&["-q"]).code(0);
    writes.take();
    fleet.home.run(&["undo", "--yes"]).code(0);
    assert_few(&writes);
    // What is left behind goes together.
    keep(&fleet, 0..PAGES);
    fleet.apply(&["-q"]).code(0);
    std::fs::remove_file(fleet.home.accounts_file()).unwrap();
    writes.take();
    let run = fleet.home.run(&["secret", "remove", "--left-behind", "--store", "file", "--yes"]).code(0);
    run.shows(&["removed secrets that belonged to no account: "]);
    assert_eq!(writes.take().get("secrets.enc"), Some(&1));
}

#[test]
fn moving_many_is_few_writes_and_names_each_that_stays() {
    const PAGES: usize = 110;
    let Some(bus) = Bus::with_keyring() else { return };
    let mut fleet = stored(PAGES);
    fleet.home.set("DBUS_SESSION_BUS_ADDRESS", &bus.address);
    fleet.apply(&["-q"]).code(0);
    let writes = writes(&fleet);
    let moved = |fleet: &Fleet, to: &str| {
        let run = fleet.home.run(&["secret", "move", "--all", "--to", to]).code(0);
        run.shows(&[&format!("moved {} secrets to the {to} store", 2 * PAGES)]);
    };
    moved(&fleet, "keyring");
    assert_few(&writes);
    assert_all_present(&fleet, "keyring");
    moved(&fleet, "file");
    assert_few(&writes);
    assert_all_present(&fleet, "file");
    fleet.home.run(&["log"]).code(0).shows(&["secret move"]);
    // The file cannot be locked: each account stays as it is, and is named.
    fleet.home.run(&["secret", "move", "page-3", "page-4", "--to", "keyring"]).code(0);
    let before = std::fs::read_to_string(fleet.home.accounts_file()).unwrap();
    block(&fleet);
    let run = fleet.home.run(&["secret", "move", "page-3", "page-4", "page-4", "--to", "file"]).code(3);
    run.says(&["'Page 3'", "'Page 4'", "it is a directory, not a regular file"]);
    assert_eq!(std::fs::read_to_string(fleet.home.accounts_file()).unwrap(), before);
}

/// Every secret is in that store, and no copy of it in another.
#[track_caller]
fn assert_all_present(fleet: &Fleet, store: &str) {
    let listed = fleet.home.run(&["secret", "list", "--json"]).code(0).json();
    for secret in listed["secrets"].as_array().unwrap() {
        assert_eq!((&secret["present"], &secret["source"]), (&true.into(), &store.into()), "{secret}");
    }
    assert_eq!(check(fleet, "secrets.left_behind")["outcome"], "pass");
}

/// What doctor says of one thing.
fn check(fleet: &Fleet, id: &str) -> Value {
    let found = fleet.home.run(&["doctor", "--json"]).json();
    found["checks"].as_array().unwrap().iter().find(|check| check["id"] == id).unwrap().clone()
}

/// Has every write of the encrypted file fail.
fn block(fleet: &Fleet) {
    let lock = fleet.home.path("config/msgrctl/tenants/default/.secrets.enc.lock");
    let _ = std::fs::remove_file(&lock);
    std::fs::create_dir(lock).unwrap();
}

#[test]
fn moves_that_are_killed_at_each_step_lose_no_secret() {
    const PAGES: usize = 6;
    let Some(bus) = Bus::with_keyring() else { return };
    let mut fleet = stored(PAGES);
    fleet.home.set("DBUS_SESSION_BUS_ADDRESS", &bus.address);
    fleet.apply(&["-q"]).code(0);
    let fingerprints = || {
        let listed = fleet.home.run(&["secret", "list", "--json"]).code(0).json();
        let secrets = listed["secrets"].as_array().unwrap();
        secrets.iter().map(|secret| secret["fingerprint"].as_str().unwrap_or("gone").to_owned()).collect::<Vec<_>>()
    };
    let before = fingerprints();
    assert_eq!(before.len(), 2 * PAGES);
    let mut killed = 0;
    for round in 0..12 {
        let (to, file) = [
            ("keyring", "accounts.toml"),
            ("file", "secrets.enc"),
            ("file", "accounts.toml"),
            ("keyring", "secrets.enc"),
        ][round % 4];
        let writes = writes(&fleet);
        let mut command = fleet.home.msgrctl(&["secret", "move", "--all", "--to", to, "-q"]);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        // Killed as soon as the first of its files is in place.
        while !writes.take().contains_key(file) && child.try_wait().unwrap().is_none() {}
        let _ = child.kill();
        killed += usize::from(child.wait().unwrap().code().is_none());
        assert_eq!(fingerprints(), before, "round {round}");
    }
    assert!(killed > 0, "none was killed in time");
    fleet.home.run(&["secret", "move", "--all", "--to", "file"]).code(0);
    assert_eq!(fingerprints(), before);
    assert_eq!(bus.entries(), "", "no copy is left behind");
}

#[test]
fn what_was_removed_before_a_failure_is_gone_and_the_rest_is_as_it_was() {
    let fleet = stored(6);
    // Two of them keep nothing here, and can be removed whatever happens to the file.
    let mixed: String = (0..6)
        .map(|at| {
            let store = if at % 3 == 1 { "" } else { ", store: file" };
            fleet.account(at, &format!("    token: {{env: TOKEN_{at}{store}}}\n"))
        })
        .collect();
    let mixed = format!("version: 1\naccounts:\n{mixed}");
    fleet.write(&mixed);
    fleet.apply(&["-q"]).code(0);
    let before = std::fs::read_to_string(fleet.home.accounts_file()).unwrap();
    block(&fleet);
    fleet.write(&format!("version: 1\naccounts:\n{}", fleet.account(0, "    token: {env: TOKEN_0, store: file}\n")));
    let run = fleet.apply(&["--prune"]).code(9);
    run.shows(&["removed  Page 1", "removed  Page 4", "failed   Page 2", "failed   Page 3", "failed   Page 5"]);
    let left = fleet.home.run(&["account", "list", "--json"]).code(0).json();
    let left: Vec<&str> =
        left["accounts"].as_array().unwrap().iter().map(|account| account["name"].as_str().unwrap()).collect();
    assert_eq!(left, ["Page 0", "Page 2", "Page 3", "Page 5"], "in their order");
    let mut removed = removed_by_log(&fleet);
    removed.sort();
    assert_eq!(removed, ["Page 1", "Page 4"]);
    // A failure of all is no change, and does not take the place of the last one.
    fleet.apply(&["--prune"]).code(9);
    fleet.home.run(&["account", "remove", "page-3", "--yes"]).code(3).says(&["the account is still there"]);
    fleet.home.run(&["tenant", "remove", "default", "--with-accounts", "--yes"]).code(3).says(&[
        "'Page 2'",
        "'Page 3'",
        "0 of 4 accounts were removed, and the tenant stays",
    ]);
    fleet.home.run(&["undo", "--yes"]).code(0).shows(&["'apply'"]);
    assert_eq!(std::fs::read_to_string(fleet.home.accounts_file()).unwrap(), before);
}

#[test]
fn a_tenant_that_is_removed_can_be_interrupted() {
    const PAGES: usize = 60;
    let Some(bus) = Bus::with_keyring() else { return };
    let mut fleet = stored(PAGES);
    fleet.home.set("DBUS_SESSION_BUS_ADDRESS", &bus.address);
    fleet.home.set("MSGRCTL_STORE", "keyring");
    let stored: String =
        (0..PAGES).map(|at| fleet.account(at, &format!("    token: {{env: TOKEN_{at}, store: keyring}}\n"))).collect();
    fleet.write(&format!("version: 1\naccounts:\n{stored}"));
    fleet.apply(&["-q"]).code(0);
    let writes = writes(&fleet);
    let remove = ["tenant", "remove", "default", "--with-accounts", "--yes"];
    let mut command = fleet.home.msgrctl(&remove);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    while !writes.take().contains_key("accounts.toml") {
        assert!(Instant::now() < end, "nothing was removed");
    }
    let child_id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(child_id, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{said}");
    let left = accounts(&fleet);
    assert!(left > 0, "it ended before it was interrupted");
    assert!(said.contains(&format!("{} of {PAGES} accounts were removed", PAGES - left)), "{said}");
    assert_eq!(removed_by_log(&fleet).len(), PAGES - left);
    let secrets = fleet.home.run(&["secret", "list", "--json"]).code(0).json();
    assert!(secrets["secrets"].as_array().unwrap().iter().all(|secret| secret["present"] == true), "{secrets}");
    fleet.home.run(&remove).code(0);
    assert_eq!(bus.entries(), "");
}
