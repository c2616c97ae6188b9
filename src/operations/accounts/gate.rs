//! Decides whether an account may be saved after its test.

use crate::checks::{Outcome, Report};
use crate::operations::{Error, Workspace};

/// What an account must pass before it is saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gate {
    /// Its credentials pass the test.
    #[default]
    Passing,
    /// Tested, and saved whatever the result.
    Anyway,
    /// Graph is not asked.
    Untested,
}

/// How to save a complete account anyway.
pub const SAVE_ANYWAY: &str = "--save-anyway saves it as it is, --no-test without asking";

impl Gate {
    /// Lets an account through if its credentials passed. The error has the report; `to_save`
    /// says how to save it anyway.
    pub fn judge(self, workspace: &Workspace, report: &Report, name: &str, to_save: &str) -> Result<(), Error> {
        let outcome = report.credentials();
        if outcome < Outcome::Unreachable {
            return Ok(());
        }
        if self == Self::Anyway {
            workspace.warning(&format!("the credentials of '{name}' did not pass; saving anyway (--save-anyway)"));
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
