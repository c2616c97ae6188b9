//! Graph's answers: bodies in its escaped form, its headers, and its errors with the status that
//! each was seen with.

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::response::Response;
use jiff::civil::Date;
use rand::distr::{Alphanumeric, SampleString as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::call::Call;
use super::versions::{Feature, Served};
use crate::json::without_nulls;

/// An answer before it is sent.
pub struct Answer {
    pub status: u16,
    pub body: Value,
    /// The code and subcode of an error.
    pub code: Option<(i64, Option<i64>)>,
    pub headers: Vec<(&'static str, String)>,
    /// A literal body in place of `body`.
    pub raw: Option<String>,
    /// The app is blocked.
    pub denied: bool,
    /// A page for a browser: `raw` is HTML.
    pub is_web: bool,
}

impl Answer {
    /// 200 with a body.
    pub fn ok(body: Value) -> Self {
        Self { status: 200, body, code: None, headers: Vec::new(), raw: None, denied: false, is_web: false }
    }
}

#[derive(Clone, Debug)]
pub struct Refusal {
    /// `error.code`; 0 for none, as in errors of a whole batch.
    pub code: i64,
    pub subcode: Option<i64>,
    /// `error.type`.
    pub kind: &'static str,
    pub message: String,
    /// The HTTP status, if it is not the code's usual one.
    pub status: Option<u16>,
    /// The app is blocked.
    pub denied: bool,
    /// `error.error_user_title` and `error.error_user_msg`.
    pub for_people: Option<(&'static str, &'static str)>,
}

impl Refusal {
    /// An error without subcode, with the code's usual status.
    pub fn new(code: i64, kind: &'static str, message: impl Into<String>) -> Self {
        Self { code, subcode: None, kind, message: message.into(), status: None, denied: false, for_people: None }
    }

    /// An `OAuthException`, as nearly all errors are.
    pub fn oauth(code: i64, message: impl Into<String>) -> Self {
        Self::new(code, "OAuthException", message)
    }

    pub fn with_status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    pub fn with_subcode(self, subcode: i64) -> Self {
        Self { subcode: Some(subcode), ..self }
    }
}

/// The refusal of a call above a limit, by the limit's code.
pub fn too_many(code: i64) -> Refusal {
    let text = match code {
        4 => "Application request limit reached",
        17 => "User request limit reached",
        32 => "Page request limit reached",
        613 => "Calls to this api have exceeded the rate limit.",
        _ => {
            "There have been too many calls to this Page account. Wait a bit and try again. For more info, please refer to https://developers.facebook.com/docs/graph-api/overview/rate-limiting."
        }
    };
    Refusal::oauth(code, format!("(#{code}) {text}"))
}

/// The status that a code was seen with (graph/FACTS.md, "HTTP status"); 400 for the others.
const STATUS: [(i64, u16); 9] =
    [(1, 500), (2, 500), (4, 403), (17, 403), (32, 403), (200, 403), (210, 403), (10, 403), (368, 403)];

/// Codes whose answers were seen with `is_transient: true`.
const TRANSIENT: [i64; 2] = [2, 4];

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let usual = STATUS.iter().find(|(code, _)| *code == refusal.code).map_or(400, |(_, status)| *status);
        let code = (refusal.code != 0).then_some(refusal.code);
        let error = without_nulls(json!({
            "message": refusal.message,
            "type": refusal.kind,
            "is_transient": TRANSIENT.contains(&refusal.code).then_some(true),
            "code": code,
            "error_subcode": refusal.subcode,
            "error_user_title": refusal.for_people.map(|(title, _)| title),
            "error_user_msg": refusal.for_people.map(|(_, text)| text),
        }));
        Self {
            status: refusal.status.unwrap_or(usual),
            code: code.map(|code| (code, refusal.subcode)),
            denied: refusal.denied,
            ..Self::ok(json!({ "error": error }))
        }
    }
}

/// The ids by which Meta can find an answer.
pub struct Trace {
    /// `error.fbtrace_id` and `x-fb-request-id`: `A` and 22 characters.
    pub id: String,
    short: String,
}

impl Trace {
    pub fn new() -> Self {
        let mut rng = rand::rng();
        Self {
            id: format!("A{}", Alphanumeric.sample_string(&mut rng, 22)),
            short: Alphanumeric.sample_string(&mut rng, 11),
        }
    }
}

