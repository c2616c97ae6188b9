//! The binary on a real pseudo-terminal.

use std::process::Command;
use std::time::Duration;

use expectrl::process::unix::{PtyStream, UnixProcess, WaitStatus};
use expectrl::{Eof, Expect as _, Session};

pub struct Pty {
    session: Session<UnixProcess, PtyStream>,
}

impl Pty {
    pub fn start(mut command: Command, columns: u16) -> Self {
        command.env("TERM", "xterm-256color");
        let mut session = Session::spawn(command).unwrap();
        session.set_expect_timeout(Some(Duration::from_secs(10)));
        session.get_process_mut().set_window_size(columns, 30).unwrap();
        Self { session }
    }

    /// Waits for this text on the screen; returns what came before it.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> String {
        let found = self.session.expect(text).unwrap_or_else(|error| panic!("{text:?} did not come: {error}"));
        String::from_utf8_lossy(found.before()).into_owned()
    }

    pub fn send(&mut self, keys: &str) {
        self.session.send(keys).unwrap();
    }

    /// Reads to the end; returns the rest of the screen and the exit code.
    pub fn end(mut self) -> (String, i32) {
        let rest = self.session.expect(Eof).unwrap();
        let text = String::from_utf8_lossy(rest.as_bytes()).into_owned();
        let code = match self.session.get_process().wait().unwrap() {
            WaitStatus::Exited(_, code) => code,
            WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
            other => panic!("{other:?}"),
        };
        (text, code)
    }
}
