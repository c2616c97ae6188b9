//! Output formats of checks: text, JSON, a CI test report, a Markdown table, monitoring systems.

pub mod nagios;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::context::Context;
use super::error::CliError;
use super::outcome::Line;
use crate::checks::Outcome;
use crate::operations::watch::metrics::{self, Sample};
use crate::text::in_markup;
use crate::ui::output::Output;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
    Junit,
    Markdown,
    Nagios,
    Prometheus,
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Text, Self::Json, Self::Junit, Self::Markdown, Self::Nagios, Self::Prometheus]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Text => PossibleValue::new("text").help("For a person"),
            Self::Json => PossibleValue::new("json").help("The same as --json"),
            Self::Junit => PossibleValue::new("junit").help("XML that CI systems show as a test report"),
            Self::Markdown => PossibleValue::new("markdown").help("A table for a merge request or an issue"),
            Self::Nagios => {
                PossibleValue::new("nagios").help("A plugin's line; exit codes 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN")
            }
            Self::Prometheus => PossibleValue::new("prometheus").help("Metrics in Prometheus's text format"),
        })
    }
}

#[derive(Clone, Copy, Debug, Default, Args)]
pub struct FormatArg {
    /// The output format [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
}

impl FormatArg {
    /// The chosen format. The flag wins over a variable that asks for JSON.
    pub fn chosen(self, ctx: &Context) -> Format {
        self.format.unwrap_or(if ctx.output.json { Format::Json } else { Format::Text })
    }

    /// Combines `--json` and `--format`; fails if they contradict each other.
    pub fn settle(self, json: &mut bool) -> Result<(), CliError> {
        match self.format {
            Some(Format::Json) => *json = true,
            Some(_) if *json => {
                return Err(CliError::usage("--json and this --format contradict each other").hint("omit one of them"));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Checks that are counted together: those of an account, or of this machine.
pub struct Suite<'a> {
    pub name: &'a str,
    /// Shown beside the name when there are several tenants.
    pub tenant: Option<&'a str>,
    pub outcome: Outcome,
    pub lines: &'a [Line<'a>],
    /// As it is measured; `None` for what is not an account.
    pub sample: Option<Sample>,
}

impl Suite<'_> {
    pub fn title(&self) -> String {
        self.tenant.map_or_else(|| self.name.to_owned(), |tenant| format!("{tenant}/{}", self.name))
    }
}

/// A report of suites, printed one at a time. It starts with the first suite, so that an
/// earlier error leaves no half document.
pub struct Report<'o> {
    output: &'o Output,
    format: Format,
    /// The title, until the report has started.
    title: Option<String>,
    plugin: nagios::Plugin,
    samples: Vec<Sample>,
    is_of_machine: bool,
    of_machine: Vec<(String, Outcome)>,
    now: Timestamp,
}

impl<'o> Report<'o> {
    pub fn new(ctx: &'o Context, format: Format) -> Self {
        Self {
            output: &ctx.output,
            format,
            title: Some(format!("msgrctl {}", ctx.command)),
            plugin: nagios::Plugin::default(),
            samples: Vec::new(),
            is_of_machine: ctx.command == "doctor",
            of_machine: Vec::new(),
            now: ctx.clock.now(),
        }
    }

