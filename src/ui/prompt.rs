//! Questions to a person. The only place that knows dialoguer.

use std::collections::HashSet;

use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use dialoguer::{Confirm, FuzzySelect, Input, Password, Select};

use super::interrupt;
use super::terminal::Screen;
use crate::text::one_line;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    #[error("the terminal could not be read")]
    Gone,
}

/// Whoever answers.
pub trait Prompter {
    /// Yes or no, with Enter; no when only Enter is pressed.
    fn confirm(&self, question: &str) -> Result<bool, PromptError>;

    /// A line that is not shown while it is typed; empty when only Enter is pressed.
    fn hidden(&self, question: &str) -> Result<String, PromptError>;

    /// A line. Enter alone gives `offered`, which is shown. What was typed does not
    /// stay on the screen: the caller knows whether it may.
    fn line(&self, question: &str, offered: &str) -> Result<String, PromptError>;

    /// Shows an answer that may stay on the screen.
    fn show(&self, question: &str, answer: &str);

    /// One of a few, `at` being the first to be marked; `None` for Esc: a step back.
    fn choose(&self, question: &str, items: &[String], at: usize) -> Result<Option<usize>, PromptError>;

    /// One of many, found by typing a part of it; `None` for Esc.
    fn search(&self, question: &str, items: &[String]) -> Result<Option<usize>, PromptError>;
}

pub struct Person {
    pub screen: Screen,
}

impl Prompter for Person {
    fn confirm(&self, question: &str) -> Result<bool, PromptError> {
        // Without waiting for Enter what is typed after the y would go to the shell.
        let theme = self.theme();
        let asked = Confirm::with_theme(theme.as_ref()).with_prompt(one_line(question)).default(false);
        asked.wait_for_newline(true).interact().map_err(|error| failed(&error))
    }

    fn hidden(&self, question: &str) -> Result<String, PromptError> {
        let theme = self.theme();
        let asked = Password::with_theme(theme.as_ref()).with_prompt(one_line(question)).allow_empty_password(true);
        asked.interact().map_err(|error| failed(&error))
    }

    fn line(&self, question: &str, offered: &str) -> Result<String, PromptError> {
        let theme = self.theme();
        let mut asked =
            Input::<String>::with_theme(theme.as_ref()).with_prompt(one_line(question)).allow_empty(true).report(false);
        if !offered.is_empty() {
            asked = asked.default(one_line(offered));
        }
        asked.interact_text().map_err(|error| failed(&error))
    }

    fn show(&self, question: &str, answer: &str) {
        let mut line = String::new();
        // Writing into a text does not fail; a terminal that is gone needs no line.
        let _ = self.theme().format_input_prompt_selection(&mut line, &one_line(question), &one_line(answer));
        let _ = console::Term::stderr().write_line(&line);
    }

    fn choose(&self, question: &str, items: &[String], at: usize) -> Result<Option<usize>, PromptError> {
        let theme = self.theme();
        let asked =
            Select::with_theme(theme.as_ref()).with_prompt(one_line(question)).items(shortened(items)).default(at);
        asked.interact_opt().map_err(|error| failed(&error))
    }

    fn search(&self, question: &str, items: &[String]) -> Result<Option<usize>, PromptError> {
        let theme = self.theme();
        let asked = FuzzySelect::with_theme(theme.as_ref()).with_prompt(one_line(question)).items(shortened(items));
        asked.default(0).max_length(AT_ONCE).interact_opt().map_err(|error| failed(&error))
    }
}

impl Person {
    /// How a question looks; from here on Ctrl-C gives the terminal back as it was.
    fn theme(&self) -> Box<dyn Theme> {
        interrupt::install();
        if !self.screen.color {
            return Box::new(SimpleTheme);
        }
        let mut theme = ColorfulTheme::default();
        if !self.screen.unicode {
            let ascii = |text: &str| console::style(text.to_owned()).for_stderr();
            theme.prompt_suffix = ascii(">").black().bright();
            theme.success_prefix = ascii("+").green();
            theme.success_suffix = ascii("-").black().bright();
            theme.error_prefix = ascii("x").red();
            theme.active_item_prefix = ascii(">").green();
        }
        Box::new(theme)
    }
}

/// How many items of a long list are shown, so that what was asked stays in sight.
const AT_ONCE: usize = 12;

/// Items that stay on one line each, since a list that is drawn again counts its
/// lines; and that differ, since the one that is chosen is found by its text.
fn shortened(items: &[String]) -> Vec<String> {
    const MARK: usize = 4;
    let room = usize::from(console::Term::stderr().size().1).saturating_sub(MARK).max(20);
    let mut seen = HashSet::new();
    let shorten = |(at, item): (usize, &String)| {
        let item = one_line(item);
        let text = console::truncate_str(&item, room, "…").into_owned();
        if seen.insert(text.clone()) {
            return text;
        }
        let number = format!(" #{}", at + 1);
        format!("{}{number}", console::truncate_str(&item, room - number.len(), "…"))
    };
    items.iter().enumerate().map(shorten).collect()
}

fn failed(dialoguer::Error::IO(error): &dialoguer::Error) -> PromptError {
    match error.kind() {
        std::io::ErrorKind::Interrupted => PromptError::Interrupted,
        _ => PromptError::Gone,
    }
}
