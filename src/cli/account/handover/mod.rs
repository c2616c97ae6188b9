//! What the operator still has to check, enter or do elsewhere: the contact centre has no API.

mod html;
mod render;
mod sheet;
mod steps;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::accounts::Account;
use crate::checks::Report;
use crate::cli::browser;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;
use crate::env;
use crate::files;
use crate::operations::accounts::test;
use crate::secrets::SecretKind;
use sheet::{Secrets, Sheet};

/// Print what is left to do in the contact centre and at Meta
///
/// Prerequisites, the fields of the contact centre's form in order, callback URL and verify
/// token for the Meta app, and the steps up to the first message, with a tick for each
/// that a test has just proved. Secrets are masked unless --reveal is given. --html
/// writes one page for a browser, with a copy button for each value.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl account handover acme-support\n  msgrctl account handover acme-support --markdown > handover.md\n  msgrctl account handover acme-support --reveal --html handover.html --open"
)]
pub struct HandoverArgs {
    #[command(flatten)]
    account: AccountArg,
    /// Print it as Markdown, for a ticket or a wiki
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Write a page for a browser, with a copy button for each value; only you can read the file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "markdown"])]
    html: Option<PathBuf>,
    /// Open that page in the browser; without --html it goes to a temporary file
    #[arg(long, conflicts_with_all = ["json", "markdown"])]
    open: bool,
    /// Show the token and the verify token; anyone who sees the output sees them
    #[arg(long)]
    reveal: bool,
    /// Do not ask Graph; no step is ticked
    #[arg(long)]
    no_test: bool,
}

pub fn run(args: &HandoverArgs, ctx: &Context) -> Result<u8, CliError> {
    let account = args.account.pick(ctx)?;
    let secrets = secrets(args, ctx, &account)?;
    let is_page = args.html.is_some() || args.open;
    if args.reveal && !is_page {
        ctx.output.warning("the output contains secrets: anyone who sees it can use them");
    }
    let report = if args.no_test { None } else { tested(ctx, &account)? };
    let mut sheet = Sheet::new(&account, &secrets, report.as_ref(), ctx.clock.now());
    let calls = ctx.output.calls();
    let of_steps = sheet.steps.iter_mut().filter_map(|step| step.command.as_mut());
    for text in of_steps.chain(&mut sheet.reveal_with) {
        *text = calls.complete(text).into_owned();
    }
    if is_page {
        return page(args, ctx, &sheet);
    }
    if ctx.output.json {
        ctx.output.json(&sheet);
    } else if args.markdown {
        ctx.output.result(&render::markdown(&sheet));
    } else {
        ctx.output.result(&render::text(&sheet, ctx.output.terminal.out()));
    }
    Ok(0)
}

/// Writes the page, and opens it with `--open`.
fn page(args: &HandoverArgs, ctx: &Context, sheet: &Sheet<'_>) -> Result<u8, CliError> {
    let page = html::html(sheet);
    let path = match &args.html {
        Some(path) => {
            ctx.settings()?.refuse_own("the page", path)?;
            if path.as_os_str() == "-" {
                return Err(CliError::usage("'-' is not a valid file name for the page")
                    .hint("--html FILE, as in --html handover.html; --markdown prints the sheet"));
            }
            files::write_given(path, page.as_bytes())?;
            path.clone()
        }
        None => files::write_temporary("msgrctl-handover-", ".html", page.as_bytes())?,
    };
    if sheet.has_secrets() {
        ctx.output.warning(&format!(
            "{} holds secrets: anyone who has the file can use them; delete it once the values are entered",
            path.display()
        ));
    }
    if args.open {
        browser::open(ctx, &absolute(&path).display().to_string(), false);
    } else {
        ctx.output.notice(&format!("the page is in {}", path.display()));
    }
    Ok(0)
}

/// The browser may run in another directory.
fn absolute(path: &Path) -> PathBuf {
    env::current_directory().map_or_else(|| path.into(), |directory| directory.join(path))
}

/// The two secrets, as they are shown. A store that does not answer leaves them masked;
/// with `--reveal` that is an error.
fn secrets(args: &HandoverArgs, ctx: &Context, account: &Account) -> Result<Secrets, CliError> {
    let shown = |kind: SecretKind| {
        let secret = match ctx.secret(account, kind) {
            Err(error) if !args.reveal => {
                ctx.output.warning(&format!("the {kind} could not be read: {error}"));
                None
            }
            other => other?,
        };
        Ok::<_, CliError>(match secret {
            Some(secret) if args.reveal => Some(secret.expose().to_owned()),
            Some(secret) => Some(secret.masked()),
            None => None,
        })
    };
    Ok(Secrets {
        token: shown(SecretKind::PageAccessToken)?,
        verify_token: shown(SecretKind::VerifyToken)?,
        revealed: args.reveal,
        whole_address: args.reveal || ctx.output.json,
    })
}

/// The result of Test Connection; `None`, with a warning, where it cannot run.
fn tested(ctx: &Context, account: &Account) -> Result<Option<Report>, CliError> {
    match test::account(ctx, account) {
        Ok(report) => Ok(Some(report)),
        Err(error) if error.is_interrupt() => Err(error),
        Err(error) => {
            ctx.output.warning(&format!("not tested, so nothing is ticked: {}", error.message()));
            Ok(None)
        }
    }
}
