//! Encodes a call for HTTP, by itself or as one operation of a batch, and reads answers.

use std::collections::HashMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::client::Answer;
use super::error::{ApiError, ErrorBody, GraphError, Unreachable};
use super::{AppCredentials, Authority, BaseUrl, GraphRequest, GraphVersion, Verb, lenient, retry};
use crate::http::header::{HeaderMap, HeaderName, HeaderValue};
use crate::http::{self, Body, Method, Request};
use crate::json;
use crate::secrets::Secret;
use crate::touched;

/// The HTTP method of a verb. Making a call that changes something marks the process as having
/// changed something.
pub(super) fn method(verb: Verb) -> Method {
    if verb != Verb::Read {
        touched::note();
    }
    match verb {
        Verb::Read => Method::GET,
        Verb::Set | Verb::Act => Method::POST,
        Verb::Remove => Method::DELETE,
    }
}

/// The request for a call that is sent alone: by itself, or as a batch of one where its address
/// would hold a secret. `now` is in Unix seconds, for the signature.
pub(super) fn sent(base: &BaseUrl, version: GraphVersion, request: &GraphRequest, now: i64) -> Request {
    if hides_in_body(request) {
        return batch(base, version, &request.authority, std::iter::once(request), now);
    }
    single(base, version, request, now)
}

