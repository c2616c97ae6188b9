//! Plays Meta: asks a callback for the handshake with the right verify token and with a wrong
//! one, and judges the answers.

use std::time::{Duration, Instant};

use rand::RngExt as _;
use rand::distr::{Alphanumeric, SampleString as _};
use url::Url;

use super::certificate;
use super::challenge::{Spelling, address};
use super::problem::Problem;
use super::said::{Asked, Said};
use crate::address::{is_loopback, is_private, is_private_ip};
use crate::http::header::{ACCEPT, HeaderValue, LOCATION, USER_AGENT, WWW_AUTHENTICATE};
use crate::http::{CertificateProblem, Client, Fault, Request, Response};
use crate::secrets::Secret;
use crate::text::excerpt;

/// How long a callback may take to answer: Meta's documented limit for events. Meta has been
/// seen to wait 6 s for a handshake (webhook/FACTS.md, "Answer time and retries";
/// graph/FACTS.md, "Errors of callback verification").
pub const LIMIT: Duration = Duration::from_secs(5);

/// How long a callback may take to answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Then the client gives up.
    pub limit: Duration,
    /// From here the answer gets a warning: under load it would be late.
    pub slow: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { limit: LIMIT, slow: Duration::from_secs(3) }
    }
}

/// The `User-Agent` recorded from Meta.
pub const AGENT: &str = "facebookplatform/1.0 (+http://developers.facebook.com)";

/// The result of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    pub duration: Duration,
    /// The HTTP status, or why there is none.
    pub status: Result<u16, Fault>,
    /// Whether the body was only the challenge.
    pub challenge_repeated: bool,
}

/// The result of probing a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// With the right token; `None` if it would have been sent unencrypted.
    pub right: Option<Exchange>,
    /// With a wrong one; sent only if the right one succeeded.
    pub wrong: Option<Exchange>,
    /// What is wrong; `None` if Meta would accept it.
    pub problem: Option<Problem>,
    /// The first words of the receiver's answer, where it was not the challenge.
    pub says: Option<String>,
}

/// Asks `callback` as Meta would. `client` follows no redirects; an answer slower than `slow`
/// gets a warning.
pub(super) async fn probe(client: &Client, callback: &Url, verify_token: &Secret, slow: Duration) -> Probe {
    if callback.scheme() != "https" && !is_loopback(callback) {
        return Probe { right: None, wrong: None, problem: Some(Problem::NotHttps), says: None };
    }
    let asked = Asked { callback, token: verify_token };
    let (right, answer, challenge) = ask(client, callback, verify_token, Spelling::Dots).await;
    let mut problem = match &answer {
        Err(fault) => Some(of_fault(*fault, callback).await),
        Ok(answer) => of_answer(answer, &challenge, &asked),
    };
    let says = problem.as_ref().and(answer.as_ref().ok()).map(|answer| Said::of(answer, &asked).quote);
    let says = says.filter(|quote| !quote.is_empty());
    if answer.is_ok() && problem.as_ref().is_some_and(Problem::may_be_spelling) {
        // Frameworks that turn dots into underscores are a common cause: try that spelling.
        let (_, answer, challenge) = ask(client, callback, verify_token, Spelling::Underscores).await;
        if answer.is_ok_and(|answer| of_answer(&answer, &challenge, &asked).is_none()) {
            problem = Some(Problem::Underscores);
        }
    }
    if problem.is_some() {
        return Probe { right: Some(right), wrong: None, problem, says };
    }
    let wrong_token = Secret::new(Alphanumeric.sample_string(&mut rand::rng(), 32));
    let (wrong, answer, challenge) = ask(client, callback, &wrong_token, Spelling::Dots).await;
    let repeats = |answer: Response| answer.status == 200 && contains(&answer.body, challenge.as_bytes());
    let problem = if answer.is_ok_and(repeats) {
        Some(Problem::AnyToken)
    } else if let Some(host) = private_address(callback).await {
        Some(Problem::PrivateAddress { host })
    } else {
        (right.duration >= slow).then_some(Problem::Slow { took: right.duration })
    };
    Probe { right: Some(right), wrong: Some(wrong), problem, says: None }
}

