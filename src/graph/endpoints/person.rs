//! The Pages that a person's token reaches (graph/FACTS.md, "The Pages behind a person's token").

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt as _};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::token::{self, TokenInfo};
use super::{Listed, business, listed};
use crate::graph::{AppCredentials, Client, GraphError, GraphRequest, lenient};
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
    /// Whether the person may answer its messages. Without any tasks the answer is yes: Test
    /// Connection decides.
    pub fn may_message(&self) -> bool {
        self.tasks.as_deref().is_none_or(allow_messages)
    }
}

/// Whether these tasks include messages: the task, or its equivalent on new-experience Pages.
pub fn allow_messages(tasks: &[String]) -> bool {
    const ENOUGH: [&str; 3] = ["MESSAGING", "PROFILE_PLUS_MESSAGING", "PROFILE_PLUS_FULL_CONTROL"];
    tasks.iter().any(|task| ENOUGH.contains(&task.as_str()))
}

/// A Page as a list shows it, without its token: thousands fit into memory.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SeenPage {
    /// Digits.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// The Page's name.
    #[serde(default, deserialize_with = "lenient::shown")]
    pub name: Option<String>,
    /// Its @username; a Page need not have one.
    #[serde(default, deserialize_with = "super::page::username")]
    pub username: Option<String>,
    /// Whether Graph gives its own token.
    #[serde(default, rename = "access_token", deserialize_with = "is_there")]
    pub has_token: bool,
    /// What the person may do there; absent where the list does not say.
    #[serde(default, deserialize_with = "lenient::texts")]
    pub tasks: Option<Vec<String>>,
    /// For a client's Page, what the business may do there.
    #[serde(default, deserialize_with = "lenient::texts")]
    pub permitted_tasks: Option<Vec<String>>,
}

fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(secret(deserializer)?.is_some())
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(lenient::text(deserializer)?.filter(|token| !token.trim().is_empty()).map(Secret::new))
}

/// Ids asked about at once.
const AT_ONCE: usize = 50;

/// The fields of a Page in a list. `T` decides whether its token is kept.
const FIELDS: &str = "id,name,username,access_token,tasks";

/// Every Page of a person's or a system user's token, in Graph's order, each with its own token.
/// Graph refuses a Page's token (100).
pub async fn pages(client: &Client, token: &Secret, app: Option<&AppCredentials>) -> Result<Vec<OwnPage>, GraphError> {
    seen_pages(client, token, app, &|_| ()).await.whole()
}

/// The same as far as it can be read, in the caller's form; `read` is told how many each page had.
pub async fn seen_pages<T: DeserializeOwned>(
    client: &Client,
    token: &Secret,
    app: Option<&AppCredentials>,
    read: &dyn Fn(usize),
) -> Listed<T> {
    listed(client, &GraphRequest::read("/me/accounts", token, app).fields(FIELDS), read).await
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
        found = client.in_batches(by_ids(client, token, app, ids)).await?;
        if (all || found.is_empty()) && info.grants("business_management") {
            for page in business::every_page(client, token, app).await? {
                if !has(&found, &page.id) {
                    found.push(page);
                }
            }
        }
    }
    if let Some(named) = named.filter(|named| !has(&found, named)) {
        let ids = BTreeSet::from([named.to_owned()]);
        found.extend(client.in_batches(by_ids(client, token, app, ids)).await?);
    }
    Ok(found)
}

/// The ids that Page permissions were granted for, and whether one was granted for all Pages. An
/// id may also be a business's or an Instagram account's.
pub fn granted_pages(info: &TokenInfo) -> (BTreeSet<String>, bool) {
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
    Ok(client.in_batches(by_ids(client, token, app, BTreeSet::from([id.to_owned()]))).await?.pop())
}

/// Those of `ids` that belong to Pages; for use within [`Client::in_batches`].
pub async fn by_ids<T: DeserializeOwned>(
    client: &Client,
    token: &Secret,
    app: Option<&AppCredentials>,
    ids: BTreeSet<String>,
) -> Result<Vec<T>, GraphError> {
    let asked = stream::iter(ids).map(|id| async move {
        let mut refused = Ok(None);
        // Some tokens may read a Page's own token but not the person's tasks there.
        for fields in [FIELDS, "id,name,username,access_token"] {
            let request = GraphRequest::read(format!("/{id}"), token, app).fields(fields);
            match client.call::<T>(&request).await {
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
    let all: Vec<Result<Option<T>, GraphError>> = asked.buffered(AT_ONCE).collect().await;
    all.into_iter().filter_map(Result::transpose).collect()
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
