//! Watching: rounds of tests, what is measured of them, and notices of what changed.

mod decide;
mod deliver;
mod expose;
mod mail;
pub mod metrics;
mod renew;
mod round;
mod send;
mod shape;
mod targets;
mod words;

pub use expose::Exposed;
pub use round::{Round, Watch};
use send::Sender;
pub use targets::Table;
use targets::Target;
pub use words::title;

use std::path::Path;
use std::time::Duration;

use super::{Error, Workspace};
use crate::files::{self, FileError, Lock};

/// The right to watch this state: one process at a time has it.
///
/// # Errors
///
/// Another watch runs.
pub fn one_at_a_time(workspace: &Workspace) -> Result<Lock, Error> {
    let path = workspace.settings()?.paths.watch_file();
    match Lock::acquire(&path, Duration::ZERO, &|_| {}) {
        Err(FileError::Busy { .. }) => {
            Err(Error::failed("another watch runs on this configuration, for its tenant or for all")
                .hint("one at a time does it; to see what was found: msgrctl status --all-tenants"))
        }
        lock => Ok(lock?),
    }
}

/// Writes metrics for a node exporter: whole, and readable for its user.
///
/// # Errors
///
/// The file cannot be written.
pub fn write_metrics(path: &Path, metrics: &str) -> Result<(), Error> {
    Ok(files::write_public(path, metrics.as_bytes())?)
}

#[cfg(test)]
fn sample(event: crate::state::Event) -> crate::state::Notice {
    let time = |text: &str| text.parse().expect("a time");
    crate::state::Notice {
        schema_version: 1,
        id: "7f9c24e8-0000-4000-8000-000000000000".into(),
        event,
        at: time("2026-11-29T10:00:00Z"),
        accounts: vec![crate::state::Concerned {
            tenant: "default".into(),
            account: "acme".into(),
            page_id: "109876543210987".into(),
            check: Some(crate::checks::ids::TOKEN_VALID.into()),
            cause: Some("expired".into()),
            summary: "the token has expired".into(),
            hint: Some("take a new token; then: msgrctl account edit acme --token-stdin --yes".into()),
            since: time("2026-11-29T09:00:00Z"),
            ends_at: None,
        }],
    }
}
