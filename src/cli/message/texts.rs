//! Reads a text from a flag, a file or standard input.

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::files;
use crate::messages::{MessageText, TextError};

/// More than any text of 2000 characters.
const BYTES: u64 = 64 * 1024;

#[derive(Debug, Args)]
pub struct TextArgs {
    /// The text
    #[arg(long, value_name = "TEXT", group = "source")]
    text: Option<String>,
    /// Read the text from a file; '-' is standard input
    #[arg(long, value_name = "PATH", group = "source")]
    text_file: Option<PathBuf>,
}

impl TextArgs {
    /// A text given without a flag; `-` is standard input.
    pub fn read_word(ctx: &Context, text: &str) -> Result<Option<MessageText>, CliError> {
        let dash = text == "-";
        Self { text: (!dash).then(|| text.to_owned()), text_file: None }.read(ctx, dash)
    }

    pub fn is_given(&self) -> bool {
        self.text.is_some() || self.text_file.is_some()
    }

    pub fn is_empty(&self) -> bool {
        self.text.as_deref().is_some_and(|text| text.trim().is_empty())
    }

    /// The given text, checked; `dash`: it is on standard input.
    pub fn read(&self, ctx: &Context, dash: bool) -> Result<Option<MessageText>, CliError> {
        if self.is_given() && dash {
            return Err(CliError::usage("the text is given twice: omit '-' or the flag"));
        }
        let file = self.text_file.as_ref().filter(|path| path.as_os_str() != "-");
        let bytes = match (&self.text, file) {
            (Some(text), _) => text.clone().into_bytes().into(),
            (None, Some(path)) => files::read_bytes(path, BYTES).map_err(|error| CliError::of_given(&error))?,
            _ if self.is_given() || dash => {
                let failed = |error: std::io::Error| {
                    CliError::usage("the text could not be read from standard input").cause(error.to_string())
                };
                ctx.read_stdin(BYTES).map_err(failed)?
            }
            _ => return Ok(None),
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| CliError::usage("the text is not UTF-8"))?;
        text.strip_prefix('\u{feff}')
            .unwrap_or(text)
            .parse()
            .map(Some)
            .map_err(|error: TextError| CliError::from(error))
    }
}
