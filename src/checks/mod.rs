//! Test Connection: what is right and wrong with an account, and what to do.
//!
//! [`run`] asks Graph and the callback once for everything that does not depend on
//! anything else, all at the same time; the checks then judge what came back, each on
//! its own, without a call of its own.

pub(crate) mod causes;
mod check;
mod credentials;
mod delivery;
mod finding;
mod handshake;
mod inspection;
mod messages;
mod observe;
mod pages;
mod state;

pub(crate) use causes::{Diagnosis, of_unreachable};
pub(crate) use delivery::{Judged, WasSetUp, judge_app, judge_page};
pub(crate) use finding::delivery_of;
pub use finding::{Finding, GraphTrace, Group, Outcome, Report};
pub(crate) use handshake::{Misplaced, judge_problem, misplaced};
pub(crate) use observe::{Callback, Commands, Editing, Subject};
pub(crate) use pages::ids;
pub use pages::{CHECKS, CheckPage, DOCTOR_CHECKS};

use crate::graph::endpoints::subscription::{AppSubscription, SubscribedApp};
use crate::graph::{Client, GraphError};
use crate::webhook::Prober;

/// What Meta says of an account, for whoever compares it with what should be.
pub(crate) struct Look {
    /// The credentials, judged.
    pub report: Report,
    /// The apps that the Page sends events to.
    pub page: Result<Vec<SubscribedApp>, GraphError>,
    /// The webhooks of the app; `None` where its secret is not known, or nobody asked.
    pub app: Option<Result<Vec<AppSubscription>, GraphError>>,
}

/// Looks at an account without asking its callback; at the webhook of its app only where
/// `with_app` says so.
pub(crate) async fn look(client: &Client, subject: &Subject, with_app: bool) -> Look {
    let seen = Box::pin(observe::observe(client, None, subject, with_app)).await;
    let findings = credentials::findings(&seen, subject);
    let report = Report { findings, page_name: credentials::page_name(&seen, subject) };
    let value = |call: observe::Call<Vec<AppSubscription>>| call.result.map(|answer| answer.value);
    Look { report, page: seen.subscribed.result.map(|answer| answer.value), app: seen.app_subscriptions.map(value) }
}

/// Runs every check.
pub(crate) async fn run(client: &Client, prober: &Prober, subject: &Subject) -> Report {
    // Boxed: hundreds of them may wait at the same time.
    let seen = Box::pin(observe::observe(client, Some(prober), subject, subject.callback.is_some())).await;
    let mut findings = credentials::findings(&seen, subject);
    findings.extend(delivery::findings(&seen, subject));
    findings.extend(messages::findings(subject));
    Report { findings, page_name: credentials::page_name(&seen, subject) }
}
