//! `msgrctl chat-settings`: what holds for every account of the tenant.

mod edit;
mod page;
mod set;
mod show;

use clap::Subcommand;

use super::context::Context;
use super::error::CliError;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, after_help = "Examples:\n  msgrctl chat-settings show")]
pub(super) enum ChatSettingsCommand {
    Show(show::ShowArgs),
    Set(set::SetArgs),
    Edit(edit::EditArgs),
}

pub(super) fn run(command: ChatSettingsCommand, ctx: &Context) -> Result<u8, CliError> {
    match command {
        ChatSettingsCommand::Show(args) => show::run(&args, ctx),
        ChatSettingsCommand::Set(args) => set::run(&args, ctx),
        ChatSettingsCommand::Edit(args) => edit::run(&args, ctx),
    }
}
