//! What remains to be done elsewhere, and the ways out where a machine has no keyring.

use crate::support::Home;
use crate::support::world::{acme, page_token, sandbox};

const FORM: &str = "enter it in the contact centre's form too";

#[test]
fn a_message_is_typed_into_the_contact_centre_too() {
    let home = acme(&sandbox(), false);
    let set = ["message", "set", "acme", "session-ended", "--text", "Bye"];
    home.run(&set).code(0).says(&[FORM, "msgrctl account handover acme\n"]);
    home.run(&["message", "default", "acme", "session-ended"]).code(0).says(&[FORM]);
    let place = "enter them in its Chat Settings; what to enter: msgrctl chat-settings show";
    home.run(&["chat-settings", "set", "session-ended", "--text", "Bye"]).code(0).says(&[place]);
    // Nothing changed, nothing to type; and nothing with -q.
    for quiet in [
        &["message", "default", "acme", "session-ended"][..],
        &["chat-settings", "set", "session-ended", "--text", "Bye"],
        &["message", "disable", "acme", "session-ended", "-q"],
    ] {
        let run = home.run(quiet).code(0);
        assert!(!run.stderr.contains(FORM), "{run:#?}");
    }
}

#[test]
fn what_meta_still_has_is_said() {
    let sandbox = sandbox();
    let edit = |url: &'static str| ["account", "edit", "acme", "--callback-url", url, "--no-test"];
    let without_app = acme(&sandbox, false);
    let run = without_app.run(&edit("https://a.example.com/hook")).code(0);
    let again = without_app.run(&edit("https://b.example.com/hook")).code(0);
    assert!(!run.stderr.contains("Meta") && !again.stderr.contains("what Meta has"), "{run:?}{again:?}");

    let home = acme(&sandbox, true).with_key_file();
    home.run(&edit("https://a.example.com/hook")).code(0).says(&["msgrctl webhook subscribe acme\n"]);
    let old = "what Meta has stays as it is";
    home.run(&edit("https://b.example.com/hook")).code(0).says(&[old, "msgrctl webhook subscribe acme\n"]);
    let run = home.run(&[&edit("https://c.example.com/hook")[..], &["-q"]].concat()).code(0);
    assert!(!run.stderr.contains("what Meta has"), "{run:#?}");
    let generate = ["secret", "set", "acme", "verify-token", "--generate", "--yes", "--store", "file"];
    home.run(&generate).code(0).says(&[
        "still have the old verify token",
        "msgrctl webhook subscribe acme --resend\n",
        "msgrctl webhook rotate acme\n",
    ]);
    let clear = ["account", "edit", "acme", "--clear", "callback-url", "--yes"];
    home.run(&clear).code(0).says(&["Meta still sends", "msgrctl webhook unsubscribe acme --app\n"]);
}

#[test]
fn an_added_account_is_handed_over_next() {
    let sandbox = sandbox();
    let home = Home::new().with_key_file().with("MSGRCTL_STORE", "file").with("MSGRCTL_GRAPH_URL", &sandbox.url());
    // What a copy brings along is no part of a token, wherever it comes from.
    let token = page_token(&sandbox);
    let copied = format!(" \t{token} \r\n\n");
    home.run_with(&["account", "add", "--token-stdin"], &copied)
        .code(0)
        .says(&["next: msgrctl account handover acme-support\n"]);
    home.run(&["secret", "reveal", "acme-support", "page-access-token"]).code(0).shows(&[&format!("{token}\n")]);
    home.file("token", &copied);
    let replace = ["secret", "set", "acme-support", "page-access-token", "--yes", "--file", "token"];
    home.run(&replace).code(0);
    let home = home.with("COPIED", &copied);
    for from in ["env:COPIED", "file:token"] {
        home.run(&["secret", "set", "acme-support", "page-access-token", "--yes", "--from", from]).code(0);
        home.run(&["account", "test", "acme-support"]).code(0);
    }
}

#[cfg(unix)]
#[test]
fn secrets_that_were_moved_into_the_file_are_found_again() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, false).with_key_file();
    home.set("MSGRCTL_STORE", "file");
    let add = ["account", "add", "Kept", "--page-username", "kept.page", "--page-id", "309876543210987", "--no-test"];
    home.run_with(&[&add[..], &["--token-stdin"]].concat(), page_token(&sandbox)).code(0);
    let Some(bus) = crate::support::Bus::with_keyring() else { return };
    home.set("DBUS_SESSION_BUS_ADDRESS", &bus.address);
    home.run(&["secret", "move", "kept", "--to", "keyring"]).code(0);
    let file = home.path("config/msgrctl/tenants/default/secrets.enc");
    let says = format!("the encrypted file is {}; the key file opens it", file.display());
    home.run(&["secret", "move", "kept", "--to", "file"]).code(0).says(&[&says]);
}

/// Wherever the keyring is needed, the three ways out are named.
#[cfg(unix)]
#[test]
fn a_machine_without_a_keyring_is_told_the_three_ways_out() {
    const WAYS: [&str; 3] = ["dbus-run-session", "msgrctl config set store file", "--from env:VARIABLE"];
    let Some(bus) = crate::support::Bus::with_keyring() else { return };
    let sandbox = sandbox();
    let mut home = Home::on(&bus).with("MSGRCTL_GRAPH_URL", &sandbox.url());
    home.run_with(&["account", "add", "Acme", "--token-stdin"], page_token(&sandbox)).code(0);
    home.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    home.run(&["account", "test", "acme"]).code(6).says(&WAYS);
    home.run(&["secret", "reveal", "acme", "verify-token"]).code(6).says(&WAYS);
    home.run(&["secret", "set", "acme", "verify-token", "--generate", "--yes"]).code(6).says(&WAYS);
    home.run(&["doctor"]).code(7).shows(&WAYS);
    home.run(&["account", "add", "--token-stdin"]).code(2);
    // A file that is there is opened by what it was made with, and not by a new key.
    home.set("MSGRCTL_PASSPHRASE", "correct horse battery");
    let two = ["account", "add", "Two", "--token-stdin"];
    home.run_with(&[&two[..], &["--store", "file"]].concat(), page_token(&sandbox)).code(0);
    let own = "run the command again with --store file; for all new secrets: msgrctl config set store file";
    let set = ["secret", "set", "two", "verify-token", "--generate", "--store", "keyring", "--yes"];
    let run = home.run(&set).code(6).says(&[WAYS[0], own]);
    assert!(!run.stderr.contains("/dev/urandom"), "{run:?}");
    home.run_with(&["account", "add", "Three", "--token-stdin"], page_token(&sandbox)).code(6).says(&[WAYS[0], own]);
}
