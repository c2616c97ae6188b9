//! Collects concurrent calls and sends them to Graph in batches.
//!
//! Callers do not notice: a call made while [`Queue::run`] runs waits here until 50 have
//! gathered or no more arrive. Each call keeps its own token and proof. A call that Graph did
//! not finish, or that met trouble, is retried in a later batch. A batch whose answer is broken
//! as a whole is split in halves, so that only the call that breaks it fails.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use backon::Retryable as _;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use serde::de::IgnoredAny;
use tokio::sync::{Notify, oneshot};

use super::error::{ApiError, GraphError, Unreachable};
use super::pace::Pace;
use super::{Authority, Client, GraphRequest, Verb, retry, wire};
use crate::http;

/// The most operations of a batch.
const MOST: usize = 50;
/// A smaller batch is sent once no call has arrived for this long, unless callers have more time.
const QUIET: Duration = Duration::from_millis(3);
/// How often a call is sent in all, and the pause between tries.
const TRIES: u32 = 3;
const BETWEEN: Duration = Duration::from_millis(300);

type Reply = Result<Rc<http::Response>, GraphError>;

/// The calls that wait to be sent.
#[derive(Default)]
pub(super) struct Queue {
    open: Cell<bool>,
    waiting: RefCell<VecDeque<Waiting>>,
    grew: Notify,
    /// How much longer than [`QUIET`] a batch that is not full waits for more calls.
    patience: Cell<Duration>,
    pace: RefCell<Pace>,
    /// A token that Graph has accepted in this run.
    taken: RefCell<Option<Authority>>,
}

/// A call, and the callers that wait for it.
struct Waiting {
    request: GraphRequest,
    tries: u32,
    not_before: Option<Instant>,
    /// Several callers where they asked for the same.
    askers: Vec<oneshot::Sender<Reply>>,
}

impl Waiting {
    fn is_ready(&self, now: Instant) -> bool {
        self.not_before.is_none_or(|at| at <= now)
    }

    fn answer(self, reply: &Reply) {
        for asker in self.askers {
            // A caller that stopped waiting needs no answer.
            let _ = asker.send(reply.clone());
        }
    }
}

impl Queue {
    /// Whether a call may join a batch. Changes to an app may not: Meta asks the callback before
    /// it answers, which takes longer than a batch has. Acts that are not repeatable may not
    /// either: a `null` would leave open whether they happened.
    pub fn takes(&self, request: &GraphRequest) -> bool {
        let of_token = matches!(request.authority, Authority::Token { .. });
        let of_app = matches!(request.authority, Authority::App(_));
        let fits = match request.verb {
            Verb::Read => of_token || of_app,
            Verb::Set | Verb::Remove => of_token,
            Verb::Act => false,
        };
        self.open.get() && fits && !request.is_alone
    }

    /// Waits for the answer to a call.
    pub async fn ask(&self, request: &GraphRequest) -> Reply {
        if let Some(error) = self.pace.borrow().refusal(request) {
            return Err(error);
        }
        let (asker, answer) = oneshot::channel();
        self.add(request, asker);
        self.grew.notify_one();
        // The queue is dropped only together with its callers.
        answer.await.unwrap_or(Err(GraphError::Unreachable(Unreachable::Unfinished)))
    }

    fn add(&self, request: &GraphRequest, asker: oneshot::Sender<Reply>) {
        let mut waiting = self.waiting.borrow_mut();
        // Every account of an app asks for the app's webhook: one call answers all.
        if let Some(same) = waiting.iter_mut().find(|other| is_same_read_of_app(&other.request, request)) {
            same.askers.push(asker);
            return;
        }
        let askers = vec![asker];
        waiting.push_back(Waiting { request: request.clone(), tries: 0, not_before: None, askers });
    }

    /// From now on a batch that is not full waits this much longer for more calls.
    pub fn wait_longer(&self, patience: Duration) {
        self.patience.set(patience);
        self.grew.notify_one();
    }

    /// Carries out `work` and sends the calls that it makes in the meantime.
    pub async fn run<T>(&self, client: &Client, work: impl Future<Output = T>) -> T {
        let _open = Open::new(self);
        *self.pace.borrow_mut() = Pace::default();
        let mut work = pin!(work);
        let mut flying = FuturesUnordered::new();
        loop {
            while flying.len() < self.pace.borrow().abreast()
                && let Some(batch) = self.next(MOST)
            {
                flying.push(self.carry(client, batch));
            }
            // Answers lead to more calls: send fewer than 50 only when none can come.
            let wait = if flying.is_empty() { self.until_ready() } else { None };
            tokio::select! {
                biased;
                value = &mut work => return value,
                Some(()) = flying.next(), if !flying.is_empty() => {}
                () = self.grew.notified() => {}
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {
                    if let Some(batch) = self.next(1) {
                        flying.push(self.carry(client, batch));
                    }
                }
            }
        }
    }

