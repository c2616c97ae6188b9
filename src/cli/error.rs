//! Errors as a person and a program see them. The one place that knows kinds,
//! exit codes and hints.

use std::error::Error as _;
use std::io;
use std::path::Path;

use serde::Serialize;

use crate::accounts::{AccountError, FieldError, SchemaError};
use crate::checks::causes::{self, Asked, Matter, Place};
use crate::checks::{Finding, GraphTrace, of_unreachable};
use crate::document::Mistake;
use crate::files::FileError;
use crate::graph::GraphError;
use crate::http::SetupError;
use crate::messages::{TextError, UnknownEvent};
use crate::sandbox::ScenarioError;
use crate::secrets::{KeyMeans, StoreError, redact};
use crate::text::sentence;
use crate::touched;
use crate::ui::interrupt;
use crate::ui::output::Output;
use crate::ui::prompt::PromptError;
use crate::ui::style::{self, paint};
use crate::ui::terminal::Screen;

/// Usage.
pub const USAGE: u8 = 2;

/// A token that is missing or refused.
const CREDENTIALS: u8 = 4;

/// A secret store that does not answer.
const SECRET_STORE: u8 = 6;

/// The kind of what somebody would rather not do.
const LEFT: &str = "left";

/// All that is to be said of an interrupt that found nothing half done.
const INTERRUPTED: &str = "interrupted";

/// What ends a command.
#[derive(Clone, Debug)]
pub struct CliError(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    kind: &'static str,
    exit_code: u8,
    message: String,
    causes: Vec<String>,
    /// Ways out, each a line; the first is the best.
    hints: Vec<String>,
    retryable: bool,
    /// The stable name of why.
    reason: Option<&'static str>,
    graph: Option<GraphTrace>,
}

