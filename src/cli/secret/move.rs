//! `msgrctl secret move`: secrets from one store to another.
//!
//! Group by group, each file written once: copy, read back, compare; then the records;
//! then the old copies go. Whatever moment it is interrupted at, every secret is in the
//! place that its record names, and the command can be run again: it also clears old
//! copies that an interrupted run left behind.

use std::collections::HashMap;

use clap::Args;
use clap_complete::ArgValueCandidates;
use serde::Serialize;

use crate::accounts::{Account, AccountError, AccountStore};
use crate::cli::candidates;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::global::StoreArg;
use crate::operations::groups;
use crate::operations::journal::{self, ChangedThing};
use crate::operations::key;
use crate::secrets::{Secret, SecretKind, SecretRef, StoreError, StoreName};
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
    #[arg(value_name = "NAME", required_unless_present = "all", add = ArgValueCandidates::new(candidates::accounts))]
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
    let known = accounts.load()?;
    let mut chosen: Vec<Account> = Vec::new();
    for address in &args.accounts {
        let account = accounts.find_among(&known, address)?;
        // Named twice, by name and handle perhaps: once is meant.
        if !chosen.iter().any(|known| known.id == account.id) {
            chosen.push(account.clone());
        }
    }
    let chosen = if args.all { known } else { chosen };
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
    let mut begun = 0;
    for group in groups(&chosen) {
        let tenant = ctx.lock_tenant()?;
        let hold = Hold::begin();
        let on_account = |account: &Account| {
            begun += 1;
            progress.now(&format!("moving the secrets of '{}' ({begun} of {}) …", account.name, chosen.len()));
        };
        for (account, end) in move_group(ctx, group, to, on_account)? {
            match end {
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
        }
        drop(tenant);
        if let Err(error) = journal::note(ctx, std::mem::take(&mut noted)) {
            ctx.output.warning(&format!("the move is not in the log: {}", error.message()));
        }
        if hold.was_interrupted() {
            return Err(CliError::interrupted().note("run it again to go on"));
        }
    }
    drop(progress);
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

/// An account on its way.
struct Moving<'a> {
    /// As it was when it was named.
    named: &'a Account,
    /// As it is now.
    account: Account,
    /// Its secrets that were elsewhere.
    copied: Vec<(SecretKind, Secret)>,
    /// Why it stays as it is.
    failed: Option<CliError>,
}

/// How it ended for an account: the secrets that were moved.
type End<'a> = (&'a Account, Result<Vec<SecretKind>, CliError>);

/// Moves what the accounts of a group have elsewhere. `on_account` is called as one begins;
/// none begins any more once the operator asks to stop, and those that have begun are finished.
/// The caller holds the tenant.
fn move_group<'a>(
    ctx: &Context,
    group: &'a [Account],
    to: StoreName,
    on_account: impl FnMut(&Account),
) -> Result<Vec<End<'a>>, CliError> {
    let accounts = ctx.accounts()?;
    // As they are now: another command may have changed them since they were named.
    ctx.stores().file().forget();
    let (mut all, mut ended) = copy_all(ctx, &accounts.load()?, group, to, on_account);
    record(&accounts, &mut all, to, ctx.now());
    clear_old_copies(ctx, all.iter().filter(|moving| moving.failed.is_none()).map(|moving| &moving.account), to);
    ended.extend(all.into_iter().map(|moving| match moving.failed {
        None => (moving.named, Ok(moving.copied.into_iter().map(|(kind, _)| kind).collect())),
        Some(error) => (moving.named, Err(error)),
    }));
    Ok(ended)
}

