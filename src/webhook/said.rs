//! Reads the answer of a receiver that does not repeat the challenge: its own error, to find a
//! cause, and its first words, to quote.

use serde_json::Value;
use url::Url;

use crate::http::Response;
use crate::secrets::{Secret, redact};
use crate::text::{MASK, excerpt, harmless};

/// The longest quotation.
const QUOTED: usize = 200;
/// How much of a body is searched for a cause.
const READ: usize = 16 * 1024;

/// A callback and the verify token it was asked with.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub callback: &'a Url,
    pub token: &'a Secret,
}

impl Asked<'_> {
    /// A text of the receiver without the parts of the request that it repeats (the verify token
    /// and the keys in the callback's query), and without anything that looks like a token.
    pub fn hidden_in(&self, text: &str) -> String {
        const SHORTEST: usize = 6;
        let mut text = self.token.hidden_in(text);
        for (name, value) in self.callback.query_pairs().filter(|(_, value)| !value.is_empty()) {
            text = text.replace(&format!("{name}={value}"), &format!("{name}={MASK}"));
            if value.len() >= SHORTEST {
                text = Secret::new(value).hidden_in(&text);
            }
        }
        redact(&text)
    }
}

/// The same for a text about a handshake from another source.
pub fn hidden_in(text: &str, callback: &Url, token: &Secret) -> String {
    Asked { callback, token }.hidden_in(text)
}

pub(super) struct Said {
    /// Code and message of the receiver's own error, in lower case, or the text of a page.
    words: String,
    /// The first words, without the verify token; empty if it said nothing.
    pub quote: String,
    pub is_html: bool,
}

impl Said {
    pub fn of(answer: &Response, asked: &Asked<'_>) -> Self {
        let body = String::from_utf8_lossy(&answer.body[..answer.body.len().min(READ)]);
        let is_html = is_html(answer, &body);
        let text = if is_html { without_tags(&body) } else { body.into_owned() };
        let words = match serde_json::from_slice::<Value>(&answer.body) {
            Ok(value @ Value::Object(_)) => own_error(&value).join(" "),
            _ => text.clone(),
        };
        Self { words: words.to_lowercase(), quote: excerpt(&asked.hidden_in(&harmless(&text)), QUOTED), is_html }
    }

    pub fn has(&self, any: &[&str]) -> bool {
        any.iter().any(|part| self.words.contains(part))
    }

    /// Whether the challenge is the page's only text.
    pub fn repeats(&self, challenge: &str) -> bool {
        self.words.trim() == challenge
    }

    pub fn is_empty(&self) -> bool {
        self.quote.trim_matches(['\0', ' ']).is_empty()
    }
}

/// The texts of a receiver's error object: its code and its message.
fn own_error(value: &Value) -> Vec<String> {
    const NAMES: [&str; 12] = [
        "code",
        "error",
        "errors",
        "errorCode",
        "error_code",
        "error_description",
        "message",
        "errorMessage",
        "detail",
        "title",
        "reason",
        "hint",
    ];
    let mut found = Vec::new();
    for name in NAMES {
        match value.get(name) {
            Some(Value::String(text)) => found.push(text.clone()),
            Some(Value::Number(number)) => found.push(number.to_string()),
            Some(inner @ Value::Object(_)) => found.extend(own_error(inner)),
            Some(Value::Array(items)) => found.extend(items.iter().take(4).flat_map(own_error)),
            _ => {}
        }
    }
    found
}

fn is_html(answer: &Response, body: &str) -> bool {
    let named = answer.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let start: String = body.trim_start().chars().take(16).collect::<String>().to_lowercase();
    start.starts_with("<!doctype") || start.starts_with("<html") || named.contains("html") && start.starts_with('<')
}

/// The text of a page, without tags, scripts and styles.
fn without_tags(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        text.push(' ');
        let from = &rest[start..];
        let name: String = from[1..].chars().take(6).collect::<String>().to_lowercase();
        let end = match () {
            () if name.starts_with("script") => "</script",
            () if name.starts_with("style") => "</style",
            () => ">",
        };
        // Tags are ASCII, so lower-casing ASCII keeps all positions.
        let Some(at) = from.to_ascii_lowercase().find(end) else { return text };
        let after = &from[at + end.len()..];
        rest = if end == ">" { after } else { after.split_once('>').map_or("", |(_, rest)| rest) };
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::header::HeaderMap;

    fn said(body: &str) -> Said {
        let answer = Response { status: 401, headers: HeaderMap::new(), body: body.as_bytes().to_vec() };
        let callback = Url::parse("https://x.example/hook?code=function-key&v=1").expect("a URL");
        Said::of(&answer, &Asked { callback: &callback, token: &Secret::new("verify0123456789") })
    }

    #[test]
    fn the_receivers_own_error_is_read_and_no_other_field() {
        let found = said(r#"{"error":{"code":"Bad","message":"Invalid Signature"},"path":"/token"}"#);
        assert!(found.has(&["signature"]) && !found.has(&["token"]));
        assert!(said(r#"{"errors":[{"detail":"no key"}]}"#).has(&["no key"]));
        assert!(said("Invalid webhook SIGNATURE").has(&["signature"]));
    }

    #[test]
    fn what_a_receiver_repeats_of_the_request_is_hidden() {
        let quote =
            said("no: /hook?code=function-key&v=1&hub.verify_token=verify0123456789, EAAB0123456789012345").quote;
        assert_eq!(quote, "no: /hook?code=********&v=********&hub.verify_token=********, ********");
    }

    #[test]
    fn pages_are_quoted_without_their_tags() {
        let page = "<!DOCTYPE html><html><head><style>b{}</style><script>alert('x')</script></head><body>The endpoint <b>is</b> offline.</body></html>";
        let found = said(page);
        assert!(found.is_html);
        assert_eq!(found.quote, "The endpoint is offline.");
        assert_eq!(said("<!DOCTYPE html><script>never closed").quote, "");
        assert_eq!(said("bad token verify0123456789\u{1b}[2J").quote, "bad token ******** [2J");
        assert!(said(" \r\n\0").is_empty());
    }
}
