//! What is known of accounts without asking anybody.

use msgrctl::sandbox::TokenState;
use serde_json::Value;

use crate::support::Home;
use crate::support::many::many;
use crate::support::world::{acme, sandbox};

fn accounts(home: &Home) -> Vec<Value> {
    home.run(&["status", "--json"]).code(0).json()["accounts"].as_array().unwrap().clone()
}

#[test]
fn status_shows_what_the_last_test_found_and_asks_nobody() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    home.run(&["status"]).screen("status-not-tested");
    assert_eq!(accounts(&home)[0].get("outcome"), None);
    home.run(&["account", "test", "acme"]).code(0);
    let first = &accounts(&home)[0];
    assert_eq!((&first["account"], &first["outcome"]), (&"acme".into(), &"pass".into()), "{first}");
    assert_eq!(first["since"], first["checked_at"]);
    sandbox.world().page_token_mut("109876543210987").unwrap().state = TokenState::Expired;
    home.run(&["account", "test", "acme"]).code(7);
    // Nothing answers any more, and no secret is there.
    let mut home = home;
    home.set("MSGRCTL_GRAPH_URL", "http://127.0.0.1:1");
    home.unset("MSGRCTL_SECRET_ACME_PAGE_ACCESS_TOKEN");
    home.run(&["status"]).screen("status-failing");
    let failing = &accounts(&home)[0];
    assert_eq!((&failing["cause"], &failing["check"]), (&"expired".into(), &"token.valid".into()), "{failing}");
    #[cfg(unix)]
    {
        let file = home.path("config/msgrctl/tenants/default/health.json");
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&file).unwrap());
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(&file, "{").unwrap();
    }
    assert_eq!(accounts(&home)[0].get("outcome"), None, "what is damaged was never known");
}

#[test]
fn every_tenant_is_tested_and_shown_where_all_are_asked_for() {
    let (_sandbox, mut home) = many(3);
    home.set("VERIFY", "verify-token-0123");
    home.run(&["tenant", "add", "other", "--host", "other.example.com"]).code(0);
    let list = home.run(&["account", "list", "--json"]).json();
    let other = &list["accounts"][2];
    let [username, id] = ["page_username", "page_id"].map(|key| other[key].as_str().unwrap().to_owned());
    let add = ["account", "add", "Page 2", "--page-username", &username, "--page-id", &id, "--tenant", "other"];
    let token = format!("file:{}", home.path("tokens/2").display());
    home.run(&[&add[..], &["--token-from", &token, "--verify-token-from", "env:VERIFY", "--no-test"]].concat()).code(0);
    let tested = home.run(&["account", "test", "--all-tenants", "--json"]).code(0).json();
    let tested: Vec<&str> =
        tested["results"].as_array().unwrap().iter().map(|result| result["tenant"].as_str().unwrap()).collect();
    assert_eq!(tested, ["default", "default", "default", "other"]);
    home.run(&["status", "--all-tenants"]).code(0).shows(&["TENANT", "other    page-2", "4 accounts: 4 pass"]);
    home.run(&["status", "--tenant", "other"]).code(0).shows(&["1 account: 1 pass"]);
    home.run(&["account", "list", "--all-tenants"]).code(0).shows(&["TENANT", "other"]);
    home.run(&["status", "--tenant", "nosuch"]).code(1).says(&["there is no tenant 'nosuch'"]);
    home.run(&["account", "test", "page-1", "--all-tenants"]).code(2).says(&["--all-tenants and NAME"]);
}

#[test]
fn a_tenant_that_cannot_be_read_holds_no_other_up() {
    let (_sandbox, home) = many(2);
    home.run(&["tenant", "add", "other", "--host", "other.example.com"]).code(0);
    home.file("config/msgrctl/tenants/other/accounts.toml", "garbage");
    home.run(&["status", "--all-tenants"]).code(0).shows(&["2 accounts"]).says(&["tenant 'other' was skipped"]);
    home.run(&["account", "list", "--all-tenants"]).code(9).shows(&["page-1"]).says(&["1 tenant was skipped"]);
    let report = home.run(&["account", "test", "--all-tenants", "--format", "junit"]).code(9);
    assert_eq!(crate::support::xml::suites(&report.stdout).len(), 2);
    let report = home.run(&["account", "test", "--all-tenants", "--json"]).code(9).json();
    assert_eq!(report["results"].as_array().unwrap().len(), 2);
    // An error before the first account leaves no half of a document.
    assert_eq!(home.run(&["account", "test", "nosuch", "--format", "junit"]).code(1).stdout, "");
}
