//! The terminal's properties, gathered once; decisions on this value can be tested.

use std::io::{self, IsTerminal as _};

use crate::env::Environment;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal that shows it
    #[default]
    Auto,
    /// Even into a file
    Always,
    /// Not at all
    Never,
}

/// The abilities of an output stream.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// Columns; `None` without a terminal: lines are not wrapped.
    pub width: Option<u16>,
    /// Whether colour is allowed.
    pub color: bool,
    /// Whether marks may use Unicode.
    pub unicode: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    pub stdout_color: bool,
    pub stderr_color: bool,
    /// Whether marks may use Unicode.
    pub unicode: bool,
    /// Whether the cursor can be moved, as a spinner needs.
    pub can_move: bool,
    /// Whether a line may move while results are written: not beside a pipe, whose reader writes on
    /// the same terminal whenever it likes.
    pub can_animate: bool,
}

impl Terminal {
    /// Reads the process's streams and variables.
    pub fn detect(env: &Environment, color: Color) -> Self {
        let (stdin, stdout, stderr) =
            (io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal());
        let mut terminal = Self::judge(env, color, stdin, stdout, stderr);
        terminal.can_animate &= stdout || !is_pipe();
        if cfg!(windows) {
            // A console shows styles after it was told to, which asking for them does.
            let shows = |screen: console::Term| screen.features().colors_supported() || color == Color::Always;
            terminal.stdout_color &= !stdout || shows(console::Term::stdout());
            terminal.stderr_color &= !stderr || shows(console::Term::stderr());
        }
        terminal
    }

    /// The screen of results. Windows are resized, so the width is read each time.
    pub fn out(self) -> Screen {
        let width = self.stdout.then(|| console::Term::stdout().size().1);
        Screen { width, color: self.stdout_color, unicode: self.unicode }
    }

    /// The screen of messages.
    pub fn err(self) -> Screen {
        let width = self.stderr.then(|| console::Term::stderr().size().1);
        Screen { width, color: self.stderr_color, unicode: self.unicode }
    }

    fn judge(env: &Environment, color: Color, stdin: bool, stdout: bool, stderr: bool) -> Self {
        let dumb = env.text("TERM") == Some("dumb");
        let colored = |is_terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if env.is_on("CLICOLOR_FORCE") => true,
            Color::Auto => is_terminal && !dumb && env.text("NO_COLOR").is_none(),
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| env.text(name));
        let unicode = match locale {
            Some(locale) => locale.to_ascii_lowercase().replace('-', "").contains("utf8"),
            None => !cfg!(target_os = "linux"),
        };
        Self {
            stdin,
            stdout,
            stderr,
            stdout_color: colored(stdout),
            stderr_color: colored(stderr),
            unicode,
            can_move: stderr && !dumb,
            can_animate: stderr && !dumb,
        }
    }

    /// Whether a person can answer: keys come from a terminal, the question is visible, and no
    /// setting forbids it.
    pub fn someone_can_answer(self, no_input: bool, env: &Environment) -> bool {
        self.stdin && self.stderr && !no_input && !env.is_on("CI")
    }
}

/// Whether results go to another program.
#[cfg(unix)]
fn is_pipe() -> bool {
    use rustix::fs::{FileType, fstat};
    fstat(io::stdout()).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
}

/// A file or a pipe: what it is cannot be asked.
#[cfg(not(unix))]
fn is_pipe() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(env: &Environment, color: Color, is_terminal: bool) -> Terminal {
        Terminal::judge(env, color, is_terminal, is_terminal, is_terminal)
    }

    #[test]
    fn colour_follows_flag_then_variables_then_the_stream() {
        let env = Environment::default();
        assert!(judge(&env, Color::Auto, true).stdout_color);
        assert!(!judge(&env, Color::Auto, false).stdout_color);
        assert!(!judge(&env.clone().with("NO_COLOR", "1"), Color::Auto, true).stdout_color);
        assert!(!judge(&env.clone().with("TERM", "dumb"), Color::Auto, true).stdout_color);
        assert!(judge(&env.clone().with("CLICOLOR_FORCE", "1"), Color::Auto, false).stdout_color);
        assert!(judge(&env.clone().with("NO_COLOR", "1"), Color::Always, false).stdout_color);
        assert!(!judge(&env.clone().with("CLICOLOR_FORCE", "1"), Color::Never, true).stdout_color);
    }

    #[test]
    fn nobody_answers_in_ci_or_when_forbidden() {
        let env = Environment::default();
        let terminal = judge(&env, Color::Auto, true);
        assert!(terminal.someone_can_answer(false, &env));
        assert!(!terminal.someone_can_answer(true, &env));
        assert!(!terminal.someone_can_answer(false, &env.clone().with("CI", "true")));
        assert!(!judge(&env, Color::Auto, false).someone_can_answer(false, &env));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn marks_are_ascii_without_a_utf8_locale() {
        let unicode =
            |name: &str, value: &str| judge(&Environment::default().with(name, value), Color::Auto, true).unicode;
        assert!(unicode("LANG", "de_DE.UTF-8") && unicode("LC_ALL", "C.utf8"));
        assert!(!unicode("LANG", "C") && !unicode("TERM", "xterm"));
    }
}
