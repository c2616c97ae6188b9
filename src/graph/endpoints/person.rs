//! A person's token: the Pages that it reaches, and its exchange for a long-lived one
//! (graph/FACTS.md, "The Pages behind a person's token" and "Longer-lived tokens").

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt as _};
use serde::{Deserialize, Deserializer};

use super::List;
use super::token::{self, TokenInfo};
use crate::graph::{Answer, AppCredentials, Authority, Client, GraphError, GraphRequest, Verb, lenient};
use crate::secrets::Secret;

/// A Page that a person has a role on. Fields that the role does not allow are absent.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct OwnPage {
    /// Digits.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// The Page's name.
    #[serde(default, deserialize_with = "lenient::shown")]
    pub name: Option<String>,
    /// Its @username; a Page need not have one.
    #[serde(default, deserialize_with = "super::page::username")]
    pub username: Option<String>,
    /// The Page's own token; absent where the role does not allow it.
    #[serde(default, deserialize_with = "secret")]
    pub access_token: Option<Secret>,
    /// What the person may do there: `MESSAGING`, `MANAGE`, …; absent in old answers.
    #[serde(default, deserialize_with = "lenient::texts")]
    pub tasks: Option<Vec<String>>,
}

impl OwnPage {
    /// Whether the person may answer its messages: the task, or its equivalent on new-experience
    /// Pages. Without any tasks the answer is yes: Test Connection decides.
    pub fn may_message(&self) -> bool {
        const ENOUGH: [&str; 3] = ["MESSAGING", "PROFILE_PLUS_MESSAGING", "PROFILE_PLUS_FULL_CONTROL"];
        self.tasks.as_ref().is_none_or(|tasks| tasks.iter().any(|task| ENOUGH.contains(&task.as_str())))
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(lenient::text(deserializer)?.map(Secret::new))
}

#[derive(Deserialize)]
struct Listing {
    #[serde(deserialize_with = "lenient::list")]
    data: Vec<OwnPage>,
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Paging {
    cursors: Option<Cursors>,
    /// The next page's address. It holds the token and is not followed; only its presence
    /// counts.
    next: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Cursors {
    after: Option<String>,
}

/// Pages asked for at once.
const AT_ONCE: usize = 50;
/// The most pages of a list: a cursor that runs in a circle must not loop for ever.
const ROUNDS: usize = 200;

/// Every Page of a person's or a system user's token, in Graph's order, each with its own token.
/// Graph refuses a Page's token (100).
pub async fn pages(client: &Client, token: &Secret, app: Option<&AppCredentials>) -> Result<Vec<OwnPage>, GraphError> {
    listed(client, &GraphRequest::read("/me/accounts", token, app).fields("id,name,username,access_token,tasks")).await
}

/// Reads a list of Pages to its end.
async fn listed(client: &Client, list: &GraphRequest) -> Result<Vec<OwnPage>, GraphError> {
    let mut pages = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..ROUNDS {
        let mut request = list.clone();
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

/// Every Page that a person's or a system user's token reaches. For some business logins
/// `/me/accounts` is empty although Pages were ticked; then this looks where else Meta names
/// them: in the granted permissions, in the businesses, and under the id `named`.
pub async fn reachable(
    client: &Client,
    token: &Secret,
    app: Option<&AppCredentials>,
    named: Option<&str>,
) -> Result<Vec<OwnPage>, GraphError> {
    let mut found = pages(client, token, app).await?;
    let has = |found: &[OwnPage], id: &str| found.iter().any(|page| page.id == id);
    if found.is_empty() {
        let info = match app {
            Some(app) => token::debug(client, token, app).await,
            None => token::debug_itself(client, token).await,
        };
        let info = info.map(|answer| answer.value).unwrap_or_default();
        let (ids, all) = granted_pages(&info);
        found = by_ids(client, token, app, ids).await?;
        if (all || found.is_empty()) && info.grants("business_management") {
            for page in of_businesses(client, token, app).await? {
                if !has(&found, &page.id) {
                    found.push(page);
                }
            }
        }
    }
    if let Some(named) = named.filter(|named| !has(&found, named)) {
        found.extend(by_ids(client, token, app, BTreeSet::from([named.to_owned()])).await?);
    }
    Ok(found)
}

/// The ids that Page permissions were granted for, and whether one was granted for all Pages. An
/// id may also be a business's or an Instagram account's.
fn granted_pages(info: &TokenInfo) -> (BTreeSet<String>, bool) {
    let of_pages = info.granular_scopes.iter().filter(|granular| granular.scope.starts_with("pages_"));
    let all = of_pages.clone().any(|granular| granular.target_ids.is_none());
    (of_pages.filter_map(|granular| granular.target_ids.clone()).flatten().collect(), all)
}

/// A Page under its id, with its own token where the role allows it; `None` where the token does not
/// reach it.
pub async fn page(
    client: &Client,
    token: &Secret,
    app: Option<&AppCredentials>,
    id: &str,
) -> Result<Option<OwnPage>, GraphError> {
    Ok(by_ids(client, token, app, BTreeSet::from([id.to_owned()])).await?.pop())
}

/// Those of `ids` that belong to Pages.
async fn by_ids(
    client: &Client,
    token: &Secret,
    app: Option<&AppCredentials>,
    ids: BTreeSet<String>,
) -> Result<Vec<OwnPage>, GraphError> {
    let asked = stream::iter(ids).map(|id| async move {
        let mut refused = Ok(None);
        // Some tokens may read a Page's own token but not the person's tasks there.
        for fields in ["id,name,username,access_token,tasks", "id,name,username,access_token"] {
            let request = GraphRequest::read(format!("/{id}"), token, app).fields(fields);
            match client.call::<OwnPage>(&request).await {
                Ok(answer) => return Ok(Some(answer.value)),
                // Not a Page: a business, an Instagram account, or an id that does not exist.
                Err(GraphError::Refused(error))
                    if matches!((error.code, error.subcode), (Some(100), Some(33)) | (Some(803), _)) =>
                {
                    return Ok(None);
                }
                // The token is dead, or its app is blocked: other fields would not help.
                Err(GraphError::Refused(error)) if error.code == Some(190) || error.access_denied => {
                    return Err(GraphError::Refused(error));
                }
                Err(GraphError::Refused(_)) => {}
                Err(error) => refused = Err(error),
            }
        }
        refused
    });
    let all: Vec<Result<Option<OwnPage>, GraphError>> =
        client.in_batches(asked.buffered(AT_ONCE).collect::<Vec<_>>()).await;
    all.into_iter().filter_map(Result::transpose).collect()
}

#[derive(Deserialize)]
struct Business {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
}

/// A refused call counts as an empty answer.
fn unless_refused<T: Default>(result: Result<T, GraphError>) -> Result<T, GraphError> {
    match result {
        Err(GraphError::Refused(_)) => Ok(T::default()),
        result => result,
    }
}

/// The Pages of the businesses that a token may manage: their own and their clients'. A business
/// that does not show its Pages adds none.
async fn of_businesses(
    client: &Client,
    token: &Secret,
    app: Option<&AppCredentials>,
) -> Result<Vec<OwnPage>, GraphError> {
    let businesses = GraphRequest::read("/me/businesses", token, app).fields("id,name").with("limit", "100");
    let businesses = unless_refused(client.call::<List<Business>>(&businesses).await.map(|answer| answer.value.data))?;
    let edges = businesses.iter().flat_map(|business| ["owned_pages", "client_pages"].map(|edge| (&business.id, edge)));
    let asked = stream::iter(edges).map(|(business, edge)| async move {
        let request = GraphRequest::read(format!("/{business}/{edge}"), token, app).fields("id,name,access_token");
        unless_refused(listed(client, &request).await)
    });
    let all: Vec<Result<Vec<OwnPage>, GraphError>> =
        client.in_batches(asked.buffered(AT_ONCE).collect::<Vec<_>>()).await;
    Ok(all.into_iter().collect::<Result<Vec<_>, _>>()?.concat())
}

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
    String::deserialize(deserializer).map(Secret::new)
}

/// Exchanges a person's token of `app` for a long-lived one; Page tokens derived from it do not
/// expire. Graph refuses an expired token (190) and a wrong secret (1).
pub async fn exchange(client: &Client, token: &Secret, app: &AppCredentials) -> Result<Answer<LongLived>, GraphError> {
    let request = GraphRequest {
        // Changes nothing, but is posted to keep secret and token out of the address.
        verb: Verb::Set,
        path: "/oauth/access_token".into(),
        query: vec![("grant_type", "fb_exchange_token".into()), ("client_id", app.id.clone())],
        hidden: vec![("client_secret", app.secret.clone()), ("fb_exchange_token", token.clone())],
        authority: Authority::InParameters,
        is_alone: false,
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
