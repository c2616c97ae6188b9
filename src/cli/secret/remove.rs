//! `msgrctl secret remove`: removes an account's secret, or entries without an account.

use clap::Args;

use crate::cli::account::view;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::{AccountArg, KindArg};
use crate::operations::Origin;
use crate::operations::secrets::{left_behind, place, remove};
use crate::secrets::StoreName;

/// Remove a secret
///
/// Asks first; without a terminal it needs --yes. The value behind a reference stays.
/// --left-behind removes all secrets in the keyring, in the encrypted files and in a Vault of
/// the settings that belong to no account of this configuration; --store limits it to one of
/// them. They are listed first, because other configurations share the keyring and Vault.
/// --entry removes one such entry.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl secret remove acme-support app-secret --yes\n  msgrctl secret remove --left-behind\n  msgrctl secret remove --left-behind --store file"
)]
pub struct RemoveArgs {
    #[command(flatten)]
    account: AccountArg,
    #[command(flatten)]
    kind: KindArg,
    /// An entry of the chosen store that belongs to no account
    #[arg(long, value_name = "ENTRY", conflicts_with_all = ["account", "kind"])]
    entry: Vec<String>,
    /// All secrets that belong to no account of this configuration
    #[arg(long, conflicts_with_all = ["account", "kind", "entry"])]
    left_behind: bool,
}

pub fn run(args: &RemoveArgs, ctx: &Context) -> Result<u8, CliError> {
    if args.left_behind {
        let store = &ctx.settings()?.store;
        // The configured store is only for new secrets.
        let only = matches!(store.origin, Origin::Flag(_)).then_some(store.value);
        if only.is_some_and(|only| !StoreName::KEEPING.contains(&only)) {
            return Err(CliError::usage(format!(
                "--left-behind searches the keyring, the encrypted file and Vault, not {}",
                store.value
            ))
            .hint("--store keyring, --store file or --store vault; without --store all of them"));
        }
        return remove_left_behind(ctx, only);
    }
    if !args.entry.is_empty() {
        return remove_entries(ctx, &args.entry);
    }
    let account = args.account.pick(ctx)?;
    let kind = args.kind.pick(ctx, &account)?;
    if !account.secrets.contains_key(&kind) {
        ctx.output.notice(&format!("nothing to remove: {}", place(&account, kind)));
        return Ok(0);
    }
    let command = format!("msgrctl secret remove {} {}", account.handle, kind.argument());
    ctx.confirm(&format!("Remove the {kind} of '{}'?", account.name), &command)?;
    let saved = remove::one(ctx, &account, kind)?;
    if !view::print_saved(ctx, &saved, None)? {
        ctx.output.result(&format!("removed the {kind} of '{}'", account.name));
    }
    Ok(0)
}

/// Lists the secrets without an account, asks, and removes them.
fn remove_left_behind(ctx: &Context, only: Option<StoreName>) -> Result<u8, CliError> {
    let tenants = ctx.tenants()?;
    let listed = left_behind::removable(ctx, &tenants, only)?;
    if !listed.is_empty() {
        let lines = left_behind::in_words(&listed);
        ctx.output.talk(&format!("no account of this configuration has these secrets:\n  {}", lines.join("\n  ")));
        let is_in = |store: StoreName| listed.iter().any(|entry| entry.store == store);
        if is_in(StoreName::Keyring) {
            ctx.output.warning(
                "the keyring is shared: another of your configuration directories may use these secrets and would lose them",
            );
        }
        if is_in(StoreName::Vault) {
            ctx.output.warning(
                "Vault is shared: other configurations, a colleague's too, may use these secrets and would lose them",
            );
        }
        let flags = only.map(|store| format!(" --store {store}")).unwrap_or_default();
        ctx.confirm(
            &format!("Remove these secrets ({})?", listed.len()),
            &format!("msgrctl secret remove --left-behind{flags}"),
        )?;
    }
    let removed = left_behind::remove(ctx, &tenants, only, &listed)?;
    if ctx.output.json {
        ctx.output.json(&serde_json::json!({"schema_version": 1, "removed": removed}));
    } else if removed == 0 {
        ctx.output.notice("no secret is left behind");
    } else {
        ctx.output.result(&format!("removed secrets that belonged to no account: {removed}"));
    }
    Ok(0)
}

/// Removes entries without an account; if an account refers to one, removes none.
fn remove_entries(ctx: &Context, entries: &[String]) -> Result<u8, CliError> {
    let store = ctx.settings()?.store.value;
    remove::entries(ctx, store, entries)?;
    let flags = entries.iter().map(|entry| format!("--entry {entry}")).collect::<Vec<_>>().join(" ");
    ctx.confirm(
        &format!("Remove {} from the {store} store?", entries.join(", ")),
        &format!("msgrctl secret remove {flags} --store {store}"),
    )?;
    let removed = remove::remove_entries(ctx, store, entries)?;
    if ctx.output.json {
        ctx.output.json(&serde_json::json!({"schema_version": 1, "store": store.as_str(), "removed": removed}));
    } else {
        ctx.output.result(&format!("removed from the {store} store: {removed}"));
    }
    Ok(0)
}
