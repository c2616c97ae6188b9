//! Requests to the apps' callbacks. They go only to this machine: an experiment must not reach
//! another server.

use std::sync::OnceLock;
use std::time::Duration;

use super::journal::{Entry, Parameter, shown_url, without_secrets};
use super::world::World;
use crate::address::is_loopback;
use crate::http::{Client, Fault, Request, Response, Settings, Url};

/// Whether an address can be a callback: Meta accepts only HTTPS, this machine may use HTTP.
pub(super) fn is_callback(url: &Url) -> bool {
    url.scheme() == "https" || url.scheme() == "http" && is_loopback(url)
}

/// A client that limits how long a callback may take to answer.
pub(super) struct Callbacks {
    patience: Duration,
    client: OnceLock<Client>,
}

impl Callbacks {
    pub const fn new(patience: Duration) -> Self {
        Self { patience, client: OnceLock::new() }
    }

    pub async fn send(&self, request: Request) -> Result<Response, Fault> {
        if !is_loopback(&request.url) {
            return Err(Fault::Connect);
        }
        let client = if let Some(client) = self.client.get() {
            client
        } else {
            let settings = Settings { timeout: self.patience, ca_bundle: None, loopback: true };
            let made = Client::new(&settings).map_err(|_| Fault::Connect)?;
            self.client.get_or_init(|| made)
        };
        client.send(request).await
    }
}

/// A request to a callback, for the journal: its address without the query, which may hold a
/// secret.
pub(super) fn entry(
    world: &World,
    method: &str,
    url: &Url,
    what: &str,
    parameters: Vec<Parameter>,
    result: Result<u16, String>,
) -> Entry {
    let path = format!("-> {} ({what})", without_secrets(world, &shown_url(url)));
    Entry::of_sandbox(world, method, path, parameters, result)
}