/// An answer as sent over HTTP, or in an item of a batch.
pub struct Wire {
    pub status: u16,
    /// In Graph's order.
    pub headers: Vec<(&'static str, String)>,
    /// Usually empty or JSON.
    pub body: String,
}

impl Answer {
    /// The answer to `call` with Graph's headers.
    pub fn wire(mut self, call: &Call, trace: &Trace, served: Served) -> Wire {
        if self.is_web {
            return self.web();
        }
        let (major, minor) = served.version;
        // For any app: what has ended for one has ended for all.
        let has = |feature| served.has(feature, Date::MIN);
        let mut headers = Vec::new();
        if let Some(error) = self.body.get_mut("error").and_then(Value::as_object_mut) {
            let token = match self.code {
                Some((190, _)) => "invalid_token",
                Some((803, _)) => "not_found",
                // A code that cannot be exchanged.
                Some((100, Some(36_007..=36_009))) => "invalid_code",
                Some((200, None)) if self.denied => "access_denied",
                _ => "invalid_request",
            };
            let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
            let quoted = message.replace(['"', '\\', '\n'], " ");
            headers.push(("www-authenticate", format!("OAuth \"Facebook Platform\" \"{token}\" \"{quoted}\"")));
            error.insert("fbtrace_id".into(), trace.id.clone().into());
        } else if has(Feature::Debug)
            && let Some(body) = self.body.as_object_mut()
            && let Some(messages) = debug_messages(call, (major, minor))
        {
            body.insert("__debug__".into(), json!({ "messages": messages }));
        }
        let mut body = self.raw.unwrap_or_else(|| escaped(&self.body));
        let mut status = self.status;
        let tag = format!("\"{}\"", hex::encode(&Sha256::digest(body.as_bytes())[..20]));
        let is_read = has(Feature::Etag) && status == 200 && call.method == "GET";
        let unchanged = is_read && call.if_none_match.as_ref().is_some_and(|known| known.contains(&tag));
        if unchanged {
            status = 304;
            body.clear();
        }
        headers.extend([
            ("content-type", "application/json".into()),
            ("vary", "Accept-Encoding".into()),
            ("facebook-api-version", format!("v{major}.{minor}")),
            ("x-fb-request-id", trace.id.clone()),
            ("x-fb-trace-id", trace.short.clone()),
            ("x-fb-rev", "1003118628".into()),
            ("strict-transport-security", "max-age=15552000; preload".into()),
            ("expires", "Sat, 01 Jan 2000 00:00:00 GMT".into()),
            ("pragma", "no-cache".into()),
            ("access-control-allow-origin", "*".into()),
        ]);
        if is_read && !unchanged {
            headers.push(("etag", tag));
        }
        let kept = if status < 400 { "private, no-cache, no-store, must-revalidate" } else { "no-store" };
        headers.push(("cache-control", kept.into()));
        headers.extend(self.headers);
        Wire { status, headers, body }
    }

    /// A page for a browser: it loads nothing, and its address, which holds a state, goes nowhere.
    fn web(self) -> Wire {
        let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
        let mut headers = vec![
            ("content-type", "text/html; charset=utf-8".into()),
            ("cache-control", "no-store".into()),
            ("content-security-policy", policy.into()),
            ("referrer-policy", "no-referrer".into()),
            ("x-content-type-options", "nosniff".into()),
        ];
        headers.extend(self.headers);
        Wire { status: self.status, headers, body: self.raw.unwrap_or_default() }
    }
}

impl Wire {
    pub fn into_response(self) -> Response {
        let mut builder = Response::builder().status(self.status);
        for (name, value) in self.headers {
            // Names of Pages and texts of errors may have characters that a header cannot hold.
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                builder = builder.header(name, value);
            }
        }
        builder.body(Body::from(self.body)).unwrap_or_default()
    }
}

/// What `debug=all`, `info` or `warning` adds; `None` without it.
fn debug_messages(call: &Call, (major, minor): (u16, u16)) -> Option<Vec<Value>> {
    let level = call.parameter("debug").filter(|level| ["all", "info", "warning"].contains(level))?;
    let mut messages = Vec::new();
    if call.version.is_none() && level != "info" {
        messages.push(json!({
            "message": format!("No API version was specified. This request defaulted to version v{major}.{minor}."),
            "type": "warning", "link": "https://developers.facebook.com/docs/apps/versions/",
        }));
    }
    Some(messages)
}

/// A connection that breaks off in the middle of an answer.
pub fn broken_off() -> Response {
    let cut = futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("dropped on purpose")) });
    Response::builder().header("content-length", "1000").body(Body::from_stream(cut)).unwrap_or_default()
}

/// JSON as Graph writes it: `/` as `\/`, `<` as `\u003C`, and `é` as `\u00E9`.
pub fn escaped(value: &Value) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for c in value.to_string().chars() {
        match c {
            '/' => out.push_str("\\/"),
            '<' => out.push_str("\\u003C"),
            c if c.is_ascii() => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_escaped_as_graph_does() {
        let value = json!({"text": "äöå https://example.com/ 😀 <b>"});
        assert_eq!(escaped(&value), r#"{"text":"\u00e4\u00f6\u00e5 https:\/\/example.com\/ \ud83d\ude00 \u003Cb>"}"#);
        assert_eq!(serde_json::from_str::<Value>(&escaped(&value)).expect("json"), value);
    }

    #[test]
    fn errors_have_the_status_they_were_seen_with() {
        let status = |code| Answer::from(Refusal::oauth(code, "")).status;
        assert_eq!((status(190), status(210), status(200), status(2), status(100)), (400, 403, 403, 500, 400));
    }
}
