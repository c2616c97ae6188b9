//! The binary on a real pseudo-terminal.

use std::process::Command;
use std::time::{Duration, Instant};

use expectrl::process::unix::{PtyStream, UnixProcess, WaitStatus};
use expectrl::{Captures, Eof, Error, Expect as _, Needle, Session};

/// How long a program may take to show something.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a prompt may take from its text to the change of the terminal that reads keys.
const TO_READ: Duration = Duration::from_millis(150);
/// How often it is looked at the terminal.
const TICK: Duration = Duration::from_millis(2);

use super::run::typed;

pub struct Pty {
    /// As it would be typed.
    pub command: String,
    pub columns: u16,
    /// All that came so far.
    seen: Vec<u8>,
    session: Session<UnixProcess, PtyStream>,
}

impl Pty {
    /// Starts a command in a window of so many columns, which is there before it is.
    pub fn start(command: &Command, columns: u16) -> Self {
        let mut sized = Command::new("sh");
        sized.args(["-c", &format!("read -r _; stty echo cols {columns} rows 30; exec \"$0\" \"$@\"")]);
        sized.arg(command.get_program()).args(command.get_args()).env_clear();
        sized.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        sized.current_dir(command.get_current_dir().unwrap()).env("TERM", "xterm-256color");
        let mut session = Session::spawn(sized).unwrap();
        // The library sets a size of its own while the command starts: so it waits.
        session.send("\n").unwrap();
        Self { command: typed(command), columns, seen: Vec::new(), session }
    }

    /// Waits for this text on the screen; returns what came before it.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> String {
        let found = self.wait_for(text).unwrap_or_else(|error| panic!("{text:?} did not come: {error}"));
        self.seen.extend_from_slice(found.as_bytes());
        String::from_utf8_lossy(found.before()).into_owned()
    }

    /// The library's own wait reads without a pause, and takes a processor for itself.
    fn wait_for<N: Needle>(&mut self, needle: N) -> Result<Captures, Error> {
        let start = Instant::now();
        loop {
            let found = self.session.check(&needle)?;
            if !found.is_empty() {
                return Ok(found);
            }
            if start.elapsed() > PATIENCE {
                return Err(Error::ExpectTimeout);
            }
            std::thread::sleep(TICK);
        }
    }

    /// Types. A prompt turns the echo off after it has shown itself, and what was typed
    /// in between is thrown away: a person is not that quick. One that reads a whole line
    /// leaves the echo on.
    pub fn send(&mut self, keys: &str) {
        let start = Instant::now();
        while self.session.get_process().get_echo().unwrap() && start.elapsed() < TO_READ {
            std::thread::sleep(TICK);
        }
        self.session.send(keys).unwrap();
    }

    /// Gives the window another width.
    pub fn resize(&mut self, columns: u16) {
        self.session.get_process_mut().set_window_size(columns, 30).unwrap();
    }

    /// Sends a signal, reads nothing more, and returns the exit code.
    #[track_caller]
    pub fn signalled(self, name: &str, within: Duration) -> i32 {
        let process = self.session.get_process();
        let pid = process.pid().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
        let start = Instant::now();
        loop {
            match process.status().unwrap() {
                WaitStatus::Exited(_, code) => return code,
                WaitStatus::Signaled(_, signal, _) => return 128 + signal as i32,
                _ if start.elapsed() > within => {
                    let _ = Command::new("kill").args(["-KILL", &pid]).status();
                    panic!("it still runs {within:?} after {name}");
                }
                _ => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// Reads to the end; returns the rest of the screen and the exit code.
    pub fn end(mut self) -> (String, i32) {
        let (rest, code) = self.rest();
        (String::from_utf8_lossy(&rest).into_owned(), code)
    }

    /// Reads to the end; returns all that ever came and the exit code.
    pub fn all(mut self) -> (Vec<u8>, i32) {
        let (rest, code) = self.rest();
        self.seen.extend(rest);
        (self.seen, code)
    }

    fn rest(&mut self) -> (Vec<u8>, i32) {
        let rest = self.wait_for(Eof).unwrap().as_bytes().to_vec();
        let code = match self.session.get_process().wait().unwrap() {
            WaitStatus::Exited(_, code) => code,
            WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
            other => panic!("{other:?}"),
        };
        (rest, code)
    }
}
