//! Receives Meta's events: answers the handshake, checks each signature over the raw
//! body, answers 200 at once and hands the event to whoever works on it.
//!
//! Whoever can reach it can send anything to it. So a body has a limit in size and
//! time, large ones are few at a time, and what waits to be worked on has a limit in
//! all: past it Meta is told to come again (503), and nothing is lost.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::challenge::{Handshake, NoHandshake};
use super::signature::{HEADER_1, HEADER_256, Signature, SignatureError};
use crate::json;
use crate::secrets::Secret;

/// The largest body: Meta puts up to 1,000 updates into one.
pub const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// How long a body may take to arrive.
pub const BODY_TIME: Duration = Duration::from_secs(10);
/// Bodies above this wait for one of the few places for large ones.
const SMALL: usize = 64 * 1024;
/// How many large bodies are read at the same time.
const LARGE_AT_ONCE: usize = 8;
/// What may wait at the door; more refusals than that are not told one by one.
const AT_DOOR: usize = 256;
/// Bytes that may wait to be worked on.
const WAITING: usize = 64 * 1024 * 1024;

/// Whose events are taken.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// The Page.
    pub page_id: String,
    /// The secret of its app.
    pub app_secret: Secret,
}

/// A notification whose signature was right.
#[derive(Debug)]
pub struct Notification {
    /// The bytes that were signed.
    pub body: Bytes,
    /// Both signature headers as they came, for whoever it is passed on to.
    pub signatures: Vec<(&'static str, String)>,
    /// The body, read.
    pub value: Value,
    /// The Pages whose app secret it was signed with.
    pub pages: Vec<String>,
    _waiting: OwnedSemaphorePermit,
}

/// What happens at the door, before an event is let in.
#[derive(Debug)]
pub enum AtDoor {
    /// Somebody asks for the handshake with this token. The answer says whether it is right.
    Handshake(Handshake, oneshot::Sender<bool>),
    /// Something was refused.
    Refused(Refusal),
}

/// What the listener hears.
pub struct Heard {
    /// What happens at the door; somebody has to answer handshakes whatever else is done.
    pub door: mpsc::Receiver<AtDoor>,
    /// Events whose signature was right.
    pub notifications: mpsc::UnboundedReceiver<Notification>,
}

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 403.
    #[error("{0}")]
    Signature(SignatureError),
    /// 413.
    #[error("the body is larger than 4 MiB")]
    TooLarge,
    /// 408.
    #[error("the body did not arrive within 10 s")]
    TooSlow,
    /// 400: the connection ended in the middle.
    #[error("the body broke off")]
    BrokenOff,
    /// 503: Meta will come again.
    #[error("too much waits to be worked on; Meta was asked to send it again")]
    Busy,
    /// 403.
    #[error("a handshake with a wrong verify token")]
    WrongToken,
    /// 400: a handshake that is none.
    #[error("no handshake: {0}")]
    NoHandshake(NoHandshake),
    /// 404.
    #[error("a request for another path")]
    OtherPath,
    /// 405.
    #[error("a request that is neither GET nor POST")]
    OtherMethod,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::Signature(_) | Self::WrongToken => StatusCode::FORBIDDEN,
            Self::BrokenOff | Self::NoHandshake(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::OtherPath => StatusCode::NOT_FOUND,
            Self::OtherMethod => StatusCode::METHOD_NOT_ALLOWED,
        }
    }
}

struct Shared {
    path: String,
    subscribers: Vec<Subscriber>,
    door: mpsc::Sender<AtDoor>,
    notifications: mpsc::UnboundedSender<Notification>,
    large: Semaphore,
    waiting: Arc<Semaphore>,
}

/// A receiver at `path`, and what it hears. Whoever takes from it sets the pace:
/// past 64 MiB of events that nobody took, Meta is asked to come again.
pub fn receiver(path: &str, subscribers: Vec<Subscriber>) -> (Router, Heard) {
    let (door, at_door) = mpsc::channel(AT_DOOR);
    let (notifications, heard) = mpsc::unbounded_channel();
    let shared = Shared {
        path: path.into(),
        subscribers,
        door,
        notifications,
        large: Semaphore::new(LARGE_AT_ONCE),
        waiting: Arc::new(Semaphore::new(WAITING)),
    };
    let router = Router::new().fallback(handle).with_state(Arc::new(shared));
    (router, Heard { door: at_door, notifications: heard })
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    if request.uri().path() != shared.path {
        return refuse(&shared, Refusal::OtherPath);
    }
    match *request.method() {
        Method::GET => handshake(&shared, request.uri().query().unwrap_or_default()).await,
        Method::POST => match notification(&shared, request).await {
            Ok(notification) => {
                // Nobody hears it any more: the process ends, and Meta was told so before.
                if shared.notifications.send(notification).is_err() {
                    return refuse(&shared, Refusal::Busy);
                }
                plain(StatusCode::OK, "EVENT_RECEIVED".into())
            }
            Err(refusal) => refuse(&shared, refusal),
        },
        _ => refuse(&shared, Refusal::OtherMethod),
    }
}

