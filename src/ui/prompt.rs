//! Questions to a person. The only place that knows dialoguer.

use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use dialoguer::{Confirm, Password};

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
    /// Yes or no, with Enter; no when only Enter is pressed.
    fn confirm(&self, question: &str) -> Result<bool, PromptError>;

    /// A line that is not shown while it is typed.
    fn hidden(&self, question: &str) -> Result<String, PromptError>;
}

/// The person at the terminal.
pub struct Person {
    /// Whether questions may be coloured.
    pub color: bool,
}

impl Prompter for Person {
    fn confirm(&self, question: &str) -> Result<bool, PromptError> {
        // Without waiting for Enter what is typed after the y would go to the shell.
        let theme = self.theme();
        let asked = Confirm::with_theme(theme.as_ref()).with_prompt(question).default(false);
        asked.wait_for_newline(true).interact().map_err(|error| failed(&error))
    }

    fn hidden(&self, question: &str) -> Result<String, PromptError> {
        let theme = self.theme();
        Password::with_theme(theme.as_ref()).with_prompt(question).interact().map_err(|error| failed(&error))
    }
}

impl Person {
    fn theme(&self) -> Box<dyn Theme> {
        if self.color { Box::new(ColorfulTheme::default()) } else { Box::new(SimpleTheme) }
    }
}

fn failed(dialoguer::Error::IO(error): &dialoguer::Error) -> PromptError {
    match error.kind() {
        std::io::ErrorKind::Interrupted => PromptError::Interrupted,
        _ => PromptError::Gone,
    }
}
