//! What people meet before they write, names a Page writes under, and who people are.

use msgrctl::sandbox::InProcess;
use serde_json::{Value, json};

use crate::sandbox::ask;
use crate::support::world::{PAGE_ID, page_token, sandbox, scenario};

fn call(sandbox: &InProcess, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let more = if path.contains('?') { '&' } else { '?' };
    let path = format!("/v26.0{path}{more}access_token={}", page_token(sandbox));
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, _, body) = ask(&sandbox.url(), method, &path, &[("Content-Type", "application/json")], &body);
    (status, serde_json::from_str(&body).unwrap())
}

fn get(sandbox: &InProcess, path: &str) -> Value {
    call(sandbox, "GET", path, &Value::Null).1
}

#[track_caller]
fn assert_refused((status, body): (u16, Value), subcode: Option<i64>, text: &str) {
    let error = &body["error"];
    assert_eq!((status, error["code"].as_i64(), error["error_subcode"].as_i64()), (400, Some(100), subcode), "{body}");
    assert!(error["message"].as_str().unwrap().contains(text), "{body}");
}

#[test]
fn a_profile_is_set_read_and_taken_away() {
    let sandbox = sandbox();
    let path = "/me/messenger_profile";
    let success = json!({"result": "success"});
    assert_eq!(get(&sandbox, &format!("{path}?fields=get_started,greeting")), json!({"data": []}));
    let greeting = json!([{"locale": "default", "text": "Hello!"}]);
    let menu =
        json!([{"locale": "default", "call_to_actions": [{"type": "postback", "title": "Help", "payload": "HELP"}]}]);
    assert_refused(
        call(&sandbox, "POST", path, &json!({"persistent_menu": menu})),
        Some(2_018_145),
        "You must set a Get Started button if you also wish to use persistent menu.",
    );
    let both = json!({"get_started": {"payload": "GO"}, "greeting": greeting});
    assert_eq!(call(&sandbox, "POST", path, &both).1, success);
    assert_eq!(call(&sandbox, "POST", path, &json!({"persistent_menu": menu})).1, success);
    assert_eq!(
        get(&sandbox, &format!("{path}?fields=get_started,greeting,ice_breakers")).to_string(),
        json!({"data": [{"get_started": {"payload": "GO"}, "greeting": greeting}]}).to_string()
    );
    assert_refused(call(&sandbox, "DELETE", path, &json!({"fields": ["get_started"]})), Some(2_018_145), "Get Started");
    let capitals = format!("{path}?fields=%5B%22PERSISTENT_MENU%22,%22GET_STARTED%22%5D");
    assert_eq!(call(&sandbox, "DELETE", &capitals, &Value::Null).1, success, "as Meta's own SDK writes them");
    assert_eq!(get(&sandbox, path), json!({"data": [{"greeting": greeting}]}));
    assert_refused(call(&sandbox, "DELETE", path, &Value::Null), None, "fields is required");
}

