//! Reads JSON, above all Meta's, whatever it contains. Meta does not resend a refused signed
//! body for hours, with all its events; and an answer of Graph's with half a surrogate pair in a
//! text is still an answer.

use std::borrow::Cow;

use serde_json::Value;

/// An object without the fields that have no value.
pub fn without_nulls(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    object
}

/// A body as a value, with what strict JSON rejects repaired: half a surrogate pair becomes
/// U+FFFD, a byte-order mark is dropped, a number too large for a float and a bare word become
/// texts, and what is nested too deep is dropped. Anything that is not JSON becomes one text.
pub fn read(body: &[u8]) -> Value {
    if let Ok(value) = serde_json::from_slice(body) {
        return value;
    }
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}');
    let fixed = repaired(text);
    // Ignore what follows the first value.
    let first = serde_json::Deserializer::from_str(&fixed).into_iter().next();
    match first {
        Some(Ok(value @ (Value::Object(_) | Value::Array(_)))) => value,
        _ => Value::String(text.to_owned()),
    }
}

/// The deepest nesting kept; the parser's limit is 128.
const DEEPEST: usize = 100;

fn repaired(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut depth = 0_usize;
    while let Some(c) = rest.chars().next() {
        match c {
            '"' => {
                let (string, after) = split_string(rest);
                out.push_str(&repaired_string(string));
                rest = after;
                continue;
            }
            '[' | '{' if depth >= DEEPEST => {
                out.push_str("null");
                rest = after_nested(rest);
                continue;
            }
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            ',' | ':' => {}
            c if c.is_whitespace() => {}
            _ => {
                let end =
                    rest.find(|c: char| matches!(c, ',' | ':' | ']' | '}' | '[' | '{' | '"') || c.is_whitespace());
                let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
                out.push_str(&repaired_word(word));
                rest = after;
                continue;
            }
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// A string with its quotes, of either kind, and what follows it; an unclosed one reaches to the
/// end.
pub fn split_string(text: &str) -> (&str, &str) {
    let quote = text.chars().next().unwrap_or('"');
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return text.split_at(at + 1),
            _ => {}
        }
    }
    (text, "")
}

/// What follows an object or a list.
fn after_nested(text: &str) -> &str {
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match c {
            '"' => {
                rest = split_string(rest).1;
                continue;
            }
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        rest = &rest[c.len_utf8()..];
        if depth == 0 {
            break;
        }
    }
    rest
}

/// A JSON number or word unchanged; anything else as a text.
fn repaired_word(word: &str) -> Cow<'_, str> {
    if serde_json::from_str::<Value>(word).is_ok() {
        return word.into();
    }
    Value::String(word.to_owned()).to_string().into()
}

fn repaired_string(string: &str) -> Cow<'_, str> {
    if serde_json::from_str::<String>(string).is_ok() {
        return string.into();
    }
    let inner = string.strip_prefix('"').unwrap_or(string);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let text = unescaped(inner, Some('u')).unwrap_or_default();
    Value::String(text).to_string().into()
}

/// The content of a string; half a surrogate pair becomes U+FFFD. `broken` replaces a `\u`
/// without four digits; if it is `None`, such a string is not valid.
pub fn unescaped(inner: &str, broken: Option<char>) -> Option<String> {
    let mut units: Vec<u16> = Vec::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next() {
                Some('u') => {
                    let digits = chars.as_str().get(..4);
                    if let Some(unit) = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
                        chars.nth(3);
                        units.push(unit);
                        continue;
                    }
                    broken?
                }
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some(other) => other,
                None => continue,
            },
            c => c,
        };
        units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    }
    Some(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn half_a_surrogate_pair_costs_one_character() {
        let body = br#"{"mid":"m_1","text":"a\ud83d b \ude00 \ud83d\ude00 \n \"q\" \/"}"#;
        assert_eq!(read(body), json!({"mid": "m_1", "text": "a\u{fffd} b \u{fffd} 😀 \n \"q\" /"}));
        assert_eq!(read(br#"{"t":"\ud83d"}"#), json!({"t": "\u{fffd}"}));
        assert_eq!(read(br#"{"t":"\ud83dx","u":"\uZZZZ"}"#), json!({"t": "\u{fffd}x", "u": "uZZZZ"}));
    }

    #[test]
    fn odd_numbers_and_words_are_texts() {
        assert_eq!(
            read(br#"{"a":1e999,"b":-1e-5,"c":NaN,"d":007}"#),
            json!({"a": "1e999", "b": -1e-5, "c": "NaN", "d": "007"})
        );
    }

    #[test]
    fn what_is_nested_too_deep_is_left_out_and_the_rest_kept() {
        let deep = format!(r#"{{"mid":"m_1","x":{}{},"text":"t"}}"#, "[".repeat(5000), "]".repeat(5000));
        let found = read(deep.as_bytes());
        assert_eq!((&found["mid"], &found["text"]), (&json!("m_1"), &json!("t")));
    }

    #[test]
    fn what_is_no_json_is_one_text() {
        assert_eq!(read(b"hello there"), json!("hello there"));
        assert_eq!(read(b""), json!(""));
        assert_eq!(read(b"{\"text\":\"\xff\"}"), json!({"text": "\u{fffd}"}));
        for odd in ["{", "[1,", "\"never closed", "{\"a\":}", "}{", "\\u", "[[[[\"\\"] {
            read(odd.as_bytes());
        }
    }
}
