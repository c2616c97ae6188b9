//! A check on its way to its finding.

use std::time::Duration;

use super::cause;
use super::finding::{Finding, GraphTrace, Group, Outcome};
use super::observe::Subject;
use crate::graph::{ApiError, GraphError};

/// A finding about to be filled in.
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

    pub fn ends(self, outcome: Outcome, summary: impl Into<String>, hint: Option<String>) -> Finding {
        let Self { id, group, duration } = self;
        Finding { id, group, outcome, summary: summary.into(), hint, duration, graph: None }
    }

    pub fn pass(self, summary: impl Into<String>) -> Finding {
        self.ends(Outcome::Pass, summary, None)
    }

    pub fn skip(self, why: impl Into<String>) -> Finding {
        self.ends(Outcome::Skip, why, None)
    }

    pub fn fail(self, summary: impl Into<String>, hint: impl Into<String>) -> Finding {
        self.ends(Outcome::Fail, summary, Some(hint.into()))
    }

    pub fn warn(self, summary: impl Into<String>, hint: impl Into<String>) -> Finding {
        self.ends(Outcome::Warn, summary, Some(hint.into()))
    }

    /// A refusal, in the words of its cause, with its trace and the step that
    /// follows the mend.
    pub fn refused(self, error: &ApiError, subject: &Subject) -> Finding {
        let cause = cause::of(error);
        let hint = match subject.command(cause.next) {
            Some(command) => then(&cause.fix, &command),
            None => cause.fix,
        };
        let mut finding = self.fail(cause.summary, hint);
        finding.graph = Some(GraphTrace::from(error));
        finding
    }

    /// What a failed call means for a check that rests on it alone.
    pub fn failed(self, error: &GraphError, subject: &Subject) -> Finding {
        match error {
            GraphError::Refused(error) => self.refused(error, subject),
            GraphError::Unreachable(unreachable) => {
                let cause = cause::of_unreachable(unreachable);
                let mut finding = self.ends(Outcome::Unreachable, cause.summary, Some(cause.fix));
                finding.graph = trace(error);
                finding
            }
        }
    }
}

/// What to do, and the command that comes after it.
pub(super) fn then(fix: &str, command: &str) -> String {
    format!("{fix}; then: {command}")
}

fn trace(error: &GraphError) -> Option<GraphTrace> {
    use crate::graph::Unreachable::{Throttled, Trouble};
    match error {
        GraphError::Refused(error) | GraphError::Unreachable(Trouble(error) | Throttled(error)) => {
            Some(GraphTrace::from(&**error))
        }
        GraphError::Unreachable(_) => None,
    }
}
