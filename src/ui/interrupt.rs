//! Ctrl-C: the same everywhere. The cursor comes back, the exit code is 130.
//!
//! While secrets and record are being saved, the end waits until both are there
//! or both are taken back.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The exit code of an interrupted program.
pub const EXIT: u8 = 130;

/// How many hold it back: one may begin inside another.
static HELD: AtomicUsize = AtomicUsize::new(0);
static ASKED: AtomicBool = AtomicBool::new(false);

/// Takes Ctrl-C and SIGTERM over. Called once by every command that asks, waits
/// or writes.
pub fn install() {
    terminal::remember();
    // Installed already (the demo runs several commands): the same handler.
    let _ = ctrlc::set_handler(|| {
        ASKED.store(true, Ordering::SeqCst);
        if HELD.load(Ordering::SeqCst) == 0 {
            leave();
        }
    });
}

/// Remembers what the terminal does with what is typed, for whoever changes it and may
/// not come to give it back.
pub fn remember_terminal() {
    terminal::remember();
}

/// Gives that back.
pub fn give_terminal_back() {
    terminal::restore();
}

/// Gives the terminal back as it was: prompts hide the cursor, or what is typed, and
/// leave it so in the middle of their line.
pub fn restore_terminal() {
    terminal::restore();
    let terminal = console::Term::stderr();
    if terminal.is_term() {
        let _ = terminal.show_cursor();
        let _ = terminal.write_line("");
    }
}

/// Ends an interrupted command. The handler gets here, and so does main, to which
/// a prompt that is interrupted returns; the second waits for the first.
#[allow(clippy::exit, reason = "the handler's thread ends the process; main may be inside a prompt")]
pub fn leave() -> ! {
    static TERMINAL: Once = Once::new();
    TERMINAL.call_once(restore_terminal);
    std::process::exit(i32::from(EXIT));
}

/// Holds an interrupt back until it is dropped. Whoever holds it asks whether there
/// was one before the step that cannot be taken back, and after that is done.
pub struct Hold(());

impl Hold {
    /// Begins a part that must not end half-way.
    pub fn begin() -> Self {
        if HELD.fetch_add(1, Ordering::SeqCst) == 0 {
            // One that was asked for in a part that is over has had its answer.
            ASKED.store(false, Ordering::SeqCst);
        }
        Self(())
    }

    /// Forgets an interrupt that was meant for somebody else: an editor that went on.
    pub fn forget(&self) {
        ASKED.store(false, Ordering::SeqCst);
    }

    /// Whether somebody asked to stop while any part is held.
    pub fn is_asked() -> bool {
        ASKED.load(Ordering::SeqCst)
    }

    /// Whether somebody asked to stop since.
    pub fn was_interrupted(&self) -> bool {
        ASKED.load(Ordering::SeqCst)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        HELD.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What the terminal does with what is typed, as it was before any prompt.
#[cfg(unix)]
mod terminal {
    use std::io::stdin;
    use std::sync::OnceLock;

    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

    static BEFORE: OnceLock<Termios> = OnceLock::new();

    pub fn remember() {
        // No terminal: then there is nothing to give back.
        if let Ok(before) = tcgetattr(stdin()) {
            BEFORE.get_or_init(|| before);
        }
    }

    pub fn restore() {
        if let Some(before) = BEFORE.get() {
            // A terminal that is gone needs nothing.
            let _ = tcsetattr(stdin(), OptionalActions::Now, before);
        }
    }
}

#[cfg(not(unix))]
mod terminal {
    pub fn remember() {}

    pub fn restore() {}
}
