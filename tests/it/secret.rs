//! Secrets: the encrypted file, references, and the commands for both.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use crate::support::world::{PAGE_ID, acme, app, page_token, sandbox, scenario};
use crate::support::{Bus, Home, Kills, Run};

const NEW: [&str; 8] = ["account", "add", "Acme", "--page-username", "acme.support", "--page-id", PAGE_ID, "--no-test"];

fn add(more: &[&str]) -> Vec<String> {
    NEW.iter().chain(more).map(|word| (*word).to_owned()).collect()
}

/// A home without a keyring whose secrets go into the encrypted file.
fn with_file() -> Home {
    Home::new().with("MSGRCTL_STORE", "file").with("MSGRCTL_PASSPHRASE", "correct horse battery")
}

fn secrets_file(home: &Home) -> std::path::PathBuf {
    home.path("config/msgrctl/tenants/default/secrets.enc")
}

#[test]
fn a_machine_without_a_keyring_keeps_secrets_in_an_encrypted_file() {
    let sandbox = sandbox();
    let home = with_file().with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let token = page_token(&sandbox);
    home.run_with(&["account", "add", "Acme", "--token-stdin"], &token).code(0).shows(&["are in: file"]);
    home.run(&["account", "test", "acme"]).code(0);
    home.run(&["account", "list"]).code(0).shows(&["file"]);
    let text = fs::read_to_string(secrets_file(&home)).unwrap();
    assert!(!text.contains(&token[..20]) && text.contains("\"source\":\"passphrase\""), "{text}");
    assert_eq!(fs::metadata(secrets_file(&home)).unwrap().permissions().mode() & 0o777, 0o600);
    home.run(&["secret", "reveal", "acme", "page-access-token"]).code(0).shows(&[&token]);
    home.run(&["account", "remove", "acme", "--yes"]).code(0).shows(&["page access token, verify token"]);
}

#[test]
fn the_list_never_opens_the_encrypted_file() {
    let mut home = with_file();
    home.run_with(&add(&["--token-stdin"]), "EAAx").code(0);
    home.set("MSGRCTL_PASSPHRASE", "wrong passphrase here");
    home.run(&["account", "list"]).code(0);
    home.run(&["account", "show", "acme"]).code(0);
    home.run(&["account", "test", "acme"]).code(6);
    home.unset("MSGRCTL_PASSPHRASE");
    home.run(&["secret", "reveal", "acme", "verify-token"]).code(6).screen("secret-passphrase-missing");
}

#[test]
fn every_fault_of_the_file_is_a_clear_error_and_loses_nothing() {
    let home = with_file();
    home.run_with(&add(&["--token-stdin"]), "EAAx").code(0);
    let path = secrets_file(&home);
    let good = fs::read(&path).unwrap();
    let reveal = ["secret", "reveal", "acme", "page-access-token"];
    let replace = ["secret", "set", "acme", "verify-token", "--generate", "--yes"];
    fs::write(&path, &good[..good.len() / 2]).unwrap();
    home.run(&reveal).code(3);
    home.run(&replace).code(3);
    assert_eq!(fs::read(&path).unwrap(), &good[..good.len() / 2]);
    fs::write(&path, &good).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    home.run(&reveal).code(6);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let real = home.path("real.enc");
    fs::rename(&path, &real).unwrap();
    std::os::unix::fs::symlink(&real, &path).unwrap();
    home.run(&reveal).code(6).says(&["it is a link"]);
    fs::remove_file(&path).unwrap();
    fs::rename(&real, &path).unwrap();
    // A full disk.
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"";
    let mut command = home.program("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_msgrctl")]).args(replace);
    Run::of(command, b"").code(3).says(&["could not be written", "nothing was changed"]);
    assert_eq!(fs::read(&path).unwrap(), good);
    home.run(&reveal).code(0).shows(&["EAAx"]);
}

