//! Plays Meta: asks a callback for the handshake with the right verify token and
//! with a wrong one, and says what is wrong with its answers.

use std::time::{Duration, Instant};

use rand::RngExt as _;
use rand::distr::{Alphanumeric, SampleString as _};
use url::Url;

use super::certificate::{self, Chain};
use super::challenge::{Spelling, address};
use super::prober::is_loopback;
use super::problem::Problem;
use crate::http::header::{ACCEPT, HeaderValue, LOCATION, USER_AGENT, WWW_AUTHENTICATE};
use crate::http::{CertificateProblem, Client, Fault, Request, Response};
use crate::secrets::Secret;

/// What a callback may take to answer: Meta's documented limit for events; it was
/// seen to wait 6 s for a handshake (facts of Graph, sections 4.5 and 5.4).
pub const LIMIT: Duration = Duration::from_secs(5);

/// From here on an answer is warned of: under load it would be late.
const SLOW: Duration = Duration::from_secs(3);

/// The agent that Meta was recorded with.
pub const AGENT: &str = "facebookplatform/1.0 (+http://developers.facebook.com)";

/// What came of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// How long it took.
    pub duration: Duration,
    /// The HTTP status, or why there is none.
    pub status: Result<u16, Fault>,
    /// Whether the body was the challenge and nothing else.
    pub challenge_repeated: bool,
}

/// What was found out about a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// With the right token; not asked where it would have travelled in the open.
    pub right: Option<Exchange>,
    /// With a wrong one; asked only where the right one was answered as it should be.
    pub wrong: Option<Exchange>,
    /// What is wrong; nothing where Meta would be content.
    pub problem: Option<Problem>,
}

/// Asks `callback` as Meta would. `client` follows no redirect and gives up after
/// [`LIMIT`].
pub async fn probe(client: &Client, callback: &Url, verify_token: &Secret) -> Probe {
    if callback.scheme() != "https" && !is_loopback(callback) {
        return Probe { right: None, wrong: None, problem: Some(Problem::NotHttps) };
    }
    let (right, answer, challenge) = ask(client, callback, verify_token, Spelling::Dots).await;
    let mut problem = match &answer {
        Err(fault) => Some(of_fault(*fault, callback).await),
        Ok(answer) => of_answer(answer, &challenge, verify_token),
    };
    if answer.is_ok() && problem.as_ref().is_some_and(Problem::may_be_spelling) {
        // Frameworks that turn the dots into underscores are one cause; ask them.
        let (_, answer, challenge) = ask(client, callback, verify_token, Spelling::Underscores).await;
        if answer.is_ok_and(|answer| of_answer(&answer, &challenge, verify_token).is_none()) {
            problem = Some(Problem::Underscores);
        }
    }
    if problem.is_some() {
        return Probe { right: Some(right), wrong: None, problem };
    }
    let wrong_token = Secret::new(Alphanumeric.sample_string(&mut rand::rng(), 32));
    let (wrong, answer, challenge) = ask(client, callback, &wrong_token, Spelling::Dots).await;
    let repeats = |answer: Response| answer.status == 200 && contains(&answer.body, challenge.as_bytes());
    let problem = if answer.is_ok_and(repeats) {
        Some(Problem::AnyToken)
    } else {
        (right.duration >= SLOW).then_some(Problem::Slow(right.duration))
    };
    Probe { right: Some(right), wrong: Some(wrong), problem }
}

async fn ask(
    client: &Client,
    callback: &Url,
    token: &Secret,
    spelling: Spelling,
) -> (Exchange, Result<Response, Fault>, String) {
    // Seven to ten digits, as Meta's were seen to be.
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
        Fault::Certificate(CertificateProblem::Untrusted) => match certificate::look(callback, LIMIT).await {
            Some(Chain::SelfSigned) => Problem::CertificateSelfSigned,
            Some(Chain::Alone { issuer }) => Problem::ChainIncomplete { issuer },
            Some(Chain::Foreign { issuer }) => Problem::AuthorityUnknown { issuer },
            None => Problem::AuthorityUnknown { issuer: "somebody unknown".into() },
        },
        Fault::Tls => Problem::Tls,
        Fault::Connect => Problem::NoRoute,
        Fault::Broken => Problem::BrokenOff,
        Fault::TooLarge => Problem::OtherBody { start: "more than 8 MiB".into() },
    }
}

/// What is wrong with an answer to the right token.
fn of_answer(answer: &Response, challenge: &str, token: &Secret) -> Option<Problem> {
    let header = |name| answer.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let html = is_html(answer);
    match answer.status {
        200 => of_body(&answer.body, challenge, html, token),
        status @ 300..=399 => {
            let to = header(LOCATION).unwrap_or("nowhere").split('?').next().unwrap_or_default();
            Some(Problem::Redirect { status, to: start(to, token) })
        }
        401 if html || header(WWW_AUTHENTICATE).is_some() => Some(Problem::LoginNeeded),
        403 if html => Some(Problem::Forbidden),
        status @ (401 | 403) => Some(Problem::TokenRefused { status }),
        404 | 410 => Some(Problem::NotFound),
        405 | 501 => Some(Problem::MethodNotAllowed),
        status @ 500.. => Some(Problem::ServerError { status }),
        status => Some(Problem::OtherStatus { status }),
    }
}

fn of_body(body: &[u8], challenge: &str, html: bool, token: &Secret) -> Option<Problem> {
    if body == challenge.as_bytes() {
        return None;
    }
    let text = String::from_utf8_lossy(body);
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\0');
    Some(match trimmed {
        "" => Problem::EmptyBody,
        inner if inner == challenge => Problem::PaddedChallenge,
        inner if inner.trim_matches(['"', '\'']) == challenge => Problem::QuotedChallenge,
        _ if html => Problem::Html,
        inner if inner.contains(challenge) => Problem::WrappedChallenge { start: start(inner, token) },
        inner => Problem::OtherBody { start: start(inner, token) },
    })
}

/// The first characters of what a receiver says, harmless for a terminal and without
/// the verify token, which some repeat.
fn start(text: &str, token: &Secret) -> String {
    const LONGEST: usize = 60;
    let text = token.hidden_in(text);
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    if text.chars().count() > LONGEST { format!("{line}…") } else { line }
}

fn is_html(answer: &Response) -> bool {
    let named = answer.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let body = String::from_utf8_lossy(&answer.body[..answer.body.len().min(512)]).trim_start().to_lowercase();
    body.starts_with("<!doctype") || body.starts_with("<html") || named.contains("html") && body.starts_with('<')
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
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
        of_answer(&response, "39676783", &Secret::new("verify0123456789"))
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
            (answer(401, &[], ""), Some("token_refused")),
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
            assert_eq!(found.as_ref().map(Problem::id), expected, "{found:?}");
        }
    }
}
