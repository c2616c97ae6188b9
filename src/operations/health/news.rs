//! What a command found out and changed, and what becomes of what was known by that.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::accounts::Account;
use crate::checks::causes::TO_DO;
use crate::checks::{CHECKS, Finding, Group, Outcome, Report, WasSetUp, delivery_of, ids};
use crate::state::{CheckResult, Health, HealthFile, SetUp};

/// One thing that a command found out or changed.
enum Note {
    /// A whole test, and the account's `updated_at` when it was tested.
    Tested(Health, Timestamp),
    /// Checks of an account that were made without the others.
    Seen(String, Vec<CheckResult>),
    /// Levels of a webhook that are there, or were ordered.
    SetUp(SetUp),
    /// Levels of an account's webhook that are gone because that was wanted.
    Removed(String, WasSetUp),
    /// What the result of an account rests on was changed.
    Changed(String),
    /// Meta took an account's callback: what was found wrong with it before is out of date.
    CallbackTaken(String),
    /// The webhook of this app is gone because that was wanted.
    AppRemoved(String),
}

/// What a command found out and changed, to be kept.
#[derive(Default)]
pub struct News(Vec<Note>);

impl News {
    /// What a test of an account found.
    pub fn tested(&mut self, account: &Account, report: &Report, now: Timestamp) {
        self.0.push(Note::Tested(of(account, report, now), account.updated_at));
        let found = report.findings.iter().map(|finding| (finding.id, finding.outcome, finding.cause));
        self.set_up(account, WasSetUp::of(found));
    }

    /// What single checks of an account found: id, outcome and cause of each. A level of its
    /// webhook that is there is set up.
    pub fn seen(&mut self, account: &Account, checks: &[(&'static str, Outcome, Option<&'static str>)]) {
        self.set_up(account, WasSetUp::of(checks.iter().copied()));
        let checks = checks.iter().map(|(id, outcome, cause)| result(id, *outcome, *cause)).collect();
        self.0.push(Note::Seen(account.id.clone(), checks));
    }

    /// These levels of an account's webhook are there, or were ordered.
    pub fn set_up(&mut self, account: &Account, levels: WasSetUp) {
        let app = account.app_id.as_ref().map(ToString::to_string);
        let page = levels.page.then(|| account.page_id.to_string());
        let page_app = app.clone().filter(|_| levels.page);
        let app = app.filter(|_| levels.app);
        if app.is_some() || page.is_some() {
            self.0.push(Note::SetUp(SetUp { account_id: account.id.clone(), app, page, page_app }));
        }
    }

    /// These levels of an account's webhook are gone because that was wanted: they are to do.
    pub fn removed(&mut self, account: &Account, levels: WasSetUp) {
        // Without a callback URL there is nothing to do at the app.
        let app = levels.app && account.callback_url.is_some();
        let ids = [(levels.page, ids::PAGE_SUBSCRIPTION), (app, ids::APP_SUBSCRIPTION)];
        let ids = ids.into_iter().filter(|(is_gone, _)| *is_gone);
        let checks = ids.map(|(_, id)| result(id, Outcome::Warn, Some(TO_DO.id))).collect();
        self.0.push(Note::Removed(account.id.clone(), levels));
        self.0.push(Note::Seen(account.id.clone(), checks));
    }

    /// What the result of an account rests on was changed.
    pub fn changed(&mut self, account: &Account) {
        self.0.push(Note::Changed(account.id.clone()));
    }

    /// Meta took the account's callback after a handshake.
    pub fn callback_taken(&mut self, account: &Account) {
        self.0.push(Note::CallbackTaken(account.id.clone()));
    }

