//! Receives Meta's events: answers the handshake, checks each signature over the raw body, and
//! answers 200 once the event was written out or forwarded.
//!
//! Anything that can reach it can send it anything. So bodies have limits on size and time, each
//! and together, and so do events that wait to be written out: past that limit Meta is told to
//! retry (503), and no event is lost.

mod body;
mod handshakes;
mod refusal;
mod signer;

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use self::body::Bodies;
use self::handshakes::Gate;
pub use self::handshakes::VerifyTokens;
pub use self::refusal::{Refusal, Refusals};
use self::signer::Signers;
use super::challenge::Handshake;
use super::event::{Event, events};
use super::signature::{HEADER_1, HEADER_256, Signature};
use crate::json;
use crate::secrets::Secret;
use crate::serve::Connection;

/// The most bytes of bodies that may wait to be processed.
const WAITING: usize = 64 * 1024 * 1024;
/// The time limit for writing out an event: Meta waits about 5 s, then sends it again.
const ANSWER_TIME: Duration = Duration::from_secs(4);

/// An account whose events are accepted.
#[derive(Clone, Debug)]
pub struct Subscriber {
    pub page_id: String,
    /// The secret of its app.
    pub app_secret: Secret,
}

/// A notification with a valid signature, not answered yet.
#[derive(Debug)]
pub struct Notification {
    /// The bytes that were signed.
    pub body: Bytes,
    /// Both signature headers as they came, for forwarding.
    pub signatures: Vec<(&'static str, String)>,
    /// The Pages of the app that signed it.
    pub pages: Vec<String>,
    pub answer: Answer,
    /// Its share of the memory for waiting events; keep it as long as any part of it waits.
    pub waiting: Arc<OwnedSemaphorePermit>,
}

impl Notification {
    /// Its events. Parsed anew each time and not kept: they may be many times as large as the
    /// bytes.
    pub fn events(&self) -> Vec<Event> {
        events(&json::read(&self.body))
    }
}

/// The answer to a notification: 200 once one of its copies reports it safe, 503 when all copies
/// are dropped.
#[derive(Clone, Debug)]
pub struct Answer(Arc<Mutex<Option<oneshot::Sender<()>>>>);

impl Answer {
    /// It was written out or forwarded: Meta need not resend it.
    pub fn is_safe(&self) {
        if let Some(answer) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // The client may have disconnected in the meantime: it sends the event again.
            let _ = answer.send(());
        }
    }

