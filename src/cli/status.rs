//! `msgrctl status`: what is known of every account. Reads no secret.

use clap::Args;
use clap_complete::ArgValueCompleter;
use jiff::Timestamp;
use serde::Serialize;

use super::candidates;
use super::context::Context;
use super::envelope::Envelope;
use super::error::CliError;
use super::outcome::mark;
use super::pick::TenantsArg;
use super::tables::show;
use crate::clock::relative;
use crate::operations::status::{Known, Standing, counts, known, next};
use crate::ui::table::table;
use crate::ui::terminal::Screen;

/// Show what the last test of each account found
///
/// Shows what 'account test', 'account add' and 'account edit' kept, the worst first: the
/// outcome, its cause and since when, when the account was tested, when its token ends and
/// what it comes from, and whether messages arrive ('-': not known). What the webhook commands see later is added;
/// what was changed after its test is marked, until it is tested again.
/// Asks neither Meta nor the keyring, and ends with exit code 0 whatever it shows.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl status\n  msgrctl status acme-support\n  msgrctl status --all-tenants\n  msgrctl status --json | jq -r '.accounts[] | select(.outcome == \"fail\").account'"
)]
pub struct StatusArgs {
    /// Names, handles or ids of accounts [default: all]
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(candidates::accounts), conflicts_with = "all_tenants")]
    accounts: Vec<String>,
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
    /// What the token is: `page-of-long-user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_life: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<&'a str>,
    /// When something was changed since that the result rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_at: Option<Timestamp>,
    /// Since when it changes too often for 'watch' to tell each change.
    #[serde(skip_serializing_if = "Option::is_none")]
    unstable_since: Option<Timestamp>,
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
            token_life: health.and_then(|health| health.token_life.as_deref()),
            webhook: health.map(|health| health.webhook.as_str()),
            changed_at: health.and_then(|health| health.changed_at),
            unstable_since: known.unstable_since,
        }
    }
}

pub fn run(args: &StatusArgs, ctx: &Context) -> Result<u8, CliError> {
    let mut accounts = Vec::new();
    // Whatever it shows, it ends with 0: what was skipped is warned of.
    let _skipped = args.tenants.each(ctx, |tenant| {
        accounts.extend(known(tenant, &args.accounts)?);
        Ok(())
    })?;
    if ctx.output.json {
        ctx.output.json(&Envelope("accounts", accounts.iter().map(AccountView::from).collect::<Vec<_>>()));
        return Ok(0);
    }
    if accounts.is_empty() {
        ctx.output.notice(&none_here(ctx, args.tenants.all_tenants)?);
        return Ok(0);
    }
    // What needs attention stands where the eye begins.
    accounts.sort_by_key(|known| std::cmp::Reverse(known.standing()));
    let several = accounts.iter().any(|known| known.tenant != accounts[0].tenant);
    let screen = ctx.output.terminal.out();
    let now = ctx.now();
    let rows = accounts.iter().map(|known| row(known, several, now, screen)).collect();
    let before: &[&str] = if several { &["TENANT"] } else { &[] };
    let headings = [before, &["ACCOUNT", "OUTCOME", "CAUSE", "SINCE", "WEBHOOK", "TESTED", "TOKEN ENDS"]].concat();
    show(ctx, &table(&headings, rows, screen), "--json has them");
    ctx.output.result(&format!("\n{}", counts(&accounts)));
    next(ctx, &accounts)?.iter().for_each(|line| ctx.output.notice(line));
    Ok(0)
}

/// What to say where there are no accounts: another tenant may have some.
fn none_here(ctx: &Context, all_tenants: bool) -> Result<String, CliError> {
    let tenant = ctx.settings()?.tenant.value.as_str();
    let mut others = if all_tenants { Vec::new() } else { ctx.tenant_names()? };
    others.retain(|other| other != tenant);
    let others = if others.is_empty() { "" } else { "; in every tenant: msgrctl status --all-tenants" };
    Ok(format!("no accounts in tenant '{tenant}' yet; to add one: msgrctl account add{others}"))
}

/// `in 59 days (system user, 60 days)`.
fn token(known: &Known, end: Option<String>) -> String {
    match (end, known.token_life()) {
        (Some(end), Some(life)) => format!("{end} ({})", life.short()),
        (None, Some(life)) => format!("no end ({})", life.short()),
        (end, None) => end.unwrap_or_default(),
    }
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
    let changed = known.standing() == Standing::Changed;
    // What was found before a change is not how it is.
    let was = if changed { "was " } else { "" };
    let sign = if changed { "-" } else { mark(outcome, screen.unicode) };
    row.extend([
        format!("{sign} {was}{outcome}"),
        known.causes(),
        relative(now, health.since),
        if health.webhook == "skip" { "-".into() } else { format!("{was}{}", health.webhook) },
        if changed { format!("{tested}, changed since") } else { tested },
        token(known, health.expires_at.map(|at| relative(now, at))),
    ]);
    row
}
