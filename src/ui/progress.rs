//! A line that says what is being waited for.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::output::Output;

/// Shown until it is dropped.
pub struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Says at once what is being done: on a terminal as a line that moves and
    /// goes, elsewhere as a notice.
    pub fn start(output: &Output, text: &str) -> Self {
        output.flush();
        if output.quiet || !output.terminal.can_move {
            output.notice(text);
            return Self { bar: None };
        }
        let bar = ProgressBar::new_spinner().with_message(text.to_owned());
        let ticks: &[&str] = if output.terminal.unicode {
            &["⠋", "⠙", "⠸", "⠴", "⠦", "⠇", " "]
        } else {
            &["|", "/", "-", "\\", " "]
        };
        // The template is a constant that indicatif knows.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style.tick_strings(ticks));
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar: Some(bar) }
    }

    /// Says what is being done now.
    pub fn now(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        }
    }

    /// Prints something without tearing the line that moves.
    pub fn suspend(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
