//! `msgrctl chat-settings`: settings for every account of the tenant.

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
    /// Show the Chat Settings of the tenant: timeouts, and a text for each chat event
    #[command(after_help = "Examples:\n  msgrctl chat-settings show\n  msgrctl chat-settings show --json")]
    Show,
    Set(set::SetArgs),
    /// Edit the Chat Settings in your editor ($VISUAL, $EDITOR)
    ///
    /// Every field is listed with its value. After a mistake the editor opens again; an
    /// unchanged page changes nothing.
    #[command(
        after_help = "Examples:\n  msgrctl chat-settings edit\n  EDITOR='code --wait' msgrctl chat-settings edit"
    )]
    Edit,
}

/// A change here does not reach the contact centre, which has no API for it.
fn say_where_it_is_typed(ctx: &Context, is_changed: bool) {
    if is_changed {
        ctx.output.notice(
            "the contact centre does not know these settings until you enter them in its Chat Settings; what to enter: msgrctl chat-settings show",
        );
    }
}

pub(super) fn run(command: ChatSettingsCommand, ctx: &Context) -> Result<u8, CliError> {
    match command {
        ChatSettingsCommand::Show => show::print(ctx, &ctx.chat_settings()?.load()?),
        ChatSettingsCommand::Set(args) => set::run(&args, ctx),
        ChatSettingsCommand::Edit => edit::run(ctx),
    }
}
