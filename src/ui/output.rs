//! The only place that prints. Standard output carries the result; everything
//! else is talk and goes to standard error.
//!
//! Everything passes the filter for text from outside ([`text::lines`], [`text::in_json`])
//! here, but for what [`Output::exact`] is given.

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

/// How long a reader may need for the last lines, where a thread writes them.
const LAST_WAIT: Duration = Duration::from_millis(700);

/// Where results and talk go.
pub struct Output {
    out: RefCell<Box<dyn Write>>,
    err: RefCell<Box<dyn Write>>,
    pub terminal: Terminal,
    /// `--json`: results and errors are for programs.
    pub json: bool,
    /// `--quiet`: no notices.
    pub quiet: bool,
    failed: Cell<Option<io::ErrorKind>>,
    /// What writes the result and the talk, once [`Output::write_behind`] was called.
    writers: OnceCell<(Writer, Writer)>,
    /// Whether the next result begins a line.
    fresh: Cell<bool>,
    /// Whether what is printed is kept as it is: it is printed a second time.
    keeps: bool,
    /// How commands in what is said are typed.
    calls: RefCell<Rc<Calls>>,
}

/// What was printed, for another thread to show.
#[derive(Clone, Default)]
pub struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Prints the last words of a fault, when there may be no [`Output`] any more.
pub fn last_words(text: &str) {
    // Without standard error there is no place to say it.
    let _ = writeln!(io::stderr(), "{}", text::lines(text, &mut true));
}

/// The writer of the talk, once there is one: for lines that come from elsewhere.
static TALK: OnceLock<Writer> = OnceLock::new();

/// Where the log of `-v` goes: each write is a line of standard error.
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

/// An object with one list; on a terminal indented, else on one line.
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

    /// The end of the list and of the object.
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

/// The same for a person's eyes.
fn indented(value: &impl Serialize) -> String {
    let json = serde_json::to_string_pretty(value).unwrap_or_else(|error| unreachable!("views are JSON: {error}"));
    // Line by line: the filter would take line ends for text from outside.
    json.lines().map(text::in_json).collect::<Vec<_>>().join("\n")
}

impl Output {
    pub fn of_process(terminal: Terminal, json: bool, quiet: bool) -> Self {
        let (out, err) = (Box::new(io::BufWriter::new(io::stdout())), Box::new(io::stderr()));
        Self { json, quiet, ..Self::new(out, err, terminal, false) }
    }

