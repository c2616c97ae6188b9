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
    assert_eq!(sandbox.world().threads[0].messages.len(), 3, "with the one that the person wrote");
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

#[test]
fn a_human_may_answer_for_seven_days_and_former_tags_are_gone() {
    let sandbox = scenario("version = 1\ntoday = '2026-11-22T12:00:00Z'\n");
    let psid = jane(&sandbox);
    let tagged = |tag: &str| json!({"recipient": {"id": psid}, "messaging_type": "MESSAGE_TAG", "tag": tag, "message": {"text": "Hello"}});
    sandbox.world().clock.advance(jiff::SignedDuration::from_hours(7 * 24));
    assert_refused(send(&sandbox, &hello(&psid)), 400, 10, Some(2_018_278), "outside of allowed window");
    assert_eq!(send(&sandbox, &tagged("HUMAN_AGENT")).0, 200);
    sandbox.world().clock.advance(jiff::SignedDuration::from_secs(1));
    assert_refused(send(&sandbox, &tagged("HUMAN_AGENT")), 400, 10, Some(2_018_278), "outside of allowed window");
    assert_refused(send(&sandbox, &tagged("ACCOUNT_UPDATE")), 400, 100, None, "no longer supported");
    assert_refused(send(&sandbox, &tagged("NEWS")), 400, 100, None, "HUMAN_AGENT, CUSTOMER_FEEDBACK");
    assert_refused(send(&sandbox, &tagged("")), 400, 100, None, "tag is required");
    let odd = json!({"recipient": {"id": psid}, "messaging_type": "ANSWER", "message": {"text": "x"}});
    assert_refused(send(&sandbox, &odd), 400, 100, None, "messaging_type must be one of");
}

#[test]
fn actions_are_answered_without_a_message() {
    let sandbox = sandbox();
    let psid = jane(&sandbox);
    let act = |action: &str, payload: Value| {
        send(&sandbox, &json!({"recipient": {"id": psid}, "sender_action": action, "payload": payload}))
    };
    let done = (200, json!({"recipient_id": psid}));
    for action in ["typing_on", "typing_off", "mark_seen"] {
        assert_eq!(act(action, Value::Null), done);
    }
    let mid = sandbox.world().threads[0].messages[0].mid.clone();
    assert!(sandbox.world().threads[0].messages[0].read);
    assert_eq!(act("react", json!({"message_id": mid, "reaction": "love"})), done);
    assert_refused(act("react", json!({"message_id": "m_x"})), 400, 100, None, "Invalid message id");
    assert_refused(act("dance", Value::Null), 400, 100, None, "sender_action must be one of");
}

#[test]
fn messages_have_limits() {
    let sandbox = sandbox();
    let psid = jane(&sandbox);
    let message = |message: Value| send(&sandbox, &json!({"recipient": {"id": psid}, "message": message}));
    let replies = |count: usize, title: &str| {
        message(
            json!({"text": "?", "quick_replies": vec![json!({"content_type": "text", "title": title, "payload": "P"}); count]}),
        )
    };
    assert_eq!(replies(13, "Yes").0, 200);
    assert_refused(replies(14, "Yes"), 400, 100, None, "at most 13");
    assert_refused(
        replies(1, &"x".repeat(21)),
        400,
        100,
        None,
        "quick_replies][0][title] must be less than or equal to 20",
    );
    let buttons = |text: &str, count: usize| {
        let button = json!({"type": "postback", "title": "Go", "payload": "GO"});
        let payload = json!({"template_type": "button", "text": text, "buttons": vec![button; count]});
        message(json!({"attachment": {"type": "template", "payload": payload}}))
    };
    assert_eq!(buttons("Choose", 3).0, 200);
    assert_refused(buttons("Choose", 4), 400, 100, None, "at most 3");
    assert_refused(buttons(&"x".repeat(641), 1), 400, 100, None, "less than or equal to 640");
    let image =
        |url: &str| message(json!({"attachment": {"type": "image", "payload": {"url": url, "is_reusable": true}}}));
    let (status, body) = image("https://example.com/a.jpg");
    assert_eq!(status, 200);
    let id = body["attachment_id"].as_str().unwrap();
    let again = |id: &str| message(json!({"attachment": {"type": "image", "payload": {"attachment_id": id}}}));
    assert_eq!(again(id).0, 200);
    assert_refused(again("5"), 400, 100, Some(2_018_074), "do not own the attachment");
    assert_refused(image("nowhere"), 400, 100, Some(2_018_008), "Failed to fetch the file");
    assert_eq!(message(json!({"sticker_id": 767_226_160_478_561_u64})).0, 200);
    assert_eq!(message(json!({"sticker_id": "767226160478561"})).0, 200);
    assert_refused(message(json!({"sticker_id": "cat"})), 400, 100, None, "sticker_id");
    assert_refused(message(json!({"sticker_id": 5, "text": "x"})), 400, 100, None, "Only one of");
    let grid = |images: usize, heroes: usize, title: &str, elements: usize| {
        let image = |at| json!({"url": "https://example.com/a.jpg", "is_hero_image": at < heroes});
        let element = json!({"title": title, "images": (0..images).map(image).collect::<Vec<_>>()});
        let payload = json!({"template_type": "image_grid", "elements": vec![element; elements]});
        message(json!({"attachment": {"type": "template", "payload": payload}}))
    };
    assert_eq!(grid(6, 1, "Shoes", 1).0, 200);
    assert_refused(grid(1, 0, "Shoes", 1), 400, 100, None, "between 2 and 6");
    assert_refused(grid(2, 2, "Shoes", 1), 400, 100, None, "one hero image");
    assert_refused(grid(2, 0, "Shoes", 2), 400, 100, None, "exactly 1 element");
    assert_refused(grid(2, 0, &"x".repeat(46), 1), 400, 100, None, "less than or equal to 45");
    let kind = message(json!({"attachment": {"type": "hologram", "payload": {}}}));
    assert_refused(kind, 400, 100, None, "must be one of");
}