/// A call by itself: a token in the header, an app's token in the body.
fn single(base: &BaseUrl, version: GraphVersion, request: &GraphRequest, now: i64) -> Request {
    let mut url = base.join(Some(version), &request.path);
    let pairs = parameters(request, now);
    let authorization = match &request.authority {
        Authority::Token { token, .. } => bearer(token),
        Authority::App(_) | Authority::InParameters => None,
    };
    let method = method(request.verb);
    let mut body = Body::Empty;
    if method == Method::POST {
        body = Body::Form(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
    } else if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    Request { method, url, authorization, headers: Vec::new(), body }
}

/// A call's parameters, except a token that goes in the header.
fn parameters(request: &GraphRequest, now: i64) -> Vec<(&'static str, String)> {
    let mut pairs = request.query.clone();
    pairs.extend(request.hidden.iter().map(|(name, secret)| (*name, secret.expose().to_owned())));
    match &request.authority {
        Authority::Token { token, app: Some(app) } => pairs.extend(signature(token, app, now)),
        Authority::App(app) => pairs.push(("access_token", app.app_token().expose().to_owned())),
        Authority::Token { app: None, .. } | Authority::InParameters => {}
    }
    pairs
}

fn signature(token: &Secret, app: &AppCredentials, now: i64) -> [(&'static str, String); 2] {
    [("appsecret_proof", app.timed_proof(token, now)), ("appsecret_time", now.to_string())]
}

/// `Bearer TOKEN`; `None` for a token with characters that no header can hold. Graph then
/// reports a missing token, which is close enough.
fn bearer(token: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// An operation of a batch (graph/FACTS.md, "Several calls in one").
#[derive(Serialize)]
struct Operation {
    method: &'static str,
    relative_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl Operation {
    /// A call with its own token and proof.
    fn of(request: &GraphRequest, now: i64) -> Self {
        let mut pairs = parameters(request, now);
        if let Authority::Token { token, .. } = &request.authority {
            pairs.push(("access_token", token.expose().to_owned()));
        }
        let pairs = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let path = request.path.trim_start_matches('/');
        match request.verb {
            Verb::Read | Verb::Remove => Self {
                method: if request.verb == Verb::Read { "GET" } else { "DELETE" },
                relative_url: if pairs.is_empty() { path.to_owned() } else { format!("{path}?{pairs}") },
                body: None,
            },
            Verb::Set | Verb::Act => Self { method: "POST", relative_url: path.to_owned(), body: Some(pairs) },
        }
    }
}

/// Several calls as one. `speaker` is the token for the batch as a whole, which Meta requires
/// besides the operations' own.
pub(super) fn batch<'r>(
    base: &BaseUrl,
    version: GraphVersion,
    speaker: &Authority,
    requests: impl Iterator<Item = &'r GraphRequest>,
    now: i64,
) -> Request {
    let operations: Vec<Operation> = requests.map(|request| Operation::of(request, now)).collect();
    let operations = serde_json::to_string(&operations).unwrap_or_else(|error| unreachable!("text is JSON: {error}"));
    let mut authorization = None;
    let mut pairs = match speaker {
        Authority::Token { token, app } => {
            authorization = bearer(token);
            app.iter().flat_map(|app| signature(token, app, now)).collect()
        }
        Authority::App(app) => vec![("access_token", app.app_token().expose().to_owned())],
        Authority::InParameters => Vec::new(),
    };
    pairs.push(("batch", operations));
    Request {
        method: Method::POST,
        url: base.join(Some(version), "/"),
        authorization,
        headers: Vec::new(),
        body: Body::Form(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
    }
}

/// The answers to a batch's operations, in order; `None` for one not finished in time. Anything
/// but a list of `wanted` items is not Graph's answer.
pub(super) fn items(
    response: &http::Response,
    wanted: usize,
    as_app: bool,
) -> Result<Vec<Option<http::Response>>, GraphError> {
    #[derive(Deserialize)]
    struct Item {
        code: u16,
        #[serde(default)]
        headers: Vec<Header>,
        #[serde(default)]
        body: String,
    }
    #[derive(Deserialize)]
    struct Header {
        name: String,
        value: String,
    }
    // Look for the list first: read as an error, a list of one would pass for its item.
    let items: Vec<serde_json::Value> = match parsed(&response.body) {
        Ok(items) => items,
        Err(_) => read(response, as_app)?.value,
    };
    if items.len() != wanted {
        return Err(GraphError::Unreachable(Unreachable::NotGraph { status: response.status }));
    }
    let answer = |item: serde_json::Value| {
        if item.is_null() {
            return None;
        }
        // An unreadable item is read as an empty answer, which counts as not Graph's.
        let broken = Item { code: response.status, headers: Vec::new(), body: String::new() };
        let item: Item = serde_json::from_value(item).unwrap_or(broken);
        let headers = item.headers.into_iter().filter_map(|header| {
            Some((HeaderName::try_from(header.name).ok()?, HeaderValue::try_from(header.value).ok()?))
        });
        Some(http::Response { status: item.code, headers: headers.collect(), body: item.body.into_bytes() })
    };
    Ok(items.into_iter().map(answer).collect())
}

/// A refusal of a whole batch, as it applies to one of its calls. When a token that inspects
/// itself is refused as the batch's own, it was not inspected: that says nothing about it.
pub(super) fn of_whole_batch(request: &GraphRequest, error: GraphError) -> GraphError {
    let of_itself = hides_in_body(request) && matches!(request.authority, Authority::Token { .. });
    match error {
        GraphError::Refused(error) if of_itself => {
            GraphError::Refused(Box::new(ApiError { code: None, subcode: None, wording: None, ..*error }))
        }
        error => error,
    }
}

/// Whether a lone call goes as a batch of one: otherwise an app's secret, or a token that is a
/// parameter, would be in the address of a read, and proxies log addresses.
pub(super) fn hides_in_body(request: &GraphRequest) -> bool {
    let has_secret = !request.hidden.is_empty() || matches!(request.authority, Authority::App(_));
    matches!(request.verb, Verb::Read | Verb::Remove) && has_secret
}

/// Whether the app itself calls: some codes then mean something else.
pub(super) fn is_as_app(request: &GraphRequest) -> bool {
    matches!(request.authority, Authority::App(_) | Authority::InParameters)
}

/// Reads an answer by its body first: Graph has been seen to answer 200 with an error.
pub(super) fn read<T: DeserializeOwned>(response: &http::Response, as_app: bool) -> Result<Answer<T>, GraphError> {
    let version = header(&response.headers, "facebook-api-version").and_then(|text| text.parse().ok());
    if let Ok(error) = parsed::<ErrorBody>(&response.body) {
        let mut error = error.into_error(response.status, regain_access(&response.headers));
        error.version = version;
        error.access_denied =
            header(&response.headers, "www-authenticate").is_some_and(|text| text.contains("\"access_denied\""));
        return Err(retry::classify(error, as_app));
    }
    let not_graph = || GraphError::Unreachable(Unreachable::NotGraph { status: response.status });
    if response.status != 200 {
        return Err(not_graph());
    }
    let value = parsed(&response.body).map(lenient::cleaned).and_then(serde_json::from_value);
    Ok(Answer { value: value.map_err(|_| not_graph())?, version })
}

/// Reads a reply of any origin as a client does: HTTP status and body. For fuzzing.
pub fn read_reply(status: u16, body: &[u8]) -> Result<serde_json::Value, GraphError> {
    let response = http::Response { status, headers: HeaderMap::new(), body: body.to_vec() };
    // A batch of one is read as such first.
    let _ = items(&response, 1, false);
    read(&response, false).map(|answer: Answer<serde_json::Value>| answer.value)
}

/// A body as `T`; JSON that the strict parser rejects is repaired first.
fn parsed<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(body).or_else(|error| match json::read(body) {
        // A text means that the body was not JSON at all.
        serde_json::Value::String(_) => Err(error),
        value => serde_json::from_value(value),
    })
}

/// A header as text.
pub(super) fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The longest wait that `x-business-use-case-usage` names: a map from object to
/// a list of `{…, "estimated_time_to_regain_access": minutes}`.
fn regain_access(headers: &HeaderMap) -> Option<Duration> {
    #[derive(Deserialize)]
    struct Usage {
        #[serde(default)]
        estimated_time_to_regain_access: u64,
    }
    type UsageMap = HashMap<String, Vec<Usage>>;
    let usage: UsageMap = serde_json::from_str(header(headers, "x-business-use-case-usage")?).ok()?;
    let minutes = usage.values().flatten().map(|usage| usage.estimated_time_to_regain_access).max()?;
    (minutes > 0).then(|| Duration::from_secs(minutes.saturating_mul(60)))
}

/// The share of the app's calls that is used up, in per cent: the highest number in
/// `x-app-usage`, which may exceed 100.
pub(super) fn app_usage(headers: &HeaderMap) -> Option<u64> {
    let usage: HashMap<String, u64> = serde_json::from_str(header(headers, "x-app-usage")?).ok()?;
    usage.into_values().max()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_790_000_000;

    fn base() -> BaseUrl {
        "http://127.0.0.1:1".parse().expect("a base")
    }

    fn sent(request: &GraphRequest) -> Request {
        super::sent(&base(), GraphVersion::DEFAULT, request, NOW)
    }

    fn app() -> AppCredentials {
        AppCredentials { id: "123456789012345".into(), secret: Secret::new("0123456789abcdef0123456789abcdef") }
    }

    #[test]
    fn the_token_travels_in_the_header_and_is_signed() {
        let (token, app) = (Secret::new("EAAEmulatorPageToken0001"), app());
        let request = GraphRequest::read("/me", &token, Some(&app)).fields("id,name");
        let sent = sent(&request);
        assert_eq!(
            sent.url.as_str(),
            "http://127.0.0.1:1/v26.0/me?fields=id%2Cname\
             &appsecret_proof=fd584409fd6f3ae595caa621ce0e53470480a63e0e3ffa627cc1bbe65c0035b0&appsecret_time=1790000000"
        );
        let authorization = sent.authorization.expect("a header");
        assert!(authorization.is_sensitive());
        assert_eq!(authorization.to_str().ok(), Some("Bearer EAAEmulatorPageToken0001"));
    }

    #[test]
    fn an_app_secret_stands_in_no_address() {
        let read = GraphRequest::read_as_app("/9/subscriptions", &app());
        for request in [read.clone(), read.clone().verb(Verb::Remove), read.verb(Verb::Set)] {
            let sent = sent(&request);
            assert!(sent.url.query().is_none() && sent.authorization.is_none(), "{}", sent.url);
            assert_eq!(form(&sent.body)["access_token"], app().app_token().expose());
        }
        let mut exchange = GraphRequest::read_as_app("/oauth/access_token", &app()).verb(Verb::Set);
        exchange.authority = Authority::InParameters;
        exchange.hidden.push(("client_secret", app().secret));
        let sent = sent(&exchange);
        assert_eq!((sent.method, sent.url.query()), (Method::POST, None));
        assert_eq!(form(&sent.body)["client_secret"], app().secret.expose());
    }

    #[test]
    fn a_token_that_is_asked_about_stands_in_no_address() {
        let token = Secret::new("EAAx");
        for mut request in
            [GraphRequest::read_as_app("/debug_token", &app()), GraphRequest::read("/debug_token", &token, None)]
        {
            request.hidden.push(("input_token", token.clone()));
            assert!(hides_in_body(&request));
            let sent = sent(&request);
            assert_eq!(sent.url.as_str(), "http://127.0.0.1:1/v26.0/");
            assert!(form(&sent.body)["batch"].contains("debug_token?input_token=EAAx"));
        }
        assert!(!hides_in_body(&GraphRequest::read("/me", &token, None)));
    }

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> http::Response {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        http::Response { status, headers: map, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn the_body_decides_not_the_status() {
        let body = r#"{"error":{"message":"Invalid OAuth access token.","type":"OAuthException","code":190}}"#;
        let error = read::<serde_json::Value>(&answer(200, &[], body), false).expect_err("refused");
        assert!(matches!(error, GraphError::Refused(error) if error.code == Some(190)));
    }

    #[test]
    fn what_is_not_graphs_is_unreachable() {
        for (status, body) in [(200, "<html>Log in</html>"), (502, ""), (302, ""), (407, "proxy"), (200, "")] {
            let error = read::<serde_json::Value>(&answer(status, &[], body), false).expect_err("refused");
            assert!(matches!(error, GraphError::Unreachable(Unreachable::NotGraph { .. })), "{status} {body}");
        }
    }

    #[test]
    fn the_wait_is_read_from_the_usage_header() {
        let usage =
            r#"{"109876543210987":[{"type":"messenger","call_count":100,"estimated_time_to_regain_access":19}]}"#;
        let body = r#"{"error":{"message":"(#80006)","type":"OAuthException","code":80006}}"#;
        let error = read::<serde_json::Value>(&answer(400, &[("x-business-use-case-usage", usage)], body), false);
        let Err(GraphError::Unreachable(Unreachable::Throttled(error))) = error else { panic!("throttled") };
        assert_eq!(error.regain_access, Some(Duration::from_secs(19 * 60)));
    }

    #[test]
    fn the_answering_version_is_read() {
        let read =
            read::<serde_json::Value>(&answer(200, &[("facebook-api-version", "v21.0")], "{}"), false).expect("read");
        assert_eq!(read.version.map(|version| version.to_string()).as_deref(), Some("v21.0"));
    }

    fn form(body: &Body) -> HashMap<String, String> {
        let Body::Form(pairs) = body else { panic!("a form") };
        pairs.iter().cloned().collect()
    }

    #[test]
    fn operations_have_their_own_token_and_proof() {
        let (token, app) = (Secret::new("EAAEmulatorPageToken0001"), app());
        let other = Secret::new("EAA other&token");
        let reads = [
            GraphRequest::read("/me", &token, Some(&app)).fields("id,name"),
            GraphRequest::read("/5/subscribed_apps", &other, None)
                .verb(Verb::Set)
                .with("subscribed_fields", "messages"),
            GraphRequest::read_as_app("/9/subscriptions", &app),
        ];
        let speaker = reads[0].authority.clone();
        let sent = batch(&base(), GraphVersion::DEFAULT, &speaker, reads.iter(), NOW);
        assert_eq!(sent.url.as_str(), "http://127.0.0.1:1/v26.0/", "no token in the address");
        assert!(sent.authorization.is_some_and(|value| value.is_sensitive()));
        let form = form(&sent.body);
        assert_eq!(form["appsecret_time"], NOW.to_string());
        let operations: serde_json::Value = serde_json::from_str(&form["batch"]).expect("json");
        assert_eq!(
            operations[0]["relative_url"],
            "me?fields=id%2Cname&appsecret_proof=fd584409fd6f3ae595caa621ce0e53470480a63e0e3ffa627cc1bbe65c0035b0\
             &appsecret_time=1790000000&access_token=EAAEmulatorPageToken0001"
        );
        assert_eq!(operations[1]["method"], "POST");
        assert_eq!(operations[1]["body"], "subscribed_fields=messages&access_token=EAA+other%26token");
        let own = operations[2]["relative_url"].as_str().expect("text");
        assert!(own.ends_with("?access_token=123456789012345%7C0123456789abcdef0123456789abcdef"), "{own}");
    }

    #[test]
    fn items_are_answers_of_their_own_and_null_is_none() {
        let body = r#"[{"code":200,"headers":[{"name":"Facebook-API-Version","value":"v26.0"}],"body":"{\"id\":\"1\"}"},
            null,{"code":400,"body":"{\"error\":{\"message\":\"x\",\"code\":190}}"},{"nothing":1}]"#;
        let found = items(&answer(200, &[], body), 4, false).expect("items");
        let first = read::<serde_json::Value>(found[0].as_ref().expect("an answer"), false).expect("read");
        assert_eq!((first.value["id"].as_str(), first.version), (Some("1"), Some(GraphVersion::DEFAULT)));
        assert!(found[1].is_none());
        let refused = read::<serde_json::Value>(found[2].as_ref().expect("an answer"), false).expect_err("refused");
        assert!(matches!(refused, GraphError::Refused(error) if error.code == Some(190)));
        let broken = read::<serde_json::Value>(found[3].as_ref().expect("an answer"), false).expect_err("broken");
        assert!(matches!(broken, GraphError::Unreachable(Unreachable::NotGraph { .. })));
        let one = items(&answer(200, &[], r#"[{"code":200,"body":"{}"}]"#), 1, false).expect("one item");
        assert_eq!(one[0].as_ref().map(|item| item.status), Some(200));
        for body in ["[]", "{}", "[null", "<html>"] {
            assert!(items(&answer(200, &[], body), 4, false).is_err(), "{body}");
        }
    }

    #[test]
    fn the_highest_number_of_the_apps_usage_counts() {
        let usage = r#"{"call_count":28,"total_time":110,"total_cputime":25}"#;
        let mut headers = HeaderMap::new();
        headers.insert("x-app-usage", HeaderValue::from_static(usage));
        assert_eq!(app_usage(&headers), Some(110));
        assert_eq!(app_usage(&HeaderMap::new()), None);
    }
}
