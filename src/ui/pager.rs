//! Shows a page through a pager.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use super::interrupt::{self, Hold};
use crate::programs;

/// Shows a roff page through man(1); `false` if that fails. Programs get the environment
/// without the variables `hidden`.
pub fn man(page: &[u8], hidden: &[OsString]) -> bool {
    through(&["man".into(), "-l".into(), "-".into()], page, hidden).unwrap_or(false)
}

/// Shows a text through this pager; `false` if it cannot run.
pub fn page(pager: &str, text: &[u8], hidden: &[OsString]) -> bool {
    programs::split(pager).is_some_and(|words| through(&words, text, hidden).unwrap_or(false))
}

fn through(words: &[String], text: &[u8], hidden: &[OsString]) -> io::Result<bool> {
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    // Ctrl-C belongs to the pager while it runs.
    interrupt::install();
    let _hold = Hold::begin();
    let mut child = programs::start(program, |program| {
        let mut command = Command::new(program);
        for name in hidden {
            command.env_remove(name);
        }
        command.args(arguments).stdin(Stdio::piped()).spawn()
    })?;
    if let Some(mut stdin) = child.stdin.take() {
        // A pager that is quit early has not read everything.
        let _ = stdin.write_all(text);
    }
    let done = child.wait()?.success() || Hold::is_asked();
    Hold::forget();
    Ok(done)
}
