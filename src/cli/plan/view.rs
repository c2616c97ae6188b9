//! How a plan looks: a block for each account, as text and as JSON. It shows where secrets
//! are, never the secrets.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::summary;
use crate::address;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::operations::apply::Prepared;
use crate::provision::apps::AppPlan;
use crate::provision::plan::{AccountPlan, Action, Change, Plan};
use crate::provision::sent::Sent;
use crate::secrets::redact;
use crate::ui::style::{self, paint, wrap};
use crate::ui::terminal::Screen;

/// The longest value shown in full to a person.
const LONG: usize = 100;

/// Where a plan was saved.
#[derive(Serialize)]
pub struct Saved<'a> {
    pub file: &'a Path,
    pub sha256: &'a str,
    pub expires: Timestamp,
}

pub fn show(ctx: &Context, prepared: &Prepared, offline: bool, saved: Option<&Saved<'_>>) -> Result<(), CliError> {
    if !ctx.output.json {
        ctx.output.result(&text(ctx, prepared, offline, ctx.output.terminal.out())?);
        return Ok(());
    }
    let plan = &prepared.plan;
    let mut apps = Vec::new();
    for app in &plan.apps {
        apps.push(json!({"id": app.id, "changes": app.changes, "affects": affected(ctx, plan, app)?}));
    }
    let mut view = json!({
        "schema_version": 1,
        "tenant": ctx.settings()?.tenant.value,
        "new_tenant": prepared.new_tenant,
        "offline": offline,
        "summary": {
            "added": plan.count(Action::Add),
            "changed": plan.count(Action::Change),
            "removed": plan.count(Action::Remove),
            "unchanged": plan.count(Action::Nothing),
            "blocked": plan.blocked(),
        },
        "chat_settings": plan.chat_settings,
        "apps": apps,
        "accounts": plan.accounts,
        "left": plan.left,
    });
    if let Some(saved) = saved {
        view["saved"] = json!(saved);
    }
    ctx.output.json(&view);
    Ok(())
}

/// Adds the global flags to the commands of a plan.
pub fn complete(ctx: &Context, plan: &mut Plan) {
    let calls = ctx.output.calls();
    for account in &mut plan.accounts {
        let hints = account.problems.iter_mut().filter_map(|problem| problem.hint.as_mut());
        for text in hints.chain(&mut account.notes) {
            *text = calls.complete(text).into_owned();
        }
    }
}

/// The accounts of an app whose callback changes that the manifest does not name.
pub fn affected(ctx: &Context, plan: &Plan, app: &AppPlan) -> Result<Vec<String>, CliError> {
    let moves = app.changes.iter().any(|change| change.field == "webhook.callback_url" && change.from.is_some());
    let Some(speaker) = plan.accounts[app.speaker].after.as_ref().filter(|_| moves) else { return Ok(Vec::new()) };
    // Ids stay when names change.
    let of_plan = |plan: &AccountPlan| plan.before.as_ref().or(plan.after.as_ref()).map(|account| account.id.clone());
    let named: HashSet<String> = plan.accounts.iter().filter_map(of_plan).collect();
    crate::operations::webhooks::others_of_app(ctx, speaker, |other| named.contains(&other.id))
}

pub fn text(ctx: &Context, prepared: &Prepared, offline: bool, screen: Screen) -> Result<String, CliError> {
    let plan = &prepared.plan;
    let mut blocks: Vec<String> = Vec::new();
    let tenant = ctx.settings()?.tenant.value.as_str();
    if tenant != "default" {
        let action = if prepared.new_tenant { Action::Add } else { Action::Nothing };
        blocks.push(head(action, &format!("tenant {tenant}"), screen));
    }
    if !plan.chat_settings.is_empty() {
        blocks.push(block(head(Action::Change, "Chat Settings", screen), &plan.chat_settings, screen));
    }
    for app in &plan.apps {
        let mut text = block(head(Action::Change, &format!("app {}", app.id), screen), &app.changes, screen);
        let others = affected(ctx, plan, app)?;
        if !others.is_empty() {
            let others = format!("this also changes its other accounts: {}", others.join(", "));
            text.push_str(&under("!", &others, style::WARNING, screen));
        }
        blocks.push(text);
    }
    blocks.extend(plan.accounts.iter().filter_map(|account| account_text(account, screen)));
    if !plan.left.is_empty() {
        let stay = match plan.left.len() {
            1 => "1 account is not in the file and stays as it is (--prune removes it)".to_owned(),
            several => format!("{several} accounts are not in the file and stay as they are (--prune removes them)"),
        };
        let left = format!("{stay}: {}", few(&plan.left));
        blocks.push(wrap(&left, screen.width, 0));
    }
    let mut last = if plan.is_empty() && plan.blocked() == 0 {
        format!("nothing to change: {} unchanged", plan.count(Action::Nothing))
    } else {
        format!("plan: {}", summary(plan))
    };
    if offline {
        last.push_str("; secrets and Meta were not checked");
    }
    blocks.push(paint(style::BOLD, &wrap(&last, screen.width, 0), screen.color));
    Ok(blocks.join("\n\n"))
}

