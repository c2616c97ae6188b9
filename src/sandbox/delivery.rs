//! Delivers events to the callbacks: signed, in Graph's escaped form, in order for each Page,
//! retried a few times and then given up (webhook/FACTS.md, "Signatures" and "Answer time and
//! retries").

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::{mpsc, oneshot};

use super::answer::escaped;
use super::callback::{self, Callbacks};
use super::events::{Event, hearers, subscribed};
use super::journal::{self, Entry, Parameter, shown_url};
use super::shared::SharedWorld;
use super::world::World;
use crate::http::{Body, Method, Request, Url, header};
use crate::webhook::signature;

/// Meta's `User-Agent` for deliveries.
const AGENT: &str = "facebookexternalua";
/// How long a callback may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pauses before the three retries. Meta's last is longer than a user here would wait.
const AGAIN_AFTER: [Duration; 3] = [Duration::ZERO, Duration::from_millis(200), Duration::from_secs(1)];
/// The most events that wait for a callback, for each Page; later ones are dropped.
const WAITING: usize = 1_000;
/// A callback that fails for this long loses its Page.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// An event for one app, ready to send.
pub(super) struct Parcel {
    page_id: String,
    app_id: String,
    field: &'static str,
    callback_url: String,
    body: Vec<u8>,
    signatures: (String, String),
    told: Vec<Parameter>,
    first_try: Option<oneshot::Sender<Tried>>,
}

/// The result of the first try.
pub(super) struct Tried {
    pub callback_url: String,
    /// Whether it was sent or the callback could not be reached; otherwise it is not retried.
    pub sent: bool,
    /// The status, or why there is none.
    pub result: Result<u16, String>,
}

impl Parcel {
    /// Reports the result of the first try.
    pub fn watched(&mut self) -> oneshot::Receiver<Tried> {
        let (tell, told) = oneshot::channel();
        self.first_try = Some(tell);
        told
    }
}

/// An event for each app that receives it; the error says why no app does.
pub(super) fn parcels(world: &World, event: &Event) -> Result<Vec<Parcel>, String> {
    let parcel = |hearer: super::events::Hearer| {
        let body = escaped(&event.envelope(world.clock.now().as_millisecond(), hearer.standby)).into_bytes();
        let secret = world.app(&hearer.app_id).map(|app| app.secret.clone()).unwrap_or_default();
        Parcel {
            signatures: signature::sign(&body, secret.as_bytes()),
            page_id: event.page_id.clone(),
            app_id: hearer.app_id,
            field: hearer.field,
            callback_url: hearer.callback_url,
            told: told(world, event),
            body,
            first_try: None,
        }
    };
    Ok(hearers(world, event)?.into_iter().map(parcel).collect())
}

/// Logs a person's action that no app was told of.
pub(super) fn note_unheard(world: &mut World, event: &Event, reason: &str) {
    let path = format!("-> not sent ({})", event.field());
    let entry = Entry::of_sandbox(world, "POST", path, told(world, event), Err(reason.into()));
    world.journal.add(entry);
}

/// The journal's details of an event: the person and the action.
fn told(world: &World, event: &Event) -> Vec<Parameter> {
    let mut told = Vec::new();
    let mut add = |name: &str, value: String| {
        told.push(Parameter { name: name.into(), value: journal::shown(world, name, &value) });
    };
    if let Some(psid) = &event.psid {
        let name = world.person(&event.page_id, psid).map_or(psid.as_str(), |person| person.name.as_str());
        let by_page = event.item["sender"]["id"] == event.page_id.as_str();
        add(if by_page { "to" } else { "from" }, name.into());
    }
    let known = ["sender", "recipient", "timestamp"];
    for (name, value) in
        event.item.as_object().into_iter().flatten().filter(|(name, _)| !known.contains(&name.as_str()))
    {
        match value.get("text").and_then(serde_json::Value::as_str) {
            Some(text) => add("text", text.into()),
            None => add(name, value.to_string()),
        }
    }
    told
}

/// The queues, one for each app and Page, so that events keep their order and no app delays
/// another.
pub(super) struct Courier {
    queues: Mutex<HashMap<(String, String), mpsc::Sender<Parcel>>>,
    callbacks: Callbacks,
}

impl Default for Courier {
    fn default() -> Self {
        Self { queues: Mutex::default(), callbacks: Callbacks::new(PATIENCE) }
    }
}

impl SharedWorld {
    /// Queues parcels. Needs the runtime and the locked world, so that events are queued in the
    /// order in which they happen.
    pub(super) fn dispatch(&self, held: &mut World, parcels: Vec<Parcel>) {
        let mut queues = self.courier().queues.lock().unwrap_or_else(PoisonError::into_inner);
        for parcel in parcels {
            let key = (parcel.app_id.clone(), parcel.page_id.clone());
            let queue = queues.entry(key).or_insert_with(|| {
                let (queue, mut waiting) = mpsc::channel(WAITING);
                let world = self.clone();
                tokio::spawn(async move {
                    while let Some(parcel) = waiting.recv().await {
                        deliver(&world, parcel).await;
                    }
                });
                queue
            });
            // The receiver ends only with the runtime.
            if let Err(mpsc::error::TrySendError::Full(mut parcel)) = queue.try_send(parcel) {
                parcel.given_up(held, format!("dropped: {WAITING} events wait for this callback already"));
            }
        }
    }
}

