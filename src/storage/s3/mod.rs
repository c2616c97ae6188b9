//! Objects of a bucket of S3, or of a server that speaks as it does. A log lies there in parts,
//! `log/00000001.jsonl`.

mod address;
mod bucket;
mod credentials;
mod log;
mod policy;
mod probe;
mod sign;
mod xml;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::RemoteError;
use super::shared::Shared;
use super::shared::objects::Server;
use crate::env::Environment;
use crate::http;
use address::Address;
use bucket::Bucket;
use credentials::Credentials;
use log::Parts;
pub use policy::policy;

/// The longest time for one request.
const LONGEST: Duration = Duration::from_secs(20);

impl Shared {
    /// The backend in the bucket at `address`. Nothing is asked yet. `copies` is a directory for
    /// copies of what was read.
    pub fn s3(address: &str, env: &Environment, http: http::Settings, copies: PathBuf) -> Result<Self, RemoteError> {
        let address = Address::parse(address, env)?;
        let http = http::Settings { loopback: address.loopback, timeout: http.timeout.min(LONGEST), ..http };
        let server = Server::new(Arc::new(Bucket::new(address, Credentials::find(env), http)));
        Ok(Self::new(server.clone(), Box::new(Parts::new(server)), copies))
    }
}
