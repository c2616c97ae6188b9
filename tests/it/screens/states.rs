//! Test Connection for every state that a token, its app and its Page can be in.

use crate::support::Run;
use crate::support::world::{acme, app, sandbox, scenario};

const PAGE: &str = "version = 1\n[[pages]]\nid = '109876543210987'\nusername = 'acme.support'\nname = 'Acme Support'\n";

/// Tests the account of a Page with these further lines, with or without the app.
fn tested(more: &str, with_app: bool) -> Run {
    let sandbox = scenario(&format!("{PAGE}{more}"));
    acme(&sandbox, with_app).run(&["account", "test", "acme"])
}

#[test]
fn dead_tokens() {
    for (state, name) in [
        ("expired", "state-expired"),
        ("password_changed", "state-password-changed"),
        ("logged_out", "state-logged-out"),
        ("not_authorized", "state-not-authorized"),
        ("checkpoint", "state-checkpoint"),
        ("lost_role", "state-lost-role"),
        ("unconfirmed", "state-unconfirmed"),
        ("two_factor", "state-two-factor"),
        ("inactive", "state-inactive"),
        ("grant_replaced", "state-grant-replaced"),
        ("cannot_impersonate", "state-cannot-impersonate"),
        ("app_blocked", "state-app-blocked"),
    ] {
        tested(&format!("token_state = '{state}'\n"), true).screen(name);
    }
}

#[test]
fn dead_tokens_without_the_app() {
    tested("token_state = 'expired'\n", false).screen("state-expired-without-app");
}

#[test]
fn ends() {
    tested("expires_in = '-1d'\n", true).screen("state-expiry-past");
    tested("expires_in = '10d'\n", true).screen("state-expiry-near");
    tested("data_access_expires_in = '5d'\n", true).screen("state-data-access-near");
    tested("data_access_expires_in = '-5d'\n", true).screen("state-data-access-past");
}

#[test]
fn other_tokens() {
    let sandbox = scenario(&format!("{PAGE}[[users]]\ntoken = 'EAAuser'\n"));
    let mut home = acme(&sandbox, true);
    let token = "MSGRCTL_SECRET_ACME_PAGE_ACCESS_TOKEN";
    home.set(token, "EAAgarbage0123456789");
    home.run(&["account", "test", "acme"]).screen("state-garbage");
    home.set(token, "EAAuser");
    home.run(&["account", "test", "acme"]).screen("state-token-of-a-person");
    let (id, secret) = app(&sandbox);
    home.set(token, &format!("{id}|{secret}"));
    home.run(&["account", "test", "acme"]).screen("state-token-of-an-app");
    home.unset(token);
    home.run(&["account", "test", "acme"]).screen("state-token-missing");
}

#[test]
fn apps() {
    let apps = "[[apps]]\nid = '111111111111111'\nsecret = '0123456789abcdef0123456789abcdef'\nname = 'Mine'\n\
                [[apps]]\nid = '222222222222222'\nsecret = 'fedcba9876543210fedcba9876543210'\nname = 'Theirs'\n";
    let sandbox =
        scenario(&format!("version = 1\n{apps}{}app = '222222222222222'\n", PAGE.replace("version = 1\n", "")));
    acme(&sandbox, true).run(&["account", "test", "acme"]).screen("state-other-app");
    let mut home = acme(&sandbox, false);
    home.run(&["account", "edit", "acme", "--app-id", "111111111111111", "--no-test"]).code(0);
    home.unset("MSGRCTL_SECRET_ACME_APP_SECRET");
    home.run(&["account", "test", "acme"]).screen("state-other-app-without-secret");
    let sandbox = scenario(PAGE);
    let mut home = acme(&sandbox, true);
    home.set("MSGRCTL_SECRET_ACME_APP_SECRET", "00000000000000000000000000000000");
    home.run(&["account", "test", "acme"]).screen("state-wrong-app-secret");
    let text = PAGE.replace("version = 1", "version = 1\nrequire_app_secret = true");
    acme(&scenario(&text), false).run(&["account", "test", "acme"]).screen("state-app-secret-required");
}

#[test]
fn permissions() {
    let scopes = "scopes = ['pages_show_list', 'pages_messaging', 'pages_read_engagement']\n";
    tested(scopes, true).screen("state-permission-missing");
    tested(scopes, false).screen("state-permission-missing-without-app");
    let scopes = "scopes = ['pages_show_list', 'pages_messaging', 'pages_manage_metadata']\n";
    tested(scopes, true).screen("state-page-not-readable");
    tested("granted_for = ['55555']\n", true).screen("state-granted-for-another-page");
}

#[test]
fn pages() {
    let sandbox = scenario(PAGE);
    let home = acme(&sandbox, false);
    home.run(&["account", "edit", "acme", "--page-id", "55555", "--page-username", "other.name", "--no-test"]).code(0);
    home.run(&["account", "test", "acme"]).screen("state-other-page");
    let edit =
        ["account", "edit", "acme", "--page-id", "109876543210987", "--page-username", "other.name", "--no-test"];
    home.run(&edit).code(0);
    home.run(&["account", "test", "acme"]).screen("state-other-username");
    tested("published = false\nsubscribed = []\n", true).screen("state-page-delivers-nothing");
    tested("subscribed = ['feed']\n", false).screen("state-page-sends-other-fields");
}

#[test]
fn graph() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, false);
    home.run(&["account", "test", "acme", "--graph-version", "v99.0"]).screen("state-graph-version-unknown");
    home.set("MSGRCTL_GRAPH_URL", "http://127.0.0.1:1");
    home.run(&["account", "test", "acme"]).screen("account-state-unreachable");
}
