//! The keyring in every state: ready, absent, locked,
//! declined, and one that never answers.

use std::time::Duration;

use crate::support::bus::SilentBus;
use crate::support::prompter::Dismissing;
use crate::support::pty::Pty;
use crate::support::world::{PAGE_ID, page_token, sandbox};
use crate::support::{Bus, Home, Run, has};

const ADD: [&str; 9] =
    ["account", "add", "Acme", "--page-username", "acme.support", "--page-id", PAGE_ID, "--token-stdin", "--no-test"];

#[test]
fn without_a_bus_it_is_absent_and_plain_text_is_never_written() {
    let home = Home::new();
    let run = home.run_with(&ADD, "EAAmarked0123456789abcdef").code(6);
    assert!(run.took < Duration::from_secs(2));
    assert!(!home.accounts_file().exists());
    let error = home.run_with(&[&ADD[..], &["--json"]].concat(), "EAAx").code(6).json_error();
    assert_eq!(error["kind"], "secret_store");
    // Chosen or not, no other store takes its place.
    home.run_with(&[&ADD[..], &["--store", "keyring"]].concat(), "EAAx").code(6);
    // The way out that needs no keyring works as it is printed.
    let home = home.with_secrets("acme", "EAAx");
    home.run(&["account", "add", "Acme", "--page-username", "a.page", "--page-id", PAGE_ID, "--no-test"]).code(0);
}

#[test]
fn a_bus_without_a_keyring_is_absent_too() {
    let Some(bus) = Bus::without_keyring() else { return };
    Home::on(&bus).run_with(&ADD, "EAAx").code(6).says(&["no keyring that answers"]);
}

#[test]
fn a_store_that_fails_is_known_before_graph_is_asked() {
    let sandbox = sandbox();
    let home = Home::new().with("MSGRCTL_GRAPH_URL", &sandbox.url());
    home.run_with(&["account", "add", "--token-stdin"], page_token(&sandbox)).code(6);
    assert!(sandbox.world().journal.entries().is_empty());
}

#[test]
fn a_bus_that_never_answers_ends_every_command_in_time() {
    let silent = SilentBus::start();
    let Some(bus) = Bus::with_keyring() else { return };
    let sandbox = sandbox();
    let mut home = Home::on(&bus).with("MSGRCTL_GRAPH_URL", &sandbox.url());
    home.run_with(&["account", "add", "Acme", "--token-stdin"], page_token(&sandbox)).code(0);
    let accounts = std::fs::read(home.accounts_file()).unwrap();
    home.set("DBUS_SESSION_BUS_ADDRESS", &silent.address);
    let other = ["account", "add", "Other", "--token-stdin"];
    let commands = [
        (&other[..], "EAAx"),
        (&["account", "test", "acme"], ""),
        (&["account", "test", "--all"], ""),
        (&["account", "edit", "acme", "--token-stdin", "--yes", "--no-test"], "EAAx"),
        (&["account", "edit", "acme", "--page-id", "54321"], ""),
        (&["account", "remove", "acme", "--yes"], ""),
    ];
    // Each waits for the keyring: they go side by side, each in a home of its own.
    std::thread::scope(|scope| {
        for (arguments, stdin) in commands {
            let (silent, accounts, sandbox) = (&silent, &accounts, &sandbox);
            scope.spawn(move || {
                let home = Home::new()
                    .with("MSGRCTL_GRAPH_URL", &sandbox.url())
                    .with("DBUS_SESSION_BUS_ADDRESS", &silent.address);
                home.file("config/msgrctl/tenants/default/accounts.toml", accounts);
                let run = home.run_with(arguments, stdin).code(6);
                assert!(run.took < Duration::from_secs(6), "{arguments:?}: {:?}", run.took);
                run.says(&["did not answer within 3 s", "restart the keyring's program"]);
                // Nothing was changed by it.
                assert_eq!(std::fs::read(home.accounts_file()).unwrap(), *accounts);
            });
        }
    });
    for arguments in
        [&["account", "list"][..], &["account", "show", "acme"], &["--version"], &["account", "add", "--help"]]
    {
        let run = home.run(arguments).code(0);
        assert!(run.took < Duration::from_secs(2), "{arguments:?}: {:?}", run.took);
    }
    home.set("DBUS_SESSION_BUS_ADDRESS", &bus.address);
    home.run(&["account", "test", "acme"]).code(0);
    home.set("DBUS_SESSION_BUS_ADDRESS", &silent.address);
    // A name is changed where it can be; the label is only for people.
    home.run(&["account", "rename", "acme", "Acme Care"]).code(0).says(&["still shows the old name"]);
    home.run(&["account", "remove", "acme", "--leave-secrets", "--yes"])
        .code(0)
        .says(&["may be left in the keyring store, as the entry msgrctl / "]);
    home.run(&["account", "show", "acme"]).code(1);
}

