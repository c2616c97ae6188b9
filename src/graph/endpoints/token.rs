//! `GET /debug_token`: what a token is (facts, section 2.2).

use serde::Deserialize;

use crate::graph::{Answer, AppCredentials, Client, GraphError, GraphRequest};
use crate::secrets::Secret;

/// What Meta knows of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct TokenInfo {
    /// The app that issued it; absent for what is no token.
    #[serde(default, deserialize_with = "super::optional_id")]
    pub app_id: Option<String>,
    /// `USER`, `PAGE`, `SYSTEM_USER`, `APP`; absent in old answers.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Whether it may be used now.
    pub is_valid: bool,
    /// Unix seconds; 0: never.
    pub expires_at: Option<i64>,
    /// Unix seconds; 0: never.
    pub data_access_expires_at: Option<i64>,
    /// Of a Page token: the Page.
    #[serde(default, deserialize_with = "super::optional_id")]
    pub profile_id: Option<String>,
    /// The permissions.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// For which objects each permission was granted.
    #[serde(default)]
    pub granular_scopes: Vec<GranularScope>,
    /// Why it is not valid.
    pub error: Option<TokenProblem>,
}

/// A permission and the objects it was granted for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GranularScope {
    /// `pages_messaging`, …
    pub scope: String,
    /// Absent: all objects of that person, present and future.
    #[serde(default, deserialize_with = "super::optional_ids")]
    pub target_ids: Option<Vec<String>>,
}

/// The error inside an answer that itself is 200.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TokenProblem {
    /// 190.
    pub code: i64,
    /// Refines it.
    pub subcode: Option<i64>,
}

#[derive(Deserialize)]
struct Envelope {
    data: TokenInfo,
}

/// Inspects `input` on behalf of its app.
pub async fn debug(client: &Client, input: &Secret, app: &AppCredentials) -> Result<Answer<TokenInfo>, GraphError> {
    let mut request = GraphRequest::read_as_app("/debug_token", app);
    request.hidden.push(("input_token", input.clone()));
    let answer = client.call::<Envelope>(&request).await?;
    Ok(Answer { value: answer.value.data, version: answer.version })
}
