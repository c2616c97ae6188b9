//! What a running sandbox serves beside Graph: its journal, people's actions, its clock. Graph
//! cannot have these paths.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};

use super::journal::Journal;
use super::length::Length;
use super::say;
use super::shared::SharedWorld;

/// The path that returns recent requests (GET, `last`).
pub const CALLS_PATH: &str = "/_sandbox/calls";
/// The path that makes a person act (POST, a [`Say`](super::Say) as JSON).
pub const SAY_PATH: &str = "/_sandbox/say";
/// The conversation between a Page and a person (GET, `page` and `psid`).
const CONVERSATION_PATH: &str = "/_sandbox/conversation";
/// Moves a clock that a scenario has set (POST, `{"advance": "25h"}`).
const CLOCK_PATH: &str = "/_sandbox/clock";

/// The most bytes of an answer: clients accept twice as many.
const CALLS_LIMIT: usize = 4 * 1024 * 1024;
const BODY_LIMIT: usize = 1024 * 1024;

/// Whether a path is one of these.
pub(super) fn is_control(path: &str) -> bool {
    path.starts_with("/_sandbox/")
}

/// Answers 200, or 400 with `{"error": "…"}`.
pub(super) async fn answer(world: &SharedWorld, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
    let is_post = request.method() == "POST";
    let body = to_bytes(request.into_body(), BODY_LIMIT).await.unwrap_or_default();
    let result = match (is_post, path.as_str()) {
        (false, CALLS_PATH) => calls(world, &query),
        (true, SAY_PATH) => match serde_json::from_slice(&body) {
            Ok(what) => say::say(world, &what).await.map(|said| json_of(&said)),
            Err(error) => Err(error.to_string()),
        },
        (false, CONVERSATION_PATH) => conversation(world, &query),
        (true, CLOCK_PATH) => advance(world, &body),
        _ => Err(format!("the sandbox has no {path}")),
    };
    let (status, body) = match result {
        Ok(body) => (200, body),
        Err(error) => (400, json!({ "error": error })),
    };
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap_or_default()
}

fn json_of(value: &(impl Serialize + ?Sized)) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// The last calls: all that are remembered, unless that is too much for one answer.
fn calls(world: &SharedWorld, query: &[(String, String)]) -> Result<Value, String> {
    let asked = query.iter().find(|(name, _)| name == "last").map(|(_, count)| count.parse::<usize>());
    let count = asked.transpose().map_err(|_| "last is a number")?.unwrap_or(Journal::LENGTH);
    Ok(json_of(&world.lock().journal.last(count, CALLS_LIMIT)))
}

fn conversation(world: &SharedWorld, query: &[(String, String)]) -> Result<Value, String> {
    let named = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let world = world.lock();
    let page = match named("page") {
        Some(page) => world.page(page),
        None => world.pages.first(),
    };
    let page = page.ok_or("there is no such Page")?;
    let person = match named("psid") {
        Some(psid) => world.person(&page.id, psid),
        None => world.people.iter().find(|person| person.page_id == page.id),
    };
    let person = person.ok_or("there is no such person")?;
    let messages = world.thread(&page.id, &person.psid).map(|thread| json_of(&thread.messages));
    Ok(json!({
        "schema_version": 1, "page_id": page.id, "psid": person.psid, "name": person.name,
        "messages": messages.unwrap_or_else(|| json!([])),
    }))
}

fn advance(world: &SharedWorld, body: &[u8]) -> Result<Value, String> {
    let asked: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let span = asked["advance"].as_str().ok_or("say by how much: {\"advance\": \"25h\"}")?;
    let by = Length::try_from(span.to_owned())?.0;
    let clock = world.lock().clock.clone();
    let before = clock.now();
    clock.advance(by);
    let now = clock.now();
    if now.duration_since(before) < by {
        return Err("this sandbox uses the real time: start it with a scenario that sets 'today'".into());
    }
    Ok(json!({"schema_version": 1, "now": now}))
}
