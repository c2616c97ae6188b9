//! The results of checks.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::causes::APP_SECRET_MISSING;
use super::ids;
use super::life::TokenLife;
use crate::graph::{ApiError, GraphError};
use crate::text::words;

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its public name: `token.valid`.
    pub id: &'static str,
    /// Its group.
    pub group: Group,
    /// Its result.
    pub outcome: Outcome,
    /// The stable name of the cause; scripts decide by it.
    pub cause: Option<&'static str>,
    /// What was found, in a sentence.
    pub summary: String,
    /// What to do, if anything.
    pub hint: Option<String>,
    /// The duration of the call that it depends on.
    pub duration: Duration,
    /// When the checked thing ends, if it does and that is known.
    pub ends_at: Option<Timestamp>,
    /// Graph's answer, where it refused.
    pub graph: Option<GraphTrace>,
    /// The first words of the callback receiver's answer.
    pub receiver_says: Option<String>,
}

/// What Meta said, and the ids that its support asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GraphTrace {
    /// `error.code`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// `error.error_subcode`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subcode: Option<i64>,
    /// `error.fbtrace_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fbtrace_id: Option<String>,
    /// Meta's own text, in any language; only for showing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
}

impl GraphTrace {
    /// `code 190, subcode 463, trace A…`; empty if nothing is known.
    pub fn codes(&self) -> String {
        let number = |name: &str, value: Option<i64>| value.map(|value| format!("{name} {value}"));
        let trace = self.fbtrace_id.as_ref().map(|id| format!("trace {id}"));
        let parts = [number("code", self.code), number("subcode", self.subcode), trace];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// To append to a sentence: ` (Meta: …, code 190, subcode 463, trace A…)`; empty if nothing
    /// is known.
    pub fn in_words(&self) -> String {
        let codes = self.codes();
        let parts: Vec<&str> = self.says.iter().map(String::as_str).chain([codes.as_str()]).collect();
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() { String::new() } else { format!(" (Meta: {})", parts.join(", ")) }
    }
}

impl GraphTrace {
    /// Graph's answer, if it answered.
    pub fn of(error: &GraphError) -> Option<Self> {
        use crate::graph::Unreachable::{Throttled, Trouble};
        match error {
            GraphError::Refused(error) | GraphError::Unreachable(Trouble(error) | Throttled(error)) => {
                Some(Self::from(&**error))
            }
            GraphError::Unreachable(_) => None,
        }
    }
}

impl From<&ApiError> for GraphTrace {
    fn from(error: &ApiError) -> Self {
        let says = (!error.says.is_empty()).then(|| error.says.clone());
        Self { code: error.code, subcode: error.subcode, fbtrace_id: error.fbtrace_id.clone(), says }
    }
}

/// The group of a check. Credentials must pass before an account is saved; delivery may remain
/// to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Token, page and app.
    Credentials,
    /// Whether messages arrive.
    Delivery,
    /// Whether the contact centre's own messages can be sent.
    Messages,
}

words!(Group { Credentials => "credentials", Delivery => "delivery", Messages => "messages" });

/// The result of a check, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not made; the summary says why.
    Skip,
    /// Nothing is wrong.
    Pass,
    /// It works now, but not for ever or not in full.
    Warn,
    /// Unknown: Graph did not answer.
    Unreachable,
    /// It does not work.
    Fail,
}

impl Outcome {
    /// All, from best to worst.
    pub const ALL: [Self; 5] = [Self::Skip, Self::Pass, Self::Warn, Self::Unreachable, Self::Fail];

    /// The one of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.to_string() == word)
    }
}

words!(Outcome { Skip => "skip", Pass => "pass", Warn => "warn", Unreachable => "unreachable", Fail => "fail" });

/// All findings about one account.
#[derive(Clone, Debug)]
pub struct Report {
    /// In the documented order.
    pub findings: Vec<Finding>,
    /// Meta's name of the Page, if the token is of the right Page.
    pub page_name: Option<String>,
    /// What the token is, if Meta could be asked.
    pub token_life: Option<TokenLife>,
}

