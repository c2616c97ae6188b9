//! Rows of a PostgreSQL database, in a schema of their own: `document` (key, version, body), where
//! each write makes a new version, and `log` (name, seq, line), to which lines are only added.
//!
//! Every change is one statement, and nothing is kept in a session: neither a lock nor a setting
//! nor a prepared statement. So a pooler that gives each transaction another session will do.

#[cfg(feature = "postgres")]
mod address;
#[cfg(feature = "postgres")]
mod connection;
#[cfg(feature = "postgres")]
mod documents;
#[cfg(feature = "postgres")]
mod password;
#[cfg(feature = "postgres")]
mod rows;
mod schema;
#[cfg(feature = "postgres")]
mod trouble;

use std::path::PathBuf;

use super::RemoteError;
use super::shared::Shared;
use crate::env::Environment;
use crate::http;

pub use schema::policy;

/// Whether the address is one of PostgreSQL.
pub fn is_address(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

/// The user and the password of an address; `None` where it has no password.
fn user_and_password(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once("://").filter(|_| is_address(text))?;
    rest.split('?').next()?.rsplit_once('@')?.0.split_once(':')
}

/// Whether the address holds a password, which stands in no file.
pub fn holds_password(text: &str) -> bool {
    user_and_password(text).is_some()
}

/// A valid address for showing: without a password.
pub fn without_password(text: &str) -> String {
    match user_and_password(text) {
        Some((user, password)) => text.replacen(&format!("{user}:{password}@"), &format!("{user}@"), 1),
        None => text.to_owned(),
    }
}

impl Shared {
    /// The backend in the database at `address`. Nothing is asked yet. `copies` is a directory
    /// for copies of what was read.
    #[cfg(feature = "postgres")]
    pub fn postgres(
        address: &str,
        env: &Environment,
        http: http::Settings,
        copies: PathBuf,
    ) -> Result<Self, RemoteError> {
        use std::sync::Arc;

        let database = Arc::new(connection::Database::new(address::Address::parse(address, env)?, http));
        let server = super::shared::objects::Server::new(database.clone());
        Ok(Self::new(server.clone(), Box::new(rows::Rows::new(server, database)), copies))
    }

    /// This build has no such backend.
    #[cfg(not(feature = "postgres"))]
    pub fn postgres(
        _address: &str,
        _env: &Environment,
        _http: http::Settings,
        _copies: PathBuf,
    ) -> Result<Self, RemoteError> {
        Err(RemoteError::NotBuilt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(not(feature = "postgres"))]
    #[test]
    fn a_build_without_it_says_so() {
        let settings = http::Settings { timeout: std::time::Duration::from_secs(1), ca_bundle: None, loopback: true };
        let opened = Shared::postgres("postgres://db/team", &Environment::default(), settings, PathBuf::new());
        assert!(matches!(opened, Err(RemoteError::NotBuilt)));
    }

    #[test]
    fn a_password_is_not_shown() {
        for address in [
            "postgres://ana:hid-den@db/team?lease=5",
            "postgresql://ana:hid@den@db/team?lease=5",
            "postgres://ana:hid/den@db/team?lease=5",
        ] {
            assert!(holds_password(address));
            assert!(without_password(address).ends_with("://ana@db/team?lease=5"));
        }
        for address in ["postgres://ana@db:5433/team", "postgres://db:1/team?sslrootcert=a@b", "s3://team/x", "files"] {
            assert!(!holds_password(address));
            assert_eq!(without_password(address), address);
        }
    }
}
