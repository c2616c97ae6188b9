//! `msgrctl secret remove`: one secret of an account, and nothing in its place.

use crate::operations::secrets::place;
use clap::Args;

use super::{Owners, left_behind, owners};
use crate::cli::account::view;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::{AccountArg, KindArg};
use crate::operations::Origin;
use crate::operations::change::{self, Change};
use crate::secrets::{SecretKey, StoreName};
use crate::ui::interrupt;

/// Remove a secret
///
/// Asks first; without a terminal it needs --yes. What is only referred to is left
/// where it is. With --left-behind all secrets are removed that belong to no account of
/// this configuration, in the keyring and in the encrypted files; --store limits it to
/// one of the two. They are listed first: another configuration shares the keyring. With
/// --entry one such entry is removed.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl secret remove acme-support app-secret --yes\n  msgrctl secret remove --left-behind\n  msgrctl secret remove --left-behind --store file"
)]
pub struct RemoveArgs {
    #[command(flatten)]
    account: AccountArg,
    /// Which secret [on a terminal it is asked for]
    #[arg(value_name = "KIND")]
    kind: Option<KindArg>,
    /// An entry of the chosen store that belongs to no account
    #[arg(long, value_name = "ENTRY", conflicts_with_all = ["account", "kind"])]
    entry: Vec<String>,
    /// All secrets that belong to no account of this configuration
    #[arg(long, conflicts_with_all = ["account", "kind", "entry"])]
    left_behind: bool,
}

pub fn run(args: &RemoveArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    if args.left_behind {
        let store = &ctx.settings()?.store;
        // What the configuration says is about new secrets.
        let only = matches!(store.origin, Origin::Flag(_)).then_some(store.value);
        if only.is_some_and(|only| !matches!(only, StoreName::Keyring | StoreName::File)) {
            return Err(CliError::usage(format!(
                "--left-behind looks into the keyring and the encrypted file, not into {}",
                store.value
            ))
            .hint("--store keyring or --store file; without --store both"));
        }
        return left_behind::remove(ctx, only);
    }
    if !args.entry.is_empty() {
        return remove_entries(ctx, &args.entry);
    }
    let accounts = ctx.accounts()?;
    let account = args.account.pick(ctx)?;
    let kind = KindArg::pick(args.kind, ctx)?;
    if !account.secrets.contains_key(&kind) {
        ctx.output.notice(&format!("nothing to remove: {}", place(&account, kind)));
        return Ok(0);
    }
    let command = format!("msgrctl secret remove {} {}", account.handle, kind.argument());
    ctx.confirm(&format!("Remove the {kind} of '{}'?", account.name), &command)?;
    let now = ctx.now();
    let mut without = account.clone();
    let saved = change::save(ctx, &mut without, vec![Change { kind, new: None }], |_| {
        accounts.update(&account.id, |account| {
            account.secrets.remove(&kind);
            account.updated_at = now;
        })
    })?;
    if !view::print_saved(ctx, &saved, None)? {
        ctx.output.result(&format!("removed the {kind} of '{}'", account.name));
    }
    Ok(0)
}

/// Entries that were left behind. One that an account points to is refused, and
/// then none is removed.
fn remove_entries(ctx: &Context, entries: &[String]) -> Result<u8, CliError> {
    let store = ctx.settings()?.store.value;
    let keys = || {
        let owners = owners(ctx)?;
        entries.iter().map(|entry| key_of(&owners, store, entry)).collect::<Result<Vec<_>, _>>()
    };
    keys()?;
    let flags = entries.iter().map(|entry| format!("--entry {entry}")).collect::<Vec<_>>().join(" ");
    ctx.confirm(
        &format!("Remove {} from the {store} store?", entries.join(", ")),
        &format!("msgrctl secret remove {flags} --store {store}"),
    )?;
    // Once more, now that nobody changes what belongs to whom.
    let _tenants = ctx.hold_all_tenants()?;
    let keys = keys()?;
    let (removed, written) = ctx.stores().file().at_once(|| {
        let mut removed = 0;
        for (at, key) in keys.iter().enumerate() {
            match ctx.store(store).remove(key) {
                Ok(there) => removed += usize::from(there),
                Err(error) => return Err((at, error)),
            }
        }
        Ok(removed)
    });
    let removed = match (removed, written) {
        (Ok(removed), Ok(())) => removed,
        // None of what is in one file went without the others.
        (_, Err(error)) => return Err(error.into()),
        (Err((done, error)), Ok(())) => {
            return Err(CliError::from(error).note(format!("{done} of {} entries were removed before", keys.len())));
        }
    };
    if ctx.output.json {
        ctx.output.json(&serde_json::json!({"schema_version": 1, "store": store.as_str(), "removed": removed}));
    } else {
        ctx.output.result(&format!("removed from the {store} store: {removed}"));
    }
    Ok(0)
}

fn key_of(owners: &Owners, store: StoreName, entry: &str) -> Result<SecretKey, CliError> {
    owners.left_behind(store, entry).ok_or_else(|| {
        CliError::failed(format!("'{entry}' is no entry of ours, or belongs to an account"))
            .hint("msgrctl doctor names what is left behind")
    })
}
