//! `msgrctl secret move`: secrets from one store to another.

use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::cli::candidates;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::pick;
use crate::operations::secrets::r#move::{self, Moved};
use crate::secrets::{KeyMeans, StoreName, key_of};

/// Move secrets to another store
///
/// Copies, reads back, compares, and only then removes the old copy. After an interruption,
/// run it again. References stay.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl secret move acme-support --to file\n  msgrctl secret move --all --to keyring"
)]
pub struct MoveArgs {
    /// Names, handles or ids of accounts [on a terminal one is asked for]
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(candidates::accounts))]
    accounts: Vec<String>,
    /// Every account of the tenant
    #[arg(long, alias = "all-accounts", conflicts_with = "accounts")]
    all: bool,
    /// The store to move to [on a terminal it is asked for]
    #[arg(long, value_name = "STORE")]
    to: Option<StoreName>,
}

pub fn run(args: &MoveArgs, ctx: &Context) -> Result<u8, CliError> {
    let mut accounts = args.accounts.clone();
    if accounts.is_empty() && !args.all {
        accounts.push(pick(ctx)?.handle.to_string());
    }
    let to = match args.to {
        Some(to) => to,
        None => ask_store(ctx, &accounts)?,
    };
    let prepared = r#move::prepare(ctx, (!args.all).then_some(accounts.as_slice()), to)?;
    let Moved { accounts, secrets: moved, mut failed } = r#move::carry_out(ctx, &prepared)?;
    for (account, error) in &failed {
        ctx.output.warning(&format!("'{}': {}", account.name, error.message()));
    }
    if ctx.output.json {
        ctx.output.json(&json!({"schema_version": 1, "store": to, "moved": moved, "failed": failed.len()}));
    } else if moved > 0 || failed.is_empty() {
        ctx.output.result(&match moved {
            0 => "nothing to move".to_owned(),
            1 => format!("moved 1 secret to the {to} store"),
            moved => format!("moved {moved} secrets to the {to} store"),
        });
        if to == StoreName::File && moved > 0 {
            say_where_the_file_is(ctx)?;
        }
    }
    match failed.len() {
        0 => Ok(0),
        all if all == accounts => Err(failed.swap_remove(0).1),
        some => Err(CliError::partial(format!("{some} of {accounts} accounts could not be moved; run it again"))),
    }
}

/// Lets the operator choose the store to move to.
fn ask_store(ctx: &Context, accounts: &[String]) -> Result<StoreName, CliError> {
    if !ctx.someone_can_answer || ctx.global.yes {
        let whom = accounts.first().map_or("--all", String::as_str);
        let stores = StoreName::KEEPING.map(|store| store.to_string());
        return Err(CliError::usage(format!("missing: --to, which is {}", stores.join(" or ")))
            .hint(format!("for example: msgrctl secret move {whom} --to {}", stores[1])));
    }
    let stores = StoreName::KEEPING.map(|store| store.to_string());
    match ctx.prompter.choose("Move to which store?", &stores, 0)? {
        Some(at) => Ok(StoreName::KEEPING[at]),
        None => Err(CliError::left("no store was chosen; nothing was moved")),
    }
}

/// Without the way to open it, a file is not a backup.
fn say_where_the_file_is(ctx: &Context) -> Result<(), CliError> {
    let settings = ctx.settings()?;
    let file = settings.paths.secrets_file(settings.tenant.value.as_str());
    let opened = match key_of(&file) {
        Some(KeyMeans::KeyFile) => "the key file opens it (--key-file, MSGRCTL_KEY_FILE); keep a copy of it elsewhere",
        Some(KeyMeans::Passphrase) => "its passphrase opens it (MSGRCTL_PASSPHRASE, or the prompt)",
        Some(KeyMeans::Keyring) => {
            "its key is in the keyring of this machine, so a copy of the file cannot be opened elsewhere"
        }
        None => return Ok(()),
    };
    ctx.output.notice(&format!("the encrypted file is {}; {opened}", file.display()));
    Ok(())
}
