//! The two levels of a webhook: `/{app-id}/subscriptions` says where an app's events go, and
//! `/{page-id}/subscribed_apps` whether a Page's events reach the app (graph/FACTS.md, "An app's
//! webhook" and "A Page's subscription"). Meta sends an event only if both levels have its
//! field.

use serde::Deserialize;
use serde_json::Value;

use super::{List, PageAccess, is_done};
use crate::graph::{Answer, AppCredentials, Client, GraphError, GraphRequest, GraphVersion, Verb, lenient};
use crate::secrets::Secret;

const SUBSCRIBED_APPS: &str = "subscribed_apps";

/// An app that a Page sends events to. Graph shows only the token's own app.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SubscribedApp {
    /// The app.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::shown")]
    pub name: Option<String>,
    /// Its webhook fields; empty where Graph names none.
    #[serde(default, deserialize_with = "lenient::list")]
    pub subscribed_fields: Vec<String>,
}

/// The token's own app, if the Page is subscribed to it.
pub async fn of_page(client: &Client, page: PageAccess<'_>) -> Result<Answer<Vec<SubscribedApp>>, GraphError> {
    let answer = client.call::<List<SubscribedApp>>(&page.read(SUBSCRIBED_APPS)).await?;
    Ok(Answer { value: answer.value.data, version: answer.version })
}

/// Subscribes the token's app to exactly these fields of the Page; other fields are
/// unsubscribed. Returns whether Graph confirms it.
pub async fn set_of_page(client: &Client, page: PageAccess<'_>, fields: &[String]) -> Result<bool, GraphError> {
    is_done(client, &page.read(SUBSCRIBED_APPS).verb(Verb::Set).with("subscribed_fields", fields.join(","))).await
}

/// Ends the Page's subscription of the token's app.
pub async fn remove_of_page(client: &Client, page: PageAccess<'_>) -> Result<bool, GraphError> {
    is_done(client, &page.read(SUBSCRIBED_APPS).verb(Verb::Remove)).await
}

/// An app's webhook for one object, for all Pages of the app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Wire")]
pub struct AppSubscription {
    /// `page`, `instagram`, …
    pub object: String,
    /// Where its events go.
    pub callback_url: Option<String>,
    /// Whether Meta delivers; it stops after an hour of failures.
    pub active: bool,
    /// The fields.
    pub fields: Vec<String>,
    /// The oldest version that a field is bound to: the one current when the field was
    /// subscribed, whatever version calls use. Absent in old answers.
    pub oldest_version: Option<GraphVersion>,
}

/// A subscription as it arrives. Since v2.9 fields are objects with a name and a version;
/// before, only names.
#[derive(Deserialize)]
struct Wire {
    #[serde(default, deserialize_with = "lenient::text")]
    object: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    callback_url: Option<String>,
    #[serde(default, deserialize_with = "lenient::flag")]
    active: Option<bool>,
    #[serde(default, deserialize_with = "lenient::list")]
    fields: Vec<Value>,
}

impl From<Wire> for AppSubscription {
    fn from(wire: Wire) -> Self {
        let name = |field: &Value| field.get("name").unwrap_or(field).as_str().map(str::to_owned);
        let version = |field: &Value| field.get("version")?.as_str()?.parse().ok();
        Self {
            object: wire.object.unwrap_or_default(),
            callback_url: wire.callback_url,
            active: wire.active.unwrap_or(false),
            fields: wire.fields.iter().filter_map(name).collect(),
            oldest_version: wire.fields.iter().filter_map(version).min(),
        }
    }
}

/// Whether Meta treats two callback URLs as the same: equal text, except that an empty path
/// equals `/`.
pub fn same_callback(a: &str, b: &str) -> bool {
    let plain = |text: &str| url::Url::parse(text).map_or_else(|_| text.to_owned(), String::from);
    plain(a) == plain(b)
}

fn subscriptions(app: &AppCredentials) -> GraphRequest {
    GraphRequest::read_as_app(format!("/{}/subscriptions", app.id), app)
}

/// Every subscription of an app.
pub async fn of_app(client: &Client, app: &AppCredentials) -> Result<Answer<Vec<AppSubscription>>, GraphError> {
    let answer = client.call::<List<AppSubscription>>(&subscriptions(app)).await?;
    Ok(Answer { value: answer.value.data, version: answer.version })
}

/// Sets where the app's events of an object go. Before it answers, Meta asks the callback for
/// the handshake: 2200 and 2201 say that it failed and nothing changed. Fields that were already
/// subscribed stay.
pub async fn set_of_app(
    client: &Client,
    app: &AppCredentials,
    object: &str,
    callback_url: &str,
    verify_token: &Secret,
    fields: &[String],
) -> Result<bool, GraphError> {
    let mut request = subscriptions(app)
        .verb(Verb::Set)
        .with("object", object)
        .with("callback_url", callback_url)
        .with("fields", fields.join(","))
        .with("include_values", "true");
    request.hidden.push(("verify_token", verify_token.clone()));
    is_done(client, &request).await
}

/// Removes fields from the app's subscription of an object; without fields, all of it.
pub async fn remove_of_app(
    client: &Client,
    app: &AppCredentials,
    object: &str,
    fields: Option<&[String]>,
) -> Result<bool, GraphError> {
    let mut request = subscriptions(app).verb(Verb::Remove).with("object", object);
    if let Some(fields) = fields {
        request = request.with("fields", fields.join(","));
    }
    is_done(client, &request).await
}
