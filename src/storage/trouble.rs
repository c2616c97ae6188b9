//! Why a shared state did not answer, or refused.

use crate::http::{Fault, SetupError};

use super::LockInfo;

/// Why a backend on the network did not do what it was asked. `place` is its address:
/// `s3://team/msgrctl`,
/// `postgres://db.example.com/team`.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The address is not valid.
    #[error("'{address}' is not a valid address of a state: {why}")]
    Address {
        /// The address, as far as it may be shown.
        address: String,
        /// What is wrong.
        why: String,
    },
    /// Credentials are missing.
    #[error("no credentials for {place}")]
    NoCredentials {
        /// The address.
        place: String,
        /// Where they were looked for.
        why: String,
    },
    /// The HTTP client could not be built.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// No answer.
    #[error("cannot reach {place}")]
    Unreachable {
        /// The address.
        place: String,
        /// Why.
        fault: Fault,
    },
    /// The server is there and does not let us.
    #[error("{place} denied access")]
    Denied {
        /// The address.
        place: String,
        /// The server's reason: `AccessDenied: …`.
        says: String,
    },
    /// The keys are not, or no longer, valid.
    #[error("{place} does not accept the keys")]
    BadKeys {
        /// The address.
        place: String,
        /// The server's reason: `InvalidAccessKeyId: …`.
        says: String,
    },
    /// This machine's clock is too far off for a signature.
    #[error("{place} does not accept the time of this machine")]
    WrongClock {
        /// The address.
        place: String,
        /// The server's reason.
        says: String,
    },
    /// The bucket is in another region than the request said.
    #[error("the bucket of {place} is in another region")]
    OtherRegion {
        /// The address.
        place: String,
        /// The region, where the server says it.
        region: Option<String>,
    },
    /// This build has no backend for the address.
    #[error("this build of msgrctl is without PostgreSQL")]
    NotBuilt,
    /// The database does not exist.
    #[error("the database of {place} does not exist")]
    NoDatabase {
        /// The address.
        place: String,
    },
    /// The server only reads: it is a copy of another.
    #[error("{place} takes no changes")]
    ReadOnly {
        /// The address.
        place: String,
        /// The server's reason.
        says: String,
    },
    /// The bucket does not exist.
    #[error("the bucket of {place} does not exist")]
    NoBucket {
        /// The address.
        place: String,
    },
    /// The server writes although the condition of the write does not hold.
    #[error("the server of {place} does not support conditional writes")]
    Unconditional {
        /// The address.
        place: String,
    },
    /// Another answer than those that are known.
    #[error("{place} gave an unexpected answer")]
    Unexpected {
        /// The address.
        place: String,
        /// The answer: `HTTP 500, InternalError: …`.
        says: String,
        /// Whether it may be gone in a minute.
        passes: bool,
    },
    /// A document there is not what a msgrctl of this version writes.
    #[error("cannot read {document}")]
    Damaged {
        /// The document.
        document: String,
        /// What is wrong with it.
        why: String,
    },
    /// The document is older than what was read or written before.
    #[error("{document} is older than before: serial {now}, and it was {known}")]
    WentBack {
        /// The document.
        document: String,
        /// The number that is there now.
        now: u64,
        /// The number that was seen.
        known: u64,
    },
    /// Other commands kept changing it.
    #[error("other commands kept changing {document}: gave up after {tries} tries")]
    Contended {
        /// The document.
        document: String,
        /// How often it was tried.
        tries: u32,
    },
    /// It is not what was read.
    #[error("another command changed {document} in the meantime")]
    Changed {
        /// The document.
        document: String,
    },
    /// Another command holds the lock.
    #[error("the tenant '{tenant}' is locked by {}", lock.in_words())]
    Locked {
        /// The tenant.
        tenant: String,
        /// Who holds it.
        lock: Box<LockInfo>,
    },
    /// The lock ended while it was needed.
    #[error("the lock of the tenant '{tenant}' was lost")]
    LockLost {
        /// The tenant.
        tenant: String,
    },
}
