//! The group *delivery*: would a message arrive. What fails here blocks no
//! saving; it is what is left to do.

use std::time::Duration;

use super::check::{Check, then};
use super::credentials::{NOT_A_PAGE_TOKEN, is_other_app, is_other_page};
use super::finding::{Finding, Group, Outcome};
use super::handshake;
use super::observe::{Observed, Subject};
use super::state::TokenState;
use crate::graph::GraphError;
use crate::graph::endpoints::subscription::{AppSubscription, PAGE, same_callback};

/// Every check of the group, in the order of the contract.
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
    let check = check("page.published", seen.page.duration);
    if let Some(why) = state.why_skipped() {
        return check.skip(why);
    }
    if is_other_page(seen, subject) {
        return check.skip("not checked: the token is of another Page");
    }
    match seen.page.value().and_then(|page| page.is_published) {
        Some(true) => check.pass("the Page is published"),
        Some(false) => check.fail(
            "the Page is not published: customers cannot find it",
            "publish it in the Page's settings (Privacy > Page visibility)",
        ),
        None => check.skip("not known: Graph did not say, or the token may not read it"),
    }
}

fn subscription(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let check = check("page.subscription", seen.subscribed.duration);
    if let Some(why) = state.why_skipped() {
        return check.skip(why);
    }
    if seen.subscribed.refusal().is_some_and(|error| matches!(error.code, Some(210 | 102))) {
        return check.skip(NOT_A_PAGE_TOKEN);
    }
    if is_other_page(seen, subject) {
        return check.skip("not checked: the token is of another Page");
    }
    if is_other_app(seen, subject) {
        return check.skip("not checked: the token is of another app");
    }
    let apps = match &seen.subscribed.result {
        Ok(answer) => &answer.value,
        Err(error) => return check.failed(error, subject),
    };
    let mine = match &subject.app_id {
        Some(id) => apps.iter().find(|app| app.id == *id),
        None => apps.first(),
    };
    let (outcome, summary) = judge_page(mine.map(|app| app.subscribed_fields.as_slice()));
    let hint = (outcome > Outcome::Pass).then(|| then("have it subscribed", &subject.commands.subscribe));
    check.ends(outcome, summary, hint)
}

/// What a field that is missing is needed for, and how bad that is.
fn lacking(fields: &[String]) -> Option<(Outcome, &'static str)> {
    let has = |name: &str| fields.iter().any(|field| field == name);
    if !has("messages") {
        return Some((Outcome::Fail, "not messages: none would arrive"));
    }
    (!has("messaging_postbacks"))
        .then_some((Outcome::Warn, "not messaging_postbacks: taps on buttons would not arrive"))
}

/// What it means that a Page sends its app these fields; `None`: it is not subscribed.
pub fn judge_page(fields: Option<&[String]>) -> (Outcome, String) {
    let Some(fields) = fields else {
        return (Outcome::Fail, "the Page sends the app no events: it is not subscribed".into());
    };
    match lacking(fields) {
        Some((outcome, what)) => (outcome, format!("the Page is subscribed, but {what}")),
        None => (Outcome::Pass, format!("the Page sends the app {}", fields.join(", "))),
    }
}

/// What it means that an app is told of this, and should send it to `callback`; without
/// one any address will do.
pub fn judge_app(callback: Option<&str>, present: Option<&AppSubscription>) -> (Outcome, String) {
    let Some(present) = present else {
        return (Outcome::Fail, "the app has no webhook for Pages: no event is sent".into());
    };
    let to = present.callback_url.as_deref().unwrap_or("nowhere");
    if let Some(callback) = callback.filter(|callback| !same_callback(callback, to)) {
        return (Outcome::Fail, format!("the app's events go to {to}, not to {callback}"));
    }
    if !present.active {
        return (Outcome::Fail, "Meta has switched the app's webhook off, as it does after an hour of failures".into());
    }
    match lacking(&present.fields) {
        Some((outcome, what)) => (outcome, format!("the app's webhook is there, but {what}")),
        None => (Outcome::Pass, format!("the app's events go to {to}: {}", present.fields.join(", "))),
    }
}

fn app_subscription(seen: &Observed, subject: &Subject) -> Finding {
    let call = seen.app_subscriptions.as_ref();
    let check = check("app.subscription", call.map(|call| call.duration).unwrap_or_default());
    let Some(callback) = &subject.callback else {
        return check.skip("not checked: the account has no callback URL");
    };
    let Some(call) = call else {
        return check.skip("not checked: it needs the app id and the app secret");
    };
    let all = match &call.result {
        Ok(answer) => &answer.value,
        // The pair of app id and secret is judged at token.app.
        Err(GraphError::Refused(error)) if matches!(error.code, Some(1 | 101 | 190)) => {
            return check.skip("not checked: Meta refused the app's credentials (token.app)");
        }
        Err(error) => return check.failed(error, subject),
    };
    let of_pages = all.iter().find(|subscription| subscription.object == PAGE);
    let (outcome, summary) = judge_app(Some(&callback.url), of_pages);
    let hint = (outcome > Outcome::Pass).then(|| then("have it set", &subject.commands.subscribe));
    check.ends(outcome, summary, hint)
}
