//! What the probe found, as lines and as JSON.

use serde::Serialize;

use crate::checks::Outcome;
use crate::cli::outcome::{self, Line};
use crate::ui::style::{self, paint};
use crate::ui::terminal::Screen;
use crate::webhook::{Exchange, Probe, Problem};

/// How a probe ended.
pub fn outcome_of(probe: &Probe) -> Outcome {
    match &probe.problem {
        None => Outcome::Pass,
        Some(problem) if problem.is_warning() => Outcome::Warn,
        Some(_) => Outcome::Fail,
    }
}

/// A probe for a program.
#[derive(Serialize)]
pub struct ProbeView<'a> {
    schema_version: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    callback_url: &'a str,
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
    requests: Vec<RequestView>,
}

#[derive(Serialize)]
struct RequestView {
    verify_token: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    challenge_repeated: bool,
    duration_ms: u64,
}

impl<'a> ProbeView<'a> {
    pub fn new(account: Option<&'a str>, callback_url: &'a str, probe: &Probe) -> Self {
        let request = |verify_token, exchange: &Exchange| RequestView {
            verify_token,
            status: exchange.status.ok(),
            challenge_repeated: exchange.challenge_repeated,
            duration_ms: milliseconds(exchange),
        };
        let mut requests: Vec<RequestView> = probe.right.iter().map(|right| request("right", right)).collect();
        requests.extend(probe.wrong.as_ref().map(|wrong| request("wrong", wrong)));
        Self {
            schema_version: 1,
            account,
            callback_url,
            outcome: outcome_of(probe).to_string(),
            problem: probe.problem.as_ref().map(Problem::id),
            summary: probe.problem.as_ref().map(Problem::summary),
            hint: probe.problem.as_ref().map(Problem::fix),
            requests,
        }
    }
}

fn milliseconds(exchange: &Exchange) -> u64 {
    u64::try_from(exchange.duration.as_millis()).unwrap_or(u64::MAX)
}

/// A probe for a person.
pub fn text(callback_url: &str, probe: &Probe, screen: Screen) -> String {
    let worst = outcome_of(probe);
    let mut lines =
        vec![format!("{} {}", paint(style::BOLD, callback_url, screen.color), outcome::marked(worst, screen))];
    let took = |exchange: &Exchange| format!("in {} ms", milliseconds(exchange));
    let problem = probe.problem.as_ref();
    let mut add = |id, outcome, summary: &str, hint| {
        let line = Line { id, outcome, summary, hint, graph: None };
        lines.extend(outcome::lines(&line, "right token".len(), screen));
    };
    let of_right = problem.filter(|problem| !matches!(problem, Problem::AnyToken));
    match (of_right, &probe.right) {
        (Some(problem), _) => add("right token", worst, &problem.summary(), Some(problem.fix())),
        (None, Some(right)) => {
            let summary = format!("answered 200 with the bare challenge, {}", took(right));
            add("right token", Outcome::Pass, &summary, None);
        }
        (None, None) => {}
    }
    match (&probe.wrong, problem) {
        (_, Some(problem @ Problem::AnyToken)) => {
            add("wrong token", Outcome::Fail, &problem.summary(), Some(problem.fix()));
        }
        (Some(wrong), _) => {
            let how = match wrong.status {
                Ok(status) => format!("refused with HTTP {status}, {}", took(wrong)),
                Err(fault) => format!("not answered: {fault}"),
            };
            add("wrong token", Outcome::Pass, &how, None);
        }
        (None, _) => add("wrong token", Outcome::Skip, "not asked: the right token has to work first", None),
    }
    lines.join("\n")
}
