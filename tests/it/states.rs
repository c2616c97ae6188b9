//! Every state a token can be in: the check that fails, and its codes. What is said of it
//! stands in `screens/states.rs`.

use msgrctl::sandbox::Fault;

use serde_json::Value;

use crate::support::listening::Listening;
use crate::support::world::{PAGE_ID, acme, nowhere, sandbox, scenario};
use crate::support::{Home, Run};

const PAGE: &str = "version = 1\n[[pages]]\nid = '109876543210987'\nusername = 'acme.support'\nname = 'Acme Support'\n";

/// Tests the account of a Page with these further lines, with or without the app.
fn tested(more: &str, with_app: bool) -> Run {
    let sandbox = scenario(&format!("{PAGE}{more}"));
    acme(&sandbox, with_app).run(&["account", "test", "acme", "--json"])
}

#[track_caller]
fn assert_check(run: &Run, id: &str, outcome: &str, codes: Option<(i64, Option<i64>)>) {
    let check = run.check(id);
    assert_eq!(check["outcome"], outcome, "{run:#?}");
    let (code, subcode) = codes.map_or((None, None), |(code, subcode)| (Some(code), subcode));
    assert_eq!(check["graph"]["code"].as_i64(), code, "{check}");
    assert_eq!(check["graph"]["subcode"].as_i64(), subcode, "{check}");
    if code.is_some() {
        assert!(check["graph"]["fbtrace_id"].as_str().is_some_and(|id| id.len() > 10), "{check}");
    }
}

#[test]
fn dead_tokens_say_why_with_and_without_the_app() {
    for (state, subcode) in [
        ("expired", 463),
        ("password_changed", 460),
        ("logged_out", 467),
        ("not_authorized", 458),
        ("checkpoint", 459),
        ("lost_role", 492),
        ("unconfirmed", 464),
        ("two_factor", 490),
    ] {
        for with_app in [false, true] {
            let run = tested(&format!("token_state = '{state}'\n"), with_app).code(7);
            assert_check(&run, "token.valid", "fail", Some((190, Some(subcode))));
            assert_eq!(run.check("token.page")["outcome"], "skip");
            assert_eq!(run.json()["results"][0]["outcome"], "fail");
        }
    }
}

#[test]
fn an_expired_token_fails_its_expiry_too() {
    let run = tested("expires_in = '-1d'\n", true).code(7);
    assert_check(&run, "token.valid", "fail", Some((190, Some(463))));
    assert_check(&run, "token.expiry", "fail", None);
}

#[test]
fn short_lived_tokens_are_warned_of() {
    let run = tested("expires_in = '10d'\n", true).code(0);
    assert_check(&run, "token.expiry", "warn", None);
    assert_eq!(run.json()["results"][0]["outcome"], "warn");
    let run = tested("expires_in = '20d'\n", true).code(0);
    assert_check(&run, "token.expiry", "pass", None);
    let sandbox = scenario(&format!("{PAGE}expires_in = '20d'\n"));
    let home = acme(&sandbox, true);
    home.run(&["account", "test", "acme", "--warn-days", "30", "--strict"]).code(7);
}

#[test]
fn the_end_of_data_access_is_seen() {
    let run = tested("data_access_expires_in = '5d'\n", true).code(0);
    assert_check(&run, "token.data_access", "warn", None);
    // The permissions of Pages are exempt: a notice.
    let run = tested("data_access_expires_in = '-5d'\n", true).code(0);
    assert_check(&run, "token.data_access", "warn", None);
    assert_eq!(run.check("token.data_access")["cause"], "data-access-ended");
}

#[test]
fn garbage_is_not_a_token() {
    let sandbox = scenario(PAGE);
    let mut home = acme(&sandbox, false);
    home.set("MSGRCTL_SECRET_ACME_PAGE_ACCESS_TOKEN", "EAAgarbage0123456789");
    let run = home.run(&["account", "test", "acme", "--json"]).code(7);
    assert_check(&run, "token.valid", "fail", Some((190, None)));
}

#[test]
fn a_persons_token_is_no_page_token() {
    for system in [false, true] {
        for with_app in [false, true] {
            let sandbox = scenario(&format!("{PAGE}[[users]]\ntoken = 'EAAuser'\nsystem = {system}\n"));
            let mut home = acme(&sandbox, with_app);
            home.set("MSGRCTL_SECRET_ACME_PAGE_ACCESS_TOKEN", "EAAuser");
            let run = home.run(&["account", "test", "acme", "--json"]).code(7);
            assert_check(&run, "token.valid", "pass", None);
            assert_check(&run, "token.type", "fail", Some((210, None)));
        }
    }
}

