//! Ctrl-C: restores the cursor and exits with 130. While secrets and record are being saved,
//! the exit waits until both are saved or both are rolled back.

use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use crate::leaving::{self, Requests};

pub use signals::{end as quit, install as say_faults};
pub use terminal::{forget_typed, remember as remember_terminal, restore as give_terminal_back};

pub const EXIT: u8 = 130;

/// One lock for both fields: an interrupt comes either before a part that must not end
/// half-way or in it, and is never lost in between.
struct State {
    /// The number of holders: one may begin inside another.
    held: usize,
    asked: bool,
}

fn state() -> MutexGuard<'static, State> {
    static STATE: Mutex<State> = Mutex::new(State { held: 0, asked: false });
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Handles requests to end. Called by prompts, the editor, progress lines and [`Hold`].
pub fn install() {
    static INSTALLED: Once = Once::new();
    terminal::remember();
    signals::install();
    INSTALLED.call_once(|| {
        // Otherwise the signals keep their default.
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
        let requests = {
            let _entered = runtime.enter();
            Requests::listen_at_terminal()
        };
        let Ok(mut requests) = requests else { return };
        std::thread::spawn(move || {
            loop {
                runtime.block_on(requests.next());
                ask_to_stop();
            }
        });
    });
}

/// Ends the program on Ctrl-C, unless a part holds it back.
pub fn ask_to_stop() {
    if asked_to_stop() {
        leave();
    }
}

/// Records the request; returns whether nothing holds it back. Runs on a thread, not in a
/// signal handler, so it may wait for a lock.
fn asked_to_stop() -> bool {
    let mut state = state();
    state.asked = true;
    state.held == 0
}

/// Restores the terminal: an interrupted prompt leaves the cursor or the echo off.
pub fn restore_terminal() {
    terminal::restore();
    let terminal = console::Term::stderr();
    if terminal.is_term() {
        let _ = terminal.show_cursor();
        let _ = terminal.write_line("");
    }
}

/// Ends an interrupted command. Called by the handler and by main, to which an interrupted
/// prompt returns; the second caller waits for the first.
#[allow(clippy::exit, reason = "the handler's thread ends the process; main may be inside a prompt")]
pub fn leave() -> ! {
    static TERMINAL: Once = Once::new();
    TERMINAL.call_once(|| {
        restore_terminal();
        leaving::now();
    });
    std::process::exit(i32::from(EXIT));
}

/// Ends the process with a code of its own, wherever its other threads are.
#[allow(clippy::exit, reason = "another thread may be blocked, and is not waited for")]
pub fn finish(code: u8) -> ! {
    leaving::now();
    std::process::exit(i32::from(code));
}

/// Holds an interrupt back until dropped. The holder checks for one before the step that
/// cannot be undone, and afterwards.
pub struct Hold(());

impl Hold {
    pub fn begin() -> Self {
        let mut state = state();
        if state.held == 0 {
            // A request from an earlier part was already answered.
            state.asked = false;
        }
        state.held += 1;
        Self(())
    }

    /// Forgets an interrupt that was for the editor, which continued.
    pub fn forget() {
        state().asked = false;
    }

    /// The command ends by itself: an interrupt that is noticed late does not cut what it says.
    pub fn until_the_end(self) {
        std::mem::forget(self);
    }

    /// Whether an interrupt arrived while any part is held.
    pub fn is_asked() -> bool {
        state().asked
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        state().held -= 1;
    }
}

/// Two signals that by default end the program silently.
#[cfg(unix)]
mod signals {
    use std::sync::Once;

    use rustix::process::Signal;
    use tokio::signal::unix::{SignalKind, signal};

    /// A shell's exit code for SIGQUIT.
    const QUIT: i32 = 131;

    /// Makes those signals end the program with a message.
    pub fn install() {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            // Otherwise the signals keep their default.
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
            let quit = {
                let _entered = runtime.enter();
                // Makes a write past the file size limit an error, which is reported. A handler, not
                // "ignore", which child processes would inherit.
                let _ = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()));
                signal(SignalKind::quit())
            };
            let Ok(mut quit) = quit else { return };
            std::thread::spawn(move || {
                if runtime.block_on(quit.recv()).is_some() {
                    end();
                }
            });
        });
    }

    /// Ctrl-\ ends at once, even while Ctrl-C is held back.
    #[allow(clippy::exit, reason = "main may be inside a prompt, with the echo off")]
    pub fn end() -> ! {
        super::restore_terminal();
        crate::leaving::now();
        std::process::exit(QUIT);
    }
}

#[cfg(not(unix))]
mod signals {
    pub fn install() {}

    pub fn end() -> ! {
        super::leave()
    }
}

/// The terminal's input modes before any prompt.
#[cfg(unix)]
mod terminal {
    use std::io::stdin;
    use std::sync::OnceLock;

    use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};

    static BEFORE: OnceLock<Termios> = OnceLock::new();

    /// Remembers the modes, for code that changes them and may be interrupted.
    pub fn remember() {
        // Without a terminal there is nothing to restore.
        if let Ok(before) = tcgetattr(stdin()) {
            BEFORE.get_or_init(|| before);
        }
    }

    /// Restores the modes.
    pub fn restore() {
        if let Some(before) = BEFORE.get() {
            // A terminal that is gone needs nothing.
            let _ = tcsetattr(stdin(), OptionalActions::Now, before);
        }
    }

    /// Drops what was typed or pasted and not read yet.
    pub fn forget_typed() {
        // Without a terminal nothing was typed.
        let _ = tcflush(stdin(), QueueSelector::IFlush);
    }
}

#[cfg(not(unix))]
mod terminal {
    pub fn remember() {}

    pub fn restore() {}

    pub fn forget_typed() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_in_a_part_is_held_back_and_seen() {
        let hold = Hold::begin();
        assert!(!Hold::is_asked() && !asked_to_stop() && Hold::is_asked());
        let inner = Hold::begin();
        assert!(Hold::is_asked(), "a part inside another forgets nothing");
        Hold::forget();
        assert!(!Hold::is_asked());
        drop((inner, hold));
        // An interrupt as a part begins ends the program, or the part sees it.
        for _ in 0..1000 {
            std::thread::scope(|scope| {
                let asks = scope.spawn(asked_to_stop);
                let _hold = Hold::begin();
                assert!(asks.join().expect("joined") || Hold::is_asked());
            });
        }
    }
}