impl CliError {
    fn new(kind: &'static str, exit_code: u8, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            exit_code,
            message: sentence(&message.into()),
            causes: Vec::new(),
            hints: Vec::new(),
            retryable: false,
            reason: None,
            graph: None,
        }))
    }

    /// A reason without an exit code of its own (1).
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new("failed", 1, message)
    }

    /// A bad flag, or a value that nobody can be asked for (2).
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new("usage", USAGE, message)
    }

    /// A file of ours that is broken or cannot be written (3).
    pub fn file(message: impl Into<String>) -> Self {
        Self::new("file", 3, message)
    }

    /// A secret that is missing or was refused (4).
    pub fn credentials(message: impl Into<String>) -> Self {
        Self::new("credentials", CREDENTIALS, message)
    }

    /// Graph cannot be reached (5).
    pub fn remote(message: impl Into<String>) -> Self {
        let mut error = Self::new("remote", 5, message);
        error.0.retryable = true;
        error
    }

    /// Somebody would rather not (1): no error, but not done either.
    pub fn left(message: impl Into<String>) -> Self {
        Self::new(LEFT, 1, message)
    }

    /// A check found something (7).
    pub fn check(message: impl Into<String>) -> Self {
        Self::new("check", 7, message)
    }

    /// A part of a bulk run failed (9).
    pub fn partial(message: impl Into<String>) -> Self {
        Self::new("partial", 9, message)
    }

    /// Somebody pressed Ctrl-C (130).
    pub fn interrupted() -> Self {
        Self::new("interrupted", interrupt::EXIT, INTERRUPTED)
    }

    /// The result could not be written.
    pub fn output(kind: io::ErrorKind) -> Self {
        if kind == io::ErrorKind::TimedOut {
            return Self::failed("the last lines could not be written: standard output is not being read");
        }
        Self::failed(format!("the result could not be written: {kind}"))
    }

    /// A file that the person named and that cannot be read.
    pub fn of_given(error: &FileError) -> Self {
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
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Adds a reason below the message.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.0.causes.push(sentence(&cause.into()));
        self
    }

    /// Adds the stable name of why.
    #[must_use]
    pub fn reason(mut self, cause: &'static str) -> Self {
        self.0.reason = Some(cause);
        self
    }

    /// Adds why a finding is not as it should be, and what Graph answered.
    #[must_use]
    pub fn because_of(mut self, finding: Option<&Finding>) -> Self {
        self.0.reason = finding.and_then(|finding| finding.cause);
        self.0.graph = finding.and_then(|finding| finding.graph.clone());
        self
    }

    /// Adds what Graph answered.
    #[must_use]
    pub fn graph(mut self, trace: GraphTrace) -> Self {
        self.0.graph = Some(trace);
        self
    }

    /// Says in the message what became of what was there.
    #[must_use]
    pub fn note(mut self, note: impl std::fmt::Display) -> Self {
        self.0.message = sentence(&format!("{}; {note}", self.0.message));
        self
    }

    /// Puts what was being done before the message.
    #[must_use]
    pub fn context(mut self, doing: impl std::fmt::Display) -> Self {
        self.0.message = sentence(&format!("{doing}: {}", self.0.message));
        self
    }

    /// A call that failed, where it was made: refused for its token (4) or for itself (1),
    /// or not answered (5).
    pub fn of_graph(error: &GraphError, asked: Asked) -> Self {
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

    /// Whether a token or its permissions are what failed.
    pub fn is_of_credentials(&self) -> bool {
        self.0.exit_code == CREDENTIALS
    }

    /// The process's exit code.
    #[cfg(test)]
    pub fn exit_code(&self) -> u8 {
        self.0.exit_code
    }

    /// The message alone, for a line in a bulk run.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether a secret store is what failed, so that another one may do.
    pub fn is_of_a_store(&self) -> bool {
        self.0.exit_code == SECRET_STORE
    }

    /// Whether somebody pressed Ctrl-C.
    pub fn is_interrupt(&self) -> bool {
        self.0.exit_code == interrupt::EXIT
    }

    /// The best way out.
    pub fn first_hint(&self) -> Option<&str> {
        self.0.hints.first().map(String::as_str)
    }

    /// Shows it, and returns the exit code.
    pub fn render(&self, output: &Output) -> u8 {
        let parts = &self.0;
        if parts.exit_code == interrupt::EXIT {
            if parts.message != INTERRUPTED {
                output.talk(&parts.message);
            }
            output.flush();
            interrupt::leave();
        }
        if output.json {
            output.talk_json(&self.view());
            return parts.exit_code;
        }
        if parts.kind == LEFT {
            output.talk(&parts.message);
            return parts.exit_code;
        }
        let Screen { color, width, .. } = output.terminal.err();
        let mut lines = vec![format!(
            "{} {}",
            paint(style::ERROR, "error:", color),
            style::wrap(&redact(&parts.message), width, 7)
        )];
        for cause in &parts.causes {
            lines.push(format!("  caused by: {}", style::wrap(&redact(cause), width, 13)));
        }
        if let Some(graph) = &parts.graph {
            lines.extend(graph.says.iter().map(|says| format!("  meta says: {}", style::wrap(says, width, 13))));
            let codes = graph.codes();
            lines.extend((!codes.is_empty()).then(|| format!("  meta: {codes}")));
        }
        if !parts.hints.is_empty() {
            lines.push(String::new());
        }
        for hint in &parts.hints {
            lines.push(format!("{} {}", paint(style::HINT, "hint:", color), laid_out(&redact(hint), width)));
        }
        output.talk(&lines.join("\n"));
        parts.exit_code
    }

    fn view(&self) -> ErrorEnvelope<'_> {
        let parts = &self.0;
        ErrorEnvelope {
            schema_version: 1,
            error: ErrorView {
                kind: parts.kind,
                exit_code: parts.exit_code,
                message: redact(&parts.message),
                causes: parts.causes.iter().map(|cause| redact(cause)).collect(),
                hint: (!parts.hints.is_empty()).then(|| redact(&parts.hints.join("\n"))),
                retryable: parts.retryable,
                cause: parts.reason,
                graph: parts.graph.as_ref().map(GraphView::from),
            },
        }
    }
}

