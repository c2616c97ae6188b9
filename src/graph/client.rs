//! Sends calls to Graph and reads what comes back.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::http::Method;
use crate::http::header::{HeaderMap, HeaderValue};
use backon::Retryable as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::{ErrorBody, GraphError, Unreachable};
use super::{AppCredentials, Authority, BaseUrl, GraphRequest, GraphVersion, Verb, retry};
use crate::clock::Clock;
use crate::http::{self, Body, Request, SetupError};
use crate::secrets::Secret;

/// What Graph answered, and in which version.
#[derive(Debug)]
pub struct Answer<T> {
    /// The body.
    pub value: T,
    /// `facebook-api-version`: an expired version is served by the next one
    /// without an error (facts, section 1.1).
    pub version: Option<GraphVersion>,
}

/// A client of one Graph. The connection is made by the first call.
pub struct Client {
    base: BaseUrl,
    version: GraphVersion,
    clock: Clock,
    settings: http::Settings,
    http: OnceLock<http::Client>,
}

impl Client {
    /// A client that asks `base` in `version`.
    pub fn new(base: BaseUrl, version: GraphVersion, clock: Clock, settings: http::Settings) -> Self {
        Self { base, version, clock, settings, http: OnceLock::new() }
    }

    /// The version that is asked for.
    pub fn version(&self) -> GraphVersion {
        self.version
    }

    /// The time, as this client and its signatures see it.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Builds the HTTP client now, so that what is wrong with certificates or a
    /// proxy variable is known before the first call.
    pub fn prepare(&self) -> Result<(), SetupError> {
        if self.http.get().is_none() {
            let client = http::Client::new(&self.settings)?;
            // Another thread may have been first; either will do.
            let _ = self.http.set(client);
        }
        Ok(())
    }

    /// Makes a call, again where that can help, and reads the answer as `T`.
    pub async fn call<T: DeserializeOwned>(&self, request: &GraphRequest<'_>) -> Result<Answer<T>, GraphError> {
        let once = || self.once(request);
        once.retry(retry::backoff())
            .when(|error| retry::is_worth_it(error, !request.verb.is_repeatable()))
            .notify(|error, delay| {
                tracing::debug!(path = request.path, delay_ms = delay.as_millis(), reason = %kind(error), "trying again");
            })
            .await
    }

    async fn once<T: DeserializeOwned>(&self, request: &GraphRequest<'_>) -> Result<Answer<T>, GraphError> {
        let start = Instant::now();
        let method = match request.verb {
            Verb::Read => Method::GET,
            Verb::Set | Verb::Act => Method::POST,
            Verb::Remove => Method::DELETE,
        };
        let fault = |fault| GraphError::Unreachable(Unreachable::Fault(fault));
        let Some(http) = self.http.get() else {
            // `prepare` was not called or failed: the same as no network.
            return Err(fault(http::Fault::Connect));
        };
        let sent = http.send(self.address(method.clone(), request)).await;
        let ms = start.elapsed().as_millis();
        match &sent {
            Ok(response) => {
                tracing::info!(%method, path = request.path, status = response.status, ms, "graph");
                tracing::trace!(
                    version = header(&response.headers, "facebook-api-version"),
                    trace_id = header(&response.headers, "x-fb-trace-id"),
                    "graph headers"
                );
            }
            Err(fault) => tracing::info!(%method, path = request.path, %fault, ms, "graph"),
        }
        read(&sent.map_err(fault)?, matches!(request.authority, Authority::App(_) | Authority::InParameters))
    }

