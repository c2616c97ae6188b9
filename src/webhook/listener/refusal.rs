//! What the listener refuses, and how often it did.

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
    /// 400: the connection ended in the middle.
    #[error("the body broke off")]
    BrokenOff,
    /// 503: Meta will come again.
    #[error("too many events are waiting; Meta was asked to send it again")]
    Busy,
    /// 503: Meta will come again.
    #[error("an event could not be written out in time; Meta was asked to send it again")]
    NotWritten,
    #[error("a handshake with a wrong verify token")]
    WrongToken,
    /// 400: not a handshake.
    #[error("no handshake: {0}")]
    NoHandshake(NoHandshake),
    #[error("a request for another path")]
    OtherPath,
    #[error("a request that is neither GET nor POST")]
    OtherMethod,
}

impl Refusal {
    /// What it is answered with.
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

/// Counts refusals: any stranger can cause them, so they are counted where they happen and
/// shown at the pace of the screen.
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

    /// How many of each reason there were so far.
    pub fn counts(&self) -> BTreeMap<Refusal, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ready when there was another one since the last time.
    pub async fn more(&self) {
        self.news.notified().await;
    }
}