/// A hint in lines that fit. A command is never broken: it must stay whole to be pasted.
fn laid_out(hint: &str, width: Option<u16>) -> String {
    match hint.split_once('\n') {
        Some((words, command)) => format!("{}\n{command}", style::wrap(words, width, 6)),
        None if hint.contains("msgrctl ") => hint.into(),
        None => style::wrap(hint, width, 6),
    }
}

#[derive(Serialize)]
struct ErrorEnvelope<'a> {
    schema_version: u8,
    error: ErrorView<'a>,
}

#[derive(Serialize)]
struct ErrorView<'a> {
    kind: &'a str,
    exit_code: u8,
    message: String,
    causes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    graph: Option<GraphView>,
}

/// `{"code":190,"subcode":463,"fbtrace_id":"…","says":"…"}`.
#[derive(Serialize)]
pub struct GraphView {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subcode: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fbtrace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<String>,
}

impl From<&GraphTrace> for GraphView {
    fn from(trace: &GraphTrace) -> Self {
        let GraphTrace { code, subcode, fbtrace_id, says } = trace.clone();
        Self { code, subcode, fbtrace_id, says }
    }
}

impl From<FileError> for CliError {
    fn from(error: FileError) -> Self {
        let mut shown = Self::file(error.to_string());
        if let Some(source) = error.source() {
            shown = shown.cause(source.to_string());
        }
        match error {
            FileError::Busy { .. } => shown.hint("wait for the other msgrctl to end, then try again"),
            FileError::Write { .. } => shown.hint(unless_changed(UNWRITTEN)),
            FileError::Read { .. } => {
                shown.hint(unless_changed("check the file's permissions and that it is UTF-8 text"))
            }
            FileError::Dangling { link, .. } => shown.hint(dangling(&link)),
            FileError::Irregular { path, .. } => {
                let command = format!("mv '{0}' '{0}.old'", path.display());
                shown.hint(unless_changed(&format!("move it away and run the command again: {command}")))
            }
        }
    }
}

/// For what cannot be written.
const UNWRITTEN: &str = "check the directory's permissions and the free space";

/// A hint, with "nothing was changed" before it as long as that is known.
fn unless_changed(hint: &str) -> String {
    if touched::anything() { hint.into() } else { format!("nothing was changed; {hint}") }
}

fn dangling(link: &Path) -> String {
    unless_changed(&format!(
        "bring back what the link points to (is its drive mounted?); or, to start without it, remove the link: rm '{}'",
        link.display()
    ))
}

fn mistake(error: CliError, mistake: &Mistake) -> CliError {
    match mistake.nearest {
        Some(near) => error.hint(format!("the key is perhaps '{near}'")),
        None => error.hint(unless_changed("correct the line")),
    }
}

impl From<AccountError> for CliError {
    fn from(error: AccountError) -> Self {
        let message = error.to_string();
        match error {
            AccountError::File(error) => error.into(),
            AccountError::Schema(SchemaError::Broken { mistake: found, .. }) => mistake(Self::file(message), &found),
            AccountError::Schema(SchemaError::Newer { .. }) => {
                Self::file(message).hint(unless_changed("use the newer msgrctl"))
            }
            AccountError::Schema(SchemaError::SameId { .. }) => {
                Self::file(message).hint("keep one of the two in the file, and remove the other from it")
            }
            AccountError::Ambiguous { command, .. } => {
                Self::failed(message).hint(format!("use the id, or give one of them another name: {command}"))
            }
            AccountError::Unknown { nearest: Some(near), .. } => {
                Self::failed(message).hint(format!("did you mean '{near}'? (msgrctl account list shows all)"))
            }
            AccountError::Unknown { .. } => Self::failed(message).hint("msgrctl account list"),
            AccountError::NameTaken { handle, .. } => Self::failed(message)
                .hint(format!("choose another name, or change that account: msgrctl account edit {handle}")),
            AccountError::HandleTaken { .. } => Self::failed(message).hint("choose another with --handle"),
        }
    }
}

