//! Secrets that a program prints: `op read …`, `pass show …`, `vault kv get …`.

use std::ffi::OsString;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use secrecy::zeroize::Zeroizing;

use super::{Secret, StoreError, redact};
use crate::programs;

/// How long a program may take: some ask the user first.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most bytes of a secret.
const LIMIT: usize = 64 * 1024;
/// The size of one read.
const BUFFER: usize = 4096;

/// Runs a program, without a shell and without input, and returns its output as a secret. An
/// error may quote its standard error, never its output. The program does not get the variables
/// `hidden`.
pub(super) fn run(words: &[String], hidden: &[OsString]) -> Result<Secret, StoreError> {
    let (program, arguments) = words.split_first().map_or(("", words), |(program, rest)| (program.as_str(), rest));
    let failed = |cause: String| StoreError::Command { program: program.into(), cause };
    let spawn = |program: &str| {
        let mut command = Command::new(program);
        for name in hidden {
            command.env_remove(name);
        }
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    };
    let mut child =
        programs::start(program, spawn).map_err(|error| failed(format!("it could not be started: {error}")))?;
    let (out, err) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let Some(status) = wait(&mut child).map_err(|error| failed(error.to_string()))? else {
        return Err(failed(format!("it did not end within {} s", PATIENCE.as_secs())));
    };
    if !status.success() {
        let said = err.read();
        let said = redact(String::from_utf8_lossy(&said).trim()).chars().take(500).collect::<String>();
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        return Err(failed(format!("it ended with {status}{said}")));
    }
    let printed = out.read();
    if printed.len() > LIMIT {
        return Err(failed(format!("it printed more than {LIMIT} bytes")));
    }
    Secret::from_copy(&printed).map_err(|error| failed(format!("what it printed cannot be used: {error}")))
}

/// The output of a pipe, read on a thread of its own so that a full pipe blocks neither side.
struct Pipe {
    bytes: Arc<Mutex<Zeroizing<Vec<u8>>>>,
    ended: Receiver<()>,
}

impl Pipe {
    /// What was printed until the program ended. A process that it left behind may hold the pipe
    /// open; that process is not waited for.
    fn read(self) -> Zeroizing<Vec<u8>> {
        // Either way, the output read so far counts.
        let _ = self.ended.recv_timeout(Duration::from_millis(300));
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> Pipe {
    let (send, ended) = channel();
    // Room for all that is kept: a growing buffer would leave copies behind.
    let bytes = Arc::new(Mutex::new(Zeroizing::new(Vec::with_capacity(LIMIT + BUFFER))));
    let filled = bytes.clone();
    std::thread::spawn(move || {
        let mut buffer = Zeroizing::new([0; BUFFER]);
        let mut pipe = pipe;
        // An error ends the output too.
        while let Some(Ok(read @ 1..)) = pipe.as_mut().map(|pipe| pipe.read(&mut *buffer)) {
            let mut filled = filled.lock().unwrap_or_else(PoisonError::into_inner);
            // Output above the limit is refused, so it need not be kept.
            if filled.len() <= LIMIT {
                filled.extend_from_slice(&buffer[..read]);
            }
        }
        // Failing to send means that the reader stopped waiting.
        let _ = send.send(());
    });
    Pipe { bytes, ended }
}

/// Waits for the program to end; kills it and returns `None` when it takes too long.
fn wait(child: &mut Child) -> std::io::Result<Option<std::process::ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn run_words(words: &[&str]) -> Result<Secret, StoreError> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        run(&words, &[OsString::from("HIDDEN_FROM_IT")])
    }

    #[test]
    fn what_a_program_prints_is_the_secret() {
        assert_eq!(run_words(&["printf", "%s\\n", "EAA x; $HOME"]).expect("a secret").expose(), "EAA x; $HOME");
    }

    #[test]
    fn failures_say_why_and_show_no_output() {
        let fails = |words: &[&str]| run_words(words).expect_err("a failure").to_string();
        assert!(fails(&["no-such-program-here"]).contains("could not be started"));
        let said = fails(&["sh", "-c", "echo out-mark; echo 'locked vault EAABleak0123456789abcdefghij' >&2; exit 3"]);
        assert!(said.contains("exit status: 3") && said.contains("locked vault"), "{said}");
        assert!(!said.contains("out-mark") && !said.contains("EAABleak"), "{said}");
        assert!(fails(&["true"]).contains("empty"));
        // A process that it leaves running is not waited for, and loses no output.
        let agent = ["sh", "-c", "echo EAAtoken; sleep 5 &"];
        let start = Instant::now();
        assert_eq!(run_words(&agent).expect("a secret").expose(), "EAAtoken");
        assert!(start.elapsed() < Duration::from_secs(3));
        assert!(fails(&["head", "-c", "70000", "/dev/zero"]).contains("more than"));
    }
}
