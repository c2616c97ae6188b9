//! A page on the terminal, through the programs that show pages.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use super::interrupt::{self, Hold};

/// Shows a page in roff through man(1); `false` where there is none that shows it. The
/// programs get the environment without the variables `hidden`.
pub fn man(page: &[u8], hidden: &[OsString]) -> bool {
    through(&["man".into(), "-l".into(), "-".into()], page, hidden).unwrap_or(false)
}

/// Shows a text through the pager with this command; `false` where that cannot be run.
pub fn page(pager: &str, text: &[u8], hidden: &[OsString]) -> bool {
    shlex::split(pager).is_some_and(|words| through(&words, text, hidden).unwrap_or(false))
}

fn through(words: &[String], text: &[u8], hidden: &[OsString]) -> io::Result<bool> {
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    // Ctrl-C belongs to the pager as long as it runs.
    interrupt::install();
    let _hold = Hold::begin();
    let mut command = Command::new(program);
    for name in hidden {
        command.env_remove(name);
    }
    let mut child = command.args(arguments).stdin(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A pager that is left early has not read all.
        let _ = stdin.write_all(text);
    }
    let done = child.wait()?.success() || Hold::is_asked();
    Hold::forget();
    Ok(done)
}
