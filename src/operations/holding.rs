//! The right to change a tenant in a shared state: not in a place that the records left, of which
//! readers are warned, and given back whatever ends the command.

use std::path::Path;
use std::sync::Once;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::reporter::Hold;
use super::{Error, Origin};
use crate::checks::causes;
use crate::files;
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
    let Some((moved, hint)) = moved(setting, storage)? else { return Ok(()) };
    Err(Error::failed(format!("{moved}; nothing was changed")).reason(causes::STATE_MOVED.id).hint(hint))
}

/// Where the records were moved to, and how to go on there; `None` where they are here.
pub fn moved(setting: Option<&Origin>, storage: &dyn Storage) -> Result<Option<(String, String)>, Error> {
    let Some(text) = storage.read(names::MOVED)? else { return Ok(None) };
    let moved: Option<MovedAway> = serde_json::from_str(&text).ok();
    let where_to = moved.as_ref().map_or_else(
        || "another place".into(),
        |MovedAway { to, user, host, at }| format!("{to} by {user} on {host} at {at}"),
    );
    // It was written by another machine, and is shown in a command to paste.
    let is_plain =
        |to: &String| to.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/.,?=&-_+@%[]".contains(&byte));
    let hint = match (setting, moved.map(|moved| moved.to).filter(|to| to != FILES && is_plain(to))) {
        (_, None) => "ask who moved them where they are".into(),
        (Some(Origin::Variable(name)), Some(to)) => format!("set {name} to '{to}'"),
        (_, Some(to)) => format!("to go on there: msgrctl config set state '{to}'"),
    };
    Ok(Some((format!("the records were moved to {where_to}"), hint)))
}

/// What to say of accounts that were read from `storage`, where they are old.
pub fn old(setting: Option<&Origin>, storage: &dyn Storage) -> Option<String> {
    // A place that does not answer any more says nothing of itself.
    let (moved, hint) = moved(setting, storage).ok()??;
    Some(format!("{moved}; what was read here is old; {hint}"))
}

/// Warns once if root writes into another user's configuration, who then cannot read the files.
pub fn warn_of_owner(root: &Path, warn: impl FnOnce(&str)) {
    static SAID: Once = Once::new();
    if let Some(owner) = files::other_than_root(root) {
        SAID.call_once(|| {
            warn(&format!(
                "running as root in {}, which belongs to {owner}: files made now belong to root; run msgrctl as {owner} instead (sudo -H -u USER msgrctl …)",
                root.display()
            ));
        });
    }
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
