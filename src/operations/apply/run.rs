//! The accounts of a plan that have ended, and whether more are begun.

use std::collections::BTreeMap;

use crate::operations::{Error, Hold, Progress, Workspace};
use crate::provision::plan::{AccountPlan, Plan, Problem};

/// How an account ended; of a manifest's, by its place in the plan.
pub enum Outcome {
    /// As the plan says.
    Done,
    /// It was as it should be.
    Unchanged,
    /// Not, or not in full.
    Failed(Problem),
    /// Not tried any more.
    Left,
}

/// How a plan is carried out.
#[derive(Clone, Copy)]
pub struct How<'a> {
    /// Nothing more is begun after a failure.
    pub fail_fast: bool,
    /// The command that goes on with what is left.
    pub again: &'a str,
    /// Told of each account that has ended; prints with [`Progress::aside`].
    pub on_end: &'a dyn Fn(&AccountPlan, &Outcome, &dyn Progress),
}

/// A plan that is being carried out.
pub struct Run<'a> {
    pub workspace: &'a Workspace,
    pub plan: &'a Plan,
    /// How far it is.
    pub progress: Box<dyn Progress>,
    pub(super) how: How<'a>,
    pub(super) ended: Ended,
}

/// How a run ended.
#[derive(Default)]
pub struct Ended {
    /// How each account did, by its place in the plan.
    pub outcomes: BTreeMap<usize, Outcome>,
    /// Whether Chat Settings were written.
    pub settings_changed: bool,
}

impl Run<'_> {
    /// An account has ended.
    pub fn end(&mut self, at: usize, outcome: Outcome) {
        (self.how.on_end)(&self.plan.accounts[at], &outcome, &*self.progress);
        self.progress.step();
        self.ended.outcomes.insert(at, outcome);
    }

    /// Whether an account has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.ended.outcomes.values().any(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    /// Whether nothing more is begun.
    pub(super) fn stops(&self) -> bool {
        self.how.fail_fast && self.has_failed()
    }

    /// Ends it where the operator has asked to, with what was done on the disk.
    pub(super) fn interrupted(&self, hold: &dyn Hold) -> Result<(), Error> {
        if !hold.was_interrupted() {
            return Ok(());
        }
        let (done, all) = (self.ended.outcomes.len(), self.plan.accounts.len());
        Err(Error::interrupted().note(format!("{done} of {all} accounts are done; run it again to go on")))
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let hint = error.first_hint().map(|hint| hint.replace('\n', " "));
        Self { summary: error.message().to_owned(), hint, unreachable: false }
    }
}
