//! `msgrctl secret`: the secrets of accounts, where they are and what they are.

pub(super) mod left_behind;
mod list;
mod r#move;
mod remove;
mod reveal;
mod set;

use std::collections::HashSet;

use clap::Subcommand;

use super::context::Context;
use super::error::CliError;
use crate::accounts::AccountStore;
use crate::operations::key;
use crate::secrets::{SecretKey, SecretKind, StoreName};

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, after_help = "Examples:\n  msgrctl secret list")]
pub(super) enum SecretCommand {
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    Set(set::SetArgs),
    Reveal(reveal::RevealArgs),
    Move(r#move::MoveArgs),
    #[command(visible_alias = "rm")]
    Remove(remove::RemoveArgs),
}

pub(super) fn run(command: SecretCommand, ctx: &Context) -> Result<u8, CliError> {
    match command {
        SecretCommand::List(args) => list::run(&args, ctx),
        SecretCommand::Set(args) => set::run(&args, ctx),
        SecretCommand::Reveal(args) => reveal::run(&args, ctx),
        SecretCommand::Move(args) => r#move::run(&args, ctx),
        SecretCommand::Remove(args) => remove::run(&args, ctx),
    }
}

/// Which entries of the stores belong to an account of any tenant.
pub(super) struct Owners(HashSet<(StoreName, String)>);

/// Reads the accounts of every tenant; a file that cannot be read is an error, since
/// what it owns is not known.
pub(super) fn owners(ctx: &Context) -> Result<Owners, CliError> {
    let paths = &ctx.settings()?.paths;
    let mut owned = HashSet::new();
    for tenant in ctx.tenant_names()? {
        for account in AccountStore::new(paths.accounts_file(&tenant), Box::new(|_| {})).load()? {
            for (kind, source) in &account.secrets {
                owned.extend(source.store().map(|store| (store, key(&account, *kind).entry())));
            }
        }
    }
    Ok(Owners(owned))
}

impl Owners {
    /// The key of an entry that no account points to there; `None` where it is not
    /// one of ours, or belongs to somebody.
    pub(super) fn left_behind(&self, store: StoreName, entry: &str) -> Option<SecretKey> {
        let (account_id, kind) = entry.split_once('/')?;
        let kind = SecretKind::KEPT.into_iter().find(|known| known.argument() == kind)?;
        let owned = self.0.contains(&(store, entry.to_owned()));
        (!owned).then(|| SecretKey {
            account_id: account_id.into(),
            handle: String::new(),
            account_name: String::new(),
            kind,
        })
    }
}
