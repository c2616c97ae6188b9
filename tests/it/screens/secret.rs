//! Secrets: where they are, what happens to them, and the stores that do not open.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::world::{acme, sandbox};
use crate::support::{Fleet, Home};

#[test]
fn in_variables() {
    Home::new().run(&["secret", "list"]).screen("secret-list-empty");
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    home.run(&["secret", "list"]).screen("secret-list");
    home.run(&["secret", "list", "--json"]).screen("secret-list-json");
    home.run(&["secret", "set", "acme", "verify-token", "--generate", "--yes"]).screen("secret-set-in-variables");
}

#[test]
fn in_the_encrypted_file() {
    let mut fleet = Fleet::new(1);
    fleet.home.set("MSGRCTL_STORE", "file");
    fleet.manifest(0..1);
    fleet.apply(&[]).code(0);
    let home = &mut fleet.home;
    home.run_with(&["secret", "set", "page-0", "verify-token", "--stdin", "--yes"], "another-0123456789")
        .screen("secret-set");
    home.run(&["secret", "reveal", "page-0", "verify-token"]).screen("secret-reveal");
    home.run(&["secret", "list"]).screen("secret-list-stores");
    // Another key does not open it.
    let other = home.file("other", [8; 64]);
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o600)).unwrap();
    home.set("MSGRCTL_KEY_FILE", &other.to_string_lossy());
    home.run(&["secret", "reveal", "page-0", "verify-token"]).screen("secret-wrong-key");
    home.unset("MSGRCTL_KEY_FILE");
    home.run(&["secret", "reveal", "page-0", "verify-token"]).screen("secret-no-key");
}

#[test]
fn stores_that_do_not_open() {
    let add = ["account", "add", "Acme", "--page-username", "acme.support", "--page-id", "109876543210987"];
    let add = [&add[..], &["--token-stdin", "--no-test"]].concat();
    let home = Home::new();
    home.run_with(&add, "EAAtoken0123456789").screen("secret-no-keyring");
    home.run_with(&[&add[..], &["--json"]].concat(), "EAAtoken0123456789").screen("secret-no-keyring-json");
    let mut home = home.with("MSGRCTL_STORE", "file");
    home.run_with(&add, "EAAtoken0123456789").screen("secret-no-passphrase");
    home.set("MSGRCTL_PASSPHRASE", "correct horse battery");
    home.run_with(&add, "EAAtoken0123456789").code(0);
    home.set("MSGRCTL_PASSPHRASE", "wrong passphrase here");
    home.run(&["account", "test", "acme"]).screen("secret-wrong-passphrase");
    home.set("MSGRCTL_PASSPHRASE", "correct horse battery");
    let path = home.path("config/msgrctl/tenants/default/secrets.enc");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    home.run(&["secret", "reveal", "acme", "verify-token"]).screen("secret-file-open-to-others");
    let half = std::fs::read(&path).unwrap();
    std::fs::write(&path, &half[..half.len() / 2]).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    home.run(&["secret", "reveal", "acme", "verify-token"]).screen("secret-file-damaged");
}
