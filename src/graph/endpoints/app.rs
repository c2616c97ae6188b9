//! `GET /app`: the app that issued a token (facts, section 2.5).

use serde::Deserialize;

use crate::graph::{Answer, Client, GraphError, GraphRequest};
use crate::secrets::Secret;

/// A Meta app.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct App {
    /// Digits.
    #[serde(deserialize_with = "super::id")]
    pub id: String,
    /// Its name.
    pub name: Option<String>,
}

/// The app that issued `token`. Needs no app secret.
pub async fn of_token(client: &Client, token: &Secret) -> Result<Answer<App>, GraphError> {
    client.call(&GraphRequest::read("/app", token, None)).await
}
