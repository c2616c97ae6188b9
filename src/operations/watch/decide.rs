//! What to tell after a round: pure, from what was found and what was told before.
//!
//! A state is told once it was found twice in a row, at once where there is proof; a recovery
//! after two good tests. A test that was not answered changes nothing. One notice for all
//! accounts with the same cause.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

use crate::checks::{Outcome, ids};
use crate::state::{Concerned, Event, Notice, NoticeFile, State, Told, ToldEnd};

/// Days before an end at which it is told.
const WARNINGS: [u8; 3] = [14, 7, 1];
/// Tests in a row before something without proof is told.
const RUNS: u32 = 2;
/// Tests in a row without an answer before that is told.
const UNREACHABLE_RUNS: u32 = 3;
/// Changes within a day before an account is called unstable.
const MANY_CHANGES: usize = 4;
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How long an unstable account has to stay as it is.
const QUIET: SignedDuration = SignedDuration::from_hours(6);

/// What a round found of one account.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The account's id.
    pub id: String,
    pub outcome: Outcome,
    /// As a notice shows it: of its worst check.
    pub concerned: Concerned,
    /// Its ends of validity.
    pub ends: Vec<End>,
    /// The checks that know of ends, where they were made: what another did not see is not gone.
    pub judged: Vec<String>,
}

/// An end of validity.
#[derive(Clone, Debug)]
pub struct End {
    /// The check that knows it: `token.expiry`.
    pub check: &'static str,
    pub at: Timestamp,
    /// Why it is told, in a sentence.
    pub summary: String,
    /// What to do, with the command.
    pub hint: Option<String>,
}

impl Seen {
    fn state(&self) -> State {
        let cause = || self.concerned.cause.clone().unwrap_or_default();
        match self.outcome {
            Outcome::Fail => State::Fail(cause()),
            Outcome::Warn if !self.is_about_an_end() => State::Warn(cause()),
            _ => State::Pass,
        }
    }

    fn is_about_an_end(&self) -> bool {
        self.concerned
            .check
            .as_deref()
            .is_some_and(|check| [ids::TOKEN_EXPIRY, ids::TOKEN_DATA_ACCESS].contains(&check))
    }

    /// Graph said it. A receiver may only be restarting.
    fn is_proved(&self) -> bool {
        const PROVED: [&str; 3] = ["token.", "page.", "app."];
        self.concerned.check.as_deref().is_some_and(|check| PROVED.iter().any(|of| check.starts_with(of)))
    }

    /// The token itself is dead: its end needs no warning.
    fn is_dead(&self) -> bool {
        let check = self.concerned.check.as_deref();
        self.outcome == Outcome::Fail
            && check.is_some_and(|check| [ids::TOKEN_VALID, ids::TOKEN_EXPIRY].contains(&check))
    }
}

/// How a round is judged.
pub struct Judge<'a> {
    /// Whether anything was told before.
    pub known: bool,
    /// Only some accounts were tested, out of turn: that is not a round to count.
    pub partial: bool,
    pub now: Timestamp,
    /// How often what still fails is told again.
    pub remind: Option<SignedDuration>,
    /// The ids of the accounts that there are: of others nothing is remembered.
    pub exists: &'a dyn Fn(&str) -> bool,
}

