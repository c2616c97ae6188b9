//! The right to change a tenant in a shared state: not in a place that the records left, and
//! given back whatever ends the command.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::reporter::Hold;
use super::{Error, Origin};
use crate::checks::causes;
use crate::storage::names::{self, FILES};
use crate::storage::{Held, Storage};

/// The place that the records were moved away to.
#[derive(Debug, Serialize, Deserialize)]
pub struct MovedAway {
    pub to: String,
    pub user: String,
    pub host: String,
    pub at: Timestamp,
}

impl MovedAway {
    /// As it is written.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| unreachable!("it is JSON: {error}"))
    }
}

/// Refuses a change in a place that the records were moved away from: it would be lost. `setting`
/// is what names the place.
pub fn refuse_moved(setting: Option<&Origin>, storage: &dyn Storage) -> Result<(), Error> {
    let Some(text) = storage.read(names::MOVED)? else { return Ok(()) };
    let moved: Option<MovedAway> = serde_json::from_str(&text).ok();
    let to = moved.as_ref().map_or("another place", |moved| moved.to.as_str());
    let by = moved.as_ref().map(|moved| format!(" by {} on {} at {}", moved.user, moved.host, moved.at));
    let error = Error::failed(format!("the records were moved to {to}{}; nothing was changed", by.unwrap_or_default()))
        .reason(causes::STATE_MOVED.id);
    Err(match (setting, to) {
        (_, "another place" | FILES) => error.hint("ask who moved them where they are"),
        (Some(Origin::Variable(name)), to) => error.hint(format!("set {name} to '{to}'")),
        (_, to) => error.hint(format!("to go on there: msgrctl config set state '{to}'")),
    })
}

/// A lock that an interrupt waits for.
struct HeldToTheEnd {
    _held: Box<dyn Held>,
    _hold: Box<dyn Hold>,
}

impl std::fmt::Debug for HeldToTheEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HeldToTheEnd")
    }
}

impl Held for HeldToTheEnd {}

/// The same lock, which is given back before an interrupt ends the process: one on a server does
/// not go with it.
pub fn to_the_end(held: Box<dyn Held>, interrupt: Box<dyn Hold>) -> Box<dyn Held> {
    Box::new(HeldToTheEnd { _held: held, _hold: interrupt })
}
