//! Results of accounts' webhooks, as JSON and as a list.

use serde_json::json;

use crate::checks::ids::PAGE_SUBSCRIPTION;
use crate::cli::context::Context;
use crate::cli::envelope::Envelope;
use crate::cli::format::{Format, Report, Suite};
use crate::cli::outcome::{self, Line};
use crate::operations::watch::metrics::Sample;
use crate::operations::webhooks::AccountResult;
use crate::text::{Calls, count};
use crate::ui::style::{self, paint};
use crate::ui::terminal::Screen;

pub fn show(ctx: &Context, results: &[AccountResult]) {
    show_as(ctx, if ctx.output.json { Format::Json } else { Format::Text }, results);
}

/// Shows results in a format; the exit code, where the format has codes of its own.
pub fn show_as(ctx: &Context, format: Format, results: &[AccountResult]) -> Option<u8> {
    let calls = ctx.output.calls();
    match format {
        Format::Json => {
            let view = |result: &AccountResult| {
                let outcome = result.outcome().to_string();
                json!({"account": result.account.name, "outcome": outcome, "changed": result.changed, "levels": lines(result, &calls)})
            };
            ctx.output.json(&Envelope("results", results.iter().map(view).collect::<Vec<_>>()));
        }
        Format::Text => {
            let texts: Vec<String> =
                results.iter().map(|result| text(result, &calls, ctx.output.terminal.out())).collect();
            ctx.output.result(&texts.join("\n\n"));
        }
        _ => {
            // Accounts were read, so the settings were.
            let tenant = ctx.settings().map(|settings| settings.tenant.value.to_string()).unwrap_or_default();
            let mut document = Report::new(ctx, format);
            for result in results {
                let (account, lines) = (&result.account, lines(result, &calls));
                let checks = result.found.iter().map(|found| (found.id, found.outcome));
                let sample = Some(Sample::of_checks(&tenant, account, checks));
                let (name, outcome) = (account.handle.as_str(), result.outcome());
                document.suite(&Suite { name, tenant: None, outcome, lines: &lines, sample });
            }
            return document.end(&format!("{} accounts", count(results.len())));
        }
    }
    None
}

fn lines<'a>(result: &'a AccountResult, calls: &Calls) -> Vec<Line<'a>> {
    result.found.iter().map(|found| Line::of_found(found, calls)).collect()
}

fn text(result: &AccountResult, calls: &Calls, screen: Screen) -> String {
    let name = paint(style::BOLD, &format!("{}:", result.account.name), screen.color);
    let mut lines_of = vec![format!("{name} {}", outcome::marked(result.outcome(), screen))];
    for line in outcome::once(lines(result, calls)) {
        lines_of.extend(outcome::lines(&line, PAGE_SUBSCRIPTION.len(), screen));
    }
    lines_of.join("\n")
}
