//! `msgrctl account test`: Test Connection.

use std::collections::BTreeMap;

use clap::Args;

use super::view::{ResultView, lines, report_text};
use crate::accounts::Account;
use crate::checks::{Outcome, Report, ids};
use crate::cli::browser::open_at_meta;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::format::{self, Format, FormatArg, Suite, nagios};
use crate::cli::outcome::Line;
use crate::cli::pick::{AccountsArg, Chosen, TenantsArg};
use crate::operations::Progress;
use crate::operations::accounts::at_meta::PageAtMeta;
use crate::operations::accounts::bulk;
use crate::operations::accounts::test::WARN_DAYS;
use crate::operations::accounts::token_life;
use crate::operations::watch::metrics::Sample;
use crate::secrets::{SecretKind, StoreError};
use crate::text::count;
use crate::ui::output::{JsonList, Output};
use crate::ui::style::wrap;

/// Test Connection: ask Graph whether an account works
///
/// Shows the problems with credentials and message delivery, each with its cause and fix,
/// and counts the checks that passed; -v lists them all. With app id and app secret it also
/// inspects the token: its app, permissions and expiry; -v says what it is, what ends it and
/// how it is renewed. The result is kept for
/// 'msgrctl status'.
///
/// Exit codes: 0 all passed (warnings allowed), 7 a check failed, 5 nothing failed
/// but Graph could not be reached, 6 the secret store did not answer.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl account test acme-support\n  msgrctl account test --all --json\n  msgrctl account test --all-tenants --format junit > report.xml\n  msgrctl account test acme-support --open\n  msgrctl account test --all --strict --quiet || echo \"look at the accounts\""
)]
pub struct TestArgs {
    #[command(flatten)]
    accounts: AccountsArg,
    #[command(flatten)]
    tenants: TenantsArg,
    /// Fail on warnings too (exit 7)
    #[arg(long)]
    strict: bool,
    /// Warn of a token that expires within this many days
    #[arg(long, value_name = "DAYS", default_value_t = WARN_DAYS)]
    warn_days: u32,
    /// Open the page at Meta where the worst problem is fixed; without a browser its address
    /// is printed
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    pub format: FormatArg,
}

pub fn run(args: &TestArgs, ctx: &Context) -> Result<u8, CliError> {
    if args.tenants.all_tenants && !args.accounts.accounts.is_empty() {
        return Err(CliError::usage("--all-tenants and NAME cannot be used together")
            .hint("to test every account: msgrctl account test --all-tenants"));
    }
    let mut told = TestRun::new(ctx, args);
    let mut left_out = 0;
    let skipped = args.tenants.each(ctx, |ctx| {
        let chosen = if args.tenants.all_tenants { Chosen::all(ctx)? } else { args.accounts.choose(ctx)? };
        left_out += chosen.left_out;
        test(args, ctx, chosen, &mut told)
    })?;
    let page = told.page.take();
    let code = told.finish(args, left_out, &skipped)?;
    TenantsArg::skipped(&skipped)?;
    match page {
        _ if !args.open => {}
        Some((_, page)) => open_at_meta(ctx, &page, args.format.chosen(ctx) != Format::Text),
        None => ctx.output.notice("no fix names a page at Meta"),
    }
    Ok(code)
}

fn test(
    args: &TestArgs,
    ctx: &Context,
    Chosen { accounts, .. }: Chosen,
    told: &mut TestRun<'_>,
) -> Result<(), CliError> {
    if accounts.is_empty() {
        return Ok(());
    }
    // Passphrase prompts come before the progress line starts.
    ctx.ask_stores(&accounts, []);
    ctx.read_ahead(&accounts);
    let several = accounts.len() > 1;
    let tenant = ctx.settings()?.tenant.value.to_string();
    let what = match accounts.as_slice() {
        [one] => format!("testing '{}' with Graph …", one.name),
        many => format!("testing {} accounts with Graph …", count(many.len())),
    };
    let progress = ctx.reporter.waiting(&what);
    bulk::test_all(ctx, accounts, args.warn_days, |account, report| {
        told.next(&tenant, account, report, &*progress);
        if several {
            progress.now(&format!("{what} {}", count(told.tested())));
        }
    })?;
    Ok(())
}

/// What was printed so far; keeps only how each account ended.
struct TestRun<'a> {
    ctx: &'a Context,
    output: &'a Output,
    format: Format,
    document: format::Report<'a>,
    all_tenants: bool,
    list: Option<JsonList<'a>>,
    /// The first page with the worst outcome so far.
    page: Option<(Outcome, PageAtMeta)>,
    counts: BTreeMap<Outcome, usize>,
    failed: Vec<(Account, StoreError)>,
}

