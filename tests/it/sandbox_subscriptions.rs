//! `/{app-id}/subscriptions`: who may, what is needed, and the handshake.

use std::time::Duration;

use msgrctl::clock::Clock;
use msgrctl::sandbox::{InProcess, World};
use serde_json::{Value, json};

use crate::sandbox::ask;
use crate::support::Hook;
use crate::support::world::{app, nowhere, page_token, sandbox};

fn call(sandbox: &InProcess, method: &str, query: &str) -> (u16, Value) {
    let (id, secret) = app(sandbox);
    let path = format!("/v26.0/{id}/subscriptions?access_token={id}%7C{secret}&{query}");
    let (status, _, body) = ask(&sandbox.url(), method, &path, &[], "");
    (status, serde_json::from_str(&body).unwrap())
}

fn post(sandbox: &InProcess, callback: &str) -> (u16, Value) {
    let callback: String = url::form_urlencoded::byte_serialize(callback.as_bytes()).collect();
    call(
        sandbox,
        "POST",
        &format!(
            "object=page&callback_url={callback}&verify_token=s3cret&fields=messages,%20messaging_postbacks&include_values=true"
        ),
    )
}

#[track_caller]
fn assert_refused((status, body): (u16, Value), code: i64, text: &str) {
    assert_eq!((status, body["error"]["code"].as_i64()), (400, Some(code)), "{body}");
    assert!(body["error"]["message"].as_str().unwrap().contains(text), "{body}");
}

#[test]
fn a_callback_is_verified_before_it_is_taken() {
    let sandbox = sandbox();
    let hook = Hook::start();
    assert_eq!(call(&sandbox, "GET", "").1, json!({"data": []}));
    assert_eq!(post(&sandbox, &format!("{}?tenant=acme", hook.url)).1, json!({"success": true}));
    let asked = hook.received()[0].clone();
    assert_eq!(asked.method, "GET");
    assert_eq!(asked.query("tenant").as_deref(), Some("acme"), "its own query is kept");
    assert_eq!(asked.query("hub.mode").as_deref(), Some("subscribe"));
    assert_eq!(asked.query("hub.verify_token").as_deref(), Some("s3cret"));
    assert!(asked.query("hub.challenge").unwrap().parse::<i32>().is_ok());
    assert_eq!(asked.header("user-agent"), Some("facebookplatform/1.0 (+http://developers.facebook.com)"));
    assert_eq!(asked.header("accept"), Some("*/*"));
    let fields = json!([{"name": "messages", "version": "v26.0"}, {"name": "messaging_postbacks", "version": "v26.0"}]);
    let url = format!("{}?tenant=acme", hook.url);
    let expected = json!({"data": [{"object": "page", "callback_url": url, "active": true, "fields": fields}]});
    assert_eq!(call(&sandbox, "GET", "").1.to_string(), expected.to_string());
}

#[test]
fn a_callback_that_fails_is_refused_with_metas_words() {
    let sandbox = sandbox();
    let hook = Hook::start();
    hook.will_answer(404, "no");
    assert_refused(post(&sandbox, &hook.url), 2200, "HTTP Status Code = 404; HTTP Message = Not Found");
    hook.will_answer(302, "");
    assert_refused(post(&sandbox, &hook.url), 2200, "HTTP Status Code = 302; HTTP Message = Found");
    hook.will_answer(200, "<!DOCTYPE html><html><head></head></html>");
    assert_refused(post(&sandbox, &hook.url), 2201, "received=\"<!DOCTYPE html><html...\"");
    hook.will_answer(200, "\"123\"");
    assert_refused(post(&sandbox, &hook.url), 2201, "received=\"\"123\"\"");
    assert_refused(post(&sandbox, &format!("http://{}/", nowhere())), 2200, "curl_errno = 7");
    assert_refused(post(&sandbox, &format!("https://{}/", nowhere())), 2200, "curl_errno = 7");
    assert_eq!(call(&sandbox, "GET", "").1, json!({"data": []}), "nothing was taken");
}

#[test]
fn a_callback_that_does_not_answer_is_given_up_and_holds_nobody_up() {
    let mut world = World::new(Clock::system());
    assert_eq!(world.rules.handshake_patience, Duration::from_secs(6));
    world.rules.handshake_patience = Duration::from_secs(1);
    let sandbox = InProcess::start(world).unwrap();
    let hook = Hook::start();
    hook.will_not_answer();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| post(&sandbox, &hook.url));
        hook.wait_for_requests(1);
        let token = page_token(&sandbox);
        assert_eq!(ask(&sandbox.url(), "GET", &format!("/me?access_token={token}"), &[], "").0, 200);
        assert!(!waiting.is_finished(), "others are answered meanwhile");
        let answer = waiting.join().unwrap();
        assert_refused(answer, 2200, "curl_errno = 28; curl_error = Operation timed out; HTTP Status Code = 0");
    });
}