    /// It was not saved and will not be: Meta must resend it.
    pub fn is_lost(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// The channels to and from the listener.
pub struct Heard {
    /// Events with a valid signature.
    pub notifications: mpsc::UnboundedReceiver<Notification>,
    pub refusals: Arc<Refusals>,
    /// A signal for each handshake that was answered with its challenge.
    pub handshakes: mpsc::Receiver<()>,
    /// Sets the valid verify tokens.
    pub verify_tokens: VerifyTokens,
    /// A signal when a handshake used an unknown token.
    pub unknown_tokens: mpsc::Receiver<()>,
}

struct Shared {
    path: String,
    signers: Signers,
    gate: Gate,
    handshakes: mpsc::Sender<()>,
    refusals: Arc<Refusals>,
    notifications: mpsc::UnboundedSender<Notification>,
    bodies: Bodies,
    waiting: Arc<Semaphore>,
}

/// A receiver at `path`, and its channels. Past 64 MiB of unanswered events, Meta is told to
/// retry.
pub fn receiver(path: &str, subscribers: Vec<Subscriber>) -> (Router, Heard) {
    let (handshakes, shaken) = mpsc::channel(16);
    let (notifications, heard) = mpsc::unbounded_channel();
    let (gate, verify_tokens, unknown_tokens) = Gate::new();
    let refusals = Arc::new(Refusals::default());
    let shared = Shared {
        path: path.into(),
        signers: Signers::new(subscribers),
        gate,
        handshakes,
        refusals: refusals.clone(),
        notifications,
        bodies: Bodies::default(),
        waiting: Arc::new(Semaphore::new(WAITING)),
    };
    let router = Router::new().fallback(handle).with_state(Arc::new(shared));
    (router, Heard { notifications: heard, refusals, handshakes: shaken, verify_tokens, unknown_tokens })
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    // Until the signature is verified, the connection may be closed for another one.
    let connection = request.extensions().get::<Connection>().cloned();
    if let Some(connection) = &connection {
        connection.is_of_a_stranger();
    }
    if request.uri().path() != shared.path {
        return refuse(&shared, Refusal::OtherPath);
    }
    let done = match *request.method() {
        Method::GET => handshake(&shared, request.uri().query().unwrap_or_default()).await,
        Method::POST => event(&shared, request, connection).await,
        _ => Err(Refusal::OtherMethod),
    };
    done.unwrap_or_else(|refusal| refuse(&shared, refusal))
}

async fn handshake(shared: &Shared, query: &str) -> Result<Response, Refusal> {
    let asked = Handshake::read(query).map_err(Refusal::NoHandshake)?;
    if !shared.gate.is_right(&asked).await {
        return Err(Refusal::WrongToken);
    }
    // Nothing waits for the line on the screen.
    let _ = shared.handshakes.try_send(());
    Ok(plain(StatusCode::OK, asked.challenge))
}

async fn event(shared: &Shared, request: Request, connection: Option<Connection>) -> Result<Response, Refusal> {
    let (head, body) = request.into_parts();
    let header = |name| head.headers.get(name).map(axum::http::HeaderValue::as_bytes);
    let signature = Signature::read(header(HEADER_256), header(HEADER_1));
    // Without a signature the body is not even read.
    let signature = signature.map_err(Refusal::Signature)?;
    let body = shared.bodies.read(&head.headers, body).await?;
    let pages = shared.signers.pages(&signature, &body).map_err(Refusal::Signature)?;
    if let Some(connection) = &connection {
        connection.is_trusted();
    }
    let size = u32::try_from(body.len()).unwrap_or(u32::MAX).max(1);
    let waiting = shared.waiting.clone().try_acquire_many_owned(size).map_err(|_| Refusal::Busy)?;
    let signatures = [HEADER_256, HEADER_1].into_iter().filter_map(|name| {
        let value = head.headers.get(name)?.to_str().ok()?;
        Some((name, value.to_owned()))
    });
    let (answer, safe) = oneshot::channel();
    let answer = Answer(Arc::new(Mutex::new(Some(answer))));
    let notification =
        Notification { body, signatures: signatures.collect(), pages, answer, waiting: Arc::new(waiting) };
    // The receiving end is gone: the process is ending.
    shared.notifications.send(notification).map_err(|_| Refusal::Busy)?;
    match tokio::time::timeout(ANSWER_TIME, safe).await {
        Ok(Ok(())) => Ok(plain(StatusCode::OK, "EVENT_RECEIVED".into())),
        Ok(Err(_)) | Err(_) => Err(Refusal::NotWritten),
    }
}

fn refuse(shared: &Shared, refusal: Refusal) -> Response {
    shared.refusals.add(refusal);
    let mut response = plain(refusal.status(), refusal.to_string());
    let (name, value) = match refusal {
        Refusal::OtherMethod => (header::ALLOW, "GET, POST"),
        Refusal::Busy | Refusal::NotWritten => (header::RETRY_AFTER, "5"),
        // The rest of the body is not read.
        Refusal::TooLarge | Refusal::TooSlow => (header::CONNECTION, "close"),
        _ => return response,
    };
    response.headers_mut().insert(name, header::HeaderValue::from_static(value));
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

/// Remembers events: Meta delivers some more than once.
#[derive(Default)]
pub struct Seen {
    names: HashSet<String>,
    /// Oldest first.
    order: VecDeque<String>,
}

impl Seen {
    /// The most events to remember.
    const LENGTH: usize = 20_000;

    /// Whether this event is new; remembers it.
    pub fn is_new(&mut self, name: &str) -> bool {
        if !self.names.insert(name.to_owned()) {
            return false;
        }
        self.order.push_back(name.to_owned());
        if self.order.len() > Self::LENGTH
            && let Some(oldest) = self.order.pop_front()
        {
            self.names.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_known_and_the_oldest_forgotten() {
        let mut seen = Seen::default();
        assert!(seen.is_new("a") && !seen.is_new("a"));
        for number in 0..Seen::LENGTH {
            seen.is_new(&number.to_string());
        }
        assert!(seen.is_new("a"));
        assert_eq!(seen.names.len(), Seen::LENGTH);
    }
}
