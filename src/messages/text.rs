//! A text that is sent to a customer.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::secrets::holds_credential;
use crate::text::words;

/// The most characters that the Send API accepts. Its unit is not documented; this counts
/// Unicode code points, and warns of UTF-16 units (graph/FACTS.md, "Sending a message").
pub const LIMIT: usize = 2000;

/// A text of 1 to 2000 characters; line breaks are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageText(String);

/// Why a text cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Only white space.
    #[error("the text is empty; to send nothing, disable the event")]
    Empty,
    /// More than Meta accepts.
    #[error("the text has {count} characters; Meta takes {LIMIT} at most")]
    TooLong {
        /// Unicode code points.
        count: usize,
    },
    /// Control characters other than line breaks and tabs.
    #[error("the text has control characters other than line breaks and tabs")]
    Control,
    /// A token or an app secret, pasted by mistake.
    #[error(
        "the text has something in it that looks like a token or an app secret; texts are stored and sent in plain text"
    )]
    Secret,
}

impl MessageText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Unicode code points.
    pub fn count(&self) -> usize {
        self.0.chars().count()
    }

    /// What the customer may see differently.
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        let units = self.0.encode_utf16().count();
        if units > LIMIT {
            doubts.push(format!("it has {units} UTF-16 units; if Meta counts those, it exceeds the limit of {LIMIT}"));
        }
        if has_tag(&self.0) {
            doubts.push("it has HTML in it, which may reach Messenger as plain text".into());
        }
        if self.0.contains("$(") {
            doubts.push(
                "it has $(…) in it; no variable is documented for system messages, so customers may see it as it stands"
                    .into(),
            );
        }
        doubts
    }
}

/// Whether it has a tag (`<b>`, `</p>`, `<br/>`), and not only a heart or an arrow.
fn has_tag(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let rest = text[at + 1..].trim_start_matches('/');
        rest.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.contains('>')
    })
}

impl FromStr for MessageText {
    type Err = TextError;
    /// Turns line breaks into `\n`, and removes those at the end, which editors add.
    fn from_str(text: &str) -> Result<Self, TextError> {
        if holds_credential(text) {
            return Err(TextError::Secret);
        }
        Self::kept(text)
    }
}

impl MessageText {
    /// A text that was accepted and saved earlier: its file must stay readable.
    fn kept(text: &str) -> Result<Self, TextError> {
        let text = text.replace("\r\n", "\n");
        let text = text.trim_end_matches('\n');
        if text.trim().is_empty() {
            return Err(TextError::Empty);
        }
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(TextError::Control);
        }
        let count = text.chars().count();
        if count > LIMIT {
            return Err(TextError::TooLong { count });
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for MessageText {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::kept(&text)
    }
}

impl From<MessageText> for String {
    fn from(text: MessageText) -> Self {
        text.0
    }
}

words!(MessageText, as_str);

/// The text with every `$(name)` filled in, as a preview.
pub fn preview(text: &str, sample: impl Fn(&str) -> String) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once("$(") {
        shown.push_str(before);
        let Some((name, after)) = from.split_once(')') else {
            shown.push_str("$(");
            rest = from;
            continue;
        };
        shown.push_str(&sample(name));
        rest = after;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_1_to_2000_characters() {
        let parse = |text: &str| text.parse::<MessageText>();
        assert_eq!(parse(" \n\t"), Err(TextError::Empty));
        assert_eq!(parse(&"x".repeat(2001)), Err(TextError::TooLong { count: 2001 }));
        assert!(parse(&"x".repeat(2000)).is_ok());
        assert_eq!(parse("a\u{7}b"), Err(TextError::Control));
        assert_eq!(parse("my token: EAAB0123456789abcdefghij"), Err(TextError::Secret));
        assert_eq!(parse("0123456789abcdef0123456789abcdef"), Err(TextError::Secret));
        let kept = MessageText::try_from("EAAB0123456789abcdefghij".to_owned());
        assert!(kept.is_ok(), "what an older version took can still be read, and replaced");
        assert_eq!(parse("one\r\ntwo\n\n").expect("a text").as_str(), "one\ntwo");
        // A family of four in one emoji: seven code points.
        let family = "👨‍👩‍👧‍👦";
        assert_eq!(parse(family).expect("a text").count(), 7);
        let many = parse(&"😀".repeat(1500)).expect("a text");
        assert!(many.doubts()[0].contains("3000 UTF-16"), "{:?}", many.doubts());
    }

    #[test]
    fn markup_and_variables_are_doubted() {
        let doubts = |text: &str| text.parse::<MessageText>().expect("a text").doubts().len();
        assert_eq!(doubts("<b>Hello</b>"), 1);
        assert_eq!(doubts("I <3 you, 1 < 2 > 0"), 0);
        assert_eq!(doubts("Hello $(name) <br>"), 2);
    }

    #[test]
    fn previews_fill_variables_in() {
        let sample = |name: &str| format!("[{name}]");
        assert_eq!(preview("Hi $(agent), $(x", sample), "Hi [agent], $(x");
        assert_eq!(preview("plain", sample), "plain");
    }
}