    /// One that keeps what is printed, result and talk together, to be shown later.
    pub fn kept(terminal: Terminal) -> (Self, Kept) {
        let kept = Kept::default();
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

    /// From here on the commands in what is said carry the flags of another run.
    pub fn set_calls(&self, calls: Calls) {
        self.calls.replace(Rc::new(calls));
    }

    /// How commands in what is said are typed.
    pub fn calls(&self) -> Rc<Calls> {
        self.calls.borrow().clone()
    }

    /// From here on a thread of its own writes: printing holds nothing up, and
    /// [`Output::receipt`] tells when it is done. What is kept in memory stays as it is.
    pub fn write_behind(&self) {
        if self.keeps || self.writers.get().is_some() {
            return;
        }
        self.flush();
        let out = Writer::start();
        // One terminal shows both in their order; a pipe that is not read must not hold up the other stream.
        let err = if self.terminal.stdout && self.terminal.stderr { out.clone() } else { Writer::start() };
        self.out.replace(Box::new(out.stream(Stream::Out)));
        self.err.replace(Box::new(err.stream(Stream::Err)));
        let (_, err) = self.writers.get_or_init(|| (out, err));
        let _ = TALK.set(err.clone());
    }

    fn writer(&self) -> Option<&Writer> {
        self.writers.get().map(|(out, _)| out)
    }

    /// Shows results above a line that is being typed, from here on.
    pub fn show_above(&self, above: Above) {
        if let Some(writer) = self.writer() {
            writer.show_above(above);
        }
    }

    /// A promise for every result that was printed so far; `None` where printing is writing.
    pub fn receipt(&self) -> Option<Receipt> {
        self.flush();
        self.writer().map(Writer::receipt)
    }

    /// Ready once the result cannot be written any more.
    pub async fn failing(&self) -> io::ErrorKind {
        match self.writer() {
            Some(writer) => writer.failing().await,
            None => std::future::pending().await,
        }
    }

    /// Whether the reader of the result has much to catch up on.
    pub fn is_behind(&self) -> bool {
        self.writer().is_some_and(Writer::is_behind)
    }

    /// Gives the reader of the talk the time to take the last of it, at the end of the
    /// process; [`Output::failure`] does the same for the result.
    pub fn settle(&self) {
        if let Some((_, err)) = self.writers.get() {
            err.drain(LAST_WAIT);
        }
    }

    /// A line, or several, of the result.
    pub fn result(&self, text: &str) {
        self.part(text);
        self.part("\n");
    }

    /// A part of the result, without a line end of ours.
    pub fn part(&self, text: &str) {
        let mut fresh = self.fresh.get();
        let screened = self.screened(text, &mut fresh);
        self.fresh.set(fresh);
        self.exact(screened.as_bytes());
    }

    /// The result byte for byte, around the filter: for what a program reads and would
    /// not understand otherwise. `tests/tidy.rs` names the commands that may: those that
    /// print texts of our own (scripts, man pages, the schema); `export`, which escapes
    /// what the filter would change; `secret reveal` where no terminal shows the secret.
    pub fn exact(&self, bytes: &[u8]) {
        let written = self.out.borrow_mut().write_all(bytes);
        self.note(written);
    }

    fn screened<'t>(&self, text: &'t str, fresh: &mut bool) -> Cow<'t, str> {
        if self.keeps { Cow::Borrowed(text) } else { Cow::Owned(style::screened(text, fresh)) }
    }

    /// The result for programs: one object, on one line unless a person sees it.
    pub fn json(&self, value: &impl Serialize) {
        let json = if self.terminal.stdout { indented(value) } else { as_json(value) };
        self.exact(json.as_bytes());
        self.exact(b"\n");
    }

    /// One object of a stream, or one that a program waits for: always on one line.
    pub fn json_line(&self, value: &impl Serialize) {
        self.exact(as_json(value).as_bytes());
        self.exact(b"\n");
    }

    /// An error for programs: one object on one line, where talk goes.
    pub fn talk_json(&self, value: &impl Serialize) {
        self.say(&as_json(value));
    }

    /// The same where the object is one long list that is printed as it comes: nothing
    /// of it has to be kept. Ends with [`JsonList::end`].
    pub fn json_list(&self, key: &str) -> JsonList<'_> {
        let begin = if self.terminal.stdout {
            format!("{{\n  \"schema_version\": 1,\n  \"{key}\": [")
        } else {
            format!("{{\"schema_version\":1,\"{key}\":[")
        };
        self.exact(begin.as_bytes());
        JsonList { output: self, empty: true }
    }

    /// Sends what was printed on its way: before a wait, and at the end.
    pub fn flush(&self) {
        let flushed = self.out.borrow_mut().flush();
        self.note(flushed);
    }

    /// Something worth knowing, for a person; nothing with `--quiet`.
    pub fn notice(&self, text: &str) {
        if !self.quiet {
            let text = self.calls().complete(text);
            self.talk(&style::wrap_sentence(&text, self.terminal.err().width, 0));
        }
    }

    /// Something that is probably not meant.
    pub fn warning(&self, text: &str) {
        let label = paint(style::WARNING, "warning:", self.terminal.stderr_color);
        let text = style::wrap_sentence(
            &text::sentence(&self.calls().complete(text)),
            self.terminal.err().width,
            "warning: ".len(),
        );
        self.talk(&format!("{label} {text}"));
    }

    /// An error, already laid out.
    pub fn talk(&self, text: &str) {
        self.say(&self.screened(text, &mut true));
    }

    fn say(&self, text: &str) {
        // Results and talk keep their order where both go to one terminal.
        self.flush();
        let mut err = self.err.borrow_mut();
        // Nobody is left to tell when standard error is gone.
        let _ = writeln!(err, "{text}").and_then(|()| err.flush());
    }

    /// Why the result could not be written, if that is worth an error: a reader
    /// that has gone (`| head -1`) is not.
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
