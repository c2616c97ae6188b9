//! The log, and taking the last change back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

#[cfg(unix)]
use crate::support::Bus;
use crate::support::Home;
use crate::support::many::many;
use crate::support::world::{acme, app, page_token, sandbox};

/// Every file that a change may touch.
fn files(home: &Home) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(directory: &std::path::Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| end == "toml") {
                found.insert(path.clone(), std::fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&home.path("config"), &mut found);
    found
}

fn last(home: &Home) -> Value {
    let log = home.run(&["log", "--json"]).code(0).json();
    log["entries"].as_array().unwrap().last().unwrap().clone()
}

#[test]
fn each_kind_of_change_is_logged_and_taken_back_to_the_byte() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false).with("USER", "ada");
    home.run(&["tenant", "add", "other", "--host", "other.example.com"]).code(0);
    home.file("config/msgrctl/config.toml", "timeout = 7 # seconds\n");
    let changes: &[(&[&str], &str, &str)] = &[
        (&["account", "edit", "acme", "--callback-url", "https://example.com/a"], "account edit", "callback_url"),
        (&["account", "rename", "acme", "Acme Care"], "account rename", "name"),
        (&["message", "set", "acme", "agent-left", "--text", "Bye"], "message set", "messages.agent-left"),
        (&["message", "disable", "acme", "--all-events"], "message disable", "messages.session-ended"),
        (&["chat-settings", "set", "--messenger-timeout", "10m"], "chat-settings set", "timeouts.messenger"),
        (&["chat-settings", "set", "agent-left", "--text", "For all"], "chat-settings set", "messages.agent-left"),
        (&["tenant", "add", "third", "--host", "third.example.com"], "tenant add", "host"),
        (&["tenant", "edit", "other", "--product-version", "5.19"], "tenant edit", "product_version"),
        (&["tenant", "use", "other"], "tenant use", "tenant"),
        (&["tenant", "remove", "default", "--with-accounts", "--yes"], "tenant remove", "name"),
        (&["account", "remove", "acme", "--yes"], "account remove", "name"),
    ];
    for (arguments, command, field) in changes {
        let before = files(&home);
        let tenants = home.run(&["tenant", "list", "--json"]).stdout;
        home.run(arguments).code(0);
        assert_ne!(files(&home), before, "{command} changed nothing");
        let entry = last(&home);
        assert_eq!(
            (&entry["command"], &entry["user"], &entry["result"]),
            (&(*command).into(), &"ada".into(), &"done".into())
        );
        let fields = entry["changes"][0]["fields"].as_array().unwrap();
        assert!(fields.iter().any(|found| found == field), "{command}: {entry}");
        home.run(&["undo"]).code(2);
        home.run(&["undo", "--yes"]).code(0).shows(&["undid", command]);
        assert_eq!(files(&home), before, "{command}");
        assert_eq!(home.run(&["tenant", "list", "--json"]).stdout, tenants, "{command}");
        // An undo is a change, and can be taken back too.
        home.run(&["undo", "--yes"]).code(0);
        assert_ne!(files(&home), before, "{command}");
        home.run(&["undo", "--yes"]).code(0);
        assert_eq!(files(&home), before, "{command}");
    }
    assert_eq!(home.run(&["log", "-n", "2", "--json"]).json()["entries"].as_array().unwrap().len(), 2);
}

