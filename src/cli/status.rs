//! `msgrctl status`: what is known of every account. Reads no secret.

use std::collections::BTreeMap;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::context::Context;
use super::envelope::Envelope;
use super::error::CliError;
use super::outcome::mark;
use super::pick::TenantsArg;
use super::tables::show;
use crate::checks::Outcome;
use crate::clock::relative;
use crate::operations::health::{Known, known};
use crate::ui::table::table;
use crate::ui::terminal::Screen;

/// Show what the last test of each account found
///
/// Shows what 'account test', 'account add' and 'account edit' kept, the worst first: the
/// outcome, its cause and since when, when the account was tested, when its token ends.
/// Asks neither Meta nor the keyring, and always ends with exit code 0.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl status\n  msgrctl status --all-tenants\n  msgrctl status --json | jq -r '.accounts[] | select(.outcome == \"fail\").account'"
)]
pub struct StatusArgs {
    #[command(flatten)]
    tenants: TenantsArg,
}

/// An account as JSON. Without `outcome` it has not been tested yet.
#[derive(Serialize)]
struct AccountView<'a> {
    account: &'a str,
    name: &'a str,
    tenant: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checked_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<&'a str>,
}

impl<'a> From<&'a Known> for AccountView<'a> {
    fn from(known: &'a Known) -> Self {
        let health = known.health.as_ref();
        Self {
            account: known.account.handle.as_str(),
            name: known.account.name.as_str(),
            tenant: &known.tenant,
            outcome: health.map(|health| health.outcome.as_str()),
            check: health.and_then(|health| health.check.as_deref()),
            cause: health.and_then(|health| health.cause.as_deref()),
            since: health.map(|health| health.since),
            checked_at: health.map(|health| health.checked_at),
            expires_at: health.and_then(|health| health.expires_at),
            webhook: health.map(|health| health.webhook.as_str()),
        }
    }
}

pub fn run(args: &StatusArgs, ctx: &Context) -> Result<u8, CliError> {
    let mut accounts = Vec::new();
    // Whatever it shows, it ends with 0: what was skipped is warned of.
    let _skipped = args.tenants.each(ctx, |tenant| {
        accounts.extend(known(tenant)?);
        Ok(())
    })?;
    if ctx.output.json {
        ctx.output.json(&Envelope("accounts", accounts.iter().map(AccountView::from).collect::<Vec<_>>()));
        return Ok(0);
    }
    if accounts.is_empty() {
        ctx.output.notice("no accounts yet; to add one: msgrctl account add");
        return Ok(0);
    }
    // What needs attention stands where the eye begins; what was never tested comes after it.
    accounts.sort_by_key(|known| {
        std::cmp::Reverse(match known.outcome() {
            Some(outcome) if outcome > Outcome::Pass => (2, outcome),
            None => (1, Outcome::Skip),
            Some(outcome) => (0, outcome),
        })
    });
    let several = accounts.iter().any(|known| known.tenant != accounts[0].tenant);
    let screen = ctx.output.terminal.out();
    let now = ctx.now();
    let rows = accounts.iter().map(|known| row(known, several, now, screen)).collect();
    let before: &[&str] = if several { &["TENANT"] } else { &[] };
    let headings = [before, &["ACCOUNT", "OUTCOME", "CAUSE", "SINCE", "TESTED", "TOKEN ENDS", "WEBHOOK"]].concat();
    show(ctx, &table(&headings, rows, screen), "--json has them");
    ctx.output.result(&format!("\n{}", counts(&accounts)));
    next(ctx, &accounts)?;
    Ok(0)
}

fn row(known: &Known, several: bool, now: Timestamp, screen: Screen) -> Vec<String> {
    let mut row: Vec<String> = several.then(|| known.tenant.clone()).into_iter().collect();
    row.push(known.account.handle.to_string());
    let Some((health, outcome)) = known.health.as_ref().zip(known.outcome()) else {
        row.push("- not tested".into());
        row.extend(std::iter::repeat_n(String::new(), 5));
        return row;
    };
    let tested = relative(now, health.checked_at);
    let changed = known.account.updated_at > health.checked_at;
    row.extend([
        format!("{} {outcome}", mark(outcome, screen.unicode)),
        health.cause.clone().unwrap_or_default(),
        relative(now, health.since),
        if changed { format!("{tested}, changed since") } else { tested },
        health.expires_at.map_or_else(String::new, |at| relative(now, at)),
        health.webhook.clone(),
    ]);
    row
}

/// `3 accounts: 1 fail, 1 not tested, 1 pass`.
fn counts(accounts: &[Known]) -> String {
    let mut counts: BTreeMap<Option<Outcome>, usize> = BTreeMap::new();
    for known in accounts {
        *counts.entry(known.outcome()).or_default() += 1;
    }
    let word = |outcome: Option<Outcome>| outcome.map_or_else(|| "not tested".into(), |outcome| outcome.to_string());
    let parts: Vec<String> =
        counts.iter().rev().map(|(outcome, count)| format!("{count} {}", word(*outcome))).collect();
    let plural = if accounts.len() == 1 { "" } else { "s" };
    format!("{} account{plural}: {}", accounts.len(), parts.join(", "))
}

/// The command that shows what to do about the worst, or tests what was never tested.
fn next(ctx: &Context, accounts: &[Known]) -> Result<(), CliError> {
    const FIRST: usize = 5;
    let worst = &accounts[0];
    let flag = ctx.tenant_flag(&worst.tenant)?;
    let like = |known: &&Known| known.tenant == worst.tenant && known.outcome() == worst.outcome();
    let handles: Vec<&str> =
        accounts.iter().filter(like).take(FIRST).map(|known| known.account.handle.as_str()).collect();
    let command = format!("msgrctl account test {}{flag}", handles.join(" "));
    match worst.outcome() {
        None => ctx.output.notice(&format!("to test: {command}")),
        Some(outcome) if outcome > Outcome::Pass => {
            ctx.output.notice(&format!("to see what is wrong and the fix: {command}"));
        }
        Some(_) => {}
    }
    Ok(())
}