    /// Puts a call on the wire: token in the header, app token in the query.
    fn address(&self, method: Method, request: &GraphRequest<'_>) -> Request {
        let mut url = self.base.join(Some(self.version), &request.path);
        let mut pairs: Vec<(&str, String)> = request.query.clone();
        for (name, secret) in &request.hidden {
            pairs.push((name, secret.expose().to_owned()));
        }
        let mut authorization = None;
        match &request.authority {
            Authority::Token { token, app } => {
                authorization = bearer(token);
                if let Some(app) = app {
                    pairs.extend(self.signature(token, app));
                }
            }
            Authority::App(app) => pairs.push(("access_token", app.app_token().expose().to_owned())),
            Authority::InParameters => {}
        }
        let mut body = Body::Empty;
        if method == Method::POST {
            body = Body::Form(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
        } else if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        Request { method, url, authorization, headers: Vec::new(), body }
    }

    fn signature(&self, token: &Secret, app: &AppCredentials) -> [(&'static str, String); 2] {
        let now = self.clock.unix_seconds();
        [("appsecret_proof", app.timed_proof(token, now)), ("appsecret_time", now.to_string())]
    }
}

/// `Bearer TOKEN`. A token with characters that no header can hold gives none:
/// Graph then says that a token is missing, which is as near to the truth.
fn bearer(token: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Judges an answer by its body first: Graph has been seen to answer 200 with an
/// error, and old libraries expect it.
fn read<T: DeserializeOwned>(response: &http::Response, as_app: bool) -> Result<Answer<T>, GraphError> {
    let version = header(&response.headers, "facebook-api-version").and_then(|text| text.parse().ok());
    if let Ok(error) = serde_json::from_slice::<ErrorBody>(&response.body) {
        let mut error = error.into_error(response.status, regain_access(&response.headers));
        error.version = version;
        return Err(retry::classify(error, as_app));
    }
    let not_graph = || GraphError::Unreachable(Unreachable::NotGraph { status: response.status });
    if response.status != 200 {
        return Err(not_graph());
    }
    let value = serde_json::from_slice(&response.body).map_err(|_| not_graph())?;
    Ok(Answer { value, version })
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
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
    type UsageMap = std::collections::HashMap<String, Vec<Usage>>;
    let usage: UsageMap = serde_json::from_str(header(headers, "x-business-use-case-usage")?).ok()?;
    let minutes = usage.values().flatten().map(|usage| usage.estimated_time_to_regain_access).max()?;
    (minutes > 0).then(|| Duration::from_secs(minutes * 60))
}

/// A failure in one word, for the log.
fn kind(error: &GraphError) -> &'static str {
    match error {
        GraphError::Refused(_) => "refused",
        GraphError::Unreachable(Unreachable::Fault(_)) => "no answer",
        GraphError::Unreachable(Unreachable::NotGraph { .. }) => "not Graph",
        GraphError::Unreachable(Unreachable::Trouble(_)) => "trouble at Meta",
        GraphError::Unreachable(Unreachable::Throttled(_)) => "throttled",
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn client() -> Client {
        let clock = Clock::at(Timestamp::from_second(1_790_000_000).expect("a time"));
        let settings = http::Settings { timeout: Duration::from_secs(1), ca_bundle: None, loopback: true };
        Client::new("http://127.0.0.1:1".parse().expect("a base"), GraphVersion::DEFAULT, clock, settings)
    }

    fn app() -> AppCredentials {
        AppCredentials { id: "123456789012345".into(), secret: Secret::new("0123456789abcdef0123456789abcdef") }
    }

    #[test]
    fn the_token_travels_in_the_header_and_is_signed() {
        let (token, app) = (Secret::new("EAAEmulatorPageToken0001"), app());
        let request = GraphRequest::read("/me", &token, Some(&app)).fields("id,name");
        let sent = client().address(Method::GET, &request);
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
    fn the_app_token_travels_in_the_query() {
        let (token, app) = (Secret::new("EAAx"), app());
        let mut request = GraphRequest::read_as_app("/debug_token", &app);
        request.hidden.push(("input_token", &token));
        let sent = client().address(Method::GET, &request);
        assert!(sent.authorization.is_none());
        let pairs: Vec<(String, String)> = sent.url.query_pairs().into_owned().collect();
        assert_eq!(pairs[0], ("input_token".into(), "EAAx".into()));
        assert_eq!(pairs[1].1, "123456789012345|0123456789abcdef0123456789abcdef");
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
}
