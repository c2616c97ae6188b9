//! `msgrctl chat-settings edit`: the whole page in the editor.

use clap::Args;

use super::{page, show};
use crate::accounts::{AccountError, SchemaError};
use crate::cli::context::Context;
use crate::cli::editor::{self, Edited};
use crate::cli::error::CliError;
use crate::cli::tenant::check_known;
use crate::messages::ChatSettings;

/// Edit the Chat Settings in your editor ($VISUAL, $EDITOR)
///
/// Every field stands there with what it is. After a mistake the editor opens again; a
/// page that was not changed changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl chat-settings edit\n  EDITOR='code --wait' msgrctl chat-settings edit")]
pub struct EditArgs {}

pub fn run(_args: &EditArgs, ctx: &Context) -> Result<u8, CliError> {
    if !ctx.someone_can_answer() {
        return Err(CliError::usage("an editor needs a terminal").hint("without one: msgrctl chat-settings set --help"));
    }
    check_known(ctx, ctx.settings()?.tenant.value.as_str())?;
    let file = ctx.chat_settings()?;
    let old = file.load()?;
    let tenant = ctx.settings()?.tenant.value.as_str();
    let read = |text: &str| -> Result<ChatSettings, CliError> {
        let settings = file.read(text).map_err(in_the_page)?;
        let timeouts = show::timeouts(&settings.timeouts);
        for (name, _, value) in timeouts.into_iter().filter(|(name, ..)| *name != "agent_ramp_up") {
            if let Some(value) = value.filter(|value| !value.is_whole_minutes()) {
                return Err(CliError::usage(format!(
                    "{name}: {value} is not whole minutes, the contact centre's unit"
                )));
            }
        }
        // Saved in here, so that the page is kept when that fails.
        super::change(ctx, |now| {
            if *now != old {
                return Err(CliError::failed(
                    "another command has changed the Chat Settings meanwhile; nothing was saved",
                ));
            }
            *now = settings;
            Ok(())
        })
    };
    match editor::edit(ctx, &page::text(tenant, &old), ".toml", read)? {
        Edited::Changed(new) => show::print(ctx, &new),
        Edited::Unchanged => {
            ctx.output.notice("unchanged; nothing was saved");
            Ok(0)
        }
        Edited::Empty => Err(CliError::left("the page is empty; nothing was saved")),
    }
}

/// A mistake by its line in the page that is edited, not in the file that it becomes.
fn in_the_page(error: AccountError) -> CliError {
    match error {
        AccountError::Schema(SchemaError::Broken { mistake, .. }) => {
            let shown = CliError::usage(mistake.to_string());
            match mistake.nearest {
                Some(near) => shown.hint(format!("the key is perhaps '{near}'")),
                None => shown,
            }
        }
        other => other.into(),
    }
}
