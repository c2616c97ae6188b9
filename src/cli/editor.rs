//! Edits a text in the operator's editor until it is valid. Nothing typed is lost: after a
//! mistake the editor opens again, and on leaving the file is named.

use super::context::Context;
use super::error::{self, CliError};
use crate::ui::editor::{Editing, EditorError};

pub enum Edited<T> {
    /// A text that can be used.
    Changed(T),
    /// The text as it was.
    Unchanged,
    /// Nothing was left in it.
    Empty,
}

/// Opens `first` in the editor; what comes back is read by `read`, and opened again
/// with the reason when it cannot be.
pub fn edit<T>(
    ctx: &Context,
    first: &str,
    suffix: &str,
    read: impl Fn(&str) -> Result<T, CliError>,
) -> Result<Edited<T>, CliError> {
    let fallback = if cfg!(windows) { "notepad" } else { "vi" };
    let editor = ctx.env.text("VISUAL").or_else(|| ctx.env.text("EDITOR")).unwrap_or(fallback);
    let hidden = ctx.env.ours();
    let editing = Editing::new(first, suffix).map_err(|error| CliError::failed(error.to_string()))?;
    loop {
        let error = match editing.open(editor, &hidden) {
            Ok(text) if text.trim_end_matches('\n') == first.trim_end_matches('\n') => return Ok(Edited::Unchanged),
            Ok(text) if text.trim().is_empty() => return Ok(Edited::Empty),
            Ok(text) => match read(&text) {
                Ok(value) => return Ok(Edited::Changed(value)),
                Err(error) => error,
            },
            Err(EditorError::NotText) => CliError::usage(EditorError::NotText.to_string()),
            Err(EditorError::Interrupted) => return Err(left(editing, CliError::interrupted())),
            Err(error @ EditorError::Failed { .. }) => {
                return Err(left(editing, CliError::failed(error.to_string()).note("nothing was saved")));
            }
            Err(error) => {
                let shown = CliError::failed(error.to_string()).note("nothing was saved");
                let shown = shown.hint("name an editor with the variable VISUAL or EDITOR");
                return Err(left(editing, shown));
            }
        };
        if !ctx.someone_can_answer {
            return Err(left(editing, error));
        }
        error::render(&error, &ctx.output);
        let ways = ["Open the text again", "Leave without saving (the text is kept in a file)"].map(str::to_owned);
        match ctx.prompter.choose("What now?", &ways, 0) {
            Ok(Some(0)) => {}
            Ok(_) => return Err(left(editing, CliError::failed("left; nothing was saved"))),
            Err(error) => return Err(left(editing, error.into())),
        }
    }
}

/// The end of an edit that did not come to anything: the text stays in its file.
fn left(editing: Editing, error: CliError) -> CliError {
    match editing.keep() {
        Some(path) => error.note(format!("your text is in {}", path.display())),
        None => error,
    }
}
