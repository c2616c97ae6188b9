//! Several calls in one.

use msgrctl::sandbox::InProcess;
use serde_json::{Value, json};

use crate::sandbox::ask;
use crate::support::Hook;
use crate::support::world::{PAGE_ID, app, page_token, sandbox, scenario};

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// As a form with the Page's token.
fn batch(sandbox: &InProcess, operations: &Value, more: &str) -> (u16, Value) {
    let token = page_token(sandbox);
    let body = format!("access_token={token}&include_headers=false&batch={}{more}", encoded(&operations.to_string()));
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let (status, _, body) = ask(&sandbox.url(), "POST", "/v25.0/", &form, &body);
    (status, serde_json::from_str(&body).unwrap())
}

fn body(item: &Value) -> Value {
    serde_json::from_str(item["body"].as_str().unwrap()).unwrap()
}

#[test]
fn operations_are_answered_in_their_order() {
    let sandbox = sandbox();
    let psid = sandbox.world().people[0].psid.clone();
    let send = format!(
        "recipient={}&message={}",
        encoded(&json!({"id": psid}).to_string()),
        encoded(&json!({"text": "hi"}).to_string())
    );
    let operations = json!([
        {"method": "GET", "relative_url": "me?fields=id,name"},
        {"method": "GET", "relative_url": "me?fields=nonsense"},
        {"body": send, "method": "POST", "relative_url": format!("{PAGE_ID}/messages/")},
    ]);
    let (status, items) = batch(&sandbox, &operations, "");
    assert_eq!(status, 200);
    assert_eq!(items[0], json!({"code": 200, "body": r#"{"id":"109876543210987","name":"Acme Support"}"#}));
    assert_eq!((&items[1]["code"], &body(&items[1])["error"]["code"]), (&json!(400), &json!(100)));
    assert_eq!(body(&items[2])["recipient_id"], psid.as_str());
    let world = sandbox.world();
    let told: Vec<_> = world.journal.entries().iter().map(|entry| (entry.path.as_str(), entry.status)).collect();
    assert_eq!(
        told,
        [
            ("/v25.0/me", Some(200)),
            ("/v25.0/me", Some(400)),
            ("/v25.0/109876543210987/messages", Some(200)),
            ("/v25.0/", Some(200)),
        ]
    );
}

#[test]
fn bodies_are_json_too_and_headers_come_unless_refused() {
    let sandbox = sandbox();
    let token = page_token(&sandbox);
    let operations = json!([{"method": "GET", "relative_url": "/v22.0/me"}]);
    let asked = json!({"access_token": token, "batch": operations}).to_string();
    let (_, _, answer) = ask(&sandbox.url(), "POST", "/", &[("Content-Type", "application/json")], &asked);
    let items: Value = serde_json::from_str(&answer).unwrap();
    let headers = items[0]["headers"].as_array().unwrap();
    assert!(headers.contains(&json!({"name": "Facebook-API-Version", "value": "v22.0"})), "{headers:?}");
    assert!(!headers.iter().any(|header| header["name"] == "ETag"));
}

#[test]
fn each_operation_may_have_its_own_token() {
    let sandbox = sandbox();
    let (id, secret) = app(&sandbox);
    let hook = Hook::start();
    let own = encoded(&format!("{id}|{secret}"));
    let callback = encoded(&hook.url);
    let operations = json!([
        {"method": "POST", "relative_url": format!("{id}/subscriptions"),
         "body": format!("access_token={own}&object=page&callback_url={callback}&verify_token=s3cret&fields=messages")},
        {"method": "GET", "relative_url": format!("{id}/subscriptions?access_token={own}")},
        {"method": "GET", "relative_url": "me?access_token=EAAunknown"},
    ]);
    let (_, items) = batch(&sandbox, &operations, "");
    assert_eq!(body(&items[0]), json!({"success": true}), "the callback was asked meanwhile");
    assert_eq!(body(&items[1])["data"][0]["callback_url"], hook.url.as_str());
    assert_eq!(body(&items[2])["error"]["code"], 190);
    let journal = serde_json::to_string(sandbox.world().journal.entries()).unwrap();
    for secret in [secret.as_str(), "s3cret", page_token(&sandbox).as_str()] {
        assert!(!journal.contains(secret), "{journal}");
    }
}

#[test]
fn fifty_are_the_most() {
    let sandbox = sandbox();
    let many = |count| Value::from(vec![json!({"relative_url": "me"}); count]);
    assert_eq!(batch(&sandbox, &many(50), "").1.as_array().unwrap().len(), 50);
    let (status, refused) = batch(&sandbox, &many(51), "");
    assert_eq!(status, 400);
    assert_eq!(refused["error"]["message"], "Too many requests in batch message. Maximum batch size is 50");
    assert_eq!((&refused["error"]["type"], &refused["error"]["code"]), (&json!("GraphBatchException"), &Value::Null));
    let (status, ..) = ask(&sandbox.url(), "POST", "/", &[], "batch=%5B%5D");
    assert_eq!(status, 400, "a token is needed");
}

#[test]
fn what_takes_too_long_or_is_dropped_is_null() {
    let sandbox = scenario(
        "version = 1\nbatch_timeout = '100ms'\n[[faults]]\npath = '/me'\ndrop = true\n[[faults]]\npath = '/app'\ndelay = '1h'\n",
    );
    let operations = json!([{"relative_url": "me"}, {"relative_url": "app"}, {"relative_url": "me/subscribed_apps"}]);
    let (status, items) = batch(&sandbox, &operations, "");
    assert_eq!((status, &items[0], &items[1], &items[2]["code"]), (200, &Value::Null, &Value::Null, &json!(200)));
}

#[test]
fn operations_use_what_earlier_ones_found() {
    let sandbox = sandbox();
    let user = sandbox.world().user_token().unwrap().value.clone();
    let operations = json!([
        {"name": "pages", "relative_url": format!("me/accounts?access_token={user}&fields=id")},
        {"relative_url": "?ids={result=pages:$.data.*.id}&fields=name"},
        {"name": "bad", "relative_url": "5"},
        {"relative_url": "me", "depends_on": "bad"},
        {"name": "shown", "relative_url": "me", "omit_response_on_success": false},
        {"relative_url": "me", "depends_on": "shown"},
    ]);
    let (_, items) = batch(&sandbox, &operations, "");
    assert_eq!(items[0], Value::Null, "left out, since another depends on it");
    assert_eq!(body(&items[1])["109876543210987"]["name"], "Acme Support");
    assert_eq!((&items[2]["code"], &items[3]["code"]), (&json!(400), &json!(400)));
    assert_eq!((&items[4]["code"], &items[5]["code"]), (&json!(200), &json!(200)));
    let (status, refused) = batch(&sandbox, &json!([{"relative_url": "me", "depends_on": "f"}]), "");
    assert_eq!(status, 400);
    let text = "Request 0 cannot depend on an  unresolved request with  name f. Requests can only depend on preceding requests";
    assert_eq!(refused["error"]["message"], text);
}

#[test]
fn references_may_be_encoded_and_must_find_something() {
    let sandbox = sandbox();
    let operations = json!([
        {"name": "p", "relative_url": "me?fields=id", "omit_response_on_success": false},
        {"relative_url": "?ids=%7Bresult%3Dp%3A%24.id%7D"},
        {"relative_url": "?ids={result=p:$['id']}"},
        {"relative_url": "%7Bresult%3Dp%3A%24.id%7D?fields=id"},
        {"relative_url": "?ids={result=p:$.nothing}"},
        {"relative_url": "?ids={result=p:$..id}"},
    ]);
    let (_, items) = batch(&sandbox, &operations, "");
    for at in 1..4 {
        assert_eq!(items[at]["code"], 200, "{items}");
        assert!(items[at]["body"].as_str().unwrap().contains(PAGE_ID));
    }
    for at in 4..6 {
        assert_eq!(body(&items[at])["error"]["type"], "GraphBatchException", "{items}");
    }
    let unknown = json!([{"relative_url": "?ids=%7Bresult%3Dnobody%3A%24.id%7D"}]);
    assert_eq!(batch(&sandbox, &unknown, "").0, 400);
}

#[test]
fn each_operation_brings_its_own_proof() {
    let sandbox = sandbox();
    sandbox.world().rules.require_app_secret = true;
    let (token, (_, secret)) = (page_token(&sandbox), app(&sandbox));
    let mut mac = <hmac::Hmac<sha2::Sha256> as hmac::KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
    hmac::Mac::update(&mut mac, token.as_bytes());
    let proof = hex::encode(hmac::Mac::finalize(mac).into_bytes());
    let own = |proof: &str| json!({"relative_url": format!("me?access_token={token}&appsecret_proof={proof}")});
    let operations = json!([own(&proof), own(&proof.to_uppercase()), {"relative_url": "me"}]);
    let (status, items) = batch(&sandbox, &operations, "");
    assert_eq!(
        (status, &items[0]["code"], &items[1]["code"], &items[2]["code"]),
        (200, &json!(200), &json!(400), &json!(400))
    );
    let (_, items) = batch(&sandbox, &json!([{"relative_url": "me"}]), &format!("&appsecret_proof={proof}"));
    assert_eq!(items[0]["code"], 200, "the batch's is for all that have none");
}

#[test]
fn a_callback_that_is_verified_too_long_is_left() {
    let sandbox = scenario("version = 1\nbatch_timeout = '200ms'\n");
    let hook = Hook::start();
    hook.will_not_answer();
    let (id, secret) = app(&sandbox);
    let operations = json!([
        {"method": "POST", "relative_url": format!("{id}/subscriptions"),
         "body": format!("access_token={id}%7C{secret}&object=page&callback_url={}&verify_token=s3cret&fields=messages", encoded(&hook.url))},
        {"relative_url": "me"},
    ]);
    let start = std::time::Instant::now();
    let (_, items) = batch(&sandbox, &operations, "");
    assert_eq!((&items[0], &items[1]["code"]), (&Value::Null, &json!(200)));
    assert!(start.elapsed() < std::time::Duration::from_secs(4));
}

#[test]
fn a_body_is_a_text_of_a_form() {
    let sandbox = sandbox();
    let body_of = |content: Value| json!([{"method": "POST", "relative_url": "me/messages", "body": content}]);
    assert_eq!(batch(&sandbox, &body_of(json!({"recipient": "1"})), "").0, 400);
    let (_, items) = batch(&sandbox, &body_of(json!(r#"{"recipient":{"id":"1"}}"#)), "");
    assert!(body(&items[0])["error"]["message"].as_str().unwrap().contains("recipient is required"), "{items}");
}
