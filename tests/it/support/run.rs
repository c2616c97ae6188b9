//! One run of the binary.

use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    /// As it would be typed.
    pub command: String,
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Run {
    /// Runs a prepared command with this on its standard input.
    pub fn of(mut command: Command, stdin: &[u8]) -> Self {
        let (typed, start) = (typed(&command), Instant::now());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        feed(&mut child, stdin);
        Self::from_output(typed, child.wait_with_output().unwrap(), start.elapsed())
    }

    fn from_output(command: String, output: Output, took: Duration) -> Self {
        let run = Self {
            command,
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            took,
        };
        run.assert_hints_can_be_typed();
        run
    }

    /// Whatever any run says to type can be typed: its words are parsed, and what has to
    /// be replaced stands in capitals.
    fn assert_hints_can_be_typed(&self) {
        const ENDS: [&str; 11] = ["; ", " (", ")", ", ", " and ", " && ", " or ", "  #", "\"", " names ", " shows "];
        for line in self.stderr.lines().chain(self.stdout.lines()).filter(|line| !line.contains("Usage: ")) {
            let line = line.replace("\\n", "\n").replace("\\\"", "'");
            for (at, start) in line.match_indices(": msgrctl ") {
                let rest = &line[at + 2..];
                let from = start.len() - 2;
                let end = ENDS.iter().chain(&["\n"]).filter_map(|end| rest[from..].find(end)).min();
                let command = end.map_or(rest, |end| &rest[..from + end]);
                let words = shlex::split(command).unwrap_or_else(|| panic!("{command:?} of {self:#?}"));
                let words = words.iter().map(|word| if word == "EVENT" { "session-ended" } else { word });
                if let Err(error) = msgrctl::cli::command().try_get_matches_from(words)
                    && error.use_stderr()
                {
                    panic!("{command:?} cannot be typed: {error}{self:#?}");
                }
                assert!(!command.contains(['<', '…', '{']), "{command:?} of {self:#?}");
            }
        }
    }

    /// Nothing: whole outputs are compared on Unix. On Windows paths, quotes and commands of the
    /// shell differ.
    #[cfg(windows)]
    pub fn screen(self, _name: &str) -> Self {
        self
    }

    /// Asserts the exit code, and shows everything when it is another.
    #[track_caller]
    pub fn code(self, expected: i32) -> Self {
        assert_eq!(self.code, expected, "{self:#?}");
        self
    }

    /// Asserts that standard error has all of these.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "standard error lacks {part:?}: {self:#?}");
        }
        self
    }

    /// Asserts that standard output has all of these.
    #[track_caller]
    pub fn shows(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stdout.contains(part), "standard output lacks {part:?}: {self:#?}");
        }
        self
    }

    /// Standard output as JSON, which must be one line.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.stdout.trim_end().lines().count(), 1, "{self:#?}");
        let value: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"));
        assert_eq!(value["schema_version"], 1);
        value
    }

    /// The error on standard error as JSON: the last line.
    #[track_caller]
    pub fn json_error(&self) -> Value {
        let line = self.stderr.trim_end().lines().last().unwrap_or_default();
        let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:#?}"));
        assert_eq!(value["schema_version"], 1);
        assert_eq!(value["error"]["exit_code"], self.code);
        value["error"].clone()
    }

    /// The check of that id in `account test --json` of one account.
    #[track_caller]
    pub fn check(&self, id: &str) -> Value {
        let value = self.json();
        let checks = value["results"][0]["checks"].as_array().cloned().unwrap_or_default();
        let found = checks.into_iter().find(|check| check["id"] == id);
        found.unwrap_or_else(|| panic!("no check {id}: {self:#?}"))
    }
}

/// A command as it would be typed; a binary without its folder.
pub fn typed(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program()).file_name().unwrap();
    let words = std::iter::once(program).chain(command.get_args()).map(|word| word.to_string_lossy().into_owned());
    let words: Vec<String> = words.collect();
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}

fn feed(child: &mut Child, stdin: &[u8]) {
    let mut pipe = child.stdin.take().unwrap();
    // A command that does not read may be gone already.
    let _ = pipe.write_all(stdin);
}
