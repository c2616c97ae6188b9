//! Where an account's secrets are read, and where each of them is sent.

use serde::Serialize;
use url::Url;

use super::draft::Draft;
use super::kept::key_of;
use crate::secrets::{SecretKind, SecretRef, StoreName, redacted};

/// A secret that is read outside msgrctl's stores and sent somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// The manifest's key: `webhook.verify_token`.
    #[serde(rename = "secret")]
    pub key: &'static str,
    /// Its place: `env:ACME_VERIFY_TOKEN`.
    #[serde(serialize_with = "redacted")]
    pub source: String,
    /// The receivers: `Graph`, and the host of a callback URL.
    pub to: Vec<String>,
}

/// The secrets that an account will send. Those in msgrctl's stores do not count: the user put
/// them there, and no file can redirect them.
pub(super) fn sends(draft: &Draft) -> Vec<Sent> {
    let mut all = Vec::new();
    let Some(after) = &draft.after else { return all };
    for kind in SecretKind::IN_MANIFEST {
        let source = match draft.source(kind) {
            Some(SecretRef::Stored(StoreName::Env)) => format!("env:{}", after.key(kind).variable()),
            Some(SecretRef::Stored(_)) | None => continue,
            Some(place) => place.to_string(),
        };
        let mut to = vec!["Graph".to_owned()];
        if kind.is_verify_token() {
            to.extend(after.callback_url.as_ref().and_then(|url| host(url.as_str())));
        }
        all.push(Sent { key: key_of(kind), source, to });
    }
    all
}

/// The host of a callback URL, with its port if it has one.
fn host(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}
