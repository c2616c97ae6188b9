//! Questions to a person. The only place that knows dialoguer.

use dialoguer::Confirm;
use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// The terminal went away.
    #[error("the terminal could not be read")]
    Gone,
}

/// Whoever answers.
pub trait Prompter {
    /// Yes or no; no when only Enter is pressed.
    fn confirm(&self, question: &str) -> Result<bool, PromptError>;
}

/// The person at the terminal.
pub struct Person {
    /// Whether questions may be coloured.
    pub color: bool,
}

impl Prompter for Person {
    fn confirm(&self, question: &str) -> Result<bool, PromptError> {
        let theme: Box<dyn Theme> = if self.color { Box::new(ColorfulTheme::default()) } else { Box::new(SimpleTheme) };
        let asked = Confirm::with_theme(theme.as_ref()).with_prompt(question).default(false).interact();
        asked.map_err(|dialoguer::Error::IO(error)| match error.kind() {
            std::io::ErrorKind::Interrupted => PromptError::Interrupted,
            _ => PromptError::Gone,
        })
    }
}
