//! A probe's result, as lines and as JSON.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::address::shown;
use crate::checks::Outcome;
use crate::cli::outcome::{self, Line};
use crate::json::without_nulls;
use crate::operations::webhooks::outcome_of;
use crate::ui::style::{self, paint};
use crate::ui::terminal::Screen;
use crate::webhook::{Exchange, Probe, Problem};

/// `fix`: see [`text`].
pub fn view(account: Option<&str>, callback_url: &str, probe: &Probe, fix: Option<&str>) -> Value {
    let request = |verify_token, exchange: &Exchange| {
        without_nulls(json!({
            "verify_token": verify_token,
            "status": exchange.status.ok(),
            "challenge_repeated": exchange.challenge_repeated,
            "duration_ms": milliseconds(exchange),
        }))
    };
    let right = probe.right.iter().map(|right| request("right", right));
    let wrong = probe.wrong.iter().map(|wrong| request("wrong", wrong));
    let problem = probe.problem.as_ref();
    without_nulls(json!({
        "schema_version": 1,
        "account": account,
        "callback_url": callback_url,
        "outcome": outcome_of(probe).to_string(),
        "problem": problem.map(Problem::id),
        "cause": problem.map(Problem::cause),
        "summary": problem.map(Problem::summary),
        "hint": problem.map(|problem| fix.unwrap_or(problem.fix())),
        // The receiver's answer instead of the challenge.
        "says": probe.says,
        "requests": right.chain(wrong).collect::<Vec<Value>>(),
    }))
}

fn milliseconds(exchange: &Exchange) -> u64 {
    u64::try_from(exchange.duration.as_millis()).unwrap_or(u64::MAX)
}

/// A probe for a person; `fix` is the hint with the account's name, to paste.
pub fn text(callback_url: &str, probe: &Probe, fix: Option<&str>, screen: Screen) -> String {
    let worst = outcome_of(probe);
    let mut lines =
        vec![format!("{} {}", paint(style::BOLD, &shown(callback_url), screen.color), outcome::marked(worst, screen))];
    let took = |exchange: &Exchange| format!("in {} ms", milliseconds(exchange));
    let mut add = |id, outcome, summary: &str, hint: Option<&str>, receiver_says| {
        let hint = hint.map(Cow::Borrowed);
        let line = Line { hint, receiver_says, ..Line::new(id, outcome, summary) };
        lines.extend(outcome::lines(&line, WRONG.len(), screen));
    };
    let problem = probe.problem.as_ref();
    let of_wrong = problem.filter(|problem| matches!(problem, Problem::AnyToken));
    let of_right = problem.filter(|_| of_wrong.is_none());
    match (of_right, &probe.right) {
        (Some(problem), _) => {
            add(RIGHT, worst, &problem.summary(), Some(fix.unwrap_or(problem.fix())), probe.says.as_deref());
        }
        (None, Some(right)) => {
            let summary = format!("answered 200 with the bare challenge, {}", took(right));
            add(RIGHT, Outcome::Pass, &summary, None, None);
        }
        (None, None) => {}
    }
    match (&probe.wrong, of_wrong) {
        (_, Some(problem)) => add(WRONG, Outcome::Fail, &problem.summary(), Some(fix.unwrap_or(problem.fix())), None),
        (Some(wrong), None) => {
            let how = match wrong.status {
                Ok(status) => format!("refused with HTTP {status}, {}", took(wrong)),
                Err(fault) => format!("not answered: {fault}"),
            };
            add(WRONG, Outcome::Pass, &how, None, None);
        }
        (None, None) => {
            add(WRONG, Outcome::Skip, "not asked: the verify token must work first", None, None);
        }
    }
    lines.join("\n")
}

/// The two requests: with the verify token, and with a made-up one that a receiver must
/// refuse.
const RIGHT: &str = "verify token";
const WRONG: &str = "made-up token";
