//! `GET /app`: the app that issued a token (graph/FACTS.md, "The app of a token").

use serde::Deserialize;

use crate::graph::{Answer, AppCredentials, Client, GraphError, GraphRequest, lenient};
use crate::secrets::Secret;

/// A Meta app.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct App {
    /// Digits.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::shown")]
    pub name: Option<String>,
}

/// The app that issued `token`. Needs no app secret; the call is signed where the secret is
/// known.
pub async fn of_token(
    client: &Client,
    token: &Secret,
    app: Option<&AppCredentials>,
) -> Result<Answer<App>, GraphError> {
    client.call(&GraphRequest::read("/app", token, app)).await
}

/// An app, asked by itself: whether id and secret belong together (1, 101, 190 where not).
pub async fn itself(client: &Client, app: &AppCredentials) -> Result<Answer<App>, GraphError> {
    client.call(&GraphRequest::read_as_app(format!("/{}", app.id), app).fields("id,name")).await
}
