//! Lets an account be saved whose credentials passed the test.

use super::view::{ResultsEnvelope, report_text};
use crate::checks::{Outcome, Report};
use crate::cli::context::Context;
use crate::cli::error::CliError;

/// Lets an account through whose credentials passed; shows the report and ends
/// the command otherwise. `to_save` says how to save it as it is.
pub fn gate(ctx: &Context, report: &Report, name: &str, save_anyway: bool, to_save: &str) -> Result<(), CliError> {
    let outcome = report.credentials();
    if outcome < Outcome::Unreachable {
        return Ok(());
    }
    if save_anyway {
        ctx.output.warning(&format!("the credentials of '{name}' did not pass; saving all the same (--save-anyway)"));
        return Ok(());
    }
    if ctx.output.json {
        ctx.output.json(&ResultsEnvelope::new(name, report));
    } else {
        ctx.output.result(&report_text(name, report, ctx.output.terminal.out()));
    }
    Err(match outcome {
        Outcome::Fail => CliError::check("the credentials failed the test; nothing was saved")
            .hint(format!("fix the failed checks and try again; {to_save}")),
        _ => CliError::remote("Graph could not be reached; nothing was saved")
            .hint(format!("try again later; {to_save}")),
    }
    .because_of(report.worst_of_credentials()))
}

/// How to save an account whose values are all there.
pub const SAVE_ANYWAY: &str = "--save-anyway saves it as it is, --no-test without asking";