#[test]
fn a_profile_has_limits() {
    let sandbox = sandbox();
    let set = |what: Value| call(&sandbox, "POST", "/me/messenger_profile", &what);
    let greeting = |length: usize| set(json!({"greeting": [{"locale": "default", "text": "x".repeat(length)}]}));
    assert_eq!(greeting(160).0, 200);
    assert_refused(greeting(161), None, "greeting[0][text] must be less than or equal to 160");
    assert_refused(set(json!({"greeting": [{"locale": "de_DE", "text": "x"}]})), None, "locale default");
    assert_refused(set(json!({"get_started": {}})), None, "get_started[payload] is required");
    assert_refused(set(json!({"whitelisted_domains": ["http://example.com"]})), None, "not a valid https URL");
    assert_refused(set(json!({"account_linking_url": "http://example.com"})), None, "https URL");
    let odd = json!({"persistent_menu": [{"type": "web_url", "title": "T", "url": "https://example.com"}]});
    assert_refused(set(odd), None, r#"Invalid keys "type, title, url" were found in param "persistent_menu[0]"."#);
    let questions = vec![json!({"question": "?", "payload": "P"}); 5];
    assert_refused(set(json!({"ice_breakers": questions})), None, "at most 4");
    assert_eq!(set(json!({"ice_breakers": questions[..4]})).0, 200);
    assert_refused(set(json!({"nonsense": 1})), None, "Requires one of the params: get_started,persistent_menu,");
    assert_refused(
        call(&sandbox, "GET", "/me/messenger_profile?fields=nonsense", &Value::Null),
        None,
        "must be one of",
    );
}

#[test]
fn a_person_can_have_a_menu_of_their_own() {
    let sandbox = sandbox();
    let psid = sandbox.world().people[0].psid.clone();
    let menu = json!([{"locale": "default", "call_to_actions": []}]);
    let path = format!("/me/custom_user_settings?psid={psid}");
    assert_eq!(call(&sandbox, "POST", &path, &json!({"persistent_menu": menu})).0, 200);
    assert_eq!(get(&sandbox, &path), json!({"data": [{"user_level_persistent_menu": menu}]}));
    assert_eq!(call(&sandbox, "DELETE", &path, &json!({"params": ["persistent_menu"]})).0, 200);
    assert_eq!(get(&sandbox, &path), json!({"data": [{}]}));
}

#[test]
fn personas_come_and_go() {
    let sandbox = sandbox();
    let picture = "https://example.com/john.jpg";
    let new = json!({"name": "John", "profile_picture_url": picture});
    let (_, made) = call(&sandbox, "POST", "/me/personas", &new);
    let id = made["id"].as_str().unwrap();
    let shown = json!({"name": "John", "profile_picture_url": picture, "id": id});
    assert_eq!(get(&sandbox, "/me/personas")["data"], json!([shown]));
    assert_eq!(get(&sandbox, &format!("/{id}")), shown);
    let psid = sandbox.world().people[0].psid.clone();
    let send = |id: &str| {
        let message = json!({"recipient": {"id": psid}, "message": {"text": "x"}, "persona_id": id});
        call(&sandbox, "POST", "/me/messages", &message)
    };
    assert_eq!(send(id).0, 200);
    assert_eq!(call(&sandbox, "DELETE", &format!("/{id}"), &Value::Null).1, json!({"success": true}));
    assert_refused(send(id), None, "persona_id");
    let long = json!({"name": "x".repeat(51), "profile_picture_url": picture});
    assert_refused(call(&sandbox, "POST", "/me/personas", &long), None, "less than or equal to 50");
    assert_refused(
        call(&sandbox, "POST", "/me/personas", &json!({"name": "J"})),
        None,
        "profile_picture_url is required",
    );
}

#[test]
fn people_are_shown_to_their_page() {
    let sandbox = sandbox();
    let psid = sandbox.world().people[0].psid.clone();
    assert_eq!(
        get(&sandbox, &format!("/{psid}?fields=first_name,last_name,locale")).to_string(),
        json!({"first_name": "Jane", "last_name": "Doe", "id": psid}).to_string(),
        "the language needs a permission of its own"
    );
    assert!(get(&sandbox, &format!("/{psid}"))["profile_pic"].is_string());
    assert_refused(call(&sandbox, "GET", &format!("/{psid}?fields=nonsense"), &Value::Null), None, "node type (User)");
    assert_refused(call(&sandbox, "GET", "/1234567890123456", &Value::Null), Some(33), "does not exist");
    let closed = scenario("version = 1\nprofile_access = false\n");
    let psid = closed.world().people[0].psid.clone();
    assert_refused(call(&closed, "GET", &format!("/{psid}"), &Value::Null), Some(2_018_247), "Insufficient permission");
}

#[test]
fn conversations_are_listed_with_what_was_said() {
    let sandbox = scenario("version = 1\ntoday = '2026-11-22T12:00:00Z'\n");
    let psid = sandbox.world().people[0].psid.clone();
    call(&sandbox, "POST", "/me/messages", &json!({"recipient": {"id": psid}, "message": {"text": "Good morning"}}));
    let list = get(
        &sandbox,
        &format!(
            "/{PAGE_ID}/conversations?platform=messenger&fields=participants,messages.limit(1)%7Bid,message,from%7D,updated_time"
        ),
    );
    let one = &list["data"][0];
    assert_eq!(one["updated_time"], "2026-11-22T12:00:00+0000");
    assert_eq!(
        one["participants"]["data"],
        json!([
            {"name": "Jane Doe", "email": format!("{psid}@facebook.com"), "id": psid},
            {"name": "Acme Support", "email": format!("{PAGE_ID}@facebook.com"), "id": PAGE_ID},
        ])
    );
    assert_eq!(one["messages"]["data"].as_array().unwrap().len(), 1);
    assert_eq!(one["messages"]["data"][0]["message"], "Good morning");
    assert_eq!(one["messages"]["data"][0]["from"]["id"], PAGE_ID);
    let id = one["id"].as_str().unwrap();
    assert!(id.starts_with("t_"));
    assert_eq!(get(&sandbox, &format!("/{id}?fields=message_count,unread_count,snippet"))["message_count"], 2);
    let first = get(&sandbox, &format!("/{id}/messages?limit=1&fields=message"));
    assert_eq!(first["data"][0]["message"], "Good morning");
    let after = first["paging"]["cursors"]["after"].as_str().unwrap();
    let second = get(&sandbox, &format!("/{id}/messages?limit=1&fields=message,created_time&after={after}"));
    assert_eq!(second["data"][0]["message"], "Hello");
    let mid = second["data"][0]["id"].as_str().unwrap();
    assert_eq!(get(&sandbox, &format!("/{mid}?fields=to"))["to"]["data"][0]["name"], "Acme Support");
    assert_eq!(get(&sandbox, "/me/conversations?user_id=1"), json!({"data": []}));
    assert_eq!(get(&sandbox, "/me/conversations?platform=instagram"), json!({"data": []}));
    sandbox.world().page_token_mut(PAGE_ID).unwrap().scopes.retain(|scope| scope != "pages_manage_metadata");
    let (status, body) = call(&sandbox, "GET", "/me/conversations", &Value::Null);
    assert_eq!((status, &body["error"]["code"]), (403, &json!(200)));
}
