//! Prompts. The only module that uses dialoguer.

use std::collections::HashSet;
use std::fmt;

use console::{Term, measure_text_width};
use dialoguer::Select;
use dialoguer::theme::{ColorfulTheme, Theme};
use secrecy::zeroize::Zeroizing;

use super::interrupt;
use super::line::{self, Typed};
use super::search;
use super::style::wrap;
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

/// Asks the user.
pub trait Prompter {
    /// Yes or no, with Enter; Enter without an answer means no.
    fn confirm(&self, question: &str) -> Result<bool, PromptError>;

    /// A line that is not echoed; empty for Enter without an answer, `None` for Esc.
    fn hidden(&self, question: &str) -> Result<Option<Zeroizing<String>>, PromptError>;

    /// A line; `None` for Esc. Enter without an answer gives `offered`, which is shown. The typed
    /// text is cleared from the screen: the caller decides whether to show it.
    fn line(&self, question: &str, offered: &str) -> Result<Option<String>, PromptError>;

    /// A line that starts as `text`; `None` for Esc.
    fn edit(&self, question: &str, text: &str) -> Result<Option<String>, PromptError>;

    /// Shows an answer that may stay on the screen.
    fn show(&self, question: &str, answer: &str);

    /// One of a few, `at` marked first; `None` for Esc: a step back.
    fn choose(&self, question: &str, items: &[String], at: usize) -> Result<Option<usize>, PromptError>;

    /// One of many, found by typing part of it; `None` for Esc.
    fn search(&self, question: &str, items: &[String]) -> Result<Option<usize>, PromptError>;

    /// The same for several: the space bar ticks; never empty, `None` for Esc.
    fn search_several(&self, question: &str, items: &[String]) -> Result<Option<Vec<usize>>, PromptError>;
}

pub struct Person {
    pub screen: Screen,
    /// Whether a line can be redrawn.
    pub can_move: bool,
}

impl Prompter for Person {
    fn confirm(&self, question: &str) -> Result<bool, PromptError> {
        loop {
            let Some(typed) = self.ask(&self.confirm_prompt(question), false, "")? else { return Ok(false) };
            let yes = match typed.trim().to_ascii_lowercase().as_str() {
                "y" | "yes" => true,
                "" | "n" | "no" => false,
                _ => {
                    // The next question notices a terminal that is gone.
                    let _ = Term::stderr().write_line("  Answer y or n");
                    continue;
                }
            };
            self.show(question, if yes { "yes" } else { "no" });
            return Ok(yes);
        }
    }

    fn hidden(&self, question: &str) -> Result<Option<Zeroizing<String>>, PromptError> {
        let mut prompt = String::new();
        // Writing into a string cannot fail.
        let _ = self.theme().format_prompt(&mut prompt, &one_line(question));
        self.ask(&prompt, true, "")
    }

    fn line(&self, question: &str, offered: &str) -> Result<Option<String>, PromptError> {
        let offered = one_line(offered);
        let typed = self.ask(&self.line_prompt(question, &offered), false, "")?;
        Ok(typed.map(|typed| if typed.is_empty() { offered } else { typed.to_string() }))
    }

    fn edit(&self, question: &str, text: &str) -> Result<Option<String>, PromptError> {
        let typed = self.ask(&self.line_prompt(question, ""), false, &one_line(text))?;
        Ok(typed.map(|typed| typed.to_string()))
    }

    fn show(&self, question: &str, answer: &str) {
        let mut line = String::new();
        // Writing into a string cannot fail; a terminal that is gone needs no line.
        let _ = self.theme().format_input_prompt_selection(&mut line, &one_line(question), &one_line(answer));
        let _ = console::Term::stderr().write_line(&line);
    }

    fn choose(&self, question: &str, items: &[String], at: usize) -> Result<Option<usize>, PromptError> {
        let theme = self.theme();
        let asked = Select::with_theme(theme.as_ref())
            .with_prompt(one_line(question))
            .items(shortened(items, MARK))
            .default(at);
        left(asked.interact_opt())
    }

    fn search(&self, question: &str, items: &[String]) -> Result<Option<usize>, PromptError> {
        let prompt = self.list_prompt(question);
        let chosen = search::search(&Term::stderr(), &prompt, &shortened(items, MARK), self.screen);
        let chosen = chosen.map_err(|error| PromptError::of(&error))?;
        if let Some(at) = chosen {
            self.show(question, &items[at]);
        }
        Ok(chosen)
    }