async fn deliver(world: &SharedWorld, mut parcel: Parcel) {
    let waits = std::iter::once(None).chain(AGAIN_AFTER.into_iter().map(Some));
    let last = AGAIN_AFTER.len();
    for (at, wait) in waits.enumerate() {
        if let Some(wait) = wait {
            tokio::time::sleep(wait).await;
        }
        let url = {
            let mut world = world.lock();
            match destination(&world, &parcel) {
                Ok(url) => url,
                Err(reason) => {
                    parcel.given_up(&mut world, reason);
                    return;
                }
            }
        };
        let result = try_once(&world.courier().callbacks, &url, &parcel).await;
        let mut world = world.lock();
        let mut entry = callback::entry(&world, "POST", &url, parcel.field, parcel.told.clone(), result.clone());
        if let Some(wait) = wait {
            entry.note = Some(match entry.note {
                Some(note) => format!("{note}; tried again after {} ms", wait.as_millis()),
                None => format!("tried again after {} ms", wait.as_millis()),
            });
        }
        world.journal.add(entry);
        let arrived = result == Ok(200);
        if let Some(tell) = parcel.first_try.take() {
            // The caller may have stopped waiting.
            let _ = tell.send(Tried { callback_url: url.into(), sent: true, result });
        }
        if arrived {
            world.failing_since.remove(&(parcel.app_id, parcel.page_id));
            return;
        }
        if at == last {
            world.note_failure(&parcel.app_id, &parcel.page_id);
        }
    }
}

impl Parcel {
    /// Logs why it is not sent, and tells the waiting caller.
    fn given_up(&mut self, world: &mut World, reason: String) {
        let shown = Url::parse(&self.callback_url).map(|url| shown_url(&url)).unwrap_or_default();
        let path = format!("-> {shown} ({})", self.field);
        let entry = Entry::of_sandbox(world, "POST", path, self.told.clone(), Err(reason.clone()));
        world.journal.add(entry);
        if let Some(tell) = self.first_try.take() {
            // The caller may have stopped waiting.
            let _ = tell.send(Tried { callback_url: self.callback_url.clone(), sent: false, result: Err(reason) });
        }
    }
}

/// The current destination: while the parcel waited, the app may have moved or unsubscribed.
fn destination(world: &World, parcel: &Parcel) -> Result<Url, String> {
    let callback_url = subscribed(world, &parcel.app_id, &parcel.page_id, parcel.field)?;
    let url = Url::parse(callback_url).map_err(|_| "the callback has no address".to_owned())?;
    if crate::address::is_loopback(&url) { Ok(url) } else { Err(ELSEWHERE.into()) }
}

/// Why nothing is sent to a callback on another machine.
const ELSEWHERE: &str = "this sandbox sends nothing outside this machine";

async fn try_once(callbacks: &Callbacks, url: &Url, parcel: &Parcel) -> Result<u16, String> {
    let text = |text: &str| header::HeaderValue::from_str(text).unwrap_or(header::HeaderValue::from_static(""));
    let request = Request {
        method: Method::POST,
        url: url.clone(),
        authorization: None,
        headers: vec![
            (header::CONTENT_TYPE, text("application/json")),
            (header::USER_AGENT, text(AGENT)),
            (header::HeaderName::from_static(signature::HEADER_1), text(&parcel.signatures.1)),
            (header::HeaderName::from_static(signature::HEADER_256), text(&parcel.signatures.0)),
        ],
        body: Body::Raw(parcel.body.clone()),
    };
    callbacks.send(request).await.map(|answer| answer.status).map_err(|fault| fault.to_string())
}

impl World {
    /// A callback that has failed for an hour of sandbox time loses the Page.
    fn note_failure(&mut self, app_id: &str, page_id: &str) {
        let key = (app_id.to_owned(), page_id.to_owned());
        let now = self.clock.now();
        let since = *self.failing_since.entry(key.clone()).or_insert(now);
        if now.duration_since(since) >= GIVEN_UP_AFTER {
            self.failing_since.remove(&key);
            if let Some(page) = self.page_mut(page_id) {
                page.subscribed.remove(app_id);
            }
            let why = format!("the callback failed for an hour: app {app_id} is no longer subscribed");
            let path = format!("-> /{page_id}/subscribed_apps");
            let entry = Entry::of_sandbox(self, "DELETE", path, Vec::new(), Err(why));
            self.journal.add(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn an_hour_of_failures_takes_the_page_away() {
        let mut world = World::new(Clock::at(jiff::Timestamp::UNIX_EPOCH));
        let (app, page) = (world.apps[0].id.clone(), world.pages[0].id.clone());
        world.note_failure(&app, &page);
        world.clock.advance(SignedDuration::from_mins(59));
        world.note_failure(&app, &page);
        assert!(!world.pages[0].subscribed.is_empty());
        world.clock.advance(SignedDuration::from_mins(1));
        world.note_failure(&app, &page);
        assert!(world.pages[0].subscribed.is_empty());
    }
}