/// Takes a round into the memory and returns what is to be told.
pub fn decide(memory: &mut NoticeFile, round: &[Seen], judge: &Judge<'_>) -> Vec<Notice> {
    let Judge { known, partial, now, remind, exists } = *judge;
    let mut told: HashMap<String, Told> =
        std::mem::take(&mut memory.accounts).into_iter().map(|told| (told.account_id.clone(), told)).collect();
    let mut news = News::default();
    // Where nothing answers, that is one fact and not one of each account.
    let is_away = !round.is_empty() && round.iter().all(|seen| seen.outcome == Outcome::Unreachable);
    if !partial {
        memory.away = if is_away { memory.away + 1 } else { 0 };
    }
    for seen in round {
        let mut of = told.remove(&seen.id).unwrap_or_else(|| Told { account_id: seen.id.clone(), ..Told::default() });
        if seen.outcome == Outcome::Unreachable {
            of.unreachable += u32::from(!is_away && !partial);
            let runs = if is_away { memory.away } else { of.unreachable };
            if runs >= UNREACHABLE_RUNS && !of.told_unreachable && !partial {
                of.told_unreachable = true;
                news.add_unreachable(seen, is_away);
            }
        } else {
            // A state that is not good has a notice of its own.
            if std::mem::take(&mut of.told_unreachable) && seen.state() == State::Pass && of.told == State::Pass {
                news.add_recovered(seen, Some(ids::GRAPH_REACHABLE), "it can be tested again, and works");
            }
            of.unreachable = 0;
            // Out of turn only what is proved counts.
            if !partial || seen.outcome == Outcome::Fail && seen.is_proved() {
                of_state(&mut of, seen, known, now, &mut news);
                of_ends(&mut of, seen, now, &mut news);
            }
        }
        memory.accounts.push(of);
    }
    let mut others: Vec<Told> = told.into_values().filter(|told| exists(&told.account_id)).collect();
    others.sort_by(|one, other| one.account_id.cmp(&other.account_id));
    memory.accounts.extend(others);
    if !partial {
        digest(memory, round, now, remind, &mut news);
    }
    news.notices(now)
}

fn of_state(of: &mut Told, seen: &Seen, known: bool, now: Timestamp, news: &mut News) {
    let state = seen.state();
    let was = of.found.clone().unwrap_or_else(|| of.told.clone());
    if state != was {
        of.changes.push(now);
    }
    of.changes.retain(|at| now.duration_since(*at) < DAY);
    of.runs = if of.found.as_ref() == Some(&state) { of.runs + 1 } else { 1 };
    of.found = (state != of.told).then(|| state.clone());
    if let Some(since) = of.unstable_since {
        let last = of.changes.last().copied().unwrap_or(since);
        if now.duration_since(last) < QUIET {
            return;
        }
        of.unstable_since = None;
        of.changes.clear();
        if of.found.is_none() {
            // The last word was that it is unstable.
            news.add_state(&state, seen);
        }
    } else if of.changes.len() > MANY_CHANGES {
        of.unstable_since = Some(now);
        news.add(Event::Unstable, seen);
        return;
    }
    if of.found.is_none() {
        of.runs = 0;
        return;
    }
    let at_once = state != State::Pass && (seen.is_proved() || !known);
    if !at_once && of.runs < RUNS {
        return;
    }
    news.add_state(&state, seen);
    of.told = state;
    of.found = None;
    of.runs = 0;
}

/// The nearest warning of each end that was not told yet.
fn of_ends(of: &mut Told, seen: &Seen, now: Timestamp, news: &mut News) {
    if seen.is_dead() {
        return;
    }
    let before = std::mem::take(&mut of.ends);
    of.ends.extend(before.iter().filter(|old| !seen.judged.contains(&old.check)).cloned());
    let was_told = !before.is_empty();
    for end in &seen.ends {
        let left = end.at.duration_since(now);
        let due = WARNINGS.into_iter().rev().find(|days| left <= SignedDuration::from_hours(24 * i64::from(*days)));
        let due = if left <= SignedDuration::ZERO { Some(0) } else { due };
        let old = before.iter().find(|old| old.check == end.check && old.at == end.at);
        let Some(days) = due else { continue };
        if old.is_none_or(|old| days < old.days) {
            news.add_end(seen, end);
        }
        let days = old.map_or(days, |old| old.days.min(days));
        of.ends.push(ToldEnd { check: end.check.to_owned(), at: end.at, days });
    }
    if was_told && of.ends.is_empty() && of.told == State::Pass && seen.state() == State::Pass {
        news.add_recovered(seen, Some(ids::TOKEN_EXPIRY), "its token was renewed");
    }
}

fn digest(memory: &mut NoticeFile, round: &[Seen], now: Timestamp, remind: Option<SignedDuration>, news: &mut News) {
    let Some(remind) = remind else {
        memory.digest_at = None;
        return;
    };
    let due = memory.digest_at.get_or_insert(now);
    if now.duration_since(*due) < remind {
        return;
    }
    *due = now;
    for seen in round.iter().filter(|seen| seen.outcome == Outcome::Fail) {
        news.digest.push(seen.concerned.clone());
    }
}

