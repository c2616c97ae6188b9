//! What the listener refuses, and how often.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;
use tokio::sync::Notify;

use crate::webhook::challenge::NoHandshake;
use crate::webhook::signature::SignatureError;

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Signature(SignatureError),
    #[error("the body is larger than 4 MiB")]
    TooLarge,
    #[error("the body did not arrive within 10 s")]
    TooSlow,
    /// 400: the connection ended early.
    #[error("the body broke off")]
    BrokenOff,
    /// 503: Meta will retry.
    #[error("too many events are waiting; Meta was asked to send it again")]
    Busy,
    /// 503: Meta will retry.
    #[error("an event could not be written out in time; Meta was asked to send it again")]
    NotWritten,
    #[error("a handshake with a wrong verify token")]
    WrongToken,
    /// 400: not a handshake.
    #[error("not a handshake: {0}")]
    NoHandshake(NoHandshake),
    #[error("a request for another path")]
    OtherPath,
    #[error("a request that is neither GET nor POST")]
    OtherMethod,
}

impl Refusal {
    /// The HTTP status.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Signature(_) | Self::WrongToken => StatusCode::FORBIDDEN,
            Self::BrokenOff | Self::NoHandshake(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy | Self::NotWritten => StatusCode::SERVICE_UNAVAILABLE,
            Self::OtherPath => StatusCode::NOT_FOUND,
            Self::OtherMethod => StatusCode::METHOD_NOT_ALLOWED,
        }
    }
}

/// Counts refusals. Any stranger can cause them, so they are counted at once and shown at the
/// screen's pace.
#[derive(Debug, Default)]
pub struct Refusals {
    counts: Mutex<BTreeMap<Refusal, u64>>,
    news: Notify,
}

impl Refusals {
    pub(super) fn add(&self, refusal: Refusal) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(refusal).or_default() += 1;
        self.news.notify_one();
    }

    /// The count of each reason so far.
    pub fn counts(&self) -> BTreeMap<Refusal, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ready when there has been another one.
    pub async fn more(&self) {
        self.news.notified().await;
    }
}
