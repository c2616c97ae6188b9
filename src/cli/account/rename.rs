//! `msgrctl account rename`: changes the name, and the handle if asked.

use clap::Args;

use super::{view, wizard};
use crate::accounts::{self, Account, Handle, Name};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;
use crate::operations::accounts::{fields, rename};

/// Rename an account
///
/// Its id stays, and so does its handle unless --handle changes it, so scripts keep working.
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
    /// Change the handle too
    #[arg(long, value_name = "HANDLE")]
    handle: Option<String>,
}

pub fn run(args: &RenameArgs, ctx: &Context) -> Result<u8, CliError> {
    let handle: Option<Handle> = args.handle.as_deref().map(str::parse).transpose().map_err(CliError::from)?;
    let account = args.account.pick(ctx)?;
    let new_name: Name = match &args.new_name {
        Some(name) => name.parse().map_err(CliError::from)?,
        None if handle.is_some() => account.name.clone(),
        None => ask_name(ctx, &account)?,
    };
    let Some(prepared) = rename::prepare(ctx, &account, new_name, handle)? else {
        ctx.output.notice("nothing to change");
        return finish(ctx, &account);
    };
    let renamed = rename::carry_out(ctx, prepared)?;
    if !ctx.output.json {
        ctx.output.result(&format!("'{}' is now '{}' (handle {})", account.name, renamed.name, renamed.handle));
    }
    finish(ctx, &renamed)
}

fn ask_name(ctx: &Context, account: &Account) -> Result<Name, CliError> {
    if !ctx.someone_can_answer {
        return Err(CliError::usage("missing: NEW_NAME, the account's new name")
            .hint(format!("msgrctl account rename {} NEW_NAME", account.handle)));
    }
    let mut others = ctx.accounts()?.load()?;
    others.retain(|other| other.id != account.id);
    let free = |name: &Name| Ok(accounts::check_name(&others, name)?);
    let name = wizard::again(ctx, &fields::NAME, account.name.as_str(), free)?;
    name.ok_or_else(|| CliError::left("nothing was changed"))
}

fn finish(ctx: &Context, account: &Account) -> Result<u8, CliError> {
    view::print_saved(ctx, account, None)?;
    Ok(0)
}