    /// A batch of at most 50 calls, once `least` are ready.
    fn next(&self, least: usize) -> Option<Vec<Waiting>> {
        let now = Instant::now();
        let mut waiting = self.waiting.borrow_mut();
        if waiting.iter().filter(|call| call.is_ready(now)).take(least).count() < least {
            return None;
        }
        let mut batch = Vec::new();
        let mut rest = VecDeque::new();
        for call in waiting.drain(..) {
            if batch.len() < MOST && call.is_ready(now) {
                batch.push(call);
            } else {
                rest.push_back(call);
            }
        }
        *waiting = rest;
        Some(batch)
    }

    /// How long to wait for more calls; `None`: no call waits.
    fn until_ready(&self) -> Option<Duration> {
        let now = Instant::now();
        let left = |call: &Waiting| call.not_before.map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        Some(self.waiting.borrow().iter().map(left).min()?.max(QUIET + self.patience.get()))
    }

    /// Sends a batch, split up where its answer is broken.
    async fn carry(&self, client: &Client, batch: Vec<Waiting>) {
        let calls = self.allowed(batch);
        let pause = self.pace.borrow().pause(calls.iter().map(|call| &call.request));
        if !calls.is_empty() && !pause.is_zero() {
            tracing::debug!(pause_ms = pause.as_millis(), "going slower");
            tokio::time::sleep(pause).await;
        }
        let mut parts = vec![calls];
        let mut whole = true;
        while let Some(part) = parts.pop() {
            // Other batches may have hit a limit in the meantime.
            let mut calls = self.allowed(part);
            match self.together(client, &mut calls, whole).await {
                Ok(answers) => self.hand_out(calls, answers),
                // One broken call does not cause an outage page (5xx).
                Err(GraphError::Unreachable(Unreachable::NotGraph { status: 200 }))
                    if calls.len() > 1 && self.pace.borrow_mut().broken() =>
                {
                    let second = calls.split_off(calls.len() / 2);
                    parts.extend([second, calls]);
                    whole = false;
                }
                Err(error) => {
                    if whole {
                        self.pace.borrow_mut().unanswered(&error);
                    }
                    for call in calls {
                        call.answer(&Err(error.clone()));
                    }
                }
            }
        }
    }

    /// The calls that may be sent; the others are answered with the reason.
    fn allowed(&self, calls: Vec<Waiting>) -> Vec<Waiting> {
        let mut allowed = Vec::new();
        for call in calls {
            let refusal = self.pace.borrow().refusal(&call.request);
            match refusal {
                Some(error) => call.answer(&Err(error)),
                None => allowed.push(call),
            }
        }
        allowed
    }

