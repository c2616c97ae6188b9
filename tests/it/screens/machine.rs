//! What msgrctl says of the machine, and what it explains.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::Home;
use crate::support::world::{acme, sandbox};

#[test]
fn doctor() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, true);
    home.run(&["doctor"]).screen("doctor-well");
    home.run(&["doctor", "--json"]).screen("doctor-json");
    home.set("MSGRCTL_STORE", "keyring");
    home.set("MSGRCTL_GRAPH_URL", "http://127.0.0.1:1");
    home.unset("MSGRCTL_SECRET_ACME_PAGE_ACCESS_TOKEN");
    std::fs::set_permissions(home.accounts_file(), std::fs::Permissions::from_mode(0o666)).unwrap();
    home.run(&["doctor"]).screen("doctor-with-faults");
}

#[test]
fn explain() {
    let home = Home::new();
    home.run(&["explain"]).screen("explain-list");
    home.run(&["explain", "190/463"]).screen("explain-code");
    home.run(&["explain", "password-changed"]).screen("explain-cause");
    home.run(&["explain", "password-changed", "--json"]).screen("explain-cause-json");
    home.run(&["explain", "token.expiry"]).screen("explain-check");
    home.run(&["explain", "exit", "7"]).screen("explain-exit-code");
    home.run(&["explain", "pasword-changed"]).screen("explain-unknown");
}