#[test]
fn attachments_are_uploaded_for_later() {
    let sandbox = sandbox();
    let upload = |payload: Value| {
        send_to(
            &sandbox,
            "/me/message_attachments",
            &json!({"message": {"attachment": {"type": "image", "payload": payload}}}),
        )
    };
    let (status, body) = upload(json!({"url": "https://example.com/a.jpg", "is_reusable": true}));
    assert_eq!(status, 200);
    let payload = json!({"attachment_id": body["attachment_id"]});
    let psid = jane(&sandbox);
    let message = json!({"recipient": {"id": psid}, "message": {"attachment": {"type": "image", "payload": payload}}});
    assert_eq!(send(&sandbox, &message).0, 200);
    assert_refused(upload(json!({})), 400, 100, None, "is required");
}

#[test]
fn other_recipients_are_taken() {
    let sandbox = sandbox();
    let to = |recipient: Value| send(&sandbox, &json!({"recipient": recipient, "message": {"text": "x"}})).1;
    assert!(to(json!({"user_ref": "U"})).get("recipient_id").is_none());
    assert!(to(json!({"phone_number": "+1", "name": {"first_name": "A", "last_name": "B"}}))["message_id"].is_string());
    assert!(to(json!({"comment_id": "1_2"}))["recipient_id"].is_string());
}

#[test]
fn what_meta_refuses_in_a_message_is_refused() {
    let sandbox = sandbox();
    let psid = jane(&sandbox);
    let message = |message: Value| send(&sandbox, &json!({"recipient": {"id": psid}, "message": message}));
    let attached = |kind: &str, payload: Value| message(json!({"attachment": {"type": kind, "payload": payload}}));
    let both = json!({"text": "x", "attachment": {"type": "image", "payload": {"url": "https://example.com/a.jpg"}}});
    assert_refused(message(both), 400, 100, Some(2_018_018), "(#100) Only one of text or attachment can be specified");
    for payload in [json!({}), Value::Null, json!({"is_reusable": true})] {
        assert_refused(attached("image", payload), 400, 100, None, "[url] is required");
    }
    assert_refused(attached("image", json!({"attachment_id": 5})), 400, 100, Some(2_018_074), "do not own");
    let template = |payload: Value| attached("template", payload);
    assert_refused(template(json!({"template_type": "foo"})), 400, 100, None, "template_type] must be one of");
    assert_refused(template(json!({"template_type": "generic"})), 400, 100, None, "[elements] is required");
    let generic = |element: Value| template(json!({"template_type": "generic", "elements": [element]}));
    assert_refused(generic(json!({"subtitle": "x"})), 400, 100, None, "[elements][0][title] is required");
    assert_eq!(generic(json!({"title": "x"})).0, 200);
    let button = |button: Value| template(json!({"template_type": "button", "text": "x", "buttons": [button]}));
    for (wrong, text) in [
        (json!({"type": "zzz"}), "[type] must be one of"),
        (json!({"title": "x"}), "[type] is required"),
        (json!({"type": "postback", "payload": "P"}), "[title] is required"),
        (json!({"type": "postback", "title": "x"}), "[payload] is required"),
        (json!({"type": "web_url", "title": "x"}), "[url] is required"),
        (json!({"type": "account_link"}), "[url] is required"),
    ] {
        assert_refused(button(wrong), 400, 100, None, text);
    }
    assert_eq!(button(json!({"type": "web_url", "title": "x", "url": "https://example.com/"})).0, 200);
    assert_eq!(button(json!({"type": "account_unlink"})).0, 200);
    let reply = message(json!({"text": "?", "quick_replies": [{"content_type": "text", "title": "a"}]}));
    assert_refused(reply, 400, 100, None, "[payload] is required");
    assert_eq!(message(json!({"text": "?", "quick_replies": [{"content_type": "user_email"}]})).0, 200);
    let bare = send(&sandbox, &json!({"recipient": psid, "message": {"text": "x"}}));
    assert_refused(bare, 400, 100, None, "recipient must be an object");
}

