//! `msgrctl chat-settings`: what holds for every account of the tenant.

mod edit;
mod page;
mod set;
mod show;

use clap::Subcommand;

use super::context::Context;
use super::error::CliError;
use super::tenant::check_known;
use crate::messages::{ChatSettings, ChatText, Timeouts, undeliverable};

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

/// Changes the Chat Settings as they are now, while nobody else does, and returns them.
/// Says what a long timeout means.
fn change(
    ctx: &Context,
    change: impl FnOnce(&mut ChatSettings) -> Result<(), CliError>,
) -> Result<ChatSettings, CliError> {
    check_known(ctx, ctx.settings()?.tenant.value.as_str())?;
    let file = ctx.chat_settings()?;
    let held = ctx.hold_tenant()?;
    let old = file.load()?;
    let mut new = old.clone();
    change(&mut new)?;
    if new == old {
        ctx.output.notice("nothing to change");
        return Ok(new);
    }
    file.change(|known| *known = new.clone())?;
    drop(held);
    if new.timeouts != old.timeouts {
        warn_of_the_window(ctx, &new);
    }
    Ok(new)
}

fn warn_of_the_window(ctx: &Context, settings: &ChatSettings) {
    let timeouts = &settings.timeouts;
    let timeout = timeouts.messenger.unwrap_or(Timeouts::MESSENGER);
    let silent = |event| settings.messages.get(&event) == Some(&ChatText::Disabled);
    for window in undeliverable(timeouts).into_iter().filter(|window| !silent(window.event)) {
        ctx.output.warning(&format!(
            "with a messenger timeout of {timeout} the message {} would be sent {} after the customer's last one, and Meta takes automated messages within 24 hours only: it can never be delivered",
            window.event, window.after
        ));
    }
}
