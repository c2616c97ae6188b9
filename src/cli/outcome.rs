//! How the result of a check looks to a person: the same for an account and for
//! this machine.

use crate::checks::{GraphTrace, Outcome};
use crate::text::sentence;
use crate::ui::style::{self, paint, wrap};
use crate::ui::terminal::Screen;

/// One result.
pub struct Line<'a> {
    /// The check's public name.
    pub id: &'a str,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found.
    pub summary: &'a str,
    /// What to do; the command that follows stands behind `; then: `.
    pub hint: Option<&'a str>,
    /// What Graph answered.
    pub graph: Option<&'a GraphTrace>,
    /// What a callback's receiver answered.
    pub receiver_says: Option<&'a str>,
}

/// The column in which outcomes stand: the longest is `? unreachable`.
const OUTCOME: usize = 15;

/// The lines of one result: mark, word, id, sentence, and below it what to do.
/// `wide` is the width of the widest id of the list.
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
    if let Some(hint) = line.hint.map(sentence) {
        // The command stays whole, so that it can be pasted.
        let (fix, command) = match hint.split_once("; then: ") {
            Some((fix, command)) => (fix, Some(command)),
            None => (hint.as_str(), None),
        };
        under("fix:", &wrap(fix, width, indent + 5));
        if let Some(command) = command {
            under("then:", command);
        }
    }
    lines
}

fn mark(outcome: Outcome, unicode: bool) -> &'static str {
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

/// An outcome as mark and word.
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
