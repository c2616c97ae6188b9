//! Lets an account be saved whose credentials passed the test.

use crate::checks::{Outcome, Report};
use crate::operations::{Error, Workspace};

/// What an account has to show before it is saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gate {
    /// Its credentials pass the test.
    #[default]
    Passing,
    /// It is tested, and saved whatever comes of it.
    Anyway,
    /// Graph is not asked.
    Untested,
}

/// How to save an account whose values are all there.
pub const SAVE_ANYWAY: &str = "--save-anyway saves it as it is, --no-test without asking";

impl Gate {
    /// Lets an account through whose credentials passed. The error has the report;
    /// `to_save` says how to save the account as it is.
    pub fn judge(self, workspace: &Workspace, report: &Report, name: &str, to_save: &str) -> Result<(), Error> {
        let outcome = report.credentials();
        if outcome < Outcome::Unreachable {
            return Ok(());
        }
        if self == Self::Anyway {
            workspace
                .warning(&format!("the credentials of '{name}' did not pass; saving all the same (--save-anyway)"));
            return Ok(());
        }
        let error = match outcome {
            Outcome::Fail => Error::check("the credentials failed the test; nothing was saved")
                .hint(format!("fix the failed checks and try again; {to_save}")),
            _ => Error::remote("Graph could not be reached; nothing was saved")
                .hint(format!("try again later; {to_save}")),
        };
        Err(error.because_of(report.worst_of_credentials()).with_report(name, report))
    }
}
