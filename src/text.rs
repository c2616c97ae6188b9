//! Text from outside, made fit to be shown: what Graph, receivers, customers and
//! certificates say may hold anything.

/// What stands in place of a secret: always as long, however long that is.
pub const MASK: &str = "********";

/// `text` on one line, without what could move a cursor, colour, reorder or hide what
/// stands beside it: control characters and line separators become spaces; marks that
/// are not seen (zero width, direction, tags) are dropped.
pub fn harmless(text: &str) -> String {
    text.chars().filter(|c| !is_unseen(*c)).map(|c| if is_control(c) { ' ' } else { c }).collect()
}

/// The beginning of a text from outside: [`harmless`], its white space folded, at
/// most `longest` characters, with `…` where it was cut.
pub fn excerpt(text: &str, longest: usize) -> String {
    // A text may be megabytes long, and is not read further than it is shown.
    let start: String = text.chars().take(longest.saturating_mul(4)).collect();
    let line = harmless(&start).split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= longest && start.len() == text.len() {
        return line;
    }
    let kept: String = line.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_write_cannot_move_the_cursor() {
        assert_eq!(harmless("a\u{1b}[2Jb\r\nc\u{202e}d"), "a [2Jb  cd");
        assert_eq!(harmless("x\u{200b}y\u{2028}z\u{e0041}\u{9b}0m"), "xy z 0m");
        assert_eq!(harmless("Grüße 😀 日本"), "Grüße 😀 日本");
    }

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt(" a\n\tb  c ", 10), "a b c");
        assert_eq!(excerpt("abcdefghij", 10), "abcdefghij");
        assert_eq!(excerpt("abcdefghijk", 10), "abcdefghi…");
        assert_eq!(excerpt(&"ä".repeat(1_000_000), 5), "ääää…");
        assert_eq!(excerpt(&" ".repeat(100), 5), "…");
    }
}