/// What is to be told, by event and cause.
#[derive(Default)]
struct News {
    groups: BTreeMap<(Event, String), Vec<Concerned>>,
    digest: Vec<Concerned>,
}

impl News {
    fn add(&mut self, event: Event, seen: &Seen) {
        let cause = seen.concerned.cause.clone().unwrap_or_default();
        self.groups.entry((event, cause)).or_default().push(seen.concerned.clone());
    }

    fn add_state(&mut self, state: &State, seen: &Seen) {
        match state {
            State::Pass => self.add_recovered(seen, None, "it works again"),
            State::Warn(_) => self.add(Event::Warning, seen),
            State::Fail(_) => self.add(Event::Failed, seen),
        }
    }

    /// All that are away because Graph is share a notice, whatever each call ended with.
    fn add_unreachable(&mut self, seen: &Seen, is_away: bool) {
        let cause = seen.concerned.cause.clone().filter(|_| !is_away).unwrap_or_default();
        self.groups.entry((Event::Unreachable, cause)).or_default().push(seen.concerned.clone());
    }

    /// `check`: what is well again, where that is not the account as a whole.
    fn add_recovered(&mut self, seen: &Seen, check: Option<&str>, summary: &str) {
        let concerned = Concerned {
            check: check.map(str::to_owned),
            cause: None,
            hint: None,
            summary: summary.to_owned(),
            ..seen.concerned.clone()
        };
        let all = self.groups.entry((Event::Recovered, String::new())).or_default();
        if !all.iter().any(|known| known.account == concerned.account && known.check == concerned.check) {
            all.push(concerned);
        }
    }

    fn add_end(&mut self, seen: &Seen, end: &End) {
        let concerned = Concerned {
            check: Some(end.check.into()),
            cause: None,
            summary: end.summary.clone(),
            hint: end.hint.clone(),
            ends_at: Some(end.at),
            ..seen.concerned.clone()
        };
        self.groups.entry((Event::Expires, end.check.to_owned())).or_default().push(concerned);
    }

