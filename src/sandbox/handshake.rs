//! The verification of a callback, while the POST that names it waits for its answer
//! (webhook/FACTS.md, "The handshake"; graph/FACTS.md, "Errors of callback
//! verification").

use axum::http::StatusCode;
use rand::RngExt as _;

use super::answer::Refusal;
use super::callback;
use super::journal::Parameter;
use super::shared::SharedWorld;
use crate::http::{Fault, Request, Url, header};

/// Meta's `User-Agent` for the verification.
const AGENT: &str = "facebookplatform/1.0 (+http://developers.facebook.com)";
/// How much of a wrong answer is shown.
const SHOWN: usize = 20;

/// Asks a callback for the challenge; the error is the answer to the caller.
pub(super) async fn verify(world: &SharedWorld, url: &Url, verify_token: &str) -> Result<(), Refusal> {
    let challenge = rand::rng().random_range(1_000_000_000_u32..=2_147_483_647).to_string();
    let mut asked = url.clone();
    asked
        .query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", &challenge)
        .append_pair("hub.verify_token", verify_token);
    let mut request = Request::get(asked);
    request.headers = vec![
        (header::USER_AGENT, header::HeaderValue::from_static(AGENT)),
        (header::ACCEPT, header::HeaderValue::from_static("*/*")),
    ];
    let answer = world.handshakes().send(request).await;
    let result = match &answer {
        Ok(answer) => Ok(answer.status),
        Err(_) if !crate::address::is_loopback(url) => {
            Err("not sent: this sandbox sends nothing outside this machine; name a callback at http://127.0.0.1".into())
        }
        Err(fault) => Err(fault.to_string()),
    };
    let parameters = [("hub.mode", "subscribe"), ("hub.challenge", &challenge), ("hub.verify_token", "(hidden)")];
    let parameters = parameters.map(|(name, value)| Parameter { name: name.into(), value: value.into() });
    {
        let mut world = world.lock();
        let entry = callback::entry(&world, "GET", url, "verification", parameters.into(), result);
        world.journal.add(entry);
    }
    judge(
        url,
        &challenge,
        answer.as_ref().map(|answer| (answer.status, answer.body.as_slice())).map_err(|fault| *fault),
    )
}

fn judge(url: &Url, challenge: &str, answer: Result<(u16, &[u8]), Fault>) -> Result<(), Refusal> {
    match answer {
        Ok((200, body)) if body == challenge.as_bytes() => Ok(()),
        Ok((200, body)) => {
            let body = String::from_utf8_lossy(body);
            let mut received: String = body.chars().take(SHOWN).collect();
            if body.chars().count() > SHOWN {
                received.push_str("...");
            }
            Err(Refusal::oauth(
                2201,
                format!(
                    "(#2201) response does not match challenge, expected value=\"{challenge}\", received=\"{received}\""
                ),
            ))
        }
        Ok((status, _)) => {
            let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
            let reason = reason.unwrap_or_default();
            Err(failed(&format!("HTTP Status Code = {status}; HTTP Message = {reason}")))
        }
        Err(fault) => {
            let (number, words) = curl_error(url, fault);
            Err(failed(&format!("curl_errno = {number}; curl_error = {words}; HTTP Status Code = 0")))
        }
    }
}

fn failed(what: &str) -> Refusal {
    Refusal::oauth(2200, format!("(#2200) Callback verification failed with the following errors: {what}"))
}

/// The error number and text of curl, which Meta uses.
fn curl_error(url: &Url, fault: Fault) -> (u8, String) {
    let host = url.host_str().unwrap_or_default();
    match fault {
        Fault::Dns => (6, format!("Could not resolve host: {host}")),
        Fault::Timeout | Fault::ConnectTimeout => (28, "Operation timed out".into()),
        Fault::Certificate(problem) => (60, format!("SSL certificate problem: {problem}")),
        Fault::Tls | Fault::ClientCertificate => (35, "SSL connect error".into()),
        Fault::Broken => (52, "Empty reply from server".into()),
        Fault::TooLarge => (63, "Maximum file size exceeded".into()),
        Fault::Refused | Fault::Connect | Fault::ProxyAuth | Fault::ProxyRefused { .. } => {
            let port = url.port_or_known_default().unwrap_or_default();
            (7, format!("Failed to connect to {host} port {port}: Connection refused"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(answer: Result<(u16, &[u8]), Fault>) -> (i64, String) {
        let url = Url::parse("https://hooks.example.com/messenger").expect("a URL");
        let refusal = judge(&url, "6736819", answer).expect_err("refused");
        (refusal.code, refusal.message)
    }

    #[test]
    fn only_the_bare_challenge_counts() {
        let url = Url::parse("http://127.0.0.1/").expect("a URL");
        assert!(judge(&url, "6736819", Ok((200, b"6736819"))).is_ok());
        let (code, text) = message(Ok((200, b"<!DOCTYPE html><html><head>")));
        assert_eq!(
            (code, text.as_str()),
            (
                2201,
                "(#2201) response does not match challenge, expected value=\"6736819\", received=\"<!DOCTYPE html><html...\""
            )
        );
        assert!(message(Ok((200, b"\"6736819\""))).1.ends_with("received=\"\"6736819\"\""));
        assert_eq!(message(Ok((200, b"6736819\n"))).0, 2201);
    }

    #[test]
    fn failures_are_told_in_metas_words() {
        let start = "(#2200) Callback verification failed with the following errors: ";
        let cases = [
            (message(Ok((404, b""))), "HTTP Status Code = 404; HTTP Message = Not Found"),
            (message(Err(Fault::Timeout)), "curl_errno = 28; curl_error = Operation timed out; HTTP Status Code = 0"),
            (
                message(Err(Fault::Dns)),
                "curl_errno = 6; curl_error = Could not resolve host: hooks.example.com; HTTP Status Code = 0",
            ),
        ];
        for ((code, text), end) in cases {
            assert_eq!((code, text), (2200, format!("{start}{end}")));
        }
        let certificate = Fault::Certificate(crate::http::CertificateProblem::Untrusted);
        assert!(message(Err(certificate)).1.contains("curl_errno = 60"));
    }
}