#[test]
fn a_token_of_another_app_is_found_out() {
    let apps = "[[apps]]\nid = '111111111111111'\nsecret = '0123456789abcdef0123456789abcdef'\nname = 'Mine'\n\
                [[apps]]\nid = '222222222222222'\nsecret = 'fedcba9876543210fedcba9876543210'\nname = 'Theirs'\n";
    let sandbox =
        scenario(&format!("version = 1\n{apps}{}app = '222222222222222'\n", PAGE.replace("version = 1\n", "")));
    // With the secret of the configured app: debug_token refuses, and so does the signature.
    let run = acme(&sandbox, true).run(&["account", "test", "acme", "--json"]).code(7);
    assert_check(&run, "token.app", "fail", Some((100, None)));
    // Without it: /app tells.
    let mut home = acme(&sandbox, false);
    home.run(&["account", "edit", "acme", "--app-id", "111111111111111", "--no-test"]).code(0);
    home.unset("MSGRCTL_SECRET_ACME_APP_SECRET");
    let run = home.run(&["account", "test", "acme", "--json"]).code(7);
    assert_check(&run, "token.app", "fail", None);
}

#[test]
fn an_app_secret_that_does_not_fit_is_found_out() {
    let sandbox = scenario(PAGE);
    let mut home = acme(&sandbox, true);
    home.set("MSGRCTL_SECRET_ACME_APP_SECRET", "00000000000000000000000000000000");
    let run = home.run(&["account", "test", "acme", "--json"]).code(7);
    assert_check(&run, "token.app", "fail", Some((190, None)));
    // The token itself was not judged.
    assert_eq!(run.check("token.valid")["outcome"], "skip");
}

#[test]
fn a_missing_permission_is_named() {
    let scopes = "scopes = ['pages_show_list', 'pages_messaging', 'pages_read_engagement']\n";
    let run = tested(scopes, true).code(7);
    assert_check(&run, "token.permissions", "fail", Some((200, None)));
    assert_check(&run, "page.subscription", "fail", Some((200, None)));
    // Without the app secret the refusal itself is the evidence.
    let run = tested(scopes, false).code(7);
    assert_check(&run, "token.permissions", "fail", Some((200, None)));
}

#[test]
fn permissions_for_other_pages_do_not_count() {
    let run = tested("granted_for = ['55555']\n", true).code(7);
    assert_check(&run, "token.permissions", "fail", None);
}

#[test]
fn a_token_that_cannot_read_the_page_is_warned_of() {
    let scopes = "scopes = ['pages_show_list', 'pages_messaging', 'pages_manage_metadata']\n";
    for with_app in [false, true] {
        let run = tested(scopes, with_app).code(0);
        assert_check(&run, "token.type", "pass", None);
        assert_check(&run, "token.page", "pass", None);
        assert_check(&run, "page.username", "warn", Some((100, None)));
    }
}

#[test]
fn another_page_and_another_username_are_found_out() {
    let sandbox = scenario(PAGE);
    let home = acme(&sandbox, false);
    home.run(&["account", "edit", "acme", "--page-id", "55555", "--no-test"]).code(0);
    let run = home.run(&["account", "test", "acme", "--json"]).code(7);
    assert_check(&run, "token.page", "fail", None);
    home.run(&[
        "account",
        "edit",
        "acme",
        "--page-id",
        "109876543210987",
        "--page-username",
        "other.name",
        "--no-test",
    ])
    .code(0);
    let run = home.run(&["account", "test", "acme", "--json"]).code(7);
    assert_check(&run, "page.username", "fail", None);
    // Periods and capitals do not count.
    home.run(&["account", "edit", "acme", "--page-username", "AcmeSupport"]).code(0);
}

#[test]
fn signing_is_done_where_meta_asks_for_it() {
    let text = format!("{}\n", PAGE.replace("version = 1", "version = 1\nrequire_app_secret = true"));
    let sandbox = scenario(&text);
    acme(&sandbox, true).run(&["account", "test", "acme"]).code(0);
    let run = acme(&sandbox, false).run(&["account", "test", "acme", "--json"]).code(7);
    assert_check(&run, "token.valid", "fail", Some((100, None)));
}

