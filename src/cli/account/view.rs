//! Views of an account and of its test, for people and programs. None has a field for a
//! secret's value.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::accounts::{Account, CallbackUrl};
use crate::checks::{Group, Outcome, Report};
use crate::cli::context::Context;
use crate::cli::envelope::Envelope;
use crate::cli::error::CliError;
use crate::cli::outcome::{self, Line};
use crate::clock::relative;
use crate::operations::accounts::token_life;
use crate::operations::status::Known;
use crate::secrets::{SecretKind, SecretRef};
use crate::text::{Calls, harmless};
use crate::ui::style::{self, paint, wrap};
use crate::ui::terminal::Screen;

/// An account as JSON, without unknown fields.
pub fn account_json(account: &Account, tenant: &str) -> Value {
    let secret = |(kind, source): (&SecretKind, &SecretRef)| json!({"kind": kind, "source": source});
    let mut view = json!({
        "id": account.id,
        "handle": account.handle,
        "name": account.name,
        "tenant": tenant,
        "type": account.channel,
        "page_username": account.page_username,
        "page_id": account.page_id,
        "page_name": account.page_name,
        "app_id": account.app_id,
        "callback_url": account.callback_url,
        "graph": account.graph,
        "secrets": account.secrets.iter().map(secret).collect::<Vec<_>>(),
        "created_at": account.created_at,
        "updated_at": account.updated_at,
    });
    if let Some(fields) = view.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    view
}

/// Prints an account as JSON, with the test that came with it.
pub fn print_json(ctx: &Context, account: &Account, report: Option<&Report>) -> Result<(), CliError> {
    let account = account_json(account, ctx.settings()?.tenant.value.as_str());
    ctx.output.json(&match report {
        Some(report) => json!({"schema_version": 1, "account": account, "checks": lines(report, &ctx.output.calls())}),
        None => json!({"schema_version": 1, "account": account}),
    });
    Ok(())
}

#[derive(Serialize)]
pub struct ResultView<'a> {
    account: &'a str,
    /// Absent for an account that was not saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    handle: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    outcome: Outcome,
    /// What the token is: `page-of-long-user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_life: Option<String>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    checks: Vec<Line<'a>>,
}

impl<'a> ResultView<'a> {
    /// `account` was saved in `tenant`.
    pub fn new(account: &'a Account, tenant: &'a str, report: &'a Report, calls: &Calls) -> Self {
        let handle = Some(account.handle.as_str());
        Self { handle, tenant: Some(tenant), ..Self::unsaved(account.name.as_str(), report, calls) }
    }

    pub fn unsaved(account: &'a str, report: &'a Report, calls: &Calls) -> Self {
        Self {
            account,
            handle: None,
            tenant: None,
            outcome: report.outcome(),
            token_life: report.token_life.map(|life| life.to_string()),
            expires_at: report.expires_at(),
            checks: lines(report, calls),
        }
    }
}

/// The findings, in contract order.
pub fn lines<'a>(report: &'a Report, calls: &Calls) -> Vec<Line<'a>> {
    report.findings.iter().map(|finding| Line::of_finding(finding, calls)).collect()
}

/// Prints a saved account as JSON and returns true; for a person prints only its test, and
/// the caller adds the last line.
pub fn print_saved(ctx: &Context, account: &Account, report: Option<&Report>) -> Result<bool, CliError> {
    if ctx.output.json {
        return print_json(ctx, account, report).map(|()| true);
    }
    if let Some(report) = report {
        let text = report_text(ctx, account.name.as_str(), report, ctx.output.terminal.out());
        ctx.output.result(&format!("{text}\n"));
    }
    Ok(false)
}

/// Prints the report of Test Connection if that is what failed.
pub fn with_report(ctx: &Context, error: CliError) -> CliError {
    if let Some((name, report)) = error.report() {
        if ctx.output.json {
            ctx.output.json(&Envelope("results", [ResultView::unsaved(name, report, &ctx.output.calls())]));
        } else {
            ctx.output.result(&report_text(ctx, name, report, ctx.output.terminal.out()));
        }
    }
    error
}

