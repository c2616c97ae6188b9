//! The store `vault` with many accounts, many processes, and processes that are killed.

use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::time::Duration;

use msgrctl::clock::Clock;
use msgrctl::sandbox::{InProcess, World};
use serde_json::{Map, Value, json};

use crate::support::tap::Tap;
use crate::support::vault::{Folder, record, write_records};
use crate::support::{Bus, Home, Kills};
use crate::vault::{TOKEN, VERIFY, add, id};

/// Starts `secret set` of that kind with this value in a configuration directory.
fn set(home: &Home, directory: &str, kind: &str, value: &str) -> Child {
    let file = home.file(&format!("values/{kind}-{}", value.len()), value);
    let path = home.path(directory).to_string_lossy().into_owned();
    let file = file.to_string_lossy().into_owned();
    let arguments = ["--config-dir", &path, "secret", "set", "acme", kind, "--file", &file, "--yes", "--force", "-q"];
    home.msgrctl(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ends_well(child: Child) {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Copies the configuration, as each colleague has it: no lock of a file is shared.
fn colleague(home: &Home, name: &str) {
    let from = home.path("config/msgrctl");
    for file in ["config.toml", "tenants/default/accounts.toml"] {
        home.file(&format!("{name}/{file}"), std::fs::read(from.join(file)).unwrap());
    }
}

#[test]
fn twenty_at_once_lose_no_secret_of_the_same_entry_or_of_others() {
    let Some(folder) = Folder::new() else { return };
    let home = folder.home();
    add(&home, "Acme").code(0);
    let acme = id(&home, "acme");
    home.file("secret", "0".repeat(32));
    let app = ["account", "edit", "acme", "--app-id", "123456789012345", "--app-secret-file", "secret"];
    home.run(&[&app[..], &["--no-test", "--yes"]].concat()).code(0);
    let mut children = Vec::new();
    for at in 0..10 {
        let name = format!("colleague-{at}");
        colleague(&home, &name);
        let (kind, value) = if at % 2 == 0 { ("verify-token", 'v') } else { ("app-secret", 'a') };
        children.push(set(&home, &name, kind, &value.to_string().repeat(32 + at)));
    }
    for at in 0..10 {
        let name = format!("Other {at}");
        let arguments = ["account", "add", &name, "--page-username", "acme.support", "--page-id", "54321", "--no-test"];
        let mut command = home.msgrctl(&arguments);
        command.args(["--token-file", "token", "--verify-token-file", "verify", "-q"]);
        children.push(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    }
    children.into_iter().for_each(ends_well);
    let entry = folder.entry(&acme).unwrap();
    assert_eq!(entry["page_access_token"], TOKEN);
    assert!(entry["verify_token"].as_str().unwrap().starts_with("vvv"), "{entry}");
    assert!(entry["app_secret"].as_str().unwrap().starts_with("aaa"), "{entry}");
    assert_eq!(folder.ids().len(), 11);
    for other in folder.ids().into_iter().filter(|id| *id != acme) {
        assert_eq!(folder.entry(&other), Some(json!({"page_access_token": TOKEN, "verify_token": VERIFY})));
    }
}

#[test]
fn a_secret_that_arrives_while_the_last_one_goes_is_kept() {
    let Some(folder) = Folder::new() else { return };
    let home = folder.home();
    add(&home, "Acme").code(0);
    let acme = id(&home, "acme");
    home.run(&["secret", "remove", "acme", "verify-token", "--yes"]).code(0);
    for at in 0..8 {
        let (going, coming) = (format!("going-{at}"), format!("coming-{at}"));
        colleague(&home, &going);
        colleague(&home, &coming);
        let path = home.path(&going).to_string_lossy().into_owned();
        let arguments = ["--config-dir", &path, "secret", "remove", "acme", "page-access-token", "--yes", "-q"];
        let remove = home.msgrctl(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let value = "c".repeat(32 + at);
        let coming = set(&home, &coming, "verify-token", &value);
        ends_well(remove);
        ends_well(coming);
        assert_eq!(folder.entry(&acme), Some(json!({"verify_token": value})));
        let path = format!("secret/data/{}/default/{acme}", folder.path);
        folder.bao.call("POST", &path, &json!({"data": {"page_access_token": TOKEN}}));
    }
}

/// The places of all secrets; each must be there.
#[track_caller]
fn places(home: &Home) -> BTreeSet<String> {
    let list = home.run(&["secret", "list", "--json"]).code(0).json();
    let secrets = list["secrets"].as_array().unwrap().clone();
    assert!(!secrets.is_empty());
    for secret in &secrets {
        assert_eq!(secret["present"], true, "{list}");
    }
    secrets.iter().map(|secret| secret["source"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn secrets_move_between_all_stores_and_leave_no_copy() {
    let Some(folder) = Folder::new() else { return };
    let bus = Bus::with_keyring();
    let home = folder.use_in(bus.as_ref().map_or_else(Home::new, Home::on)).with_key_file();
    add(&home, "Acme").code(0);
    let acme = id(&home, "acme");
    let ways: &[&str] = if bus.is_some() {
        &["file", "vault", "keyring", "vault", "file", "keyring"]
    } else {
        &["file", "vault", "file"]
    };
    for to in ways {
        home.run(&["secret", "move", "acme", "--to", to]).code(0).shows(&["moved 2 secrets"]);
        assert_eq!(places(&home), BTreeSet::from([(*to).to_owned()]));
        home.run(&["secret", "reveal", "acme", "page-access-token"]).code(0).shows(&[TOKEN]);
        assert_eq!(folder.entry(&acme).is_some(), *to == "vault", "a copy is left, or none was made");
    }
    home.run(&["account", "remove", "acme", "--yes"]).code(0);
    home.run(&["secret", "remove", "--left-behind", "--yes"]).code(0).says(&["no secret is left behind"]);
}

#[test]
fn a_move_that_is_killed_loses_nothing_and_is_finished_by_the_next() {
    let Some(folder) = Folder::new() else { return };
    let home = folder.home().with_key_file();
    for at in 0..6 {
        add(&home, &format!("Account {at}")).code(0);
    }
    let mut kills = Kills::within(Duration::from_millis(150));
    for at in 0..24 {
        let to = if at % 2 == 0 { "file" } else { "vault" };
        let arguments = ["secret", "move", "--all", "--to", to, "-q"];
        let mut child = home.msgrctl(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        kills.kill(&mut child);
        places(&home);
    }
    assert!(kills.killed > 3, "{} were killed", kills.killed);
    home.run(&["secret", "move", "--all", "--to", "file"]).code(0);
    assert_eq!(places(&home), BTreeSet::from(["file".to_owned()]));
    assert!(folder.ids().is_empty(), "old copies are left in Vault");
    home.run(&["secret", "move", "--all", "--to", "vault"]).code(0).shows(&["moved 12 secrets"]);
    assert_eq!(folder.ids().len(), 6);
}

/// A sandbox with a thousand Pages, and a home with an account for each, its secrets in Vault.
fn thousand(folder: &Folder, pages: usize) -> (InProcess, Home) {
    let sandbox = InProcess::start(World::with_pages(pages, Clock::system())).unwrap();
    let home = folder.home().with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let mut records = Vec::new();
    let world = sandbox.world();
    let mut entries = Vec::new();
    for (at, page) in world.pages.iter().enumerate() {
        let token = &world.page_token(&page.id).unwrap().value;
        entries.push((format!("id-{at}"), json!({"data": {"page_access_token": token, "verify_token": VERIFY}})));
        let username = page.username.as_deref().unwrap();
        let kinds = ["page_access_token", "verify_token"];
        records.push(record(&format!("id-{at}"), &format!("page-{at}"), [username, page.id.as_str()], &kinds));
    }
    drop(world);
    write_records(&home, records);
    folder.fill(entries);
    (sandbox, home)
}

#[test]
fn a_thousand_accounts_are_read_at_once_each_entry_once() {
    const PAGES: usize = 1000;
    let Some(folder) = Folder::new() else { return };
    let (_sandbox, home) = thousand(&folder, PAGES);
    let list = home.run(&["secret", "list", "--json"]).code(0);
    assert_eq!(list.json()["secrets"].as_array().unwrap().len(), 2 * PAGES);
    assert!(list.took < Duration::from_secs(10), "{:?}", list.took);
    let tap = Tap::start(&folder.bao.address);
    let home = home.with("VAULT_ADDR", &tap.url);
    let test = home.run(&["account", "test", "--all", "--json"]);
    let results = test.json()["results"].as_array().unwrap().clone();
    assert_eq!(results.len(), PAGES);
    let valid = |result: &Value| {
        result["checks"]
            .as_array()
            .unwrap()
            .iter()
            .any(|check| check["id"] == "token.valid" && check["outcome"] == "pass")
    };
    assert!(results.iter().all(valid));
    let mut reads: Map<String, Value> = Map::new();
    for address in tap.addresses().into_iter().filter(|address| address.contains("/data/")) {
        let times = reads.get(&address).and_then(Value::as_u64).unwrap_or_default();
        reads.insert(address, (times + 1).into());
    }
    assert_eq!(reads.len(), PAGES);
    assert!(reads.values().all(|times| times == 1), "an entry was read twice");
}
