//! Call limits (graph/FACTS.md, "Call limits"): counted and reported only if a scenario turns
//! them on.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::answer::{Refusal, too_many};
use super::call::Call;
use super::world::World;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const SECOND: SignedDuration = SignedDuration::from_secs(1);
const TEN_MINUTES: SignedDuration = SignedDuration::from_mins(10);

/// The times of the calls of each kind.
#[derive(Default)]
pub(super) struct Usage(HashMap<String, VecDeque<Timestamp>>);

/// A limit and its state at a call.
struct Met {
    count: usize,
    limit: usize,
    /// Minutes until the oldest call no longer counts.
    regain: i64,
}

impl Usage {
    fn meet(&mut self, key: String, limit: usize, window: SignedDuration, now: Timestamp) -> Met {
        let calls = self.0.entry(key).or_default();
        while calls.front().is_some_and(|first| now.duration_since(*first) >= window) {
            calls.pop_front();
        }
        // Calls made while throttled count too.
        calls.push_back(now);
        let oldest = calls.front().copied().unwrap_or(now);
        let regain = (window - now.duration_since(oldest)).as_secs().div_euclid(60) + 1;
        Met { count: calls.len(), limit: limit.max(1), regain }
    }
}

impl Met {
    fn percent(&self) -> usize {
        self.count * 100 / self.limit
    }

    fn is_over(&self) -> bool {
        self.count > self.limit
    }
}

/// What the limits answer to a call.
#[derive(Default)]
pub(super) struct Counted {
    pub refusal: Option<Refusal>,
    pub headers: Vec<(&'static str, String)>,
}

/// Edges that belong to the Messenger Platform; the others are the Pages API.
const MESSENGER: [&str; 13] = [
    "messages",
    "message_attachments",
    "messenger_profile",
    "custom_user_settings",
    "personas",
    "conversations",
    "pass_thread_control",
    "take_thread_control",
    "request_thread_control",
    "release_thread_control",
    "extend_thread_control",
    "thread_owner",
    "secondary_receivers",
];

/// Counts a call. In a batch each operation counts, not the batch itself.
pub(super) fn count(world: &mut World, call: &Call) -> Counted {
    if !world.rules.rate_limits || call.segments.is_empty() {
        return Counted::default();
    }
    let Some((value, _)) = &call.token else { return Counted::default() };
    let now = world.clock.now();
    if let Some((app, _)) = value.split_once('|') {
        return of_people(world, format!("app {app}"), 4, now);
    }
    let Some(token) = world.token(value) else { return Counted::default() };
    let Some(page_id) = token.page().map(str::to_owned) else {
        let key = format!("user {}", token.user_id);
        return of_people(world, key, 17, now);
    };
    of_page(world, call, &page_id, now)
}

/// The limit of an app or a person: a number of calls for each of the app's users.
fn of_people(world: &mut World, key: String, code: i64, now: Timestamp) -> Counted {
    let met = world.usage.meet(key, 200 * world.users.len(), HOUR, now);
    let percent = met.percent();
    let usage = json!({"call_count": percent, "total_time": percent, "total_cputime": percent});
    let refusal = met.is_over().then(|| too_many(code));
    Counted { refusal, headers: vec![("x-app-usage", usage.to_string())] }
}

fn of_page(world: &mut World, call: &Call, page_id: &str, now: Timestamp) -> Counted {
    let engaged = world
        .people
        .iter()
        .filter(|person| person.page_id == page_id && person.wrote_at.is_some_and(|at| now.duration_since(at) < DAY));
    let engaged = engaged.count().max(1);
    let edge = call.segments.get(1).map(String::as_str).unwrap_or_default();
    let messenger = MESSENGER.contains(&edge);
    let (kind, limit, code) = if messenger { ("messenger", 200, 80006) } else { ("pages", 4_800, 80001) };
    let met = world.usage.meet(format!("{kind} {page_id}"), limit * engaged, DAY, now);
    let regain = if met.is_over() { met.regain } else { 0 };
    let usage = json!({page_id: [{
        "type": kind, "call_count": met.percent(), "total_cputime": met.percent(), "total_time": met.percent(),
        "estimated_time_to_regain_access": regain,
    }]});
    let headers = vec![("x-business-use-case-usage", usage.to_string())];
    let all = met.is_over().then(|| too_many(code));
    let own = of_edge(world, call, edge, page_id, now);
    Counted { refusal: all.or(own), headers }
}

/// The additional limits of single parts of the Messenger Platform.
fn of_edge(world: &mut World, call: &Call, edge: &str, page_id: &str, now: Timestamp) -> Option<Refusal> {
    let custom = || too_many(613);
    let sends = || too_many(4).with_subcode(2_018_022);
    let mut over =
        |name: &str, limit, window| world.usage.meet(format!("{name} {page_id}"), limit, window, now).is_over();
    match edge {
        "conversations" => over(edge, 2, SECOND).then(custom),
        "messenger_profile" => over(edge, 10, TEN_MINUTES).then(custom),
        "custom_user_settings" => {
            let name = format!("{edge} {}", call.parameter("psid").unwrap_or_default());
            over(&name, 10, TEN_MINUTES).then(custom)
        }
        "messages" if call.method == "POST" => {
            let message = call.value("message").unwrap_or_default();
            let heavy = matches!(message["attachment"]["type"].as_str(), Some("audio" | "video"));
            let limit = if heavy { 10 } else { 300 };
            over(if heavy { "heavy messages" } else { edge }, limit, SECOND).then(sends)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_forgotten_when_their_time_is_over() {
        let mut usage = Usage::default();
        let start = Timestamp::UNIX_EPOCH;
        for _ in 0..2 {
            assert!(!usage.meet("a".into(), 2, HOUR, start).is_over());
        }
        let met = usage.meet("a".into(), 2, HOUR, start);
        assert!(met.is_over() && met.regain == 61 && met.percent() == 150);
        assert!(!usage.meet("b".into(), 2, HOUR, start).is_over());
        assert!(!usage.meet("a".into(), 2, HOUR, start + HOUR).is_over());
    }
}
