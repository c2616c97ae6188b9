//! Lines typed while other output appears above them: a half-typed line stays below it.

use std::io::BufRead as _;

use rustyline::error::ReadlineError;
use rustyline::{Config, DefaultEditor, ExternalPrinter as _};
use tokio::sync::{mpsc, oneshot};

/// Why no more lines come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Ctrl-D, or the end of piped input.
    OfInput,
    /// Ctrl-C.
    Interrupted,
}

pub struct Typing {
    pub lines: mpsc::UnboundedReceiver<String>,
    /// Separate from the lines, so that the end is known at once.
    pub ended: oneshot::Receiver<End>,
    /// Shows output above the line being typed.
    pub above: Option<Above>,
}

/// Moves a line up and down again: shows nothing.
const NOTHING: &str = "\u{1b}[1A\n";

/// Shows lines above the one being typed.
pub struct Above(Box<dyn FnMut(String) -> bool + Send>);

impl Above {
    /// Shows whole lines and waits until the terminal has them; `false` if that failed.
    pub fn show(&mut self, lines: &str) -> bool {
        // The editor holds one text back: the first of these is accepted when it starts to write
        // the lines, the second when it has.
        (self.0)(lines.to_owned()) && (self.0)(NOTHING.to_owned()) && (self.0)(NOTHING.to_owned())
    }
}

/// The line after which reading stops.
const LAST: &str = "/quit";

/// Reads lines on a thread. On a terminal they can be edited.
pub fn lines(is_terminal: bool) -> Typing {
    let (send, lines) = mpsc::unbounded_channel();
    let (end, ended) = oneshot::channel();
    if is_terminal && let Some((mut editor, above)) = editor() {
        std::thread::spawn(move || {
            let why = loop {
                match editor.readline("> ") {
                    Ok(line) => {
                        let last = line.trim() == LAST;
                        if send.send(line).is_err() || last {
                            return;
                        }
                    }
                    Err(ReadlineError::Interrupted) => break End::Interrupted,
                    Err(_) => break End::OfInput,
                }
            };
            // The receiver may be gone.
            let _ = end.send(why);
        });
        return Typing { lines, ended, above: Some(above) };
    }
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
        let _ = end.send(End::OfInput);
    });
    Typing { lines, ended, above: None }
}

fn editor() -> Option<(DefaultEditor, Above)> {
    let config = Config::builder().auto_add_history(true).bracketed_paste(false).build();
    let mut editor = DefaultEditor::with_config(config).ok()?;
    let mut printer = editor.create_external_printer().ok()?;
    Some((editor, Above(Box::new(move |text| printer.print(text).is_ok()))))
}