    fn search_several(&self, question: &str, items: &[String]) -> Result<Option<Vec<usize>>, PromptError> {
        let prompt = self.list_prompt(question);
        let chosen = search::search_several(&Term::stderr(), &prompt, &shortened(items, MARK + TICK), self.screen);
        let chosen = chosen.map_err(|error| PromptError::of(&error))?;
        match chosen.as_deref() {
            None => {}
            Some([at]) => self.show(question, &items[*at]),
            Some(several) => self.show(question, &format!("{} chosen", several.len())),
        }
        Ok(chosen)
    }
}

impl Person {
    fn list_prompt(&self, question: &str) -> String {
        let mut prompt = String::new();
        // Writing into a text does not fail.
        let _ = self.theme().format_prompt(&mut prompt, &one_line(question));
        prompt.trim_end().to_owned()
    }

    fn line_prompt(&self, question: &str, offered: &str) -> String {
        let mut prompt = String::new();
        let offered = Some(offered).filter(|offered| !offered.is_empty());
        // Writing into a string cannot fail.
        let _ = self.theme().format_input_prompt(&mut prompt, &one_line(question), offered);
        prompt
    }

    fn confirm_prompt(&self, question: &str) -> String {
        let mut prompt = String::new();
        let _ = self.theme().format_confirm_prompt(&mut prompt, &one_line(question), Some(false));
        prompt
    }

    /// Asks for a line that starts as `begin`; `None` for Esc. Then clears the question and the
    /// text from the screen, unless the question takes more than a row.
    fn ask(&self, prompt: &str, hidden: bool, begin: &str) -> Result<Option<Zeroizing<String>>, PromptError> {
        const LEAST: usize = 20;
        let term = Term::stderr();
        let width = usize::from(term.size().1);
        let prompt = prompt.trim_end();
        let suffix = if self.screen.unicode { "›" } else { ">" };
        let mut before = format!("{prompt} ");
        let mut above = 0;
        if measure_text_width(&before) + LEAST > width {
            let lines = wrap(prompt, u16::try_from(width).ok(), 2);
            let (first, last) = lines.rsplit_once('\n').unwrap_or(("", &lines));
            if !first.is_empty() {
                above += first.lines().count();
                term.write_line(first).map_err(|error| PromptError::of(&error))?;
            }
            before = format!("{last} ");
            if measure_text_width(&before) + LEAST > width {
                above += 1;
                term.write_line(last).map_err(|error| PromptError::of(&error))?;
                before = format!("{suffix} ");
            }
        }
        let room = self.can_move.then(|| width.saturating_sub(measure_text_width(&before) + 1));
        let typed = line::read(&term, &before, room, hidden, begin).map_err(|error| PromptError::of(&error))?;
        if self.can_move {
            term.clear_line().and_then(|()| term.clear_last_lines(above)).map_err(|error| PromptError::of(&error))?;
        } else {
            term.write_line("").map_err(|error| PromptError::of(&error))?;
        }
        Ok(match typed {
            Typed::Line(line) => Some(line),
            Typed::Back => None,
        })
    }

    /// The look of a question; from here on Ctrl-C restores the terminal.
    fn theme(&self) -> Box<dyn Theme> {
        interrupt::install();
        if !self.screen.color {
            return Box::new(Plain);
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

/// Questions without colour. One that ends as a question gets no colon.
struct Plain;

fn colon(question: &str) -> &'static str {
    if question.ends_with('?') { "" } else { ":" }
}

impl Theme for Plain {
    fn format_prompt(&self, f: &mut dyn fmt::Write, question: &str) -> fmt::Result {
        write!(f, "{question}{}", colon(question))
    }

    fn format_input_prompt_selection(&self, f: &mut dyn fmt::Write, question: &str, answer: &str) -> fmt::Result {
        write!(f, "{question}{} {answer}", colon(question))
    }
}

/// The columns of the mark before an item, and of a tick.
const MARK: usize = 4;
const TICK: usize = 4;

/// Items shortened to one line each, because a redrawn list counts its lines; and made
/// unique, because the choice is found by its text. `before`: the columns that a list needs.
fn shortened(items: &[String], before: usize) -> Vec<String> {
    let room = usize::from(console::Term::stderr().size().1).saturating_sub(before).max(20);
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

impl PromptError {
    fn of(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::Interrupted => Self::Interrupted,
            _ => Self::Gone,
        }
    }
}

/// The answer of a list. A letter of a paste may leave it, as Esc does: the rest of the paste,
/// a secret perhaps, must not go to the next question or to the shell.
fn left(chosen: dialoguer::Result<Option<usize>>) -> Result<Option<usize>, PromptError> {
    let chosen = chosen.map_err(|dialoguer::Error::IO(error)| PromptError::of(&error))?;
    if chosen.is_none() {
        interrupt::forget_typed();
        // The rest of it may come in pieces.
        while line::more_is_waiting() {
            interrupt::forget_typed();
        }
    }
    Ok(chosen)
}
