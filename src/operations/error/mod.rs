//! The error of an operation: kind, sentence, causes and ways out. Errors of domains are
//! converted here (`ways_out.rs`); exit codes and layout belong to the command line.

mod of_storage;
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

/// The message of an interrupt that left nothing half done.
const INTERRUPTED: &str = "interrupted";

/// Kinds of failure, for callers to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Any other reason.
    Failed,
    /// A bad or missing value.
    Usage,
    /// A file of ours that is damaged or cannot be written.
    File,
    /// A secret that is missing or was refused.
    Credentials,
    /// Graph cannot be reached.
    Remote,
    /// A secret store that does not answer.
    SecretStore,
    /// A check found a problem.
    Check,
    /// Part of a bulk run failed.
    Partial,
    /// The user declined.
    Left,
    /// The user pressed Ctrl-C.
    Interrupted,
}

/// The error of an operation.
#[derive(Clone, Debug)]
pub struct Error(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    kind: Kind,
    message: String,
    causes: Vec<String>,
    /// Ways out, one line each, the best first.
    hints: Vec<String>,
    retryable: bool,
    /// The stable name of the cause.
    reason: Option<&'static str>,
    graph: Option<GraphTrace>,
    /// The report of Test Connection, with the account's name.
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

    /// A bad value, or a missing one that cannot be asked for.
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

    /// Says whether the same may succeed later.
    #[must_use]
    pub(super) fn retryable(mut self, may: bool) -> Self {
        self.0.retryable = may;
        self
    }

    /// The user declined: not an error, but nothing was done.
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

    /// An error of that kind, for several that were told one by one.
    pub(crate) fn of_kind(kind: Kind, message: impl Into<String>) -> Self {
        Self::new(kind, message)
    }

    /// A file that the user named and that cannot be read.
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

    /// Adds a cause below the message.
    #[must_use]
    pub(crate) fn cause(mut self, cause: impl Into<String>) -> Self {
        self.0.causes.push(sentence(&cause.into()));
        self
    }

    /// Adds the stable name of the cause.
    #[must_use]
    pub(crate) fn reason(mut self, cause: &'static str) -> Self {
        self.0.reason = Some(cause);
        self
    }

    /// Adds a finding's cause and Graph's answer.
    #[must_use]
    pub(crate) fn because_of(mut self, finding: Option<&Finding>) -> Self {
        self.0.reason = finding.and_then(|finding| finding.cause);
        self.0.graph = finding.and_then(|finding| finding.graph.clone());
        self
    }

    /// Adds Graph's answer.
    #[must_use]
    pub(crate) fn graph(mut self, trace: GraphTrace) -> Self {
        self.0.graph = Some(trace);
        self
    }

    /// Adds the report of Test Connection, with the account's name.
    #[must_use]
    pub(crate) fn with_report(mut self, name: &str, report: &Report) -> Self {
        self.0.report = Some((name.to_owned(), report.clone()));
        self
    }

    /// Adds to the message what happened to the data.
    #[must_use]
    pub(crate) fn note(mut self, note: impl std::fmt::Display) -> Self {
        self.0.message = sentence(&format!("{}; {note}", self.0.message));
        self
    }

    /// Replaces the message, keeps the hints.
    #[must_use]
    pub(crate) fn saying(mut self, message: impl Into<String>) -> Self {
        self.0.message = sentence(&message.into());
        self
    }

    /// Puts the operation before the message.
    #[must_use]
    pub(crate) fn context(mut self, doing: impl std::fmt::Display) -> Self {
        self.0.message = sentence(&format!("{doing}: {}", self.0.message));
        self
    }

    /// The error of a call to Graph: refused for its token (4) or for itself (1), or not
    /// answered.
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

    /// The stable name of the cause.
    pub fn why(&self) -> Option<&'static str> {
        self.0.reason
    }

    /// The kind of failure.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The causes below the message, the nearest first.
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

    /// Graph's answer.
    pub fn trace(&self) -> Option<&GraphTrace> {
        self.0.graph.as_ref()
    }

    /// The report of Test Connection and the account's name, if that is what failed.
    pub fn report(&self) -> Option<(&str, &Report)> {
        self.0.report.as_ref().map(|(name, report)| (name.as_str(), report))
    }

    /// Whether it is an interrupt that left nothing half done, which needs no message.
    pub(crate) fn is_bare_interrupt(&self) -> bool {
        self.is_interrupt() && self.0.message == INTERRUPTED
    }

    /// Only the message, for a line in a bulk run.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether the user pressed Ctrl-C.
    pub fn is_interrupt(&self) -> bool {
        self.0.kind == Kind::Interrupted
    }

    /// The best way out.
    pub fn first_hint(&self) -> Option<&str> {
        self.0.hints.first().map(String::as_str)
    }
}