    /// The webhook of this app is gone because that was wanted: it is not missed by any account.
    pub fn app_removed(&mut self, app_id: &str) {
        self.0.push(Note::AppRemoved(app_id.into()));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts it in the place of what was known. `updated` says when each account of the tenant
    /// was changed last: one that is gone is not known again by a test of before.
    pub(super) fn put_into(&self, file: &mut HealthFile, updated: &HashMap<String, Timestamp>, now: Timestamp) {
        let mut results: HashMap<String, usize> =
            file.accounts.iter().enumerate().map(|(at, health)| (health.account_id.clone(), at)).collect();
        let mut set_ups: HashMap<String, usize> =
            file.set_up.iter().enumerate().map(|(at, set_up)| (set_up.account_id.clone(), at)).collect();
        for note in &self.0 {
            match note {
                Note::Tested(new, tested_as_of) => {
                    let Some(updated_at) = updated.get(&new.account_id) else { continue };
                    let mut new = new.clone();
                    if updated_at != tested_as_of {
                        new.changed_at = Some(now);
                    }
                    let at = *results.entry(new.account_id.clone()).or_insert(file.accounts.len());
                    match file.accounts.get_mut(at) {
                        Some(old) => {
                            if (&old.outcome, &old.cause) == (&new.outcome, &new.cause) {
                                new.since = old.since;
                            }
                            *old = new;
                        }
                        None => file.accounts.push(new),
                    }
                }
                Note::SetUp(new) if updated.contains_key(&new.account_id) => {
                    let at = *set_ups.entry(new.account_id.clone()).or_insert(file.set_up.len());
                    match file.set_up.get_mut(at) {
                        Some(old) => merge_set_up(old, new),
                        None => file.set_up.push(new.clone()),
                    }
                }
                Note::SetUp(_) => {}
                Note::Removed(id, levels) => {
                    if let Some(known) = set_ups.get(id).map(|at| &mut file.set_up[*at]) {
                        known.app.take_if(|_| levels.app);
                        known.page.take_if(|_| levels.page);
                        known.page_app.take_if(|_| levels.page);
                    }
                }
                Note::AppRemoved(app) => {
                    file.set_up.iter_mut().for_each(|known| drop(known.app.take_if(|known| known == app)));
                }
                Note::Seen(id, checks) => {
                    if let Some(at) = results.get(id) {
                        see(&mut file.accounts[*at], checks, now);
                    }
                }
                Note::Changed(id) => {
                    if let Some(at) = results.get(id) {
                        file.accounts[*at].changed_at = Some(now);
                    }
                }
                Note::CallbackTaken(id) => {
                    let Some(known) = results.get(id).map(|at| &mut file.accounts[*at]) else { continue };
                    let is_doubtful =
                        |known: &CheckResult| known.check == ids::CALLBACK_HANDSHAKE && known.cause.is_some();
                    if known.checks.iter().any(is_doubtful) {
                        known.changed_at = Some(now);
                    }
                }
            }
        }
    }
}

fn result(id: &str, outcome: Outcome, cause: Option<&str>) -> CheckResult {
    CheckResult { check: id.into(), outcome: outcome.to_string(), cause: cause.map(str::to_owned) }
}

fn of(account: &Account, report: &Report, now: Timestamp) -> Health {
    let ends = |id: &str| report.findings.iter().find(|finding| finding.id == id).and_then(|finding| finding.ends_at);
    // What passes matters where it takes a pass to say that messages arrive.
    let matters = |finding: &&Finding| match finding.outcome {
        Outcome::Skip => false,
        Outcome::Pass => finding.group == Group::Delivery,
        _ => true,
    };
    let checks = report.findings.iter().filter(matters);
    let mut health = Health {
        account_id: account.id.clone(),
        outcome: String::new(),
        check: None,
        cause: None,
        since: now,
        checked_at: now,
        expires_at: report.expires_at(),
        token_life: report.token_life.map(|life| life.to_string()),
        data_access_ends_at: ends(ids::TOKEN_DATA_ACCESS),
        webhook: String::new(),
        checks: checks.map(|finding| result(finding.id, finding.outcome, finding.cause)).collect(),
        changed_at: None,
    };
    judge(&mut health);
    health
}

/// What the checks of a result come to: the worst, the first that ended so with its cause, and
/// whether messages arrive.
fn judge(health: &mut Health) {
    let outcome = |check: &CheckResult| Outcome::named(&check.outcome).unwrap_or(Outcome::Skip);
    let worst = health.checks.iter().map(outcome).fold(Outcome::Pass, Ord::max);
    let first = health.checks.iter().find(|check| outcome(check) == worst && check.cause.is_some());
    let (check, cause) = (first.map(|first| first.check.clone()), first.and_then(|first| first.cause.clone()));
    let webhook = delivery_of(health.checks.iter().map(|check| (check.check.as_str(), outcome(check))));
    (health.outcome, health.webhook) = (worst.to_string(), webhook.to_string());
    (health.check, health.cause) = (check, cause);
}

/// Puts checks that were made without the others into a result.
fn see(health: &mut Health, seen: &[CheckResult], now: Timestamp) {
    if health.checks.is_empty() {
        // Of an older version, which did not keep what the result rests on.
        health.changed_at = Some(now);
        return;
    }
    let before = (health.outcome.clone(), health.cause.clone());
    for new in seen {
        let place = health.checks.iter().position(|known| known.check == new.check);
        let is_made = new.outcome != Outcome::Skip.to_string();
        match place {
            Some(at) if is_made => health.checks[at] = new.clone(),
            Some(at) => drop(health.checks.remove(at)),
            None if is_made => health.checks.push(new.clone()),
            None => {}
        }
    }
    // The first of the worst is the one that a test would name.
    health.checks.sort_by_key(|known| CHECKS.iter().position(|check| check.id == known.check));
    judge(health);
    if before != (health.outcome.clone(), health.cause.clone()) {
        health.since = now;
    }
}

fn merge_set_up(old: &mut SetUp, new: &SetUp) {
    if new.app.is_some() {
        old.app.clone_from(&new.app);
    }
    if new.page.is_some() {
        old.page.clone_from(&new.page);
        old.page_app.clone_from(&new.page_app);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::health::SetUps;
    use crate::operations::trial::Trial;

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn finding(id: &'static str, outcome: Outcome, cause: Option<&'static str>) -> Finding {
        let group = if id.starts_with("page.") || id.starts_with("app.") || id.starts_with("callback.") {
            Group::Delivery
        } else {
            Group::Credentials
        };
        Finding {
            id,
            group,
            outcome,
            cause,
            summary: String::new(),
            hint: None,
            duration: std::time::Duration::ZERO,
            ends_at: None,
            graph: None,
            receiver_says: None,
        }
    }

    type Check = (&'static str, Outcome, Option<&'static str>);

    /// An account of an app, and what is kept of it.
    struct Rig {
        account: Account,
        file: HealthFile,
    }

    impl Rig {
        fn new() -> Self {
            let mut account = Trial::new().account("Acme");
            account.app_id = Some("12341".parse().expect("an app id"));
            account.callback_url = Some("https://example.com/m".parse().expect("a URL"));
            Self { account, file: HealthFile::default() }
        }

        fn put(&mut self, at: i64, add: impl FnOnce(&mut News, &Account)) -> &Health {
            let mut news = News::default();
            add(&mut news, &self.account);
            let updated = HashMap::from([(self.account.id.clone(), self.account.updated_at)]);
            news.put_into(&mut self.file, &updated, time(at));
            &self.file.accounts[0]
        }

        fn test(&mut self, at: i64, checks: &[Check]) -> &Health {
            let findings = checks.iter().map(|(id, outcome, cause)| finding(id, *outcome, *cause)).collect();
            let report = Report { findings, page_name: None, token_life: None };
            self.put(at, |news, account| news.tested(account, &report, time(at)))
        }

        fn levels(&self) -> WasSetUp {
            let kept = self.file.set_up.iter().map(|one| (one.account_id.clone(), one.clone()));
            SetUps(kept.collect()).levels(&self.account)
        }
    }

    const PAGE: Check = (ids::PAGE_SUBSCRIPTION, Outcome::Pass, None);
    const APP: Check = (ids::APP_SUBSCRIPTION, Outcome::Pass, None);
    const ANSWERS: Check = (ids::CALLBACK_HANDSHAKE, Outcome::Pass, None);
    const REFUSES: Check = (ids::CALLBACK_HANDSHAKE, Outcome::Fail, Some("token-refused"));
    const ELSEWHERE: Check = (ids::APP_SUBSCRIPTION, Outcome::Fail, Some("callback-differs"));
    const SOON: Check = (ids::TOKEN_EXPIRY, Outcome::Warn, Some("expires-soon"));
    const LONG: Check = (ids::MESSAGES_WINDOW, Outcome::Fail, Some("window-exceeded"));
    const SILENT: Check = (ids::GRAPH_REACHABLE, Outcome::Unreachable, Some("unreachable"));

    fn shown(health: &Health) -> (&str, &str, &str) {
        (&health.outcome, health.cause.as_deref().unwrap_or_default(), &health.webhook)
    }

    #[test]
    fn what_is_seen_after_a_test_takes_the_place_of_what_the_test_found() {
        let mut rig = Rig::new();
        assert_eq!(shown(rig.test(10, &[SOON, PAGE, ELSEWHERE, ANSWERS])), ("fail", "callback-differs", "fail"));
        let seen = rig.put(20, |news, account| news.seen(account, &[APP, PAGE]));
        assert_eq!(shown(seen), ("warn", "expires-soon", "pass"));
        assert_eq!((seen.checked_at, seen.since, seen.changed_at), (time(10), time(20), None));
        // What was found about the others stays.
        assert_eq!(
            shown(rig.put(30, |news, account| news.seen(account, &[REFUSES]))),
            ("fail", "token-refused", "fail")
        );
        assert_eq!(shown(rig.put(40, |news, account| news.seen(account, &[APP, PAGE]))).2, "fail");
        // The order is that of a test, and what is not known any more is not.
        let both = rig.put(50, |news, account| news.seen(account, &[ELSEWHERE]));
        assert_eq!(shown(both), ("fail", "callback-differs", "fail"));
        let skip = |(id, ..): Check| (id, Outcome::Skip, None);
        let none = rig.put(60, |news, account| news.seen(account, &[skip(APP), skip(ANSWERS)]));
        assert_eq!(shown(none), ("warn", "expires-soon", "skip"));
    }

    #[test]
    fn the_cause_is_that_of_the_worst_check_as_a_report_orders_them() {
        let mut rig = Rig::new();
        assert_eq!(shown(rig.test(1, &[SOON, SILENT])).1, "unreachable");
        assert_eq!(shown(rig.test(1, &[SILENT, SOON, LONG])).1, "window-exceeded");
        assert_eq!(shown(rig.test(1, &[REFUSES, LONG])).1, "token-refused");
    }

    #[test]
    fn since_stays_while_outcome_and_cause_stay() {
        let mut rig = Rig::new();
        let mut since = |at, checks: &[Check]| rig.test(at, checks).since;
        assert_eq!(since(10, &[REFUSES]), time(10));
        assert_eq!(since(20, &[REFUSES, SOON]), time(10));
        assert_eq!(since(30, &[ELSEWHERE]), time(30));
        assert_eq!(since(40, &[PAGE]), time(40));
    }

    #[test]
    fn a_result_is_older_than_a_change_until_the_next_test() {
        let mut rig = Rig::new();
        rig.test(10, &[PAGE, APP, ANSWERS]);
        assert_eq!(rig.put(20, News::callback_taken).changed_at, None, "it answered before");
        assert_eq!(rig.put(20, News::changed).changed_at, Some(time(20)));
        assert_eq!(rig.test(30, &[PAGE, APP, REFUSES]).changed_at, None);
        // Meta's handshake went well since.
        assert_eq!(rig.put(40, News::callback_taken).changed_at, Some(time(40)));
        // The account was changed while it was tested.
        let mut before = rig.account.clone();
        before.updated_at = time(1);
        let report = Report { findings: Vec::new(), page_name: None, token_life: None };
        let during = rig.put(50, |news, _| news.tested(&before, &report, time(50)));
        assert_eq!((during.checked_at, during.changed_at), (time(50), Some(time(50))));
        // What the checks of an older version were is not known.
        rig.test(60, &[]);
        assert_eq!(rig.put(70, |news, account| news.seen(account, &[APP])).changed_at, Some(time(70)));
        // Nor is an account known again that was removed while it was tested.
        let report = Report { findings: Vec::new(), page_name: None, token_life: None };
        let mut news = News::default();
        news.tested(&rig.account, &report, time(80));
        news.set_up(&rig.account, WasSetUp { app: true, page: true });
        let mut file = HealthFile::default();
        news.put_into(&mut file, &HashMap::new(), time(80));
        assert_eq!(file, HealthFile::default());
    }

    #[test]
    fn a_level_is_known_for_its_app_and_page_until_its_removal_is_wanted() {
        let levels = |app, page| WasSetUp { app, page };
        let mut rig = Rig::new();
        rig.test(1, &[APP, PAGE]);
        assert_eq!(rig.levels(), levels(true, true));
        rig.test(2, &[REFUSES]);
        assert_eq!(rig.levels(), levels(true, true), "a test that sees nothing forgets nothing");
        // The Page was subscribed for that app, and no other.
        rig.account.app_id = Some("12342".parse().expect("an app id"));
        assert_eq!(rig.levels(), levels(false, false));
        rig.put(3, |news, account| news.seen(account, &[PAGE]));
        assert_eq!(rig.levels(), levels(false, true));
        rig.account.app_id = None;
        assert_eq!(rig.levels(), levels(false, true), "an app that is not known may be the same");
        rig.account.app_id = Some("12341".parse().expect("an app id"));
        assert_eq!(rig.levels(), levels(true, false));
        rig.put(4, |news, account| news.seen(account, &[PAGE]));
        let gone = rig.put(5, |news, account| news.removed(account, levels(false, true)));
        assert_eq!(shown(gone), ("fail", "token-refused", "fail"));
        let page = gone.checks.iter().find(|check| check.check == ids::PAGE_SUBSCRIPTION).expect("a check");
        assert_eq!(page.cause.as_deref(), Some("to-do"));
        assert_eq!(rig.levels(), levels(true, false));
        rig.put(6, |news, _| news.app_removed("12342"));
        assert_eq!(rig.levels(), levels(true, false), "another app");
        rig.put(7, |news, _| news.app_removed("12341"));
        assert_eq!(rig.levels(), levels(false, false));
    }
}
