//! One address for one account: name, handle and id, without regard to case, on every way
//! in which an account comes to be called something.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

#[cfg(unix)]
use crate::support::pty::Pty;
use crate::support::world::{PAGE_ID, acme, page_token, sandbox};
use crate::support::{Home, Run};

/// A home with the accounts 'Acme Support' (acme-support) and 'Other' (other).
fn two() -> Home {
    let home = Home::new();
    by_hand(&home, &[("id-1", "acme-support", "Acme Support"), ("id-2", "other", "Other")]);
    home
}

/// The accounts of the default tenant, written by hand: ids, handles, names.
fn by_hand(home: &Home, accounts: &[(&str, &str, &str)]) {
    let mut text = "schema_version = 1\n".to_owned();
    for (id, handle, name) in accounts {
        write!(
            text,
            "\n[[accounts]]\nid = \"{id}\"\nhandle = \"{handle}\"\nname = \"{name}\"\ntype = \"facebook\"\n\
             page_username = \"acme.support\"\npage_id = \"{PAGE_ID}\"\ngraph = \"live\"\n\
             created_at = \"2026-01-01T00:00:00Z\"\nupdated_at = \"2026-01-01T00:00:00Z\"\n\n\
             [accounts.secrets]\npage_access_token = \"env:TOKEN\"\n"
        )
        .unwrap();
    }
    home.file("config/msgrctl/tenants/default/accounts.toml", text);
}

fn text(home: &Home) -> String {
    fs::read_to_string(home.accounts_file()).unwrap()
}

fn add(home: &Home, name: &str, more: &[&str]) -> Run {
    let mut words = vec!["account", "add", name, "--page-username", "a.page", "--page-id", PAGE_ID, "--no-test"];
    words.extend(["--token-from", "env:TOKEN", "--verify-token-from", "env:VERIFY"]);
    words.extend(more);
    home.run(&words)
}

#[test]
fn what_one_account_answers_to_no_other_is_called() {
    let home = two().with("TOKEN", "EAAx").with("VERIFY", "verify0123456789");
    let before = text(&home);
    for taken in ["ACME-support", "acme SUPPORT", "ID-1", "Acme-Support"] {
        add(&home, taken, &[]).code(1).says(&["is taken", "'Acme Support'"]);
        home.run(&["account", "rename", "other", taken]).code(1).says(&["is taken", "'Acme Support'"]);
        let manifest = format!(
            "version: 1\naccounts:\n  - name: {taken}\n    handle: other\n    page_username: acme.support\n    page_id: \"{PAGE_ID}\"\n"
        );
        home.file("accounts.yaml", manifest);
        home.run(&["plan", "-f", "accounts.yaml", "--offline"]).code(9).shows(&["is taken", "'Acme Support'"]);
    }
    for taken in ["acme-support", "id-1"] {
        add(&home, "New", &["--handle", taken]).code(1).says(&["is taken"]);
        home.run(&["account", "edit", "other", "--handle", taken]).code(1).says(&["is taken"]);
        home.run(&["account", "rename", "other", "--handle", taken]).code(1).says(&["is taken"]);
    }
    assert_eq!(text(&home), before);
    // Its own name in other letters is no other account's; a derived handle gives way.
    home.run(&["account", "rename", "OTHER", "other"]).code(0);
    add(&home, "Acme (Support)", &[]).code(0).shows(&["acme-support-2"]);
    home.run(&["account", "show", "ACME-SUPPORT-2"]).code(0).shows(&["Acme (Support)"]);
}

#[test]
fn two_accounts_of_one_file_that_answer_alike_are_a_mistake_of_the_file() {
    let home = Home::new();
    for (one, two) in [
        ("name: Acme\n    handle: acme-support", "name: ACME-support"),
        ("name: ACME-support", "name: Acme\n    handle: acme-support"),
        ("name: Acme", "name: ACME"),
        ("name: One\n    handle: one", "name: Two\n    handle: one"),
    ] {
        let account = |called: &str| {
            format!("  - {called}\n    page_username: a.page\n    page_id: \"{PAGE_ID}\"\n    token: {{env: TOKEN}}\n")
        };
        home.file("accounts.yaml", format!("version: 1\naccounts:\n{}{}", account(one), account(two)));
        home.run(&["apply", "-f", "accounts.yaml", "--check"]).code(3).says(&["another account"]);
    }
}