    fn notices(self, at: Timestamp) -> Vec<Notice> {
        let notice =
            |event, accounts| Notice { schema_version: 1, id: uuid::Uuid::new_v4().to_string(), event, at, accounts };
        let digest = (!self.digest.is_empty()).then(|| notice(Event::Digest, self.digest));
        self.groups.into_iter().map(|((event, _), accounts)| notice(event, accounts)).chain(digest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds of a fleet with what was told, an hour apart unless said otherwise.
    struct Fleet {
        memory: NoticeFile,
        known: bool,
        partial: bool,
        now: Timestamp,
        remind: Option<SignedDuration>,
    }

    impl Fleet {
        fn new(known: bool) -> Self {
            Self {
                memory: NoticeFile::new(),
                known,
                partial: false,
                now: "2026-11-29T00:00:00Z".parse().expect("a time"),
                remind: None,
            }
        }

        /// The notices of a round: the event and the accounts, `failed one two`.
        fn round(&mut self, seen: &[Seen]) -> Vec<String> {
            let judge = Judge {
                known: self.known,
                partial: self.partial,
                now: self.now,
                remind: self.remind,
                exists: &|_| true,
            };
            let notices = decide(&mut self.memory, seen, &judge);
            self.known = true;
            self.now += SignedDuration::from_hours(1);
            // As the next process reads it.
            let text = serde_json::to_string(&self.memory).expect("JSON");
            self.memory = serde_json::from_str(&text).expect("read");
            let words = |notice: &Notice| {
                let event = serde_json::to_value(notice.event).expect("a word");
                let names = notice.accounts.iter().map(|account| account.account.as_str());
                format!("{} {}", event.as_str().unwrap_or_default(), names.collect::<Vec<_>>().join(" "))
            };
            notices.iter().map(words).collect()
        }
    }

    fn seen(name: &str, outcome: Outcome, check: &'static str, cause: &str) -> Seen {
        let at = Timestamp::UNIX_EPOCH;
        let is_good = outcome == Outcome::Pass;
        let concerned = Concerned {
            tenant: "default".into(),
            account: name.into(),
            page_id: "1".into(),
            check: (!is_good).then(|| check.into()),
            cause: (!is_good).then(|| cause.into()),
            summary: "s".into(),
            hint: None,
            since: at,
            ends_at: None,
        };
        let judged = [ids::TOKEN_EXPIRY, ids::TOKEN_DATA_ACCESS].map(str::to_owned).to_vec();
        Seen { id: name.into(), outcome, concerned, ends: Vec::new(), judged }
    }

    fn good(name: &str) -> Seen {
        seen(name, Outcome::Pass, "", "")
    }

    fn dead(name: &str) -> Seen {
        seen(name, Outcome::Fail, ids::TOKEN_VALID, "expired")
    }

    fn deaf(name: &str) -> Seen {
        seen(name, Outcome::Fail, ids::CALLBACK_HANDSHAKE, "refused")
    }

    fn away(name: &str) -> Seen {
        seen(name, Outcome::Unreachable, ids::GRAPH_REACHABLE, "unreachable")
    }

    #[test]
    fn proof_is_told_at_once_and_the_rest_after_two_rounds_and_each_change_once() {
        let mut fleet = Fleet::new(true);
        assert_eq!(fleet.round(&[dead("one"), deaf("two"), dead("three")]), ["failed one three"]);
        assert_eq!(fleet.round(&[dead("one"), deaf("two"), dead("three")]), ["failed two"]);
        assert!(fleet.round(&[dead("one"), deaf("two"), dead("three")]).is_empty());
        // A receiver that answers once in between is not well yet; one that fails once is not ill.
        assert!(fleet.round(&[good("one"), good("two"), dead("three")]).is_empty());
        assert_eq!(fleet.round(&[good("one"), deaf("two"), dead("three")]), ["recovered one"]);
        assert!(fleet.round(&[deaf("one"), deaf("two"), dead("three")]).is_empty());
        assert!(fleet.round(&[good("one"), deaf("two"), dead("three")]).is_empty());
        // Another cause is news.
        assert_eq!(fleet.round(&[good("one"), dead("two"), dead("three")]), ["failed two"]);
    }

    #[test]
    fn without_a_memory_the_first_round_tells_one_notice_a_cause() {
        let mut fleet = Fleet::new(false);
        let round: Vec<Seen> = (0..20).map(|at| if at % 2 == 0 { dead("d") } else { deaf("h") }).collect();
        assert_eq!(fleet.round(&round).len(), 2);
    }

    #[test]
    fn no_answer_changes_no_state() {
        let mut fleet = Fleet::new(true);
        fleet.round(&[dead("one"), good("two")]);
        for expected in [&[][..], &[], &["unreachable one"], &[], &[]] {
            assert_eq!(fleet.round(&[away("one"), good("two")]), expected);
        }
        assert!(fleet.round(&[dead("one"), good("two")]).is_empty(), "it was told before");
    }

    #[test]
    fn where_nothing_answers_one_notice_says_so() {
        let mut fleet = Fleet::new(true);
        fleet.round(&[good("one"), good("two")]);
        for expected in [&[][..], &[], &["unreachable one two"], &[]] {
            assert_eq!(fleet.round(&[away("one"), away("two")]), expected);
        }
        assert_eq!(fleet.round(&[good("one"), good("two")]), ["recovered one two"]);
        assert!(fleet.round(&[good("one"), good("two")]).is_empty());
        // One that was told by itself is not told again because all are away.
        for expected in [&[][..], &[], &["unreachable one"]] {
            assert_eq!(fleet.round(&[away("one"), good("two")]), expected);
        }
        for expected in [&[][..], &[], &["unreachable two"], &[]] {
            assert_eq!(fleet.round(&[away("one"), away("two")]), expected);
        }
        // Each comes back when it does, and is told once.
        assert_eq!(fleet.round(&[good("one"), away("two")]), ["recovered one"]);
        assert_eq!(fleet.round(&[good("one"), good("two")]), ["recovered two"]);
        for _ in 0..4 {
            assert!(fleet.round(&[good("one"), good("two")]).is_empty());
        }
    }

    #[test]
    fn accounts_tested_out_of_turn_tell_only_what_is_proved() {
        let mut fleet = Fleet::new(true);
        fleet.round(&[good("one"), good("two")]);
        fleet.partial = true;
        assert!(fleet.round(&[deaf("one")]).is_empty() && fleet.round(&[deaf("one")]).is_empty());
        for _ in 0..4 {
            assert!(fleet.round(&[away("one")]).is_empty(), "one is not all");
        }
        assert_eq!(fleet.round(&[dead("one")]), ["failed one"]);
        assert!(fleet.round(&[]).is_empty());
        fleet.partial = false;
        assert!(fleet.round(&[dead("one"), good("two")]).is_empty(), "the other one is remembered too");
    }

    #[test]
    fn an_end_that_was_not_seen_is_not_renewed_and_one_of_a_failing_account_is_told() {
        let mut fleet = Fleet::new(true);
        let at = fleet.now + SignedDuration::from_hours(24 * 5);
        let ends = vec![End { check: ids::TOKEN_EXPIRY, at, summary: "ends".into(), hint: None }];
        assert_eq!(fleet.round(&[Seen { ends: ends.clone(), ..good("one") }]), ["expires one"]);
        for _ in 0..2 {
            assert!(fleet.round(&[Seen { judged: Vec::new(), ..good("one") }]).is_empty());
        }
        assert!(fleet.round(&[Seen { ends: ends.clone(), ..good("one") }]).is_empty());
        // A callback that is broken does not hide the end.
        assert_eq!(fleet.round(&[Seen { ends, ..deaf("two") }]), ["expires two"]);
    }

    #[test]
    fn an_end_is_told_at_14_7_and_1_days_and_a_renewal_ends_it() {
        let mut fleet = Fleet::new(true);
        let end = fleet.now + SignedDuration::from_hours(24 * 20);
        let ends = |at: Timestamp| {
            let end = End { check: ids::TOKEN_EXPIRY, at, summary: "ends".into(), hint: None };
            [Seen { ends: vec![end], ..good("one") }]
        };
        let mut told = Vec::new();
        for hour in 0..24 * 20 {
            told.extend(fleet.round(&ends(end)).into_iter().map(|notice| (notice, (24 * 20 - hour) / 24)));
        }
        let expires = |days| ("expires one".to_owned(), days);
        assert_eq!(told, [expires(14), expires(7), expires(1)]);
        assert_eq!(fleet.round(&ends(end + SignedDuration::from_hours(24 * 60))), ["recovered one"]);
        assert!(fleet.round(&ends(end + SignedDuration::from_hours(24 * 60))).is_empty());
        // One that is first seen late is told once.
        let mut late = Fleet::new(true);
        let end = late.now + SignedDuration::from_hours(30);
        assert_eq!(late.round(&ends(end)), ["expires one"]);
        assert!(late.round(&ends(end)).is_empty());
    }

    #[test]
    fn what_changes_too_often_is_called_unstable_once() {
        let mut fleet = Fleet::new(true);
        let mut told = Vec::new();
        for at in 0..20 {
            told.extend(fleet.round(&[if at % 2 == 0 { dead("one") } else { good("one") }]));
        }
        assert_eq!(told, ["failed one", "unstable one"]);
        // Quiet for six hours: then what it is.
        let told: Vec<String> = (0..12).flat_map(|_| fleet.round(&[good("one")])).collect();
        assert_eq!(told, ["recovered one"]);
    }

    #[test]
    fn a_digest_tells_once_a_day_what_still_fails() {
        let mut fleet = Fleet { remind: Some(SignedDuration::from_hours(24)), ..Fleet::new(true) };
        let told: Vec<String> = (0..49).flat_map(|_| fleet.round(&[dead("one"), good("two")])).collect();
        assert_eq!(told, ["failed one", "digest one", "digest one"]);
    }
}
