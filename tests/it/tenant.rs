//! Tenants.

use serde_json::json;

#[cfg(unix)]
use crate::support::Bus;
use crate::support::Home;
use crate::support::world::{acme, page_token, sandbox};

#[test]
fn a_tenant_is_added_shown_used_and_removed() {
    let home = Home::new();
    let add = ["tenant", "add", "acme", "--host", "Acme.BrightPattern.com", "--product-version", "5.19"];
    home.run(&add).code(0);
    home.run(&["tenant", "add", "acme", "--host", "x.example.com"]).code(1);
    let shown = home.run(&["tenant", "show", "acme", "--json"]).code(0).json()["tenant"].clone();
    let expected = json!({"name": "acme", "host": "acme.brightpattern.com", "product_version": "5.19", "accounts": 0, "current": false});
    assert_eq!(shown, expected);

    // The rest of config.toml stays, comments too.
    home.file("config/msgrctl/config.toml", "# mine\ntimeout = 5 # short\ntenant = \"default\" # at first\n");
    home.run(&["tenant", "use", "acme"]).code(0);
    let config = std::fs::read_to_string(home.path("config/msgrctl/config.toml")).unwrap();
    assert_eq!(config, "# mine\ntimeout = 5 # short\ntenant = \"acme\" # at first\n");
    home.run(&["account", "list"]).code(0).says(&["tenant acme"]);
    home.run(&["tenant", "use", "acmee"]).code(1);

    home.run(&["tenant", "edit", "--types", "line", "--clear", "product-version"]).code(0);
    let shown = home.run(&["tenant", "show", "--json"]).code(0).json()["tenant"].clone();
    assert_eq!((&shown["types"], &shown["product_version"]), (&json!(["line"]), &json!(null)));
    home.run(&["tenant", "remove", "acme"]).code(2);
    home.run(&["tenant", "remove", "acme", "--yes"]).code(0);
    let config = std::fs::read_to_string(home.path("config/msgrctl/config.toml")).unwrap();
    assert_eq!(config, "# mine\ntimeout = 5 # short\n");
    assert!(!home.run(&["tenant", "list"]).code(0).stdout.contains("acme"));
    assert!(cfg!(windows) || !home.path("config/msgrctl/tenants/acme").exists());
}

#[test]
fn a_tenant_that_is_not_there_is_an_error_everywhere() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, false);
    home.run(&["tenant", "add", "acme", "--host", "acme.example.com"]).code(0);
    let lines = [
        "account list",
        "account show acme",
        "account test --all",
        "account handover acme",
        "account remove acme --yes",
        "account rename acme Other",
        "secret list",
        "secret reveal acme verify-token",
        "secret remove --left-behind",
        "message list acme",
        "message show acme session-ended",
        "message send acme --to 1234567 Hi",
        "chat-settings show",
        "webhook show acme",
        "webhook status acme",
        "webhook verify acme",
        "webhook listen",
        "export",
        "log",
        "doctor",
        "tenant show",
    ];
    for line in lines {
        let words: Vec<&str> = line.split(' ').chain(["--tenant", "acmee"]).collect();
        home.run(&words).code(1).says(&["there is no tenant 'acmee'", "did you mean 'acme'?"]);
    }
    home.set("MSGRCTL_TENANT", "acmee");
    home.run(&["account", "list"]).code(1).says(&["did you mean 'acme'?"]);
    assert!(!home.path("config/msgrctl/tenants/acmee").exists());
    // The one that everybody has need not be there.
    Home::new().run(&["account", "list", "--tenant", "default"]).code(0);
}

#[test]
fn bad_facts_are_refused_and_nothing_is_written() {
    let home = Home::new();
    let add = ["tenant", "add", "acme", "--host", "acme.example.com"];
    for (arguments, says) in [
        (&["--host", "acme.example.com/path"][..], "without a path"),
        (&["--host", "acme.example.com", "--product-version", "4.9"], "5.0 or newer"),
        (&["--host", "acme.example.com", "--callback-template", "https://{host}/{page}"], "{page_id}"),
        (&["--host", "acme.example.com", "--callback-template", "http://{host}/"], "https://"),
        (&["--host", "acme.example.com", "--types", "facebok"], "facebook"),
        (&[], "--host"),
    ] {
        home.run(&[&add[..3], arguments].concat()).code(2).says(&[says]);
    }
    home.run(&["tenant", "add", "Not A Name", "--host", "a.example.com"]).code(2);
    assert!(!home.path("config/msgrctl/tenants").exists());
    home.run(&["tenant", "show", "nobody"]).code(1).says(&["tenant add nobody"]);
}

