//! What was found about one thing on this machine.

use crate::checks::Outcome;
use crate::checks::causes::Cause;
use crate::operations::Error;
use crate::secrets::redact;

/// What was found about one thing.
pub struct Found {
    /// The check's public name.
    pub id: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// The stable name of why.
    pub cause: Option<&'static str>,
    /// In a sentence.
    pub summary: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Found {
    /// Something found.
    pub fn new(id: &'static str, outcome: Outcome, summary: impl Into<String>) -> Self {
        Self { id, outcome, cause: None, summary: redact(&summary.into()), hint: None }
    }

    /// Something that is in order.
    pub fn pass(id: &'static str, summary: impl Into<String>) -> Self {
        Self::new(id, Outcome::Pass, summary)
    }

    /// With why.
    #[must_use]
    pub fn because(self, cause: &'static Cause) -> Self {
        Self { cause: Some(cause.id), ..self }
    }

    /// With what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(redact(&hint.into()));
        self
    }

    /// An error as it would end a command; its own cause wins over the usual one.
    pub fn of_error(id: &'static str, error: impl Into<Error>, usual: &'static Cause) -> Self {
        let error = error.into();
        // A command on a line of its own is one here too.
        let hint = error.first_hint().unwrap_or("see msgrctl --help").replace(":\n    ", "; then: ");
        let cause = error.why().unwrap_or(usual.id);
        Self { cause: Some(cause), ..Self::new(id, Outcome::Fail, error.message()).hint(hint) }
    }
}
