//! Places in a manifest, and the mistakes there.

use std::fmt;

use serde::Serialize;

use crate::secrets::{holds_credential, redact};
use crate::text::{self, is_control, is_unseen};

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, as the user named it.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", text::harmless(&self.file), self.line, self.column)
    }
}

/// A mistake or an oddity, with its place. It never quotes a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The place of the key or value.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong and what to do, in one line.
    pub message: String,
    /// The word that was probably meant, if one is close enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        self.nearest.as_ref().map_or(Ok(()), |nearest| write!(f, "; did you mean '{nearest}'?"))
    }
}

impl std::error::Error for Mistake {}

/// A place while the files are read, with the file's number; ordered by file and line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct At {
    pub file: usize,
    pub line: usize,
    pub column: usize,
}

/// The most characters of a key or value that a message quotes.
const LONGEST: usize = 60;

/// A key or value as a message may quote it: in quotation marks, cut, on one line, and hidden if
/// it looks like a secret.
pub(super) fn shown(text: &str) -> String {
    if looks_secret(text) {
        return "a text that is not shown (it looks like a secret)".into();
    }
    let mut shown = String::from("'");
    shown.push_str(&escaped(&text.chars().take(LONGEST).collect::<String>()));
    shown.push_str(if text.chars().nth(LONGEST).is_some() { "…'" } else { "'" });
    shown
}

/// `text` on one line, with invisible characters written out: `\u{1b}`. Also for file names,
/// which the author of a merge request chooses.
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_control(c) || is_unseen(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Whether a text contains something that looks like a token or an app secret, or a longer run
/// of digits that may contain one.
pub(super) fn looks_secret(text: &str) -> bool {
    const APP_SECRET: usize = 32;
    holds_credential(text) || text.split(|c: char| !c.is_ascii_hexdigit()).any(|digits| digits.len() >= APP_SECRET)
}

/// Replaces `text` in `message` by its form for showing.
pub(super) fn harmless(message: &str, text: &str) -> String {
    let mut message = message.to_owned();
    for given in [text, text.trim()] {
        let (quoted, shown) = (format!("'{given}'"), shown(given));
        if !given.is_empty() && shown != quoted {
            message = message.replace(&quoted, &shown).replace(given, &shown);
        }
    }
    redact(&message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_read_as_compilers_write_them() {
        let place = Place { file: "accounts.yaml".into(), line: 12, column: 7 };
        let mut mistake = Mistake { place, message: "unknown key 'nmae'".into(), nearest: Some("name".into()) };
        assert_eq!(mistake.to_string(), "accounts.yaml:12:7: unknown key 'nmae'; did you mean 'name'?");
        mistake.nearest = None;
        assert_eq!(mistake.to_string(), "accounts.yaml:12:7: unknown key 'nmae'");
    }

    #[test]
    fn what_is_repeated_is_short_seen_and_no_secret() {
        assert_eq!(shown("acme"), "'acme'");
        assert_eq!(shown("a\n\u{202e}b"), "'a\\u{a}\\u{202e}b'");
        assert_eq!(escaped("a\n::error::\u{1b}b.yaml"), "a\\u{a}::error::\\u{1b}b.yaml");
        assert_eq!(shown(&"ü".repeat(61)), format!("'{}…'", "ü".repeat(60)));
        assert!(!shown("EAAB0123456789abcdefghij").contains("EAAB"));
        assert!(!shown("0123456789abcdef0123456789abcdef").contains("0123"));
        assert!(!shown("x0123456789abcdef0123456789abcdef").contains("0123"));
    }

    #[test]
    fn errors_of_fields_are_made_harmless() {
        let long = format!("https://example.com/{}", "x".repeat(80));
        let message = harmless(&format!("the callback URL {long} is not https"), &long);
        assert!(message.len() < 110 && message.ends_with("…' is not https"), "{message}");
        assert_eq!(harmless("'a b' is no handle", " a b "), "'a b' is no handle");
    }
}
