//! What became of accounts' webhooks, as JSON and as a list.

use serde_json::json;

use crate::checks::ids::PAGE_SUBSCRIPTION;
use crate::cli::context::Context;
use crate::cli::envelope::Envelope;
use crate::cli::outcome::{self, Line};
use crate::operations::webhooks::AccountResult;
use crate::ui::style::{self, paint};
use crate::ui::terminal::Screen;

/// Shows results, as JSON or as a list.
pub fn show(ctx: &Context, results: &[AccountResult]) {
    if ctx.output.json {
        let view = |result: &AccountResult| {
            let levels: Vec<Line<'_>> = result.found.iter().map(Line::from).collect();
            let outcome = result.outcome().to_string();
            json!({"account": result.name, "outcome": outcome, "changed": result.changed, "levels": levels})
        };
        ctx.output.json(&Envelope("results", results.iter().map(view).collect::<Vec<_>>()));
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
