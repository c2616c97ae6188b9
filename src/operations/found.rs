//! What was found about one thing: a level of a webhook, a part of this machine.

use super::Error;
use crate::checks::causes::Cause;
use crate::checks::{GraphTrace, Outcome};

/// What was found about one thing.
#[derive(Clone, Debug)]
pub struct Found {
    /// The check's public name.
    pub id: &'static str,
    pub outcome: Outcome,
    /// The stable name of why it is not as it should be.
    pub cause: Option<&'static str>,
    pub summary: String,
    /// What to do, and the command behind `; then: `; other ways begin with `; or `.
    pub hint: Option<String>,
    pub graph: Option<GraphTrace>,
    /// What a callback said in a handshake, in its first words.
    pub receiver_says: Option<String>,
}

impl Found {
    pub fn new(id: &'static str, outcome: Outcome, summary: impl Into<String>) -> Self {
        Self { id, outcome, cause: None, summary: summary.into(), hint: None, graph: None, receiver_says: None }
    }

    /// Something that is in order.
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

    /// An error as it would end a command; its own cause wins over the usual one.
    pub fn of_error(id: &'static str, error: impl Into<Error>, usual: &'static Cause) -> Self {
        let error = error.into();
        // A command on a line of its own is one here too.
        let hints = error.hints().iter().enumerate().filter(|(at, hint)| *at == 0 || hint.starts_with("or "));
        let ways: Vec<String> = hints.map(|(_, hint)| hint.replace(":\n    ", "; then: ")).collect();
        let hint = if ways.is_empty() { "see msgrctl --help".to_owned() } else { ways.join("; ") };
        let cause = error.why().unwrap_or(usual.id);
        Self { cause: Some(cause), ..Self::new(id, Outcome::Fail, error.message()).hint(hint) }
    }
}
