//! Test Connection: what is right and wrong with an account, and what to do.
//!
//! [`run`] first makes all calls to Graph and the callback that do not depend on each other, at
//! the same time; then each check judges the answers on its own, without further calls.

pub(crate) mod causes;
mod check;
mod credentials;
mod delivery;
mod finding;
mod handshake;
mod inspection;
mod life;
mod messages;
mod observe;
mod pages;
mod state;

pub(crate) use causes::{Diagnosis, of_unreachable};
pub(crate) use delivery::{Judged, WasSetUp, judge_app, judge_page};
pub(crate) use finding::delivery_of;
pub use finding::{Finding, GraphTrace, Group, Outcome, Report};
pub(crate) use handshake::{Misplaced, judge_problem, misplaced, way_out};
pub use life::{Renewal, TokenLife};
pub(crate) use observe::{Callback, Commands, Editing, Subject};
pub(crate) use pages::ids;
pub use pages::{CHECKS, CheckPage, DOCTOR_CHECKS};

use crate::graph::endpoints::subscription::{AppSubscription, SubscribedApp};
use crate::graph::{Client, GraphError};
use crate::webhook::Prober;

/// What Meta says about an account, for comparing it with what should be.
pub(crate) struct Look {
    /// The judged credentials.
    pub report: Report,
    /// The apps that the Page sends events to.
    pub page: Result<Vec<SubscribedApp>, GraphError>,
    /// The webhooks of the app; `None` where its secret is not known, or they were not asked
    /// for.
    pub app: Option<Result<Vec<AppSubscription>, GraphError>>,
}

/// Inspects an account without asking its callback; `with_app` includes its app's webhook.
pub(crate) async fn look(client: &Client, subject: &Subject, with_app: bool) -> Look {
    let seen = Box::pin(observe::observe(client, None, subject, with_app)).await;
    let findings = credentials::findings(&seen, subject);
    let report = report(&seen, subject, findings);
    let value = |call: observe::Call<Vec<AppSubscription>>| call.result.map(|answer| answer.value);
    Look { report, page: seen.subscribed.result.map(|answer| answer.value), app: seen.app_subscriptions.map(value) }
}

/// Runs every check.
pub(crate) async fn run(client: &Client, prober: &Prober, subject: &Subject) -> Report {
    // Boxed: hundreds may wait at the same time.
    let seen = Box::pin(observe::observe(client, Some(prober), subject, subject.callback.is_some())).await;
    let mut findings = credentials::findings(&seen, subject);
    findings.extend(delivery::findings(&seen, subject));
    findings.extend(messages::findings(subject));
    report(&seen, subject, findings)
}

fn report(seen: &observe::Observed, subject: &Subject, findings: Vec<Finding>) -> Report {
    Report { findings, page_name: credentials::page_name(seen, subject), token_life: seen.life() }
}
