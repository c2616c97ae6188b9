//! The result of a run: a line for each account, and the summary.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::operations::Progress;
use crate::operations::apply::{Ended, Outcome, Prepared};
use crate::provision::apps::AppPlan;
use crate::provision::plan::{AccountPlan, Action, Problem};
use crate::secrets::redact;
use crate::ui::style::{self, paint, wrap};

/// How accounts end, in the order of the summary.
const WORDS: [&str; 6] = ["added", "changed", "removed", "unchanged", "failed", "left"];

#[derive(Serialize)]
struct ResultView<'a> {
    account: &'a str,
    handle: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<FailureView>,
}

#[derive(Serialize)]
struct FailureView {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    retryable: bool,
}

fn word(account: &AccountPlan, outcome: &Outcome) -> &'static str {
    match (outcome, account.action) {
        (Outcome::Done, Action::Add) => "added",
        (Outcome::Done, Action::Change) => "changed",
        (Outcome::Done, Action::Remove) => "removed",
        // An account that only carries its app's webhook need not differ itself.
        (Outcome::Done, Action::Nothing) | (Outcome::Unchanged, _) => "unchanged",
        (Outcome::Failed(_), _) => "failed",
        (Outcome::Left, _) => "left",
    }
}

/// Shows a finished account: on a terminal with a progress bar only failures.
pub fn ended(ctx: &Context, account: &AccountPlan, outcome: &Outcome, progress: &dyn Progress) {
    if let Some(line) = line(ctx, account, outcome).filter(|_| !ctx.output.json) {
        progress.aside(&mut || {
            ctx.output.result(&line);
            ctx.output.flush();
        });
    }
}

/// The line of a finished account; `None` if nothing changed. Beside a progress bar only
/// failures.
fn line(ctx: &Context, account: &AccountPlan, outcome: &Outcome) -> Option<String> {
    let screen = ctx.output.terminal.out();
    let word = word(account, outcome);
    // A progress bar moves only on a terminal; a file gets every line.
    let moves = ctx.output.terminal.can_move && ctx.output.terminal.stdout && !ctx.output.quiet;
    match outcome {
        Outcome::Unchanged => None,
        Outcome::Done if moves || account.action == Action::Nothing => None,
        Outcome::Done | Outcome::Left => Some(format!("{word:<8} {} ({})", account.name, account.handle)),
        Outcome::Failed(Problem { summary, hint, .. }) => {
            let mut text = format!(
                "{}   {} ({})\n         {}",
                paint(style::ERROR, word, screen.color),
                account.name,
                account.handle,
                wrap(&redact(summary), screen.width, 9)
            );
            if let Some(hint) = hint {
                let label = paint(style::HINT, "fix:", screen.color);
                text = format!(
                    "{text}\n         {label} {}",
                    wrap(&redact(&ctx.output.calls().complete(hint)), screen.width, 14)
                );
            }
            Some(text)
        }
    }
}

/// The summary, and the exit code; `next` is what to do after failures.
pub fn finish(ctx: &Context, prepared: &Prepared, ended: &Ended, next: &str) -> Result<u8, CliError> {
    let plan = &prepared.plan;
    let outcomes = &ended.outcomes;
    let calls = ctx.output.calls();
    let results = plan.accounts.iter().zip(outcomes.values()).map(|(account, outcome)| {
        let error = match outcome {
            Outcome::Failed(Problem { summary, hint, unreachable }) => Some(FailureView {
                message: redact(summary),
                hint: hint.as_deref().map(|hint| redact(&calls.complete(hint))),
                retryable: *unreachable,
            }),
            _ => None,
        };
        ResultView { account: &account.name, handle: &account.handle, outcome: word(account, outcome), error }
    });
    let results: Vec<ResultView<'_>> = results.collect();
    let counts = WORDS.map(|word| results.iter().filter(|result| result.outcome == word).count());
    let [added, changed, removed, unchanged, failed, left] = counts;
    // The webhook of an app is set if the account that carries it did not fail.
    let app = |app: &AppPlan| match outcomes.get(&app.speaker) {
        Some(Outcome::Done) => "changed",
        Some(Outcome::Failed(_)) => "failed",
        _ => "left",
    };
    if ctx.output.json {
        let apps: Vec<Value> = plan.apps.iter().map(|plan| json!({"id": plan.id, "outcome": app(plan)})).collect();
        let summary: Map<String, Value> = WORDS.into_iter().map(str::to_owned).zip(counts.map(Value::from)).collect();
        ctx.output.json(&json!({
            "schema_version": 1,
            "tenant": ctx.settings()?.tenant.value,
            "summary": summary,
            "chat_settings_changed": ended.settings_changed,
            "apps": apps,
            "results": results,
        }));
    } else if plan.is_empty() && failed == 0 {
        ctx.output.result(&format!("nothing to change: {unchanged} unchanged"));
    } else {
        let mut text = format!("{added} added, {changed} changed, {removed} removed, {unchanged} unchanged");
        for (count, word) in [(failed, "failed"), (left, "not attempted")] {
            if count > 0 {
                text = format!("{text}, {count} {word}");
            }
        }
        let apps: Vec<&str> =
            plan.apps.iter().filter(|plan| app(plan) == "changed").map(|app| app.id.as_str()).collect();
        if !apps.is_empty() {
            text = format!("{text}; webhook changed of app {}", apps.join(", "));
        }
        if ended.settings_changed {
            text = format!("{text}; Chat Settings changed");
        }
        ctx.output.result(&paint(style::BOLD, &text, ctx.output.terminal.out().color));
    }
    if failed + left == 0 {
        return Ok(0);
    }
    let bad = || {
        outcomes.values().filter_map(|outcome| match outcome {
            Outcome::Failed(failure) => Some(failure),
            _ => None,
        })
    };
    let all = failed == plan.accounts.len() && bad().all(|failure| failure.unreachable);
    let message = match (failed, plan.accounts.len()) {
        (1, 1) => "the account failed, for the reason above".to_owned(),
        (failed, all) => format!("{failed} of {all} accounts failed, for the reasons above"),
    };
    let error = if all { CliError::remote(message) } else { CliError::partial(message) };
    Err(error.hint(next))
}
