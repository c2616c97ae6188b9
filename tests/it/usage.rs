//! What is typed wrong or not at all: said in one style, with what to type instead, and asked
//! for where a person can answer.

use crate::support::Home;
use crate::support::pty::Pty;
use crate::support::world::{acme, page_token, sandbox};

const TOKEN: &str = "EAABsbCS0123456789marked0123456789";

#[test]
fn the_bare_name_says_where_to_begin() {
    let bare: [&str; 0] = [];
    let run = Home::new().run(&bare).code(0).shows(&["msgrctl demo", "msgrctl account add", "msgrctl help"]);
    assert!(run.stdout.lines().count() <= 5 && run.stderr.is_empty(), "{run:?}");
}

#[test]
fn what_is_not_known_is_refused_in_one_style() {
    let home = Home::new();
    for (arguments, says) in [
        (&["connect"][..], "hint: did you mean: msgrctl account add\n"),
        (&["account", "verify"], "hint: did you mean: msgrctl account test NAME\n"),
        (&["health", "--config-dir", "k2"], "msgrctl doctor --config-dir k2\n"),
        (&["account", "add", "--nam", "x"], "hint: its arguments and flags: msgrctl account add --help"),
        (&["message", "list", "--all-"], "hint: did you mean '--all-accounts'?"),
        (&["message", "send", "acme"], "missing: --to PSID, TEXT"),
        (&["tenant", "add"], "missing: TENANT, a short name and --host, the tenant's host"),
        (&["tenant", "add", "acme"], "msgrctl tenant add acme --host HOST\n"),
        (&["tenant", "use"], "missing: TENANT"),
        (&["plan"], "msgrctl plan -f FILE\n"),
        (&["apply"], "msgrctl apply -f FILE\n"),
        (&["completions"], "for example: msgrctl completions bash\n"),
        (&["secret", "move", "acme"], "msgrctl secret move acme --to file\n"),
        (&["chat-settings", "set", "--text", "x"], "msgrctl chat-settings set EVENT --text TEXT\n"),
    ] {
        let run = home.run(arguments).code(2).says(&["error: ", says]);
        for foreign in ["tip:", "Usage:", "For more information", "required arguments"] {
            assert!(!run.stderr.contains(foreign), "{foreign}: {run:#?}");
        }
        if arguments[0] == "completions" {
            continue;
        }
        let json = home.run(&[arguments, &["--json"]].concat()).code(2).json_error();
        assert!(json["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{json}");
    }
}

#[test]
fn what_is_missing_of_an_account_is_named_with_its_command() {
    let home = acme(&sandbox(), false);
    for (arguments, says) in [
        (&["secret", "reveal", "acme"][..], "msgrctl secret reveal acme page-access-token\n"),
        (&["secret", "set", "acme", "verify-token"], "msgrctl secret set acme verify-token --generate\n"),
        (&["secret", "set", "acme", "app-secret"], "msgrctl secret set acme app-secret --stdin\n"),
        (&["message", "set", "acme", "session-ended"], "msgrctl message set acme session-ended --text TEXT\n"),
        (&["message", "set", "acme", "session-ended", "--text", ""], "msgrctl message disable acme session-ended\n"),
        (&["message", "disable", "acme"], "msgrctl message disable NAME EVENT, or --all-events\n"),
        (&["account", "edit", "acme", "--callback-url", ""], "msgrctl account edit acme --clear callback-url\n"),
        (&["account", "edit", "acme", "--app-id", " "], "msgrctl account edit acme --clear app\n"),
    ] {
        home.run(arguments).code(2).says(&[says]);
    }
}

#[test]
fn a_token_among_the_arguments_has_been_seen() {
    let home = acme(&sandbox(), false);
    let before = std::fs::read(home.accounts_file()).unwrap();
    for arguments in [
        &["secret", "set", "acme", "page-access-token", TOKEN][..],
        &["account", "show", TOKEN],
        &["account", "rename", "acme", TOKEN],
        &["message", "set", "acme", "session-ended", "--text", TOKEN],
        &["account", "edit", "acme", "--app-id=0123456789abcdef0123456789abcdef"],
    ] {
        let run =
            home.run(arguments).code(2).says(&["looks like a secret", "treat it as leaked and replace it at Meta"]);
        assert!(!run.stderr.contains("marked") && !run.stderr.contains("0123456789abcdef"), "{run:#?}");
    }
    home.run(&["secret", "set", "acme", "page-access-token", TOKEN, "--json"]).code(2).json_error();
    assert_eq!(std::fs::read(home.accounts_file()).unwrap(), before);
}

#[test]
fn a_manifest_is_taken_as_an_argument_too() {
    let home = acme(&sandbox(), false);
    let file = "version: 1\naccounts: []\n";
    home.file("ok.yaml", file);
    home.run(&["apply", "ok.yaml", "--check"]).code(0).shows(&["0 accounts in ok.yaml"]);
    home.run(&["plan", "ok.yaml", "--offline"]).code(0);
    home.file("bad.yaml", "version: 1\nacounts: []\n");
    home.run(&["apply", "bad.yaml", "--check"]).code(3).says(&["msgrctl help manifests"]);
}

#[test]
fn all_accounts_are_named_either_way() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    home.run(&["message", "disable", "--all", "agent-left"]).code(0).shows(&["agent-left is disabled"]);
    home.run(&["message", "list", "--all"]).code(0);
    home.run(&["account", "test", "--all-accounts"]).code(0);
    home.run(&["webhook", "status", "--all-accounts"]).code(0);
    home.run(&["message", "disable", "--all-accounts", "agent-left"]).code(0);
}

