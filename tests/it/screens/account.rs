//! Accounts: nothing yet, one, several; what adding, changing and removing say.

use crate::support::world::{PAGE_ID, acme, app, page_token, sandbox};
use crate::support::{Fleet, Home};

#[test]
fn nothing_yet() {
    let home = Home::new();
    home.run(&["account", "list"]).screen("account-list-empty");
    home.run(&["account", "list", "--json"]).screen("account-list-empty-json");
    home.run(&["account", "test", "--all"]).screen("account-test-all-empty");
    home.run(&["account", "add"]).screen("account-add-without-terminal");
    home.run(&["account", "add", "--token", "EAAB0123456789abcdef"]).screen("account-add-token-in-arguments");
}

#[test]
fn one_account() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    home.run(&["account", "list"]).screen("account-list");
    home.run(&["account", "list", "--json"]).screen("account-list-json");
    home.run(&["account", "show", "acme"]).screen("account-show");
    home.run(&["account", "show", "acme", "--json"]).screen("account-show-json");
    home.run(&["account", "test", "acme"]).screen("account-test");
    home.run(&["account", "test", "acme", "--json"]).screen("account-test-json");
    home.run(&["account", "handover", "acme"]).screen("account-handover");
    home.run(&["account", "handover", "acme", "--markdown"]).screen("account-handover-markdown");
    home.run(&["account", "handover", "acme", "--no-test", "--json"]).screen("account-handover-json");
}

#[test]
fn several_accounts() {
    let fleet = Fleet::new(3);
    fleet.manifest(0..3);
    fleet.apply(&[]).code(0);
    {
        let mut world = fleet.sandbox.world();
        let id = world.pages[1].id.clone();
        world.page_token_mut(&id).unwrap().state = msgrctl::sandbox::TokenState::LoggedOut;
    }
    fleet.home.run(&["account", "list"]).screen("account-list-several");
    fleet.home.run(&["account", "test", "--all"]).screen("account-test-all");
}

#[test]
fn changes() {
    let sandbox = sandbox();
    let home = Home::new().with_secrets("acme", &page_token(&sandbox)).with("MSGRCTL_GRAPH_URL", &sandbox.url());
    home.run(&["account", "add", "Acme"]).screen("account-add");
    let (app_id, app_secret) = app(&sandbox);
    let mut home = home;
    home.set("MSGRCTL_SECRET_ACME_APP_SECRET", &app_secret);
    home.run(&["account", "edit", "acme", "--app-id", &app_id]).screen("account-edit");
    home.run(&["account", "edit", "acme", "--page-id", "555555"]).screen("account-edit-failed");
    home.run(&["account", "edit", "acme", "--app-id", &app_id]).screen("account-edit-nothing-to-change");
    home.run(&["account", "rename", "acme", "Acme Care"]).screen("account-rename");
    home.run(&["account", "remove", "acme"]).screen("account-remove-without-terminal");
    home.run(&["account", "remove", "acme", "--yes"]).screen("account-remove");
}

#[test]
fn warnings() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false).with_secrets("two", "EAAsecond0123456789");
    let second = ["account", "add", "Two", "--page-username", "abc", "--page-id", PAGE_ID, "--no-test"];
    home.run(&[&second[..], &["--callback-url", "http://example.com/hook"]].concat()).screen("account-add-warnings");
}