#[test]
fn a_field_that_changed_since_is_not_taken_back_and_another_one_stays() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    home.run(&["message", "disable", "acme", "agent-left"]).code(0);
    let text = std::fs::read_to_string(home.accounts_file()).unwrap();
    std::fs::write(home.accounts_file(), text.replace("agent-left = \"disabled\"", "agent-left = \"default\""))
        .unwrap();
    let before = files(&home);
    home.run(&["undo", "--yes"])
        .code(1)
        .says(&["accounts.toml has changed since 'message disable' (messages.agent-left of 'Acme')"]);
    assert_eq!(files(&home), before);
    // What somebody changed by hand beside it is theirs, and stays.
    std::fs::write(home.accounts_file(), text.replace("\"Acme\"", "\"Acme!\"")).unwrap();
    home.run(&["undo", "--yes"]).code(0);
    let after = std::fs::read_to_string(home.accounts_file()).unwrap();
    assert!(after.contains("\"Acme!\"") && !after.contains("agent-left"), "{after}");
    let empty = Home::new();
    empty.run(&["undo", "--yes"]).code(1).says(&["no change to undo"]);
    empty.run(&["undo", "--list"]).code(0).says(&["no changes yet"]);
    empty.run(&["log"]).code(0).says(&["no changes yet"]);
}

#[test]
fn an_older_change_is_undone_by_its_id_unless_a_later_one_touched_the_same_field() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let text = |event: &str, text: &str| {
        home.run(&["message", "set", "acme", event, "--text", text]).code(0);
        last(&home)["id"].as_str().unwrap().to_owned()
    };
    let before = files(&home);
    let first = text("agent-left", "One");
    let other = text("session-ended", "Other");
    let second = text("agent-left", "Two");
    let shown = |event: &str| {
        let messages = home.run(&["message", "show", "acme", event, "--json"]).code(0).json();
        messages["text"].as_str().unwrap_or_default().to_owned()
    };
    let standing = |id: &str| {
        let list = home.run(&["undo", "--list", "--json"]).code(0).json();
        let changes = list["changes"].as_array().unwrap();
        let change = changes.iter().find(|change| change["id"] == id).unwrap();
        assert!(!change.to_string().contains("\"before\""), "{change}");
        change["standing"].as_str().unwrap().to_owned()
    };
    home.run(&["undo", "--list"]).code(0).shows(&[
        &format!("after {second}"),
        "Acme: messages.agent-left 'One' -> 'Two'",
        "messages.session-ended (none) -> 'Other'",
    ]);
    assert_eq!(standing(&first), "changed");
    home.run(&["undo", &first, "--yes"]).code(1).says(&[
        "nothing was undone",
        "to undo 'message set' first",
        &format!("msgrctl undo {second}"),
    ]);
    home.run(&["undo", &other]).code(2).says(&[&format!("msgrctl undo {other} --yes")]);
    home.run(&["undo", &other[..6], "--yes"]).code(0).shows(&["undid 'message set'", "messages.session-ended"]);
    assert_eq!((shown("session-ended").as_str(), shown("agent-left").as_str()), ("", "Two"));
    assert_eq!((standing(&other).as_str(), standing(&second).as_str()), ("undone", "stands"));
    home.run(&["undo", &other, "--yes"]).code(1).says(&["was undone already", "to redo it"]);
    home.run(&["undo", "--list"]).code(0).shows(&["ID", &first, &other, "undone"]);
    // In their order, they all go, to the byte.
    home.run(&["undo", &second, "--yes"]).code(0);
    assert_eq!(shown("agent-left"), "One");
    home.run(&["undo", &first, "--yes"]).code(0);
    assert_eq!(files(&home), before);
    home.run(&["undo", "ffffffffffff", "--yes"]).code(1).says(&["there is no change 'ffffffffffff'", "undo --list"]);
    home.run(&["undo", "ff", "--yes"]).code(2);
}

