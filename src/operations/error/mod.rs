//! What ends an operation: its kind, a sentence, why, and ways out. What domains report
//! becomes one here (`ways_out.rs`); exit codes and how it looks are the command line's.

mod ways_out;

pub use ways_out::{mistake, no_keyring, unstored};

use std::error::Error as _;
use std::io;

use serde::Serialize;

use crate::checks::causes::{self, Asked, Matter};
use crate::checks::{Finding, GraphTrace, Report, of_unreachable};
use crate::files::FileError;
use crate::graph::GraphError;
use crate::text::sentence;

/// All that is to be said of an interrupt that found nothing half done.
const INTERRUPTED: &str = "interrupted";

/// The kinds of failure: what a caller can decide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A reason without a kind of its own.
    Failed,
    /// A bad value, or one that is missing.
    Usage,
    /// A file of ours that is broken or cannot be written.
    File,
    /// A secret that is missing or was refused.
    Credentials,
    /// Graph cannot be reached.
    Remote,
    /// A secret store that does not answer.
    SecretStore,
    /// A check found something.
    Check,
    /// A part of a bulk run failed.
    Partial,
    /// The person declined.
    Left,
    /// The person pressed Ctrl-C.
    Interrupted,
}

/// What ends an operation.
#[derive(Clone, Debug)]
pub struct Error(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    kind: Kind,
    message: String,
    causes: Vec<String>,
    /// Ways out, each a line; the first is the best.
    hints: Vec<String>,
    retryable: bool,
    /// The stable name of why.
    reason: Option<&'static str>,
    graph: Option<GraphTrace>,
    /// What Test Connection found of the account of that name.
    report: Option<(String, Report)>,
}

impl Error {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            message: sentence(&message.into()),
            causes: Vec::new(),
            hints: Vec::new(),
            retryable: false,
            reason: None,
            graph: None,
            report: None,
        }))
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// A bad value, or one that is missing and cannot be asked for.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub(crate) fn file(message: impl Into<String>) -> Self {
        Self::new(Kind::File, message)
    }

    pub(crate) fn credentials(message: impl Into<String>) -> Self {
        Self::new(Kind::Credentials, message)
    }

    pub(crate) fn remote(message: impl Into<String>) -> Self {
        let mut error = Self::new(Kind::Remote, message);
        error.0.retryable = true;
        error
    }

    /// The person declined: not an error, and not done either.
    pub(crate) fn left(message: impl Into<String>) -> Self {
        Self::new(Kind::Left, message)
    }

    pub(crate) fn check(message: impl Into<String>) -> Self {
        Self::new(Kind::Check, message)
    }

    pub(crate) fn partial(message: impl Into<String>) -> Self {
        Self::new(Kind::Partial, message)
    }

    pub(crate) fn interrupted() -> Self {
        Self::new(Kind::Interrupted, INTERRUPTED)
    }

    /// A file that the person named and that cannot be read.
    pub(crate) fn of_given(error: &FileError) -> Self {
        let cause = match error {
            FileError::Read { path, source } if source.kind() == io::ErrorKind::NotFound => {
                Some(format!("the file {} does not exist", path.display()))
            }
            _ => error.source().map(ToString::to_string),
        };
        cause.into_iter().fold(Self::usage(error.to_string()), Self::cause)
    }

    /// Adds a way out.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Adds a reason below the message.
    #[must_use]
    pub(crate) fn cause(mut self, cause: impl Into<String>) -> Self {
        self.0.causes.push(sentence(&cause.into()));
        self
    }

    /// Adds the stable name of why.
    #[must_use]
    pub(crate) fn reason(mut self, cause: &'static str) -> Self {
        self.0.reason = Some(cause);
        self
    }

    /// Adds why a finding is not as it should be, and what Graph answered.
    #[must_use]
    pub(crate) fn because_of(mut self, finding: Option<&Finding>) -> Self {
        self.0.reason = finding.and_then(|finding| finding.cause);
        self.0.graph = finding.and_then(|finding| finding.graph.clone());
        self
    }

    /// Adds what Graph answered.
    #[must_use]
    pub(crate) fn graph(mut self, trace: GraphTrace) -> Self {
        self.0.graph = Some(trace);
        self
    }

    /// Adds what Test Connection found of the account of that name.
    #[must_use]
    pub(crate) fn with_report(mut self, name: &str, report: &Report) -> Self {
        self.0.report = Some((name.to_owned(), report.clone()));
        self
    }

    /// Says in the message what became of what was there.
    #[must_use]
    pub(crate) fn note(mut self, note: impl std::fmt::Display) -> Self {
        self.0.message = sentence(&format!("{}; {note}", self.0.message));
        self
    }

    /// With another message, its hints as they are.
    #[must_use]
    pub(crate) fn saying(mut self, message: impl Into<String>) -> Self {
        self.0.message = sentence(&message.into());
        self
    }

    /// Puts what was being done before the message.
    #[must_use]
    pub(crate) fn context(mut self, doing: impl std::fmt::Display) -> Self {
        self.0.message = sentence(&format!("{doing}: {}", self.0.message));
        self
    }

    /// A call that failed, where it was made: refused for its token (4) or for itself (1),
    /// or not answered.
    pub(crate) fn of_graph(error: &GraphError, asked: Asked) -> Self {
        match error {
            GraphError::Refused(api) => {
                let found = causes::of(api, asked);
                let shown = match found.matter {
                    Matter::Credentials => Self::credentials(found.summary),
                    _ => Self::failed(found.summary),
                };
                shown.reason(found.cause).hint(found.fix).graph(GraphTrace::from(&**api))
            }
            GraphError::Unreachable(unreachable) => {
                let found = of_unreachable(unreachable);
                let shown = Self::remote(found.summary).reason(found.cause).hint(found.fix);
                match GraphTrace::of(error) {
                    Some(trace) => shown.graph(trace),
                    None => shown,
                }
            }
        }
    }

    /// The stable name of why.
    pub fn why(&self) -> Option<&'static str> {
        self.0.reason
    }

    /// What kind it is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The reasons below the message, the nearest first.
    pub fn causes(&self) -> &[String] {
        &self.0.causes
    }

    /// Ways out; the first is the best.
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// Whether the same may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// What Graph answered.
    pub fn trace(&self) -> Option<&GraphTrace> {
        self.0.graph.as_ref()
    }

    /// What Test Connection found, with the name of the account, where that is what failed.
    pub fn report(&self) -> Option<(&str, &Report)> {
        self.0.report.as_ref().map(|(name, report)| (name.as_str(), report))
    }

    /// Whether it is an interrupt that found nothing half done, of which there is nothing to say.
    pub(crate) fn is_bare_interrupt(&self) -> bool {
        self.is_interrupt() && self.0.message == INTERRUPTED
    }

    /// The message alone, for a line in a bulk run.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether the person pressed Ctrl-C.
    pub fn is_interrupt(&self) -> bool {
        self.0.kind == Kind::Interrupted
    }

    /// The best way out.
    pub fn first_hint(&self) -> Option<&str> {
        self.0.hints.first().map(String::as_str)
    }
}
