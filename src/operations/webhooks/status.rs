//! Would Meta send an event, and where to.

use super::found::of_wrong_app;
use super::observe::{Seen, observe};
use super::results::AccountResult;
use super::target::Target;
use crate::address::to_paste;
use crate::checks::causes::WEBHOOK_INACTIVE;
use crate::checks::ids::{APP_SUBSCRIPTION, PAGE_SUBSCRIPTION};
use crate::checks::{Judged, Outcome, WasSetUp, judge_app, judge_page};
use crate::dashboard;
use crate::graph::GraphError;
use crate::operations::accounts::commands;
use crate::operations::health::{self, News, SetUps};
use crate::operations::{Error, Found, Workspace};
use crate::provision::subscription::{AppLevel, PageLevel};

/// Asks about the levels of each target, and says whether they are as they should be, in the
/// order of the targets.
pub fn status(workspace: &Workspace, targets: &[Target]) -> Result<Vec<AccountResult>, Error> {
    let client = workspace.graph()?;
    let asked: Vec<&Target> = targets.iter().collect();
    let _progress = workspace.reporter.waiting("asking Graph about webhooks …");
    let seen = Workspace::wait(observe(&client, &asked))?;
    let result = |(target, found): (&Target, Vec<Found>)| AccountResult {
        account: target.account.clone(),
        changed: false,
        found,
    };
    let found = judge_and_keep(workspace, &asked.into_iter().zip(&seen).collect::<Vec<_>>());
    Ok(targets.iter().zip(found).map(result).collect())
}

/// Judges what was seen of the levels of each target, and keeps it for `msgrctl status`.
pub fn judge_and_keep(workspace: &Workspace, seen: &[(&Target, &Seen)]) -> Vec<Vec<Found>> {
    if seen.is_empty() {
        return Vec::new();
    }
    let set_ups = SetUps::of(workspace);
    let mut news = News::default();
    let judge = |(target, seen): &(&Target, &Seen)| judge(&mut news, target, seen, set_ups.levels(&target.account));
    let found = seen.iter().map(judge).collect();
    health::keep(workspace, &news);
    found
}

/// Judges what was seen of the levels of a target, and adds it to `news` as a test of the
/// account would find it.
pub(super) fn judge(news: &mut News, target: &Target, seen: &Seen, was_set_up: WasSetUp) -> Vec<Found> {
    let found = vec![of_app(target, seen, was_set_up.app), of_page(target, seen, was_set_up.page)];
    let checks = found.iter().map(|Found { id, outcome, cause, .. }| {
        // Without a callback URL there is nothing that the app's level should be.
        let is_unknown = *id == APP_SUBSCRIPTION && target.account.callback_url.is_none();
        if is_unknown { (*id, Outcome::Skip, None) } else { (*id, *outcome, *cause) }
    });
    news.seen(&target.account, &checks.collect::<Vec<_>>());
    found
}

fn again(target: &Target) -> String {
    format!("msgrctl webhook subscribe {}", target.account.handle)
}

fn failed(id: &'static str, error: &GraphError, target: &Target) -> Found {
    Found::failed(id, error, target, &format!("msgrctl webhook status {}", target.account.handle))
}

fn of_app(target: &Target, seen: &Seen, was_set_up: bool) -> Found {
    let account = &target.account;
    let level = match &seen.app {
        None => {
            let add_app = commands::saved(account).add_app;
            let hint = format!("look there yourself: {}; then: {add_app}", dashboard::WEBHOOKS);
            let why = "not seen: it needs the app id and the app secret";
            return Found::new(APP_SUBSCRIPTION, Outcome::Skip, why).hint(hint);
        }
        Some(Err(error)) => {
            return failed(APP_SUBSCRIPTION, error, target);
        }
        Some(Ok(level)) => level,
    };
    let present = match level {
        AppLevel::Absent => None,
        AppLevel::Present(present) => Some(present),
    };
    let callback = target.callback_url();
    let Judged { outcome, cause, summary } = judge_app(callback.as_deref(), present, was_set_up);
    let edit = |url: &str| format!("msgrctl account edit {} --callback-url {url}", account.handle);
    let is_off = cause.is_some_and(|cause| cause.id == WEBHOOK_INACTIVE.id);
    let hint = match (outcome, &callback, present.and_then(|present| present.callback_url.as_deref())) {
        (Outcome::Pass, None, Some(to)) => {
            Some(format!("the account has no callback URL to compare it with; then: {}", edit(&to_paste(to))))
        }
        (Outcome::Pass, ..) => None,
        _ if is_off => Some(format!("{}; then: {}", WEBHOOK_INACTIVE.fix(), again(target))),
        (_, None, _) => Some(format!("give the account its callback URL; then: {}", edit("URL"))),
        (_, Some(_), None) => Some(format!("subscribe the app and the Page; then: {}", again(target))),
        (_, Some(_), Some(_)) => Some(format!(
            "have Meta send them to the account's callback URL: an app has one for all of its Pages; then: {}",
            again(target)
        )),
    };
    Found { cause: cause.map(|cause| cause.id), hint, ..Found::new(APP_SUBSCRIPTION, outcome, summary) }
}

fn of_page(target: &Target, seen: &Seen, was_set_up: bool) -> Found {
    match &seen.page {
        _ if seen.has_wrong_app() => of_wrong_app("not checked"),
        Err(error) => failed(PAGE_SUBSCRIPTION, error, target),
        Ok(PageLevel::OfAnotherApp(id)) => Found::of_another_app(&target.account, id),
        Ok(level) => {
            let fields = match level {
                PageLevel::Fields(fields) => Some(fields.as_slice()),
                _ => None,
            };
            let Judged { outcome, cause, summary } = judge_page(fields, was_set_up);
            let hint = (outcome > Outcome::Pass).then(|| format!("subscribe the Page; then: {}", again(target)));
            Found { cause: cause.map(|cause| cause.id), hint, ..Found::new(PAGE_SUBSCRIPTION, outcome, summary) }
        }
    }
}
