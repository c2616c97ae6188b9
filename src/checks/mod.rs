//! Test Connection: what is right and wrong with an account, and what to do.
//!
//! [`run`] asks Graph once for everything that does not depend on anything else,
//! all calls at the same time; the checks then judge what came back, each on
//! its own, without a call of its own.

mod cause;
mod check;
mod credentials;
mod delivery;
mod finding;
mod inspection;
mod messages;
mod observe;
mod state;

pub use cause::{Cause, of as cause_of, of_unreachable};
pub use finding::{Finding, GraphTrace, Group, Outcome, Report};
pub use observe::{Commands, Subject};

use crate::graph::Client;

/// Runs every check.
pub async fn run(client: &Client, subject: &Subject) -> Report {
    let seen = observe::observe(client, subject).await;
    let mut findings = credentials::findings(&seen, subject);
    findings.extend(delivery::findings(&seen, subject));
    findings.extend(messages::findings(subject));
    Report { findings, page_name: credentials::page_name(&seen, subject) }
}
