//! `msgrctl account test`: Test Connection.

use clap::Args;
use futures_util::stream::{self, StreamExt as _};

use super::connection::{self, WARN_DAYS};
use super::view::{ResultsEnvelope, report_text};
use crate::accounts::Account;
use crate::checks::{self, Outcome, Report, Subject};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::{AccountsArg, Chosen};
use crate::dashboard;
use crate::secrets::SecretKind;
use crate::ui::interrupt;
use crate::ui::progress::Progress;

/// Test Connection: ask Graph whether an account works
///
/// Shows what is right and wrong with the credentials and with the delivery of
/// messages, each with its cause and what to do. With app id and app secret the
/// token itself is inspected too: its app, permissions and end.
///
/// Exit codes: 0 all passed (warnings allowed), 7 a check failed, 5 nothing failed
/// but Graph could not be reached, 6 the secret store did not answer.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl account test acme-support\n  msgrctl account test --all --json\n  msgrctl account test --all --strict --quiet || echo \"look at the accounts\""
)]
pub struct TestArgs {
    #[command(flatten)]
    accounts: AccountsArg,
    /// Let warnings fail too (exit 7)
    #[arg(long)]
    strict: bool,
    /// Warn of a token that ends within so many days
    #[arg(long, value_name = "DAYS", default_value_t = WARN_DAYS)]
    warn_days: u32,
}

/// How many accounts are tested at the same time.
const AT_ONCE: usize = 8;

/// An account, and what is asked about it, or what is known without asking.
struct Job {
    account: Account,
    ask: Result<Subject, Report>,
}

pub fn run(args: &TestArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    let Chosen { accounts, left_out } = args.accounts.choose(ctx)?;
    let several = accounts.len() > 1;
    let what = match accounts.as_slice() {
        [] => {
            ctx.output.notice("no accounts to test");
            return finish(args, ctx, &[], 0);
        }
        [one] => format!("testing '{}' with Graph …", one.name),
        many => format!("testing {} accounts with Graph …", many.len()),
    };
    // Stores may have to ask for a passphrase: not under a line that moves.
    let (jobs, failures) = prepare(args, ctx, accounts)?;
    let progress = Progress::start(&ctx.output, &what);
    let client = ctx.graph()?;
    let prober = ctx.prober()?;
    let mut results: Vec<(Account, Report)> = Vec::new();
    Context::wait(async {
        let reports = jobs.into_iter().map(|job| {
            let (client, prober) = (&client, &prober);
            async move {
                let report = match job.ask {
                    Ok(subject) => checks::run(client, prober, &subject).await,
                    Err(known) => known,
                };
                (job.account, report)
            }
        });
        let mut reports = stream::iter(reports).buffered(AT_ONCE);
        while let Some((account, report)) = reports.next().await {
            progress.suspend(|| {
                if !ctx.output.json {
                    let gap = if results.is_empty() { "" } else { "\n" };
                    ctx.output.result(&format!(
                        "{gap}{}",
                        report_text(account.name.as_str(), &report, ctx.output.terminal.out())
                    ));
                    ctx.output.flush();
                }
            });
            results.push((account, report));
            if several {
                progress.now(&format!("{what} {}", results.len()));
            }
        }
    })?;
    drop(progress);
    finish(args, ctx, &results, failures + left_out)
}

/// Reads the secrets. An account whose store does not answer is reported and
/// left out; when it is the only one, that is the error.
fn prepare(args: &TestArgs, ctx: &Context, accounts: Vec<Account>) -> Result<(Vec<Job>, usize), CliError> {
    let settings = ctx.chat_settings()?.load()?;
    let mut jobs = Vec::new();
    let mut failed = Vec::new();
    for account in accounts {
        let ask = match connection::stored(ctx, &account) {
            Ok(Some(credentials)) => {
                Ok(connection::subject(&account, settings.clone(), credentials, args.warn_days, true))
            }
            Ok(None) => Err(without_token(&account)),
            Err(error) => {
                failed.push((account, error));
                continue;
            }
        };
        jobs.push(Job { account, ask });
    }
    if jobs.is_empty()
        && let Some((account, error)) = failed.first()
    {
        let kind = SecretKind::PageAccessToken;
        return Err(CliError::from(error.clone()).context(format!("cannot read the {kind} of '{}'", account.name)));
    }
    for (account, error) in &failed {
        ctx.output.warning(&format!("'{}' was not tested: {error}", account.name));
    }
    Ok((jobs, failed.len()))
}

fn without_token(account: &Account) -> Report {
    let place = connection::place(account, SecretKind::PageAccessToken);
    let next = connection::saved_commands(account).replace_token;
    Report::of_missing_token(place, format!("take a Page access token from {}; then: {next}", dashboard::TOKENS))
}

fn finish(args: &TestArgs, ctx: &Context, results: &[(Account, Report)], failures: usize) -> Result<u8, CliError> {
    if ctx.output.json {
        ctx.output.json(&ResultsEnvelope::new(results.iter().map(|(account, report)| (account.name.as_str(), report))));
    } else if results.len() > 1 {
        let count = |outcome| results.iter().filter(|(_, report)| report.outcome() == outcome).count();
        let counts = [Outcome::Pass, Outcome::Warn, Outcome::Fail, Outcome::Unreachable]
            .map(|outcome| (count(outcome), outcome))
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, outcome)| format!("{count} {outcome}"));
        ctx.output.result(&format!("\n{} accounts: {}", results.len(), counts.collect::<Vec<_>>().join(", ")));
    }
    if failures > 0 {
        let plural = if failures == 1 { " was" } else { "s were" };
        return Err(CliError::partial(format!("{failures} account{plural} not tested, for the reasons above")));
    }
    let worst = results.iter().map(|(_, report)| report.outcome()).fold(Outcome::Pass, Ord::max);
    Ok(match worst {
        Outcome::Fail => 7,
        Outcome::Unreachable => 5,
        Outcome::Warn if args.strict => 7,
        _ => 0,
    })
}
