//! The only module that prints. Results go to standard output, everything else to standard
//! error.
//!
//! All output passes the filter for text from outside ([`text::lines`], [`text::in_json`]),
//! except that of [`Output::exact`].

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::style::{self, paint};
use super::terminal::Terminal;
use super::typed::Above;
use super::writer::{Receipt, Stream, Writer};
use crate::text::{self, Calls};

/// How long a reader has for the last lines from a writer thread.
const LAST_WAIT: Duration = Duration::from_millis(700);

/// Where results and messages go.
pub struct Output {
    out: RefCell<Box<dyn Write>>,
    err: RefCell<Box<dyn Write>>,
    pub terminal: Terminal,
    /// `--json`: results and errors are for programs.
    pub json: bool,
    /// `--quiet`: no notices.
    pub quiet: bool,
    failed: Cell<Option<io::ErrorKind>>,
    /// Writes results and messages after [`Output::write_behind`].
    writers: OnceCell<(Writer, Writer)>,
    /// Whether the next result begins a line.
    fresh: Cell<bool>,
    /// Keeps what is printed unfiltered, because it is printed again.
    keeps: bool,
    /// How printed commands must be typed.
    calls: RefCell<Rc<Calls>>,
}

/// Kept output, for another thread to print.
#[derive(Clone, Default)]
pub struct KeptOutput(Arc<Mutex<Vec<u8>>>);

impl KeptOutput {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for KeptOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Prints a panic message, when there may be no [`Output`].
pub fn last_words(text: &str) {
    // Without standard error there is nowhere to say it.
    let _ = writeln!(io::stderr(), "{}", text::lines(text, &mut true));
}

/// The writer of messages, once there is one, for log lines.
static TALK: OnceLock<Writer> = OnceLock::new();

/// The log of `-v`: each write is a line of standard error.
pub struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        let line = text::sentence(line.strip_suffix('\n').unwrap_or(&line));
        let line = format!("{}\n", text::lines(&line, &mut true));
        match TALK.get() {
            Some(writer) => {
                let mut talk = writer.stream(Stream::Err);
                talk.write_all(line.as_bytes()).and_then(|()| talk.flush())?;
            }
            None => io::stderr().write_all(line.as_bytes())?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A JSON object with one list: indented on a terminal, else on one line.
pub struct JsonList<'o> {
    output: &'o Output,
    empty: bool,
}

impl JsonList<'_> {
    pub fn item(&mut self, value: &impl Serialize) {
        let begin: &[u8] = match (std::mem::take(&mut self.empty), self.output.terminal.stdout) {
            (true, true) => b"\n    ",
            (false, true) => b",\n    ",
            (true, false) => b"",
            (false, false) => b",",
        };
        self.output.exact(begin);
        let json = if self.output.terminal.stdout { indented(value).replace('\n', "\n    ") } else { as_json(value) };
        self.output.exact(json.as_bytes());
    }

    /// Ends the list and the object.
    pub fn end(self) {
        let end: &[u8] = match (self.empty, self.output.terminal.stdout) {
            (false, true) => b"\n  ]\n}\n",
            (true, true) => b"]\n}\n",
            (_, false) => b"]}\n",
        };
        self.output.exact(end);
    }
}

fn as_json(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_else(|error| unreachable!("views are JSON: {error}"));
    text::in_json(&json).into_owned()
}

/// JSON for people.
fn indented(value: &impl Serialize) -> String {
    let json = serde_json::to_string_pretty(value).unwrap_or_else(|error| unreachable!("views are JSON: {error}"));
    // Line by line: the filter would escape line ends.
    json.lines().map(text::in_json).collect::<Vec<_>>().join("\n")
}

impl Output {
    pub fn of_process(terminal: Terminal, json: bool, quiet: bool) -> Self {
        let (out, err) = (Box::new(io::BufWriter::new(io::stdout())), Box::new(io::stderr()));
        Self { json, quiet, ..Self::new(out, err, terminal, false) }
    }

    /// Keeps results and messages, to be printed later.
    pub fn kept(terminal: Terminal) -> (Self, KeptOutput) {
        let kept = KeptOutput::default();
        (Self::new(Box::new(kept.clone()), Box::new(kept.clone()), terminal, true), kept)
    }

    fn new(out: Box<dyn Write>, err: Box<dyn Write>, terminal: Terminal, keeps: bool) -> Self {
        Self {
            out: RefCell::new(out),
            err: RefCell::new(err),
            terminal,
            json: false,
            quiet: false,
            failed: Cell::default(),
            writers: OnceCell::new(),
            fresh: Cell::new(true),
            keeps,
            calls: RefCell::default(),
        }
    }

    /// From here on printed commands carry another run's flags.
    pub fn set_calls(&self, calls: Calls) {
        self.calls.replace(Rc::new(calls));
    }

    /// How printed commands must be typed.
    pub fn calls(&self) -> Rc<Calls> {
        self.calls.borrow().clone()
    }

    /// From here on a thread writes: printing does not block, and [`Output::receipt`] tells when
    /// it is done. Kept output is not affected.
    pub fn write_behind(&self) {
        if self.keeps || self.writers.get().is_some() {
            return;
        }
        self.flush();
        let out = Writer::start();
        // One terminal shows both in order; a blocked pipe must not delay the other stream.
        let err = if self.terminal.stdout && self.terminal.stderr { out.clone() } else { Writer::start() };
        self.out.replace(Box::new(out.stream(Stream::Out)));
        self.err.replace(Box::new(err.stream(Stream::Err)));
        let (_, err) = self.writers.get_or_init(|| (out, err));
        let _ = TALK.set(err.clone());
    }

