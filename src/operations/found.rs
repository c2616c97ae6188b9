//! A finding about a webhook level or a part of this machine.

use super::Error;
use crate::checks::causes::Cause;
use crate::checks::{GraphTrace, Outcome};

/// A finding.
#[derive(Clone, Debug)]
pub struct Found {
    /// The check's public name.
    pub id: &'static str,
    pub outcome: Outcome,
    /// The stable name of the cause.
    pub cause: Option<&'static str>,
    pub summary: String,
    /// The fix, with its command after `; then: `; other ways begin with `; or `.
    pub hint: Option<String>,
    pub graph: Option<GraphTrace>,
    /// What a callback said in a handshake, shortened.
    pub receiver_says: Option<String>,
}

impl Found {
    pub fn new(id: &'static str, outcome: Outcome, summary: impl Into<String>) -> Self {
        Self { id, outcome, cause: None, summary: summary.into(), hint: None, graph: None, receiver_says: None }
    }

    /// A check that passed.
    pub fn pass(id: &'static str, summary: impl Into<String>) -> Self {
        Self::new(id, Outcome::Pass, summary)
    }

    #[must_use]
    pub fn because(self, cause: &'static Cause) -> Self {
        Self { cause: Some(cause.id), ..self }
    }

    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// An error as a finding; its own cause wins over `usual`.
    pub fn of_error(id: &'static str, error: impl Into<Error>, usual: &'static Cause) -> Self {
        let error = error.into();
        // A command on its own line is one here too.
        let hints = error.hints().iter().enumerate().filter(|(at, hint)| *at == 0 || hint.starts_with("or "));
        let ways: Vec<String> = hints.map(|(_, hint)| hint.replace(":\n    ", "; then: ")).collect();
        let hint = if ways.is_empty() { "see msgrctl --help".to_owned() } else { ways.join("; ") };
        let cause = error.why().unwrap_or(usual.id);
        Self { cause: Some(cause), ..Self::new(id, Outcome::Fail, error.message()).hint(hint) }
    }
}
