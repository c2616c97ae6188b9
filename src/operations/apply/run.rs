//! The progress of a run: finished accounts, and when to stop.

use std::collections::BTreeMap;

use crate::operations::{Error, Hold, Progress, Workspace};
use crate::provision::plan::{AccountPlan, Plan, Problem};

/// How an account ended; for a manifest's account, at its position in the plan.
pub enum Outcome {
    /// As planned.
    Done,
    /// Nothing differed.
    Unchanged,
    /// Failed, or only partly done.
    Failed(Problem),
    /// Not attempted.
    Left,
}

/// How to carry out a plan.
#[derive(Clone, Copy)]
pub struct How<'a> {
    /// Stop after the first failure.
    pub fail_fast: bool,
    /// The command that continues.
    pub again: &'a str,
    /// Called for each finished account; prints with [`Progress::aside`].
    pub on_end: &'a dyn Fn(&AccountPlan, &Outcome, &dyn Progress),
}

/// A plan that is being carried out.
pub struct Run<'a> {
    pub workspace: &'a Workspace,
    pub plan: &'a Plan,
    /// How many accounts have ended.
    pub progress: Box<dyn Progress>,
    pub(super) how: How<'a>,
    pub(super) ended: Ended,
}

/// The result of a run.
#[derive(Default)]
pub struct Ended {
    /// How each account ended, by its position in the plan.
    pub outcomes: BTreeMap<usize, Outcome>,
    /// Whether Chat Settings were written.
    pub settings_changed: bool,
}

impl Run<'_> {
    /// Records how an account ended.
    pub fn end(&mut self, at: usize, outcome: Outcome) {
        (self.how.on_end)(&self.plan.accounts[at], &outcome, &*self.progress);
        self.progress.step();
        self.ended.outcomes.insert(at, outcome);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.ended.outcomes.values().any(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    /// Whether to start no more accounts.
    pub(super) fn stops(&self) -> bool {
        self.how.fail_fast && self.has_failed()
    }

    /// Returns an error if the operator asked to stop, with how far the run came.
    pub(super) fn interrupted(&self, hold: &dyn Hold) -> Result<(), Error> {
        if !hold.was_interrupted() {
            return Ok(());
        }
        let (done, all) = (self.ended.outcomes.len(), self.plan.accounts.len());
        Err(Error::interrupted().note(format!("{done} of {all} accounts are done; run it again to continue")))
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let hint = error.first_hint().map(|hint| hint.replace('\n', " "));
        Self { summary: error.message().to_owned(), hint, unreachable: false }
    }
}
