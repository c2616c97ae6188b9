//! A result as a plugin of Nagios or Icinga prints it: one line, performance data, then the
//! details. <https://nagios-plugins.org/doc/guidelines.html>

use std::cmp::Reverse;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::Suite;
use crate::checks::Outcome;
use crate::text::{count, one_line};

/// What is printed at most: Nagios reads no more.
const LONGEST: usize = 4000;
/// The first line: more does not fit a screen or an SMS.
const FIRST_LINE: usize = 200;
/// Days before the end of a token: a warning, then critical.
const DAYS: (i64, i64) = (14, 7);

/// Nagios's own exit codes.
pub const UNKNOWN: u8 = 3;

/// What was found, suite by suite.
#[derive(Default)]
pub struct Plugin {
    counts: [usize; 4],
    /// The first words of what is wrong, the worst first.
    wrong: Vec<(Outcome, String)>,
    details: Vec<(Outcome, String)>,
    days_left: Vec<(i64, String)>,
}

impl Plugin {
    pub fn suite(&mut self, suite: &Suite<'_>, now: Timestamp) {
        let name = plain(&suite.title());
        self.counts[place(suite.outcome)] += 1;
        for line in suite.lines.iter().filter(|line| line.outcome > Outcome::Pass) {
            let cause = line.cause.map(|cause| format!(" ({cause})")).unwrap_or_default();
            let found = format!("{name} {}: {}{cause}", line.id, plain(line.summary));
            if line.outcome == suite.outcome
                && !self.wrong.iter().any(|(_, known)| known.starts_with(&format!("{name} ")))
            {
                let code = line.graph.and_then(|graph| {
                    let code = graph.code?;
                    Some(graph.subcode.map_or_else(|| code.to_string(), |subcode| format!("{code}/{subcode}")))
                });
                let short = line.cause.unwrap_or(line.id);
                let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
                self.wrong.push((line.outcome, format!("{name} {short}{code}")));
            }
            let fix = line.hint.as_deref().map(|hint| format!("; {}", plain(hint))).unwrap_or_default();
            self.details.push((line.outcome, format!("{} {found}{fix}", word(line.outcome))));
        }
        if let Some(ends_at) = suite.sample.as_ref().and_then(|sample| sample.expires_at) {
            self.days_left.push((ends_at.duration_since(now).as_hours() / 24, name));
        }
    }

    fn worst(&self) -> Option<Outcome> {
        // As this list orders them: what fails is worse than what is not known.
        [Outcome::Fail, Outcome::Unreachable, Outcome::Warn, Outcome::Pass]
            .into_iter()
            .find(|outcome| self.counts[place(*outcome)] > 0)
    }

    /// The text, and the exit code.
    pub fn end(mut self) -> (String, u8) {
        let Some(worst) = self.worst() else { return ("MSGR UNKNOWN - nothing was tested".into(), UNKNOWN) };
        let all: usize = self.counts.iter().sum();
        self.wrong.sort_by_key(|(outcome, _)| Reverse(*outcome));
        self.details.sort_by_key(|(outcome, _)| Reverse(*outcome));
        let bad = all - self.counts[place(Outcome::Pass)];
        let mut first = match bad {
            0 => format!("MSGR OK - {} of {} work", count(all), count(all)),
            bad => format!("MSGR {} - {} of {}: ", word(worst), count(bad), count(all)),
        };
        for (at, (_, wrong)) in self.wrong.iter().enumerate() {
            let more = format!("{}{wrong}", if at == 0 { "" } else { "; " });
            if first.len() + more.len() > FIRST_LINE {
                let _ = write!(first, " and {} more", self.wrong.len() - at);
                break;
            }
            first.push_str(&more);
        }
        let [pass, warn, unreachable, fail] = self.counts;
        let mut data = format!(
            " | accounts={all};;;0; pass={pass};;;0;{all} warn={warn};;;0;{all} fail={fail};;;0;{all} unreachable={unreachable};;;0;{all}"
        );
        self.days_left.sort();
        for (days, name) in &self.days_left {
            let label = format!(" '{name} days_left'={days};{}:;{}:;0;", DAYS.0, DAYS.1);
            if first.len() + data.len() + label.len() > LONGEST / 2 {
                break;
            }
            data.push_str(&label);
        }
        let mut text = first + &data;
        for (at, (_, detail)) in self.details.iter().enumerate() {
            if text.len() + detail.len() > LONGEST - 40 {
                let _ = write!(text, "\nand {} more", self.details.len() - at);
                break;
            }
            text.push('\n');
            text.push_str(detail);
        }
        (text, code(worst))
    }
}

