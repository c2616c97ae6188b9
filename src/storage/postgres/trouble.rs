//! What a failure of the server or of the connection means.

use tokio_postgres::error::SqlState;

use crate::http::{self, Fault};
use crate::storage::RemoteError;

/// Why a statement gave no rows.
#[derive(Debug)]
pub enum Failed {
    /// The tables are not made yet.
    NoTable,
    /// A row with this key is there already. `repeated`: perhaps by an earlier try of this.
    Taken { repeated: bool },
    /// The next try may succeed. `arrived`: the server may have carried this one out.
    Again { error: RemoteError, arrived: bool },
    /// It stays so.
    Refused(RemoteError),
}

fn is_of_stream(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<std::io::Error>()).is_some()
}

/// Sorts a failure of the server at `place`; `why` says where a password was looked for.
pub fn failed(error: &tokio_postgres::Error, place: &str, why: Option<&str>) -> Failed {
    let place = place.to_owned();
    let Some(refusal) = error.as_db_error() else {
        let words = http::words(error);
        return match (http::fault_in(error), why) {
            (None, Some(why)) if words.contains("password missing") => {
                Failed::Refused(RemoteError::NoCredentials { place, why: why.into() })
            }
            // The server speaks no TLS; a connection that breaks off in the middle is told below.
            (None, _) if words.starts_with("error performing TLS") && !is_of_stream(error) => {
                Failed::Refused(RemoteError::Unreachable { place, fault: Fault::Tls })
            }
            (Some(fault @ (Fault::Tls | Fault::Certificate(_) | Fault::ClientCertificate)), _) => {
                Failed::Refused(RemoteError::Unreachable { place, fault })
            }
            (None, _) if !error.is_closed() && words.starts_with("error parsing") => {
                Failed::Refused(RemoteError::Unexpected { place, says: words, passes: false })
            }
            (fault, _) => {
                let fault = fault.unwrap_or(Fault::Broken);
                Failed::Again { error: RemoteError::Unreachable { place, fault }, arrived: true }
            }
        };
    };
    let says = format!("{} ({})", refusal.message().lines().next().unwrap_or_default(), refusal.code().code());
    let code = refusal.code();
    match code.code().get(..2) {
        _ if *code == SqlState::UNDEFINED_TABLE || *code == SqlState::INVALID_SCHEMA_NAME => Failed::NoTable,
        _ if *code == SqlState::UNIQUE_VIOLATION => Failed::Taken { repeated: false },
        _ if *code == SqlState::INVALID_CATALOG_NAME => Failed::Refused(RemoteError::NoDatabase { place }),
        _ if *code == SqlState::READ_ONLY_SQL_TRANSACTION => Failed::Refused(RemoteError::ReadOnly { place, says }),
        _ if *code == SqlState::INSUFFICIENT_PRIVILEGE => Failed::Refused(RemoteError::Denied { place, says }),
        Some("28") => Failed::Refused(RemoteError::Denied { place, says }),
        // Too many connections, shutting down or starting, deadlocks: none of it was carried out.
        Some("53" | "57" | "40" | "08") => {
            Failed::Again { error: RemoteError::Unexpected { place, says, passes: true }, arrived: true }
        }
        _ => Failed::Refused(RemoteError::Unexpected { place, says, passes: false }),
    }
}
