//! What became of accounts' webhooks, as JSON and as a list.

use serde::Serialize;

use crate::checks::ids::PAGE_SUBSCRIPTION;
use crate::cli::context::Context;
use crate::cli::error::GraphView;
use crate::cli::outcome::{self, Line};
use crate::operations::webhooks::{AccountResult, Found};
use crate::ui::style::{self, paint};
use crate::ui::terminal::Screen;

#[derive(Serialize)]
struct Envelope<'a> {
    schema_version: u8,
    results: Vec<ResultView<'a>>,
}

#[derive(Serialize)]
struct ResultView<'a> {
    account: &'a str,
    outcome: String,
    changed: bool,
    levels: Vec<LevelView<'a>>,
}

#[derive(Serialize)]
struct LevelView<'a> {
    id: &'static str,
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    summary: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    graph: Option<GraphView>,
    /// The callback's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<&'a str>,
}

impl<'a> LevelView<'a> {
    fn new(found: &'a Found) -> Self {
        Self {
            id: found.id,
            outcome: found.outcome.to_string(),
            cause: found.cause,
            summary: &found.summary,
            hint: found.hint.as_deref(),
            graph: found.graph.as_ref().map(GraphView::from),
            says: found.receiver_says.as_deref(),
        }
    }
}

/// Shows results, as JSON or as a list.
pub fn show(ctx: &Context, results: &[AccountResult]) {
    if ctx.output.json {
        let results = results.iter().map(|result| ResultView {
            account: &result.name,
            outcome: result.outcome().to_string(),
            changed: result.changed,
            levels: result.found.iter().map(LevelView::new).collect(),
        });
        ctx.output.json(&Envelope { schema_version: 1, results: results.collect() });
        return;
    }
    let texts: Vec<String> = results.iter().map(|result| text(result, ctx.output.terminal.out())).collect();
    ctx.output.result(&texts.join("\n\n"));
}

fn text(result: &AccountResult, screen: Screen) -> String {
    let name = paint(style::BOLD, &format!("{}:", result.name), screen.color);
    let mut lines = vec![format!("{name} {}", outcome::marked(result.outcome(), screen))];
    for found in &result.found {
        let line = Line {
            id: found.id,
            outcome: found.outcome,
            summary: &found.summary,
            hint: found.hint.as_deref(),
            graph: found.graph.as_ref(),
            receiver_says: found.receiver_says.as_deref(),
        };
        lines.extend(outcome::lines(&line, PAGE_SUBSCRIPTION.len(), screen));
    }
    lines.join("\n")
}
