//! Ctrl-C: the same everywhere. The cursor comes back, the exit code is 130.
//!
//! While secrets and record are being saved, the end waits until both are there
//! or both are taken back.

use std::sync::{Mutex, MutexGuard, Once, PoisonError};

pub use signals::{end as quit, install as say_faults};
pub use terminal::{remember as remember_terminal, restore as give_terminal_back};

pub const EXIT: u8 = 130;

/// What Ctrl-C meets. One lock for both, so that an interrupt comes either before a part
/// that must not end half-way or in it, and is never lost in between.
struct State {
    /// How many hold it back: one may begin inside another.
    held: usize,
    asked: bool,
}

fn state() -> MutexGuard<'static, State> {
    static STATE: Mutex<State> = Mutex::new(State { held: 0, asked: false });
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes Ctrl-C and SIGTERM over. Called by whatever asks, waits or writes: a prompt, an
/// editor, a line that moves, a part that must not end half-way.
pub fn install() {
    terminal::remember();
    signals::install();
    // Installed already (the demo runs several commands): the same handler.
    let _ = ctrlc::set_handler(ask_to_stop);
}

/// What Ctrl-C does: ends the program, unless a part holds that back.
pub fn ask_to_stop() {
    if asked_to_stop() {
        leave();
    }
}

/// Somebody asks to stop; whether nothing holds it back. Not on a signal's own stack but on
/// a thread, where a lock may be waited for.
fn asked_to_stop() -> bool {
    let mut state = state();
    state.asked = true;
    state.held == 0
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
    pub fn begin() -> Self {
        let mut state = state();
        if state.held == 0 {
            // One that was asked for in a part that is over has had its answer.
            state.asked = false;
        }
        state.held += 1;
        Self(())
    }

    /// Forgets an interrupt that was meant for somebody else: an editor that went on.
    pub fn forget() {
        state().asked = false;
    }

    /// Whether somebody asked to stop while any part is held.
    pub fn is_asked() -> bool {
        state().asked
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        state().held -= 1;
    }
}

/// Two signals whose standard effect would end the program without a word.
#[cfg(unix)]
mod signals {
    use std::sync::Once;

    use rustix::process::Signal;
    use tokio::signal::unix::{SignalKind, signal};

    /// The exit code that a shell gives SIGQUIT.
    const QUIT: i32 = 131;

    /// Has signals that would end the program without a word end it with one.
    pub fn install() {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            // Without them the signals do what they always did.
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
            let quit = {
                let _entered = runtime.enter();
                // A write past the limit of a file's size fails then, which is said. A handler
                // and not "ignore": programs that are started would inherit that.
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

    /// Ctrl-\ ends at once, also in the middle of a part that Ctrl-C waits for.
    #[allow(clippy::exit, reason = "main may be inside a prompt, with the echo off")]
    pub fn end() -> ! {
        super::restore_terminal();
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

/// What the terminal does with what is typed, as it was before any prompt.
#[cfg(unix)]
mod terminal {
    use std::io::stdin;
    use std::sync::OnceLock;

    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

    static BEFORE: OnceLock<Termios> = OnceLock::new();

    /// Remembers what the terminal does with what is typed, for whoever changes it and may
    /// not come to give it back.
    pub fn remember() {
        // No terminal: then there is nothing to give back.
        if let Ok(before) = tcgetattr(stdin()) {
            BEFORE.get_or_init(|| before);
        }
    }

    /// Gives that back.
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
        // Asked for at the moment when a part begins: it ends the program, or the part sees it.
        for _ in 0..1000 {
            std::thread::scope(|scope| {
                let asks = scope.spawn(asked_to_stop);
                let _hold = Hold::begin();
                assert!(asks.join().expect("joined") || Hold::is_asked());
            });
        }
    }
}
