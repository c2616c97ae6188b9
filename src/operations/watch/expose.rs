//! `/metrics` and `/healthz`, from what was kept: a scrape asks Graph nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

/// What is exposed, filled after each round.
#[derive(Clone, Default)]
pub struct Exposed(Arc<Mutex<Content>>);

#[derive(Default)]
struct Content {
    metrics: String,
    /// When the next round should have ended at the latest; `None` before the first.
    due: Option<Instant>,
}

impl Exposed {
    /// Takes what is known now. `patience`: how long until it is old; `None` leaves that as it is.
    pub fn set(&self, metrics: String, patience: Option<Duration>) {
        let mut content = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        content.metrics = metrics;
        content.due = patience.map(|patience| Instant::now() + patience).or(content.due);
    }

    /// What answers.
    pub fn router(&self) -> Router {
        Router::new().route("/metrics", get(metrics)).route("/healthz", get(healthz)).with_state(self.clone())
    }
}

async fn metrics(State(exposed): State<Exposed>) -> impl IntoResponse {
    let metrics = exposed.0.lock().unwrap_or_else(PoisonError::into_inner).metrics.clone();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics)
}

async fn healthz(State(exposed): State<Exposed>) -> impl IntoResponse {
    let due = exposed.0.lock().unwrap_or_else(PoisonError::into_inner).due;
    match due {
        Some(due) if Instant::now() <= due => (StatusCode::OK, "ok\n"),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "the last round is overdue\n"),
        None => (StatusCode::SERVICE_UNAVAILABLE, "the first round is not over yet\n"),
    }
}
