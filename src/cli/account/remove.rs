//! `msgrctl account remove`: an account and every copy of its secrets.

use clap::Args;

use super::view;
use crate::accounts::Account;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;
use crate::operations::accounts::remove;
use crate::operations::key;
use crate::secrets::{SecretKind, StoreName};

/// Remove an account and its secrets
///
/// Asks first; without a terminal it needs --yes. If the secret store does not answer,
/// nothing is changed. Nothing changes at Meta: to stop the Page's events too, run
/// 'msgrctl webhook unsubscribe' first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl account remove acme-support\n  msgrctl account remove acme-support --yes")]
pub struct RemoveArgs {
    #[command(flatten)]
    account: AccountArg,
    /// Remove the record even if the secret store does not answer, and name the entries left in it
    #[arg(long)]
    leave_secrets: bool,
}

pub fn run(args: &RemoveArgs, ctx: &Context) -> Result<u8, CliError> {
    let account = args.account.pick(ctx)?;
    let (name, handle) = (&account.name, &account.handle);
    ctx.output.warning(&format!(
        "nothing changes at Meta: a subscribed Page keeps sending its customers' messages to the app; to stop that before you remove the account: msgrctl webhook unsubscribe {handle}"
    ));
    ctx.confirm(&format!("Remove the account '{name}' and its secrets?"), &format!("msgrctl account remove {handle}"))?;
    let removed = remove::one(ctx, &account, args.leave_secrets)?;
    if view::print_saved(ctx, &account, None)? {
        return Ok(0);
    }
    let secrets = if removed.is_empty() { String::new() } else { format!(" and its {}", removed.join(", ")) };
    ctx.output.result(&format!("removed '{name}'{secrets}"));
    let variables: Vec<String> = in_variables(&account).map(|kind| key(&account, kind).variable()).collect();
    if !variables.is_empty() {
        ctx.output.notice(&format!("these variables are still set: {}", variables.join(", ")));
    }
    Ok(0)
}

fn in_variables(account: &Account) -> impl Iterator<Item = SecretKind> {
    account.secrets.iter().filter(|(_, source)| source.store() == Some(StoreName::Env)).map(|(kind, _)| *kind)
}