#[test]
fn seven_days_are_for_tagged_messages_alone() {
    let sandbox = scenario("version = 1\n[[people]]\nname = 'A B'\nwrote_ago = '5d'\n");
    let psid = jane(&sandbox);
    let with = |more: Value| {
        let mut body = json!({"recipient": {"id": psid}, "message": {"text": "x"}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        send(&sandbox, &body)
    };
    let refused = |more: Value| assert_refused(with(more), 400, 10, Some(2_018_278), "outside of allowed window");
    refused(json!({"tag": "HUMAN_AGENT"}));
    refused(json!({"tag": "HUMAN_AGENT", "messaging_type": "RESPONSE"}));
    refused(json!({"tag": "CUSTOMER_FEEDBACK", "messaging_type": "MESSAGE_TAG"}));
    assert_eq!(with(json!({"tag": "HUMAN_AGENT", "messaging_type": "MESSAGE_TAG"})).0, 200);
    let feedback = json!({"attachment": {"type": "template", "payload": {"template_type": "customer_feedback"}}});
    assert_eq!(with(json!({"tag": "CUSTOMER_FEEDBACK", "messaging_type": "MESSAGE_TAG", "message": feedback})).0, 200);
}

#[test]
fn a_reusable_attachment_is_kept_in_the_notation_of_forms_too() {
    let sandbox = sandbox();
    let path = format!("/me/messages?access_token={}", page_token(&sandbox));
    let image = "message[attachment][type]=image&message[attachment][payload][url]=https://example.com/a";
    let body = format!("recipient[id]={}&{image}&message[attachment][payload][is_reusable]=true", jane(&sandbox));
    let (status, _, answer) = ask(&sandbox.url(), "POST", &path, &[], &body);
    assert!(status == 200 && answer.contains("attachment_id"), "{answer}");
}

#[test]
fn the_task_is_needed() {
    let sandbox = sandbox();
    let psid = jane(&sandbox);
    let with = |tasks: &[&str]| {
        sandbox.world().pages[0].tasks = tasks.iter().map(|task| (*task).to_owned()).collect();
        let token = page_token(&sandbox);
        let call =
            |method: &str, path: &str| ask(&sandbox.url(), method, &format!("{path}access_token={token}"), &[], "").0;
        (
            send(&sandbox, &hello(&psid)).0,
            call("GET", "/me/conversations?"),
            call("POST", "/me/subscribed_apps?subscribed_fields=feed&"),
            call("POST", "/me/subscribed_apps?subscribed_fields=messages&"),
        )
    };
    assert_eq!(with(&["ANALYZE"]), (403, 403, 403, 403));
    assert_eq!(with(&["MESSAGING"]), (200, 200, 403, 403));
    assert_eq!(with(&["MODERATE"]), (403, 200, 200, 403));
    assert_eq!(with(&["MESSAGING", "MANAGE"]), (200, 200, 200, 200));
    assert_eq!(with(&["PROFILE_PLUS_FULL_CONTROL"]), (200, 200, 200, 200));
}
