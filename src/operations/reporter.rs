//! What an operation tells while it runs, and what it heeds. The command line prints it and
//! holds Ctrl-C back; another program may do as it likes.

use crate::secrets::Ask;

/// Who is told.
pub trait Reporter {
    /// Something that is worth knowing.
    fn notice(&self, text: &str);

    /// Something that is not as it should be.
    fn warning(&self, text: &str);

    /// Something is waited for, until the value is dropped.
    fn waiting(&self, _text: &str) -> Box<dyn Progress> {
        Box::new(Unseen)
    }

    /// The same of `total` steps.
    fn counting(&self, _text: &str, _total: usize) -> Box<dyn Progress> {
        Box::new(Unseen)
    }

    /// A part begins that must not end half-way: until the value is dropped.
    fn hold(&self) -> Box<dyn Hold> {
        Box::new(Unseen)
    }

    /// Whether the caller should stop as soon as it can, while any part is held.
    fn is_stop_asked(&self) -> bool {
        false
    }

    /// Whether a dialog of the keyring can be answered.
    fn can_unlock(&self) -> bool {
        false
    }

    /// Asks for the passphrase of the encrypted file, where a person can be asked.
    fn passphrase_prompt(&self) -> Option<Ask> {
        None
    }
}

/// How far something is.
pub trait Progress {
    /// One of the steps is done.
    fn step(&self) {}

    /// What is being done now.
    fn now(&self, _text: &str) {}

    /// Prints something beside it.
    fn aside(&self, print: &mut dyn FnMut()) {
        print();
    }
}

/// A part that must not end half-way.
pub trait Hold {
    /// Whether the caller should stop as soon as it can.
    fn was_interrupted(&self) -> bool {
        false
    }
}

/// Tells nothing and is never stopped.
pub struct Unseen;

impl Progress for Unseen {}

impl Hold for Unseen {}

impl Reporter for Unseen {
    fn notice(&self, _text: &str) {}

    fn warning(&self, _text: &str) {}
}
