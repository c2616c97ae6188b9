//! Which app has a conversation, and who only listens.

use serde_json::{Value, json};

use crate::sandbox::ask;
use crate::support::Hook;
use crate::support::world::{EVENTS, page_token, sandbox, subscribe};

const INBOX: &str = "263902037430900";

#[test]
fn a_conversation_changes_hands() {
    let sandbox = sandbox();
    let hook = Hook::start();
    subscribe(&sandbox, &hook.url, &EVENTS);
    let psid = sandbox.world().people[0].psid.clone();
    let call = |method: &str, path: &str, body: Value| -> Value {
        let more = if path.contains('?') { '&' } else { '?' };
        let path = format!("/v26.0{path}{more}access_token={}", page_token(&sandbox));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        serde_json::from_str(&ask(&sandbox.url(), method, &path, &[("Content-Type", "application/json")], &body).2)
            .unwrap()
    };
    let owner = || call("GET", &format!("/me/thread_owner?recipient={psid}"), Value::Null);
    let success = json!({"success": true});
    assert_eq!(owner(), json!({"data": []}));
    let to = |target: &str| json!({"recipient": {"id": psid}, "target_app_id": target, "metadata": "bye"});
    assert_eq!(call("POST", "/me/pass_thread_control", to("5"))["error"]["error_subcode"], 2_018_164);
    assert_eq!(call("POST", "/me/pass_thread_control", to(INBOX)), success);
    let told = hook.events(1)[0].json();
    assert_eq!(
        told["entry"][0]["messaging"][0]["pass_thread_control"],
        json!({"previous_owner_app_id": "123456789012345", "new_owner_app_id": INBOX, "metadata": "bye"})
    );
    assert_eq!(owner()["data"][0]["thread_owner"]["app_id"], INBOX);
    // The app now listens, and may not write.
    assert!(sandbox.write("Anybody?").unwrap().delivered);
    assert!(hook.events(2)[1].json()["entry"][0]["standby"].is_array());
    let message = json!({"recipient": {"id": psid}, "message": {"text": "x"}});
    assert_eq!(call("POST", "/me/messages", message.clone())["error"]["error_subcode"], 2_018_300);
    assert_eq!(call("POST", "/me/release_thread_control", json!({"recipient": {"id": psid}}))["error"]["code"], 100);
    let whom = json!({"recipient": {"id": psid}, "metadata": ""});
    assert_eq!(call("POST", "/me/request_thread_control", whom.clone()), success);
    assert_eq!(call("POST", "/me/take_thread_control", whom.clone()), success);
    assert!(call("POST", "/me/messages", message)["message_id"].is_string());
    let extend = json!({"recipient": {"id": psid}, "duration": 3600});
    assert_eq!(call("POST", "/me/extend_thread_control", extend), success);
    assert_eq!(call("POST", "/me/release_thread_control", whom), success);
    assert_eq!(owner(), json!({"data": []}));
    let receivers = call("GET", "/me/secondary_receivers?fields=id,name", Value::Null);
    assert_eq!(receivers["data"], json!([{"id": INBOX, "name": "Page Inbox"}]));
}
