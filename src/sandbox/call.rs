//! A request as Graph reads it: version and path apart, parameters from query
//! and body together, and the token wherever it is.

use axum::body::to_bytes;
use axum::extract::Request;
use serde_json::Value;

use super::answer::Refusal;

/// One request.
pub struct Call {
    /// `GET`, `POST`, `DELETE`; `method=delete` on a POST counts as DELETE.
    pub method: String,
    /// `v26.0` as (26, 0); `None` for an unversioned call.
    pub version: Option<(u16, u16)>,
    /// The path without version and slashes at the ends, split.
    pub segments: Vec<String>,
    /// Query first, then body.
    pub parameters: Vec<(String, String)>,
    /// The token, and whether it came in the header.
    pub token: Option<(String, bool)>,
}

impl Call {
    /// A parameter by name; the first wins.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A list parameter: `a, b`, or a JSON list. Field expansions keep their braces.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        let text = self.parameter(name)?;
        if let Ok(Value::Array(items)) = serde_json::from_str(text) {
            return Some(items.iter().map(text_of).collect());
        }
        let mut items = vec![String::new()];
        let mut depth = 0_usize;
        for c in text.chars() {
            match c {
                '{' | '(' => depth += 1,
                '}' | ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            match items.last_mut() {
                Some(item) if c != ',' || depth > 0 => item.push(c),
                _ => items.push(String::new()),
            }
        }
        Some(items.iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())
    }

    /// A parameter that is an object, as JSON or as JSON text in a form.
    pub fn value(&self, name: &str) -> Option<Value> {
        let text = self.parameter(name)?;
        Some(serde_json::from_str(text).unwrap_or_else(|_| text.into()))
    }

    /// The path without its version: `/me/accounts`.
    pub fn path(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }
}

const BODY_LIMIT: usize = 1024 * 1024;

/// Reads a request to its end.
pub async fn read(request: Request) -> Result<Call, Refusal> {
    let (head, body) = request.into_parts();
    let mut segments: Vec<String> =
        head.uri.path().split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let version = segments.first().and_then(|first| version(first));
    if version.is_some() {
        segments.remove(0);
    }
    let mut parameters = pairs(head.uri.query().unwrap_or_default().as_bytes());
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| {
        Refusal::new(1, "OAuthException", "Please reduce the amount of data you're asking for, then retry your request")
    })?;
    let is_json = head
        .headers
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("json"));
    match serde_json::from_slice::<Value>(&body) {
        Ok(Value::Object(fields)) => {
            parameters.extend(fields.iter().map(|(name, value)| (name.clone(), text_of(value))));
        }
        _ if is_json => {}
        _ => parameters.extend(pairs(&body)),
    }
    let named = parameters.iter().find(|(name, _)| name == "access_token").map(|(_, value)| (value.clone(), false));
    let header = || {
        let value = head.headers.get("authorization")?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth");
        known.then(|| (token.trim().to_owned(), true))
    };
    let mut call =
        Call { method: head.method.to_string(), version, segments, token: named.or_else(header), parameters };
    if call.method == "POST" && call.parameter("method").is_some_and(|method| method.eq_ignore_ascii_case("delete")) {
        call.method = "DELETE".into();
    }
    Ok(call)
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn version(segment: &str) -> Option<(u16, u16)> {
    let (major, minor) = segment.strip_prefix('v')?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    async fn call(method: &str, uri: &str, headers: &[(&str, &str)], body: &'static str) -> Call {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.body(Body::from(body)).expect("a request")).await.unwrap_or_else(|_| panic!("read"))
    }

    #[tokio::test]
    async fn version_path_and_token_are_taken_apart() {
        let call = call("GET", "/v26.0/me/accounts/?limit=2", &[("authorization", "Bearer EAAx")], "").await;
        assert_eq!((call.version, call.path().as_str()), (Some((26, 0)), "/me/accounts"));
        assert_eq!(call.token, Some(("EAAx".into(), true)));
        assert_eq!(call.parameter("limit"), Some("2"));
    }

    #[tokio::test]
    async fn the_parameter_wins_over_the_header() {
        let call = call("GET", "/me?access_token=EAAq", &[("authorization", "OAuth EAAh")], "").await;
        assert_eq!(call.token, Some(("EAAq".into(), false)));
    }

    #[tokio::test]
    async fn bodies_are_json_or_forms() {
        let json = call(
            "POST",
            "/1/subscribed_apps",
            &[("content-type", "application/json")],
            r#"{"access_token":"EAAj","subscribed_fields":["messages","feed"]}"#,
        )
        .await;
        assert_eq!(json.token, Some(("EAAj".into(), false)));
        assert_eq!(json.list("subscribed_fields"), Some(vec!["messages".into(), "feed".into()]));
        let form = call("POST", "/1/subscribed_apps", &[], "subscribed_fields=messages%2C+feed&method=delete").await;
        assert_eq!(form.list("subscribed_fields"), Some(vec!["messages".into(), "feed".into()]));
        assert_eq!(form.method, "DELETE");
    }

    #[tokio::test]
    async fn field_expansions_stay_together() {
        let call = call("GET", "/me?fields=id,accounts%7Bid,name%7D,name", &[], "").await;
        assert_eq!(call.list("fields"), Some(vec!["id".into(), "accounts{id,name}".into(), "name".into()]));
    }
}
