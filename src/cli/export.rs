//! `msgrctl export`: writes the accounts as a manifest.

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::candidates;
use super::context::Context;
use super::error::CliError;
use super::pick::AccountsArg;
use crate::provision::manifest::{self, Exported};

/// Write the accounts and Chat Settings of the tenant as a file for plan and apply
///
/// YAML on standard output, JSON with --json. It contains where each secret is, never the
/// secret; comments say what to fill in on another machine. A plan of it finds nothing to
/// change. Webhook fields are stored only at Meta: add those that apply should manage.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl export > accounts.yaml
  msgrctl export acme-support
  msgrctl export --json > accounts.json")]
pub(super) struct ExportArgs {
    /// Names, handles or ids of accounts [default: all of the tenant]
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(candidates::accounts))]
    accounts: Vec<String>,
}

pub(super) fn run(args: &ExportArgs, ctx: &Context) -> Result<u8, CliError> {
    let tenant = &ctx.settings()?.tenant.value;
    super::tenant::check_known(ctx, tenant.as_str())?;
    let all = args.accounts.is_empty();
    let chosen = AccountsArg { accounts: args.accounts.clone(), all }.choose(ctx)?;
    let settings = ctx.chat_settings()?.load()?;
    let exported = Exported { tenant: Some(tenant), chat_settings: &settings, accounts: &chosen.accounts };
    if ctx.output.json {
        ctx.output.json(&manifest::json(&exported));
    } else {
        ctx.output.exact(manifest::write(&exported).as_bytes());
    }
    Ok(0)
}
