//! How a check's result looks to a person, for an account and for this machine.

use std::borrow::Cow;

use serde::Serialize;

use crate::checks::{Finding, GraphTrace, Outcome};
use crate::operations::Found;
use crate::text::{Calls, sentence};
use crate::ui::style::{self, paint, wrap};
use crate::ui::terminal::Screen;

#[derive(Serialize)]
pub struct Line<'a> {
    pub id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    pub outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    pub summary: &'a str,
    /// What to do; the command follows `; then: `.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph: Option<&'a GraphTrace>,
    /// A callback's answer instead of the challenge.
    #[serde(rename = "says", skip_serializing_if = "Option::is_none")]
    pub receiver_says: Option<&'a str>,
    /// Other checks that found the same, listed once.
    #[serde(skip)]
    pub also: Vec<&'a str>,
}

impl<'a> Line<'a> {
    pub fn new(id: &'a str, outcome: Outcome, summary: &'a str) -> Self {
        let (group, cause, hint, duration_ms, graph, receiver_says) = (None, None, None, None, None, None);
        Self { id, group, outcome, cause, summary, hint, duration_ms, graph, receiver_says, also: Vec::new() }
    }

    /// The command of its fix, or the whole fix if it has none.
    fn step(&self) -> Option<&str> {
        self.hint.as_deref().map(|hint| hint.split_once("; then: ").map_or(hint, |(_, command)| command))
    }
}

/// Says each thing once for an account: a line equal to one above is only named there, and a
/// line with the same cause and command does not repeat what to do.
pub fn once<'a>(lines: impl IntoIterator<Item = Line<'a>>) -> Vec<Line<'a>> {
    let mut told: Vec<Line<'a>> = Vec::new();
    for mut line in lines {
        let same = |one: &&mut Line<'_>| one.cause.is_some() && one.cause == line.cause;
        if let Some(before) = told.iter_mut().find(same) {
            if (before.outcome, before.summary) == (line.outcome, line.summary) {
                before.also.push(line.id);
                continue;
            }
            if before.step() == line.step() {
                line.hint = None;
            }
            line.graph = line.graph.filter(|trace| before.graph != Some(trace));
        }
        told.push(line);
    }
    told
}

impl<'a> Line<'a> {
    /// The line of a check of an account.
    pub fn of_finding(finding: &'a Finding, calls: &Calls) -> Self {
        Self {
            group: Some(finding.group.to_string()),
            cause: finding.cause,
            hint: finding.hint.as_deref().map(|hint| calls.complete(hint)),
            duration_ms: Some(u64::try_from(finding.duration.as_millis()).unwrap_or(u64::MAX)),
            graph: finding.graph.as_ref(),
            receiver_says: finding.receiver_says.as_deref(),
            ..Self::new(finding.id, finding.outcome, &finding.summary)
        }
    }

    /// The line of a webhook level, or of a part of this machine.
    pub fn of_found(found: &'a Found, calls: &Calls) -> Self {
        Self {
            cause: found.cause,
            hint: found.hint.as_deref().map(|hint| calls.complete(hint)),
            graph: found.graph.as_ref(),
            receiver_says: found.receiver_says.as_deref(),
            ..Self::new(found.id, found.outcome, &found.summary)
        }
    }
}

/// The width of the outcome column; the longest is `? unreachable`.
const OUTCOME: usize = 15;