impl<'a> TestRun<'a> {
    fn new(ctx: &'a Context, args: &TestArgs) -> Self {
        let format = args.format.chosen(ctx);
        Self {
            ctx,
            output: &ctx.output,
            format,
            document: format::Report::new(ctx, format),
            all_tenants: args.tenants.all_tenants,
            list: None,
            page: None,
            counts: BTreeMap::new(),
            failed: Vec::new(),
        }
    }

    fn tested(&self) -> usize {
        self.counts.values().sum()
    }

    fn next(&mut self, tenant: &str, account: Account, report: Result<Report, StoreError>, progress: &dyn Progress) {
        let output = self.output;
        let report = match report {
            Ok(report) => report,
            Err(error) => return self.failed.push((account, error)),
        };
        let gap = if self.tested() == 0 { "" } else { "\n" };
        *self.counts.entry(report.outcome()).or_default() += 1;
        if let Some((outcome, page)) = PageAtMeta::of_fix(&account, &report)
            && self.page.as_ref().is_none_or(|(known, _)| *known < outcome)
        {
            self.page = Some((outcome, page));
        }
        let (name, handle) = (account.name.as_str(), account.handle.as_str());
        match self.format {
            Format::Json => {
                let list = self.list.get_or_insert_with(|| output.json_list("results"));
                list.item(&ResultView::new(&account, tenant, &report, &output.calls()));
            }
            Format::Text => progress.aside(&mut || {
                let of = if self.all_tenants { format!("{tenant}/{name}") } else { name.to_owned() };
                output.result(&format!("{gap}{}", report_text(self.ctx, &of, &report, output.terminal.out())));
                if let Some(life) = report.token_life.filter(|_| self.ctx.global.verbose > 0) {
                    let words = token_life::in_words(&account, life, report.expires_at(), self.ctx.now());
                    let line = wrap(&format!("token: {words}"), output.terminal.out().width, 4);
                    output.result(&format!("  {line}"));
                }
                output.flush();
            }),
            _ => progress.aside(&mut || {
                let sample = Some(Sample::of_report(tenant, &account, &report, self.ctx.clock.now()));
                let tenant = self.all_tenants.then_some(tenant);
                let lines = lines(&report, &output.calls());
                let (name, outcome) = (handle, report.outcome());
                self.document.suite(&Suite { name, tenant, outcome, lines: &lines, sample });
            }),
        }
    }

    /// `3 accounts: 2 pass, 1 fail`.
    fn counted(&self) -> String {
        let counts = [Outcome::Pass, Outcome::Warn, Outcome::Fail, Outcome::Unreachable]
            .into_iter()
            .filter_map(|outcome| Some(format!("{} {outcome}", count(*self.counts.get(&outcome)?))));
        let counts = counts.collect::<Vec<_>>().join(", ");
        match self.tested() {
            0 => "no accounts to test".into(),
            1 => format!("1 account: {counts}"),
            tested => format!("{} accounts: {counts}", count(tested)),
        }
    }

    /// The last lines, and the exit code.
    fn finish(mut self, args: &TestArgs, left_out: usize, skipped: &[(String, CliError)]) -> Result<u8, CliError> {
        let output = self.output;
        let tested = self.tested();
        let is_document = !matches!(self.format, Format::Json | Format::Text);
        let unread = self.failed.first().filter(|_| tested == 0).map(|(account, error)| {
            let kind = SecretKind::PageAccessToken;
            CliError::from(error.clone()).context(format!("cannot read the {kind} of '{}'", account.name))
        });
        if !is_document && let Some(error) = unread {
            return Err(error);
        }
        let counted = self.counted();
        match self.format {
            Format::Json => self.list.take().unwrap_or_else(|| output.json_list("results")).end(),
            Format::Text if tested == 0 => output.notice(&counted),
            Format::Text if tested > 1 => output.result(&format!("\n{counted}")),
            Format::Text => {}
            _ => {
                // Without them the report would look as if all had passed.
                for (account, error) in &self.failed {
                    let why = error.to_string();
                    let lines = [Line::new(ids::TOKEN_VALID, Outcome::Unreachable, &why)];
                    let name = account.handle.as_str();
                    let outcome = Outcome::Unreachable;
                    self.document.suite(&Suite { name, tenant: None, outcome, lines: &lines, sample: None });
                }
                for (tenant, error) in skipped {
                    let lines = [Line::new(ids::ACCOUNTS_FILE, Outcome::Unreachable, error.message())];
                    let (name, tenant, outcome) = ("every account", Some(tenant.as_str()), Outcome::Unreachable);
                    self.document.suite(&Suite { name, tenant, outcome, lines: &lines, sample: None });
                }
                if let Some(code) = self.document.end(&counted) {
                    return Ok(nagios::with_untested(code, left_out));
                }
                if let Some(error) = unread {
                    return Err(error);
                }
            }
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