async fn handshake(shared: &Shared, query: &str) -> Response {
    let asked = match Handshake::read(query) {
        Ok(asked) => asked,
        Err(why) => return refuse(shared, Refusal::NoHandshake(why)),
    };
    let challenge = asked.challenge.clone();
    let (answer, right) = oneshot::channel();
    if shared.door.send(AtDoor::Handshake(asked, answer)).await.is_ok() && right.await == Ok(true) {
        return plain(StatusCode::OK, challenge);
    }
    refuse(shared, Refusal::WrongToken)
}

async fn notification(shared: &Shared, request: Request) -> Result<Notification, Refusal> {
    let (head, body) = request.into_parts();
    let signature = Signature::read(bytes(&head.headers, HEADER_256), bytes(&head.headers, HEADER_1));
    // Without a signature the body need not even be read.
    let signature = signature.map_err(Refusal::Signature)?;
    let body = read(shared, &head.headers, body).await?;
    let signed_for: Vec<String> = pages(shared, &signature, &body)?;
    let value = json::read(&body);
    let size = u32::try_from(body.len()).unwrap_or(u32::MAX).max(1);
    let waiting = shared.waiting.clone().try_acquire_many_owned(size).map_err(|_| Refusal::Busy)?;
    let signatures = [HEADER_256, HEADER_1].into_iter().filter_map(|name| {
        let value = head.headers.get(name)?.to_str().ok()?;
        Some((name, value.to_owned()))
    });
    let signatures = signatures.collect();
    Ok(Notification { body, signatures, value, pages: signed_for, _waiting: waiting })
}

/// The Pages whose app has signed it; every app secret is tried once.
fn pages(shared: &Shared, signature: &Signature, body: &[u8]) -> Result<Vec<String>, Refusal> {
    let mut right: Option<&Secret> = None;
    let mut tried: Vec<&Secret> = Vec::new();
    for subscriber in &shared.subscribers {
        let secret = &subscriber.app_secret;
        if tried.contains(&secret) {
            continue;
        }
        tried.push(secret);
        if signature.verify(body, secret.expose().as_bytes()).is_ok() {
            right = Some(secret);
            break;
        }
    }
    let right = right.ok_or(Refusal::Signature(SignatureError::Wrong))?;
    let same = shared.subscribers.iter().filter(|subscriber| subscriber.app_secret == *right);
    Ok(same.map(|subscriber| subscriber.page_id.clone()).collect())
}

async fn read(shared: &Shared, headers: &HeaderMap, body: Body) -> Result<Bytes, Refusal> {
    let named = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if named.is_some_and(|length| length > BODY_LIMIT) {
        return Err(Refusal::TooLarge);
    }
    let reading = async {
        let small = named.is_some_and(|length| length <= SMALL);
        let _place = if small { None } else { Some(shared.large.acquire().await) };
        to_bytes(body, BODY_LIMIT).await
    };
    match tokio::time::timeout(BODY_TIME, reading).await {
        Err(_) => Err(Refusal::TooSlow),
        Ok(Ok(body)) => Ok(body),
        // One that names its length is not longer than it: this one broke off.
        Ok(Err(_)) if named.is_some() => Err(Refusal::BrokenOff),
        Ok(Err(error)) if is_of_length(&error) => Err(Refusal::TooLarge),
        Ok(Err(_)) => Err(Refusal::BrokenOff),
    }
}

fn is_of_length(error: &axum::Error) -> bool {
    use std::error::Error as _;
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
    while let Some(inner) = cause {
        if inner.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        cause = inner.source();
    }
    false
}

fn bytes<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h [u8]> {
    headers.get(name).map(axum::http::HeaderValue::as_bytes)
}

fn refuse(shared: &Shared, refusal: Refusal) -> Response {
    // More than can wait is a flood, and one line of it says as much as all.
    let _ = shared.door.try_send(AtDoor::Refused(refusal));
    let mut response = plain(refusal.status(), refusal.to_string());
    let headers = response.headers_mut();
    match refusal {
        Refusal::OtherMethod => drop(headers.insert(header::ALLOW, header::HeaderValue::from_static("GET, POST"))),
        Refusal::Busy => drop(headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("5"))),
        // What is left of the body is not read.
        Refusal::TooLarge | Refusal::TooSlow => {
            drop(headers.insert(header::CONNECTION, header::HeaderValue::from_static("close")));
        }
        _ => {}
    }
    response
}

fn plain(status: StatusCode, text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, text).into_response()
}

/// Remembers which events were seen: Meta delivers some more than once.
#[derive(Debug, Default)]
pub struct Seen {
    names: Mutex<(HashSet<String>, VecDeque<String>)>,
}

impl Seen {
    /// How many are remembered.
    const LENGTH: usize = 20_000;

    /// Whether this one is new; then it is remembered.
    pub fn is_new(&self, name: &str) -> bool {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if !names.0.insert(name.to_owned()) {
            return false;
        }
        names.1.push_back(name.to_owned());
        if names.1.len() > Self::LENGTH
            && let Some(oldest) = names.1.pop_front()
        {
            names.0.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_known_and_the_oldest_forgotten() {
        let seen = Seen::default();
        assert!(seen.is_new("a") && !seen.is_new("a"));
        for number in 0..Seen::LENGTH {
            seen.is_new(&number.to_string());
        }
        assert!(seen.is_new("a"));
        assert_eq!(seen.names.lock().expect("names").0.len(), Seen::LENGTH);
    }
}
