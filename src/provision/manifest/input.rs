//! The text of a manifest as the parser takes it: character for character in its place.
//!
//! The parser reads YAML; JSON has two things that it does not take: a pair of escapes
//! for one character beyond U+FFFF (`\ud83d\ude00`), and a tab after a colon. Both are
//! replaced by something of the same length, so that places stay what they are.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::de::IgnoredAny;

/// A text for the parser, and what is to be put back in what it reads.
pub(super) struct Input<'t> {
    pub text: Cow<'t, str>,
    pairs: Vec<Pair>,
    /// The next pair that has not been put back.
    next: usize,
    stand_in: char,
}

struct Pair {
    /// Where it begins, in characters.
    index: usize,
    character: char,
    /// As it is written.
    written: String,
}

/// `\ud83d\ude00`.
const LENGTH: usize = 12;

impl<'t> Input<'t> {
    /// Prepares a text; a byte-order mark goes.
    pub fn new(text: &'t str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut input = Self { text: text.into(), pairs: Vec::new(), next: 0, stand_in: '\0' };
        // In JSON a tab is white space wherever it stands.
        if text.contains('\t') && serde_json::from_str::<IgnoredAny>(text).is_ok() {
            input.text = text.replace('\t', " ").into();
        }
        if text.contains("\\u")
            && let Some(stand_in) = unused(text)
        {
            input.stand_in = stand_in;
            input.take_pairs_out();
        }
        input
    }

    fn take_pairs_out(&mut self) {
        let stand_in = self.written_stand_in();
        let mut text = String::with_capacity(self.text.len());
        let (mut rest, mut index) = (&*self.text, 0);
        while let Some(at) = rest.find('\\') {
            let (before, from) = rest.split_at(at);
            text.push_str(before);
            index += before.chars().count();
            // A backslash and what it escapes are taken together: `\\ud83d` is no escape.
            let taken = if let Some(character) = pair(from) {
                self.pairs.push(Pair { index, character, written: from[..LENGTH].into() });
                text.push_str(&stand_in);
                LENGTH
            } else {
                let taken: usize = from.chars().take(2).map(char::len_utf8).sum();
                text.push_str(&from[..taken]);
                taken
            };
            index += from[..taken].chars().count();
            rest = &from[taken..];
        }
        if !self.pairs.is_empty() {
            text.push_str(rest);
            self.text = text.into();
        }
    }

    /// A value that the parser has read, beginning at the character `index`, with its
    /// pairs again. Values come in the order of the text.
    pub fn restore(&mut self, value: &str, double_quoted: bool, index: usize) -> String {
        // What stands in comments is never asked for.
        while self.pairs.get(self.next).is_some_and(|pair| pair.index < index) {
            self.next += 1;
        }
        let stand_in = if double_quoted { String::from_iter([self.stand_in; 2]) } else { self.written_stand_in() };
        let mut restored = String::with_capacity(value.len());
        let mut rest = value;
        while let Some(pair) = self.pairs.get(self.next)
            && let Some((before, after)) = rest.split_once(&stand_in)
        {
            restored.push_str(before);
            if double_quoted {
                restored.push(pair.character);
            } else {
                restored.push_str(&pair.written);
            }
            rest = after;
            self.next += 1;
        }
        restored + rest
    }

    fn written_stand_in(&self) -> String {
        format!("\\u{:04x}", u32::from(self.stand_in)).repeat(2)
    }
}

/// The character of the pair of escapes that `text` begins with.
fn pair(text: &str) -> Option<char> {
    let bytes = text.as_bytes().get(..LENGTH)?;
    let unit = |bytes: &[u8]| {
        let digits = bytes.strip_prefix(b"\\u").filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let units = [unit(&bytes[..6])?, unit(&bytes[6..])?];
    if !(0xd800..0xdc00).contains(&units[0]) {
        return None;
    }
    char::decode_utf16(units).next()?.ok()
}

/// A character for private use that a text does not have, neither as it is nor escaped.
fn unused(text: &str) -> Option<char> {
    let mut used: HashSet<u32> = text.chars().map(u32::from).filter(|code| (0xe000..0xf900).contains(code)).collect();
    let four = |at: usize| text.get(at..at + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    used.extend(text.match_indices(['e', 'E', 'f', 'F']).filter_map(|(at, _)| four(at)));
    (0xe000..0xf900).find(|code| !used.contains(code)).and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_taken_out_and_put_back_in_their_order() {
        let text = "# \\ud83d\\ude00\na: \"\\uD83D\\uDE01 x\"\nb: '\\ud83d\\ude02'\n\u{e000} \\ue001";
        let mut input = Input::new(text);
        assert_eq!(input.text.chars().count(), text.chars().count());
        assert!(!input.text.contains("ude0"));
        assert_eq!(input.stand_in, '\u{e002}');
        assert_eq!(input.restore("\u{e002}\u{e002} x", true, 17), "😁 x");
        assert_eq!(input.restore("\\ue002\\ue002", false, 37), "\\ud83d\\ude02");
    }

    #[test]
    fn what_is_no_pair_stays() {
        for text in ["\\\\ud83d\\ude00", "\\ud83d", "\\ud83d\\u0041", "\\ude00\\ud83d", "\\ud83d\\u+e00", "ü\\ü", "\\"]
        {
            assert_eq!(Input::new(text).text, text, "{text}");
        }
    }

    #[test]
    fn tabs_are_spaces_in_json_alone() {
        assert_eq!(Input::new("\u{feff}{\"a\":\t1}").text, "{\"a\": 1}");
        assert_eq!(Input::new("a: 'b\tc'").text, "a: 'b\tc'");
    }
}
