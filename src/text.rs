//! The one filter for text from outside. Graph, receivers, customers, certificates, files,
//! variables and arguments may contain anything; only through here does it reach a screen, the
//! log of a CI job or a record.
//!
//! `ui/output` passes everything that it prints through [`lines`], and JSON through [`in_json`].
//! Text from outside within a line goes through [`harmless`] or [`excerpt`]. Only
//! `Output::exact` writes exact bytes.

mod calls;
mod paste;

pub use calls::{COMMANDS, Calls, with_spaces_of_commands};
pub use paste::for_shell;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::str::Utf8Error;

/// Implements a type's conversions from and to text, for files and JSON; `$read` filters text
/// read from a file.
macro_rules! text_form {
    ($type:ty) => {
        text_form!($type, String::as_str);
    };
    ($type:ty, $read:path) => {
        impl TryFrom<String> for $type {
            type Error = <$type as std::str::FromStr>::Err;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                $read(&text).parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    };
}
pub(crate) use text_form;

/// Implements `Display` for an enum, from a table of words or a method.
macro_rules! words {
    ($type:ty { $($variant:ident => $words:literal),+ }) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Self::$variant => $words),+ })
            }
        }
    };
    ($type:ty, $method:ident) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.$method())
            }
        }
    };
}
pub(crate) use words;

/// The text of a file or of standard input: UTF-8, or UTF-16 with a byte-order mark, which `>` of
/// Windows PowerShell writes.
///
/// # Errors
/// When it is neither.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Utf8Error> {
    let unit = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return str::from_utf8(bytes).map(Cow::Borrowed),
    };
    let (units, rest) = bytes[2..].as_chunks();
    // It does not grow: a growing buffer would leave copies of a secret behind.
    let mut text = String::with_capacity(bytes.len() * 2);
    let mut characters = char::decode_utf16(units.iter().map(|bytes| unit(*bytes)));
    let is_text = rest.is_empty() && characters.all(|character| character.map(|c| text.push(c)).is_ok());
    if is_text { Ok(Cow::Owned(text)) } else { str::from_utf8(bytes).map(Cow::Borrowed) }
}

/// Text escaped for an element or an attribute of HTML or XML.
pub fn in_markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A number with a comma between the thousands: `12,345`.
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Stands for a secret; always the same length.
pub const MASK: &str = "********";

/// `text` on one line, without anything that could move the cursor, or colour, reorder or hide
/// the text around it: control characters and line separators become spaces; invisible marks
/// (zero width, direction, tags) are dropped.
pub fn harmless(text: &str) -> String {
    judged(text).filter_map(|(_, shown)| shown).collect()
}

/// The beginning of a text from outside: [`harmless`], with its white space folded, at most
/// `longest` characters, and `…` where it was cut.
pub fn excerpt(text: &str, longest: usize) -> String {
    // A text may be megabytes long; only the part to show is read.
    let start: String = text.chars().take(longest.saturating_mul(4)).collect();
    let line = harmless(&start).split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= longest && start.len() == text.len() {
        return line;
    }
    let kept: String = line.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A sentence of ours that may quote text from outside: [`harmless`], and cut where it is longer
/// than any sentence.
pub fn sentence(text: &str) -> String {
    const LONGEST: usize = 4000;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", harmless(&text[..end])),
        None => harmless(text),
    }
}

/// A value from outside, for a command to paste: the value itself where a shell reads it as one
/// plain word, else `placeholder`.
pub fn to_paste<'t>(value: &'t str, placeholder: &'t str) -> &'t str {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let is_word = !value.is_empty() && !value.starts_with('-') && value.bytes().all(plain);
    if is_word { value } else { placeholder }
}

/// The first character of a text that [`harmless`] would change.
pub fn first_unfit(text: &str) -> Option<char> {
    judged(text).find(|(c, shown)| *shown != Some(*c)).map(|(c, _)| c)
}

