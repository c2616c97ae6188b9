//! `msgrctl account rename`: another name, the same account.

use clap::Args;

use super::{fields, view, wizard};
use crate::accounts::{self, Account, Handle, Name};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;
use crate::operations::change;
use crate::operations::key;
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
    #[command(flatten)]
    account: AccountArg,
    /// The new name [on a terminal it is asked for]
    #[arg(value_name = "NEW_NAME")]
    new_name: Option<String>,
    /// A new handle too
    #[arg(long, value_name = "HANDLE")]
    handle: Option<String>,
}

pub fn run(args: &RenameArgs, ctx: &Context) -> Result<u8, CliError> {
    let handle: Option<Handle> = args.handle.as_deref().map(str::parse).transpose().map_err(CliError::from)?;
    let accounts = ctx.accounts()?;
    let account = args.account.pick(ctx)?;
    let new_name: Name = match &args.new_name {
        Some(name) => name.parse().map_err(CliError::from)?,
        None if handle.is_some() => account.name.clone(),
        None => ask_name(ctx, &account)?,
    };
    let mut new = account.clone();
    new.handle = handle.clone().unwrap_or(new.handle);
    if new_name == account.name && new.handle == account.handle {
        ctx.output.notice("nothing to change");
        return finish(ctx, &account);
    }
    let mut others = accounts.load()?;
    others.retain(|other| other.id != account.id);
    new.name = new_name.clone();
    accounts::check_renamed(&others, &account, &new)?;
    change::check_variables(ctx, &new, Some(&account))?;
    interrupt::install();
    let _tenant = ctx.hold_tenant()?;
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

fn ask_name(ctx: &Context, account: &Account) -> Result<Name, CliError> {
    if !ctx.someone_can_answer() {
        return Err(CliError::usage("missing: NEW_NAME, what the account is to be called")
            .hint(format!("msgrctl account rename {} NEW_NAME", account.handle)));
    }
    interrupt::install();
    let mut others = ctx.accounts()?.load()?;
    others.retain(|other| other.id != account.id);
    let free = |name: &Name| Ok(accounts::check_name(&others, name)?);
    wizard::again(ctx, &fields::NAME, account.name.as_str(), free)
}

/// The label in the keyring follows the name. It is for people; where it cannot
/// be changed the old one does no harm.
pub fn relabel(ctx: &Context, account: &Account) {
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