#[test]
fn nothing_leaves_this_machine() {
    let sandbox = sandbox();
    assert_refused(post(&sandbox, "http://hooks.example.com/"), 100, "HTTPS");
    assert_refused(post(&sandbox, "https://hooks.example.com/messenger"), 2200, "curl_errno = 7");
    let world = sandbox.world();
    let entry = world.journal.entries().iter().find(|entry| entry.path.starts_with("-> https://hooks")).unwrap();
    assert!(entry.note.as_ref().unwrap().contains("nothing outside this machine"), "{entry:?}");
}

#[test]
fn only_the_app_itself_may() {
    let sandbox = sandbox();
    let (id, _) = app(&sandbox);
    let path = format!("/v26.0/{id}/subscriptions?access_token={}", page_token(&sandbox));
    for method in ["GET", "POST", "DELETE"] {
        let (status, _, body) = ask(&sandbox.url(), method, &path, &[], "");
        assert_refused((status, serde_json::from_str(&body).unwrap()), 15, "must be called with an app access_token");
    }
}

#[test]
fn what_is_missing_is_named() {
    let sandbox = sandbox();
    let hook = Hook::start();
    for (query, missing) in [
        ("", "object"),
        ("object=page", "callback_url"),
        ("object=page&callback_url=http://127.0.0.1:1/", "verify_token"),
        ("object=page&callback_url=http://127.0.0.1:1/&verify_token=a", "fields"),
        ("object=nonsense", "object must be one of"),
        ("object=page&fields=mentions", "got \"mentions\""),
    ] {
        assert_refused(call(&sandbox, "POST", query), 100, missing);
    }
    assert!(hook.received().is_empty());
}

#[test]
fn fields_are_added_and_taken_away() {
    let sandbox = sandbox();
    let hook = Hook::start();
    post(&sandbox, &hook.url);
    let names = || {
        let body = call(&sandbox, "GET", "").1;
        let fields = body["data"][0]["fields"].as_array().cloned().unwrap_or_default();
        fields.iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // Without the callback it is not asked again.
    assert_eq!(call(&sandbox, "POST", "object=page&fields=messages,message_reads").1, json!({"success": true}));
    assert_eq!(names(), ["messages", "messaging_postbacks", "message_reads"]);
    assert_eq!(hook.received().len(), 1);
    sandbox.world().subscriptions[0].active = false;
    assert_eq!(post(&sandbox, &hook.url).0, 200);
    assert_eq!(hook.received().len(), 2, "with it, it is");
    assert!(sandbox.world().subscriptions[0].active);
    assert_eq!(names().len(), 3);
    assert_eq!(call(&sandbox, "DELETE", "object=page&fields=messages").1, json!({"success": true}));
    assert_eq!(names(), ["messaging_postbacks", "message_reads"]);
    assert_eq!(call(&sandbox, "DELETE", "object=user").1, json!({"success": true}));
    assert_eq!(names().len(), 2);
    assert_eq!(call(&sandbox, "DELETE", "").1, json!({"success": true}));
    assert!(sandbox.world().subscriptions.is_empty());
}

#[test]
fn the_verify_token_is_in_no_journal() {
    let sandbox = sandbox();
    let hook = Hook::start();
    post(&sandbox, &format!("{}?key=geheim", hook.url.replace("://", "://geheim:geheim@")));
    let world = sandbox.world();
    let text = serde_json::to_string(world.journal.entries()).unwrap();
    assert!(!text.contains("s3cret"), "{text}");
    assert!(!text.contains("geheim") && text.contains(&hook.url), "{text}");
}

#[test]
fn what_changes_while_the_callback_is_asked_stays() {
    let sandbox = sandbox();
    let (old, new) = (Hook::start(), Hook::start());
    post(&sandbox, &old.url);
    new.will_confirm_late(Duration::from_millis(500));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let callback: String = url::form_urlencoded::byte_serialize(new.url.as_bytes()).collect();
            let query = format!("object=page&callback_url={callback}&verify_token=other&fields=message_reads");
            call(&sandbox, "POST", &query)
        });
        while new.received().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(call(&sandbox, "DELETE", "object=page&fields=messages").0, 200);
        assert_eq!(waiting.join().unwrap().0, 200);
    });
    let (_, body) = call(&sandbox, "GET", "");
    let shown = &body["data"][0];
    let fields: Vec<_> = shown["fields"].as_array().unwrap().iter().map(|field| field["name"].clone()).collect();
    assert_eq!(
        (&shown["callback_url"], fields.as_slice()),
        (&json!(new.url), [json!("messaging_postbacks"), json!("message_reads")].as_slice())
    );
}