/// The exit code of an outcome.
pub fn code(worst: Outcome) -> u8 {
    match worst {
        Outcome::Skip | Outcome::Pass => 0,
        Outcome::Warn => 1,
        Outcome::Fail => 2,
        Outcome::Unreachable => UNKNOWN,
    }
}

/// The exit code where some accounts were not tested: that is not known to be well.
pub fn with_untested(code: u8, untested: usize) -> u8 {
    const CRITICAL: u8 = 2;
    if untested > 0 && code < CRITICAL { UNKNOWN } else { code }
}

/// What ends a run without a result.
pub fn unknown(message: &str) -> String {
    let cut: String = plain(message).chars().take(FIRST_LINE - 40).collect();
    format!("MSGR UNKNOWN - {cut}")
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Skip | Outcome::Pass => "OK",
        Outcome::Warn => "WARNING",
        Outcome::Fail => "CRITICAL",
        Outcome::Unreachable => "UNKNOWN",
    }
}

fn place(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Skip | Outcome::Pass => 0,
        Outcome::Warn => 1,
        Outcome::Unreachable => 2,
        Outcome::Fail => 3,
    }
}

/// Text that begins no performance data and no line.
fn plain(text: &str) -> String {
    one_line(text).replace('|', "/").replace(['\'', '='], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::outcome::Line;

    fn plugin(suites: &[(&str, Outcome)]) -> (String, u8) {
        let mut plugin = Plugin::default();
        for (name, outcome) in suites {
            let lines = [Line { cause: Some("expired"), ..Line::new("token.valid", *outcome, "a | b\nc = 'd'") }];
            let suite = Suite { name, tenant: Some("acme"), outcome: *outcome, lines: &lines, sample: None };
            plugin.suite(&suite, Timestamp::UNIX_EPOCH);
        }
        plugin.end()
    }

    #[test]
    fn the_worst_decides_and_data_cannot_break_the_line() {
        let (text, code) = plugin(&[("north", Outcome::Fail), ("south", Outcome::Pass), ("west|=", Outcome::Warn)]);
        assert_eq!(code, 2);
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("MSGR CRITICAL - 2 of 3: acme/north expired; acme/west/  expired | accounts=3;"),
            "{text}"
        );
        assert_eq!(text.matches('|').count(), 1, "{text}");
        assert_eq!(plugin(&[("north", Outcome::Pass)]).1, 0);
        assert_eq!(plugin(&[("north", Outcome::Warn)]).1, 1);
        assert_eq!(plugin(&[("north", Outcome::Unreachable), ("x", Outcome::Warn)]).1, 3);
        assert_eq!(plugin(&[]).1, 3);
    }

    #[test]
    fn a_thousand_failures_stay_short() {
        let names: Vec<String> = (0..1000).map(|at| format!("account-{at}")).collect();
        let suites: Vec<(&str, Outcome)> = names.iter().map(|name| (name.as_str(), Outcome::Fail)).collect();
        let (text, _) = plugin(&suites);
        assert!(text.len() < 4096, "{}", text.len());
        let first = text.lines().next().unwrap_or_default();
        assert!(first.contains(" more | accounts=1000"), "{first}");
    }
}
