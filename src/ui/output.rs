//! The only place that prints. Standard output carries the result; everything
//! else is talk and goes to standard error.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::style::{self, paint};
use super::terminal::Terminal;

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
        };
        (output, kept)
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
        let _ = writeln!(err, "{text}");
    }

    /// Why the result could not be written, if that is worth an error: a reader
    /// that has gone (`| head -1`) is not.
    pub fn failure(&self) -> Option<io::ErrorKind> {
        self.flush();
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
