//! The group *delivery*: whether a message would arrive. A failure here does not prevent saving
//! the account; it remains to be done.

use std::time::Duration;

use super::causes::{
    CALLBACK_DIFFERS, Cause, FIELDS_MISSING, NOT_SUBSCRIBED, PAGE_UNPUBLISHED, PERMISSION_MISSING, Place, TO_DO,
    WEBHOOK_INACTIVE,
};
use super::check::Check;
use super::credentials::{other_app, other_kind, other_page, refused_app};
use super::finding::{Finding, Group, Outcome};
use super::handshake::{self, misplaced};
use super::ids;
use super::inspection;
use super::observe::{Observed, Subject};
use super::state::{TokenState, known};
use crate::address::shown;
use crate::graph::GraphError;
use crate::graph::endpoints::subscription::{AppSubscription, same_callback};

/// Every check of the group, in the documented order.
pub(super) fn findings(seen: &Observed, subject: &Subject) -> Vec<Finding> {
    let state = TokenState::of(seen);
    vec![
        published(seen, subject, &state),
        subscription(seen, subject, &state),
        app_subscription(seen, subject),
        handshake::finding(seen, subject),
    ]
}

fn check(id: &'static str, duration: Duration) -> Check {
    Check::new(id, Group::Delivery, duration)
}

fn published(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let check = check(ids::PAGE_PUBLISHED, seen.page.duration);
    if let Some(why) = state.why_skipped().or_else(|| other_page(seen, subject)) {
        return check.skip(why);
    }
    match seen.page.value().and_then(|page| page.is_published) {
        Some(true) => check.pass("the Page is published"),
        Some(false) => check.diagnosed(Outcome::Fail, PAGE_UNPUBLISHED.diagnosis(), subject),
        None => check.skip("not known: Graph did not say, or the token may not read it"),
    }
}

fn subscription(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let check = check(ids::PAGE_SUBSCRIPTION, seen.subscribed.duration);
    let other = || other_kind(seen).or_else(|| other_page(seen, subject)).or_else(|| other_app(seen, subject));
    if let Some(why) = state.why_skipped().or_else(other).or_else(|| refused_app(seen, subject)) {
        return check.skip(why);
    }
    let apps = match &seen.subscribed.result {
        Ok(answer) => &answer.value,
        Err(GraphError::Refused(error)) => {
            let asked = subject.asked(Place::Page).known(known(seen, subject));
            let mut finding = check.refused(error, asked, subject);
            let permissions = inspection::permissions(seen, subject, state);
            if finding.cause == Some(PERMISSION_MISSING.id)
                && (permissions.outcome, permissions.cause) == (Outcome::Fail, finding.cause)
            {
                finding.summary = format!("Meta does not show it, for the same cause as {}", permissions.id);
                finding.hint = None;
            }
            return finding;
        }
        Err(error) => return check.failed(error, Place::Page, subject),
    };
    let mine = match &subject.app_id {
        Some(id) => apps.iter().find(|app| app.id == *id),
        None => apps.first(),
    };
    judge_page(mine.map(|app| app.subscribed_fields.as_slice()), subject.was_set_up.page).finding(check, subject)
}

/// Which levels of a webhook existed once, or were set up with msgrctl.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WasSetUp {
    pub app: bool,
    pub page: bool,
}

impl WasSetUp {
    /// The levels that were seen, by the id, outcome and cause of each check. An app whose
    /// events go elsewhere is not set up for this account.
    pub fn of<'i>(checks: impl IntoIterator<Item = (&'i str, Outcome, Option<&'i str>)>) -> Self {
        let mut seen = Self::default();
        for (id, outcome, cause) in checks {
            let short = cause.is_some_and(|cause| [FIELDS_MISSING.id, WEBHOOK_INACTIVE.id].contains(&cause));
            let is_there = outcome == Outcome::Pass || short;
            match id {
                ids::APP_SUBSCRIPTION => seen.app |= is_there,
                ids::PAGE_SUBSCRIPTION => seen.page |= is_there,
                _ => {}
            }
        }
        seen
    }
}

/// The verdict on a level of a webhook.
pub struct Judged {
    pub outcome: Outcome,
    /// The cause; `None`: nothing is wrong.
    pub cause: Option<&'static Cause>,
    pub summary: String,
}

impl Judged {
    fn passes(summary: String) -> Self {
        Self { outcome: Outcome::Pass, cause: None, summary }
    }

