//! The group *delivery*: would a message arrive. What fails here blocks no
//! saving; it is what is left to do.

use std::time::Duration;

use super::check::{Check, then};
use super::credentials::{NOT_A_PAGE_TOKEN, is_other_app, is_other_page};
use super::finding::{Finding, Group};
use super::observe::{Observed, Subject};
use super::state::TokenState;
use crate::dashboard;

/// Every check of the group, in the order of the contract.
pub(super) fn findings(seen: &Observed, subject: &Subject) -> Vec<Finding> {
    let state = TokenState::of(seen);
    vec![published(seen, subject, &state), subscription(seen, subject, &state)]
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
    let subscribe =
        |fields: &str| format!("subscribe the Page to {fields}: {} > Add subscriptions", dashboard::WEBHOOKS);
    let Some(app) = mine else {
        return check.fail(
            "the Page sends the app no events: it is not subscribed",
            subscribe("messages and messaging_postbacks"),
        );
    };
    let has = |name: &str| app.subscribed_fields.iter().any(|field| field == name);
    if !has("messages") {
        return check.fail("the Page is subscribed, but not to messages: none would arrive", subscribe("messages"));
    }
    if !has("messaging_postbacks") {
        return check.warn(
            "the Page is subscribed to messages, but not to messaging_postbacks: taps on buttons would not arrive",
            then(&subscribe("messaging_postbacks"), &subject.commands.test_again),
        );
    }
    check.pass("the Page sends the app messages and messaging_postbacks")
}
