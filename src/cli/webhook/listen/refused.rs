//! Shows what the listener refuses, at a pace that no flood can raise.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::webhook::screen::Screen;
use crate::webhook::{Refusal, Refusals};

/// Refusals of one kind are shown at most so often: any stranger can cause them.
const SHOW_AGAIN: Duration = Duration::from_secs(1);

/// What was refused, and what of it was shown.
pub struct Refused<'a> {
    ctx: &'a Context,
    screen: &'a Screen<'a>,
    refusals: Arc<Refusals>,
    shown: BTreeMap<Refusal, (u64, Instant)>,
}

impl<'a> Refused<'a> {
    /// Nothing was shown yet.
    pub fn new(ctx: &'a Context, screen: &'a Screen<'a>, refusals: Arc<Refusals>) -> Self {
        Self { ctx, screen, refusals, shown: BTreeMap::new() }
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.refusals.counts().values().sum()
    }

    /// The same by reason.
    pub fn reasons(&self) -> String {
        let counts = self.refusals.counts();
        let reasons: Vec<String> = counts.iter().map(|(refusal, count)| format!("{refusal}: {count}")).collect();
        reasons.join("; ")
    }

    /// Shows them as they come; never ready.
    pub async fn show(&mut self) {
        loop {
            self.refusals.more().await;
            self.show_new();
        }
    }

    fn show_new(&mut self) {
        // A reader who is behind has enough to catch up on.
        let is_behind = self.ctx.output.is_behind();
        for (refusal, count) in self.refusals.counts() {
            let shown = self.shown.get(&refusal);
            let is_old = shown.is_some_and(|(before, at)| *before == count || at.elapsed() < SHOW_AGAIN);
            if is_old || is_behind && refusal != Refusal::NotWritten {
                continue;
            }
            self.shown.insert(refusal, (count, Instant::now()));
            let times = if count == 1 { String::new() } else { format!(" ({count} so far)") };
            if refusal == Refusal::NotWritten {
                // Where standard output is what is stuck it shows no line either.
                let why = if is_behind { ": standard output is not being read" } else { "" };
                self.ctx.output.warning(&format!("{refusal}{times}{why}"));
                continue;
            }
            let line = format!("refused: {refusal}{times}");
            let details = json!({"why": refusal.to_string(), "count": count});
            self.screen.note("refused", None, &line, details);
        }
    }
}
