//! The only place that prints. Standard output carries the result; everything
//! else is talk and goes to standard error.

use std::cell::{Cell, OnceCell, RefCell};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::style::{self, paint};
use super::terminal::Terminal;
use super::typed::Above;
use super::writer::{Receipt, Stream, Writer};

/// How long a reader may need for the last lines, where a thread writes them.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Where results and talk go.
pub struct Output {
    out: RefCell<Box<dyn Write>>,
    err: RefCell<Box<dyn Write>>,
    /// The facts about both.
    pub terminal: Terminal,
    /// `--json`: results and errors are for programs.
    pub json: bool,
    /// `--quiet`: no notices.
    pub quiet: bool,
    failed: Cell<Option<io::ErrorKind>>,
    /// Whether it is the process's own streams that are written to.
    is_of_process: bool,
    /// What writes the result and the talk, once [`Output::write_behind`] was called.
    writers: OnceCell<(Writer, Writer)>,
}

/// What was printed, for another thread to show.
#[derive(Clone, Default)]
pub struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    /// What was printed so far.
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

/// An object with one list, on one line.
pub struct JsonList<'o> {
    output: &'o Output,
    empty: bool,
}

impl JsonList<'_> {
    /// The next item.
    pub fn item(&mut self, value: &impl Serialize) {
        if !std::mem::take(&mut self.empty) {
            self.output.write_out(b",");
        }
        self.output.write_out(as_json(value).as_bytes());
    }

    /// The end of the list and of the object.
    pub fn end(self) {
        self.output.write_out(b"]}\n");
    }
}

fn as_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| unreachable!("views are JSON: {error}"))
}

impl Output {
    /// The process's own streams.
    pub fn of_process(terminal: Terminal, json: bool, quiet: bool) -> Self {
        Self {
            out: RefCell::new(Box::new(io::BufWriter::new(io::stdout()))),
            err: RefCell::new(Box::new(io::stderr())),
            terminal,
            json,
            quiet,
            failed: Cell::default(),
            is_of_process: true,
            writers: OnceCell::new(),
        }
    }

    /// One that keeps what is printed, result and talk together, to be shown later.
    pub fn kept(terminal: Terminal) -> (Self, Kept) {
        let kept = Kept::default();
        let output = Self {
            out: RefCell::new(Box::new(kept.clone())),
            err: RefCell::new(Box::new(kept.clone())),
            terminal,
            json: false,
            quiet: false,
            failed: Cell::default(),
            is_of_process: false,
            writers: OnceCell::new(),
        };
        (output, kept)
    }

    /// From here on a thread of its own writes: printing holds nothing up, and
    /// [`Output::receipt`] tells when it is done. What is kept in memory stays as it is.
    pub fn write_behind(&self) {
        if !self.is_of_process || self.writers.get().is_some() {
            return;
        }
        self.flush();
        let out = Writer::start();
        // One terminal shows both in their order; a pipe that is not read must not hold up the other stream.
        let err = if self.terminal.stdout && self.terminal.stderr { out.clone() } else { Writer::start() };
        self.out.replace(Box::new(out.stream(Stream::Out)));
        self.err.replace(Box::new(err.stream(Stream::Err)));
        self.writers.get_or_init(|| (out, err));
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
        self.write_out(text.as_bytes());
        self.write_out(b"\n");
    }

    /// The result as it stands, without a line end of ours.
    pub fn write_out(&self, bytes: &[u8]) {
        let written = self.out.borrow_mut().write_all(bytes);
        self.note(written);
    }

    /// The result for programs: one object on one line.
    pub fn json(&self, value: &impl Serialize) {
        self.result(&as_json(value));
    }

    /// The same where the object is one long list that is printed as it comes: nothing
    /// of it has to be kept. Ends with [`JsonList::end`].
    pub fn json_list(&self, key: &str) -> JsonList<'_> {
        self.write_out(format!("{{\"schema_version\":1,\"{key}\":[").as_bytes());
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
            self.talk(text);
        }
    }

    /// Something that is probably not meant.
    pub fn warning(&self, text: &str) {
        let label = paint(style::WARNING, "warning:", self.terminal.stderr_color);
        let text = style::wrap(text, self.terminal.err().width, "warning: ".len());
        self.talk(&format!("{label} {text}"));
    }

    /// An error, already laid out.
    pub fn talk(&self, text: &str) {
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

    /// Whether nobody reads the result any more.
    pub fn is_closed(&self) -> bool {
        self.failed.get() == Some(io::ErrorKind::BrokenPipe)
    }

    fn note(&self, written: io::Result<()>) {
        if let Err(error) = written
            && self.failed.get().is_none()
        {
            self.failed.set(Some(error.kind()));
        }
    }
}
