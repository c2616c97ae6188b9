//! `msgrctl state`: where the records are.

mod r#move;
mod show;
mod unlock;

use clap::Subcommand;

use super::context::Context;
use super::error::CliError;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, after_help = "Examples:\n  msgrctl state show")]
pub(super) enum StateCommand {
    Show(show::ShowArgs),
    Move(r#move::MoveArgs),
    Unlock(unlock::UnlockArgs),
}

pub(super) fn run(command: StateCommand, ctx: &Context) -> Result<u8, CliError> {
    match command {
        StateCommand::Show(args) => show::run(&args, ctx),
        StateCommand::Move(args) => r#move::run(&args, ctx),
        StateCommand::Unlock(args) => unlock::run(&args, ctx),
    }
}