#[test]
fn an_account_takes_what_its_tenant_says() {
    let sandbox = sandbox();
    let home = Home::new()
        .with("MSGRCTL_PASSPHRASE", "correct horse battery")
        .with("MSGRCTL_GRAPH_URL", &sandbox.url())
        .with("MSGRCTL_TENANT", "acme");
    let add = ["tenant", "add", "acme", "--host", "acme.example.com", "--default-store", "file"];
    let more =
        ["--callback-template", "https://{host}/fb/{page_id}", "--app-id", "123456789012345", "--types", "facebook"];
    home.run(&[&add[..], &more].concat()).code(0);
    home.run_with(&["account", "add", "--token-stdin"], page_token(&sandbox))
        .code(0)
        .screen("account-add-from-a-tenant");
    let account = home.run(&["account", "show", "acme-support", "--json"]).code(0).json()["account"].clone();
    assert_eq!(account["callback_url"], "https://acme.example.com/fb/109876543210987");
    assert_eq!((&account["app_id"], &account["secrets"][0]["source"]), (&json!("123456789012345"), &json!("file")));
    home.run(&["secret", "list"]).code(0).says(&["tenant.toml"]);

    home.run(&["tenant", "edit", "acme", "--types", "line"]).code(0);
    home.run_with(&["account", "add", "Other", "--token-stdin"], page_token(&sandbox))
        .code(1)
        .screen("account-add-not-enabled");
}

#[cfg(unix)]
#[test]
fn a_tenant_goes_with_its_accounts_and_their_secrets_only_when_told() {
    let sandbox = sandbox();
    let Some(bus) = Bus::with_keyring() else { return };
    let home = Home::on(&bus).with("MSGRCTL_GRAPH_URL", &sandbox.url());
    home.run(&["tenant", "add", "acme", "--host", "acme.example.com"]).code(0);
    for (name, tenant, store) in [("One", "acme", "keyring"), ("Two", "acme", "file"), ("Three", "default", "keyring")]
    {
        let add = ["account", "add", name, "--token-stdin", "--tenant", tenant, "--store", store];
        home.run_with(&add, page_token(&sandbox)).code(0);
    }
    home.run(&["tenant", "remove", "acme", "--yes"]).code(1).screen("tenant-remove-with-accounts");
    home.run(&["tenant", "remove", "acme", "--with-accounts", "--yes"]).code(0);
    assert!(!home.path("config/msgrctl/tenants/acme").exists());
    // The other tenant's secrets are there, and nothing else.
    assert_eq!(bus.entries().matches("attribute.username").count(), 2, "{}", bus.entries());
    home.run(&["account", "test", "three"]).code(0);
}

#[test]
fn what_else_is_in_a_tenants_place_is_said_and_stays() {
    let home = Home::new();
    home.run(&["tenant", "add", "acme", "--host", "acme.example.com"]).code(0);
    home.file("config/msgrctl/tenants/acme/notes.txt", "mine");
    home.run(&["tenant", "remove", "acme", "--yes"]).code(0).screen("tenant-remove-leaves-a-file");
    assert!(home.path("config/msgrctl/tenants/acme/notes.txt").exists());
    // A mistyped tenant has no accounts, and does not become one.
    home.run(&["message", "disable", "--all-accounts", "agent-left", "--tenant", "acmee"]).code(1);
    home.run(&["chat-settings", "set", "agent-left", "--disable", "--tenant", "acmee"]).code(1);
    assert!(!home.path("config/msgrctl/tenants/acmee").exists());
}

#[test]
fn names_of_directories_are_tenants_without_a_word_about_them() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let list = home.run(&["tenant", "list", "--json"]).code(0).json();
    assert_eq!(list["tenants"], json!([{"name": "default", "accounts": 1, "current": true}]));
    // What is not known can be said later.
    home.run(&["tenant", "add", "default", "--host", "acme.example.com"]).code(0);
    home.file("config/msgrctl/tenants/default/tenant.toml", "hots = 'x'");
    home.run(&["tenant", "show"]).code(3).says(&["tenant.toml:1:1", "'host'"]);
}
