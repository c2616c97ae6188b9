//! A request as Graph reads it: version and path separated, parameters from query and body
//! combined, and the token wherever it is.

use axum::body::to_bytes;
use axum::extract::Request;
use serde_json::Value;

use super::answer::Refusal;
use super::form;

#[derive(Clone)]
pub struct Call {
    /// `GET`, `POST`, `DELETE`; `method=delete` on a POST counts as DELETE.
    pub method: String,
    /// `v26.0` as (26, 0); `None` for an unversioned call.
    pub version: Option<(u16, u16)>,
    /// The path without the version and outer slashes, split.
    pub segments: Vec<String>,
    /// Query first, then body.
    pub parameters: Vec<(String, String)>,
    /// The token, and whether it came in the header.
    pub token: Option<(String, bool)>,
    /// The token in the header, even if another one counts.
    pub header_token: Option<String>,
    /// The tag of an answer that the client already has.
    pub if_none_match: Option<String>,
    /// Whether a parameter set the method.
    pub overridden: bool,
    /// An operation of a batch.
    pub in_batch: bool,
    /// This machine's name for the client: addresses in answers lead back here.
    pub host: String,
}

/// The raw parts of a request.
#[derive(Default)]
pub struct Parts<'r> {
    pub method: &'r str,
    /// Including the version.
    pub path: &'r str,
    /// Without the question mark.
    pub query: &'r str,
    pub authorization: &'r str,
    /// `Content-Type`; a body without one is a form.
    pub content_type: &'r str,
    pub if_none_match: Option<&'r str>,
    pub host: &'r str,
    pub body: &'r [u8],
}

impl Call {
    pub fn new(parts: &Parts) -> Self {
        let mut segments: Vec<String> = parts.path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
        let version = segments.first().and_then(|first| version(first));
        if version.is_some() {
            segments.remove(0);
        }
        let mut parameters = form::query(parts.query.as_bytes());
        parameters.extend(form::parameters(parts.content_type, parts.body));
        let header_token = parts.authorization.split_once(' ').and_then(|(scheme, token)| {
            let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth");
            known.then(|| token.trim().to_owned())
        });
        let mut call = Self {
            method: parts.method.to_uppercase(),
            version,
            segments,
            parameters,
            token: header_token.clone().map(|token| (token, true)),
            header_token,
            if_none_match: parts.if_none_match.map(str::to_owned),
            overridden: false,
            in_batch: false,
            host: parts.host.to_owned(),
        };
        call.take_token();
        let other = call.parameter("method").or(call.parameter("_method")).map(str::to_uppercase);
        if let Some(other) = other.filter(|_| call.method == "POST") {
            call.method = other;
            call.overridden = true;
        }
        call
    }

    /// A token in the parameters takes precedence over one in the header.
    pub fn take_token(&mut self) {
        if let Some(token) = self.parameter("access_token") {
            self.token = Some((token.to_owned(), false));
        }
    }

    /// A parameter by name; the first wins.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is not empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.parameter(name).filter(|value| !value.is_empty())
    }

    /// A list parameter: `a, b`, or a JSON list. Field expansions keep their braces. An empty
    /// one counts as absent.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        let text = self.given(name)?;
        if text.starts_with('[')
            && let Some(Value::Array(items)) = form::json(text)
        {
            return Some(items.iter().map(form::text_of).collect());
        }
        Some(form::split(text))
    }

    /// The requested fields.
    pub fn fields(&self, default: &[&str]) -> Vec<String> {
        self.list("fields").unwrap_or_else(|| default.iter().map(|name| (*name).to_owned()).collect())
    }

    /// A parameter that is an object or a list: JSON, JSON text in a form, or loose JSON;
    /// otherwise a bare text.
    pub fn value(&self, name: &str) -> Option<Value> {
        let text = self.given(name)?;
        Some(form::json(text).unwrap_or_else(|| text.into())).filter(|value| !value.is_null())
    }

    /// The path without its version: `/me/accounts`.
    pub fn path(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }
}

const BODY_LIMIT: usize = 1024 * 1024;

/// Reads a whole request; one that is too large is returned without its body.
pub async fn read(request: Request) -> Result<Call, Box<(Call, Refusal)>> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await;
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let call = Call::new(&Parts {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        authorization: header("authorization").unwrap_or_default(),
        content_type: header("content-type").unwrap_or_default(),
        if_none_match: header("if-none-match"),
        host: header("host").unwrap_or_default(),
        body: body.as_deref().unwrap_or_default(),
    });
    if body.is_ok() {
        return Ok(call);
    }
    let text = "Please reduce the amount of data you're asking for, then retry your request";
    Err(Box::new((call, Refusal::oauth(1, text))))
}

/// A percent-decoded part of a path.
fn decoded(part: &str) -> String {
    let plain = part.replace('+', "%2B");
    let mut pairs = url::form_urlencoded::parse(plain.as_bytes());
    match (pairs.next(), pairs.next()) {
        (Some((name, value)), None) if value.is_empty() && !part.contains('=') => name.into_owned(),
        _ => part.to_owned(),
    }
}

/// `v26.0` as (26, 0).
pub(super) fn version(segment: &str) -> Option<(u16, u16)> {
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

    #[tokio::test]
    async fn what_the_wild_sends_is_understood() {
        let old = call("GET", "//v2.6//me//accounts/?fields=&x=1", &[("content-type", "application/json")], "").await;
        assert_eq!((old.version, old.path().as_str()), (Some((2, 6)), "/me/accounts"));
        assert_eq!(old.list("fields"), None, "an empty list is none");
        let json = [("content-type", "application/json")];
        let delete = call("DELETE", "/me/messenger_profile", &json, r#"{"fields":["get_started"],"x":null}"#).await;
        assert_eq!(delete.parameter("x"), None);
        assert_eq!(delete.list("fields"), Some(vec!["get_started".into()]));
        let post = call("POST", "/me/messenger_profile?_method=DELETE", &[], "fields%5B0%5D=greeting").await;
        assert_eq!((post.method.as_str(), post.list("fields")), ("DELETE", Some(vec!["greeting".into()])));
        let text = call("POST", "/me/messages", &[], "recipient=%7B'id'%3A'1'%7D").await;
        assert_eq!(text.value("recipient"), Some(serde_json::json!({"id": "1"})));
        assert_eq!(call("GET", "/v24.0?ids=1", &[], "").await.segments.len(), 0);
    }
}