async fn ask(
    client: &Client,
    callback: &Url,
    token: &Secret,
    spelling: Spelling,
) -> (Exchange, Result<Response, Fault>, String) {
    // Seven to ten digits, as Meta has been seen to send.
    let challenge = rand::rng().random_range(1_000_000_u64..2_200_000_000).to_string();
    let mut request = Request::get(address(callback, &challenge, token, spelling));
    request.headers = vec![(USER_AGENT, HeaderValue::from_static(AGENT)), (ACCEPT, HeaderValue::from_static("*/*"))];
    let start = Instant::now();
    let answer = client.send(request).await;
    let exchange = Exchange {
        duration: start.elapsed(),
        status: answer.as_ref().map(|answer| answer.status).map_err(|fault| *fault),
        challenge_repeated: answer.as_ref().is_ok_and(|answer| answer.body == challenge.as_bytes()),
    };
    (exchange, answer, challenge)
}

async fn of_fault(fault: Fault, callback: &Url) -> Problem {
    let host = callback.host_str().unwrap_or_default().to_owned();
    match fault {
        Fault::Dns => Problem::Dns { host },
        Fault::Refused => Problem::Refused,
        Fault::ConnectTimeout | Fault::Timeout => Problem::Timeout,
        Fault::Certificate(CertificateProblem::Expired) => Problem::CertificateExpired,
        Fault::Certificate(CertificateProblem::NotYetValid) => Problem::CertificateNotYetValid,
        Fault::Certificate(CertificateProblem::WrongName) => Problem::CertificateOfAnotherHost { host },
        Fault::Certificate(CertificateProblem::Untrusted) => {
            let unknown = || Problem::AuthorityUnknown { issuer: "name unknown".into() };
            certificate::look(callback, LIMIT).await.problem.unwrap_or_else(unknown)
        }
        Fault::ClientCertificate => Problem::ClientCertificateWanted,
        // Some servers disconnect silently when no client certificate comes.
        Fault::Tls | Fault::Broken
            if callback.scheme() == "https" && certificate::look(callback, LIMIT).await.wants_client_certificate =>
        {
            Problem::ClientCertificateWanted
        }
        Fault::Tls => Problem::Tls,
        Fault::ProxyAuth => Problem::ProxyAuth,
        Fault::ProxyRefused { status } => Problem::ProxyRefused { status },
        Fault::Connect => Problem::NoRoute,
        Fault::Broken => Problem::BrokenOff,
        Fault::TooLarge => Problem::OtherBody { start: "more than 8 MiB".into() },
    }
}

/// What is wrong with an answer to the right token.
fn of_answer(answer: &Response, challenge: &str, asked: &Asked<'_>) -> Option<Problem> {
    if answer.status == 200 && answer.body == challenge.as_bytes() {
        return None;
    }
    let said = Said::of(answer, asked);
    if let Some(problem) = before_the_receiver(answer, challenge, asked.callback, &said) {
        return Some(problem);
    }
    let header = |name| text_of(answer, name);
    Some(match answer.status {
        200 => of_body(&answer.body, challenge, &said, asked),
        status @ 300..=399 => {
            let to = header(LOCATION.as_str()).map_or_else(|| "nowhere".to_owned(), place);
            Problem::Redirect { status, to: start(&to, asked) }
        }
        401 if said.is_html || header(WWW_AUTHENTICATE.as_str()).is_some() => Problem::LoginNeeded,
        403 if said.is_html => Problem::Forbidden,
        401 if !said.has(&OF_THE_TOKEN) => Problem::Unauthorized,
        status @ (401 | 403) => Problem::TokenRefused { status },
        404 | 410 => Problem::NotFound,
        405 | 501 => Problem::MethodNotAllowed,
        status @ 500.. => Problem::ServerError { status },
        status => Problem::OtherStatus { status },
    })
}

/// Texts by which receivers say that the verify token differs.
const OF_THE_TOKEN: [&str; 9] = [
    "verif",
    "hub.mode",
    "hub_mode",
    "challenge",
    "validation",
    "mismatch",
    "invalid token",
    "wrong token",
    "incorrect token",
];

/// Where a redirect leads, without user, query and fragment, which may hold secrets.
fn place(location: &str) -> String {
    let plain = location.split(['?', '#']).next().unwrap_or_default();
    match Url::parse(plain) {
        Ok(mut url) if url.password().is_some() || !url.username().is_empty() => {
            // Fails only for addresses without a host, which have no user either.
            let _ = url.set_username("").and_then(|()| url.set_password(None));
            url.into()
        }
        _ => plain.to_owned(),
    }
}

/// Hosts of services that tunnel to a machine behind a firewall.
const TUNNELS: [&str; 10] = [
    "ngrok.io",
    "ngrok.app",
    "ngrok.dev",
    "ngrok-free.app",
    "ngrok-free.dev",
    "loca.lt",
    "trycloudflare.com",
    "devtunnels.ms",
    "serveo.net",
    "lhr.life",
];