/// An account for a person, one field a line.
/// `known`: what its last test kept.
pub fn account_text(known: &Known, now: Timestamp, screen: Screen) -> String {
    let Known { account, tenant, .. } = known;
    let when = |at: Timestamp| format!("{} ({})", at.strftime("%Y-%m-%d %H:%M UTC"), relative(now, at));
    let mut rows: Vec<(&str, String)> = vec![
        ("Handle", account.handle.to_string()),
        ("Id", account.id.clone()),
        ("Tenant", tenant.clone()),
        ("Type", account.channel.to_string()),
        ("Page username", format!("@{}", account.page_username)),
        ("Page id", account.page_id.to_string()),
    ];
    let or_not_set = |value: Option<String>| value.unwrap_or_else(|| "not set".into());
    rows.push(("Page name", account.page_name.clone().unwrap_or_else(|| "unknown".into())));
    rows.push(("App id", or_not_set(account.app_id.as_ref().map(ToString::to_string))));
    rows.push(("Callback URL", or_not_set(account.callback_url.as_ref().map(CallbackUrl::shown))));
    rows.push(("Graph", account.graph.to_string()));
    let secrets = account.secrets.iter().map(|(kind, source)| format!("{kind} ({source})"));
    rows.push(("Secrets", secrets.collect::<Vec<_>>().join(", ")));
    if let Some(health) = &known.health {
        let cause = health.cause.as_deref().map(|cause| format!(": {cause}")).unwrap_or_default();
        let changed = if health.changed_at.is_some() { ", and the account was changed since" } else { "" };
        rows.push(("Last test", format!("{}{cause} ({}{changed})", health.outcome, relative(now, health.checked_at))));
    }
    rows.extend(token_text(known, now).map(|token| ("Token", token)));
    rows.push(("Added", when(account.created_at)));
    rows.push(("Changed", when(account.updated_at)));
    let mut lines = vec![paint(style::BOLD, account.name.as_str(), screen.color)];
    for (label, value) in rows {
        lines.push(format!("  {label:<15}{}", wrap(&harmless(&value), screen.width, 17)));
    }
    lines.join("\n")
}

/// What the last test found the token to be; `None` where there was none.
fn token_text(known: &Known, now: Timestamp) -> Option<String> {
    let (health, life) = (known.health.as_ref()?, known.token_life()?);
    let words = token_life::in_words(&known.account, life, health.expires_at, now);
    Some(words)
}

/// A report for a person: each problem with mark, word and fix, and how many checks
/// passed; with `-v` all checks.
pub fn report_text(ctx: &Context, account: &str, report: &Report, screen: Screen) -> String {
    let (all_checks, calls) = (ctx.global.verbose > 0, ctx.output.calls());
    let name = paint(style::BOLD, &format!("{account}:"), screen.color);
    let counted = counted(report);
    let is_shown = |line: &Line<'_>| all_checks || line.outcome > Outcome::Pass;
    let shown = outcome::once(report.findings.iter().map(|finding| Line::of_finding(finding, &calls)).filter(is_shown));
    let mut lines = vec![format!("{name} {}", outcome::marked(report.outcome(), screen))];
    if shown.is_empty() {
        return wrap(&format!("{}  {counted}", lines.remove(0)), screen.width, 2);
    }
    let wide = shown.iter().map(|line| line.id.len()).max().unwrap_or_default();
    for group in [Group::Credentials, Group::Delivery, Group::Messages] {
        let group = group.to_string();
        let mut of_group = shown.iter().filter(|line| line.group.as_deref() == Some(&group)).peekable();
        if of_group.peek().is_some() {
            lines.push(format!("  {group}"));
        }
        of_group.for_each(|line| lines.extend(outcome::lines(line, wide, screen)));
    }
    if !all_checks {
        lines.push(format!("  {counted}"));
    }
    lines.join("\n")
}

/// `12 checks passed, 3 skipped (-v shows them)`.
fn counted(report: &Report) -> String {
    let count = |wanted: Outcome| report.findings.iter().filter(|finding| finding.outcome == wanted).count();
    let (passed, skipped) = (count(Outcome::Pass), count(Outcome::Skip));
    let plural = if passed == 1 { "" } else { "s" };
    let skipped = if skipped == 0 { String::new() } else { format!(", {skipped} skipped") };
    format!("{passed} check{plural} passed{skipped} (-v shows them)")
}