    /// Sends `calls` in one request. A call whose own token makes Graph refuse the whole batch
    /// gets that refusal and is removed; the others are sent again.
    async fn together(
        &self,
        client: &Client,
        calls: &mut Vec<Waiting>,
        again: bool,
    ) -> Result<Vec<Option<http::Response>>, GraphError> {
        loop {
            // Prefer a Page's token: then a problem with an app affects only that app's calls.
            let of_token = |call: &&Waiting| matches!(call.request.authority, Authority::Token { .. });
            let Some(first) = calls.iter().find(of_token).or(calls.first()) else { return Ok(Vec::new()) };
            let taken = self.taken.borrow().clone();
            let speaker = taken.unwrap_or_else(|| first.request.authority.clone());
            let as_app = matches!(speaker, Authority::App(_));
            let writes = calls.iter().any(|call| call.request.verb != Verb::Read);
            let requests: Vec<&GraphRequest> = calls.iter().map(|call| &call.request).collect();
            let once = || async {
                let now = client.clock.unix_seconds();
                let sent = wire::batch(&client.base, client.version, &speaker, requests.iter().copied(), now);
                let response = client.send("/ (batch)", sent, writes).await?;
                let items = wire::items(&response, requests.len(), as_app)?;
                Ok((wire::app_usage(&response.headers), items))
            };
            let tried = once.retry(retry::backoff()).when(|error| again && is_worth_it(error)).await;
            match tried {
                Ok((usage, items)) => {
                    self.note(usage.map(|usage| (&speaker, usage)), calls, &items);
                    return Ok(items);
                }
                Err(GraphError::Refused(error)) if is_of_speaker(&error, as_app) => {
                    // Another batch may have found a better one in the meantime.
                    self.taken.borrow_mut().take_if(|taken| *taken == speaker);
                    for call in calls.extract_if(.., |call| call.request.authority == speaker) {
                        let of_call = wire::of_whole_batch(&call.request, GraphError::Refused(error.clone()));
                        call.answer(&Err(of_call));
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Remembers what an answer says about limits, and a token that works.
    fn note(&self, of_batch: Option<(&Authority, u64)>, calls: &[Waiting], items: &[Option<http::Response>]) {
        let errors: Vec<Option<GraphError>> =
            calls.iter().zip(items).map(|(call, item)| judge(&call.request, item.as_ref()).err()).collect();
        let of_items = calls
            .iter()
            .zip(items)
            .filter_map(|(call, item)| Some((&call.request.authority, wire::app_usage(&item.as_ref()?.headers)?)));
        let ended = calls.iter().map(|call| &call.request).zip(errors.iter().map(Option::as_ref));
        self.pace.borrow_mut().answered(of_batch.into_iter().chain(of_items), ended);
        // That a token inspects itself says nothing: a dead one may too.
        let shows_life = |call: &Waiting| {
            matches!(call.request.authority, Authority::Token { .. }) && call.request.hidden.is_empty()
        };
        let worked = calls.iter().zip(&errors).find(|(call, error)| error.is_none() && shows_life(call));
        if let Some((call, _)) = worked {
            *self.taken.borrow_mut() = Some(call.request.authority.clone());
        }
    }

    /// Delivers each reply; re-queues calls worth retrying.
    fn hand_out(&self, calls: Vec<Waiting>, items: Vec<Option<http::Response>>) {
        for (mut call, item) in calls.into_iter().zip(items) {
            let (method, path) = (wire::method(call.request.verb), call.request.path.as_str());
            tracing::info!(%method, path, status = item.as_ref().map(|item| item.status), "graph, in a batch");
            match judge(&call.request, item.as_ref()) {
                Err(error) if call.tries + 1 < TRIES && is_worth_it(&error) => {
                    call.tries += 1;
                    call.not_before = Some(Instant::now() + BETWEEN * call.tries);
                    tracing::debug!(path = call.request.path, reason = %error.kind(), "trying again");
                    self.waiting.borrow_mut().push_back(call);
                }
                Err(error) => call.answer(&Err(error)),
                Ok(()) => {
                    if let Some(response) = item {
                        call.answer(&Ok(Rc::new(response)));
                    }
                }
            }
        }
    }
}

/// How one operation ended.
fn judge(request: &GraphRequest, item: Option<&http::Response>) -> Result<(), GraphError> {
    let unfinished = GraphError::Unreachable(Unreachable::Unfinished);
    wire::read::<IgnoredAny>(item.ok_or(unfinished)?, wire::is_as_app(request)).map(drop)
}

/// Whether retrying a batch or one of its calls may help. A broken part of an answer is not a
/// login page, and limits are reported, not called into.
fn is_worth_it(error: &GraphError) -> bool {
    match error {
        GraphError::Unreachable(Unreachable::NotGraph { .. }) => true,
        GraphError::Unreachable(Unreachable::Throttled(_)) => false,
        error => retry::is_worth_it(error, false),
    }
}

/// Whether Graph refused a batch because of the token that stands for it (or that token's
/// permissions or proof), and not because of its content or the version.
fn is_of_speaker(error: &ApiError, as_app: bool) -> bool {
    match error.code {
        Some(1 | 101) => as_app,
        Some(10 | 102 | 104 | 190 | 200..=299 | 413 | 415) => true,
        Some(100) => error.kind == "GraphMethodException",
        _ => false,
    }
}

fn is_same_read_of_app(a: &GraphRequest, b: &GraphRequest) -> bool {
    let same_app = matches!((&a.authority, &b.authority), (Authority::App(_), Authority::App(_)));
    let plain = a.verb == Verb::Read && b.verb == Verb::Read && a.hidden.is_empty() && b.hidden.is_empty();
    same_app && plain && a.path == b.path && a.query == b.query && a.authority == b.authority
}

/// While this exists, calls are batched.
struct Open<'q>(&'q Queue);

impl<'q> Open<'q> {
    fn new(queue: &'q Queue) -> Self {
        queue.open.set(true);
        Self(queue)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.set(false);
        self.0.patience.set(Duration::ZERO);
        // No caller waits any more.
        self.0.waiting.borrow_mut().clear();
    }
}