    fn writer(&self) -> Option<&Writer> {
        self.writers.get().map(|(out, _)| out)
    }

    /// From here on prints results above the line being typed.
    pub fn show_above(&self, above: Above) {
        if let Some(writer) = self.writer() {
            writer.show_above(above);
        }
    }

    /// A promise for all results so far; `None` if printing writes directly.
    pub fn receipt(&self) -> Option<Receipt> {
        self.flush();
        self.writer().map(Writer::receipt)
    }

    /// Ready once results can no longer be written.
    pub async fn failing(&self) -> io::ErrorKind {
        match self.writer() {
            Some(writer) => writer.failing().await,
            None => std::future::pending().await,
        }
    }

    /// Whether the reader is far behind.
    pub fn is_behind(&self) -> bool {
        self.writer().is_some_and(Writer::is_behind)
    }

    /// Waits at the end of the process for the reader of messages; [`Output::failure`] does the
    /// same for results.
    pub fn settle(&self) {
        if let Some((_, err)) = self.writers.get() {
            err.drain(LAST_WAIT);
        }
    }

    /// Prints one or more lines of the result.
    pub fn result(&self, text: &str) {
        self.part(text);
        self.part("\n");
    }

    /// Prints a part of the result, without adding a line end.
    pub fn part(&self, text: &str) {
        let mut fresh = self.fresh.get();
        let screened = self.screened(text, &mut fresh);
        self.fresh.set(fresh);
        self.exact(screened.as_bytes());
    }

    /// Prints the result byte for byte, without the filter, for programs. `tests/tidy.rs` lists
    /// the commands that may: those that print our own texts (scripts, man pages, the schema);
    /// `export`, which escapes what the filter would change; `secret reveal` without a terminal.
    pub fn exact(&self, bytes: &[u8]) {
        let written = self.out.borrow_mut().write_all(bytes);
        self.note(written);
    }

    fn screened<'t>(&self, text: &'t str, fresh: &mut bool) -> Cow<'t, str> {
        if self.keeps { Cow::Borrowed(text) } else { Cow::Owned(style::screened(text, fresh)) }
    }

    /// Prints the result as JSON: one object, on one line unless on a terminal.
    pub fn json(&self, value: &impl Serialize) {
        let json = if self.terminal.stdout { indented(value) } else { as_json(value) };
        self.exact(json.as_bytes());
        self.exact(b"\n");
    }

    /// Prints one object of a stream, always on one line.
    pub fn json_line(&self, value: &impl Serialize) {
        self.exact(as_json(value).as_bytes());
        self.exact(b"\n");
    }

    /// Prints an error as JSON, on one line of standard error.
    pub fn talk_json(&self, value: &impl Serialize) {
        self.say(&as_json(value));
    }

    /// Begins an object with one long list, printed as it comes. Ends with [`JsonList::end`].
    pub fn json_list(&self, key: &str) -> JsonList<'_> {
        let begin = if self.terminal.stdout {
            format!("{{\n  \"schema_version\": 1,\n  \"{key}\": [")
        } else {
            format!("{{\"schema_version\":1,\"{key}\":[")
        };
        self.exact(begin.as_bytes());
        JsonList { output: self, empty: true }
    }

    /// Writes out what was printed: before a wait, and at the end.
    pub fn flush(&self) {
        let flushed = self.out.borrow_mut().flush();
        self.note(flushed);
    }

    /// Prints a fact for a person; nothing with `--quiet`.
    pub fn notice(&self, text: &str) {
        if !self.quiet {
            let text = self.calls().complete(text);
            self.talk(&style::wrap_sentence(&text, self.terminal.err().width, 0));
        }
    }

    /// Prints a warning: something is probably a mistake.
    pub fn warning(&self, text: &str) {
        let label = paint(style::WARNING, "warning:", self.terminal.stderr_color);
        let text = style::wrap_sentence(
            &text::sentence(&self.calls().complete(text)),
            self.terminal.err().width,
            "warning: ".len(),
        );
        self.talk(&format!("{label} {text}"));
    }

    /// Prints an error, already laid out.
    pub fn talk(&self, text: &str) {
        self.say(&self.screened(text, &mut true));
    }

    fn say(&self, text: &str) {
        // Keeps the order where both streams go to one terminal.
        self.flush();
        let mut err = self.err.borrow_mut();
        // Without standard error there is nowhere to say it.
        let _ = writeln!(err, "{text}").and_then(|()| err.flush());
    }

    /// Why the result could not be written, unless the reader has gone (`| head -1`).
    pub fn failure(&self) -> Option<io::ErrorKind> {
        self.flush();
        if let Some(writer) = self.writer() {
            let done = writer.drain(LAST_WAIT);
            self.note(if done { Ok(()) } else { Err(io::ErrorKind::TimedOut.into()) });
            self.note(writer.failure().map_or(Ok(()), |kind| Err(kind.into())));
        }
        self.failed.get().filter(|kind| *kind != io::ErrorKind::BrokenPipe)
    }

    fn note(&self, written: io::Result<()>) {
        if let Err(error) = written
            && self.failed.get().is_none()
        {
            self.failed.set(Some(error.kind()));
        }
    }
}
