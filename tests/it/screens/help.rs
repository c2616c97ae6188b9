//! The help of each noun, and of the verbs that are used most.

use crate::support::Home;

#[test]
fn nouns() {
    let home = Home::new();
    for (name, words) in [
        ("help-all", "--help"),
        ("help-account", "account --help"),
        ("help-secret", "secret --help"),
        ("help-message", "message --help"),
        ("help-chat-settings", "chat-settings --help"),
        ("help-webhook", "webhook --help"),
        ("help-tenant", "tenant --help"),
        ("help-sandbox", "sandbox --help"),
    ] {
        home.run(&words.split(' ').collect::<Vec<_>>()).screen(name);
    }
}

#[test]
fn verbs() {
    let home = Home::new();
    for (name, words) in [
        ("help-account-add", "account add --help"),
        ("help-account-test", "account test --help"),
        ("help-plan", "plan --help"),
        ("help-apply", "apply --help"),
        ("help-export", "export --help"),
        ("help-demo", "demo --help"),
        ("help-doctor", "doctor --help"),
        ("help-explain", "explain --help"),
        ("help-log", "log --help"),
        ("help-undo", "undo --help"),
        ("help-exit-codes", "help exit-codes"),
    ] {
        home.run(&words.split(' ').collect::<Vec<_>>()).screen(name);
    }
}