#[test]
fn a_locked_keyring_raises_no_dialog_where_nobody_is() {
    let Some(bus) = Bus::with_keyring() else { return };
    let home = Home::on(&bus).with("DISPLAY", ":99");
    home.run_with(&ADD, "EAAx").code(0);
    bus.lock();
    let run = home.run(&["account", "remove", "acme", "--yes"]).code(6);
    assert!(run.took < Duration::from_secs(2));
    run.screen("secret-keyring-locked");
    home.run(&["account", "list"]).code(0);
    home.run_with(
        &[
            "account",
            "add",
            "Other",
            "--token-stdin",
            "--no-test",
            "--page-username",
            "other.page",
            "--page-id",
            "12345",
        ],
        "EAAx",
    )
    .code(6)
    .says(&["the keyring is locked"]);
}

#[test]
fn a_dialog_that_is_not_answered_is_declined_and_nothing_falls_back() {
    let Some(bus) = Bus::with_keyring() else { return };
    // A screen is named, and no prompter is on the bus: the keyring gives up at once,
    // as it does when somebody closes its dialog.
    let home = Home::on(&bus).with("DISPLAY", ":99");
    home.run_with(&ADD, "EAAx").code(0);
    bus.lock();
    let pty = Pty::start(&home.msgrctl(&["account", "remove", "acme", "--yes"]), 100);
    let (screen, code) = pty.end();
    assert_eq!(code, 6, "{screen}");
    assert!(screen.contains("waiting for the keyring to be unlocked"), "{screen}");
    assert!(screen.contains("was not unlocked"), "{screen}");
    home.run(&["account", "list"]).code(0);
}

