//! Where records are kept: accounts, Chat Settings, the tenant's settings, the setting that
//! names the current tenant, and the log of their changes.
//!
//! A change is a value ([`Change`]: the fields of one record before and after it). A backend
//! ([`Records`]) compares two moments, applies changes and keeps the log. Only [`Documents`] knows
//! that they are documents of TOML.

mod chain;
mod change;
pub mod config_text;
mod documents;
mod health;
mod notices;
mod snapshot;

pub use chain::{Broken, Fault, LogEnd, LogText, Walk, walk};
pub use change::{Change, Fields, Record, What};
pub use documents::{Documents, carry_out};
pub use health::{CheckResult, Health, HealthFile, HealthTrouble, SetUp};
pub use notices::{Concerned, Event, HealthChange, Notice, NoticeFile, Pending, State, Told, ToldEnd};
pub use snapshot::Snapshot;

use serde::{Deserialize, Serialize};

use crate::accounts::AccountError;
use crate::files::FileError;
use crate::storage::{RemoteError, StorageError};

/// A backend that keeps records.
pub trait Records {
    /// A tenant's records as they are now; `with_configuration` adds the setting that all
    /// tenants share. For comparing with another moment, or reading single records.
    fn snapshot(&self, tenant: &str, with_configuration: bool) -> Result<Snapshot, StateError>;

    /// Applies `changes` to the records that they name. The caller holds the tenant's lock.
    ///
    /// # Errors
    ///
    /// A record is not what a change says it was before ([`StateError::Conflict`]), or cannot
    /// become what it says. Records of other kinds may be written already.
    fn write(&self, tenant: &str, changes: &[Change]) -> Result<(), StateError>;

    /// What the last tests of a tenant's accounts found, and which levels of their webhooks
    /// were set up; with why that is not all. What cannot be read was never kept: the next test
    /// makes it anew.
    fn health(&self, tenant: &str) -> Result<(HealthFile, Option<HealthTrouble>), StateError>;

    /// Changes what is known; another process may have changed it meanwhile. Nothing is written
    /// where the change changes nothing, or over what a newer version has written. Returns what
    /// is wrong with what was to be changed.
    fn change_health(
        &self,
        tenant: &str,
        change: &dyn Fn(&mut HealthFile),
    ) -> Result<Option<HealthTrouble>, StateError>;

    /// What was told of a tenant's accounts; `None` where nothing was told yet.
    ///
    /// # Errors
    ///
    /// It cannot be read, or a newer program wrote it: telling everything again would be wrong.
    fn notices(&self, tenant: &str) -> Result<Option<NoticeFile>, StateError>;

    /// Keeps what was told. One `watch` at a time does that.
    fn keep_notices(&self, tenant: &str, notices: &NoticeFile) -> Result<(), StateError>;

    /// The changes of health that were found, a line of JSON for each account, the oldest first.
    fn health_log(&self) -> Result<Vec<String>, StateError>;

    /// Adds lines to them.
    fn log_health(&self, lines: &[String]) -> Result<(), StateError>;

    /// The state of a tenant's records now, for telling whether it is still the same later. With
    /// `begin` a configuration without a lineage gets one.
    fn version(&self, tenant: &str, begin: bool) -> Result<StateVersion, StateError>;

    /// Where a record of a tenant is kept, for showing.
    fn place(&self, tenant: &str, record: &Record) -> String;

    /// The lines of the log, oldest first.
    fn log(&self) -> Result<Vec<String>, StateError>;

    /// The log as one moment has it, with where it should end, for [`walk`].
    fn log_text(&self) -> Result<LogText, StateError>;

    /// Adds a line to the log: all of it or nothing. The line, a JSON object, gets its number and
    /// the digest of the line before it ([`LogEnd::adding`]).
    fn append(&self, line: &str) -> Result<(), StateError>;

    /// Whether a line could be added, as far as that can be told beforehand.
    fn can_append(&self) -> Result<(), StateError>;
}

/// The state of a tenant's records at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateVersion {
    /// The id of the configuration or shared state, made once; empty where it has none yet.
    pub lineage: String,
    /// The number of the change, where a backend counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
    /// SHA-256 of the records, in hexadecimal digits ([`Snapshot::digest`]).
    pub digest: String,
}

/// Why records could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file could not be read, written or locked.
    #[error(transparent)]
    File(#[from] FileError),
    /// A backend on the network failed.
    #[error(transparent)]
    Remote(RemoteError),
    /// The accounts, or a small file of the tenant, are not valid.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A record is not what a change says it was.
    #[error("{of} is not what it was before the change: {field}")]
    Conflict {
        /// What the record is called.
        of: String,
        /// The field.
        field: String,
    },
    /// A change that cannot be applied to the record.
    #[error("{of} cannot become what the change says: {why}")]
    Invalid {
        /// What the record is called.
        of: String,
        /// What is wrong.
        why: String,
    },
}

impl From<StorageError> for StateError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::File(error) => Self::File(error),
            StorageError::Remote(error) => Self::Remote(error),
        }
    }
}
