//! `msgrctl account renew`: new tokens from kept user tokens.

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::envelope::Envelope;
use crate::cli::error::CliError;
use crate::cli::pick::AccountsArg;
use crate::messages::Timeout;
use crate::operations::accounts::renew::{Outcome, Renewed, Wanted, renew};
use crate::operations::{Kind, Workspace};
use crate::text::{Calls, count};

/// Renew tokens without a person
///
/// Renews the token of an account that keeps the person's or system user's token it came from
/// (--keep-user-token of 'login', 'account add' and 'account edit'): a system user's of 60 days,
/// indefinitely if run in time; a person's while it lasts. Accounts with the same kept token are
/// renewed together. Each new token is checked and tested before it is stored. The old one
/// works on to its own end, so that whatever fails, each account has a token that works.
/// Tokens that do not expire are skipped; what needs a person is named.
///
/// The contact centre keeps the old token until the new one is typed into its form
/// ('account handover'). --revoke-old ends a system user's old token at once, after every
/// account has the new one: it asks first; without a terminal it needs --yes.
///
/// JSON: `results` with `account`, `outcome` (renewed, not-due, unchanged, failed, cannot-renew),
/// `expires_at`, `cause`, `summary`, `hint` and `old_revoked`.
///
/// Exit codes: 0 done, or nothing to do; 9 a part failed; else the code of the failure.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl account renew acme-support\n  msgrctl account renew --all --within 30d\n  msgrctl account renew --all --within 20d --json | jq -r '.results[] | select(.outcome == \"failed\").account'"
)]
pub struct RenewArgs {
    #[command(flatten)]
    accounts: AccountsArg,
    /// Only tokens that end within this time: 20d, 12h (at most 30d)
    #[arg(long, value_name = "TIME")]
    within: Option<Timeout>,
    /// Revoke the old token of a system user once every account has the new one
    #[arg(long)]
    revoke_old: bool,
}

/// What came of an account, as JSON.
#[derive(Serialize)]
struct RenewedView<'a> {
    account: &'a str,
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    summary: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    old_revoked: bool,
}

impl<'a> RenewedView<'a> {
    fn of(renewed: &'a Renewed, calls: &Calls) -> Self {
        let error = renewed.error.as_ref();
        Self {
            account: renewed.account.handle.as_str(),
            outcome: renewed.outcome.to_string(),
            expires_at: renewed.expires_at,
            cause: error.and_then(CliError::why),
            summary: &renewed.summary,
            hint: error.and_then(CliError::first_hint).map(|hint| calls.complete(hint).into_owned()),
            old_revoked: renewed.old_revoked,
        }
    }
}

pub fn run(args: &RenewArgs, ctx: &Context) -> Result<u8, CliError> {
    let chosen = args.accounts.choose(ctx)?;
    let within = args.within.map(|time| SignedDuration::from_secs(i64::try_from(time.seconds()).unwrap_or(i64::MAX)));
    if args.revoke_old && !chosen.accounts.is_empty() {
        ctx.confirm(
            "Revoke the old tokens of system users once they are renewed? The contact centre cannot send with the old ones until the new ones are in its form",
            &command(args),
        )?;
    }
    // Passphrase prompts come before the progress line starts.
    ctx.ask_stores(&chosen.accounts, []);
    ctx.read_ahead(&chosen.accounts);
    let results = {
        let _progress = ctx.reporter.waiting("renewing tokens with Graph …");
        Workspace::wait(renew(ctx, chosen.accounts, Wanted { within, revoke_old: args.revoke_old }))??
    };
    let calls = ctx.output.calls();
    if ctx.output.json {
        let views: Vec<_> = results.iter().map(|renewed| RenewedView::of(renewed, &calls)).collect();
        ctx.output.json(&Envelope("results", views));
    } else {
        show(ctx, &results, &calls);
    }
    end(ctx, &results)
}

fn command(args: &RenewArgs) -> String {
    let names = if args.accounts.all { vec!["--all".to_owned()] } else { args.accounts.accounts.clone() };
    let within = args.within.map(|time| format!(" --within {}s", time.seconds())).unwrap_or_default();
    format!("msgrctl account renew {}{within} --revoke-old", names.join(" "))
}

fn show(ctx: &Context, results: &[Renewed], calls: &Calls) {
    for renewed in results {
        let revoked = if renewed.old_revoked { "; the old one is revoked" } else { "" };
        ctx.output.result(&format!("{}: {}{revoked}", renewed.account.handle, renewed.summary));
        let hints = renewed.error.iter().flat_map(CliError::hints);
        hints.for_each(|hint| ctx.output.result(&format!("  fix: {}", calls.complete(hint))));
    }
    let new: Vec<&str> = results
        .iter()
        .filter(|renewed| renewed.has_new_page_token)
        .map(|renewed| renewed.account.handle.as_str())
        .collect();
    if let [first, ..] = new[..] {
        ctx.output.notice(&format!(
            "the contact centre has the old token of {} until the new one is in its form: msgrctl account handover {first}",
            if new.len() == 1 { format!("'{first}'") } else { format!("{} accounts ({})", count(new.len()), few(&new)) },
        ));
    }
}

fn few(names: &[&str]) -> String {
    const FEW: usize = 5;
    let more = if names.len() > FEW { ", …" } else { "" };
    format!("{}{more}", names.iter().take(FEW).copied().collect::<Vec<_>>().join(", "))
}

/// The exit code: a failure counts whether it can be tried again or needs a person.
fn end(ctx: &Context, results: &[Renewed]) -> Result<u8, CliError> {
    let failed: Vec<&Renewed> = results.iter().filter(|renewed| renewed.error.is_some()).collect();
    let Some(first) = failed.first().and_then(|renewed| renewed.error.as_ref()) else {
        if results.is_empty() {
            ctx.output.notice("there are no accounts to renew");
        }
        return Ok(0);
    };
    if results.iter().any(|renewed| renewed.outcome == Outcome::Renewed || renewed.error.is_none()) {
        let not = results.iter().filter(|renewed| renewed.outcome != Outcome::Renewed && renewed.error.is_some());
        return Err(match not.count() {
            0 => CliError::partial("renewed, but an old token was not revoked, for the reason above"),
            1 => CliError::partial("1 account was not renewed, for the reason above"),
            many => CliError::partial(format!("{} accounts were not renewed, for the reasons above", count(many))),
        });
    }
    let summary = match (failed.len(), results.len()) {
        (1, 1) => format!("'{}' was not renewed", failed[0].account.name),
        (1, _) => "1 account was not renewed, for the reason above".to_owned(),
        (many, _) => format!("{} accounts were not renewed, for the reasons above", count(many)),
    };
    // A store, a network or a check: the code tells which kind it was.
    let kind = if first.kind() == Kind::Left { Kind::Failed } else { first.kind() };
    Err(CliError::of_kind(kind, summary))
}
