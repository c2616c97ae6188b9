//! A list to search: typed letters keep the items that contain them. One item is chosen, or
//! several are ticked.

use std::io;

use console::{Key, Term};

use super::interrupt;
use super::line::{Quiet, more_is_waiting};
use super::terminal::Screen;

/// How many items are shown at once, so that the question stays in sight.
const AT_ONCE: usize = 12;
/// A part of a name is shorter; what is longer, or begins like a token, was pasted by mistake.
const LONGEST: usize = 40;

/// The items that contain what was typed, and the marked one.
struct List<'i> {
    items: &'i [String],
    typed: String,
    matching: Vec<usize>,
    at: usize,
    /// Which items are ticked, where several may be.
    ticked: Option<Vec<bool>>,
}

impl<'i> List<'i> {
    fn new(items: &'i [String]) -> Self {
        Self { items, typed: String::new(), matching: (0..items.len()).collect(), at: 0, ticked: None }
    }

    fn filter(&mut self) {
        let typed = self.typed.to_lowercase();
        let contains = |at: &usize| self.items[*at].to_lowercase().contains(typed.trim());
        self.matching = (0..self.items.len()).filter(contains).collect();
        self.at = 0;
    }

    /// Ticks the marked item, or takes its tick away.
    fn tick(&mut self) {
        if let (Some(ticked), Some(item)) = (&mut self.ticked, self.matching.get(self.at)) {
            ticked[*item] = !ticked[*item];
        }
    }

    /// The ticked items; the marked one where none is.
    fn chosen(&self) -> Vec<usize> {
        let ticked = self.ticked.iter().flatten().enumerate().filter(|(_, is)| **is);
        let ticked: Vec<usize> = ticked.map(|(item, _)| item).collect();
        if ticked.is_empty() { self.matching.get(self.at).copied().into_iter().collect() } else { ticked }
    }

    /// What was typed, as it may be shown.
    fn shown(&self) -> &str {
        let is_secret = self.typed.starts_with("EAA") && self.typed.len() > 8;
        if is_secret || self.typed.chars().count() > LONGEST { "********" } else { &self.typed }
    }

    /// Below the question: the items around the marked one, and what is not shown.
    fn lines(&self, screen: Screen) -> Vec<String> {
        let from = self.at.saturating_sub(AT_ONCE - 1);
        let mark = console::style(if screen.unicode { "❯" } else { ">" }).for_stderr();
        let mark = if screen.color { mark.green() } else { mark.force_styling(false) };
        let tick = |item: usize| match &self.ticked {
            None => "",
            Some(ticked) if ticked[item] => "[x] ",
            Some(_) => "[ ] ",
        };
        let row = |at: usize| {
            let item = self.matching[at];
            let item = format!("{}{}", tick(item), self.items[item]);
            if at == self.at { format!("{mark} {item}") } else { format!("  {item}") }
        };
        let to = self.matching.len().min(from + AT_ONCE);
        let mut lines: Vec<String> = (from..to).map(row).collect();
        let hidden = self.matching.len() - (to - from);
        match (self.matching.is_empty(), hidden) {
            (true, _) => lines.push("  nothing matches; Ctrl-U clears".into()),
            (false, 0) => {}
            (false, hidden) => lines.push(format!("  {hidden} more")),
        }
        lines
    }
}

/// Asks after `prompt`; each item fits on a row. `None` for Esc.
pub fn search(term: &Term, prompt: &str, items: &[String], screen: Screen) -> io::Result<Option<usize>> {
    Ok(ask(term, prompt, List::new(items), screen)?.and_then(|chosen| chosen.first().copied()))
}

/// The same for several items: the space bar ticks, Enter takes the ticked ones, or the marked
/// one where none is ticked. Each item leaves room for four characters more.
pub fn search_several(term: &Term, prompt: &str, items: &[String], screen: Screen) -> io::Result<Option<Vec<usize>>> {
    ask(term, prompt, List { ticked: Some(vec![false; items.len()]), ..List::new(items) }, screen)
}

fn ask(term: &Term, prompt: &str, mut list: List<'_>, screen: Screen) -> io::Result<Option<Vec<usize>>> {
    let _quiet = Quiet::begin();
    let mut drawn = 0;
    let chosen = loop {
        // A paste is read whole before anything of it could be shown.
        if !more_is_waiting() {
            term.clear_last_lines(drawn)?;
            let lines = list.lines(screen);
            drawn = lines.len() + 1;
            term.write_line(&format!("{prompt} {}", list.shown()))?;
            for line in &lines {
                term.write_line(line)?;
            }
        }
        match term.read_key_raw()? {
            Key::Enter => {
                let chosen = list.chosen();
                if !chosen.is_empty() {
                    break Some(chosen);
                }
            }
            Key::Escape => break None,
            Key::CtrlC => {
                term.clear_last_lines(drawn)?;
                interrupt::ask_to_stop();
                return Err(io::ErrorKind::Interrupted.into());
            }
            Key::ArrowUp => list.at = list.at.checked_sub(1).unwrap_or(list.matching.len().saturating_sub(1)),
            Key::ArrowDown => list.at = if list.at + 1 < list.matching.len() { list.at + 1 } else { 0 },
            Key::Backspace => {
                list.typed.pop();
                list.filter();
            }
            Key::Char(' ') if list.ticked.is_some() => list.tick(),
            Key::Char('\u{15}') => {
                list.typed.clear();
                list.filter();
            }
            Key::Char(character) if !character.is_control() => {
                list.typed.push(character);
                list.filter();
            }
            _ => {}
        }
    };
    term.clear_last_lines(drawn)?;
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contains_the_letters_stays_and_a_token_is_not_shown() {
        let items: Vec<String> = (1..=30).map(|at| format!("Page {at}  1000{at:02}")).collect();
        let screen = Screen { width: Some(80), color: false, unicode: true };
        let mut list = List::new(&items);
        assert_eq!(list.lines(screen).last().map(String::as_str), Some("  18 more"));
        list.typed = "PAGE 27".into();
        list.filter();
        assert_eq!(list.lines(screen), ["❯ Page 27  100027"]);
        list.typed = "zzz".into();
        list.filter();
        assert_eq!(list.lines(screen), ["  nothing matches; Ctrl-U clears"]);
        list.typed.clear();
        list.filter();
        assert_eq!(list.chosen(), [0]);
        list.ticked = Some(vec![false; 30]);
        for at in [0, 2, 4, 2] {
            list.at = at;
            list.tick();
        }
        assert_eq!(list.chosen(), [0, 4]);
        assert_eq!(list.lines(screen)[..3], ["  [x] Page 1  100001", "  [ ] Page 2  100002", "❯ [ ] Page 3  100003"]);
        for secret in ["EAAsIw3t78PUE1", &"x".repeat(41)] {
            list.typed = secret.into();
            assert_eq!(list.shown(), "********");
        }
    }
}
