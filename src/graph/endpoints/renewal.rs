//! New tokens for old ones, and the end of old ones (graph/FACTS.md, "How long tokens live").

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::is_done;
use crate::graph::{Answer, AppCredentials, Authority, Client, GraphError, GraphRequest, Verb, lenient};
use crate::secrets::Secret;

/// A long-lived token in exchange for a short-lived one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LongLived {
    /// The new token; the old one stays valid.
    #[serde(deserialize_with = "required_secret")]
    pub access_token: Secret,
    /// Seconds; about 60 days. May be absent.
    #[serde(default, deserialize_with = "lenient::number")]
    pub expires_in: Option<i64>,
}

fn required_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let token = String::deserialize(deserializer)?;
    if token.trim().is_empty() { Err(D::Error::custom("an empty token")) } else { Ok(Secret::new(token)) }
}

/// Exchanges a token of `app` for a new one of the same kind; the old one works on to its own end.
/// `for_60_days`: it is a system user's that ends, and the new one lasts 60 days from now; otherwise
/// it is a person's.
///
/// Each exchange may make another token, so one that got no answer is not repeated here. Graph
/// refuses an expired token (190).
pub async fn exchange(
    client: &Client,
    old: &Secret,
    app: &AppCredentials,
    for_60_days: bool,
) -> Result<Answer<LongLived>, GraphError> {
    let mut request = GraphRequest {
        verb: Verb::Act,
        path: "/oauth/access_token".into(),
        query: vec![("grant_type", "fb_exchange_token".into()), ("client_id", app.id.clone())],
        hidden: vec![("client_secret", app.secret.clone()), ("fb_exchange_token", old.clone())],
        authority: Authority::InParameters,
        is_alone: false,
    };
    if for_60_days {
        request = request.with("set_token_expires_in_60_days", "true");
    }
    client.call(&request).await
}

/// Revokes a system user's token at once, as the holder of another one of the same app. The tokens
/// are in the body of a batch, not in an address.
pub async fn revoke(client: &Client, old: &Secret, caller: &Secret, app: &AppCredentials) -> Result<bool, GraphError> {
    let mut request = GraphRequest::read("/oauth/revoke", caller, Some(app)).with("client_id", app.id.clone());
    request.hidden = vec![("client_secret", app.secret.clone()), ("revoke_token", old.clone())];
    is_done(client, &request).await
}
