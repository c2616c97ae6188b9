//! Forwards events to a receiver under development: the raw body and both signatures, in
//! order.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use url::Url;

use crate::address::is_loopback;
use crate::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use crate::http::{Body, Client, Fault, Method, Request, Settings};
use crate::operations::{Error, Workspace};
use crate::webhook::Notification;

/// The receiver's time limit, the same as Meta's.
const LIMIT: Duration = Duration::from_secs(5);

/// Where events are forwarded to.
pub struct Target {
    url: Url,
    client: Client,
}

/// The result of forwarding one event.
pub struct Forwarded {
    /// The HTTP status, or why there is none.
    pub status: Result<u16, Fault>,
    pub duration: Duration,
}

impl Target {
    /// Parses `--forward-to`: HTTPS, or HTTP on this machine, because customers' messages go there.
    pub fn read(workspace: &Workspace, text: &str) -> Result<Self, Error> {
        let url = Url::parse(text)
            .map_err(|_| Error::usage("--forward-to needs an address such as http://127.0.0.1:3000/hook"))?;
        let loopback = is_loopback(&url);
        if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
            return Err(Error::usage(
                "--forward-to takes https://…, or http:// on this machine: customers' messages go there",
            ));
        }
        let client = Client::new(&Settings { timeout: LIMIT, ca_bundle: workspace.ca_bundle()?, loopback })?;
        Ok(Self { url, client })
    }

    /// Whether it is this listener's own address.
    pub fn is_at(&self, listen: SocketAddr, path: &str) -> bool {
        let same_port = listen.port() != 0 && self.url.port_or_known_default() == Some(listen.port());
        is_loopback(&self.url) && same_port && self.url.path() == path
    }

    /// The address, without a query or credentials.
    pub fn shown(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        // Fails only for an address that cannot have credentials.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        url.to_string()
    }

    /// Forwards notifications in order until the channel closes.
    pub async fn run(self, mut waiting: mpsc::UnboundedReceiver<Notification>, done: mpsc::UnboundedSender<Forwarded>) {
        while let Some(notification) = waiting.recv().await {
            let start = Instant::now();
            let status = self.client.send(self.request(&notification)).await.map(|answer| answer.status);
            if matches!(status, Ok(200..=299)) {
                notification.answer.is_safe();
            }
            if done.send(Forwarded { status, duration: start.elapsed() }).is_err() {
                return;
            }
        }
    }

    fn request(&self, notification: &Notification) -> Request {
        let mut headers = vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (USER_AGENT, HeaderValue::from_static("facebookexternalua")),
        ];
        for (name, value) in &notification.signatures {
            headers.extend(HeaderValue::from_str(value).ok().map(|value| (HeaderName::from_static(name), value)));
        }
        Request {
            method: Method::POST,
            url: self.url.clone(),
            authorization: None,
            headers,
            body: Body::Raw(notification.body.to_vec()),
        }
    }
}
