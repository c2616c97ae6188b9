//! `GET /me` with a Page token: the Page itself (graph/FACTS.md, "The Page behind a
//! token").

use serde::{Deserialize, Deserializer};

use crate::graph::{Answer, AppCredentials, Client, GraphError, GraphRequest, lenient};
use crate::secrets::Secret;

/// A Page. Fields without a value, or that the token may not read, are left out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Page {
    /// Digits.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// The Page's name.
    #[serde(default, deserialize_with = "lenient::shown")]
    pub name: Option<String>,
    /// Its @username; a Page need not have one.
    #[serde(default, deserialize_with = "username")]
    pub username: Option<String>,
    /// Whether the public can see it.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_published: Option<bool>,
}

/// A username; an empty one is none.
pub(super) fn username<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(lenient::shown(deserializer)?.filter(|username| !username.trim().is_empty()))
}

impl Page {
    /// Whether only a person can be meant: a Page says whether it is published to
    /// everybody who may read it at all.
    pub fn may_be_a_person(&self) -> bool {
        self.username.is_none() && self.is_published.is_none()
    }
}

/// The Page that a token speaks for. With a person's token Graph refuses: a
/// person has no `is_published` (100, `OAuthException`).
pub async fn me(client: &Client, token: &Secret, app: Option<&AppCredentials>) -> Result<Answer<Page>, GraphError> {
    client.call(&of_me(token, app)).await
}

/// The same by itself: whether a proxy takes the header with the token away shows here.
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

/// Id and name alone, which any valid token may read: of the Page, or of the
/// person whose token it is.
pub async fn whose(client: &Client, token: &Secret, app: Option<&AppCredentials>) -> Result<Answer<Page>, GraphError> {
    client.call(&GraphRequest::read("/me", token, app).fields("id,name")).await
}

/// Whether two usernames are one at Meta: periods and capitals do not count
/// (graph/FACTS.md, "Usernames").
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
