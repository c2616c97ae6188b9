//! Sends calls to Graph, one by one or in batches.

use std::future::Future;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use backon::Retryable as _;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;

use super::batch::Queue;
use super::error::{GraphError, HeldBack, Unreachable};
use super::{BaseUrl, GraphRequest, GraphVersion, Verb, retry, wire};
use crate::clock::Clock;
use crate::http::{self, Method, Request, Response, SetupError, Url};

/// Graph's answer, and the version that answered.
#[derive(Debug)]
pub struct Answer<T> {
    pub value: T,
    /// `facebook-api-version`: an expired version is served by the next one
    /// without an error (graph/FACTS.md, "Versions").
    pub version: Option<GraphVersion>,
}

/// A client of one Graph. It connects on the first call.
pub struct Client {
    pub(super) base: BaseUrl,
    pub(super) version: GraphVersion,
    pub(super) clock: Clock,
    settings: http::Settings,
    http: OnceLock<http::Client>,
    queue: Queue,
    sent: AtomicU64,
    gate: Option<Gate>,
}

/// Says before each request that changes something why it must not be sent any more.
pub type Gate = Box<dyn Fn() -> LocalBoxFuture<'static, Result<(), HeldBack>>>;

impl Client {
    /// A client that calls `base` in `version`.
    pub fn new(base: BaseUrl, version: GraphVersion, clock: Clock, settings: http::Settings) -> Self {
        let (http, queue, sent) = (OnceLock::new(), Queue::default(), AtomicU64::new(0));
        Self { base, version, clock, settings, http, queue, sent, gate: None }
    }

    /// The same client, which asks `gate` before each request that changes something.
    #[must_use]
    pub fn with_gate(self, gate: Gate) -> Self {
        Self { gate: Some(gate), ..self }
    }

    /// The version that calls ask for.
    pub fn version(&self) -> GraphVersion {
        self.version
    }

    /// The address of the login dialog.
    pub fn dialog(&self) -> Url {
        self.base.dialog(self.version)
    }

    /// The time that this client uses for signatures.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Builds the HTTP client now, so that problems with certificates or a proxy variable show
    /// before the first call.
    pub fn prepare(&self) -> Result<(), SetupError> {
        if self.http.get().is_none() {
            let client = http::Client::new(&self.settings)?;
            // Another thread may have been first; either client will do.
            let _ = self.http.set(client);
        }
        Ok(())
    }

    /// Makes a call, retries where that can help, and reads the answer as `T`.
    pub async fn call<T: DeserializeOwned>(&self, request: &GraphRequest) -> Result<Answer<T>, GraphError> {
        let as_app = wire::is_as_app(request);
        if self.queue.takes(request) {
            return wire::read(&*self.queue.ask(request).await?, as_app);
        }
        let once = || async {
            let sent = wire::sent(&self.base, self.version, request, self.clock.unix_seconds());
            let response = self.send(&request.path, sent, request.verb != Verb::Read).await?;
            if !wire::hides_in_body(request) {
                return wire::read(&response, as_app);
            }
            let items = wire::items(&response, 1, as_app).map_err(|error| wire::of_whole_batch(request, error))?;
            let unfinished = GraphError::Unreachable(Unreachable::Unfinished);
            wire::read(&items.into_iter().flatten().next().ok_or(unfinished)?, as_app)
        };
        let pauses = retry::Pauses::default();
        once.retry(retry::backoff())
            .when(|error| retry::is_worth_it(error, !request.verb.is_repeatable()))
            .notify(|error, delay| {
                tracing::debug!(path = request.path, delay_ms = delay.as_millis(), reason = %error.kind(), "trying again");
            })
            .adjust(|error, delay| pauses.before_next(error, delay))
            .await
    }

    /// Carries out `work`, and sends the calls that it makes at the same time in batches of up
    /// to 50 (graph/FACTS.md, "Several calls in one"). Each call has its own token, answer and
    /// failure; callers notice no difference.
    pub async fn in_batches<T>(&self, work: impl Future<Output = T>) -> T {
        self.queue.run(self, work).await
    }

    /// Within [`Client::in_batches`]: from now on a batch that is not full waits this much longer
    /// for more calls.
    pub fn wait_longer(&self, patience: Duration) {
        self.queue.wait_longer(patience);
    }

    /// The requests that this client has sent; a batch is one.
    pub fn requests(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Sends one request. `path` is for the log; `writes` says that it changes something.
    pub(super) async fn send(&self, path: &str, request: Request, writes: bool) -> Result<Response, GraphError> {
        if let Some(gate) = self.gate.as_ref().filter(|_| writes) {
            gate().await.map_err(|why| GraphError::Unreachable(Unreachable::HeldBack(why)))?;
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        let start = Instant::now();
        let method: Method = request.method.clone();
        let unreachable = |fault, way| GraphError::Unreachable(Unreachable::Fault { fault, way });
        let Some(http) = self.http.get() else {
            // `prepare` was not called, or failed: report it as no network.
            return Err(unreachable(http::Fault::Connect, http::Way::Direct));
        };
        let url = request.url.clone();
        let sent = http.send(request).await;
        let ms = start.elapsed().as_millis();
        match &sent {
            Ok(response) => {
                tracing::info!(%method, path, status = response.status, ms, "graph");
                tracing::trace!(
                    version = wire::header(&response.headers, "facebook-api-version"),
                    trace_id = wire::header(&response.headers, "x-fb-trace-id"),
                    "graph headers"
                );
            }
            Err(fault) => tracing::info!(%method, path, %fault, ms, "graph"),
        }
        sent.map_err(|fault| unreachable(fault, http.way(&url)))
    }
}