#[test]
fn delivery_is_judged_apart_from_credentials() {
    let run = tested("published = false\nsubscribed = []\n", true).code(7);
    assert_check(&run, "page.published", "fail", None);
    assert_check(&run, "page.subscription", "warn", None);
    assert_check(&run, "token.valid", "pass", None);
    let run = tested("subscribed = ['feed']\n", false).code(7);
    assert_check(&run, "page.subscription", "fail", None);
    let run = tested("subscribed = ['messages']\n", false).code(0);
    assert_check(&run, "page.subscription", "warn", None);
    // What fails in delivery keeps nobody from saving.
    let sandbox = scenario(&format!("{PAGE}subscribed = []\n"));
    let home = acme(&sandbox, true).with_secrets("two", &sandbox.world().tokens[1].value.clone());
    home.run(&["account", "add", "Two"]).code(0);
}

/// Tests the account, and says how a check ended and why.
fn judged(home: &Home, id: &str) -> (Value, Value) {
    let run = home.run(&["account", "test", "acme", "--json"]);
    let check = run.check(id);
    (check["outcome"].clone(), check["cause"].clone())
}

#[test]
fn what_was_never_set_up_is_to_do_and_what_was_there_once_is_missed() {
    let to_do = ("warn".into(), "to-do".into());
    let lost = ("fail".into(), "not-subscribed".into());
    let sandbox = scenario(&format!("{PAGE}subscribed = []\n"));
    let home = acme(&sandbox, true);
    let listening = Listening::start(&home, &["acme"]);
    home.run(&["account", "edit", "acme", "--callback-url", &listening.url]).code(0);
    let run = home.run(&["account", "test", "acme", "--json"]).code(0);
    for level in ["page.subscription", "app.subscription"] {
        let check = run.check(level);
        assert_eq!((check["outcome"].clone(), check["cause"].clone()), to_do, "{check}");
        assert!(check["summary"].as_str().unwrap().starts_with("not set up yet: "), "{check}");
        assert!(check["hint"].as_str().unwrap().ends_with("; then: msgrctl webhook subscribe acme"), "{check}");
    }
    home.run(&["account", "test", "acme", "--strict"]).code(7);
    // Each level is judged apart: the Page's is seen, and is gone at the next test.
    crate::support::world::subscribe(&sandbox, "https://elsewhere.example.com/", &["messages"]);
    sandbox.world().subscriptions.clear();
    home.run(&["account", "test", "acme"]).code(0);
    sandbox.world().pages[0].subscribed.clear();
    assert_eq!(judged(&home, "page.subscription"), lost);
    assert_eq!(judged(&home, "app.subscription"), to_do);
    // Another Page was not set up by that.
    home.run(&["account", "edit", "acme", "--page-id", "55555", "--no-test"]).code(0);
    home.run(&["webhook", "status", "acme", "--json"]).code(7).shows(&["to-do"]);
    home.run(&["account", "edit", "acme", "--page-id", PAGE_ID, "--no-test"]).code(0);
    assert_eq!(judged(&home, "page.subscription"), lost, "what was known stays known");
}

#[test]
fn a_webhook_that_was_ordered_and_is_not_there_is_a_failure() {
    let sandbox = scenario(&format!("{PAGE}subscribed = []\n"));
    let home = acme(&sandbox, true);
    home.run(&["account", "edit", "acme", "--callback-url", &format!("http://{}/", nowhere())]).code(0);
    // Meta's handshake fails, so the app gets no webhook, and the Page is subscribed.
    home.run(&["webhook", "subscribe", "acme"]).code(1);
    sandbox.world().pages[0].subscribed.clear();
    for level in ["page.subscription", "app.subscription"] {
        assert_eq!(judged(&home, level), ("fail".into(), "not-subscribed".into()), "{level}");
    }
    home.run(&["webhook", "status", "acme", "--json"]).code(7).shows(&["not-subscribed"]);
}

#[test]
fn versions_are_watched() {
    let sandbox = scenario(PAGE);
    sandbox.world().rules.oldest_version = Some((21, 0));
    let home = acme(&sandbox, false);
    let run = home.run(&["account", "test", "acme", "--json", "--graph-version", "v18.0"]).code(0);
    assert_check(&run, "graph.version", "warn", None);
    let run = home.run(&["account", "test", "acme", "--json", "--graph-version", "v99.0"]).code(7);
    assert_check(&run, "graph.version", "fail", Some((2500, None)));
    home.run(&["account", "test", "acme", "--graph-version", "26"]).code(2);
}

