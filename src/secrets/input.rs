//! Reads secrets from standard input, a file or a variable.

use secrecy::zeroize::Zeroizing;

use super::Secret;
use crate::text;

/// Why the bytes cannot be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    #[error("it is empty")]
    Empty,
    #[error("it is not UTF-8 text")]
    NotText,
    /// A line break in the middle, a tab, a NUL.
    #[error("it holds a control character (a line break, a tab) in the middle")]
    Control,
}

impl Secret {
    /// A secret of Meta's, or a verify token, from raw bytes. Surrounding blanks and line ends,
    /// which come with a copy, are removed.
    pub(crate) fn from_copy(bytes: &[u8]) -> Result<Self, InputError> {
        let text = decode(bytes)?;
        Self::from_text(text.strip_prefix('\u{feff}').unwrap_or(&text).trim())
    }

    /// A secret from raw bytes. Removes one byte-order mark and trailing line ends, which
    /// editors, `echo` and Windows add; all other bytes stay.
    pub(crate) fn from_input(bytes: &[u8]) -> Result<Self, InputError> {
        let text = decode(bytes)?;
        Self::from_text(text.strip_prefix('\u{feff}').unwrap_or(&text))
    }

    fn from_text(text: &str) -> Result<Self, InputError> {
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(InputError::Empty);
        }
        if text.chars().any(char::is_control) {
            return Err(InputError::Control);
        }
        Ok(Self::new(text))
    }
}

fn decode(bytes: &[u8]) -> Result<Zeroizing<String>, InputError> {
    text::decode(bytes).map(|text| Zeroizing::new(text.into_owned())).map_err(|_| InputError::NotText)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_one_byte_order_mark_go_and_inner_bytes_stay() {
        let cases: [(&[u8], &str); 7] = [
            (b"token", "token"),
            (b"token\n", "token"),
            (b"token\r\n\r\n", "token"),
            (b"\xef\xbb\xbftoken\n", "token"),
            (b" to ken ", " to ken "),
            // As `>` of Windows PowerShell writes.
            (b"\xff\xfet\0o\0k\0e\0n\0\r\0\n\0", "token"),
            (b"\xfe\xff\0t\0o\0k\0e\0n", "token"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Secret::from_input(bytes).expect("a secret").expose(), expected);
        }
    }

    #[test]
    fn blanks_around_a_copied_value_go_and_inner_ones_stay() {
        for copied in [" to ken ", "\n\tto ken\r\n", "\u{feff} to ken", "\u{a0}to ken\u{2003}"] {
            assert_eq!(Secret::from_copy(copied.as_bytes()).expect("a secret").expose(), "to ken", "{copied:?}");
        }
        assert_eq!(Secret::from_copy(b" \n ").expect_err("refused"), InputError::Empty);
        assert_eq!(Secret::from_copy(b"a\nb").expect_err("refused"), InputError::Control);
    }

    #[test]
    fn what_cannot_be_a_secret_is_refused() {
        let cases: [(&[u8], InputError); 9] = [
            (b"", InputError::Empty),
            (b"\r\n", InputError::Empty),
            (b"a\nb", InputError::Control),
            (b"a\tb", InputError::Control),
            (b"a\0", InputError::Control),
            (b"\xff\xfe", InputError::Empty),
            (b"\xff\xfet", InputError::NotText),
            (b"\xff\xfe\0\xd8", InputError::NotText),
            (b"\xfftoken", InputError::NotText),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Secret::from_input(bytes).expect_err("refused"), expected);
        }
    }
}