    fn begin(&mut self) {
        let Some(title) = self.title.take() else { return };
        match self.format {
            Format::Junit => {
                self.output.result("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
                self.output.result(&format!("<testsuites name=\"{}\">", xml(&title)));
            }
            Format::Markdown => {
                self.output.result(&format!("### {title}\n"));
                self.output.result("| | Outcome | Check | Cause | What was found | Fix |\n|---|---|---|---|---|---|");
            }
            Format::Text | Format::Json | Format::Nagios | Format::Prometheus => {}
        }
    }

    /// Prints a suite, in the document formats.
    pub fn suite(&mut self, suite: &Suite<'_>) {
        self.begin();
        match self.format {
            Format::Junit => self.output.result(&junit(suite)),
            Format::Markdown => self.output.result(&markdown(suite)),
            Format::Nagios => self.plugin.suite(suite, self.now),
            Format::Prometheus => match &suite.sample {
                Some(sample) => self.samples.push(sample.clone()),
                None => self.of_machine.extend(suite.lines.iter().map(|line| (line.id.to_owned(), line.outcome))),
            },
            Format::Text | Format::Json => {}
        }
    }

    /// Ends the report; `counts` is a sentence for a person. Returns the exit code, where the format
    /// has codes of its own.
    pub fn end(mut self, counts: &str) -> Option<u8> {
        self.begin();
        match self.format {
            Format::Junit => self.output.result("</testsuites>"),
            Format::Markdown => self.output.result(&format!("\n{counts}")),
            Format::Nagios => {
                let (text, code) = self.plugin.end();
                self.output.result(&text);
                return Some(code);
            }
            Format::Prometheus if self.is_of_machine => self.output.part(&metrics::of_machine(&self.of_machine)),
            Format::Prometheus => self.output.part(&metrics::text(&self.samples, None)),
            Format::Text | Format::Json => {}
        }
        None
    }
}

fn junit(suite: &Suite<'_>) -> String {
    let count = |wanted: Outcome| suite.lines.iter().filter(|line| line.outcome == wanted).count();
    let seconds = |milliseconds: u64| format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000);
    let name = xml(&suite.title());
    let mut lines = vec![format!(
        "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
        suite.lines.len(),
        count(Outcome::Fail),
        count(Outcome::Unreachable),
        count(Outcome::Skip),
    )];
    for line in suite.lines {
        let time = line.duration_ms.map(|time| format!(" time=\"{}\"", seconds(time))).unwrap_or_default();
        let begin = format!("    <testcase classname=\"{name}\" name=\"{}\"{time}", xml(line.id));
        let summary = xml(line.summary);
        let detail = || {
            let fix = line.hint.as_deref().map(|hint| format!("\nfix: {}", hint.replace("; then: ", "\nthen: ")));
            xml(&format!("{}{}", line.summary, fix.unwrap_or_default()))
        };
        let cause = line.cause.unwrap_or_default();
        lines.push(match line.outcome {
            Outcome::Pass => format!("{begin}/>"),
            Outcome::Skip => format!("{begin}><skipped message=\"{summary}\"/></testcase>"),
            Outcome::Warn => format!("{begin}><system-out>warning ({cause}): {}</system-out></testcase>", detail()),
            Outcome::Fail => {
                format!("{begin}><failure type=\"{cause}\" message=\"{summary}\">{}</failure></testcase>", detail())
            }
            Outcome::Unreachable => {
                format!("{begin}><error type=\"{cause}\" message=\"{summary}\">{}</error></testcase>", detail())
            }
        });
    }
    lines.push("  </testsuite>".into());
    lines.join("\n")
}

/// Text for XML, without control characters.
fn xml(text: &str) -> String {
    let unfit = |c: char| (c.is_control() && c != '\n') || ('\u{fffe}'..='\u{ffff}').contains(&c);
    in_markup(&text.chars().map(|c| if unfit(c) { ' ' } else { c }).collect::<String>())
}

/// A row for each problem; a single row if all checks passed.
fn markdown(suite: &Suite<'_>) -> String {
    let name = cell(&suite.title());
    let row = |line: &Line<'_>| {
        let fix = line.hint.as_deref().map(|hint| match hint.split_once("; then: ") {
            Some((fix, command)) => format!("{}<br>`{}`", cell(fix), command.replace('|', "\\|")),
            None => cell(hint),
        });
        format!(
            "| {name} | {} | {} | {} | {} | {} |",
            line.outcome,
            line.id,
            line.cause.unwrap_or_default(),
            cell(line.summary),
            fix.unwrap_or_default()
        )
    };
    let rows: Vec<String> = suite.lines.iter().filter(|line| line.outcome > Outcome::Pass).map(row).collect();
    if rows.is_empty() { format!("| {name} | {} | | | | |", suite.outcome) } else { rows.join("\n") }
}

/// Text for a cell of a Markdown table: a Page may have any name.
fn cell(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => escaped.push(' '),
            '<' => escaped.push_str("&lt;"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '#' | '@' => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite<'a>(lines: &'a [Line<'a>]) -> Suite<'a> {
        Suite { name: "A|<b> & \u{1b}\"c\"", tenant: Some("acme"), outcome: Outcome::Fail, lines, sample: None }
    }

    #[test]
    fn names_of_others_cannot_break_a_document() {
        let lines = [
            Line::new("graph.reachable", Outcome::Pass, "it answers"),
            Line {
                cause: Some("expired"),
                hint: Some("make | one; then: msgrctl a | b".into()),
                ..Line::new("token.valid", Outcome::Fail, "it <expired>\nagain")
            },
        ];
        let document = junit(&suite(&lines));
        assert!(
            document.contains("name=\"acme/A|&lt;b&gt; &amp;  &quot;c&quot;\" tests=\"2\" failures=\"1\""),
            "{document}"
        );
        assert!(document.contains("<failure type=\"expired\" message=\"it &lt;expired&gt;\nagain\">"), "{document}");
        let table = markdown(&suite(&lines));
        assert_eq!(table.lines().count(), 1, "{table}");
        assert!(table.starts_with("| acme/A\\|&lt;b> & "), "{table}");
        assert!(table.ends_with("make \\| one<br>`msgrctl a \\| b` |"), "{table}");
        assert!(markdown(&suite(&lines[..1])).ends_with("| fail | | | | |"));
    }
}
