//! Pages on causes, checks and Meta's codes: what they mean and what to do.

use serde::Serialize;

use super::accounts::commands;
use crate::checks::causes::{self, Code};
use crate::checks::{CHECKS, CheckPage, DOCTOR_CHECKS};
use crate::webhook::Problem;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page {
    /// [`CAUSE`], [`CHECK`], [`CODE`], or the caller's own.
    pub kind: &'static str,
    pub id: String,
    pub summary: String,
    pub fix: String,
    /// The command to run; placeholders are in capitals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The possible causes of one of Meta's codes, the likeliest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<&'static str>,
}

/// Why a check failed, a message was refused, or a callback would be refused.
pub const CAUSE: &str = "cause";
/// A check of account test or doctor.
pub const CHECK: &str = "check";
/// One of Meta's codes.
pub const CODE: &str = "code";

/// Every page of a kind.
pub fn of_kind(kind: &str) -> Vec<Page> {
    match kind {
        CAUSE => {
            let own: Vec<Page> = causes::all().map(of_cause).collect();
            let of_callbacks = Problem::examples();
            let more = of_callbacks.iter().filter(|problem| !causes::all().any(|cause| cause.id == problem.cause()));
            own.iter().cloned().chain(more.map(of_problem)).collect()
        }
        CHECK => CHECKS.iter().chain(DOCTOR_CHECKS).map(of_check).collect(),
        CODE => causes::codes().iter().map(of_code).collect(),
        _ => Vec::new(),
    }
}

/// The pages for a cause, a check or one of Meta's codes.
pub fn look_up(word: &str) -> Vec<Page> {
    if let Some((code, subcode)) = meta_code(word) {
        return causes::code(code, subcode).iter().map(of_code).collect();
    }
    // `problem` of webhook verify has underscores where the cause has hyphens.
    let cause = word.replace('_', "-");
    let named = |entry: &Page| entry.id == word || entry.kind == CAUSE && entry.id == cause;
    let [causes, checks] = [CAUSE, CHECK].map(of_kind);
    causes.into_iter().chain(checks).filter(named).collect()
}

/// `190`, `190/463`, and Meta's own `#190`, `(#190)`.
pub fn meta_code(word: &str) -> Option<(i64, Option<i64>)> {
    let bare = word.trim_start_matches("(#").trim_start_matches('#').trim_end_matches(')');
    match bare.split_once(['/', ':']) {
        Some((code, subcode)) => Some((code.parse().ok()?, Some(subcode.parse().ok()?))),
        None => Some((bare.parse().ok()?, None)),
    }
}

/// The command of a page; placeholders are in capitals.
fn command(next: causes::Next) -> Option<String> {
    commands::of("NAME").of(next)
}

impl Page {
    pub fn new(kind: &'static str, id: &str, summary: String, fix: String, command: Option<String>) -> Self {
        Self { kind, id: id.into(), summary, fix, command, causes: Vec::new() }
    }
}

fn of_cause(cause: &causes::Cause) -> Page {
    Page::new(CAUSE, cause.id, cause.summary.into(), cause.fix(), command(cause.next))
}

fn of_problem(problem: &Problem) -> Page {
    let next = if problem.is_of_address() { causes::Next::SetCallback } else { causes::Next::Verify };
    Page::new(CAUSE, problem.cause(), problem.summary(), problem.fix().into(), command(next))
}

fn of_check(check: &CheckPage) -> Page {
    Page::new(CHECK, check.id, check.passes.into(), check.fix.into(), command(check.next))
}

fn of_code(code: &Code) -> Page {
    let causes: Vec<&'static str> = code.meanings.iter().map(|(found, _)| found.cause).collect();
    let (summary, fix, command) = if let [(only, _)] = code.meanings.as_slice() {
        (only.summary.clone(), only.fix.clone(), command(only.next))
    } else {
        let fix = "a test shows which".to_owned();
        (format!("one of these: {}", meanings(code).join("; ")), fix, command(causes::Next::TestAgain))
    };
    Page { causes, ..Page::new(CODE, &code.id, summary, fix, command) }
}

/// The possible meanings of a code, with their causes and where they occur.
pub fn meanings(code: &Code) -> Vec<String> {
    let one = |(found, place): &(causes::Diagnosis, Option<causes::Place>)| {
        let at = place.map(|place| format!(", {}", place.words())).unwrap_or_default();
        format!("{} ({}{at})", found.summary, found.cause)
    };
    code.meanings.iter().map(one).collect()
}
