//! `msgrctl chat-settings edit`: all settings in the editor.

use super::{page, say_where_it_is_typed, show};
use crate::cli::context::Context;
use crate::cli::editor::{self, Edited};
use crate::cli::error::CliError;
use crate::cli::tenant::check_known;
use crate::operations::chat_settings;

pub fn run(ctx: &Context) -> Result<u8, CliError> {
    if !ctx.someone_can_answer {
        return Err(CliError::usage("an editor needs a terminal").hint("without one: msgrctl chat-settings set --help"));
    }
    check_known(ctx, ctx.settings()?.tenant.value.as_str())?;
    let old = ctx.chat_settings()?.load()?;
    let tenant = ctx.settings()?.tenant.value.as_str();
    // Saved inside the edit, so that the text is kept if saving fails.
    let read = |text: &str| chat_settings::replace(ctx, &old, text);
    match editor::edit(ctx, &page::text(tenant, &old), ".toml", read)? {
        Edited::Changed(new) => {
            say_where_it_is_typed(ctx, new != old);
            show::print(ctx, &new)
        }
        Edited::Unchanged => {
            ctx.output.notice("unchanged; nothing was saved");
            Ok(0)
        }
        Edited::Empty => Err(CliError::left("the page is empty; nothing was saved")),
    }
}