/// The lines of one result: mark, word, id, sentence, and below it what to do. `wide` is the
/// width of the widest id in the list.
pub fn lines(line: &Line<'_>, wide: usize, screen: Screen) -> Vec<String> {
    let Screen { color, width, .. } = screen;
    // On a narrow terminal the sentence goes below its check.
    let narrow = width.is_some_and(|width| usize::from(width) < 4 + OUTCOME + wide + 2 + 30);
    let indent = if narrow { 8 } else { 4 + OUTCOME + wide + 2 };
    let mark = marked(line.outcome, screen);
    let pad = " ".repeat(OUTCOME.saturating_sub(2 + line.outcome.to_string().len()));
    let summary = wrap(&sentence(line.summary), width, indent);
    let summary = if line.outcome == Outcome::Skip { paint(style::DIM, &summary, color) } else { summary };
    let mut lines = if narrow {
        vec![format!("    {mark}{pad}{}", line.id), format!("{}{summary}", " ".repeat(indent))]
    } else {
        vec![format!("    {mark}{pad}{:<wide$}  {summary}", line.id)]
    };
    let mut under = |label: &str, text: &str| {
        let label = format!("{label} ");
        lines.push(format!("{}{}{text}", " ".repeat(indent), paint(style::HINT, &label, color)));
    };
    if let Some(says) = line.graph.and_then(|graph| graph.says.as_deref()) {
        under("meta says:", &wrap(&sentence(says), width, indent + 11));
    }
    if let Some(codes) = line.graph.map(GraphTrace::codes).filter(|codes| !codes.is_empty()) {
        under("meta:", &codes);
    }
    if let Some(says) = line.receiver_says {
        under("receiver says:", &wrap(&sentence(says), width, indent + 15));
    }
    if !line.also.is_empty() {
        under("the same:", &wrap(&line.also.join(", "), width, indent + 10));
    }
    if let Some(hint) = line.hint.as_deref().map(sentence) {
        let mut label = "fix:";
        for way in ways(&hint) {
            // A command stays on one line, so that it can be pasted.
            let (fix, command) = match way.split_once("; then: ") {
                Some((fix, command)) => (fix, Some(command)),
                None => (way, None),
            };
            under(label, &wrap(fix, width, indent + label.len() + 1));
            if let Some(command) = command {
                under("then:", command);
            }
            label = "or:";
        }
    }
    lines
}

/// The ways out in a hint, the best first; a further one begins after a command.
pub fn ways(hint: &str) -> impl Iterator<Item = &str> {
    const OR: &str = "; or ";
    let mut rest = Some(hint);
    std::iter::from_fn(move || {
        let text = rest?;
        let command = text.find("; then: ").unwrap_or(0);
        let end = text[command..].find(OR).map(|at| command + at).filter(|_| text.contains("; then: "));
        rest = end.map(|end| &text[end + OR.len()..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

/// The mark of an outcome, a letter without Unicode.
pub fn mark(outcome: Outcome, unicode: bool) -> &'static str {
    match (outcome, unicode) {
        (Outcome::Pass, true) => "✓",
        (Outcome::Pass, false) => "+",
        (Outcome::Warn, _) => "!",
        (Outcome::Fail, true) => "✗",
        (Outcome::Fail, false) => "x",
        (Outcome::Unreachable, _) => "?",
        (Outcome::Skip, _) => "-",
    }
}

pub fn marked(outcome: Outcome, screen: Screen) -> String {
    let style = match outcome {
        Outcome::Pass => style::GOOD,
        Outcome::Warn => style::WARNING,
        Outcome::Fail | Outcome::Unreachable => style::ERROR,
        Outcome::Skip => style::DIM,
    };
    let text = format!("{} {outcome}", mark(outcome, screen.unicode));
    paint(style, &text, screen.color)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line<'a>(id: &'a str, cause: &'static str, summary: &'a str, hint: &'a str) -> Line<'a> {
        Line { cause: Some(cause), hint: Some(hint.into()), ..Line::new(id, Outcome::Fail, summary) }
    }

    #[test]
    fn what_reads_the_same_is_named_and_a_fix_is_said_once() {
        let told = once([
            line("a", "expired", "it has expired", "create one; then: msgrctl x"),
            line("b", "expired", "it ended on a day", "create another one; then: msgrctl x"),
            line("c", "expired", "it has expired", "create one; then: msgrctl x"),
            // A different command is a different fix, even with the same cause.
            line("d", "expired", "so has this", "create one; then: msgrctl y"),
            line("e", "to-do", "not set up", "create one; then: msgrctl x"),
        ]);
        let shown: Vec<_> = told.iter().map(|line| (line.id, line.hint.is_some(), line.also.as_slice())).collect();
        let none: &[&str] = &[];
        assert_eq!(shown, [("a", true, ["c"].as_slice()), ("b", false, none), ("d", true, none), ("e", true, none)]);
    }

    #[test]
    fn what_passes_has_no_cause_and_stays() {
        let passes = |id| Line::new(id, Outcome::Pass, "as it should be");
        assert_eq!(once([passes("a"), passes("b")]).len(), 2);
    }
}