#[test]
fn checks_come_in_the_order_of_the_contract() {
    let run = tested("", true).code(0);
    let value = run.json();
    let ids: Vec<&str> =
        value["results"][0]["checks"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
    assert_eq!(
        ids,
        [
            "graph.reachable",
            "graph.version",
            "token.valid",
            "token.type",
            "token.page",
            "page.username",
            "token.app",
            "token.permissions",
            "token.expiry",
            "token.data_access",
            "page.published",
            "page.subscription",
            "app.subscription",
            "callback.handshake",
            "messages.window",
            "messages.length",
        ]
    );
    assert_eq!(value["results"][0]["account"], "Acme");
    // Without the app the token asks about itself, where Meta lets it.
    let run = tested("", false).code(0);
    for id in ["token.permissions", "token.expiry", "token.data_access"] {
        assert_eq!(run.check(id)["outcome"], "pass", "{id}");
    }
    // Where not, what needs the app is skipped with the reason.
    let run = tested("app_role = false\n", false).code(0);
    for id in ["token.permissions", "token.expiry", "token.data_access"] {
        assert_eq!(run.check(id)["outcome"], "skip");
    }
}

#[test]
fn one_list_of_permissions_is_checked_named_and_explained() {
    const ALL: [&str; 4] = ["pages_messaging", "pages_manage_metadata", "pages_show_list", "pages_read_engagement"];
    let passed = tested("", true).code(0).check("token.permissions");
    let explained = Home::new().run(&["explain", "token.permissions", "permission-missing"]).code(0).stdout;
    for name in ALL {
        assert!(passed["summary"].as_str().unwrap().contains(name), "{passed}");
        assert!(explained.split("\n\n").all(|page| page.contains(name)), "{explained}");
        let rest = ALL.into_iter().filter(|other| *other != name).collect::<Vec<_>>().join("', '");
        let run = tested(&format!("scopes = ['{rest}']\n"), true);
        let check = run.check("token.permissions");
        let wanted = if name == "pages_read_engagement" { "warn" } else { "fail" };
        assert_eq!((&check["outcome"], &check["cause"]), (&wanted.into(), &"permission-missing".into()), "{check}");
        assert_eq!(check["summary"], format!("permissions are missing: {name}"));
    }
}

#[test]
fn what_has_one_cause_is_told_once() {
    // Nothing answers: said once, with the checks that it holds up.
    let sandbox = scenario(PAGE);
    let home = acme(&sandbox, true);
    home.run(&["account", "edit", "acme", "--callback-url", "https://hooks.example.com/m"]).code(0);
    sandbox.world().faults = vec![Fault { status: Some(502), ..Fault::default() }];
    let run = home.run(&["account", "test", "acme"]).code(5).shows(&["the same: token.permissions, token.expiry"]);
    assert_eq!((run.stdout.matches("502").count(), run.stdout.matches("fix:").count()), (1, 1), "{run:#?}");
    // A missing permission: the check that shows it has the fix, the other names it.
    let scopes = "scopes = ['pages_show_list', 'pages_messaging', 'pages_read_engagement']\n";
    let sandbox = scenario(&format!("{PAGE}{scopes}"));
    for with_app in [true, false] {
        let home = acme(&sandbox, with_app);
        let run = home.run(&["account", "test", "acme"]).code(7).shows(&["for the same cause as token.permissions"]);
        assert_eq!((run.stdout.matches("fix:").count(), run.stdout.matches("meta says").count()), (1, 1), "{run:#?}");
    }
}

#[test]
fn an_app_token_is_no_page_token() {
    let sandbox = scenario(PAGE);
    let (id, secret) = crate::support::world::app(&sandbox);
    let mut home = acme(&sandbox, false);
    home.set("MSGRCTL_SECRET_ACME_PAGE_ACCESS_TOKEN", &format!("{id}|{secret}"));
    let run = home.run(&["account", "test", "acme", "--json"]).code(7);
    assert_check(&run, "token.type", "fail", Some((102, None)));
    assert_eq!(run.check("graph.version")["outcome"], "pass");
}

#[test]
fn whose_token_it_is_is_asked_when_the_page_cannot_be_read() {
    let sandbox = scenario(PAGE);
    sandbox.world().rules.self_inspection = false;
    let home = acme(&sandbox, false);
    home.run(&["account", "edit", "acme", "--page-id", "55555", "--no-test"]).code(0);
    // The older refusal of a missing permission, then an answer: another Page.
    let refused = Fault { path: Some("/me".into()), times: Some(1), code: Some(10), ..Fault::default() };
    sandbox.world().faults = vec![refused.clone()];
    let run = home.run(&["account", "test", "acme", "--json"]).code(7);
    assert_check(&run, "token.page", "fail", None);
    home.run(&["account", "edit", "acme", "--page-id", "109876543210987", "--no-test"]).code(0);
    sandbox.world().faults = vec![refused.clone()];
    let run = home.run(&["account", "test", "acme", "--json"]).code(0);
    assert_check(&run, "token.page", "pass", None);
    // Then none: nothing is known, and nothing passes for known.
    let gone = Fault { path: Some("/me".into()), status: Some(502), ..Fault::default() };
    sandbox.world().faults = vec![refused, gone];
    let run = home.run(&["account", "test", "acme", "--json"]).code(5);
    assert_check(&run, "token.page", "unreachable", None);
}

#[test]
fn a_person_is_not_taken_for_a_page_when_little_is_known() {
    let sandbox = scenario(&format!("{PAGE}[[users]]\ntoken = 'EAAuser'\n"));
    let mut home = acme(&sandbox, false);
    home.set("MSGRCTL_SECRET_ACME_PAGE_ACCESS_TOKEN", "EAAuser");
    let fault = Fault { path: Some("/*/subscribed_apps".into()), code: Some(2), ..Fault::default() };
    sandbox.world().faults = vec![fault];
    sandbox.world().rules.self_inspection = false;
    let run = home.run(&["account", "test", "acme", "--json"]).code(7);
    assert_check(&run, "token.type", "skip", None);
    assert_check(&run, "token.page", "fail", None);
    assert!(!run.stdout.contains("--page-id"), "a person's id is no page id: {run:?}");
}

#[test]
fn a_token_that_meta_calls_dead_is_dead() {
    let sandbox = scenario(PAGE);
    let home = acme(&sandbox, true);
    let dead = r#"{"data":{"app_id":"123456789012345","type":"PAGE","is_valid":false,"error":{"code":190,"subcode":460,"message":"x"},"scopes":[]}}"#;
    let effect = Fault { body: Some(dead.into()), ..Fault::default() };
    sandbox.world().faults = vec![Fault { path: Some("/debug_token".into()), ..effect }];
    let run = home.run(&["account", "test", "acme", "--json"]).code(7);
    let check = run.check("token.valid");
    assert_eq!((&check["outcome"], &check["graph"]["subcode"]), (&"fail".into(), &460.into()));
}

#[test]
fn an_app_secret_that_is_gone_is_a_finding() {
    let sandbox = scenario(PAGE);
    let mut home = acme(&sandbox, true);
    home.unset("MSGRCTL_SECRET_ACME_APP_SECRET");
    let run = home.run(&["account", "test", "acme", "--json"]).code(7);
    assert_check(&run, "token.app", "fail", None);
}

#[test]
fn a_subscription_of_another_app_is_not_mistaken_for_none() {
    let sandbox = scenario(PAGE);
    let home = acme(&sandbox, false);
    home.run(&["account", "edit", "acme", "--app-id", "999999", "--no-test"]).code(0);
    let run = home.run(&["account", "test", "acme", "--json"]).code(7);
    assert_check(&run, "token.app", "fail", None);
    assert_check(&run, "page.subscription", "skip", None);
}

#[test]
fn what_is_the_matter_with_an_app_a_grant_or_a_role_is_no_dead_token() {
    for (state, cause) in [
        ("inactive", "inactive"),
        ("grant_replaced", "grant-replaced"),
        ("cannot_impersonate", "role-lost"),
        ("app_blocked", "app-restricted"),
    ] {
        for with_app in [true, false] {
            let run = tested(&format!("token_state = '{state}'\n"), with_app).code(7);
            let check = run.check("token.valid");
            assert_eq!((&check["outcome"], &check["cause"]), (&"fail".into(), &cause.into()), "{state}: {check:#}");
            assert!(check["graph"]["says"].is_string(), "{state}: {check:#}");
        }
    }
}

#[test]
fn ends_at_the_edge_of_what_a_number_holds_are_judged() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    for end in [i64::MIN, i64::MIN + 1, -1, i64::MAX] {
        for token in &mut sandbox.world().tokens {
            (token.expires_at, token.data_access_expires_at) = (end, end);
        }
        let run = home.run(&["account", "test", "acme", "--json"]);
        let wanted = if end < 0 { "warn" } else { "pass" };
        assert_eq!(run.check("token.data_access")["outcome"], wanted, "{end}: {run:?}");
    }
}