/// A character by its number, as Unicode's tables write it: `U+202E`.
pub fn code_point(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// Lines ready to print: [`harmless`] except for line feeds, and without anything that a CI
/// runner takes for a command: `::error::` at the beginning of a line (even after white space),
/// `##[error]` and `##vso[…]` anywhere. A backslash splits those. `fresh` says whether the text
/// begins a line, and on return whether the next text does.
pub fn lines(text: &str, fresh: &mut bool) -> String {
    let clean: String = judged(text).filter_map(|(c, shown)| if c == '\n' { Some(c) } else { shown }).collect();
    let mut shown = String::with_capacity(clean.len());
    for (at, c) in clean.char_indices() {
        let rest = &clean[at..];
        if *fresh && rest.starts_with("::") {
            shown.push('\\');
        }
        shown.push(c);
        if is_runner_command(rest) {
            shown.push('\\');
        }
        *fresh = c == '\n' || *fresh && c.is_whitespace();
    }
    shown
}

/// The same for a text on one line, where something other than `ui/output` prints it.
pub fn one_line(text: &str) -> String {
    lines(&harmless(text), &mut true)
}

/// JSON with every character that [`harmless`] would change, and every CI runner command,
/// escaped: its meaning stays the same. Two characters that YAML rejects are escaped too, since
/// YAML readers read this.
pub fn in_json(json: &str) -> Cow<'_, str> {
    let plain = |byte: u8| matches!(byte, b' '..=b'~' if byte != b'#');
    if json.bytes().all(plain) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len());
    for (at, c) in json.char_indices() {
        // Outside of strings JSON has neither.
        let escape = is_unseen(c) || is_control(c) || matches!(c, '\u{fffe}' | '\u{ffff}');
        if escape || is_runner_command(&json[at..]) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing into memory does not fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Each character, and what is shown for it.
fn judged(text: &str) -> impl Iterator<Item = (char, Option<char>)> {
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    std::iter::from_fn(move || {
        let c = chars.next()?;
        let joins = c == JOINER && is_picture(before) && chars.peek().copied().is_some_and(is_picture);
        before = c;
        Some((c, if is_control(c) { Some(' ') } else { (joins || !is_unseen(c)).then_some(c) }))
    })
}

/// Joins emoji. Allowed only between two of them.
const JOINER: char = '\u{200d}';

fn is_picture(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

/// Whether a text begins with `##[` or `##WORD[`.
pub fn is_runner_command(text: &str) -> bool {
    let word = |rest: &str| rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).starts_with('[');
    text.strip_prefix("##").is_some_and(word)
}

/// Whether a character moves the cursor, ends a line or begins an escape.
pub fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether a character is invisible and may change how others look: zero width, direction, tags,
/// annotations, fillers. Not U+FE0E and U+FE0F, which choose between an emoji and a sign.
pub fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let told = [0, 999, 1000, 12_345, 1_000_000].map(count);
        assert_eq!(told, ["0", "999", "1,000", "12,345", "1,000,000"]);
    }

    #[test]
    fn what_strangers_write_cannot_move_the_cursor() {
        assert_eq!(harmless("a\u{1b}[2Jb\r\nc\u{202e}d"), "a [2Jb  cd");
        assert_eq!(harmless("x\u{200b}y\u{2028}z\u{e0041}\u{9b}0m\u{fff9}\u{2066}"), "xy z 0m");
        for text in ["Grüße ❤\u{fe0f} 😀 日本", "👨\u{200d}👩\u{200d}👧 👩🏽\u{200d}⚕\u{fe0f}"] {
            assert_eq!(harmless(text), text);
        }
        assert_eq!(harmless("a\u{200d}b 👨\u{200d}x \u{200d}👨 👨\u{200d}\u{200d}👩"), "ab 👨x 👨 👨👩");
    }

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt(" a\n\tb  c ", 10), "a b c");
        assert_eq!(excerpt("abcdefghij", 10), "abcdefghij");
        assert_eq!(excerpt("abcdefghijk", 10), "abcdefghi…");
        assert_eq!(excerpt(&"ä".repeat(1_000_000), 5), "ääää…");
        assert_eq!(excerpt(&" ".repeat(100), 5), "…");
    }

    #[test]
    fn a_sentence_is_cut_where_it_is_none() {
        assert_eq!(sentence("a  b\nc"), "a  b c");
        assert_eq!(sentence(&"ä".repeat(7_000_000)).chars().count(), 4001);
    }

    #[test]
    fn a_command_to_paste_holds_no_command_from_outside() {
        assert_eq!(to_paste("acme.support_2-x", "USERNAME"), "acme.support_2-x");
        for value in ["", "-x", "a b", "$(x)", "a;b", "`x`", "a\nb", "é", "a'b", "a|b", "a#b"] {
            assert_eq!(to_paste(value, "USERNAME"), "USERNAME", "{value}");
        }
    }

    #[test]
    fn the_character_that_is_unfit_is_named() {
        assert_eq!(first_unfit("Acme\u{202e}x\u{1b}").map(code_point).as_deref(), Some("U+202E"));
        assert_eq!(first_unfit("Acme \u{e0041}").map(code_point).as_deref(), Some("U+E0041"));
        assert_eq!(first_unfit("Müller & Söhne 日本"), None);
    }

    fn printed(text: &str) -> String {
        lines(text, &mut true)
    }

    #[test]
    fn no_line_is_a_command_to_a_ci_runner() {
        assert_eq!(printed("a ::b\n::error::c\n  ::set-output x"), "a ::b\n\\::error::c\n  \\::set-output x");
        // A dropped character does not hide a command.
        assert_eq!(printed("\u{200b}:\u{200b}:error::x"), "\\::error::x");
        assert_eq!(printed("a ##[error]b ##vso[task.x]c ###[d # [e"), "a #\\#[error]b #\\#vso[task.x]c ##\\#[d # [e");
        assert_eq!(printed("\r::error::x"), " \\::error::x");
        let mut fresh = true;
        assert_eq!(
            lines("name: ", &mut fresh) + &lines("::x\n", &mut fresh) + &lines("::y", &mut fresh),
            "name: ::x\n\\::y"
        );
    }

    #[test]
    fn json_says_the_same_and_shows_what_it_says() {
        let value = "a\u{202e}b\u{9b}c\u{e0041}d\u{2028}é😀##[error]e\u{7f}\u{1b}";
        let json = serde_json::to_string(value).expect("JSON");
        let escaped = in_json(&json);
        assert_eq!(first_unfit(&escaped), None);
        assert!(
            escaped.contains("\\u202e") && escaped.contains("\\udb40\\udc41") && !escaped.contains("##["),
            "{escaped}"
        );
        assert_eq!(serde_json::from_str::<String>(&escaped).expect("JSON"), value);
        assert!(matches!(in_json("{\"a\":1}"), Cow::Borrowed(_)));
    }
}