/// Recognises, from headers and error texts, a service in front of the receiver that answers in
/// its place, and a requirement that Meta's handshake does not meet.
fn before_the_receiver(answer: &Response, challenge: &str, callback: &Url, said: &Said) -> Option<Problem> {
    let status = answer.status;
    let has = |name: &str| answer.headers.contains_key(name);
    let host = callback.host_str().unwrap_or_default();
    let of_tunnel = TUNNELS.iter().any(|end| host.strip_suffix(end).is_some_and(|rest| rest.ends_with('.')));
    if said.has(&["no required ssl certificate", "the ssl certificate error", "client certificate required"])
        || said.has(&["client certificate"]) && status != 200
    {
        return Some(Problem::ClientCertificateWanted);
    }
    let closed = matches!(status, 404 | 408 | 429 | 502..=504 | 511 | 530);
    if has("ngrok-error-code")
        || said.has(&["err_ngrok_", "error code: 1033", "tunnel website ahead", "tunnel not found"])
        || of_tunnel && (said.is_html || closed && !said.has(&["cannot get"]))
        || status == 530 && text_of(answer, "server").is_some_and(|server| server.contains("cloudflare"))
    {
        return Some(Problem::TunnelPage { status });
    }
    if status == 404 && said.has(&["not registered for get"]) {
        return Some(Problem::MethodNotAllowed);
    }
    let repeats = status == 200 && contains(&answer.body, challenge.as_bytes());
    let off = [
        "inactive",
        "not active",
        "must be active",
        "disabled",
        "notenabled",
        "not enabled",
        "deactivated",
        "paused",
        "turned off",
    ];
    if !repeats
        && (said.has(&["webhook"]) && said.has(&["not registered"])
            || said.has(&["no scenario listening", "workflowtriggerisnotenabled"])
            || status != 200 && !said.is_html && said.has(&["workflow", "scenario", "automation"]) && said.has(&off))
    {
        return Some(Problem::WorkflowInactive { status });
    }
    if matches!(status, 400 | 401 | 403 | 422) && said.has(&["signature", "x-hub"]) {
        return Some(Problem::SignatureWanted { status });
    }
    let names_a_key = text_of(answer, WWW_AUTHENTICATE.as_str()).is_some_and(|value| {
        let value = value.to_lowercase();
        ["api key", "apikey", "api-key", "api_key", "managementkey", "subscription"]
            .iter()
            .any(|key| value.contains(key))
    });
    let of_gateway =
        ["x-amzn-errortype", "apigw-requestid", "x-amz-apigw-id", "x-kong-response-latency", "x-kong-request-id"];
    let wants_key = [
        "api key",
        "apikey",
        "api-key",
        "api_key",
        "subscription key",
        "function key",
        "missing authentication token",
        "unregistered callers",
    ];
    let silent = status == 401 && said.is_empty() && !has(WWW_AUTHENTICATE.as_str());
    if matches!(status, 401 | 403)
        && (names_a_key || silent || said.has(&wants_key) || of_gateway.iter().any(|name| has(name)))
    {
        return Some(Problem::GatewayKeyWanted { status });
    }
    None
}

fn text_of<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok())
}

fn of_body(body: &[u8], challenge: &str, said: &Said, asked: &Asked<'_>) -> Problem {
    let text = String::from_utf8_lossy(body);
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\0');
    match trimmed {
        "" => Problem::EmptyBody,
        inner if inner == challenge => Problem::PaddedChallenge,
        inner if inner.trim_matches(['"', '\'']) == challenge => Problem::QuotedChallenge,
        _ if said.is_html && !said.repeats(challenge) => Problem::Html,
        inner if inner.contains(challenge) => Problem::WrappedChallenge { start: start(inner, asked) },
        inner => Problem::OtherBody { start: start(inner, asked) },
    }
}

