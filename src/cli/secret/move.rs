//! `msgrctl secret move`: secrets from one store to another.
//!
//! For each account: copy, read back, compare; then the record; then the old copies
//! go. Whatever moment it is interrupted at, every secret is in the place that the
//! record names, and the command can be run again: it also clears old copies that
//! an interrupted run left behind.

use clap::Args;
use clap_complete::ArgValueCandidates;
use serde::Serialize;

use crate::accounts::Account;
use crate::cli::args::StoreArg;
use crate::cli::complete;
use crate::cli::context::{Context, key};
use crate::cli::error::CliError;
use crate::cli::history::{self, ChangedThing};
use crate::secrets::{SecretKind, SecretRef, StoreError, StoreName};
use crate::ui::interrupt::{self, Hold};
use crate::ui::progress::Progress;

/// Move secrets to another store
///
/// Copies, reads back, compares, and only then removes the old copy. It can be run
/// again after any interruption. References are left as they are.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl secret move acme-support --to file\n  msgrctl secret move --all --to keyring"
)]
pub struct MoveArgs {
    /// Names, handles or ids of accounts
    #[arg(value_name = "NAME", required_unless_present = "all", add = ArgValueCandidates::new(complete::accounts))]
    accounts: Vec<String>,
    /// Every account of the tenant
    #[arg(long, conflicts_with = "accounts")]
    all: bool,
    /// Where to
    #[arg(long, value_name = "STORE")]
    to: StoreArg,
}

#[derive(Serialize)]
struct MovedView {
    schema_version: u8,
    store: &'static str,
    moved: usize,
    failed: usize,
}

pub fn run(args: &MoveArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    let to = StoreName::from(args.to);
    if !matches!(to, StoreName::Keyring | StoreName::File) {
        return Err(
            CliError::usage(format!("nothing can be moved to the {to} store")).hint("--to keyring or --to file")
        );
    }
    let accounts = ctx.accounts()?;
    let chosen = if args.all {
        accounts.load()?
    } else {
        args.accounts.iter().map(|address| accounts.find(address)).collect::<Result<Vec<_>, _>>()?
    };
    // Every passphrase that is needed is asked for now, while Ctrl-C still ends all.
    ctx.store(to).probe()?;
    for from in [StoreName::Keyring, StoreName::File] {
        let used =
            chosen.iter().flat_map(|account| account.secrets.values()).any(|source| source.store() == Some(from));
        // An interrupted run may have left something in a file that no record names.
        if used || from == StoreName::File && ctx.stores().file().exists()? {
            ctx.store(from).probe()?;
        }
    }
    let progress = Progress::start(&ctx.output, &format!("moving secrets to the {to} store …"));
    let (mut moved, mut failed, mut noted) = (0, Vec::new(), Vec::new());
    for (at, account) in chosen.iter().enumerate() {
        progress.now(&format!("moving the secrets of '{}' ({} of {}) …", account.name, at + 1, chosen.len()));
        let tenant = ctx.lock_tenant()?;
        let hold = Hold::begin();
        match move_account(ctx, &account.id, to) {
            Ok(kinds) => {
                moved += kinds.len();
                noted.extend((!kinds.is_empty()).then(|| ChangedThing {
                    of: account.name.to_string(),
                    handle: Some(account.handle.to_string()),
                    what: "changed".into(),
                    fields: kinds.iter().map(|kind| format!("secrets.{}", kind.key())).collect(),
                }));
            }
            Err(error) => failed.push((account, error)),
        }
        drop(tenant);
        if hold.was_interrupted() {
            history::note(ctx, noted)?;
            return Err(CliError::interrupted().note("run it again to go on"));
        }
    }
    drop(progress);
    history::note(ctx, noted)?;
    for (account, error) in &failed {
        ctx.output.warning(&format!("'{}': {}", account.name, error.message()));
    }
    if ctx.output.json {
        ctx.output.json(&MovedView { schema_version: 1, store: to.as_str(), moved, failed: failed.len() });
    } else if moved > 0 || failed.is_empty() {
        ctx.output.result(&match moved {
            0 => "nothing to move".to_owned(),
            1 => format!("moved 1 secret to the {to} store"),
            moved => format!("moved {moved} secrets to the {to} store"),
        });
    }
    match failed.len() {
        0 => Ok(0),
        all if all == chosen.len() => Err(failed.swap_remove(0).1),
        some => Err(CliError::partial(format!("{some} of {} accounts could not be moved; run it again", chosen.len()))),
    }
}

/// Moves what an account has elsewhere, and says which secrets that were.
/// The caller holds the tenant.
fn move_account(ctx: &Context, id: &str, to: StoreName) -> Result<Vec<SecretKind>, CliError> {
    ctx.stores().file().forget();
    let account = ctx.accounts()?.find(id)?;
    let elsewhere: Vec<(SecretKind, StoreName)> = account
        .secrets
        .iter()
        .filter_map(|(kind, source)| Some((*kind, source.store()?)))
        .filter(|(_, from)| *from != to)
        .collect();
    for (kind, from) in &elsewhere {
        copy(ctx, &account, *kind, *from, to)?;
    }
    let account = if elsewhere.is_empty() {
        account
    } else {
        let now = ctx.now();
        ctx.accounts()?.update(id, |current| {
            for (kind, _) in &elsewhere {
                current.secrets.insert(*kind, SecretRef::Stored(to));
            }
            current.updated_at = now;
        })?
    };
    clear_old_copies(ctx, &account, to);
    Ok(elsewhere.into_iter().map(|(kind, _)| kind).collect())
}

fn copy(ctx: &Context, account: &Account, kind: SecretKind, from: StoreName, to: StoreName) -> Result<(), CliError> {
    let key = key(account, kind);
    let missing = || CliError::credentials(format!("the {from} store has no {kind}"));
    let secret = ctx.store(from).get(&key)?.ok_or_else(missing)?;
    ctx.store(to).set(&key, &secret)?;
    match ctx.store(to).get(&key)? {
        Some(back) if back == secret => Ok(()),
        _ => Err(CliError::failed(format!("the {to} store gave back another {kind} than it was given"))
            .note("the old one is where it was")),
    }
}

/// Removes what the other store of ours still has of this account: what was moved
/// just now, and what an interrupted run left.
fn clear_old_copies(ctx: &Context, account: &Account, to: StoreName) {
    let other = if to == StoreName::Keyring { StoreName::File } else { StoreName::Keyring };
    let here = account.secrets.iter().filter(|(_, source)| source.store() == Some(to));
    for kind in here.map(|(kind, _)| *kind) {
        match ctx.store(other).remove(&key(account, kind)) {
            // Where that store is not there, it holds nothing that was ours here.
            Ok(_) | Err(StoreError::Absent { .. } | StoreError::NoKey { .. }) => {}
            Err(error) => {
                ctx.output
                    .warning(&format!("an old copy of '{}' may be left in the {other} store: {error}", account.name));
                return;
            }
        }
    }
}