    fn fails(cause: &'static Cause, summary: impl Into<String>) -> Self {
        Self { outcome: Outcome::Fail, cause: Some(cause), summary: summary.into() }
    }

    /// A missing level: lost, or not set up yet.
    fn absent(was_set_up: bool, what: &str) -> Self {
        if was_set_up {
            return Self::fails(&NOT_SUBSCRIBED, what);
        }
        Self { outcome: Outcome::Warn, cause: Some(&TO_DO), summary: format!("not set up yet: {what}") }
    }

    fn finding(self, check: Check, subject: &Subject) -> Finding {
        let Some(cause) = self.cause else { return check.pass(self.summary) };
        let hint = subject.then(&cause.fix(), cause.next);
        check.finds(self.outcome, cause.id, self.summary, hint)
    }
}

/// What a missing field is needed for, and how serious that is.
fn lacking(fields: &[String]) -> Option<(Outcome, &'static str)> {
    let has = |name: &str| fields.iter().any(|field| field == name);
    if !has("messages") {
        return Some((Outcome::Fail, "not messages: none would arrive"));
    }
    (!has("messaging_postbacks"))
        .then_some((Outcome::Warn, "not messaging_postbacks: taps on buttons would not arrive"))
}

/// Judges the fields that a Page sends its app; `None`: it is not subscribed, and `was_set_up`
/// says whether it was once.
pub fn judge_page(fields: Option<&[String]>, was_set_up: bool) -> Judged {
    let Some(fields) = fields else {
        return Judged::absent(was_set_up, "the Page sends the app no events");
    };
    match lacking(fields) {
        Some((outcome, what)) => {
            Judged { outcome, cause: Some(&FIELDS_MISSING), summary: format!("the Page is subscribed, but {what}") }
        }
        None => Judged::passes(format!("the Page sends the app {}", fields.join(", "))),
    }
}

/// Judges an app's webhook, which should send events to `callback`; `None` accepts any address.
/// `was_set_up` says whether it existed once.
pub fn judge_app(callback: Option<&str>, present: Option<&AppSubscription>, was_set_up: bool) -> Judged {
    let Some(present) = present else {
        return Judged::absent(was_set_up, "the app has no webhook for Pages");
    };
    let to = present.callback_url.as_deref().unwrap_or("nowhere");
    if let Some(callback) = callback.filter(|callback| !same_callback(callback, to)) {
        let (to, callback) = (shown(to), shown(callback));
        return Judged::fails(&CALLBACK_DIFFERS, format!("the app's events go to {to}, not to {callback}"));
    }
    if !present.active {
        return Judged::fails(&WEBHOOK_INACTIVE, WEBHOOK_INACTIVE.summary);
    }
    match lacking(&present.fields) {
        Some((outcome, what)) => {
            Judged { outcome, cause: Some(&FIELDS_MISSING), summary: format!("the app's webhook is there, but {what}") }
        }
        None => Judged::passes(format!("the app's events go to {}: {}", shown(to), present.fields.join(", "))),
    }
}

fn app_subscription(seen: &Observed, subject: &Subject) -> Finding {
    let call = seen.app_subscriptions.as_ref();
    let check = check(ids::APP_SUBSCRIPTION, call.map(|call| call.duration).unwrap_or_default());
    let Some(callback) = &subject.callback else {
        return check.skip("not checked: the account has no callback URL");
    };
    let Some(call) = call else {
        return check.skip("not checked: it needs the app id and the app secret");
    };
    // The app id and secret are judged by token.app.
    if let Some(why) = refused_app(seen, subject) {
        return check.skip(why);
    }
    let all = match &call.result {
        Ok(answer) => &answer.value,
        Err(GraphError::Refused(error)) if matches!(error.code, Some(1 | 101 | 190)) => {
            return check.skip("not checked: Meta refused the app's credentials (token.app)");
        }
        Err(error) => return check.failed(error, Place::App, subject),
    };
    let of_pages = all.iter().find(|subscription| subscription.object == subject.channel.webhook_object());
    // It can be set once the callback URL is one that Meta accepts.
    if of_pages.is_none() && misplaced(&callback.url, callback.sandbox, &subject.commands.edit).is_some() {
        return check
            .skip("the app has no webhook for Pages: Meta does not take the callback URL (callback.handshake)");
    }
    judge_app(Some(&callback.url), of_pages, subject.was_set_up.app).finding(check, subject)
}