#[test]
fn the_key_can_be_in_a_key_file() {
    let home = Home::new().with("MSGRCTL_STORE", "file");
    home.run_with(&add(&["--token-stdin"]), "EAAx").code(6);
    home.file("short", "short");
    home.run_with(&add(&["--token-stdin", "--key-file", "short"]), "EAAx").code(6);
    let key = home.file("key", [7_u8; 32]);
    home.run_with(&add(&["--token-stdin", "--key-file", "key"]), "EAAx").code(6).says(&["others may read it"]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    home.run_with(&add(&["--token-stdin", "--key-file", "key"]), "EAAx").code(0);
    let home = home.with("MSGRCTL_KEY_FILE", &key.to_string_lossy());
    home.run(&["secret", "reveal", "acme", "page-access-token"]).code(0).shows(&["EAAx"]);
    fs::write(&key, [8_u8; 32]).unwrap();
    home.run(&["secret", "reveal", "acme", "page-access-token"]).code(6);
}

#[test]
fn the_key_can_be_one_entry_in_the_keyring() {
    let Some(bus) = Bus::with_keyring() else { return };
    let home = Home::on(&bus).with("MSGRCTL_STORE", "file");
    home.run_with(&add(&["--token-stdin"]), "EAAx").code(0);
    let entries = bus.entries();
    assert_eq!(entries.matches("label = ").count(), 1, "{entries}");
    assert!(entries.contains("label = msgrctl: key of the encrypted secrets of tenant default"), "{entries}");
    assert!(!entries.contains("EAAx"));
    home.run(&["secret", "reveal", "acme", "page-access-token"]).code(0).shows(&["EAAx"]);
    bus.lock();
    home.run(&["secret", "reveal", "acme", "page-access-token"]).code(6).says(&["the keyring is locked"]);
}

#[test]
fn references_are_kept_as_references() {
    let sandbox = sandbox();
    let token = page_token(&sandbox);
    let home = Home::new().with("MSGRCTL_GRAPH_URL", &sandbox.url()).with("ACME_TOKEN", &token);
    let verify = home.file("verify", "Verify0123456789\n");
    let add =
        ["account", "add", "Acme", "--token-from", "env:ACME_TOKEN", "--verify-token-from", "file:verify", "--json"];
    let shown = home.run(&add).code(0).json();
    assert_eq!(
        shown["account"]["secrets"],
        serde_json::json!([
            {"kind": "page_access_token", "source": "env:ACME_TOKEN"},
            {"kind": "verify_token", "source": format!("file:{}", verify.display())},
        ])
    );
    home.run(&["account", "test", "acme"]).code(0);
    // An app secret beside them, from a program.
    let (app_id, secret) = app(&sandbox);
    home.file("secret", &secret);
    let from = format!("command:cat '{}'", home.path("secret").display());
    home.run(&["account", "edit", "acme", "--app-id", &app_id, "--app-secret-from", &from, "-v"])
        .code(0)
        .shows(&["✓ pass         token.permissions"]);
    home.run(&["secret", "list", "acme"]).code(0).shows(&["env:ACME_TOKEN", "command:cat", "yes"]);
    let text = fs::read_to_string(home.accounts_file()).unwrap();
    assert!(!text.contains(&token) && !text.contains(&secret), "{text}");
    home.run(&["account", "remove", "acme", "--yes"]).code(0);
    assert!(home.path("secret").exists() && verify.exists());
}

#[test]
fn references_to_the_keyring_read_what_others_keep_there() {
    let Some(bus) = Bus::with_keyring() else { return };
    let script = "printf EAAtheirs | secret-tool store --label=theirs service acme username page/token";
    assert!(bus.program("sh").args(["-c", script]).status().unwrap().success());
    let home = Home::on(&bus);
    home.run(&add(&["--token-from", "keyring:acme/page/token"])).code(0);
    home.run(&["secret", "reveal", "acme", "page-access-token"]).code(0).shows(&["EAAtheirs"]);
}

#[test]
fn references_that_lead_nowhere_say_so() {
    let mut home = Home::new().with("ACME_TOKEN", "EAAx").with_secrets("other", "EAAx");
    let with = |home: &Home, reference: &str| home.run(&add(&["--store", "keyring", "--token-from", reference]));
    with(&home, "safe:x").code(2).says(&["env:NAME"]);
    with(&home, "env:NOBODY").code(4).says(&["no page access token at env:NOBODY"]);
    with(&home, "file:nothing").code(4).says(&["nothing"]);
    with(&home, "command:sh -c 'echo vault is sealed >&2; exit 2'").code(6).says(&["vault is sealed", "by hand"]);
    with(&home, "command:no-such-program").code(6).says(&["could not be started"]);
    home.file("verify", "Verify0123456789");
    home.run(&add(&["--store", "keyring", "--token-from", "env:ACME_TOKEN", "--verify-token-from", "file:verify"]))
        .code(0);
    home.unset("ACME_TOKEN");
    home.unset("MSGRCTL_STORE");
    let run = home.run(&["account", "test", "acme", "--json"]).code(7);
    assert!(run.check("token.valid")["summary"].as_str().unwrap().contains("the variable ACME_TOKEN is not set"));
    home.run(&["secret", "list", "acme"]).code(0).shows(&["missing"]);
}

#[test]
fn the_list_says_what_is_where_and_shows_no_value() {
    let home = with_file();
    home.run_with(&add(&["--token-stdin", "--verify-token-file", "verify"]), "EAAx").code(2);
    home.file("verify", "secret word");
    home.run_with(&add(&["--token-stdin", "--verify-token-file", "verify"]), "EAAx").code(0);
    let run = home.run(&["secret", "list", "--json"]).code(0);
    let value = run.json();
    assert_eq!(value["store"], serde_json::json!({"name": "file", "chosen_by": "MSGRCTL_STORE", "ready": true}));
    let token = &value["secrets"][0];
    // sha256 of EAAx begins with this.
    assert_eq!(token["fingerprint"].as_str().unwrap().len(), 8);
    assert_eq!((&token["present"], &token["source"]), (&true.into(), &"file".into()));
    assert!(value["secrets"][1].get("fingerprint").is_none(), "a word can be guessed: {value}");
    assert!(!run.stdout.contains("EAAx") && !run.stdout.contains("secret word"));
    home.run(&["secret", "set", "acme", "verify-token", "--generate", "--yes"]).code(0);
    assert!(home.run(&["secret", "list", "--json"]).json()["secrets"][1]["fingerprint"].is_string());
}

#[test]
fn a_new_token_is_tested_before_it_takes_the_place_of_the_old_one() {
    let sandbox = scenario(
        "version = 1\n[[pages]]\nid = '109876543210987'\nusername = 'acme.support'\nname = 'Acme'\ntoken = 'EAAgood'\n\
         [[pages]]\nid = '55555'\nname = 'Other'\ntoken = 'EAAother'\n",
    );
    let home = with_file().with("MSGRCTL_GRAPH_URL", &sandbox.url());
    home.run_with(&["account", "add", "Acme", "--token-stdin"], "EAAgood").code(0);
    let set = ["secret", "set", "acme", "page-access-token", "--stdin"];
    home.run_with(&set, "EAAgood").code(2).says(&["--yes"]);
    let set = ["secret", "set", "acme", "page-access-token", "--stdin", "--yes"];
    home.run_with(&set, "EAAother").code(7);
    home.run_with(&set, "EAAgarbage").code(7);
    home.run(&["secret", "reveal", "acme", "page-access-token"]).shows(&["EAAgood"]);
    home.run_with(&[&set[..], &["--force"]].concat(), "EAAother").code(0);
    home.run(&["secret", "reveal", "acme", "page-access-token"]).shows(&["EAAother"]);
    home.run(&["secret", "set", "acme", "page-access-token", "--generate"]).code(2).says(&["Meta issues it"]);
    home.run_with(&["secret", "set", "acme", "app-secret", "--stdin", "--yes"], "x")
        .code(2)
        .says(&["needs its app id"]);
    home.run(&["secret", "set", "acme", "verify-token"]).code(2);
}

#[test]
fn a_secret_is_removed_only_when_told_so() {
    let home = with_file();
    home.run_with(&add(&["--token-stdin"]), "EAAx").code(0);
    home.run(&["secret", "remove", "acme", "page-access-token"]).code(2);
    home.run(&["secret", "remove", "acme", "page-access-token", "--yes"]).code(0);
    home.run(&["secret", "reveal", "acme", "page-access-token"])
        .code(4)
        .says(&["the account has no page access token"]);
    home.run(&["secret", "remove", "acme", "app-secret", "--yes"]).code(0).says(&["nothing to remove"]);
}

#[test]
fn moving_there_and_back_loses_nothing() {
    let Some(bus) = Bus::with_keyring() else { return };
    let home = Home::on(&bus);
    home.run_with(&add(&["--token-stdin"]), "EAAx").code(0);
    home.run(&["secret", "move", "acme", "--to", "file"]).code(0).shows(&["moved 2 secrets to the file store"]);
    // Only the key of the file is left in the keyring.
    assert_eq!(bus.entries().matches("label = ").count(), 1, "{}", bus.entries());
    home.run(&["secret", "reveal", "acme", "page-access-token"]).shows(&["EAAx"]);
    home.run(&["secret", "move", "--all", "--to", "file"]).code(0).shows(&["nothing to move"]);
    home.run(&["secret", "move", "--all", "--to", "keyring"]).code(0);
    assert!(bus.entries().contains("secret = EAAx"));
    home.run(&["secret", "move", "--all", "--to", "env"]).code(2);
    home.run(&["secret", "move", "--to", "file"]).code(2);
}

#[test]
fn moves_that_are_killed_and_run_again_lose_none() {
    const ACCOUNTS: usize = 40;
    let Some(bus) = Bus::with_keyring() else { return };
    let mut home = Home::on(&bus);
    let key = home.file("key", [7_u8; 32]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    home.set("MSGRCTL_KEY_FILE", &key.to_string_lossy());
    for at in 0..ACCOUNTS {
        let name = format!("account-{at}");
        let add = [
            "account",
            "add",
            &name,
            "--page-username",
            "a.page",
            "--page-id",
            PAGE_ID,
            "--no-test",
            "--store",
            "file",
            "--token-stdin",
            "-q",
        ];
        home.run_with(&add, format!("EAA{at}")).code(0);
    }
    let fingerprints = |home: &Home| -> Vec<String> {
        let value = home.run(&["secret", "list", "--json"]).code(0).json();
        let secrets = value["secrets"].as_array().unwrap();
        secrets.iter().map(|secret| secret["fingerprint"].as_str().unwrap_or("gone").to_owned()).collect()
    };
    let before = fingerprints(&home);
    assert_eq!(before.len(), 2 * ACCOUNTS);
    let mut kills = Kills::within(Duration::from_millis(800));
    for round in 0..12 {
        let to = if round % 3 == 2 { "file" } else { "keyring" };
        let mut child = home
            .msgrctl(&["secret", "move", "--all", "--to", to, "-q"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        kills.kill(&mut child);
        assert_eq!(fingerprints(&home), before, "round {round}");
    }
    home.run(&["secret", "move", "--all", "--to", "file"]).code(0);
    assert_eq!(fingerprints(&home), before);
    assert_eq!(bus.entries(), "", "no copy is left behind");
}

#[test]
fn a_token_that_comes_from_a_variable_is_revealed_from_there() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    home.run(&["secret", "reveal", "acme", "page-access-token"]).code(0).shows(&[&page_token(&sandbox)]);
    let run = home.run(&["secret", "reveal", "acme", "page-access-token", "--json"]).code(0);
    assert_eq!(run.json()["value"], page_token(&sandbox).as_str());
}

#[test]
fn two_changes_of_one_secret_at_once_lose_neither() {
    let Some(bus) = Bus::with_keyring() else { return };
    let mut home = Home::on(&bus);
    let key = home.file("key", [7_u8; 32]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    home.set("MSGRCTL_KEY_FILE", &key.to_string_lossy());
    home.run_with(&add(&["--token-stdin"]), "EAAx").code(0);
    for round in 0..12 {
        let to = if round % 2 == 0 { "file" } else { "keyring" };
        let value = home.file("verify", format!("Verify{round:04}Verify"));
        let mut moving = home.msgrctl(&["secret", "move", "acme", "--to", to, "-q"]);
        let mut moving = moving.stdout(Stdio::null()).spawn().unwrap();
        let set = ["secret", "set", "acme", "verify-token", "--file", &value.to_string_lossy(), "--yes", "-q"];
        home.run(&set).code(0);
        assert!(moving.wait().unwrap().success());
        home.run(&["secret", "reveal", "acme", "verify-token"]).code(0).shows(&[&format!("Verify{round:04}Verify")]);
        home.run(&["secret", "reveal", "acme", "page-access-token"]).code(0).shows(&["EAAx"]);
    }
}

#[test]
fn a_move_that_begins_late_removes_no_copy_that_is_needed() {
    let Some(bus) = Bus::with_keyring() else { return };
    let mut home = Home::on(&bus);
    let key = home.file("key", [7_u8; 32]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    home.set("MSGRCTL_KEY_FILE", &key.to_string_lossy());
    for at in 0..10 {
        let name = format!("account-{at}");
        let new = [
            "account",
            "add",
            &name,
            "--page-username",
            "a.page",
            "--page-id",
            PAGE_ID,
            "--no-test",
            "--token-stdin",
            "-q",
        ];
        home.run_with(&new, format!("EAA{at}")).code(0);
    }
    // Two moves in opposite directions over the same accounts.
    for _ in 0..3 {
        let children: Vec<_> = ["file", "keyring"]
            .iter()
            .map(|to| {
                home.msgrctl(&["secret", "move", "--all", "--to", to, "-q"]).stdout(Stdio::null()).spawn().unwrap()
            })
            .collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        let value = home.run(&["secret", "list", "--json"]).code(0).json();
        for secret in value["secrets"].as_array().unwrap() {
            assert_eq!(secret["present"], true, "{secret}");
        }
    }
}

#[test]
fn our_own_entries_are_not_referred_to() {
    let Some(bus) = Bus::with_keyring() else { return };
    let home = Home::on(&bus);
    home.run_with(&add(&["--token-stdin"]), "EAAx").code(0);
    let shown = home.run(&["account", "show", "acme", "--json"]).json();
    let own = format!("keyring:msgrctl/{}/page-access-token", shown["account"]["id"].as_str().unwrap());
    home.run(&["secret", "set", "acme", "page-access-token", "--from", &own, "--yes", "--force"])
        .code(2)
        .says(&["belongs to one of its accounts"]);
    home.run(&["secret", "reveal", "acme", "page-access-token"]).code(0).shows(&["EAAx"]);
}

#[test]
fn a_key_file_that_exists_is_not_overwritten_by_the_way_out() {
    let home = Home::new();
    let run = home.run_with(&add(&["--token-stdin"]), "EAAx").code(6);
    let way = run.stderr.lines().find(|line| line.contains("/dev/urandom")).unwrap().trim().to_owned();
    // The binary by its name, as a person has it.
    let directory = std::path::Path::new(env!("CARGO_BIN_EXE_msgrctl")).parent().unwrap();
    let path = format!("{}:{}", directory.display(), std::env::var("PATH").unwrap());
    let paste = |home: &Home, then: &str| {
        let mut shell = home.program("sh");
        shell.env("PATH", &path).args(["-c", &format!("{way}; {then}")]);
        Run::of(shell, b"")
    };
    let words = NEW.join(" ");
    paste(&home, &format!("printf EAAone | msgrctl {words} --token-stdin")).code(0);
    // Who pastes it once more loses nothing.
    let other = words.replace("Acme", "Other");
    paste(&home, &format!("printf EAAtwo | msgrctl {other} --token-stdin")).code(0);
    paste(&home, "msgrctl secret reveal acme page-access-token").code(0).shows(&["EAAone"]);
}

#[test]
fn programs_get_none_of_our_variables() {
    let home = with_file();
    home.file("verify", "Verify0123456789");
    let from = "command:sh -c 'echo EAA$MSGRCTL_PASSPHRASE'";
    home.run(&add(&["--token-from", from, "--verify-token-from", "file:verify"])).code(0);
    assert_eq!(home.run(&["secret", "reveal", "acme", "page-access-token"]).code(0).stdout, "EAA\n");
}

#[test]
fn a_store_that_is_gone_for_good_does_not_hold_an_account_back() {
    let Some(bus) = Bus::with_keyring() else { return };
    let mut home = Home::on(&bus).with("MSGRCTL_PASSPHRASE", "correct horse battery");
    home.run_with(&add(&["--token-stdin"]), "EAAx").code(0);
    home.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    let set = [
        "secret",
        "set",
        "acme",
        "page-access-token",
        "--stdin",
        "--yes",
        "--force",
        "--store",
        "file",
        "--graph-url",
        "http://127.0.0.1:1",
    ];
    home.run_with(&set, "EAAnew").code(2).says(&["is a live account"]);
    let edit = ["account", "edit", "acme", "--token-stdin", "--yes", "--no-test", "--store", "file"];
    home.run_with(&edit, "EAAnew").code(0).says(&["may be left in the keyring store"]);
    home.run(&["secret", "reveal", "acme", "page-access-token"]).code(0).shows(&["EAAnew"]);
}

#[test]
fn results_are_json_where_json_is_asked_for() {
    let home = with_file();
    home.run_with(&add(&["--token-stdin"]), "EAAx").code(0);
    let moved = home.run(&["secret", "move", "--all", "--to", "file", "--json"]).code(0).json();
    assert_eq!((&moved["moved"], &moved["store"]), (&0.into(), &"file".into()));
    let removed = home.run(&["secret", "remove", "acme", "verify-token", "--yes", "--json"]).code(0).json();
    assert_eq!(removed["account"]["secrets"].as_array().unwrap().len(), 1);
}

#[test]
fn a_given_app_secret_goes_before_one_in_a_variable() {
    let Some(bus) = Bus::with_keyring() else { return };
    let home = Home::on(&bus).with_secrets("acme", "EAAx");
    home.run(&add(&[])).code(0);
    let home = home.with("MSGRCTL_SECRET_ACME_APP_SECRET", "0123456789abcdef0123456789abcdef");
    home.file("secret", "fedcba9876543210fedcba9876543210");
    let edit = [
        "account",
        "edit",
        "acme",
        "--app-id",
        "123456",
        "--app-secret-file",
        "secret",
        "--store",
        "keyring",
        "--no-test",
    ];
    home.run(&edit).code(0);
    home.run(&["secret", "reveal", "acme", "app-secret"]).code(0).shows(&["fedcba9876543210"]);
    home.run(&["secret", "list", "acme"]).code(0).shows(&["keyring"]);
}

#[test]
fn a_reference_to_our_own_entry_in_a_file_does_not_lock_anybody_out() {
    let home = with_file();
    home.run_with(&add(&["--token-stdin"]), "EAAx").code(0);
    let text = fs::read_to_string(home.accounts_file()).unwrap();
    fs::write(home.accounts_file(), text.replace("verify_token = \"file\"", "verify_token = \"keyring:msgrctl/x\""))
        .unwrap();
    home.run(&["account", "list"]).code(0);
}

#[cfg(target_os = "linux")]
#[test]
fn no_core_is_dumped() {
    let home = Home::new();
    let mut shell = home.program("sh");
    // The parent of a program that prints a secret is msgrctl.
    let look = "command:sh -c 'cat /proc/$PPID/limits > limits; echo EAAx'";
    shell.args(["-c", "ulimit -S -c 1000 2>/dev/null; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_msgrctl")]);
    shell.args(["account", "add", "Acme", "--page-username", "a.page", "--page-id", "12345", "--no-test"]);
    shell.args(["--token-from", look, "--store", "file"]).env("MSGRCTL_PASSPHRASE", "correct horse battery");
    Run::of(shell, b"").code(0);
    let limits = fs::read_to_string(home.path("limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
}

#[test]
fn the_encrypted_file_gets_another_passphrase_and_is_set_aside_where_it_is_lost() {
    let mut home = Home::new().with("MSGRCTL_STORE", "file").with("MSGRCTL_PASSPHRASE", "correct horse battery");
    let token = "EAABsbCS1iHgBAxZCZCqZBcZAHmZC";
    let add = ["account", "add", "Acme", "--page-username", "acme.support", "--page-id", "109876543210987"];
    home.run_with(&[&add[..], &["--token-stdin", "--no-test"]].concat(), token).code(0);
    let file = home.path("config/msgrctl/tenants/default/secrets.enc");
    let before = fs::read(&file).unwrap();
    let reveal = ["secret", "reveal", "acme", "page-access-token", "--json"];
    // Nothing to open it with: it is as it was.
    home.run(&["secret", "passphrase"]).code(2).says(&["missing: the new passphrase", "--stdin"]);
    home.set("MSGRCTL_PASSPHRASE", "wrong horse battery");
    home.run_with(&["secret", "passphrase", "--stdin"], "another horse battery").code(6).says(&[
        "does not open the encrypted file",
        "nothing can read the secrets",
        "--begin-again",
    ]);
    assert_eq!(fs::read(&file).unwrap(), before);
    home.set("MSGRCTL_PASSPHRASE", "correct horse battery");
    home.run_with(&["secret", "passphrase", "--stdin"], "another horse battery\n")
        .code(0)
        .shows(&["the new passphrase opens "])
        .says(&["it cannot be recovered"]);
    home.run(&reveal).code(6);
    home.set("MSGRCTL_PASSPHRASE", "another horse battery");
    assert_eq!(home.run(&reveal).code(0).json()["value"], token);
    // Nothing of its own opens it: the next change would lock it.
    for own in [&file, &home.accounts_file()] {
        home.run(&["secret", "passphrase", "--new-key-file", own.to_str().unwrap()])
            .code(2)
            .says(&["that directory is for msgrctl's own files"]);
    }
    // A key file, and back.
    let key = home.file("key", "0123456789abcdef0123456789abcdef");
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    home.run(&["secret", "passphrase", "--new-key-file", key.to_str().unwrap()]).code(0);
    home.unset("MSGRCTL_PASSPHRASE");
    home.run(&reveal).code(6).says(&["--key-file", "msgrctl config set key_file"]);
    home.run(&["config", "set", "key_file", key.to_str().unwrap()]).code(0);
    assert_eq!(home.run(&reveal).code(0).json()["value"], token);
    // What opened it is lost.
    home.run(&["config", "unset", "key_file"]).code(0);
    home.run(&["secret", "passphrase", "--begin-again"]).code(2).says(&["--begin-again --yes"]);
    home.run(&["secret", "passphrase", "--begin-again", "--yes"])
        .code(0)
        .shows(&["secrets.enc.old", "msgrctl account edit acme --token-file FILE --verify-token-file FILE --yes"]);
    assert!(!file.exists() && file.with_file_name("secrets.enc.old").exists());
    home.run(&["account", "show", "acme"]).code(0);
    home.set("MSGRCTL_PASSPHRASE", "a third horse battery");
    home.file("token", token);
    home.file("verify", "verify-token-0123");
    let again = ["account", "edit", "acme", "--token-file", "token", "--verify-token-file", "verify", "--yes"];
    home.run(&[&again[..], &["--no-test"]].concat()).code(0);
    assert_eq!(home.run(&reveal).code(0).json()["value"], token);
}

/// After a new beginning the secrets come back one by one, in any order, as each message says.
#[test]
fn lost_secrets_are_given_back_one_by_one() {
    let sandbox = sandbox();
    let (app_id, app_secret) = app(&sandbox);
    let home = Home::new()
        .with("MSGRCTL_GRAPH_URL", &sandbox.url())
        .with("MSGRCTL_STORE", "file")
        .with("MSGRCTL_PASSPHRASE", "correct horse battery");
    let secret = home.file("app-secret", &app_secret);
    let add =
        ["account", "add", "Acme", "--app-id", &app_id, "--app-secret-file", secret.to_str().unwrap(), "--token-stdin"];
    home.run_with(&add, page_token(&sandbox)).code(0);
    home.run(&["secret", "passphrase", "--begin-again", "--yes"]).code(0);
    home.run(&["account", "test", "acme"]).code(7).shows(&["msgrctl account edit acme --token-stdin --yes"]);
    let token = ["account", "edit", "acme", "--token-stdin", "--yes"];
    let run = home.run_with(&token, page_token(&sandbox)).code(0);
    run.says(&[
        "the app secret is still missing",
        &format!("msgrctl account edit acme --app-id {app_id} --app-secret-stdin --yes"),
    ]);
    let edit = ["account", "edit", "acme", "--app-id", &app_id, "--app-secret-stdin", "--yes"];
    home.run_with(&edit, &app_secret).code(0);
    home.run(&["account", "test", "acme"]).code(0);
    // The other way round.
    home.run(&["secret", "passphrase", "--begin-again", "--yes"]).code(0);
    home.run_with(&edit, &app_secret).code(0).says(&["not tested: the account has no page access token"]);
    home.run_with(&token, page_token(&sandbox)).code(0);
    home.run(&["account", "test", "acme"]).code(0);
    // A wrong secret is refused all the same.
    home.run_with(&edit, "0123456789abcdef0123456789abcdef").code(7);
}

/// Only a lost app secret is taken without a test: nothing that is there, and nothing else.
#[test]
fn without_a_token_nothing_wrong_is_saved_untested() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, true);
    home.unset("MSGRCTL_SECRET_ACME_PAGE_ACCESS_TOKEN");
    for change in [&["--app-id", "777777777777777"][..], &["--page-username", "who.knows"]] {
        home.run(&[&["account", "edit", "acme", "--yes"], change].concat()).code(4).says(&["no page access token"]);
    }
    let home = Home::new()
        .with("MSGRCTL_GRAPH_URL", &sandbox.url())
        .with("MSGRCTL_STORE", "file")
        .with("MSGRCTL_PASSPHRASE", "correct horse battery");
    home.run_with(&["account", "add", "Acme", "--token-stdin"], page_token(&sandbox)).code(0);
    home.run(&["account", "test", "acme"]).code(0);
    home.run(&["secret", "passphrase", "--begin-again", "--yes"]).code(0);
    // What was found before is not how it is.
    home.run(&["status"]).code(0).shows(&["was pass", "changed since"]);
    let (app_id, app_secret) = app(&sandbox);
    let edit = ["account", "edit", "acme", "--app-id", &app_id, "--app-secret-stdin", "--yes"];
    home.run_with(&edit, app_secret)
        .code(4)
        .says(&["no page access token", "--token-file FILE --app-secret-file FILE"]);
}
