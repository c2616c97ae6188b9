//! Lines that somebody types while other things are shown: what is half typed stays
//! on the screen below what arrives.

use std::io::BufRead as _;

use rustyline::error::ReadlineError;
use rustyline::{Config, DefaultEditor, ExternalPrinter as _};
use tokio::sync::{mpsc, oneshot};

/// Why no more lines come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Ctrl-D, or the end of what was piped in.
    OfInput,
    /// Ctrl-C.
    Interrupted,
}

pub struct Typing {
    pub lines: mpsc::UnboundedReceiver<String>,
    /// Their end: apart, so that it is known at once whatever is done with the lines.
    pub ended: oneshot::Receiver<End>,
    /// A way to show others above the one that is being typed.
    pub above: Option<Above>,
}

/// A line up and down again: shows nothing.
const NOTHING: &str = "\u{1b}[1A\n";

/// Shows lines above the one that is being typed.
pub struct Above(Box<dyn FnMut(String) -> bool + Send>);

impl Above {
    /// Shows whole lines; `false` when they could not be shown that way. Waits until the
    /// terminal has taken them.
    pub fn show(&mut self, lines: &str) -> bool {
        // The editor holds one text back: the first of these goes once it begins to write the
        // lines, the second once it has.
        (self.0)(lines.to_owned()) && (self.0)(NOTHING.to_owned()) && (self.0)(NOTHING.to_owned())
    }
}

/// The line after which nothing is read any more.
const LAST: &str = "/quit";

/// Reads lines on a thread of its own. On a terminal they can be edited.
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
            // Whoever listened is gone: nobody to tell.
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
