//! What operations report, on the terminal: notices, warnings, progress, Ctrl-C held back, the
//! passphrase prompt.

use std::rc::Rc;

use crate::env::Environment;
use crate::operations::{Hold, Progress, Reporter, SHORT_PASSPHRASE};
use crate::secrets::{Ask, Asking, Secret};
use crate::ui::output::Output;
use crate::ui::prompt::Prompter;
use crate::ui::style::{self, paint, wrap};
use crate::ui::{interrupt, progress};

pub struct Terminal {
    output: Rc<Output>,
    prompter: Rc<dyn Prompter>,
    someone_can_answer: bool,
    /// A keyring dialog needs a screen as well as a person.
    has_screen: bool,
}

impl Terminal {
    pub fn new(output: Rc<Output>, prompter: Rc<dyn Prompter>, someone_can_answer: bool, env: &Environment) -> Self {
        let has_screen = cfg!(not(target_os = "linux"))
            || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env.text(name).is_some());
        Self { output, prompter, someone_can_answer, has_screen }
    }
}

impl Reporter for Terminal {
    fn notice(&self, text: &str) {
        self.output.notice(text);
    }

    fn warning(&self, text: &str) {
        self.output.warning(text);
    }

    fn waiting(&self, text: &str) -> Box<dyn Progress> {
        Box::new(progress::Progress::start(&self.output, text))
    }

    fn counting(&self, text: &str, total: usize) -> Box<dyn Progress> {
        Box::new(progress::Progress::bar(&self.output, text, total))
    }

    fn hold(&self) -> Box<dyn Hold> {
        interrupt::install();
        Box::new(interrupt::Hold::begin())
    }

    fn is_stop_asked(&self) -> bool {
        interrupt::Hold::is_asked()
    }

    fn can_unlock(&self) -> bool {
        self.someone_can_answer && self.has_screen
    }

    fn passphrase_prompt(&self) -> Option<Ask> {
        if !self.someone_can_answer {
            return None;
        }
        let prompter = self.prompter.clone();
        let output = self.output.clone();
        Some(Box::new(move |asking| ask_passphrase(&*prompter, &output, asking)))
    }
}

/// Asks for the passphrase of an encrypted file; `None` for Ctrl-C and Esc.
pub fn ask_passphrase(prompter: &dyn Prompter, output: &Output, asking: Asking) -> Option<Secret> {
    let refuse = |why: &str| {
        let mark = paint(style::ERROR, if output.terminal.unicode { "✗" } else { "x" }, output.terminal.stderr_color);
        output.talk(&format!("{mark} {why}"));
    };
    let question = match asking {
        Asking::New => "A passphrase for the encrypted file",
        Asking::Open | Asking::Again => "The passphrase of the encrypted file",
    };
    match asking {
        Asking::New => output.talk(&wrap(
            "Keep the passphrase in a password manager: it cannot be recovered, and without it the secrets in the file are lost.",
            output.terminal.err().width,
            0,
        )),
        Asking::Again => refuse("this passphrase does not open the file"),
        Asking::Open => {}
    }
    loop {
        let typed = match Secret::from_input(prompter.hidden(question).ok()??.as_bytes()) {
            Ok(typed) => typed,
            Err(error) => {
                refuse(&format!("this cannot be a passphrase: {error}"));
                continue;
            }
        };
        if asking != Asking::New {
            return Some(typed);
        }
        let is_short = typed.expose().chars().count() < SHORT_PASSPHRASE;
        let short = format!(
            "The passphrase has fewer than {SHORT_PASSPHRASE} characters, which can be guessed. Use it anyway?"
        );
        if is_short && !prompter.confirm(&short).ok()? {
            continue;
        }
        if prompter.hidden("Repeat the passphrase").ok()??.as_str() == typed.expose() {
            return Some(typed);
        }
        refuse("the two differ; type both again");
    }
}

impl Hold for interrupt::Hold {
    fn was_interrupted(&self) -> bool {
        interrupt::Hold::is_asked()
    }
}

impl Progress for progress::Progress {
    fn step(&self) {
        progress::Progress::step(self);
    }

    fn now(&self, text: &str) {
        progress::Progress::now(self, text);
    }

    fn aside(&self, print: &mut dyn FnMut()) {
        self.suspend(print);
    }
}
