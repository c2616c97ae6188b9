//! Graph's refusals, and failures to get an answer from it.

use std::time::Duration;

use serde::Deserialize;

use super::{GraphVersion, Wording, lenient};
use crate::http::{Fault, Way};
use crate::secrets::redact;
use crate::text;

/// Why a call did not succeed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GraphError {
    /// Graph answered and refused.
    #[error("{0}")]
    Refused(Box<ApiError>),
    /// Graph did not answer, or asked to try again later. This says nothing about the token.
    #[error("{0}")]
    Unreachable(Unreachable),
}

/// Why Graph did not answer. Another try may succeed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unreachable {
    /// No answer at all.
    #[error("Graph could not be reached: {fault}")]
    Fault {
        /// What failed.
        fault: Fault,
        /// How Graph was reached.
        way: Way,
    },
    /// Something other than Graph answered: a proxy, a login page, an outage page.
    #[error("the answer (HTTP {status}) was not Graph's: perhaps a proxy's or a login page")]
    NotGraph {
        /// The HTTP status.
        status: u16,
    },
    /// Graph reports trouble of its own (codes 1 and 2, or any error that it calls transient).
    #[error("Graph reports trouble of its own: {0}")]
    Trouble(Box<ApiError>),
    /// Too many calls (codes 4, 17, 32, 341, 613, 80001, 80006).
    #[error("Graph limits the number of calls: {0}")]
    Throttled(Box<ApiError>),
    /// A call of a batch that Graph gave up on: `null` in place of its answer.
    #[error("Graph did not finish this call in time")]
    Unfinished,
    /// It was not sent: this process may not change anything any more.
    #[error("the change was not sent to Meta: {0}")]
    HeldBack(HeldBack),
}

/// Why a change was not sent.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{why}")]
pub struct HeldBack {
    /// In words.
    pub why: String,
    /// The name of its cause: `state-conflict`.
    pub cause: &'static str,
}

impl GraphError {
    /// The kind in a few words, for the log.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Unreachable(Unreachable::Fault { .. }) => "no answer",
            Self::Unreachable(Unreachable::NotGraph { .. }) => "not Graph",
            Self::Unreachable(Unreachable::Trouble(_)) => "trouble at Meta",
            Self::Unreachable(Unreachable::Throttled(_)) => "throttled",
            Self::Unreachable(Unreachable::Unfinished) => "not finished",
            Self::Unreachable(Unreachable::HeldBack(_)) => "held back",
        }
    }
}

/// Graph's error object. Code tells errors apart by `code`, `subcode` and `kind`; the texts are
/// localised and only for showing, except those that [`Wording`] reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiError {
    /// `OAuthException`, `GraphMethodException`, …
    pub kind: String,
    /// 190: the token; 100: a parameter; 200: a permission; … Missing in old
    /// batch errors.
    pub code: Option<i64>,
    /// Refines the code; often absent.
    pub subcode: Option<i64>,
    /// Meta's text for showing: its title and text for people where it has them, else the
    /// technical text. One line of at most 300 characters, without anything that looks like a
    /// token.
    pub says: String,
    /// What the technical text says, for the refusals that need it.
    pub wording: Option<Wording>,
    /// Whether `WWW-Authenticate` names `access_denied`: the app is blocked.
    pub access_denied: bool,
    /// Whether Meta says that trying again may help; absent means unknown.
    pub is_transient: Option<bool>,
    /// Meta's id of this failure, for its support.
    pub fbtrace_id: Option<String>,
    /// How long to wait, from `x-business-use-case-usage` (given in minutes).
    pub regain_access: Option<Duration>,
    /// The HTTP status, only for showing: the codes decide.
    pub status: u16,
    /// The version that answered.
    pub version: Option<GraphVersion>,
}

/// The longest quotation of Meta's text.
const SAYS: usize = 300;

impl ApiError {
    /// The error that `debug_token` reports for a bad token inside an answer with status 200.
    pub(super) fn of_token(code: Option<i64>, subcode: Option<i64>, message: String) -> Self {
        let kind = Some("OAuthException".into());
        let error =
            ErrorObject { message: Some(message), kind, code, error_subcode: subcode, ..ErrorObject::default() };
        ErrorBody { error }.into_error(200, None)
    }

    /// To append to a sentence: ` (code 190, subcode 463)`; empty without a code.
    pub fn codes(&self) -> String {
        match (self.code, self.subcode) {
            (Some(code), Some(subcode)) => format!(" (code {code}, subcode {subcode})"),
            (Some(code), None) => format!(" (code {code})"),
            (None, _) => String::new(),
        }
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.says, self.codes())
    }
}

/// `{"error":{…}}` as it arrives.
#[derive(Deserialize)]
pub(super) struct ErrorBody {
    error: ErrorObject,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorObject {
    #[serde(deserialize_with = "lenient::text")]
    message: Option<String>,
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    kind: Option<String>,
    #[serde(deserialize_with = "lenient::number")]
    code: Option<i64>,
    #[serde(deserialize_with = "lenient::number")]
    error_subcode: Option<i64>,
    #[serde(deserialize_with = "lenient::flag")]
    is_transient: Option<bool>,
    #[serde(deserialize_with = "lenient::text")]
    error_user_title: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    error_user_msg: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    fbtrace_id: Option<String>,
}

impl ErrorBody {
    pub(super) fn into_error(self, status: u16, regain_access: Option<Duration>) -> ApiError {
        let ErrorObject { message, kind, code, error_subcode, is_transient, fbtrace_id, .. } = self.error;
        // Older replies carry the subcode 0 for none.
        let subcode = error_subcode.filter(|subcode| *subcode != 0);
        let (message, kind) = (message.unwrap_or_default(), kind.unwrap_or_default());
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let for_people = match (filled(self.error.error_user_title), filled(self.error.error_user_msg)) {
            (Some(title), Some(text)) => Some(format!("{title}: {text}")),
            (title, text) => text.or(title),
        };
        ApiError {
            wording: Wording::read(&kind, code, subcode, &message),
            kind: text::excerpt(&kind, 64),
            code,
            subcode,
            // No known text of Meta holds a token; this hides one if it ever does.
            says: text::excerpt(&redact(&text::harmless(&for_people.unwrap_or(message))), SAYS),
            access_denied: false,
            is_transient,
            fbtrace_id: fbtrace_id.map(|id| text::excerpt(&redact(&id), 64)),
            regain_access,
            status,
            version: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> ApiError {
        serde_json::from_str::<ErrorBody>(body).expect("an error").into_error(400, None)
    }

    #[test]
    fn the_text_for_people_is_shown_first() {
        let error = read(
            r#"{"error":{"message":"Permissions error","type":"OAuthException","code":200,"error_subcode":1870047,
                "is_transient":false,"error_data":"{\"x\":1}","error_user_title":"Too low","error_user_msg":"Raise it.","fbtrace_id":"Az7"}}"#,
        );
        assert_eq!(error.to_string(), "Too low: Raise it. (code 200, subcode 1870047)");
        assert_eq!(error.fbtrace_id.as_deref(), Some("Az7"));
    }

    #[test]
    fn an_old_error_without_a_code_is_still_an_error() {
        let error = read(r#"{"error":{"message":"Too many requests in batch message.","type":"GraphBatchException"}}"#);
        assert_eq!((error.code, error.kind.as_str()), (None, "GraphBatchException"));
    }
}