#[test]
fn an_account_that_is_named_by_its_beginning_is_found_again() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, false);
    for handle in ["acme-sales", "acme-support"] {
        let variable = handle.to_uppercase().replace('-', "_");
        home.set(&format!("MSGRCTL_SECRET_{variable}_PAGE_ACCESS_TOKEN"), &page_token(&sandbox));
        home.set(&format!("MSGRCTL_SECRET_{variable}_VERIFY_TOKEN"), "verify0123456789");
        let add = ["account", "add", handle, "--page-username", "acme.support", "--page-id", "209876543210987"];
        home.run(&[&add[..], &["--no-test"]].concat()).code(0);
    }
    home.run(&["account", "test", "acme-s"]).code(1).says(&["did you mean 'acme-sales' or 'acme-support'?"]);
    // Both that have the Page are named.
    let twins = ["account", "edit", "acme", "--page-id", "209876543210987", "--no-test"];
    home.run(&twins).code(0).says(&["the accounts 'acme-sales', 'acme-support' have the same page id"]);
}

#[test]
fn an_account_is_renamed_by_edit_too() {
    let home = acme(&sandbox(), false);
    home.run(&["account", "edit", "acme", "--name", "Acme Care"]).code(0).shows(&["changed 'Acme Care' (handle acme)"]);
    home.run(&["account", "edit", "acme", "--name", "Acme Care"]).code(0).says(&["nothing to change"]);
    home.run(&["account", "show", "acme care"]).code(0);
}

#[test]
fn on_a_terminal_what_is_missing_is_asked_for() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false).with_key_file().with("MSGRCTL_STORE", "file");
    let mut pty = Pty::start(&home.msgrctl(&["tenant", "add"]), 100);
    pty.expect("Tenant name");
    pty.send("second\r");
    pty.expect("Host");
    pty.send("second.example.com\r");
    let (rest, code) = pty.end();
    assert_eq!(code, 0, "{rest}");
    home.run(&["tenant", "show", "second"]).code(0).shows(&["second.example.com"]);

    let mut pty = Pty::start(&home.msgrctl(&["tenant", "use"]), 100);
    pty.expect("Which tenant?");
    pty.send("sec\r");
    assert_eq!(pty.end().1, 0);
    home.run(&["tenant", "use", "default"]).code(0);

    let add = ["account", "add", "Kept", "--page-username", "kept.page", "--page-id", "309876543210987", "--no-test"];
    home.run_with(&[&add[..], &["--token-stdin"]].concat(), page_token(&sandbox)).code(0);
    let mut pty = Pty::start(&home.msgrctl(&["secret", "set", "kept", "verify-token"]), 100);
    pty.expect("Generate a new one");
    pty.send("\r");
    pty.expect("Replace the verify token of 'Kept'?");
    pty.send("y\r");
    let (rest, code) = pty.end();
    assert_eq!(code, 0, "{rest}");

    let mut pty = Pty::start(&home.msgrctl(&["message", "set", "kept"]), 100);
    pty.expect("Which event?");
    pty.send("\r");
    pty.expect("Text");
    pty.send("Hello\r");
    let (rest, code) = pty.end();
    assert_eq!(code, 0, "{rest}");
    home.run(&["message", "show", "kept", "agent-joined"]).code(0).shows(&["Hello"]);
}

/// Roff is for man(1), and for a file.
#[test]
fn a_page_is_shown_on_a_terminal_and_goes_as_roff_into_a_pipe() {
    let mut home = Home::new();
    home.run(&["man", "tenant"]).code(0).shows(&[".SH NAME"]);
    let bin = home.path("bin");
    let script = home.file("bin/man", "#!/bin/sh\necho \"man $*\"\ngrep -c '^.SH NAME'\n");
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    home.set("PATH", &format!("{}:/usr/bin:/bin", bin.display()));
    let (shown, code) = Pty::start(&home.msgrctl(&["man", "tenant"]), 100).end();
    assert!(code == 0 && shown.contains("man -l -") && shown.contains('1'), "{shown}");
    // Without man(1) the same stands there as text.
    std::fs::write(&script, "#!/bin/sh\nexit 3\n").unwrap();
    home.set("PAGER", "cat");
    let (shown, code) = Pty::start(&home.msgrctl(&["man", "tenant"]), 100).end();
    assert!(code == 0 && shown.contains("Usage: msgrctl tenant") && !shown.contains(".SH"), "{shown}");
}
