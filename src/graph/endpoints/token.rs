//! `GET /debug_token`: inspects a token (graph/FACTS.md, "Looking at a token").

use serde::{Deserialize, Deserializer};

use crate::graph::{Answer, ApiError, AppCredentials, Client, GraphError, GraphRequest, lenient};
use crate::secrets::Secret;

/// What Meta knows about a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TokenInfo {
    /// The app that issued it; absent where the text is not a token.
    #[serde(deserialize_with = "lenient::text")]
    pub app_id: Option<String>,
    /// `USER`, `PAGE`, `SYSTEM_USER`, `APP`; absent in old answers.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub kind: Option<String>,
    /// Whether the token works now; see [`TokenInfo::lives`].
    #[serde(deserialize_with = "lenient::flag")]
    is_valid: Option<bool>,
    /// Unix seconds; 0: never.
    #[serde(deserialize_with = "lenient::number")]
    pub expires_at: Option<i64>,
    /// Unix seconds; absent for a short-lived token.
    #[serde(deserialize_with = "lenient::number")]
    pub issued_at: Option<i64>,
    /// Unix seconds; 0: never.
    #[serde(deserialize_with = "lenient::number")]
    pub data_access_expires_at: Option<i64>,
    /// The Page, for a Page token.
    #[serde(deserialize_with = "lenient::text")]
    pub profile_id: Option<String>,
    /// The permissions.
    #[serde(deserialize_with = "lenient::list")]
    pub scopes: Vec<String>,
    /// The objects that each permission was granted for.
    #[serde(deserialize_with = "lenient::list")]
    pub granular_scopes: Vec<GranularScope>,
    /// Why it is not valid.
    #[serde(deserialize_with = "problem")]
    pub error: Option<ApiError>,
}

impl TokenInfo {
    /// Whether the token works now. Where Meta does not say, a token without an error counts as
    /// working.
    pub fn lives(&self) -> bool {
        self.is_valid.unwrap_or(self.error.is_none())
    }

    /// Whether Meta could read it: only a readable token has an app.
    pub fn is_readable(&self) -> bool {
        self.app_id.is_some()
    }

    /// Whether it is the token of a system user.
    pub fn is_of_system_user(&self) -> bool {
        self.kind.as_deref() == Some("SYSTEM_USER")
    }

    /// Whether a permission was granted, for any object.
    pub fn grants(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }

    /// Whether a granted permission covers this Page.
    pub fn covers(&self, scope: &str, page_id: &str) -> bool {
        let mut targets = self.granular_scopes.iter().filter(|granular| granular.scope == scope);
        targets.all(|granular| granular.target_ids.as_ref().is_none_or(|ids| ids.iter().any(|id| id == page_id)))
    }
}

/// A permission and the objects it was granted for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GranularScope {
    /// `pages_messaging`, …
    pub scope: String,
    /// Absent: all present and future objects of that person.
    #[serde(default, deserialize_with = "lenient::texts")]
    pub target_ids: Option<Vec<String>>,
}

/// The error inside an answer with status 200, in the form that a call with the token would get.
/// `debug_token` names the subcode differently.
fn problem<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ApiError>, D::Error> {
    #[derive(Deserialize)]
    struct ErrorObject {
        #[serde(default, deserialize_with = "lenient::number")]
        code: Option<i64>,
        #[serde(default, deserialize_with = "lenient::number")]
        subcode: Option<i64>,
        #[serde(default, deserialize_with = "lenient::text")]
        message: Option<String>,
    }
    let of_token = |error: ErrorObject| {
        ApiError::of_token(Some(error.code.unwrap_or(190)), error.subcode, error.message.unwrap_or_default())
    };
    Ok(lenient::object(deserializer)?.map(of_token))
}

#[derive(Deserialize)]
struct Envelope {
    data: TokenInfo,
}

/// Inspects `input` as its app.
pub async fn debug(client: &Client, input: &Secret, app: &AppCredentials) -> Result<Answer<TokenInfo>, GraphError> {
    inspect(client, input, GraphRequest::read_as_app("/debug_token", app)).await
}

/// Has a token inspect itself, where its app's secret is not known. Meta allows it for people
/// with a role on the app and refuses others (100); a refusal says nothing about the token.
pub async fn debug_itself(client: &Client, token: &Secret) -> Result<Answer<TokenInfo>, GraphError> {
    inspect(client, token, GraphRequest::read("/debug_token", token, None)).await
}

async fn inspect(client: &Client, input: &Secret, mut request: GraphRequest) -> Result<Answer<TokenInfo>, GraphError> {
    request.hidden.push(("input_token", input.clone()));
    let answer = client.call::<Envelope>(&request).await?;
    Ok(Answer { value: answer.value.data, version: answer.version })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Wording;

    #[test]
    fn null_is_absence_and_a_problem_is_a_refusal() {
        let text =
            r#"{"app_id":123456,"type":"PAGE","scopes":null,"granular_scopes":null,"expires_at":"0","error":null}"#;
        let info: TokenInfo = serde_json::from_str(text).expect("a token");
        assert_eq!((info.app_id.as_deref(), info.expires_at, info.lives()), (Some("123456"), Some(0), true));
        assert!(info.scopes.is_empty() && info.covers("pages_messaging", "1"));
        let text = r#"{"is_valid":false,"error":{"code":190,"message":"The access token could not be decrypted"}}"#;
        let info: TokenInfo = serde_json::from_str(text).expect("a token");
        assert!(!info.lives() && !info.is_readable());
        let problem = info.error.as_ref().expect("a problem");
        assert_eq!((problem.code, problem.wording), (Some(190), Some(Wording::Unreadable)));
    }
}