/// The first words of a receiver's answer, fit for a sentence.
fn start(text: &str, asked: &Asked<'_>) -> String {
    excerpt(&asked.hidden_in(text), 60)
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

/// The private address of a host, if its name resolves only to private ones.
async fn private_address(callback: &Url) -> Option<String> {
    let host = callback.host_str()?;
    if is_loopback(callback) {
        return None;
    }
    if is_private(callback) {
        return Some(host.to_owned());
    }
    let url::Host::Domain(name) = callback.host()? else { return None };
    let found = tokio::time::timeout(LIMIT, tokio::net::lookup_host((name, 443))).await.ok()?.ok()?;
    let all: Vec<std::net::IpAddr> = found.map(|address| address.ip()).collect();
    let address = all.first().filter(|_| all.iter().all(|address| is_private_ip(*address)))?;
    Some(format!("{host} ({address})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::header::HeaderMap;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Option<Problem> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        let response = Response { status, headers: map, body: body.as_bytes().to_vec() };
        let callback = Url::parse("https://hooks.example.com/hook").expect("a URL");
        let token = Secret::new("verify0123456789");
        of_answer(&response, "39676783", &Asked { callback: &callback, token: &token })
    }

    #[test]
    fn what_stands_before_a_receiver_is_told_apart() {
        let json = [("content-type", "application/json")];
        let html = [("content-type", "text/html")];
        let cases = [
            (
                answer(401, &json, r#"{"code":"WEBHOOK_SIGNATURE_INVALID","error":"Invalid webhook signature"}"#),
                "signature-wanted",
            ),
            (answer(403, &[], "Missing X-Hub-Signature-256 header"), "signature-wanted"),
            (answer(401, &[], ""), "gateway-key-wanted"),
            (answer(401, &[("www-authenticate", "AzureApiManagementKey realm=\"x\"")], ""), "gateway-key-wanted"),
            (
                answer(403, &[("x-amzn-errortype", "ForbiddenException")], r#"{"message":"Forbidden"}"#),
                "gateway-key-wanted",
            ),
            (answer(401, &json, r#"{"message":"No API key found in request"}"#), "gateway-key-wanted"),
            (answer(404, &[("ngrok-error-code", "ERR_NGROK_3200")], "offline"), "tunnel-page"),
            (answer(200, &html, "<!DOCTYPE html><html>ERR_NGROK_6024 You are about to visit</html>"), "tunnel-page"),
            (answer(530, &[("server", "cloudflare")], "error code: 1033"), "tunnel-page"),
            (
                answer(
                    404,
                    &json,
                    r#"{"code":404,"message":"The requested webhook \"GET x\" is not registered.","hint":"The workflow must be active for a production URL to run successfully."}"#,
                ),
                "workflow-inactive",
            ),
            (
                answer(
                    404,
                    &json,
                    r#"{"error":{"code":"WorkflowTriggerIsNotEnabled","message":"Could not execute workflow"}}"#,
                ),
                "workflow-inactive",
            ),
            (answer(410, &[], "There is no scenario listening for this webhook."), "workflow-inactive"),
            (
                answer(400, &html, "<html><body><center>No required SSL certificate was sent</center></body></html>"),
                "client-certificate-wanted",
            ),
            (answer(401, &json, r#"{"error":"Invalid verify token"}"#), "token-refused"),
            (answer(401, &json, r#"{"error":"go away"}"#), "unauthorized"),
            (answer(403, &[], ""), "token-refused"),
        ];
        for (found, expected) in cases {
            assert_eq!(found.as_ref().map(Problem::cause), Some(expected), "{found:?}");
        }
    }

    #[test]
    fn answers_are_told_apart() {
        let html = [("content-type", "text/html; charset=utf-8")];
        let cases = [
            (answer(200, &[], "39676783"), None),
            (answer(200, &html, "39676783"), None),
            (answer(200, &[("content-type", "application/json")], "\"39676783\""), Some("quoted_challenge")),
            (answer(200, &[], "39676783\n"), Some("padded_challenge")),
            (answer(200, &[], "\u{feff}39676783"), Some("padded_challenge")),
            (answer(200, &[], "{\"hub.challenge\":\"39676783\"}"), Some("wrapped_challenge")),
            (answer(200, &html, "<!DOCTYPE html><html>Log in</html>"), Some("html")),
            (answer(200, &[], ""), Some("empty_body")),
            (answer(200, &[], "Error, wrong validation token"), Some("other_body")),
            (answer(302, &[("location", "https://x/login?next=1")], ""), Some("redirect")),
            (answer(401, &[("www-authenticate", "Basic")], ""), Some("login_needed")),
            (answer(401, &[], ""), Some("gateway_key_wanted")),
            (answer(403, &[], "Forbidden"), Some("token_refused")),
            (answer(403, &html, "<html>Blocked</html>"), Some("forbidden")),
            (answer(404, &[], ""), Some("not_found")),
            (answer(405, &[], ""), Some("method_not_allowed")),
            (answer(502, &[], ""), Some("server_error")),
            (answer(204, &[], ""), Some("other_status")),
            (answer(400, &[], ""), Some("other_status")),
        ];
        let repeated = answer(200, &[], "bad token verify0123456789").map(|problem| problem.summary());
        assert_eq!(repeated.as_deref(), Some("the answer is not the challenge, but: bad token ********"));
        for (found, expected) in cases {
            assert_eq!(found.as_ref().map(Problem::id).as_deref(), expected, "{found:?}");
        }
    }
}
