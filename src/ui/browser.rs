//! Opens a page in the user's browser.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::env::Environment;

/// How long an opener has to fail. If it still runs then, it is the browser itself.
const PATIENCE: Duration = Duration::from_millis(900);

/// Opens an address, or the absolute path of a file; returns whether a browser was found. It
/// gets none of our variables, and Ctrl-C here does not end it.
pub fn open(target: &str, env: &Environment) -> bool {
    programs(env).iter().any(|words| start(words, target, env))
}

/// The programs to try: those in `BROWSER`, else the system's. Without a screen there is none:
/// a text browser would take the terminal.
fn programs(env: &Environment) -> Vec<Vec<String>> {
    let words = |program: &[&str]| program.iter().map(|&word| word.to_owned()).collect();
    if cfg!(windows) {
        return vec![words(&["rundll32", "url.dll,FileProtocolHandler"])];
    }
    if let Some(named) = env.text("BROWSER") {
        return named.split(':').filter_map(shlex::split).filter(|words| !words.is_empty()).collect();
    }
    if cfg!(target_os = "macos") {
        return vec![words(&["open"])];
    }
    if env.text("WSL_DISTRO_NAME").is_some() {
        return vec![words(&["wslview"])];
    }
    match env.text("WAYLAND_DISPLAY").or_else(|| env.text("DISPLAY")) {
        Some(_) => vec![words(&["xdg-open"]), words(&["gio", "open"])],
        None => Vec::new(),
    }
}

/// Starts a program with the target instead of `%s`, or as last argument.
fn start(words: &[String], target: &str, env: &Environment) -> bool {
    let Some((program, arguments)) = words.split_first() else { return false };
    let mut command = Command::new(program);
    command.args(arguments.iter().map(|word| word.replace("%s", target)));
    if !arguments.iter().any(|word| word.contains("%s")) {
        command.arg(target);
    }
    for name in env.ours() {
        command.env_remove(name);
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = started else { return false };
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(Duration::from_millis(10)),
            Err(_) => return false,
        }
    }
    true
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_browser_is_the_one_that_was_named_or_the_systems() {
        let none = Environment::default();
        assert!(programs(&none).is_empty() && !open("https://example.com/", &none));
        assert_eq!(programs(&none.clone().with("DISPLAY", ":0"))[0], ["xdg-open"]);
        let named = none.with("DISPLAY", ":0").with("BROWSER", "firefox --new-tab:'my browser' %s");
        assert_eq!(programs(&named), [vec!["firefox", "--new-tab"], vec!["my browser", "%s"]]);
    }

    #[test]
    fn a_program_that_fails_is_no_browser_and_the_next_is_tried() {
        let dir = tempfile::tempdir().expect("a directory");
        let told = dir.path().join("told");
        let opens = |browser: &str| open(&told.to_string_lossy(), &Environment::default().with("BROWSER", browser));
        assert!(!opens("false") && !opens("/nonexistent/browser") && !opens(":'"));
        assert!(opens("false:touch") && told.exists());
        std::fs::remove_file(&told).expect("removed");
        assert!(opens("sh -c 'touch \"$0\"; exec sleep 2' %s") && told.exists());
    }
}
