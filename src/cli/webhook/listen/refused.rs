//! Prints what the listener refuses, at a pace that a flood cannot raise.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::webhook::screen::Screen;
use crate::webhook::{Refusal, Refusals};

/// The shortest time between refusals of one kind: any stranger can cause them.
const SHOW_AGAIN: Duration = Duration::from_secs(1);

/// The refusals, and which of them were printed.
pub struct Refused<'a> {
    ctx: &'a Context,
    screen: &'a Screen<'a>,
    refusals: Arc<Refusals>,
    shown: BTreeMap<Refusal, (u64, Instant)>,
}

impl<'a> Refused<'a> {
    pub fn new(ctx: &'a Context, screen: &'a Screen<'a>, refusals: Arc<Refusals>) -> Self {
        Self { ctx, screen, refusals, shown: BTreeMap::new() }
    }

    /// The total.
    pub fn count(&self) -> u64 {
        self.refusals.counts().values().sum()
    }

    /// The counts by reason.
    pub fn reasons(&self) -> String {
        let counts = self.refusals.counts();
        let reasons: Vec<String> = counts.iter().map(|(refusal, count)| format!("{refusal}: {count}")).collect();
        reasons.join("; ")
    }

    /// Prints them as they come; never ready.
    pub async fn show(&mut self) {
        loop {
            self.refusals.more().await;
            self.show_new();
        }
    }

    fn show_new(&mut self) {
        // Print nothing to a reader that is behind.
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
                // A blocked standard output blocks the events.
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
