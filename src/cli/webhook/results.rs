//! What became of accounts' webhooks, as JSON and as a list.

use serde::Serialize;

use crate::checks::Outcome;
use crate::checks::ids::PAGE_SUBSCRIPTION;
use crate::cli::context::Context;
use crate::cli::envelope::Envelope;
use crate::cli::outcome::{self, Line};
use crate::operations::webhooks::AccountResult;
use crate::ui::style::{self, paint};
use crate::ui::terminal::Screen;

#[derive(Serialize)]
struct ResultView<'a> {
    account: &'a str,
    outcome: Outcome,
    changed: bool,
    levels: Vec<Line<'a>>,
}

/// Shows results, as JSON or as a list.
pub fn show(ctx: &Context, results: &[AccountResult]) {
    if ctx.output.json {
        let results = results.iter().map(|result| ResultView {
            account: &result.name,
            outcome: result.outcome(),
            changed: result.changed,
            levels: result.found.iter().map(Line::from).collect(),
        });
        ctx.output.json(&Envelope("results", results.collect::<Vec<_>>()));
        return;
    }
    let texts: Vec<String> = results.iter().map(|result| text(result, ctx.output.terminal.out())).collect();
    ctx.output.result(&texts.join("\n\n"));
}

fn text(result: &AccountResult, screen: Screen) -> String {
    let name = paint(style::BOLD, &format!("{}:", result.name), screen.color);
    let mut lines = vec![format!("{name} {}", outcome::marked(result.outcome(), screen))];
    for found in &result.found {
        lines.extend(outcome::lines(&found.into(), PAGE_SUBSCRIPTION.len(), screen));
    }
    lines.join("\n")
}
