//! How errors look to people and programs. The only place that knows exit codes.

use std::io;

use serde::Serialize;

use super::envelope::Envelope;
use crate::checks::GraphTrace;
pub use crate::operations::Error as CliError;
use crate::operations::{Kind, mistake};
use crate::sandbox::ScenarioError;
use crate::secrets::redact;
use crate::text::Calls;
use crate::ui::interrupt;
use crate::ui::output::Output;
use crate::ui::prompt::PromptError;
use crate::ui::style::{self, paint};
use crate::ui::terminal::Screen;

pub const USAGE: u8 = 2;

pub fn exit_code(error: &CliError) -> u8 {
    match error.kind() {
        Kind::Failed | Kind::Left => 1,
        Kind::Usage => USAGE,
        Kind::File => 3,
        Kind::Credentials => 4,
        Kind::Remote => 5,
        Kind::SecretStore => 6,
        Kind::Check => 7,
        Kind::Partial => 9,
        Kind::Interrupted => interrupt::EXIT,
    }
}

/// The error of a result that could not be written.
pub fn of_output(kind: io::ErrorKind) -> CliError {
    if kind == io::ErrorKind::TimedOut {
        return CliError::failed("the last lines could not be written: standard output is not being read");
    }
    CliError::failed(format!("the result could not be written: {kind}"))
}

/// Prints an error and returns the exit code.
pub fn render(error: &CliError, output: &Output) -> u8 {
    let (exit_code, calls) = (exit_code(error), output.calls());
    if error.is_interrupt() {
        if !error.is_bare_interrupt() {
            output.talk(error.message());
        }
        output.flush();
        interrupt::leave();
    }
    if output.json {
        output.talk_json(&Envelope("error", view(error, &calls)));
        return exit_code;
    }
    if error.kind() == Kind::Left {
        output.talk(&calls.complete(error.message()));
        return exit_code;
    }
    let Screen { color, width, .. } = output.terminal.err();
    let mut lines = vec![format!(
        "{} {}",
        paint(style::ERROR, "error:", color),
        style::wrap_sentence(&calls.complete(&redact(error.message())), width, 7)
    )];
    for cause in error.causes() {
        lines.push(format!("  caused by: {}", style::wrap_sentence(&calls.complete(&redact(cause)), width, 13)));
    }
    if let Some(graph) = error.trace() {
        lines.extend(graph.says.iter().map(|says| format!("  meta says: {}", style::wrap(says, width, 13))));
        let codes = graph.codes();
        lines.extend((!codes.is_empty()).then(|| format!("  meta: {codes}")));
    }
    if !error.hints().is_empty() {
        lines.push(String::new());
    }
    for hint in error.hints() {
        lines.push(format!(
            "{} {}",
            paint(style::HINT, "hint:", color),
            laid_out(&calls.complete(&redact(hint)), width)
        ));
    }
    output.talk(&lines.join("\n"));
    exit_code
}

fn view<'a>(error: &'a CliError, calls: &Calls) -> ErrorView<'a> {
    ErrorView {
        kind: error.kind(),
        exit_code: exit_code(error),
        message: calls.complete(&redact(error.message())).into_owned(),
        causes: error.causes().iter().map(|cause| calls.complete(&redact(cause)).into_owned()).collect(),
        hint: (!error.hints().is_empty()).then(|| calls.complete(&redact(&error.hints().join("\n"))).into_owned()),
        retryable: error.is_retryable(),
        cause: error.why(),
        graph: error.trace(),
    }
}

/// A hint, wrapped; a command stays on one line, so that it can be pasted.
fn laid_out(hint: &str, width: Option<u16>) -> String {
    match hint.split_once('\n') {
        Some((words, command)) => format!("{}\n{command}", style::wrap(words, width, 6)),
        None => style::wrap_sentence(hint, width, 6),
    }
}

#[derive(Serialize)]
struct ErrorView<'a> {
    kind: Kind,
    exit_code: u8,
    message: String,
    causes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    graph: Option<&'a GraphTrace>,
}

impl From<PromptError> for CliError {
    fn from(error: PromptError) -> Self {
        match error {
            PromptError::Interrupted => Self::interrupted(),
            PromptError::Gone => Self::usage("cannot prompt: the terminal could not be read"),
        }
    }
}

impl From<ScenarioError> for CliError {
    fn from(error: ScenarioError) -> Self {
        let shown = Self::usage(error.to_string());
        match error {
            ScenarioError::Broken { mistake: found, .. } => mistake(shown, &found),
            ScenarioError::Invalid { .. } => shown,
        }
    }
}