#[cfg(unix)]
#[test]
fn the_wizard_refuses_it_at_the_question() {
    let sandbox = sandbox();
    let home = two().with("MSGRCTL_GRAPH_URL", &sandbox.url()).with("MSGRCTL_STORE", "file");
    let home = home.with("MSGRCTL_PASSPHRASE", "correct horse battery");
    let token = page_token(&sandbox);
    let mut pty = Pty::start(&home.msgrctl(&["account", "add"]), 100);
    let dialogue: [(&str, &str); 7] = [
        ("\u{1b}[1mHow to get the token\u{1b}[0m", "\u{1b}[B\r"),
        ("\u{1b}[1mPage access token (not shown)\u{1b}[0m", &format!("{token}\r")),
        ("Skip them", "\r"),
        ("\u{1b}[1mCallback URL\u{1b}[0m", "-\r"),
        ("What now?", "\u{1b}[B\r"),
        ("Which one?", "\r"),
        ("\u{1b}[1mAccount name\u{1b}[0m", "ACME-support\r"),
    ];
    for (text, keys) in dialogue {
        pty.expect(text);
        pty.send(keys);
    }
    pty.expect("the name 'ACME-support' is taken: the account 'Acme Support' (handle acme-support)");
    pty.expect("\u{1b}[1mAccount name\u{1b}[0m");
    pty.send("Third\r");
    pty.expect("What now?");
    pty.send("\u{1b}[B\r");
    pty.expect("Which one?");
    pty.send("\u{1b}[B\r");
    pty.expect("\u{1b}[1mHandle\u{1b}[0m");
    pty.send("id-1\r");
    pty.expect("the handle 'id-1' is taken by the account 'Acme Support'");
    pty.send("\u{3}");
    assert_eq!(pty.end().1, 130);
}

/// What doctor finds, and the command that it names.
fn found(home: &Home) -> Vec<(String, Vec<String>)> {
    let run = home.run(&["doctor", "--json"]);
    let checks = run.json()["checks"].clone();
    let is_it = |check: &&Value| check["id"] == "accounts.names" && check["outcome"] == "fail";
    let found = checks.as_array().unwrap().iter().filter(is_it).map(|check| {
        let hint = check["hint"].as_str().unwrap();
        let command = hint.split_once("then: msgrctl ").unwrap().1;
        (check["summary"].as_str().unwrap().to_owned(), shlex::split(command).unwrap())
    });
    found.collect()
}

