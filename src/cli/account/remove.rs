//! `msgrctl account remove`: an account and every copy of its secrets.

use clap::Args;

use super::view;
use crate::accounts::{Account, AccountStore};
use crate::cli::context::{Context, key};
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;
use crate::secrets::{SecretKind, SecretRef, StoreError, StoreName};
use crate::ui::interrupt::{self, Hold};

/// Remove an account and its secrets
///
/// Asks first; without a terminal it needs --yes. When the secret store does not
/// answer, the account stays and nothing is changed. At Meta nothing changes: to end
/// the Page's events as well, run 'msgrctl webhook unsubscribe' before.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl account remove acme-support\n  msgrctl account remove acme-support --yes")]
pub struct RemoveArgs {
    #[command(flatten)]
    account: AccountArg,
    /// Remove the record even when the secret store does not answer, and name the entries left in it
    #[arg(long)]
    leave_secrets: bool,
}

pub fn run(args: &RemoveArgs, ctx: &Context) -> Result<u8, CliError> {
    let account = args.account.pick(ctx)?;
    let (name, handle) = (&account.name, &account.handle);
    ctx.output.warning(&format!(
        "nothing changes at Meta: if the Page is subscribed, it goes on sending its customers' messages to the app; to end that before the account is removed: msgrctl webhook unsubscribe {handle}"
    ));
    ctx.confirm(&format!("Remove the account '{name}' and its secrets?"), &format!("msgrctl account remove {handle}"))?;
    interrupt::install();
    let removed = remove_account(ctx, &account, args.leave_secrets)?;
    if view::print_saved(ctx, &account, None)? {
        return Ok(0);
    }
    let secrets = if removed.is_empty() { String::new() } else { format!(" and its {}", removed.join(", ")) };
    ctx.output.result(&format!("removed '{name}'{secrets}"));
    let variables: Vec<String> = in_variables(&account).map(|kind| key(&account, kind).variable()).collect();
    if !variables.is_empty() {
        ctx.output.notice(&format!("still set where you set them: {}", variables.join(", ")));
    }
    Ok(0)
}

/// Removes an account and its secrets, and says which secrets there were.
pub fn remove_account(ctx: &Context, account: &Account, leave_secrets: bool) -> Result<Vec<String>, CliError> {
    probe(ctx, account, leave_secrets)?;
    let tenant = ctx.hold_tenant()?;
    let _hold = Hold::begin();
    let again = format!("msgrctl account remove {} --yes", account.handle);
    remove_held(ctx, account, leave_secrets).map_err(|error| tenant.stopped(error, &again))
}

/// The same under the tenant's lock, which the caller holds.
pub fn remove_held(ctx: &Context, account: &Account, leave_secrets: bool) -> Result<Vec<String>, CliError> {
    let accounts = ctx.accounts()?;
    // As it is now: another process may have given it a secret meanwhile.
    let mut last = accounts.remove(&account.id)?;
    remove_secrets(ctx, &mut last, leave_secrets).map_err(|error| put_back(&accounts, last, error))
}

fn in_variables(account: &Account) -> impl Iterator<Item = SecretKind> {
    account.secrets.iter().filter(|(_, source)| source.store() == Some(StoreName::Env)).map(|(kind, _)| *kind)
}

/// Whether every store that keeps something of the account will let it go; with
/// `leave` only whether somebody wants to go on at all.
pub fn probe(ctx: &Context, account: &Account, leave: bool) -> Result<(), CliError> {
    account.secrets.values().filter_map(SecretRef::store).try_for_each(|store| match ctx.store(store).probe() {
        Err(StoreError::Interrupted) => Err(CliError::interrupted()),
        Err(error) if !leave => Err(stuck(account, error).note("nothing was changed")),
        _ => Ok(()),
    })
}

fn stuck(account: &Account, error: StoreError) -> CliError {
    CliError::from(error).context(format!("the secrets of '{}' cannot be removed", account.name)).hint(format!(
        "to remove the account all the same and leave its secrets where they are: msgrctl account remove {} --leave-secrets --yes",
        account.handle
    ))
}

/// Removes every secret, and says which there were. What is gone is taken out of
/// the record too.
fn remove_secrets(ctx: &Context, account: &mut Account, leave: bool) -> Result<Vec<String>, CliError> {
    let mut removed = Vec::new();
    for (kind, source) in account.secrets.clone() {
        let key = key(account, kind);
        // What is only referred to belongs to somebody else.
        let Some(store) = source.store() else { continue };
        match ctx.store(store).remove(&key) {
            Ok(true) => removed.push(kind.to_string()),
            Ok(false) => {}
            Err(error) if leave => {
                ctx.output.warning(&format!(
                    "the {kind} may be left in the {source} store, as the entry msgrctl / {}: {error}",
                    key.entry()
                ));
                continue;
            }
            Err(error) => {
                let error = stuck(account, error);
                return Err(if removed.is_empty() {
                    error
                } else {
                    error.note(format!("removed before: {}", removed.join(", ")))
                });
            }
        }
        account.secrets.remove(&kind);
    }
    Ok(removed)
}

/// A record whose secrets could not all be removed stays, so that the command can
/// be run again.
fn put_back(accounts: &AccountStore, account: Account, error: CliError) -> CliError {
    match accounts.add(account, false) {
        Ok(_) => error.note("the account is still there"),
        Err(failed) => error.note(format!("its record could not be put back: {failed}")),
    }
}
