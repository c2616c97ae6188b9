//! A person's token: the Pages behind it, and a longer life for it (facts,
//! sections 2.6 and 2.7).

use serde::{Deserialize, Deserializer};

use crate::graph::{Answer, AppCredentials, Authority, Client, GraphError, GraphRequest, Verb};
use crate::secrets::Secret;

/// A Page that a person works on. What the person's role does not allow is left out.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct OwnPage {
    /// Digits.
    #[serde(deserialize_with = "super::id")]
    pub id: String,
    /// The Page's name.
    pub name: Option<String>,
    /// Its @username; a Page need not have one.
    pub username: Option<String>,
    /// The Page's own token; absent where the role does not allow it.
    #[serde(default, deserialize_with = "secret")]
    pub access_token: Option<Secret>,
    /// What the person may do there: `MESSAGING`, `MANAGE`, …; absent in old answers.
    pub tasks: Option<Vec<String>>,
}

impl OwnPage {
    /// Whether the person may answer its messages: the task, or its twin of
    /// new-experience Pages. Nothing said counts as yes: Test Connection decides.
    pub fn may_message(&self) -> bool {
        const ENOUGH: [&str; 3] = ["MESSAGING", "PROFILE_PLUS_MESSAGING", "PROFILE_PLUS_FULL_CONTROL"];
        self.tasks.as_ref().is_none_or(|tasks| tasks.iter().any(|task| ENOUGH.contains(&task.as_str())))
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
}

#[derive(Deserialize)]
struct Listing {
    data: Vec<OwnPage>,
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Paging {
    cursors: Option<Cursors>,
    /// The address of what comes next. It holds the token and is not followed: that
    /// it is there is all that counts.
    next: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Cursors {
    after: Option<String>,
}

/// Pages asked for at once.
const AT_ONCE: usize = 50;
/// The most rounds: a cursor that runs in a circle must not run for ever.
const ROUNDS: usize = 200;

/// Every Page of a person's or a system user's token, in Graph's order, with its own
/// token. A Page's token is refused (100).
pub async fn pages(client: &Client, token: &Secret, app: Option<&AppCredentials>) -> Result<Vec<OwnPage>, GraphError> {
    let mut pages = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..ROUNDS {
        let mut request = GraphRequest::read("/me/accounts", token, app).fields("id,name,username,access_token,tasks");
        request.query.push(("limit", AT_ONCE.to_string()));
        request.query.extend(after.take().map(|cursor| ("after", cursor)));
        let listing = client.call::<Listing>(&request).await?.value;
        pages.extend(listing.data);
        match listing.paging {
            Some(Paging { next: Some(_), cursors: Some(Cursors { after: Some(cursor) }) }) => after = Some(cursor),
            _ => break,
        }
    }
    Ok(pages)
}

/// A long-lived token in place of a short one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LongLived {
    /// The new token; the old one stays as it is.
    #[serde(deserialize_with = "required_secret")]
    pub access_token: Secret,
    /// Seconds; about 60 days. May be left out.
    pub expires_in: Option<u64>,
}

fn required_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

/// Exchanges a person's token of `app` for a long-lived one: Page tokens that come
/// from it do not expire. Refused for an expired token (190) and for a wrong secret (1).
pub async fn exchange(client: &Client, token: &Secret, app: &AppCredentials) -> Result<Answer<LongLived>, GraphError> {
    let request = GraphRequest {
        verb: Verb::Read,
        path: "/oauth/access_token".into(),
        query: vec![("grant_type", "fb_exchange_token".into()), ("client_id", app.id.clone())],
        hidden: vec![("client_secret", app.secret.clone()), ("fb_exchange_token", token.clone())],
        authority: Authority::InParameters,
    };
    client.call(&request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(tasks: Option<&[&str]>) -> OwnPage {
        OwnPage {
            id: "1".into(),
            name: None,
            username: None,
            access_token: None,
            tasks: tasks.map(|tasks| tasks.iter().map(|task| (*task).to_owned()).collect()),
        }
    }

    #[test]
    fn the_task_of_messaging_has_twins() {
        assert!(page(Some(&["ADVERTISE", "MESSAGING"])).may_message());
        assert!(page(Some(&["PROFILE_PLUS_FULL_CONTROL"])).may_message());
        assert!(!page(Some(&["ADVERTISE", "ANALYZE"])).may_message());
        assert!(page(None).may_message());
    }
}
