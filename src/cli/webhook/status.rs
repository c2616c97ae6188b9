//! `msgrctl webhook status`: would Meta send an event, and where to.

use crate::address::to_paste;
use clap::Args;

use super::levels::{self, APP, AccountResult, Found, PAGE, Seen, Target};
use crate::accounts::Account;
use crate::checks::{Judged, Outcome, judge_app, judge_page};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::{AccountsArg, Chosen};
use crate::dashboard;
use crate::operations::accounts::commands;
use crate::provision::subscription::{AppLevel, PageLevel};
use crate::ui::interrupt;
use crate::ui::progress::Progress;

/// Show whether Meta sends events, and where to, on both levels
///
/// An event is sent where the app's webhook and the Page's subscription both have
/// its field. The app's own level can only be seen with the app id and the app
/// secret; without them the Page's level is shown alone. Reads only.
///
/// Exit codes: 0 what could be seen is as it should be, 7 messages do not arrive at the
/// callback URL, or not in full, 5 Graph could not be reached.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl webhook status acme-support\n  msgrctl webhook status --all --json")]
pub struct StatusArgs {
    #[command(flatten)]
    accounts: AccountsArg,
}

pub fn run(args: &StatusArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    let Chosen { accounts, left_out } = args.accounts.choose(ctx)?;
    if accounts.is_empty() {
        ctx.output.notice("no accounts to ask about");
        levels::show(ctx, &[]);
        return Ok(0);
    }
    let (targets, failed) = read_all(ctx, accounts)?;
    let client = ctx.graph()?;
    let asked: Vec<&Target> = targets.iter().collect();
    let seen = {
        let _progress = Progress::start(&ctx.output, "asking Graph about webhooks …");
        Context::wait(levels::observe(&client, &asked))?
    };
    let results: Vec<AccountResult> = targets
        .iter()
        .zip(&seen)
        .map(|(target, seen)| AccountResult {
            name: target.account.name.to_string(),
            changed: false,
            found: vec![of_app(target, seen), of_page(target, seen)],
        })
        .collect();
    levels::show(ctx, &results);
    let left = failed + left_out;
    if left > 0 {
        return Err(CliError::partial(format!(
            "{left} of the accounts could not be asked about, for the reasons above"
        )));
    }
    Ok(match results.iter().map(AccountResult::outcome).fold(Outcome::Pass, Ord::max) {
        Outcome::Fail | Outcome::Warn => 7,
        Outcome::Unreachable => 5,
        Outcome::Pass | Outcome::Skip => 0,
    })
}

/// The targets whose secrets could be read, and how many could not; when it is the
/// only one, that is the error.
pub fn read_all(ctx: &Context, accounts: Vec<Account>) -> Result<(Vec<Target>, usize), CliError> {
    let alone = accounts.len() == 1;
    let mut targets = Vec::new();
    let mut failed = 0;
    for account in accounts {
        let name = account.name.clone();
        match Target::of(ctx, account) {
            Ok(target) => targets.push(target),
            Err(error) if alone || error.is_interrupt() => return Err(error),
            Err(error) => {
                ctx.output.warning(&format!("'{name}' was left out: {}", error.message()));
                failed += 1;
            }
        }
    }
    Ok((targets, failed))
}

fn again(target: &Target) -> String {
    format!("msgrctl webhook subscribe {}", target.account.handle)
}

fn of_app(target: &Target, seen: &Seen) -> Found {
    let account = &target.account;
    let level = match &seen.app {
        None => {
            let add_app = commands::saved(account).add_app;
            let hint = format!("look there yourself: {}; then: {add_app}", dashboard::WEBHOOKS);
            return Found::new(APP, Outcome::Skip, "not seen: it needs the app id and the app secret", Some(hint));
        }
        Some(Err(error)) => {
            return Found::failed(APP, error, target, &format!("msgrctl webhook status {}", account.handle));
        }
        Some(Ok(level)) => level,
    };
    let present = match level {
        AppLevel::Absent => None,
        AppLevel::Present(present) => Some(present),
    };
    let callback = target.callback_url();
    let Judged { outcome, cause, summary } = judge_app(callback.as_deref(), present);
    let edit = |url: &str| format!("msgrctl account edit {} --callback-url {url}", account.handle);
    let hint = match (outcome, &callback, present.and_then(|present| present.callback_url.as_deref())) {
        (Outcome::Pass, None, Some(to)) => {
            Some(format!("the account has no callback URL to compare it with; then: {}", edit(&to_paste(to))))
        }
        (Outcome::Pass, ..) => None,
        (_, None, _) => Some(format!("name the callback URL; then: {}", edit("URL"))),
        (_, Some(_), _) => Some(format!(
            "an app has one callback URL for all of its Pages: have this one set; then: {}",
            again(target)
        )),
    };
    Found { cause: cause.map(|cause| cause.id), ..Found::new(APP, outcome, summary, hint) }
}

fn of_page(target: &Target, seen: &Seen) -> Found {
    match &seen.page {
        Err(error) => Found::failed(PAGE, error, target, &format!("msgrctl webhook status {}", target.account.handle)),
        Ok(PageLevel::OfAnotherApp(id)) => Found::of_another_app(&target.account, id),
        Ok(level) => {
            let fields = match level {
                PageLevel::Fields(fields) => Some(fields.as_slice()),
                _ => None,
            };
            let Judged { outcome, cause, summary } = judge_page(fields);
            let hint = (outcome > Outcome::Pass).then(|| format!("have it subscribed; then: {}", again(target)));
            Found { cause: cause.map(|cause| cause.id), ..Found::new(PAGE, outcome, summary, hint) }
        }
    }
}
