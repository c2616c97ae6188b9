//! `msgrctl tenant remove`: removes a tenant and its files here.

use clap::Args;

use super::NamedTenant;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::operations::tenants::remove;

/// Remove a tenant
///
/// Refuses a tenant with accounts, unless --with-accounts is given; then it also removes
/// them and their secrets. Asks first; without a terminal it needs --yes. Nothing changes at
/// Meta or in the contact centre.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl tenant remove acme --with-accounts --yes")]
pub struct RemoveArgs {
    #[command(flatten)]
    tenant: NamedTenant,
    /// Remove its accounts and their secrets too
    #[arg(long)]
    with_accounts: bool,
}

pub fn run(args: &RemoveArgs, ctx: &Context) -> Result<u8, CliError> {
    let prepared = remove::prepare(ctx, args.tenant.find(ctx)?, args.with_accounts)?;
    let (name, accounts) = (&prepared.name, &prepared.accounts);
    if let Some(first) = accounts.first() {
        ctx.output.warning(&format!(
            "nothing changes at Meta: subscribed Pages keep sending their customers' messages to their apps; to stop that before you remove the accounts, for each: msgrctl webhook unsubscribe {} --tenant {name}",
            first.handle
        ));
    }
    let what =
        if accounts.is_empty() { String::new() } else { format!(" with its {} and their secrets", prepared.count()) };
    let command = format!("msgrctl tenant remove {name}{}", if args.with_accounts { " --with-accounts" } else { "" });
    ctx.confirm(&format!("Remove the tenant '{name}'{what}?"), &command)?;
    if let Some(directory) = remove::carry_out(&prepared, &format!("{command} --yes"))? {
        ctx.output.warning(&format!(
            "{} stays because it has other files; check them and remove it by hand",
            directory.display()
        ));
    }
    if ctx.output.json {
        ctx.output.json(&serde_json::json!({"schema_version": 1, "removed": name.as_str()}));
    } else {
        ctx.output.result(&format!("removed the tenant '{name}'{what}"));
    }
    if prepared.is_worked_in {
        ctx.output.notice("commands work in the tenant 'default' again");
    } else if ctx.settings()?.tenant.value == *name {
        ctx.output.notice(&format!("{} still names it", ctx.settings()?.tenant.origin));
    }
    Ok(0)
}
