//! How things look: the same marks, colours and indentation everywhere. Colour
//! never carries a meaning alone.

use anstyle::{AnsiColor, Style};

/// `error:`.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// `warning:`.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// `hint:`.
pub const HINT: Style = AnsiColor::Cyan.on_default();
/// What went well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Names and headings.
pub const BOLD: Style = Style::new().bold();
/// What matters less.
pub const DIM: Style = Style::new().dimmed();

/// `text` in a style, or bare where there is no colour.
pub fn paint(style: Style, text: &str, color: bool) -> String {
    if color { format!("{style}{text}{style:#}") } else { text.into() }
}

/// Breaks `text` at spaces so that no line is wider than `width`; what follows
/// the first line is indented by `indent` columns, which `width` includes.
/// Words that are too long stand alone: an address must stay whole to be pasted.
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
    fn long_words_stay_whole() {
        let url = "https://example.com/a/very/long/address/that/must/stay/whole";
        assert_eq!(wrap(&format!("see {url}"), Some(30), 2), format!("see\n  {url}"));
    }
}
