//! Durations in a user's notation.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::{Deserialize, Deserializer};

/// A duration in a user's notation: `100ms`, `2h`, `10d`, `-1d`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Length(pub(super) SignedDuration);

impl TryFrom<String> for Length {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let length = text.parse().and_then(|span: Span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
        length.map(Self).map_err(|_| format!("'{text}' is not a length of time, such as 100ms, 2h or 10d"))
    }
}

/// A waiting time; zero for a negative duration.
pub(super) fn wait<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    Ok(Some(Length::deserialize(deserializer)?.0.try_into().unwrap_or_default()))
}
