//! `msgrctl tenant remove`: a tenant, and what is kept of it here.

use clap::Args;

use super::{NamedTenant, r#use};
use crate::accounts::Account;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::files;
use crate::operations::Origin;
use crate::operations::accounts::remove;
use crate::operations::groups;
use crate::secrets::StoreName;
use crate::ui::interrupt::{self, Hold};

/// Remove a tenant
///
/// Refuses while it has accounts, unless --with-accounts is given; then their secrets
/// are removed too. Asks first; without a terminal it needs --yes. Nothing changes at
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

/// Removes the accounts, until one stays: then its tenant stays too. Says what became of
/// the others.
fn remove_accounts(ctx: &Context, accounts: &[Account]) -> Result<(), CliError> {
    let mut removed = 0;
    let so_far =
        |removed: usize| format!("{removed} of {} accounts were removed, and the tenant stays", accounts.len());
    for group in groups(accounts) {
        let group: Vec<&Account> = group.iter().collect();
        let results = match remove::group(ctx, &group, false, false) {
            Ok(results) => results,
            Err(error) => return Err(error.note(so_far(removed))),
        };
        let mut failed = Vec::new();
        for (account, result) in group.iter().zip(results) {
            match result {
                Ok(_) => removed += 1,
                Err(error) => failed.push((account, error)),
            }
        }
        let mut failed = failed.into_iter();
        if let Some((_, first)) = failed.next() {
            for (account, error) in failed {
                ctx.output.warning(&format!("'{}': {}", account.name, error.message()));
            }
            return Err(first.note(so_far(removed)));
        }
        if removed < accounts.len() && Hold::is_asked() {
            return Err(CliError::interrupted().note(format!("{}; run it again to go on", so_far(removed))));
        }
    }
    Ok(())
}

pub fn run(args: &RemoveArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    let name = args.tenant.find(ctx)?;
    let accounts = ctx.accounts_of(name.as_str())?.load()?;
    let count = if accounts.len() == 1 { "1 account".to_owned() } else { format!("{} accounts", accounts.len()) };
    if !accounts.is_empty() && !args.with_accounts {
        return Err(CliError::failed(format!("the tenant '{name}' has {count}; nothing was changed"))
            .hint("to remove them and their secrets too: --with-accounts"));
    }
    if let Some(first) = accounts.first() {
        ctx.output.warning(&format!(
            "nothing changes at Meta: Pages that are subscribed go on sending their customers' messages to their apps; to end that before the accounts are removed, for each: msgrctl webhook unsubscribe {} --tenant {name}",
            first.handle
        ));
    }
    let what = if accounts.is_empty() { String::new() } else { format!(" with its {count} and their secrets") };
    let command = format!("msgrctl tenant remove {name}{}", if args.with_accounts { " --with-accounts" } else { "" });
    ctx.confirm(&format!("Remove the tenant '{name}'{what}?"), &command)?;
    let here = &ctx.settings()?.tenant;
    let worked_in = here.value == name && matches!(here.origin, Origin::File(..));
    // Its stores are its own.
    let inside = ctx.in_tenant(name.as_str());
    // Passphrases are asked for now, while Ctrl-C still ends everything.
    accounts.iter().try_for_each(|account| remove::probe(&inside, account, false))?;
    let file = inside.stores().file();
    let opens = file.exists()? && inside.store(StoreName::File).probe().is_ok();
    let directory = ctx.settings()?.paths.tenant_dir(name.as_str());
    {
        let change = inside.hold_tenant()?.and_configuration()?;
        let _hold = Hold::begin();
        let ids = |accounts: &[Account]| accounts.iter().map(|account| account.id.clone()).collect::<Vec<_>>();
        if ids(&inside.accounts()?.load()?) != ids(&accounts) {
            return Err(CliError::failed(format!(
                "another command has added or removed accounts of '{name}' meanwhile; nothing was changed"
            ))
            .hint("msgrctl tenant list shows how many there are; then try again"));
        }
        let remove = || {
            remove_accounts(&inside, &accounts)?;
            if opens && let Err(error) = file.remove_empty() {
                ctx.output.warning(&error.to_string());
            }
            let paths = &inside.settings()?.paths;
            let tenant = name.as_str();
            for path in [paths.tenant_file(tenant), paths.chat_settings_file(tenant), paths.accounts_file(tenant)] {
                files::remove(&path)?;
            }
            if worked_in {
                r#use::write(&paths.config_file(), None)?;
            }
            Ok::<_, CliError>(())
        };
        if let Err(error) = remove() {
            let error = change.stopped(error, &format!("{command} --yes"));
            // Written down before an interrupt may end everything.
            drop(change);
            return Err(error);
        }
        // The lock files go with the directory; one with anything else in it stays.
        files::remove_empty_dir(&directory);
        // Written down before an interrupt may end everything.
        drop(change);
    }
    if directory.exists() {
        ctx.output.warning(&format!(
            "there is something else in {}, so it stays: look at it, and remove it by hand",
            directory.display()
        ));
    }
    if ctx.output.json {
        ctx.output.json(&serde_json::json!({"schema_version": 1, "removed": name.as_str()}));
    } else {
        ctx.output.result(&format!("removed the tenant '{name}'{what}"));
    }
    if worked_in {
        ctx.output.notice("commands work in the tenant 'default' again");
    } else if ctx.settings()?.tenant.value == name {
        ctx.output.notice(&format!("{} still names it", ctx.settings()?.tenant.origin));
    }
    Ok(0)
}
