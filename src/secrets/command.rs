//! Secrets that a program prints: `op read …`, `pass show …`, `vault kv get …`.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::{Secret, StoreError, redact};

/// How long a program may take: some ask a person first.
const PATIENCE: Duration = Duration::from_secs(30);
/// More than this is no secret.
const LIMIT: u64 = 64 * 1024;

/// Runs a program, without a shell and without input, and takes what it prints
/// for a secret. What it says on standard error is shown when it fails, what it
/// prints never.
pub(super) fn run(words: &[String]) -> Result<Secret, StoreError> {
    let (program, arguments) = words.split_first().map_or(("", words), |(program, rest)| (program.as_str(), rest));
    let failed = |cause: String| StoreError::Command { program: program.into(), cause };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("it could not be started: {error}")))?;
    let (out, err) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let Some(status) = wait(&mut child).map_err(|error| failed(error.to_string()))? else {
        return Err(failed(format!("it did not end within {} s", PATIENCE.as_secs())));
    };
    // A program that left a child behind may hold its output open.
    let moment = Duration::from_secs(2);
    let printed = out.recv_timeout(moment).unwrap_or_default();
    if !status.success() {
        let said = err.recv_timeout(moment).unwrap_or_default();
        let said = redact(String::from_utf8_lossy(&said).trim()).chars().take(500).collect::<String>();
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        return Err(failed(format!("it ended with {status}{said}")));
    }
    if printed.len() as u64 > LIMIT {
        return Err(failed(format!("it printed more than {LIMIT} bytes")));
    }
    Secret::from_input(&printed).map_err(|error| failed(format!("what it printed cannot be used: {error}")))
}

/// Reads a pipe to its end on a thread of its own, so that a full pipe holds
/// nobody up.
fn drain(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What was read before an error is all there is.
            let _ = pipe.take(LIMIT + 1).read_to_end(&mut bytes);
        }
        // Nobody waits any more: then nobody needs it.
        let _ = send.send(bytes);
    });
    receive
}

/// Waits for the end; `None`, and the end of the program, when it takes too long.
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn run_words(words: &[&str]) -> Result<Secret, StoreError> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        run(&words)
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
        assert!(fails(&["head", "-c", "70000", "/dev/zero"]).contains("more than"));
    }
}