#[test]
fn a_removed_account_comes_back_to_its_place_after_later_changes() {
    let (_sandbox, mut home) = many(4);
    home.set("MSGRCTL_STORE", "file");
    home.set("MSGRCTL_PASSPHRASE", "correct horse battery");
    home.run(&["account", "remove", "page-1", "--yes"]).code(0);
    let removed = last(&home)["id"].as_str().unwrap().to_owned();
    home.run(&["message", "disable", "page-2", "agent-left"]).code(0);
    home.run(&["undo", &removed, "--yes"]).code(0).shows(&["undid 'account remove'", "Page 1 removed"]);
    let names = home.run(&["account", "list", "--json"]).json();
    let names: Vec<&str> =
        names["accounts"].as_array().unwrap().iter().map(|account| account["handle"].as_str().unwrap()).collect();
    assert_eq!(names, ["page-0", "page-1", "page-2", "page-3"]);
    // Another account took its name meanwhile.
    home.run(&["account", "remove", "page-3", "--yes"]).code(0);
    let removed = last(&home)["id"].as_str().unwrap().to_owned();
    home.run(&["account", "rename", "page-2", "Page 3"]).code(0);
    home.run(&["undo", &removed, "--yes"]).code(1).says(&[
        "cannot restore 'Page 3': its name, handle or id is the name of the account 'page-2' now; nothing was undone",
        "to change that name first: msgrctl account rename",
    ]);
    let standing = |id: &str| {
        let list = home.run(&["undo", "--list", "--json"]).code(0).json();
        let change = list["changes"].as_array().unwrap().iter().find(|change| change["id"] == id).unwrap().clone();
        change["standing"].as_str().unwrap().to_owned()
    };
    assert_eq!(standing(&removed), "changed", "the list says no, as undo does");
    home.run(&["account", "rename", "page-2", "Page 2"]).code(0);
    assert_eq!(standing(&removed), "stands");
    home.run(&["account", "edit", "page-1", "--page-id", "109876543210990", "--yes", "--no-test"]).code(0);
    let same_page = home.run(&["account", "list", "--json"]).json()["accounts"][0]["page_id"].clone();
    home.run(&["account", "edit", "page-0", "--page-id", "109876543210977", "--yes", "--no-test"]).code(0);
    home.run(&["account", "edit", "page-2", "--page-id", same_page.as_str().unwrap(), "--yes", "--no-test"]).code(0);
    let list = home.run(&["undo", "--list", "--json"]).json();
    let of_first = list["changes"].as_array().unwrap().iter().rev().nth(1).unwrap()["id"].clone();
    home.run(&["undo", of_first.as_str().unwrap(), "--yes"])
        .code(0)
        .says(&["'Page 0' and 'Page 2' are connected to the same Page"]);
    home.run(&["account", "rename", "page-0", "Zero"]).code(0);
    let renamed = home.run(&["undo", "--yes"]).code(0);
    assert!(!renamed.stderr.contains("same Page"), "this undo touches no Page: {renamed:?}");
    // What an address may hold behind its path is a key, however its scheme is written.
    let url = "HTTPS://functions.example/api/hook?code=functionkey0123";
    home.run(&["account", "edit", "page-0", "--callback-url", url, "--yes", "--no-test"]).code(0);
    for command in [&["log"][..], &["undo", "--list"], &["undo"]] {
        let shown = home.run(command);
        assert!(!format!("{shown:?}").contains("functionkey0123"), "{shown:?}");
    }
    // Records that cannot be read are not called changed.
    let file = home.accounts_file();
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{good}[[[")).unwrap();
    assert_eq!(standing(&removed), "stands");
}

#[cfg(unix)]
#[test]
fn secrets_are_taken_away_with_an_added_account_and_not_brought_back() {
    let sandbox = sandbox();
    let Some(bus) = Bus::with_keyring() else { return };
    let home = Home::on(&bus).with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let token = page_token(&sandbox);
    home.run_with(&["account", "add", "--token-stdin"], &token).code(0);
    let added = last(&home);
    assert_eq!((&added["command"], &added["changes"][0]["what"]), (&"account add".into(), &"added".into()));
    assert!(!added.to_string().contains(&token[..20]));
    home.run(&["undo", "--yes"]).code(0);
    home.run(&["account", "show", "acme-support"]).code(1);
    assert!(!bus.entries().contains(&token), "the secrets are left behind");

    home.run_with(&["account", "add", "--token-stdin"], &token).code(0);
    home.run(&["account", "remove", "acme-support", "--yes"]).code(0);
    home.run(&["undo", "--yes"]).code(0).screen("undo-of-a-removal");
    home.run(&["account", "show", "acme-support"]).code(0);
    // Times have whole seconds: another one shows in the record.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    std::thread::sleep(std::time::Duration::from_nanos(u64::from(1_000_000_000 - now.subsec_nanos())));
    home.run_with(&["secret", "set", "acme-support", "page-access-token", "--stdin", "--yes"], &token).code(0);
    assert!(last(&home)["changes"][0]["fields"].to_string().contains("secrets.page_access_token"));
    home.run(&["undo", "--yes"]).code(1).says(&["'secret set' changed secrets and nothing else"]);
    // With a field beside it the field goes back, and the new secret stays.
    let edit =
        ["account", "edit", "acme-support", "--callback-url", "https://example.com/x", "--generate-verify-token"];
    home.run(&[&edit[..], &["--yes"]].concat()).code(0);
    home.run(&["undo", "--yes"]).code(0).says(&["the verify token of 'Acme Support' was replaced; the new one stays"]);
    // One that was added goes again.
    let (app_id, app_secret) = app(&sandbox);
    let with_app = ["account", "edit", "acme-support", "--app-id", &app_id, "--app-secret-stdin", "--yes"];
    home.run_with(&with_app, &app_secret).code(0);
    assert!(bus.entries().contains(&app_secret));
    home.run(&["undo", "--yes"]).code(0);
    assert!(!bus.entries().contains(&app_secret), "the app secret is left behind");
    home.run(&["secret", "move", "acme-support", "--to", "file"]).code(0);
    assert!(last(&home)["changes"][0]["fields"].to_string().contains("secrets.page_access_token"));
    home.run(&["undo", "--yes"]).code(1).says(&["'secret move' changed secrets and nothing else"]);
}

#[test]
fn an_unfinished_line_of_the_log_swallows_no_other() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, false);
    home.run(&["chat-settings", "set", "agent-left", "--disable"]).code(0);
    home.run(&["message", "disable", "acme", "agent-left"]).code(0);
    // An unfinished line of a killed process swallows no other.
    let log = home.path("config/msgrctl/log.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, format!("{text}{{\"time\":")).unwrap();
    home.run(&["message", "default", "acme", "agent-left"]).code(0);
    assert_eq!(last(&home)["command"], "message default");
    // In a container no variable names the user.
    #[cfg(unix)]
    {
        home.unset("USER");
        let uid = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(home.root()).unwrap());
        home.run(&["message", "disable", "acme", "agent-left"]).code(0);
        assert_eq!(last(&home)["user"], format!("uid {uid}"));
    }
    // Only where it was made.
    home.run(&["tenant", "add", "other", "--host", "other.example.com"]).code(0);
    home.run(&["undo", "--yes", "--tenant", "default"])
        .code(1)
        .says(&["the last change was in tenant 'other', and --tenant says 'default'", "--tenant other"]);
    let set = home.with("MSGRCTL_TENANT", "default");
    set.run(&["undo", "--yes"]).code(1).says(&["and MSGRCTL_TENANT says 'default'; nothing was undone"]);
}

#[test]
fn a_reference_is_put_back_and_a_replaced_value_is_said_to_be_lost() {
    let sandbox = sandbox();
    let token = page_token(&sandbox);
    let home = Home::new()
        .with("MSGRCTL_STORE", "file")
        .with("MSGRCTL_PASSPHRASE", "correct horse battery")
        .with("MSGRCTL_GRAPH_URL", &sandbox.url())
        .with("A", &token)
        .with("B", &token);
    home.run(&["account", "add", "--token-from", "env:A"]).code(0);
    let set = |from: &str| {
        home.run(&["secret", "set", "acme-support", "page-access-token", "--from", from, "--yes"]).code(0);
    };
    let source = || home.run(&["account", "show", "acme-support", "--json"]).json()["account"]["secrets"][0].clone();
    set("env:B");
    home.run(&["undo", "--yes"]).code(0);
    assert_eq!(source()["source"], "env:A");
    // A stored value that a reference replaced is gone.
    home.run_with(&["secret", "set", "acme-support", "page-access-token", "--stdin", "--yes"], &token).code(0);
    set("env:B");
    home.run(&["undo", "--yes"]).code(0).says(&["the page access token of 'Acme Support' was removed"]);
    assert_eq!(source()["source"], "file");
}

#[test]
fn of_many_accounts_those_that_changed_are_named() {
    let (_sandbox, mut home) = many(20);
    home.set("MSGRCTL_STORE", "file");
    home.set("MSGRCTL_PASSPHRASE", "correct horse battery");
    let named = |home: &Home| {
        let changes = last(home)["changes"].as_array().unwrap().clone();
        let text = |change: &Value, key: &str| change[key].as_str().unwrap().to_owned();
        changes.iter().map(|change| (text(change, "of"), text(change, "what"))).collect::<Vec<_>>()
    };
    let of = |name: &str, what: &str| (name.to_owned(), what.to_owned());
    let listed = |home: &Home| home.run(&["account", "list", "--json"]).code(0).json();
    let before = listed(&home);
    home.run(&["message", "disable", "page-3", "page-17", "agent-left"]).code(0);
    assert_eq!(named(&home), [of("Page 17", "changed"), of("Page 3", "changed")]);
    assert_ne!(listed(&home), before);
    home.run(&["undo", "--yes"]).code(0);
    assert_eq!(listed(&home), before);
    home.run(&["account", "remove", "page-5", "--yes"]).code(0);
    assert_eq!(named(&home), [of("Page 5", "removed")]);
    home.run(&["undo", "--yes"]).code(0);
    assert_eq!(named(&home), [of("Page 5", "added")]);
    // A value alone: no record says that it is another one.
    let token = std::fs::read_to_string(home.path("tokens/8")).unwrap();
    for _ in 0..2 {
        home.run_with(&["secret", "set", "page-8", "page-access-token", "--stdin", "--yes"], &token).code(0);
        assert_eq!(named(&home), [of("Page 8", "changed")]);
        assert_eq!(last(&home)["changes"][0]["fields"][0], "secrets.page_access_token");
    }
    // As somebody else's editor has left it.
    let text = std::fs::read_to_string(home.accounts_file()).unwrap().replace("graph = ", "graph   =   ");
    std::fs::write(home.accounts_file(), text).unwrap();
    home.run(&["message", "disable", "page-4", "agent-left"]).code(0);
    assert_eq!(named(&home), [of("Page 4", "changed")]);
}

#[cfg(unix)]
#[test]
fn the_log_is_private() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    home.run(&["message", "disable", "acme", "agent-left"]).code(0);
    let mode = std::fs::metadata(home.path("config/msgrctl/log.jsonl")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
}

#[test]
fn a_tenant_that_is_worked_in_or_has_accounts_is_not_taken_away() {
    let (_sandbox, home) = many(0);
    home.run(&["tenant", "add", "east", "--host", "east.example"]).code(0);
    let added = last(&home)["id"].as_str().unwrap().to_owned();
    home.run(&["tenant", "use", "east"]).code(0);
    home.run(&["undo", &added, "--yes"]).code(1).says(&["is worked in", "msgrctl tenant use default"]);
    home.run(&["tenant", "use", "default"]).code(0);
    home.run(&["chat-settings", "set", "agent-left", "--text", "Bye", "--tenant", "east"]).code(0);
    home.run(&["undo", &added, "--yes"]).code(1).says(&["has accounts or Chat Settings", "nothing was undone"]);
    // In their order they all go.
    home.run(&["undo", "--yes"]).code(0).shows(&["chat settings added"]);
    home.run(&["undo", &added, "--yes"]).code(0).shows(&["tenant added"]);
}
