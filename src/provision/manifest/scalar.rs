//! What YAML reads an unquoted word as: a text, or something else.
//!
//! Readers of YAML 1.1 and 1.2 differ on `no`, `0o17` or `2026-01-02`. A word that either
//! version does not read as text is not accepted as text, so that a manifest means the same to
//! every program.

/// The kind of an unquoted word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    Text,
    Nothing,
    Truth,
    Number,
    Date,
}

impl Plain {
    /// The kind of `text` without quotation marks.
    pub fn of(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Nothing,
            _ if is_truth(text) => return Self::Truth,
            _ => {}
        }
        if is_number(text) {
            Self::Number
        } else if is_date(text) {
            Self::Date
        } else {
            Self::Text
        }
    }

    /// Its name in messages.
    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Nothing => "nothing",
            Self::Truth => "true or false",
            Self::Number => "a number",
            Self::Date => "a date",
        }
    }
}

/// `true`, `No`, `ON`: a word of YAML 1.1 or 1.2, in lower case, capitalised or in capitals.
fn is_truth(text: &str) -> bool {
    const WORDS: [&str; 8] = ["true", "false", "yes", "no", "on", "off", "y", "n"];
    let Some(word) = WORDS.into_iter().find(|word| word.eq_ignore_ascii_case(text)) else { return false };
    let rest = &text[1..];
    text == word || rest == &word[1..] || text == word.to_ascii_uppercase()
}

fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(text, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    if let Some(rest) = ["0x", "0o", "0b"].into_iter().find_map(|start| text.strip_prefix(start)) {
        return !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_hexdigit() || b == b'_');
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !text.contains(|c: char| c.is_ascii_digit()) {
        return false;
    }
    // YAML 1.1 reads 12:30:45 as a number of base 60.
    if let Some((before, last)) = text.rsplit_once(':') {
        return before.split(':').all(digits) && last.splitn(2, '.').all(|part| part.is_empty() || digits(part));
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    mantissa.splitn(2, '.').all(|part| part.is_empty() || digits(part)) && digits(exponent)
}

/// `2026-01-02`, with or without a time after it.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut number = |lengths: std::ops::RangeInclusive<usize>| {
        let part = parts.next()?;
        let length = part.bytes().take_while(u8::is_ascii_digit).count();
        lengths.contains(&length).then(|| &part[length..])
    };
    let (Some(""), Some(""), Some(rest)) = (number(4..=4), number(1..=2), number(1..=2)) else { return false };
    rest.is_empty() || rest.starts_with(['T', 't', ' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_some_reader_takes_for_no_text() {
        for word in ["", "~", "null", "NULL"] {
            assert_eq!(Plain::of(word), Plain::Nothing, "{word}");
        }
        for word in ["true", "True", "TRUE", "no", "No", "on", "OFF", "y", "N"] {
            assert_eq!(Plain::of(word), Plain::Truth, "{word}");
        }
        for word in [
            "1",
            "-1",
            "+1.5",
            "1e3",
            "1.5E-3",
            ".5",
            "5.",
            "0x1F",
            "0o17",
            "0b1",
            "1_000",
            "12:30",
            "12:30:45.5",
            ".inf",
            "-.INF",
            ".nan",
            "109876543210987",
            "007",
        ] {
            assert_eq!(Plain::of(word), Plain::Number, "{word}");
        }
        for word in ["2026-01-02", "2026-1-2", "2026-01-02T10:00:00Z", "2026-01-02 10:00"] {
            assert_eq!(Plain::of(word), Plain::Date, "{word}");
        }
        for word in [
            "acme",
            "tRUE",
            "nULL",
            "10m",
            "1h 30m",
            "1.2.3",
            "e3",
            "-",
            ".",
            "..",
            "1x",
            "0xg",
            "12:ab",
            "v1",
            "2026-01",
            "2026-01-02x",
            "+",
            "Nope",
            "1 2",
            "1-2-3",
        ] {
            assert_eq!(Plain::of(word), Plain::Text, "{word}");
        }
    }
}
