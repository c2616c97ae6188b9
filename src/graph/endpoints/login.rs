//! What follows a login at Meta: the exchange of its code for a token, and the permissions that
//! the person granted (graph/FACTS.md, "Login").

use serde::Deserialize;

use super::List;
use super::renewal::LongLived;
use crate::graph::{AppCredentials, Authority, Client, GraphError, GraphRequest, Verb, lenient};
use crate::secrets::Secret;

/// Changes the code of a login for a token. `redirect` is the dialog's, letter by letter.
/// A code works once: the call is repeated only if it never arrived.
pub async fn exchange_code(
    client: &Client,
    app: &AppCredentials,
    code: &Secret,
    redirect: &str,
) -> Result<Secret, GraphError> {
    let request = GraphRequest {
        verb: Verb::Act,
        path: "/oauth/access_token".into(),
        query: vec![("client_id", app.id.clone()), ("redirect_uri", redirect.to_owned())],
        hidden: vec![("client_secret", app.secret.clone()), ("code", code.clone())],
        authority: Authority::InParameters,
        is_alone: true,
    };
    Ok(client.call::<LongLived>(&request).await?.value.access_token)
}

/// A permission that was asked for, and what became of it.
#[derive(Deserialize)]
pub struct Permission {
    /// `pages_messaging`, …
    #[serde(deserialize_with = "lenient::id")]
    pub permission: String,
    /// `granted`, `declined` or `expired`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub status: Option<String>,
}

/// What a person granted and declined.
pub async fn permissions(client: &Client, token: &Secret, app: &AppCredentials) -> Result<Vec<Permission>, GraphError> {
    let request = GraphRequest::read("/me/permissions", token, Some(app)).with("limit", "100");
    Ok(client.call::<List<Permission>>(&request).await?.value.data)
}
