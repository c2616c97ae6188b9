//! Builds a check's finding.

use std::time::Duration;

use super::causes::{self, Asked, Cause, Diagnosis, Place};
use super::finding::{Finding, GraphTrace, Group, Outcome};
use super::observe::Subject;
use crate::graph::{ApiError, GraphError};

/// A finding being filled in.
#[derive(Clone, Copy)]
pub(super) struct Check {
    id: &'static str,
    group: Group,
    duration: Duration,
}

impl Check {
    pub fn new(id: &'static str, group: Group, duration: Duration) -> Self {
        Self { id, group, duration }
    }

    fn ends(self, outcome: Outcome, summary: impl Into<String>) -> Finding {
        let Self { id, group, duration } = self;
        let summary = summary.into();
        Finding {
            id,
            group,
            outcome,
            cause: None,
            summary,
            hint: None,
            duration,
            ends_at: None,
            graph: None,
            receiver_says: None,
        }
    }

    pub fn pass(self, summary: impl Into<String>) -> Finding {
        self.ends(Outcome::Pass, summary)
    }

    pub fn skip(self, why: impl Into<String>) -> Finding {
        self.ends(Outcome::Skip, why)
    }

    pub fn fail(self, cause: &'static Cause, summary: impl Into<String>, hint: impl Into<String>) -> Finding {
        self.finds(Outcome::Fail, cause.id, summary, hint)
    }

    pub fn warn(self, cause: &'static Cause, summary: impl Into<String>, hint: impl Into<String>) -> Finding {
        self.finds(Outcome::Warn, cause.id, summary, hint)
    }

    pub fn finds(
        self,
        outcome: Outcome,
        cause: &'static str,
        summary: impl Into<String>,
        hint: impl Into<String>,
    ) -> Finding {
        Finding { cause: Some(cause), hint: Some(hint.into()), ..self.ends(outcome, summary) }
    }

    /// The finding of a diagnosis, with the step after the fix.
    pub fn diagnosed(self, outcome: Outcome, found: Diagnosis, subject: &Subject) -> Finding {
        let hint = subject.then(&found.fix, found.next);
        self.finds(outcome, found.cause, found.summary, hint)
    }

    /// The finding of a refusal: its cause, its trace and the next step.
    pub fn refused(self, error: &ApiError, asked: Asked, subject: &Subject) -> Finding {
        let mut finding = self.diagnosed(Outcome::Fail, causes::of(error, asked), subject);
        finding.graph = Some(GraphTrace::from(error));
        finding
    }

    /// The finding of a failed call, for a check that depends only on that call.
    pub fn failed(self, error: &GraphError, place: Place, subject: &Subject) -> Finding {
        match error {
            GraphError::Refused(error) => self.refused(error, subject.asked(place), subject),
            GraphError::Unreachable(unreachable) => {
                let found = causes::of_unreachable(unreachable);
                let mut finding = self.finds(Outcome::Unreachable, found.cause, found.summary, found.fix);
                finding.graph = GraphTrace::of(error);
                finding
            }
        }
    }
}

/// The fix, and the command after it.
pub(super) fn then(fix: &str, command: &str) -> String {
    format!("{fix}; then: {command}")
}
