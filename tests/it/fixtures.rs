//! The client and the sandbox, each held on its own against the same samples,
//! which are composed from Meta's documentation and from reports
//! (`tests/fixtures/graph.json`; `facts` names the headings of graph/FACTS.md).

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use msgrctl::clock::Clock;
use msgrctl::graph::endpoints::{PageAccess, app, message, page, person, renewal, subscription, token};
use msgrctl::graph::{AppCredentials, Client, GraphError, GraphVersion, Unreachable};
use msgrctl::http::Settings;
use msgrctl::secrets::Secret;
use serde_json::{Value, json};

use crate::sandbox::ask;
use crate::support::Hook;
use crate::support::world::scenario;

fn cases() -> Vec<Value> {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../fixtures/graph.json")).unwrap();
    assert!(cases.len() > 30);
    cases
}

/// A server that answers every request with one recorded answer.
fn recorded(status: u64, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(0) | Err(_) => break,
                    Ok(read) => request.extend_from_slice(&buffer[..read]),
                }
            }
            let answer = format!(
                "HTTP/1.1 {status} X\r\nContent-Type: text/javascript; charset=UTF-8\r\nfacebook-api-version: v26.0\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

fn judged<T>(result: Result<T, GraphError>, show: impl FnOnce(T) -> Value) -> Value {
    match result {
        Ok(value) => json!({ "ok": show(value) }),
        Err(GraphError::Refused(error)) => json!({ "refused": [error.code, error.subcode] }),
        Err(GraphError::Unreachable(Unreachable::Throttled(_))) => json!({ "unreachable": "throttled" }),
        Err(GraphError::Unreachable(Unreachable::Trouble(_))) => json!({ "unreachable": "trouble" }),
        Err(GraphError::Unreachable(Unreachable::NotGraph { .. })) => json!({ "unreachable": "not graph" }),
        Err(GraphError::Unreachable(Unreachable::HeldBack(why))) => panic!("no client here has a gate: {why}"),
        Err(GraphError::Unreachable(Unreachable::Unfinished)) => json!({ "unreachable": "not finished" }),
        Err(GraphError::Unreachable(Unreachable::Fault { fault, .. })) => json!({ "unreachable": fault.to_string() }),
    }
}

async fn understood(case: &Value) -> Value {
    let (mut status, mut body) = (case["status"].as_u64().unwrap(), case["body"].as_str().unwrap().to_owned());
    if ["token", "subscriptions", "unsubscribe app"].contains(&case["call"].as_str().unwrap()) {
        // It goes as a batch of one, whose answer is a list.
        body = json!([{"code": status, "headers": [], "body": body}]).to_string();
        status = 200;
    }
    let url = recorded(status, body);
    let settings = Settings { timeout: Duration::from_secs(5), ca_bundle: None, loopback: true };
    let client = Client::new(url.parse().unwrap(), GraphVersion::DEFAULT, Clock::system(), settings);
    client.prepare().unwrap();
    let page_token = Secret::new("EAApage");
    let page = PageAccess { page_id: "109876543210987", token: &page_token, app: None };
    let credentials = AppCredentials { id: "123456789012345".into(), secret: Secret::new("0123456789abcdef") };
    match case["call"].as_str().unwrap() {
        "page" => judged(page::me(&client, &page_token, None).await, |answer| {
            let page = answer.value;
            json!({"id": page.id, "name": page.name, "username": page.username, "is_published": page.is_published})
        }),
        "token" => judged(token::debug(&client, &page_token, &credentials).await, |answer| {
            let info = answer.value;
            json!({
                "app_id": info.app_id, "kind": info.kind, "is_valid": info.lives(), "expires_at": info.expires_at,
                "data_access_expires_at": info.data_access_expires_at, "profile_id": info.profile_id,
                "scopes": info.scopes, "subcode": info.error.as_ref().and_then(|error| error.subcode),
            })
        }),
        "subscription" => judged(subscription::of_page(&client, page).await, |answer| {
            answer.value.iter().map(|app| json!({"id": app.id, "fields": app.subscribed_fields})).collect()
        }),
        "app" => judged(
            app::of_token(&client, &page_token, None).await,
            |answer| json!({"id": answer.value.id, "name": answer.value.name}),
        ),
        "pages" => judged(person::pages(&client, &page_token, None).await, |pages| {
            let show = |page: &person::OwnPage| {
                json!({
                    "id": page.id, "name": page.name, "username": page.username,
                    "token": page.access_token.is_some(), "may_message": page.may_message(),
                })
            };
            pages.iter().map(show).collect()
        }),
        "exchange" => judged(
            renewal::exchange(&client, &page_token, &credentials, false).await,
            |answer| json!({"expires_in": answer.value.expires_in}),
        ),
        "subscriptions" => judged(subscription::of_app(&client, &credentials).await, |answer| {
            let show = |one: &subscription::AppSubscription| {
                json!({
                    "object": one.object, "callback_url": one.callback_url, "active": one.active, "fields": one.fields,
                })
            };
            answer.value.iter().map(show).collect()
        }),
        "subscribe app" => {
            let fields = ["messages".to_owned()];
            let url = "https://hooks.example.com/messenger";
            judged(
                subscription::set_of_app(&client, &credentials, "page", url, &page_token, &fields).await,
                Value::from,
            )
        }
        "unsubscribe app" => {
            judged(subscription::remove_of_app(&client, &credentials, "page", None).await, Value::from)
        }
        "send" => {
            let reason = message::Reason::Response;
            judged(
                message::send_text(&client, page, "7654321098765432", "hello", reason).await,
                |answer| json!({"recipient_id": answer.value.recipient_id, "message_id": answer.value.message_id}),
            )
        }
        "person" => {
            judged(message::profile(&client, page, "7654321098765432").await, |answer| answer.value.name().into())
        }
        other => panic!("no call {other}"),
    }
}

#[tokio::test]
async fn the_client_understands_every_sample() {
    // What the client has no call for yet is for the sandbox alone.
    let cases: Vec<Value> = cases().into_iter().filter(|case| case["sandbox_only"] != true).collect();
    let read = futures_util::future::join_all(cases.iter().map(understood)).await;
    for (case, found) in cases.iter().zip(read) {
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}

/// The same value with what differs from run to run blanked, at any depth.
fn steady(value: &Value, volatile: &[&str]) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let value =
                    if volatile.contains(&name.as_str()) { json!(kind(value)) } else { steady(value, volatile) };
                (name.clone(), value)
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| steady(item, volatile)).collect(),
        other => other.clone(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Number(_) => "a number",
        _ => "something else",
    }
}

#[test]
fn the_sandbox_answers_every_sample() {
    for case in cases() {
        let Some(world) = case["world"].as_str() else { continue };
        let sandbox = scenario(world);
        let request = &case["request"];
        let bearer = request["token"].as_str().map(|token| format!("Bearer {token}"));
        let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("Authorization", bearer.as_str())).collect();
        let hook = Hook::start();
        if let Some(status) = case["callback"]["status"].as_u64() {
            hook.will_answer(status.try_into().unwrap(), case["callback"]["body"].as_str().unwrap());
        }
        let path = request["path"].as_str().unwrap().replace("{callback}", &hook.url);
        let (status, _, body) = ask(&sandbox.url(), request["method"].as_str().unwrap(), &path, &headers, "");
        let volatile: Vec<&str> =
            case["volatile"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let expected = case["body"].as_str().unwrap();
        if volatile.is_empty() {
            // To the letter: order of the keys and escapes too.
            assert_eq!(body, expected, "{}", case["id"]);
        }
        let read = |text: &str| steady(&serde_json::from_str(text).unwrap(), &volatile);
        assert_eq!(read(&body).to_string(), read(expected).to_string(), "{}", case["id"]);
        assert_eq!(Value::from(status), case["status"], "{}", case["id"]);
    }
}
