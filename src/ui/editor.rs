//! Edits a text in the user's editor.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use super::interrupt::{self, Hold};
use crate::files::{self, FileError};
use crate::programs;

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
pub enum EditorError {
    #[error("the editor's command '{0}' has a quote that is not closed")]
    Quotes(String),
    #[error("the editor '{program}' could not be started: {source}")]
    Start { program: String, source: io::Error },
    #[error("the editor '{program}' ended with {status}")]
    Failed { program: String, status: String },
    #[error("interrupted")]
    Interrupted,
    #[error("the file is not UTF-8 text")]
    NotText,
    #[error("the text could not be kept in a file: {0}")]
    File(#[from] io::Error),
    #[error(transparent)]
    Write(#[from] FileError),
}

/// Whether Ctrl-C ended it, or the shell that runs it.
fn by_interrupt(status: ExitStatus) -> bool {
    #[cfg(unix)]
    if std::os::unix::process::ExitStatusExt::signal(&status) == Some(2) {
        return true;
    }
    status.code() == Some(130)
}

/// A text in a private file, removed on drop.
pub struct Editing {
    file: tempfile::TempPath,
    first: String,
}

impl Editing {
    /// Writes a file with this text; editors detect its type by `suffix`.
    pub fn new(text: &str, suffix: &str) -> Result<Self, EditorError> {
        let file = files::write_temporary("msgrctl-", suffix, text.as_bytes())?;
        Ok(Self { file: tempfile::TempPath::try_from_path(file)?, first: text.into() })
    }

    /// Opens it, waits for the editor, and returns the text. The editor gets the environment
    /// without the variables `hidden`.
    pub fn open(&self, editor: &str, hidden: &[OsString]) -> Result<String, EditorError> {
        let words = programs::split(editor).ok_or_else(|| EditorError::Quotes(editor.into()))?;
        let (program, arguments) = words.split_first().ok_or_else(|| EditorError::Quotes(editor.into()))?;
        let program = program.clone();
        // Ctrl-C belongs to the editor while it runs.
        interrupt::install();
        let hold = Hold::begin();
        let run = |program: &str| {
            let mut command = Command::new(program);
            for name in hidden {
                command.env_remove(name);
            }
            command.args(arguments).arg(self.path()).status()
        };
        let status =
            programs::start(&program, run).map_err(|source| EditorError::Start { program: program.clone(), source })?;
        // The signal may end the editor before it is noticed here.
        let interrupted = Hold::is_asked() || by_interrupt(status);
        if status.success() {
            Hold::forget();
            return self.text();
        }
        if interrupted {
            hold.until_the_end();
            return Err(EditorError::Interrupted);
        }
        Err(EditorError::Failed { program, status: status.to_string() })
    }

    fn text(&self) -> Result<String, EditorError> {
        let bytes = std::fs::read(self.path())?;
        let text = String::from_utf8(bytes).map_err(|_| EditorError::NotText)?;
        // Some editors add a byte order mark, and those of Windows end lines with two characters.
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Ok(if cfg!(windows) { text.replace("\r\n", "\n") } else { text })
    }

    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Keeps the file if it holds typed text; returns its path.
    pub fn keep(self) -> Option<PathBuf> {
        let typed = std::fs::read(self.path()).is_ok_and(|bytes| !bytes.is_empty() && bytes != self.first.as_bytes());
        typed.then(|| self.file.keep().ok()).flatten()
    }
}