impl Report {
    /// The worst of all; a skipped check counts as passed.
    pub fn outcome(&self) -> Outcome {
        self.worst(|_| true)
    }

    /// The first of the worst findings in the group *credentials*.
    pub fn worst_of_credentials(&self) -> Option<&Finding> {
        let worst = self.credentials();
        self.findings.iter().find(|finding| finding.group == Group::Credentials && finding.outcome == worst)
    }

    /// The worst of the group *credentials*.
    pub fn credentials(&self) -> Outcome {
        self.worst(|finding| finding.group == Group::Credentials)
    }

    /// Whether the credentials fail for the missing app secret and for nothing else.
    pub fn lacks_only_the_app_secret(&self) -> bool {
        let bad = |finding: &&Finding| finding.group == Group::Credentials && finding.outcome >= Outcome::Unreachable;
        let mut bad = self.findings.iter().filter(bad).map(|finding| finding.cause).peekable();
        bad.peek().is_some() && bad.all(|cause| cause == Some(APP_SECRET_MISSING.id))
    }

    /// When the token ends, if it does and that is known.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.findings.iter().find(|finding| finding.id == ids::TOKEN_EXPIRY)?.ends_at
    }

    /// Whether messages arrive: see [`delivery_of`].
    pub fn delivery(&self) -> Outcome {
        delivery_of(self.findings.iter().map(|finding| (finding.id, finding.outcome)))
    }

    fn worst(&self, of: impl Fn(&Finding) -> bool) -> Outcome {
        let outcomes = self.findings.iter().filter(|finding| of(finding)).map(|finding| finding.outcome);
        outcomes.fold(Outcome::Pass, Ord::max)
    }
}

/// Whether messages arrive, by how checks ended that are named by their ids: the worst of
/// *delivery*. Nothing that is wrong is not enough to pass: the Page's subscription was seen,
/// and so was where its events go. `Skip` says that this is not known.
pub fn delivery_of<'i>(checks: impl IntoIterator<Item = (&'i str, Outcome)>) -> Outcome {
    let (mut worst, mut sends, mut arrives) = (Outcome::Skip, false, false);
    for (id, outcome) in checks {
        match id {
            ids::PAGE_SUBSCRIPTION => sends = outcome == Outcome::Pass,
            ids::APP_SUBSCRIPTION | ids::CALLBACK_HANDSHAKE => arrives |= outcome == Outcome::Pass,
            _ => continue,
        }
        worst = worst.max(outcome);
    }
    if worst == Outcome::Pass && !(sends && arrives) { Outcome::Skip } else { worst }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_arrive_only_where_that_was_seen() {
        use Outcome::{Fail, Pass, Skip, Unreachable, Warn};
        // Published, the Page's subscription, the app's, the handshake.
        let cases = [
            ([Pass, Pass, Pass, Pass], Pass),
            ([Skip, Pass, Skip, Pass], Pass),
            ([Pass, Pass, Pass, Skip], Pass),
            // Neither app nor callback URL: where the events go is not known.
            ([Pass, Pass, Skip, Skip], Skip),
            // A dead token hides the Page.
            ([Skip, Skip, Pass, Pass], Skip),
            ([Skip, Skip, Skip, Skip], Skip),
            ([Pass, Warn, Skip, Skip], Warn),
            ([Pass, Warn, Unreachable, Skip], Unreachable),
            ([Skip, Skip, Unreachable, Fail], Fail),
        ];
        let ids = [ids::PAGE_PUBLISHED, ids::PAGE_SUBSCRIPTION, ids::APP_SUBSCRIPTION, ids::CALLBACK_HANDSHAKE];
        for (ends, expected) in cases {
            let all = ids.into_iter().zip(ends).chain([(ids::TOKEN_VALID, Fail)]);
            assert_eq!(delivery_of(all), expected, "{ends:?}");
        }
    }
}