#[test]
fn a_dialog_that_somebody_closes_is_declined() {
    let Some(bus) = Bus::with_keyring() else { return };
    let home = Home::on(&bus).with("DISPLAY", ":99");
    home.run_with(&ADD, "EAAx").code(0);
    bus.lock();
    let prompter = Dismissing::on(&bus);
    let (screen, code) = Pty::start(&home.msgrctl(&["secret", "reveal", "acme", "page-access-token"]), 100).end();
    assert_eq!(code, 6, "{screen}");
    assert!(screen.contains("was not unlocked") && screen.contains("unlock the keyring in its dialog"), "{screen}");
    assert_eq!(prompter.closed.load(std::sync::atomic::Ordering::SeqCst), 1, "one dialog, not asked again");
    // Nobody at a terminal: no dialog at all.
    home.run(&["secret", "reveal", "acme", "page-access-token"]).code(6).says(&["the keyring is locked"]);
    assert_eq!(prompter.closed.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[test]
fn several_entries_of_one_name_are_not_guessed_between() {
    let Some(bus) = Bus::with_keyring() else { return };
    let home = Home::on(&bus);
    home.run_with(&ADD, "EAAx").code(0);
    let entries = bus.entries();
    let mut users = entries.lines().filter_map(|line| line.strip_prefix("attribute.username = "));
    let user = users.find(|user| user.ends_with("page-access-token")).unwrap();
    let store = bus
        .program("sh")
        .args(["-c", "printf other | secret-tool store --label=other service msgrctl username \"$0\" extra 1", user])
        .status()
        .unwrap();
    assert!(store.success());
    home.run(&["account", "remove", "acme", "--yes"]).code(6).screen("account-remove-several-entries");
    home.run(&["account", "show", "acme"]).code(0);
}

#[test]
fn the_env_store_is_read_only() {
    let sandbox = sandbox();
    let home = Home::new().with("MSGRCTL_GRAPH_URL", &sandbox.url()).with("MSGRCTL_STORE", "env");
    home.run(&["account", "add"]).code(2).says(&["--handle"]);
    home.run(&["account", "add", "Acme Support"]).code(2).screen("account-add-into-the-env-store");
    home.run_with(&["account", "add", "Acme", "--token-stdin"], "EAAx").code(2).says(&["read-only"]);
    let home = home.with_secrets("acme", &page_token(&sandbox));
    home.run(&["account", "add", "Acme"]).code(0);
    home.run_with(&["account", "edit", "acme", "--token-stdin", "--yes"], "EAAx")
        .code(2)
        .says(&["read only", "MSGRCTL_SECRET_ACME_PAGE_ACCESS_TOKEN"]);
    home.run(&["account", "remove", "acme", "--yes"]).code(0);
}

#[test]
fn the_memory_store_is_for_the_demo() {
    Home::new().run_with(&[&ADD[..], &["--store", "memory"]].concat(), "EAAx").code(2).says(&["would be gone", "demo"]);
}

#[test]
fn a_secret_can_move_to_the_keyring_by_edit() {
    let Some(bus) = Bus::with_keyring() else { return };
    let home = Home::on(&bus).with_secrets("acme", "EAAx");
    home.run(&["account", "add", "Acme", "--page-username", "a.page", "--page-id", PAGE_ID, "--no-test"]).code(0);
    let edit = ["account", "edit", "acme", "--store", "keyring", "--token-stdin", "--yes", "--no-test", "--json"];
    let shown = home.run_with(&edit, "EAAmoved").code(0).json();
    assert_eq!(shown["account"]["secrets"][0]["source"], "keyring");
    assert!(bus.entries().contains("secret = EAAmoved"));
}

#[test]
fn each_way_out_works_as_it_is_pasted() {
    if !(has("dbus-run-session", "dbus") && has("gnome-keyring-daemon", "gnome-keyring")) {
        return;
    }
    // The binary by its name, as a person has it.
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_msgrctl"));
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let command = format!("printf %s EAAx | msgrctl {}", ADD.join(" "));
    let ways = |home: &Home| -> Vec<String> {
        let run = home.run_with(&ADD, "EAAx").code(6);
        run.stderr.lines().filter_map(|line| line.strip_prefix("    ").map(str::to_owned)).collect()
    };
    let home = || Home::new().with("PATH", &path);
    assert_eq!(ways(&home()).len(), 3);
    let run = |home: &Home, script: &str, stdin: &str| {
        let mut shell = home.program("sh");
        shell.args(["-c", script]);
        Run::of(shell, stdin.as_bytes())
    };
    // A session with a keyring; the shell that it opens is one that runs the command.
    let first = home();
    let shell = first.file("shell", format!("#!/bin/sh\n{command}\n"));
    std::fs::set_permissions(&shell, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let first = first.with("SHELL", &shell.to_string_lossy());
    run(&first, &ways(&first)[0], "password\n").code(0).shows(&["are in: keyring"]);
    // An encrypted file with a key file.
    let second = home();
    run(&second, &format!("{}; {command}", ways(&second)[1]), "").code(0).shows(&["are in: file"]);
    // References.
    let third = home().with("MSGRCTL_VERIFY_TOKEN", "Verify0123456789");
    let way = ways(&third)[2].clone();
    run(&third, &format!("export MSGRCTL_PAGE_TOKEN=EAAx; {way}"), "").code(0).shows(&["saved 'Acme'"]);
}
