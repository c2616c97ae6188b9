//! `msgrctl secret`: the secrets of accounts.

mod list;
mod r#move;
mod passphrase;
mod remove;
mod reveal;
mod set;

use clap::Subcommand;

use super::context::Context;
use super::error::CliError;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, after_help = "Examples:\n  msgrctl secret list")]
pub(super) enum SecretCommand {
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    Set(set::SetArgs),
    Reveal(reveal::RevealArgs),
    Move(r#move::MoveArgs),
    Passphrase(passphrase::PassphraseArgs),
    #[command(visible_aliases = ["rm", "delete"])]
    Remove(remove::RemoveArgs),
}

pub(super) fn run(command: SecretCommand, ctx: &Context) -> Result<u8, CliError> {
    match command {
        SecretCommand::List(args) => list::run(&args, ctx),
        SecretCommand::Set(args) => set::run(&args, ctx),
        SecretCommand::Reveal(args) => reveal::run(&args, ctx),
        SecretCommand::Move(args) => r#move::run(&args, ctx),
        SecretCommand::Passphrase(args) => passphrase::run(&args, ctx),
        SecretCommand::Remove(args) => remove::run(&args, ctx),
    }
}
