//! `msgrctl webhook listen`, running.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Home;

pub struct Listening {
    child: Child,
    lines: Receiver<String>,
    /// Every line so far.
    pub shown: Vec<Value>,
    /// Where it listens: `http://127.0.0.1:PORT/webhook`.
    pub url: String,
}

impl Listening {
    /// Starts one on a free port, with JSON Lines, and waits until it is ready.
    #[track_caller]
    pub fn start(home: &Home, arguments: &[&str]) -> Self {
        let words = [&["webhook", "listen", "--listen", "127.0.0.1:0", "--json"], arguments].concat();
        let mut command = home.msgrctl(&words);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        let mut listening = Self { child, lines, shown: Vec::new(), url: String::new() };
        let ready = listening.wait_for("ready");
        listening.url.push_str(ready["url"].as_str().unwrap());
        listening
    }

    /// The address without the path.
    pub fn base(&self) -> String {
        self.url.trim_end_matches("/webhook").to_owned()
    }

    /// The next line of this kind.
    #[track_caller]
    pub fn wait_for(&mut self, kind: &str) -> Value {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                let _ = self.child.kill();
                let mut talk = String::new();
                let _ = self.child.stderr.take().unwrap().read_to_string(&mut talk);
                panic!("no {kind}: {:#?}\n{talk}", self.shown);
            };
            let value: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_eq!(value["schema_version"], 1);
            self.shown.push(value.clone());
            if value["kind"] == kind {
                return value;
            }
        }
    }

    /// Waits until a line that it has shown counts so many refusals for this reason.
    #[track_caller]
    pub fn wait_for_refusal(&mut self, why: &str) -> Value {
        loop {
            let refused = self.wait_for("refused");
            if refused["why"].as_str().unwrap().contains(why) {
                return refused;
            }
        }
    }

    /// Sends a signal, waits, and returns the exit code and the last line.
    #[track_caller]
    pub fn stop(mut self, signal: &str) -> (Option<i32>, Value) {
        self.signal(signal);
        let stopped = self.wait_for("stopped");
        (self.child.wait().unwrap().code(), stopped)
    }

    /// Sends a signal.
    #[track_caller]
    pub fn signal(&self, name: &str) {
        let status = std::process::Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its own end.
    #[track_caller]
    pub fn ends(&mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let mut talk = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut talk).unwrap();
        (code, talk)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
