//! `GET /{page-id}/subscribed_apps`: whether a Page's events reach the app
//! (facts, section 2.3).

use serde::Deserialize;

use crate::graph::{Answer, AppCredentials, Client, GraphError, GraphRequest};
use crate::secrets::Secret;

/// An app that a Page sends events to. Graph shows the token's own app only.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SubscribedApp {
    /// The app.
    #[serde(deserialize_with = "super::id")]
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// The webhook fields it gets; absent where there are none.
    #[serde(default)]
    pub subscribed_fields: Vec<String>,
}

/// The token's own app among those that the Page is subscribed to, or nothing.
pub async fn of_page(
    client: &Client,
    page_id: &str,
    token: &Secret,
    app: Option<&AppCredentials>,
) -> Result<Answer<Vec<SubscribedApp>>, GraphError> {
    let request = GraphRequest::read(format!("/{page_id}/subscribed_apps"), token, app);
    let answer = client.call::<super::List<SubscribedApp>>(&request).await?;
    Ok(Answer { value: answer.value.data, version: answer.version })
}
