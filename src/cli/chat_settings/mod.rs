//! `msgrctl chat-settings`: what holds for every account of the tenant.

mod edit;
mod page;
mod set;
mod show;

use clap::Subcommand;

use super::context::Context;
use super::error::CliError;
use crate::messages::{ChatSettings, Timeouts, undeliverable};

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

/// Saves Chat Settings, and says what a long timeout means.
fn save(ctx: &Context, settings: &ChatSettings) -> Result<(), CliError> {
    let file = ctx.chat_settings()?;
    {
        let _change = ctx.hold_tenant()?;
        file.change(|known| *known = settings.clone())?;
    }
    warn_of_the_window(ctx, &settings.timeouts);
    Ok(())
}

fn warn_of_the_window(ctx: &Context, timeouts: &Timeouts) {
    let timeout = timeouts.messenger.unwrap_or(Timeouts::MESSENGER);
    for window in undeliverable(timeouts) {
        ctx.output.warning(&format!(
            "with a messenger timeout of {timeout} the message {} would be sent {} after the customer's last one, and Meta takes automated messages within 24 hours only: it can never be delivered",
            window.event, window.after
        ));
    }
}
