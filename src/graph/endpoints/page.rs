//! `GET /me` with a Page token: the Page itself (graph/FACTS.md, "The Page behind a
//! token").

use serde::{Deserialize, Deserializer};

use crate::graph::{Answer, AppCredentials, Client, GraphError, GraphRequest, lenient};
use crate::secrets::Secret;

/// A Page. Fields that are empty or that the token may not read are absent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Page {
    /// Digits.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// The Page's name.
    #[serde(default, deserialize_with = "lenient::shown")]
    pub name: Option<String>,
    /// Its @username; not every Page has one.
    #[serde(default, deserialize_with = "username")]
    pub username: Option<String>,
    /// Whether the Page is published.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_published: Option<bool>,
}

/// A username; `None` for an empty one.
pub(super) fn username<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(lenient::shown(deserializer)?.filter(|username| !username.trim().is_empty()))
}

impl Page {
    /// Whether this may be a person: a Page always shows `is_published`.
    pub fn may_be_a_person(&self) -> bool {
        self.username.is_none() && self.is_published.is_none()
    }
}

/// The Page that a token speaks for. Graph refuses a person's token, since a person has no
/// `is_published` (100, `OAuthException`).
pub async fn me(client: &Client, token: &Secret, app: Option<&AppCredentials>) -> Result<Answer<Page>, GraphError> {
    client.call(&of_me(token, app)).await
}

/// The same outside of batches, to find out whether a proxy removes the token's header.
pub async fn me_alone(
    client: &Client,
    token: &Secret,
    app: Option<&AppCredentials>,
) -> Result<Answer<Page>, GraphError> {
    client.call(&of_me(token, app).alone()).await
}

fn of_me(token: &Secret, app: Option<&AppCredentials>) -> GraphRequest {
    GraphRequest::read("/me", token, app).fields("id,name,username,is_published")
}

/// Only id and name, which any valid token may read: of the Page, or of the token's person.
pub async fn whose(client: &Client, token: &Secret, app: Option<&AppCredentials>) -> Result<Answer<Page>, GraphError> {
    client.call(&GraphRequest::read("/me", token, app).fields("id,name")).await
}

/// Whether Meta treats two usernames as the same: periods and case do not count (graph/FACTS.md,
/// "Usernames").
pub fn same_username(a: &str, b: &str) -> bool {
    let canonical = |text: &str| text.to_lowercase().replace('.', "");
    canonical(a) == canonical(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_compared_without_periods_and_capitals() {
        assert!(same_username("John.Smith55", "johnsmith55"));
        assert!(same_username("acme.support", "AcmeSupport"));
        assert!(!same_username("johnsmith5", "johnsmith55"));
    }
}
