//! A progress line.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::interrupt;
use super::output::Output;
use crate::text::one_line;

/// Shown until dropped, unless hidden.
pub struct Progress(ProgressBar);

impl Progress {
    /// Prints at once what is being done: a moving line on a terminal, a notice elsewhere.
    pub fn start(output: &Output, text: &str) -> Self {
        interrupt::install();
        output.flush();
        if output.quiet || !output.terminal.can_animate {
            output.notice(&one_line(text));
            return Self(ProgressBar::hidden());
        }
        let ticks: &[&str] = if output.terminal.unicode {
            &["⠋", "⠙", "⠸", "⠴", "⠦", "⠇", " "]
        } else {
            &["|", "/", "-", "\\", " "]
        };
        let bar = ProgressBar::new_spinner();
        Self::moving(bar, text, "{spinner} {wide_msg}", |style| style.tick_strings(ticks))
    }

    /// A bar for `total` steps, only where it can move; elsewhere the caller prints a line for
    /// each step.
    pub fn bar(output: &Output, text: &str, total: usize) -> Self {
        interrupt::install();
        output.flush();
        if output.quiet || !output.terminal.can_animate {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(u64::try_from(total).unwrap_or(u64::MAX));
        let blocks = if output.terminal.unicode { "█▌ " } else { "=> " };
        Self::moving(bar, text, "{msg} [{bar:30}] {pos} of {len}", |style| style.progress_chars(blocks))
    }

    fn moving(bar: ProgressBar, text: &str, template: &str, of: impl Fn(ProgressStyle) -> ProgressStyle) -> Self {
        let bar = bar.with_message(one_line(text));
        // The template is a valid constant.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(of(style));
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    pub fn step(&self) {
        self.0.inc(1);
    }

    pub fn now(&self, text: &str) {
        self.0.set_message(one_line(text));
    }

    /// Prints without breaking the progress line.
    pub fn suspend(&self, print: impl FnOnce()) {
        self.0.suspend(print);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
