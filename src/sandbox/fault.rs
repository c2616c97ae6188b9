//! Faults that can be injected.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal, too_many};
use super::length;

/// A fault of the calls that it matches. Its effects can be combined.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    /// GET, POST, DELETE; `None`: any.
    pub method: Option<String>,
    /// The path without its version, `/me`, with `*` for one part
    /// (`/*/subscribed_apps`); `None`: any.
    pub path: Option<String>,
    /// How often; `None`: always.
    pub times: Option<u32>,
    /// How much later the answer comes.
    #[serde(deserialize_with = "length::wait")]
    pub delay: Option<Duration>,
    /// The connection ends without an answer.
    pub drop: bool,
    /// An HTTP status in place of the usual one.
    pub status: Option<u16>,
    /// `error.code`.
    pub code: Option<i64>,
    /// `error.error_subcode`.
    pub subcode: Option<i64>,
    /// The minutes in `x-business-use-case-usage`.
    pub regain_minutes: Option<u64>,
    /// A body in place of Graph's: an outage page, a login page.
    pub body: Option<String>,
}

impl Fault {
    pub(super) fn does_something(&self) -> bool {
        self.drop || self.delay.is_some() || self.status.is_some() || self.code.is_some() || self.body.is_some()
    }

    pub(super) fn meets(&self, method: &str, path: &str) -> bool {
        let same_method = self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
        let same_path = self.path.as_deref().is_none_or(|wanted| {
            let (wanted, path): (Vec<_>, Vec<_>) = (wanted.split('/').collect(), path.split('/').collect());
            wanted.len() == path.len()
                && wanted.iter().zip(&path).all(|(wanted, part)| *wanted == "*" || wanted == part)
        });
        same_method && same_path
    }

    /// The answer in place of the real one; `None` if the fault is only a delay.
    pub(super) fn answer(&self) -> Option<Answer> {
        let mut answer = match (self.code, &self.body, self.status) {
            (Some(code), _, _) => {
                let refusal = match code {
                    4 | 17 | 32 | 613 | 80001 | 80006 => too_many(code),
                    1 => Refusal::oauth(code, "An unknown error occurred"),
                    2 => Refusal::oauth(code, "(#2) Service temporarily unavailable"),
                    190 => Refusal::oauth(code, "Error validating access token"),
                    code => Refusal::oauth(code, format!("(#{code}) An error that was asked for")),
                };
                Answer::from(Refusal { subcode: self.subcode, status: self.status, ..refusal })
            }
            (None, Some(body), status) => {
                Answer { status: status.unwrap_or(200), raw: Some(body.clone()), ..Answer::ok(Value::Null) }
            }
            (None, None, Some(status)) => Answer {
                status,
                raw: Some("<html><body>Sorry, something went wrong.</body></html>".into()),
                ..Answer::ok(Value::Null)
            },
            (None, None, None) => return None,
        };
        if let Some(minutes) = self.regain_minutes {
            let usage = json!({"109876543210987": [{
                "type": "messenger", "call_count": 100, "total_cputime": 25, "total_time": 25,
                "estimated_time_to_regain_access": minutes,
            }]});
            answer.headers.push(("x-business-use-case-usage", usage.to_string()));
        }
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_meet_paths_with_a_star_for_one_part() {
        let fault = |path: &str| Fault { path: Some(path.into()), ..Fault::default() };
        assert!(fault("/me").meets("GET", "/me"));
        assert!(!fault("/me").meets("GET", "/me/accounts"));
        assert!(fault("/*/subscribed_apps").meets("GET", "/123/subscribed_apps"));
        assert!(Fault::default().meets("POST", "/any/thing"));
        let reads = Fault { method: Some("get".into()), ..Fault::default() };
        assert!(reads.meets("GET", "/me") && !reads.meets("POST", "/me"));
    }
}
