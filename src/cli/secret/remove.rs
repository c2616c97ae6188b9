//! `msgrctl secret remove`: one secret of an account, and nothing in its place.

use clap::Args;

use super::KindArg;
use crate::cli::account::connection;
use crate::cli::account::save::{self, Change};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::secrets::SecretKind;
use crate::ui::interrupt;

/// Remove a secret
///
/// Asks first; without a terminal it needs --yes. What is only referred to is left
/// where it is. With --entry an entry is removed that belongs to no account any
/// more; doctor names such entries.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl secret remove acme-support app-secret --yes")]
pub struct RemoveArgs {
    /// The account's name, handle or id
    #[arg(value_name = "NAME", required_unless_present = "entry")]
    account: Option<String>,
    /// Which secret
    #[arg(value_name = "KIND", required_unless_present = "entry")]
    kind: Option<KindArg>,
    /// An entry of the chosen store that belongs to no account
    #[arg(long, value_name = "ENTRY", conflicts_with_all = ["account", "kind"])]
    entry: Option<String>,
}

pub fn run(args: &RemoveArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    if let Some(entry) = &args.entry {
        return remove_entry(ctx, entry);
    }
    let (Some(address), Some(kind)) = (&args.account, args.kind) else {
        return Err(CliError::usage("missing: which secret of which account"));
    };
    let (accounts, kind) = (ctx.accounts()?, SecretKind::from(kind));
    let account = accounts.find(address)?;
    if !account.secrets.contains_key(&kind) {
        ctx.output.notice(&format!("nothing to remove: {}", connection::place(&account, kind)));
        return Ok(0);
    }
    let command = format!("msgrctl secret remove {} {}", account.handle, kind.argument());
    ctx.confirm(&format!("Remove the {kind} of '{}'?", account.name), &command)?;
    let now = ctx.now();
    let mut without = account.clone();
    save::save(ctx, &mut without, vec![Change { kind, new: None }], |_| {
        accounts.update(&account.id, |account| {
            account.secrets.remove(&kind);
            account.updated_at = now;
        })
    })?;
    ctx.output.result(&format!("removed the {kind} of '{}'", account.name));
    Ok(0)
}

/// An entry that was left behind. One that an account points to is refused.
fn remove_entry(ctx: &Context, entry: &str) -> Result<u8, CliError> {
    let store = ctx.settings()?.store.value;
    let Some(key) = super::left_behind(ctx, entry)? else {
        return Err(CliError::failed(format!("'{entry}' is no entry of ours, or belongs to an account"))
            .hint("msgrctl doctor names what is left behind"));
    };
    ctx.confirm(
        &format!("Remove the entry '{entry}' from the {store} store?"),
        &format!("msgrctl secret remove --entry {entry}"),
    )?;
    if ctx.store(store).remove(&key)? {
        ctx.output.result(&format!("removed '{entry}' from the {store} store"));
    } else {
        ctx.output.notice(&format!("the {store} store has no entry '{entry}'"));
    }
    Ok(0)
}