fn few(names: &[String]) -> String {
    const FEW: usize = 5;
    let shown = names.iter().take(FEW).map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    if names.len() > FEW { format!("{shown} and {} more", names.len() - FEW) } else { shown }
}

fn head(action: Action, what: &str, screen: Screen) -> String {
    let (mark, style) = match action {
        Action::Add => ("+", style::GOOD),
        Action::Change => ("~", style::WARNING),
        Action::Remove => ("-", style::ERROR),
        Action::Nothing => (" ", style::DIM),
    };
    format!("{} {}", paint(style, mark, screen.color), paint(style::BOLD, what, screen.color))
}

/// The block of an account; `None` if nothing changes.
pub fn account_text(account: &AccountPlan, screen: Screen) -> Option<String> {
    let what = format!("{} ({})", account.name, account.handle);
    if !account.problems.is_empty() {
        let mark = paint(style::ERROR, "!", screen.color);
        let place = account.place.as_ref().map(|place| format!(", {place}")).unwrap_or_default();
        let mut text = format!("{mark} {}{place}: cannot be applied", paint(style::BOLD, &what, screen.color));
        for problem in &account.problems {
            text.push_str(&under("", &redact(&problem.summary), style::ERROR, screen));
            if let Some(hint) = &problem.hint {
                text.push_str(&under("fix:", &redact(hint), style::HINT, screen));
            }
        }
        text.push_str(&sends(account, screen));
        return Some(text);
    }
    if account.action == Action::Nothing && account.notes.is_empty() {
        return None;
    }
    let mut text = block(head(account.action, &what, screen), &account.changes, screen);
    for note in &account.notes {
        text.push_str(&under("note:", &redact(note), style::HINT, screen));
    }
    text.push_str(&sends(account, screen));
    Some(text)
}

/// Where each secret is read and who gets it, one line each.
fn sends(account: &AccountPlan, screen: Screen) -> String {
    let line = |sent: &Sent| {
        under("sends:", &format!("{} to {}", redact(&sent.source), sent.to.join(" and ")), style::DIM, screen)
    };
    account.sends.iter().map(line).collect()
}

fn under(label: &str, text: &str, style: anstyle::Style, screen: Screen) -> String {
    if label.is_empty() {
        return format!("\n    {}", wrap(text, screen.width, 4));
    }
    let label_painted = paint(style, label, screen.color);
    format!("\n    {label_painted} {}", wrap(text, screen.width, 5 + label.len()))
}

fn block(head: String, changes: &[Change], screen: Screen) -> String {
    let wide = changes.iter().map(|change| change.field.len()).max().unwrap_or_default();
    let arrow = if screen.unicode { "→" } else { "->" };
    let mut text = head;
    for change in changes {
        let [from, to] = [&change.from, &change.to].map(|value| value.as_deref().map(|value| of_field(change, value)));
        let value = match (from.as_deref(), to.as_deref()) {
            (Some(from), Some(to)) => format!("{} {arrow} {}", cut(from, screen), cut(to, screen)),
            (None, Some(to)) => cut(to, screen),
            (Some(from), None) => format!("{} {arrow} none", cut(from, screen)),
            (None, None) => continue,
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "\n    {:<wide$}  {}", change.field, wrap(&redact(&value), screen.width, wide + 6));
    }
    text
}

/// A value to print: the query of a URL may hold a key.
pub fn of_field<'a>(change: &Change, value: &'a str) -> Cow<'a, str> {
    if change.field.ends_with("callback_url") { address::shown(value).into() } else { value.into() }
}

fn cut(value: &str, screen: Screen) -> String {
    let dots = if screen.unicode { "…" } else { "..." };
    console::truncate_str(value, LONG, dots).into_owned()
}
