//! What goes wrong in the same way everywhere, and where it is shown.

use crate::support::Home;
use crate::support::pty::Pty;
use crate::support::world::{acme, sandbox, scenario};

#[test]
fn names_and_usage() {
    let home = acme(&sandbox(), false);
    home.run(&["account", "show", "acmee"]).screen("error-unknown-account");
    home.run(&["account", "show", "acmee", "--json"]).screen("error-unknown-account-json");
    home.run(&["acount", "list"]).screen("error-unknown-noun");
    home.run(&["account", "lst"]).screen("error-unknown-verb");
    home.run(&["account", "lst", "--json"]).screen("error-unknown-verb-json");
    home.run(&["account", "list", "--jsn"]).screen("error-unknown-flag");
    home.run(&["account", "list", "--store", "paper"]).screen("error-wrong-value");
    home.run(&["account", "test"]).screen("error-missing-argument");
    home.run(&["account", "list", "--tenant", "acmee"]).screen("error-unknown-tenant");
}

#[test]
fn files_and_settings() {
    let home = Home::new();
    let config = home.file("config/msgrctl/config.toml", "tenat = 'x'");
    home.run(&["account", "list"]).screen("error-configuration");
    std::fs::remove_file(config).unwrap();
    let accounts = home.file("config/msgrctl/tenants/default/accounts.toml", "schema_version = 1\n[[accounts]\n");
    home.run(&["account", "list"]).screen("error-accounts-file-broken");
    std::fs::write(&accounts, "schema_version = 99\n").unwrap();
    home.run(&["account", "list"]).screen("error-accounts-file-newer");
    std::fs::remove_file(&accounts).unwrap();
    // Something else stands where the lock of the file has to be.
    std::fs::create_dir(accounts.with_file_name(".accounts.toml.lock")).unwrap();
    let home = home.with_secrets("acme", "EAAtoken0123456789");
    let add =
        ["account", "add", "Acme", "--page-username", "acme.support", "--page-id", "109876543210987", "--no-test"];
    home.run(&add).screen("error-file-cannot-be-locked");
    let home = Home::new().with("MSGRCTL_GRAPH_VERSION", "26");
    home.run(&["account", "list"]).screen("error-setting");
}

#[test]
fn terminals() {
    let page = "version = 1\n[[pages]]\nid = '109876543210987'\nusername = 'acme.support'\nname = 'Acme'\n";
    let sandbox = scenario(&format!("{page}token_state = 'password_changed'\n"));
    let home = acme(&sandbox, true);
    let test = ["account", "test", "acme"];
    Pty::start(&home.msgrctl(&test), 50).screen("terminal-narrow");
    Pty::start(&home.msgrctl(&["account", "list"]), 50).screen("terminal-narrow-list");
    home.run(&[&test[..], &["--color", "always"]].concat()).screen("terminal-colour");
    let home = home.with("CLICOLOR_FORCE", "1");
    home.run(&["account", "lst"]).screen("terminal-colour-of-an-error");
    let mut home = home;
    home.unset("CLICOLOR_FORCE");
    home.set("NO_COLOR", "1");
    let (screen, _) = Pty::start(&home.msgrctl(&test), 100).all();
    let colours = String::from_utf8(screen).unwrap();
    assert!(!colours.contains("\u{1b}[3") && !colours.contains("\u{1b}[1m"), "{colours:?}");
    home.set("LANG", "C");
    home.run(&test).screen("terminal-ascii");
}