impl From<TextError> for CliError {
    fn from(error: TextError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<UnknownEvent> for CliError {
    fn from(error: UnknownEvent) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<FieldError> for CliError {
    fn from(error: FieldError) -> Self {
        Self::usage(error.to_string())
    }
}

/// For an encrypted file that nothing opens any more.
const START_OVER: &str = "put the key or the file back from a backup; without one its secrets cannot be read any more: move secrets.enc away, and give each secret again with msgrctl secret set";

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Interrupted) {
            return Self::interrupted();
        }
        if let StoreError::ReadOnly { variable } = &error {
            return Self::usage(error.to_string()).hint(format!("set {variable} instead of giving the secret"));
        }
        let hint = match &error {
            StoreError::Absent { .. } => {
                "start a session with a keyring (type a password for it, Enter, Ctrl-D), and run the command there:\n    dbus-run-session -- sh -c 'gnome-keyring-daemon --unlock --components=secrets; exec \"$SHELL\"'"
            }
            StoreError::Locked => {
                "unlock it (log in to the desktop, or open its program: seahorse, KeePassXC), then try again"
            }
            StoreError::Declined => "try again and unlock the keyring in its dialog",
            StoreError::TimedOut { .. } => {
                "see whether a dialog of the keyring is open, or restart the keyring's program, then try again"
            }
            StoreError::Ambiguous { .. } => "remove the entries that do not belong to msgrctl in the keyring's program",
            StoreError::Damaged { .. } => "give the secret again: msgrctl account edit NAME --help",
            StoreError::BrokenFile { .. } => {
                return Self::file(error.to_string()).hint(START_OVER);
            }
            StoreError::Write { .. } => {
                return Self::file(error.to_string()).hint(unless_changed(UNWRITTEN));
            }
            StoreError::Dangling { link, .. } => return Self::file(error.to_string()).hint(dangling(link)),
            StoreError::Exposed { path, .. } => {
                let hint =
                    format!("it has to be a plain file, no link, of yours alone: chmod 600 '{}'", path.display());
                return Self::new("secret_store", SECRET_STORE, error.to_string()).hint(hint);
            }
            StoreError::NoKey { what } | StoreError::WrongKey { what } => match what {
                KeyMeans::Passphrase => {
                    "set MSGRCTL_PASSPHRASE to the passphrase it was made with, or type it when it is asked for on a terminal"
                }
                KeyMeans::KeyFile => "name the key file it was made with: --key-file FILE (MSGRCTL_KEY_FILE)",
                KeyMeans::Keyring => START_OVER,
            },
            StoreError::Passphrase { .. } => "set MSGRCTL_PASSPHRASE to one line of text",
            StoreError::NoNewKey { .. } => {
                "set MSGRCTL_PASSPHRASE, or make a key file; paste this, then run the command again:\n    [ -e ~/.msgrctl.key ] || (umask 077; head -c 32 /dev/urandom > ~/.msgrctl.key); export MSGRCTL_KEY_FILE=~/.msgrctl.key"
            }
            StoreError::KeyFile { .. } => "name another with --key-file FILE (MSGRCTL_KEY_FILE)",
            StoreError::File { .. } => "put the secret alone into the file, and let it be readable for you",
            StoreError::Command { .. } => "run the command by hand to see what it needs, then try again",
            StoreError::ReadOnly { .. } | StoreError::Interrupted | StoreError::Failed { .. } => {
                "try again; if it persists, look into the keyring with its own program"
            }
        };
        Self::new("secret_store", SECRET_STORE, error.to_string()).hint(hint)
    }
}

impl From<GraphError> for CliError {
    fn from(error: GraphError) -> Self {
        Self::of_graph(&error, Place::Page.plain())
    }
}

impl From<SetupError> for CliError {
    fn from(error: SetupError) -> Self {
        let shown = Self::usage(error.to_string());
        match error {
            SetupError::CaBundle { .. } => shown.hint("name a file of certificates in PEM form with --ca-bundle FILE (MSGRCTL_CA_BUNDLE)"),
            SetupError::Client { .. } => {
                shown.hint("install the system's certificates (ca-certificates), or name some with --ca-bundle FILE; check HTTPS_PROXY")
            }
        }
    }
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
