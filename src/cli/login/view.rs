//! What became of the Pages of a login, for people and programs.

use serde::Serialize;
use serde_json::json;

use crate::checks::Outcome;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::operations::login::connect::{ConnectOutcome, ConnectResult};
use crate::text::count;
use crate::ui::style::{self, paint, wrap};

#[derive(Serialize)]
struct View<'a> {
    page_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_name: Option<&'a str>,
    /// Its handle.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    /// `added`, `renewed` or `failed`.
    outcome: &'static str,
    /// What Test Connection found.
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl<'a> View<'a> {
    fn of(ctx: &Context, one: &'a ConnectResult) -> Self {
        let (outcome, test) = match &one.outcome {
            ConnectOutcome::Added(test) => ("added", *test),
            ConnectOutcome::Renewed(test) => ("renewed", *test),
            ConnectOutcome::Failed(_) => ("failed", None),
        };
        let mut view = Self {
            page_id: &one.page_id,
            page_name: one.page_name.as_deref(),
            account: one.account.as_ref().map(|account| account.handle.as_str()),
            outcome,
            test,
            cause: None,
            summary: None,
            hint: None,
        };
        if let ConnectOutcome::Failed(error) = &one.outcome {
            // What the test found says more than that it failed.
            let worst = error.report().and_then(|(_, report)| report.worst_of_credentials());
            view.cause = error.why();
            view.summary = Some(worst.map_or_else(|| error.message().to_owned(), |finding| finding.summary.clone()));
            let hint = worst.and_then(|finding| finding.hint.as_deref()).or(error.first_hint());
            view.hint = hint.map(|hint| ctx.output.calls().complete(hint).into_owned());
        }
        view
    }
}

/// Prints the results; returns the exit code, or the error of what failed.
pub fn print(ctx: &Context, ended: Vec<ConnectResult>, lacking: &[String], lost: &[String]) -> Result<u8, CliError> {
    let views: Vec<View<'_>> = ended.iter().map(|one| View::of(ctx, one)).collect();
    if ctx.output.json {
        ctx.output.json(&json!({"schema_version": 1, "results": views, "lacking_permissions": lacking, "lost": lost}));
    } else {
        views.iter().zip(&ended).for_each(|(view, one)| line(ctx, view, one));
    }
    drop(views);
    let all = ended.len();
    let mut failed: Vec<CliError> = ended
        .into_iter()
        .filter_map(|one| match one.outcome {
            ConnectOutcome::Failed(error) => Some(error),
            ConnectOutcome::Added(_) | ConnectOutcome::Renewed(_) => None,
        })
        .collect();
    match failed.len() {
        0 => Ok(0),
        1 if all == 1 => Err(failed.remove(0)),
        some if some < all => Err(CliError::partial(format!(
            "{} of {} Pages could not be connected, for the reasons above",
            count(some),
            count(all)
        ))),
        _ => Err(failed.remove(0).saying("no Page could be connected, for the reasons above")),
    }
}

fn line(ctx: &Context, view: &View<'_>, one: &ConnectResult) {
    let screen = ctx.output.terminal.out();
    let unnamed = format!("page {}", view.page_id);
    let name = view.page_name.unwrap_or(&unnamed);
    let handle = view.account.unwrap_or_default();
    let warned = match view.test {
        Some(outcome) if outcome > Outcome::Pass => {
            format!("; not everything passed: msgrctl account test {handle}")
        }
        _ => String::new(),
    };
    let (good, text) = match &one.outcome {
        ConnectOutcome::Added(_) => (true, format!("{name}: added as '{handle}'{warned}")),
        ConnectOutcome::Renewed(_) => (true, format!("{name}: '{handle}' has a new token{warned}")),
        ConnectOutcome::Failed(_) => {
            let kept = if handle.is_empty() {
                String::new()
            } else {
                format!(
                    "; '{handle}' has its old token, which this login may have ended: msgrctl account test {handle}"
                )
            };
            (false, format!("{name}: {}{kept}", view.summary.as_deref().unwrap_or_default()))
        }
    };
    let mark = match (good, screen.unicode) {
        (true, true) => paint(style::GOOD, "✓", screen.color),
        (true, false) => paint(style::GOOD, "+", screen.color),
        (false, true) => paint(style::ERROR, "✗", screen.color),
        (false, false) => paint(style::ERROR, "x", screen.color),
    };
    ctx.output.result(&format!("{mark} {}", wrap(&text, screen.width, 2)));
    if let Some(hint) = &view.hint {
        ctx.output.result(&format!("  {}", wrap(&format!("fix: {hint}"), screen.width, 2)));
    }
    if matches!(one.outcome, ConnectOutcome::Added(_)) {
        ctx.output.notice(&format!("next: msgrctl account handover {handle}"));
    }
}
