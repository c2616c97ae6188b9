//! Runs a script: each line as soon as it can be done, and what it waits for.

use std::time::{Duration, Instant};

use crate::cli::error::CliError;
use crate::cli::webhook::console::Console;
use crate::operations::listen::script::{Line, Typed as Command};

/// The default of `within`.
const WITHIN: Duration = Duration::from_secs(30);

pub struct Script {
    lines: std::vec::IntoIter<(usize, Line)>,
    waiting: Option<(usize, Line, Instant)>,
    within: Duration,
}

pub enum Step {
    /// Waits for an event, at most this long.
    Waits(Duration),
    /// The script is done.
    Ended(Result<(), CliError>),
}

impl Script {
    pub fn new(lines: Vec<(usize, Line)>) -> Self {
        Self { lines: lines.into_iter(), waiting: None, within: WITHIN }
    }

    /// Does every line that can be done now.
    pub async fn go_on(&mut self, console: &mut Console<'_>) -> Step {
        loop {
            if let Some(error) = console.refused() {
                return Step::Ended(Err(error.context("the script ends here, since a message was not sent")));
            }
            let (number, line, until) = match self.waiting.take() {
                Some(waiting) => waiting,
                None => match self.lines.next() {
                    Some((number, line)) => (number, line, Instant::now() + self.within),
                    None => return Step::Ended(Ok(())),
                },
            };
            let failed = |why: String| Step::Ended(Err(CliError::check(format!("line {number} of the script: {why}"))));
            match &line {
                Line::Within(time) => self.within = *time,
                Line::Wait(time) => console.pass(*time).await,
                Line::Typed(Command::Quit) => return Step::Ended(Ok(())),
                Line::Typed(typed) => {
                    if let Err(why) = console.act(typed).await {
                        return failed(why);
                    }
                }
                Line::Expect(expected) => {
                    if !console.has_happened(expected) {
                        let left = until.saturating_duration_since(Instant::now());
                        if left.is_zero() {
                            return failed(format!("'{expected}' did not come within {:?}", self.within));
                        }
                        self.waiting = Some((number, line, until));
                        return Step::Waits(left);
                    }
                }
            }
        }
    }
}
