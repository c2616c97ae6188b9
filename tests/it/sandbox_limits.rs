//! How often one may call, where a scenario counts; and how much there may be.

use jiff::SignedDuration;
use msgrctl::clock::Clock;
use msgrctl::sandbox::{InProcess, World};
use serde_json::{Value, json};

use crate::sandbox::ask;
use crate::support::world::{PAGE_ID, app, page_token, sandbox, scenario};

fn counting() -> InProcess {
    scenario("version = 1\ntoday = '2026-11-22T12:00:00Z'\nrate_limits = true\n")
}

fn get(sandbox: &InProcess, path: &str, token: &str) -> (u16, String, Value) {
    let bearer = format!("Bearer {token}");
    let (status, head, body) = ask(&sandbox.url(), "GET", path, &[("Authorization", &bearer)], "");
    (status, head, serde_json::from_str(&body).unwrap())
}

#[test]
fn nothing_is_counted_unless_it_is_asked_for() {
    let sandbox = sandbox();
    let (_, head, _) = get(&sandbox, "/me", &page_token(&sandbox));
    assert!(!head.contains("usage"), "{head}");
}

#[test]
fn an_app_has_two_hundred_calls_an_hour() {
    let sandbox = counting();
    let (id, secret) = app(&sandbox);
    let token = format!("{id}|{secret}");
    let call = || get(&sandbox, "/app", &token);
    assert!(call().1.contains(r#"x-app-usage: {"call_count":0,"#));
    for _ in 1..200 {
        assert_eq!(call().0, 200);
    }
    let (status, head, body) = call();
    assert_eq!((status, &body["error"]["code"], &body["error"]["is_transient"]), (403, &json!(4), &json!(true)));
    assert!(head.contains(r#""call_count":100"#), "{head}");
    sandbox.world().clock.advance(SignedDuration::from_hours(1));
    assert_eq!(call().0, 200);
}

#[test]
fn a_page_has_two_hundred_messenger_calls_a_day_for_each_person() {
    let sandbox = counting();
    let token = page_token(&sandbox);
    for _ in 0..200 {
        sandbox.world().clock.advance(SignedDuration::from_secs(1));
        assert_eq!(get(&sandbox, "/me/secondary_receivers", &token).0, 200);
    }
    let (status, head, body) = get(&sandbox, "/me/secondary_receivers", &token);
    assert_eq!((status, &body["error"]["code"]), (400, &json!(80006)));
    assert!(body["error"]["message"].as_str().unwrap().starts_with("(#80006) There have been too many calls"));
    assert!(
        head.contains(&format!(r#"x-business-use-case-usage: {{"{PAGE_ID}":[{{"type":"messenger","call_count":100"#))
    );
    assert!(head.contains(r#""estimated_time_to_regain_access":1437"#), "{head}");
    // The Pages API counts apart.
    let (status, head, _) = get(&sandbox, "/me", &token);
    assert!(status == 200 && head.contains(r#""type":"pages","call_count":0"#), "{head}");
}

#[test]
fn some_edges_have_limits_of_their_own() {
    let sandbox = counting();
    let token = page_token(&sandbox);
    let code = |path: &str| get(&sandbox, path, &token).2["error"]["code"].clone();
    assert_eq!([(); 3].map(|()| code("/me/conversations")), [Value::Null, Value::Null, json!(613)]);
    sandbox.world().clock.advance(SignedDuration::from_secs(1));
    assert_eq!(code("/me/conversations"), Value::Null);
    for _ in 0..10 {
        assert_eq!(code("/me/messenger_profile"), Value::Null);
    }
    assert_eq!(code("/me/messenger_profile"), 613);
}

#[test]
fn ten_thousand_pages_are_served() {
    let world = World::with_pages(10_000, Clock::system());
    let sandbox = InProcess::start(world).unwrap();
    let (user, last, psid) = {
        let world = sandbox.world();
        let page = world.pages.last().unwrap().id.clone();
        let token = world.page_token(&page).unwrap().value.clone();
        (world.user_token().unwrap().value.clone(), token, world.people.last().unwrap().psid.clone())
    };
    assert_eq!(get(&sandbox, "/me", &last).0, 200);
    assert_eq!(get(&sandbox, "/me/accounts?limit=100", &user).0, 200);
    let send = format!("recipient[id]={psid}&message[text]={}", "x".repeat(500));
    let operations = vec![json!({"method": "POST", "relative_url": "me/messages", "body": send}); 50];
    let batch = json!({"access_token": last, "batch": operations}).to_string();
    let (_, _, answer) = ask(&sandbox.url(), "POST", "/", &[("Content-Type", "application/json")], &batch);
    let items: Value = serde_json::from_str(&answer).unwrap();
    assert!(items.as_array().unwrap().iter().all(|item| item["code"] == 200), "{items}");
}