#[test]
fn accounts_that_answer_alike_already_are_not_guessed_and_lock_nothing() {
    // By name and handle, by name, by handle, by id, by all of them.
    for twin in [
        ("id-2", "twin", "ACME-support"),
        ("id-2", "twin", "acme SUPPORT"),
        ("id-2", "acme-support", "Twin"),
        ("id-2", "twin", "ID-1"),
        ("id-2", "id-1", "Twin"),
        ("id-2", "acme-support", "Acme Support"),
    ] {
        let home = two();
        by_hand(&home, &[("id-1", "acme-support", "Acme Support"), twin, ("id-3", "third", "Third")]);
        let address = [twin.1, twin.2].into_iter().find(|own| !["twin", "Twin"].contains(own)).unwrap();
        let before = text(&home);
        for command in [
            &["account", "show", address][..],
            &["account", "edit", address, "--callback-url", "https://example.com/hook"],
            &["account", "rename", address, "New"],
            &["account", "remove", address, "--yes"],
            &["secret", "remove", address, "page-access-token", "--yes"],
            &["secret", "move", "third", address, "--to", "file"],
            &["message", "disable", address, "agent-left"],
            &["webhook", "show", address],
        ] {
            home.run(command).code(1).says(&["2 accounts answer to", "id-1", "id-2", "msgrctl account rename "]);
        }
        assert_eq!(text(&home), before, "{twin:?}");
        // Everything else goes on.
        home.run(&["account", "list"]).code(0).shows(&["acme-support", "third"]);
        home.run(&["account", "rename", "third", "Fourth"]).code(0);
        home.run(&["message", "disable", "--all-accounts", "agent-left"]).code(0);
        home.run(&["export"]).code(0);
        // One that is named by its id can be changed, whatever it is called.
        let url = ["--callback-url", "https://example.com/hook"];
        let id = if address.eq_ignore_ascii_case("id-1") { "id-2" } else { "id-1" };
        home.run(&["account", "edit", id, url[0], url[1]]).code(0);
        // The way out, pasted.
        let ways = found(&home);
        assert!(!ways.is_empty(), "{twin:?}");
        for (summary, command) in ways {
            assert!(summary.contains("id-1") && summary.contains("id-2"), "{summary}");
            home.run(&command).code(0);
        }
        assert_eq!(found(&home), [], "{twin:?}");
        for id in ["id-1", "id-2"] {
            home.run(&["account", "show", id, "--json"]).code(0).shows(&[id]);
        }
        // An undo would bring it back.
        home.run(&["undo", "--yes"]).code(1).says(&["cannot restore '"]);
        assert_eq!(found(&home), []);
    }
}

#[test]
fn the_way_out_names_the_tenant() {
    let home = two();
    home.run(&["tenant", "add", "acme", "--host", "acme.example.com"]).code(0);
    by_hand(&home, &[("id-1", "one", "One"), ("id-2", "two", "ONE")]);
    let root = home.path("config/msgrctl/tenants");
    fs::rename(root.join("default/accounts.toml"), root.join("acme/accounts.toml")).unwrap();
    let rename = "msgrctl account rename id-2 two --tenant acme";
    home.run(&["account", "show", "one", "--tenant", "acme"]).code(1).says(&[rename]);
    let ways = found(&home);
    assert_eq!(ways[0].1, ["account", "rename", "id-2", "two", "--tenant", "acme"]);
    home.run(&ways[0].1).code(0);
    assert_eq!(found(&home), []);
}

#[test]
fn two_accounts_of_one_id_are_named_with_what_to_do() {
    let home = two();
    by_hand(&home, &[("id-1", "one", "One"), ("ID-1", "two", "Two")]);
    home.run(&["account", "list"]).code(3).screen("error-two-accounts-of-one-id");
}

/// The tenant that was looked in is named where there are several, and the one that has the account.
#[test]
fn an_account_of_another_tenant_is_found_there() {
    let home = acme(&sandbox(), false);
    home.run(&["account", "show", "globex"]).code(1).says(&["there is no account 'globex'\n"]);
    home.run(&["tenant", "add", "globex", "--host", "globex.example.com"]).code(0);
    home.run(&["tenant", "use", "globex"]).code(0);
    let hint = "tenant 'default' has it: add --tenant default, or work there: msgrctl tenant use default";
    for command in [
        &["account", "show", "acme"][..],
        &["account", "test", "acme"],
        &["message", "set", "acme", "agent-left", "--text", "Bye"],
        &["secret", "list", "acme"],
    ] {
        home.run(command).code(1).says(&["there is no account 'acme' in tenant 'globex'", hint]);
    }
    home.run(&["account", "show", "other"]).code(1).says(&["'other' in tenant 'globex'", "msgrctl account list"]);
    home.run(&["account", "show", "acme", "--tenant", "default"]).code(0);
}

/// Of two words the second is an event that was mistyped, and not an account.
#[test]
fn an_event_that_is_not_one_is_named() {
    let home = acme(&sandbox(), false);
    home.run(&["message", "set", "acme", "bye", "--text", "x"]).code(2).says(&["there is no chat event 'bye'"]);
    home.run(&["message", "disable", "acme"]).code(2).says(&["missing: EVENT"]);
}
