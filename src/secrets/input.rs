//! Reads secrets from standard input, a file or a variable.

use super::Secret;

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
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        Self::from_input(std::str::from_utf8(bytes).map_err(|_| InputError::NotText)?.trim().as_bytes())
    }

    /// A secret from raw bytes. Removes one byte-order mark and trailing line ends, which
    /// editors, `echo` and Windows add; all other bytes stay.
    pub(crate) fn from_input(bytes: &[u8]) -> Result<Self, InputError> {
        let text = std::str::from_utf8(bytes).map_err(|_| InputError::NotText)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_one_byte_order_mark_go_and_inner_bytes_stay() {
        let cases: [(&[u8], &str); 5] = [
            (b"token", "token"),
            (b"token\n", "token"),
            (b"token\r\n\r\n", "token"),
            (b"\xef\xbb\xbftoken\n", "token"),
            (b" to ken ", " to ken "),
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
        let cases: [(&[u8], InputError); 6] = [
            (b"", InputError::Empty),
            (b"\r\n", InputError::Empty),
            (b"a\nb", InputError::Control),
            (b"a\tb", InputError::Control),
            (b"a\0", InputError::Control),
            (b"\xff\xfe", InputError::NotText),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Secret::from_input(bytes).expect_err("refused"), expected);
        }
    }
}
