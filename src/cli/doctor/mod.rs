//! `msgrctl doctor`: checks this machine and this configuration.

use clap::{Args, ValueEnum};

use super::context::Context;
use super::envelope::Envelope;
use super::error::CliError;
use super::format::{Format, FormatArg, Report, Suite};
use super::outcome::{self, Line};
use crate::checks::Outcome;
use crate::checks::causes::FILE_DAMAGED;
use crate::checks::ids;
use crate::env::platform;
use crate::operations::Found;
use crate::operations::doctor::{accounts, files, left_behind, network, state, store};
use crate::secrets::{StoreError, redact, vault_policy};

/// Check this machine and this configuration
///
/// Writes, reads and removes a test secret; checks files and their modes, the clock,
/// proxies, TLS, Graph and its version; and finds, in every tenant, missing secrets and
/// secrets whose account is gone. The output holds no secret and no name of a person or
/// Page, so it can go into a public issue; it does name tenants and accounts with problems.
///
/// Exit code 7 when something needs attention.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl doctor\n  msgrctl doctor --print-policy vault\n  msgrctl doctor --print-policy postgres > grants.sql\n  msgrctl doctor --json | jq '.checks[] | select(.outcome != \"pass\")'"
)]
pub struct DoctorArgs {
    #[command(flatten)]
    pub(super) format: FormatArg,
    /// Print the least rights that a store or a shared state needs, and check nothing
    #[arg(long, value_name = "OF")]
    print_policy: Option<PolicyOf>,
}

/// What has rights to give.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum PolicyOf {
    /// A policy (HCL) for Vault or OpenBao, for the mount and path in the settings
    Vault,
    /// A policy (JSON) of AWS for a shared state in S3, for the bucket in the settings
    S3,
    /// Statements (SQL) for a shared state in PostgreSQL, for the schema in the settings
    Postgres,
}

pub fn run(args: &DoctorArgs, ctx: &Context) -> Result<u8, CliError> {
    if let Some(of) = args.print_policy {
        return print_policy(of, ctx);
    }
    let mut found =
        vec![Found::pass(ids::MSGRCTL_VERSION, format!("msgrctl {}, {}", env!("CARGO_PKG_VERSION"), platform()))];
    match ctx.settings() {
        Ok(_) => {
            found.extend(state::look(ctx)?);
            found.extend(files::look(ctx)?);
            // That the tenants cannot be read was reported above.
            if let Ok(tenants) = ctx.tenants() {
                found.extend(store::look(ctx, &tenants)?);
                found.extend(accounts::look(ctx, &tenants)?);
                found.extend(left_behind::look(ctx, &tenants));
            }
            found.extend(network::look(ctx)?);
        }
        Err(error) => found.push(Found::of_error(ids::CONFIG_FILE, error, &FILE_DAMAGED)),
    }
    for found in &mut found {
        found.summary = redact(&found.summary);
        found.hint = found.hint.as_deref().map(redact);
    }
    if let Some(home) = ctx.env.home().filter(|home| home.len() > 1) {
        // A public issue need not show the user's directory.
        for found in &mut found {
            found.summary = found.summary.replace(home, "~");
        }
    }
    let worst = found.iter().map(|found| found.outcome).fold(Outcome::Pass, Ord::max);
    let calls = ctx.output.calls();
    let checks: Vec<Line<'_>> = found.iter().map(|found| Line::of_found(found, &calls)).collect();
    match args.format.chosen(ctx) {
        Format::Json => ctx.output.json(&Envelope("checks", checks)),
        Format::Text => {
            let wide = checks.iter().map(|line| line.id.len()).max().unwrap_or_default();
            let lines = checks.iter().flat_map(|line| outcome::lines(line, wide, ctx.output.terminal.out()));
            lines.for_each(|line| ctx.output.result(&line));
            let bad = checks.iter().filter(|line| line.outcome > Outcome::Pass).count();
            let verdict = if bad == 0 { "nothing needs attention".to_owned() } else { format!("{bad} need attention") };
            ctx.output.result(&format!("\n{} checks: {verdict}", checks.len()));
        }
        format => {
            let mut document = Report::new(ctx, format);
            let (name, outcome) = ("this machine", worst);
            document.suite(&Suite { name, tenant: None, outcome, lines: &checks, sample: None });
            if let Some(code) = document.end(&format!("{} checks, worst: {worst}", checks.len())) {
                return Ok(code);
            }
        }
    }
    Ok(if worst >= Outcome::Warn { 7 } else { 0 })
}

fn print_policy(of: PolicyOf, ctx: &Context) -> Result<u8, CliError> {
    let policy = match of {
        PolicyOf::Vault => {
            let (mount, path) = ctx.settings()?.vault.place().map_err(StoreError::Vault)?;
            vault_policy(&mount, &path)
        }
        PolicyOf::S3 => ctx.s3_policy()?,
        PolicyOf::Postgres => ctx.postgres_policy()?,
    };
    if ctx.output.json {
        ctx.output.json(&Envelope("policy", policy));
    } else {
        ctx.output.result(policy.trim_end());
    }
    Ok(0)
}
