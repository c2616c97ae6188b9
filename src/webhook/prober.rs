//! The clients of the probe, made when the first callback is asked.

use std::path::PathBuf;
use std::sync::OnceLock;

use url::{Host, Url};

use super::probe::{LIMIT, Probe, probe};
use crate::http::{Client, Settings, SetupError};
use crate::secrets::Secret;

/// Asks callbacks as Meta would.
#[derive(Default)]
pub struct Prober {
    /// Certificates to trust beside the system's, as PEM text, and where they are from.
    ca_bundle: Option<(PathBuf, Vec<u8>)>,
    here: OnceLock<Client>,
    elsewhere: OnceLock<Client>,
}

impl Prober {
    /// One that trusts these certificates beside the system's.
    pub fn new(ca_bundle: Option<(PathBuf, Vec<u8>)>) -> Self {
        Self { ca_bundle, ..Self::default() }
    }

    /// Asks one callback, with the right token and with a wrong one.
    pub async fn ask(&self, callback: &Url, verify_token: &Secret) -> Result<Probe, SetupError> {
        let loopback = is_loopback(callback);
        let place = if loopback { &self.here } else { &self.elsewhere };
        if place.get().is_none() {
            let settings = Settings { timeout: LIMIT, ca_bundle: self.ca_bundle.clone(), loopback };
            // Another one may have been first; either will do.
            let _ = place.set(Client::new(&settings)?);
        }
        let client = place.get().unwrap_or_else(|| unreachable!("it was just set"));
        Ok(probe(client, callback, verify_token).await)
    }
}

/// Whether an address is one of this machine, which Meta cannot reach.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // Other names below it are anybody's to resolve.
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
