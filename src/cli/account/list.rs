//! `msgrctl account list`: the accounts of the tenant. Reads no secret.

use clap::Args;

use super::view::account_json;
use crate::accounts::Account;
use crate::cli::context::Context;
use crate::cli::envelope::Envelope;
use crate::cli::error::CliError;
use crate::cli::pick::TenantsArg;
use crate::cli::tables::show;
use crate::ui::table::table;

/// List the accounts of the tenant
///
/// Reads no secret; uses neither the keyring nor the network.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl account list\n  msgrctl account list --json | jq -r '.accounts[].handle'")]
pub struct ListArgs {
    #[command(flatten)]
    tenants: TenantsArg,
}

pub fn run(args: &ListArgs, ctx: &Context) -> Result<u8, CliError> {
    let mut accounts: Vec<(String, Account)> = Vec::new();
    let skipped = args.tenants.each(ctx, |ctx| {
        let tenant = ctx.settings()?.tenant.value.to_string();
        accounts.extend(ctx.accounts()?.load()?.into_iter().map(|account| (tenant.clone(), account)));
        Ok(())
    })?;
    if ctx.output.json {
        let accounts: Vec<_> = accounts.iter().map(|(tenant, account)| account_json(account, tenant)).collect();
        ctx.output.json(&Envelope("accounts", accounts));
        return TenantsArg::skipped(&skipped).map(|()| 0);
    }
    if accounts.is_empty() {
        let tenant = &ctx.settings()?.tenant.value;
        ctx.output.notice(&format!("no accounts in tenant {tenant} yet; to add one: msgrctl account add"));
        return Ok(0);
    }
    let before: &[&str] = if args.tenants.all_tenants { &["TENANT"] } else { &[] };
    let headings = [before, &["NAME", "HANDLE", "PAGE", "PAGE ID", "GRAPH", "SECRETS"]].concat();
    let of_tenant = |tenant: &String| args.tenants.all_tenants.then(|| tenant.clone());
    let rows = accounts.iter().map(|(tenant, account)| of_tenant(tenant).into_iter().chain(row(account)).collect());
    let laid = table(&headings, rows.collect(), ctx.output.terminal.out());
    show(ctx, &laid, "msgrctl account show NAME has them");
    TenantsArg::skipped(&skipped).map(|()| 0)
}

fn row(account: &Account) -> Vec<String> {
    let mut stores: Vec<String> = account.secrets.values().map(ToString::to_string).collect();
    stores.sort();
    stores.dedup();
    vec![
        account.name.to_string(),
        account.handle.to_string(),
        format!("@{}", account.page_username),
        account.page_id.to_string(),
        account.graph.to_string(),
        stores.join(", "),
    ]
}
