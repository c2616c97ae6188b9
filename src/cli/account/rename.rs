//! `msgrctl account rename`: another name, the same account.

use clap::Args;

use super::{save, view};
use crate::accounts::{Account, Handle, Name};
use crate::cli::context::{Context, key};
use crate::cli::error::CliError;
use crate::ui::interrupt;

/// Give an account another name
///
/// Its id stays, and its handle too unless --handle gives it another, so that
/// scripts go on working.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl account rename acme-support \"Acme Customer Care\"\n  msgrctl account rename acme-support \"Acme Customer Care\" --handle acme-care"
)]
pub struct RenameArgs {
    /// The account's present name, handle or id
    #[arg(value_name = "NAME")]
    account: String,
    /// The new name
    #[arg(value_name = "NEW_NAME")]
    new_name: String,
    /// A new handle too
    #[arg(long, value_name = "HANDLE")]
    handle: Option<String>,
}

pub fn run(args: &RenameArgs, ctx: &Context) -> Result<u8, CliError> {
    let new_name: Name = args.new_name.parse().map_err(CliError::from)?;
    let handle: Option<Handle> = args.handle.as_deref().map(str::parse).transpose().map_err(CliError::from)?;
    let accounts = ctx.accounts()?;
    let account = accounts.find(&args.account)?;
    let mut new = account.clone();
    new.handle = handle.clone().unwrap_or(new.handle);
    if new_name == account.name && new.handle == account.handle {
        ctx.output.notice("nothing to change");
        return finish(ctx, &account);
    }
    save::check_variables(ctx, &new, Some(&account))?;
    interrupt::install();
    let now = ctx.now();
    let renamed = accounts.update(&account.id, |account| {
        account.name = new_name;
        if let Some(handle) = handle {
            account.handle = handle;
        }
        account.updated_at = now;
    })?;
    if renamed.name != account.name {
        relabel(ctx, &renamed);
    }
    if !ctx.output.json {
        ctx.output.result(&format!("'{}' is now '{}' (handle {})", account.name, renamed.name, renamed.handle));
    }
    finish(ctx, &renamed)
}

/// The label in the keyring follows the name. It is for people; where it cannot
/// be changed the old one does no harm.
fn relabel(ctx: &Context, account: &Account) {
    for (kind, source) in &account.secrets {
        let Some(store) = source.store() else { continue };
        if let Err(error) = ctx.store(store).relabel(&key(account, *kind)) {
            ctx.output.warning(&format!("the {source} store still shows the old name: {error}"));
            return;
        }
    }
}

fn finish(ctx: &Context, account: &Account) -> Result<u8, CliError> {
    view::print_saved(ctx, account, None)?;
    Ok(0)
}
