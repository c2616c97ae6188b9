//! `msgrctl account test`: Test Connection.

use std::collections::BTreeMap;

use clap::Args;

use super::view::{ResultView, report_text};
use crate::accounts::Account;
use crate::checks::{Outcome, Report};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::{AccountsArg, Chosen};
use crate::operations::accounts::bulk;
use crate::operations::accounts::test::WARN_DAYS;
use crate::operations::{Progress, Unseen};
use crate::secrets::{SecretKind, StoreError};
use crate::ui::output::{JsonList, Output};

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

pub fn run(args: &TestArgs, ctx: &Context) -> Result<u8, CliError> {
    let Chosen { accounts, left_out } = args.accounts.choose(ctx)?;
    if accounts.is_empty() {
        ctx.output.notice("no accounts to test");
        return Told::new(ctx, Box::new(Unseen)).finish(args, false, left_out);
    }
    // Stores may have to ask for a passphrase: not under a line that moves.
    ctx.ask_stores(&accounts, []);
    let several = accounts.len() > 1;
    let what = match accounts.as_slice() {
        [one] => format!("testing '{}' with Graph …", one.name),
        many => format!("testing {} accounts with Graph …", many.len()),
    };
    let mut told = Told::new(ctx, ctx.reporter.waiting(&what));
    bulk::test_all(ctx, accounts, args.warn_days, |account, report| {
        told.next(account, report);
        if several {
            told.progress.now(&format!("{what} {}", told.tested()));
        }
    })?;
    told.finish(args, several, left_out)
}

/// What was told so far: an account at a time, and nothing kept of it but how it ended.
struct Told<'a> {
    ctx: &'a Context,
    progress: Box<dyn Progress>,
    list: Option<JsonList<'a>>,
    counts: BTreeMap<Outcome, usize>,
    failed: Vec<(Account, StoreError)>,
}

impl<'a> Told<'a> {
    fn new(ctx: &'a Context, progress: Box<dyn Progress>) -> Self {
        Self { ctx, progress, list: None, counts: BTreeMap::new(), failed: Vec::new() }
    }

    fn tested(&self) -> usize {
        self.counts.values().sum()
    }

    fn next(&mut self, account: Account, report: Result<Report, StoreError>) {
        let output: &'a Output = &self.ctx.output;
        let report = match report {
            Ok(report) => report,
            Err(error) => return self.failed.push((account, error)),
        };
        let gap = if self.tested() == 0 { "" } else { "\n" };
        *self.counts.entry(report.outcome()).or_default() += 1;
        let name = account.name.as_str();
        if output.json {
            self.list.get_or_insert_with(|| output.json_list("results")).item(&ResultView::new(name, &report));
            return;
        }
        self.progress.aside(&mut || {
            output.result(&format!("{gap}{}", report_text(name, &report, output.terminal.out())));
            output.flush();
        });
    }

    /// The last lines, and the exit code.
    fn finish(mut self, args: &TestArgs, several: bool, left_out: usize) -> Result<u8, CliError> {
        let output: &'a Output = &self.ctx.output;
        let tested = self.tested();
        drop(self.progress);
        if let (0, Some((account, error))) = (tested, self.failed.first()) {
            let kind = SecretKind::PageAccessToken;
            return Err(CliError::from(error.clone()).context(format!("cannot read the {kind} of '{}'", account.name)));
        }
        if output.json {
            self.list.take().unwrap_or_else(|| output.json_list("results")).end();
        } else if several {
            let counts = [Outcome::Pass, Outcome::Warn, Outcome::Fail, Outcome::Unreachable]
                .into_iter()
                .filter_map(|outcome| Some(format!("{} {outcome}", self.counts.get(&outcome)?)));
            output.result(&format!("\n{tested} accounts: {}", counts.collect::<Vec<_>>().join(", ")));
        }
        for (account, error) in &self.failed {
            output.warning(&format!("'{}' was not tested: {error}", account.name));
        }
        let failures = self.failed.len() + left_out;
        if failures > 0 {
            let plural = if failures == 1 { " was" } else { "s were" };
            return Err(CliError::partial(format!("{failures} account{plural} not tested, for the reasons above")));
        }
        Ok(match self.counts.keys().max() {
            Some(Outcome::Fail) => 7,
            Some(Outcome::Unreachable) => 5,
            Some(Outcome::Warn) if args.strict => 7,
            _ => 0,
        })
    }
}
