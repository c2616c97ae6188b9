//! `msgrctl secret`: the secrets of accounts, where they are and what they are.

mod list;
mod r#move;
mod remove;
mod reveal;
mod set;

use clap::{Subcommand, ValueEnum};

use super::context::Context;
use super::error::CliError;
use crate::accounts::AccountStore;
use crate::secrets::{SecretKey, SecretKind};

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
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

/// A kind of secret, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KindArg {
    /// The token that speaks for the Page
    PageAccessToken,
    /// The secret of the Meta app
    AppSecret,
    /// What Meta repeats in the webhook handshake
    VerifyToken,
}

impl From<KindArg> for SecretKind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::PageAccessToken => Self::PageAccessToken,
            KindArg::AppSecret => Self::AppSecret,
            KindArg::VerifyToken => Self::VerifyToken,
        }
    }
}

/// The key of an entry that no account of any tenant points to; `None` where it is
/// not one of ours, or belongs to somebody.
pub(super) fn left_behind(ctx: &Context, entry: &str) -> Result<Option<SecretKey>, CliError> {
    let Some((account_id, kind)) = entry.split_once('/') else { return Ok(None) };
    let Some(kind) = SecretKind::ALL.into_iter().find(|known| known.argument() == kind) else { return Ok(None) };
    let settings = ctx.settings()?;
    for tenant in settings.paths.tenants() {
        let accounts = AccountStore::new(settings.paths.accounts_file(&tenant), Box::new(|_| {})).load()?;
        if accounts.iter().any(|account| account.id == account_id && account.secrets.contains_key(&kind)) {
            return Ok(None);
        }
    }
    Ok(Some(SecretKey { account_id: account_id.into(), handle: String::new(), account_name: String::new(), kind }))
}
