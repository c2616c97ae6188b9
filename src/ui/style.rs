//! Marks, colours and indentation. Colour is never the only carrier of meaning.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use anstyle::{AnsiColor, Style};

use crate::text;

pub const ERROR: Style = AnsiColor::Red.on_default().bold();
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub const HINT: Style = AnsiColor::Cyan.on_default();
/// Success.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Names and headings.
pub const BOLD: Style = Style::new().bold();
/// Less important text.
pub const DIM: Style = Style::new().dimmed();

const ESCAPE: &str = "\u{1b}[";

/// The prefix of our colour codes until they are printed. Its number changes with each run,
/// so that text from outside cannot contain it.
static OURS: LazyLock<String> = LazyLock::new(|| {
    let number = RandomState::new().hash_one(ESCAPE).to_be_bytes();
    // In parts: `console` accepts at most four digits in a code.
    let parts: Vec<String> = number.iter().map(|byte| format!("{byte:03}")).collect();
    format!("{ESCAPE}{};", parts.join(";"))
});

/// `text` in a style, or plain without colour.
pub fn paint(style: Style, text: &str, color: bool) -> String {
    if !color {
        return text.into();
    }
    format!("{}{text}{}", ours(&style.render().to_string()), ours(&style.render_reset().to_string()))
}

/// Marks all colour codes of a text as ours; it holds nothing from outside.
pub fn ours(colored: &str) -> String {
    colored.replace(ESCAPE, &OURS)
}

/// Text to print: our colour codes as a terminal takes them, the rest filtered; for `fresh`
/// see [`text::lines`].
pub(super) fn screened(text: &str, fresh: &mut bool) -> String {
    let mut parts = text.split(OURS.as_str());
    let mut shown = text::lines(parts.next().unwrap_or_default(), fresh);
    for part in parts {
        // Only colours, no other escape codes.
        match part.split_once('m').filter(|(code, _)| code.bytes().all(|b| b.is_ascii_digit() || b == b';')) {
            Some((code, rest)) => {
                shown.extend([ESCAPE, code, "m"]);
                shown.push_str(&text::lines(rest, fresh));
            }
            None => shown.push_str(&text::lines(part, fresh)),
        }
    }
    shown
}

/// Wraps `text` at spaces to `width`; following lines are indented by `indent` columns, which
/// `width` includes. A longer word, such as an address to paste, stays whole.
pub fn wrap(text: &str, width: Option<u16>, indent: usize) -> String {
    let Some(width) = width.map(usize::from) else { return text.into() };
    let room = width.saturating_sub(indent).max(12);
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().filter(|line| {
            line.is_empty() || console::measure_text_width(line) + 1 + console::measure_text_width(word) <= room
        });
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.into()),
        }
    }
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

/// The same for several lines with commands, which stay whole.
pub fn wrap_sentence(sentence: &str, width: Option<u16>, indent: usize) -> String {
    /// As wide as a space, but [`wrap`] does not break there.
    const SPACE: &str = "\u{a0}";
    if width.is_none() {
        return sentence.into();
    }
    let whole = text::with_spaces_of_commands(sentence, SPACE);
    let lines: Vec<String> = whole.lines().map(|line| wrap(line, width, indent)).collect();
    lines.join("\n").replace(SPACE, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_spaces_and_indented() {
        let text = "one two three four five six seven";
        assert_eq!(wrap(text, Some(24), 4), "one two three four\n    five six seven");
        assert_eq!(wrap(text, None, 4), text);
        assert_eq!(wrap("日本 日本 日本 日本 日本", Some(20), 0), "日本 日本 日本 日本\n日本");
    }

    #[test]
    fn a_command_stays_whole() {
        let text = "one two three; to see what there is: msgrctl account list --all; or not";
        let lines = "one two three; to see\nwhat there is:\nmsgrctl account list --all;\nor not";
        assert_eq!(wrap_sentence(text, Some(24), 0), lines);
    }

    #[test]
    fn only_our_own_colours_are_printed() {
        let screened = |text: &str| super::screened(text, &mut true);
        assert_eq!(screened(&paint(WARNING, "a", true)), format!("{WARNING}a{WARNING:#}"));
        assert_eq!(screened(&paint(BOLD, "a\u{1b}[31mb\u{1b}[0m\nc", true)), format!("{BOLD}a [31mb [0m\nc{BOLD:#}"));
        assert_eq!(screened(&format!("{}\u{1b}[5;31mx", paint(DIM, "", true))), format!("{DIM}{DIM:#} [5;31mx"));
        assert_eq!(wrap(&paint(BOLD, "one two", true), Some(12), 0), paint(BOLD, "one two", true));
    }

    #[test]
    fn long_words_stay_whole() {
        let url = "https://example.com/a/very/long/address/that/must/stay/whole";
        assert_eq!(wrap(&format!("see {url}"), Some(30), 2), format!("see\n  {url}"));
    }
}
