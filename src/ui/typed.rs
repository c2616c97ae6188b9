//! Lines that somebody types while other things are shown: what is half typed stays
//! on the screen below what arrives.

use std::io::BufRead as _;

use rustyline::error::ReadlineError;
use rustyline::{Config, DefaultEditor, ExternalPrinter as _};
use tokio::sync::mpsc;

/// Something that was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// A line.
    Line(String),
    /// Ctrl-D, or the end of what was piped in.
    End,
    /// Ctrl-C.
    Interrupted,
}

/// Shows lines above the one that is being typed.
pub struct Above(Box<dyn FnMut(String) -> bool>);

impl Above {
    /// Shows a line; `false` when it could not be shown that way.
    pub fn show(&mut self, line: &str) -> bool {
        (self.0)(format!("{line}\n"))
    }
}

/// Reads lines on a thread of its own until it ends. On a terminal they can be edited,
/// and there is a way to show others above them.
pub fn lines(is_terminal: bool) -> (mpsc::UnboundedReceiver<Typed>, Option<Above>) {
    let (send, lines) = mpsc::unbounded_channel();
    if is_terminal && let Some(above) = edited(send.clone()) {
        return (lines, Some(above));
    }
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if send.send(Typed::Line(line)).is_err() {
                return;
            }
        }
        // Whoever listened is gone: nobody to tell.
        let _ = send.send(Typed::End);
    });
    (lines, None)
}

fn edited(send: mpsc::UnboundedSender<Typed>) -> Option<Above> {
    let config = Config::builder().auto_add_history(true).build();
    let mut editor = DefaultEditor::with_config(config).ok()?;
    let mut printer = editor.create_external_printer().ok()?;
    std::thread::spawn(move || {
        loop {
            let typed = match editor.readline("> ") {
                Ok(line) => Typed::Line(line),
                Err(ReadlineError::Interrupted) => Typed::Interrupted,
                Err(_) => Typed::End,
            };
            let last = !matches!(typed, Typed::Line(_));
            if send.send(typed).is_err() || last {
                return;
            }
        }
    });
    Some(Above(Box::new(move |text| printer.print(text).is_ok())))
}