/// Copies the secrets and reads the copies back. Accounts that are not there any more have
/// ended with it.
fn copy_all<'a>(
    ctx: &Context,
    known: &[Account],
    group: &'a [Account],
    to: StoreName,
    mut on_account: impl FnMut(&Account),
) -> (Vec<Moving<'a>>, Vec<End<'a>>) {
    let known: HashMap<&str, &Account> = known.iter().map(|account| (account.id.as_str(), account)).collect();
    let mut gone: Vec<End<'a>> = Vec::new();
    let (mut all, written) = ctx.stores().file().at_once(|| {
        let mut all = Vec::new();
        for named in group {
            if Hold::is_asked() {
                break;
            }
            on_account(named);
            let Some(account) = known.get(named.id.as_str()) else {
                let address = named.handle.to_string();
                gone.push((named, Err(AccountError::Unknown { address, nearest: None }.into())));
                continue;
            };
            let mut moving = Moving { named, account: (*account).clone(), copied: Vec::new(), failed: None };
            moving.failed = copy(ctx, &mut moving, to).err();
            all.push(moving);
        }
        all
    });
    for moving in all.iter_mut().filter(|moving| moving.failed.is_none() && !moving.copied.is_empty()) {
        let written = written.clone().map_err(CliError::from);
        moving.failed = written.and_then(|()| compare(ctx, moving, to)).err();
    }
    (all, gone)
}

fn copy(ctx: &Context, moving: &mut Moving<'_>, to: StoreName) -> Result<(), CliError> {
    for (kind, from) in moving.account.secrets.iter().filter_map(|(kind, source)| Some((*kind, source.store()?))) {
        if from == to {
            continue;
        }
        let key = key(&moving.account, kind);
        let missing = || CliError::credentials(format!("the {from} store has no {kind}"));
        let secret = ctx.store(from).get(&key)?.ok_or_else(missing)?;
        ctx.store(to).set(&key, &secret)?;
        moving.copied.push((kind, secret));
    }
    Ok(())
}

fn compare(ctx: &Context, moving: &Moving<'_>, to: StoreName) -> Result<(), CliError> {
    for (kind, secret) in &moving.copied {
        if ctx.store(to).get(&key(&moving.account, *kind))?.as_ref() != Some(secret) {
            return Err(CliError::failed(format!("the {to} store gave back another {kind} than it was given"))
                .note("the old one is where it was"));
        }
    }
    Ok(())
}

/// Writes down where the secrets are now.
fn record(accounts: &AccountStore, all: &mut [Moving<'_>], to: StoreName, now: jiff::Timestamp) {
    let mut moved: HashMap<String, &mut Moving<'_>> = all
        .iter_mut()
        .filter(|moving| moving.failed.is_none() && !moving.copied.is_empty())
        .map(|moving| (moving.account.id.clone(), moving))
        .collect();
    if moved.is_empty() {
        return;
    }
    let ids: Vec<String> = moved.keys().cloned().collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let recorded = accounts.update_all(&ids, |current| {
        let Some(moving) = moved.get_mut(&current.id) else { return };
        current.secrets.extend(moving.copied.iter().map(|(kind, _)| (*kind, SecretRef::Stored(to))));
        current.updated_at = now;
        moving.account = current.clone();
    });
    if let Err(error) = recorded {
        let error = CliError::from(error);
        for moving in moved.into_values() {
            moving.failed = Some(error.clone());
        }
    }
}

/// Removes what the other store of ours still has of these accounts: what was moved just
/// now, and what an interrupted run left.
fn clear_old_copies<'a>(ctx: &Context, accounts: impl Iterator<Item = &'a Account>, to: StoreName) {
    let other = if to == StoreName::Keyring { StoreName::File } else { StoreName::Keyring };
    let warn = |account: &Account, error: &StoreError| {
        ctx.output.warning(&format!("an old copy of '{}' may be left in the {other} store: {error}", account.name));
    };
    let (mut cleared, written) = ctx.stores().file().at_once(|| {
        let mut cleared = Vec::new();
        for account in accounts {
            let here = account.secrets.iter().filter(|(_, source)| source.store() == Some(to));
            for kind in here.map(|(kind, _)| *kind) {
                match ctx.store(other).remove(&key(account, kind)) {
                    Ok(there) => cleared.extend(there.then_some(account)),
                    // Where that store is not there, it holds nothing that was ours here.
                    Err(StoreError::Absent { .. } | StoreError::NoKey { .. }) => {}
                    Err(error) => {
                        warn(account, &error);
                        break;
                    }
                }
            }
        }
        cleared
    });
    if let Err(error) = written {
        cleared.dedup_by_key(|account| &account.id);
        for account in cleared {
            warn(account, &error);
        }
    }
}
