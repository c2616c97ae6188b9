//! `/me/messages`: what a Page may say to whom, and when.

use msgrctl::sandbox::InProcess;
use serde_json::{Value, json};

use crate::sandbox::ask;
use crate::support::world::{PAGE_ID, page_token, sandbox, scenario};

fn send_to(sandbox: &InProcess, path: &str, body: &Value) -> (u16, Value) {
    let path = format!("/v26.0{path}?access_token={}", page_token(sandbox));
    let (status, _, body) =
        ask(&sandbox.url(), "POST", &path, &[("Content-Type", "application/json")], &body.to_string());
    (status, serde_json::from_str(&body).unwrap())
}

fn send(sandbox: &InProcess, body: &Value) -> (u16, Value) {
    send_to(sandbox, "/me/messages", body)
}

fn hello(psid: &str) -> Value {
    json!({"recipient": {"id": psid}, "messaging_type": "RESPONSE", "message": {"text": "Hello"}})
}

#[track_caller]
fn assert_refused((status, body): (u16, Value), expected: u16, code: i64, subcode: Option<i64>, text: &str) {
    let error = &body["error"];
    assert_eq!(
        (status, error["code"].as_i64(), error["error_subcode"].as_i64()),
        (expected, Some(code), subcode),
        "{body}"
    );
    assert!(error["message"].as_str().unwrap().contains(text), "{body}");
}

fn jane(sandbox: &InProcess) -> String {
    sandbox.world().people[0].psid.clone()
}

#[test]
fn a_message_has_a_recipient_and_a_name() {
    let sandbox = sandbox();
    let psid = jane(&sandbox);
    for path in ["/me/messages".to_owned(), format!("/{PAGE_ID}/messages")] {
        let (status, body) = send_to(&sandbox, &path, &hello(&psid));
        assert_eq!((status, body["recipient_id"].as_str()), (200, Some(psid.as_str())), "{body}");
        let mid = body["message_id"].as_str().unwrap();
        assert!(mid.starts_with("m_") && mid.len() == 82, "{mid}");
    }
    assert_eq!(sandbox.world().threads[0].messages.len(), 2);
}

#[test]
fn what_is_no_message_is_refused() {
    let sandbox = sandbox();
    let psid = jane(&sandbox);
    assert_refused(send(&sandbox, &json!({"message": {"text": "x"}})), 400, 100, None, "recipient is required");
    assert_refused(send(&sandbox, &json!({"recipient": {"id": psid}})), 400, 100, None, "message must be non-empty");
    let empty = json!({"recipient": {"id": psid}, "message": {"text": ""}});
    assert_refused(send(&sandbox, &empty), 400, 100, None, "message must be non-empty");
    let long = |length: usize| json!({"recipient": {"id": psid}, "message": {"text": "ä".repeat(length)}});
    assert_eq!(send(&sandbox, &long(2000)).0, 200);
    assert_refused(send(&sandbox, &long(2001)), 400, 100, None, "must be less than or equal to 2000");
    let both = json!({"recipient": {"id": psid}, "message": {"text": "x"}, "sender_action": "typing_on"});
    assert_refused(send(&sandbox, &both), 400, 100, Some(2_018_014), "both message and state");
    assert_refused(send(&sandbox, &hello("1234567890123456")), 400, 100, Some(2_018_001), "No matching user");
}

#[test]
fn the_window_closes_after_a_day() {
    let sandbox = scenario("version = 1\ntoday = '2026-11-22T12:00:00Z'\n");
    let psid = jane(&sandbox);
    sandbox.world().clock.advance(jiff::SignedDuration::from_hours(24));
    assert_eq!(send(&sandbox, &hello(&psid)).0, 200);
    sandbox.world().clock.advance(jiff::SignedDuration::from_secs(1));
    assert_refused(send(&sandbox, &hello(&psid)), 400, 10, Some(2_018_278), "outside of allowed window");
    sandbox.write("I am back").unwrap();
    assert_eq!(send(&sandbox, &hello(&psid)).0, 200);
}

#[test]
fn who_has_blocked_the_page_or_no_role_gets_nothing() {
    let sandbox = scenario(
        "version = 1\naccess = 'standard'\n[[people]]\nname = 'A B'\nwrote_ago = '1h'\n[[people]]\nname = 'C D'\nrole = true\nblocked = true\nwrote_ago = '1h'\n",
    );
    let psids: Vec<String> = sandbox.world().people.iter().map(|person| person.psid.clone()).collect();
    assert_refused(send(&sandbox, &hello(&psids[0])), 403, 200, Some(2_018_028), "Cannot message users");
    assert_refused(send(&sandbox, &hello(&psids[1])), 400, 551, Some(1_545_041), "isn't available");
}

#[test]
fn the_permission_is_needed() {
    let sandbox = sandbox();
    let psid = jane(&sandbox);
    sandbox.world().page_token_mut(PAGE_ID).unwrap().scopes.retain(|scope| scope != "pages_messaging");
    assert_refused(send(&sandbox, &hello(&psid)), 400, 230, None, "Requires pages_messaging");
}
