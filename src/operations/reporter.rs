//! What an operation reports while it runs, and when it should stop. The command line prints
//! it and holds Ctrl-C back; other programs may differ.

use crate::secrets::Ask;

/// Receives an operation's messages.
pub trait Reporter {
    /// Reports a fact.
    fn notice(&self, text: &str);

    /// Reports a problem.
    fn warning(&self, text: &str);

    /// Reports a wait, until the value is dropped.
    fn waiting(&self, _text: &str) -> Box<dyn Progress> {
        Box::new(Unseen)
    }

    /// Reports a wait for `total` steps.
    fn counting(&self, _text: &str, _total: usize) -> Box<dyn Progress> {
        Box::new(Unseen)
    }

    /// Begins a part that must not end half-way, until the value is dropped.
    fn hold(&self) -> Box<dyn Hold> {
        Box::new(Unseen)
    }

    /// Whether to stop soon, while any part is held.
    fn is_stop_asked(&self) -> bool {
        false
    }

    /// Whether the user can answer a keyring dialog.
    fn can_unlock(&self) -> bool {
        false
    }

    /// A prompt for the encrypted file's passphrase, if the user can be asked.
    fn passphrase_prompt(&self) -> Option<Ask> {
        None
    }
}

/// The progress of a wait.
pub trait Progress {
    /// One step is done.
    fn step(&self) {}

    /// Names the current step.
    fn now(&self, _text: &str) {}

    /// Prints beside the progress line.
    fn aside(&self, print: &mut dyn FnMut()) {
        print();
    }
}

/// A part that must not end half-way.
pub trait Hold {
    /// Whether to stop soon.
    fn was_interrupted(&self) -> bool {
        false
    }
}

/// Reports nothing and never stops.
pub struct Unseen;

impl Progress for Unseen {}

impl Hold for Unseen {}

impl Reporter for Unseen {
    fn notice(&self, _text: &str) {}

    fn warning(&self, _text: &str) {}
}
