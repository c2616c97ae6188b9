//! Test Connection: what is right and wrong with an account, and what to do.
//!
//! [`run`] asks Graph and the callback once for everything that does not depend on
//! anything else, all at the same time; the checks then judge what came back, each on
//! its own, without a call of its own.

mod cause;
mod check;
mod credentials;
mod delivery;
mod finding;
mod handshake;
mod inspection;
mod messages;
mod observe;
mod sending;
mod state;

pub use cause::{Cause, of as cause_of, of_unreachable};
pub use delivery::{judge_app, judge_page};
pub use finding::{Finding, GraphTrace, Group, Outcome, Report};
pub use observe::{Callback, Commands, Subject};
pub use sending::of_sending;

use crate::graph::Client;
use crate::webhook::Prober;

/// Runs every check.
pub async fn run(client: &Client, prober: &Prober, subject: &Subject) -> Report {
    // Boxed: hundreds of them may wait at the same time.
    let seen = Box::pin(observe::observe(client, prober, subject)).await;
    let mut findings = credentials::findings(&seen, subject);
    findings.extend(delivery::findings(&seen, subject));
    findings.extend(messages::findings(subject));
    Report { findings, page_name: credentials::page_name(&seen, subject) }
}
