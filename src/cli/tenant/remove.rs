//! `msgrctl tenant remove`: a tenant, and what is kept of it here.

use clap::Args;

use super::TenantArg;
use crate::cli::account::remove::remove_account;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::files;
use crate::ui::interrupt;

/// Remove a tenant
///
/// Refuses while it has accounts, unless --with-accounts is given; then their secrets
/// are removed too. Asks first; without a terminal it needs --yes. Nothing changes at
/// Meta or in the contact centre.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl tenant remove acme --with-accounts --yes")]
pub struct RemoveArgs {
    #[command(flatten)]
    tenant: TenantArg,
    /// Remove its accounts and their secrets too
    #[arg(long)]
    with_accounts: bool,
}

pub fn run(args: &RemoveArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    if args.tenant.name.is_none() {
        return Err(CliError::usage("missing: TENANT, the tenant to remove").hint("msgrctl tenant list shows all"));
    }
    let name = args.tenant.pick(ctx)?;
    let accounts = ctx.accounts_of(name.as_str())?.load()?;
    let count = if accounts.len() == 1 { "1 account".to_owned() } else { format!("{} accounts", accounts.len()) };
    if !accounts.is_empty() && !args.with_accounts {
        return Err(CliError::failed(format!("the tenant '{name}' has {count}; nothing was changed"))
            .hint("to remove them and their secrets too: --with-accounts"));
    }
    let what = if accounts.is_empty() { String::new() } else { format!(" with its {count} and their secrets") };
    ctx.confirm(
        &format!("Remove the tenant '{name}'{what}?"),
        &format!("msgrctl tenant remove {name}{}", if args.with_accounts { " --with-accounts" } else { "" }),
    )?;
    // Its stores are its own.
    let inside = ctx.in_tenant(name.as_str());
    for account in &accounts {
        remove_account(&inside, account, false)?;
    }
    {
        let _change = inside.hold_tenant()?;
        let paths = &inside.settings()?.paths;
        inside.stores().file().remove_empty()?;
        for path in [
            paths.tenant_file(name.as_str()),
            paths.chat_settings_file(name.as_str()),
            paths.accounts_file(name.as_str()),
        ] {
            files::remove(&path)?;
        }
    }
    // The lock files go with the directory; one with anything else in it stays.
    files::remove_empty_dir(&ctx.settings()?.paths.tenant_dir(name.as_str()));
    ctx.output.result(&format!("removed the tenant '{name}'{what}"));
    if ctx.settings()?.tenant.value == name {
        ctx.output.notice(&format!(
            "{} still names it; to work in another: msgrctl tenant use TENANT",
            ctx.settings()?.tenant.origin
        ));
    }
    Ok(0)
}
