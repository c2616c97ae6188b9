//! Parses parameters as clients really write them: forms with and without a Content-Type, nested
//! names in brackets, multipart, loose JSON.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::json::{split_string, unescaped};

/// The deepest nesting of names, values and field expansions; deeper ones are not parsed, so
/// that a client cannot exhaust the stack.
pub(super) const DEPTH: usize = 64;

/// The parameters in a body. As at Meta, it is JSON only if its type says so.
pub(super) fn parameters(content_type: &str, body: &[u8]) -> Vec<(String, String)> {
    if let Some(boundary) = boundary(content_type) {
        return folded(multipart(&boundary, body));
    }
    if !content_type.to_ascii_lowercase().contains("json") {
        return query(body);
    }
    let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let given = fields.iter().filter(|(_, value)| !value.is_null());
    given.map(|(name, value)| (name.clone(), text_of(value))).collect()
}

/// The parameters in a query, or in a form that is written as one.
pub(super) fn query(text: &[u8]) -> Vec<(String, String)> {
    folded(url::form_urlencoded::parse(text).into_owned().collect())
}

/// A value in the notation of a form: texts bare, the rest as JSON.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Splits `a, b{c,d}` at the commas outside braces.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut depth = 0_usize;
    for c in text.chars() {
        match c {
            '{' | '(' => depth += 1,
            '}' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match items.last_mut() {
            Some(item) if c != ',' || depth > 0 => item.push(c),
            _ => items.push(String::new()),
        }
    }
    items.iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

/// `recipient[id]=1` and `fields[0]=a` become one parameter each, of JSON.
fn folded(pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    // Each with its position among the others.
    let mut nested: HashMap<String, (usize, Value)> = HashMap::new();
    for (name, value) in pairs {
        match path(&name) {
            Some((base, keys)) => {
                let (_, place) = nested.entry(base).or_insert_with_key(|base| {
                    found.push((base.clone(), String::new()));
                    (found.len() - 1, Value::Null)
                });
                insert(place, &keys, value);
            }
            None => found.push((name, value)),
        }
    }
    for (at, value) in nested.into_values() {
        found[at].1 = listed(value).to_string();
    }
    found
}

/// `a[b][c]` as `a` and `b`, `c`.
fn path(name: &str) -> Option<(String, Vec<&str>)> {
    let (base, rest) = name.split_once('[')?;
    let rest = rest.strip_suffix(']').filter(|_| !base.is_empty())?;
    let keys: Vec<&str> = rest.split("][").take(DEPTH + 1).collect();
    (keys.len() <= DEPTH).then(|| (base.to_owned(), keys))
}

fn insert(place: &mut Value, keys: &[&str], value: String) {
    let Some((key, rest)) = keys.split_first() else {
        *place = value.into();
        return;
    };
    if !place.is_object() {
        *place = Value::Object(Map::new());
    }
    let Some(fields) = place.as_object_mut() else { return };
    let key = if key.is_empty() { fields.len().to_string() } else { (*key).to_owned() };
    insert(fields.entry(key).or_insert(Value::Null), rest, value);
}

/// Turns objects whose keys count from 0, in any order, into lists.
fn listed(value: Value) -> Value {
    let Value::Object(fields) = value else { return value };
    let mut keys: Vec<Option<usize>> =
        fields.keys().map(|key| key.parse().ok().filter(|at: &usize| at.to_string() == *key)).collect();
    keys.sort_unstable();
    let counts = !keys.is_empty() && keys.iter().enumerate().all(|(at, key)| *key == Some(at));
    let mut inner: Vec<(String, Value)> = fields.into_iter().map(|(key, value)| (key, listed(value))).collect();
    if !counts {
        return Value::Object(inner.into_iter().collect());
    }
    inner.sort_by_key(|(key, _)| key.parse::<usize>().unwrap_or_default());
    Value::Array(inner.into_iter().map(|(_, value)| value).collect())
}

fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    kind.trim().eq_ignore_ascii_case("multipart/form-data").then(|| header_parameter(parameters, "boundary"))?
}

/// `b` in `x=a; name="b"`, quoted or not.
fn header_parameter(mut text: &str, name: &str) -> Option<String> {
    loop {
        let (key, rest) = text.split_once('=')?;
        let (value, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_once(';').unwrap_or((rest, "")),
        };
        if key.trim().trim_start_matches(';').trim().eq_ignore_ascii_case(name) {
            return Some(value.trim().to_owned());
        }
        text = after;
    }
}

/// The fields of a multipart body (`curl -F`). A file is represented by its name.
fn multipart(boundary: &str, body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(body);
    let field = |part: &str| {
        let (head, value) = part.trim_start_matches("\r\n").split_once("\r\n\r\n")?;
        let disposition = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
        })?;
        let (_, parameters) = disposition.split_once(';')?;
        let file = header_parameter(parameters, "filename");
        let value = file.unwrap_or_else(|| value.strip_suffix("\r\n").unwrap_or(value).to_owned());
        Some((header_parameter(parameters, "name")?, value))
    };
    text.split(&format!("--{boundary}")).filter_map(field).collect()
}

/// JSON, or the loose form in Meta's samples: `{'id':'1'}`, `{id:1}`.
pub(super) fn json(text: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let strict = text.trim().starts_with(['{', '[']).then(|| strict(text.trim()))??;
    serde_json::from_str(&strict).ok()
}

/// Loose JSON as strict JSON: texts in double quotes, words as texts, no trailing comma.
fn strict(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match c {
            '\'' | '"' => {
                let (string, after) = split_string(rest);
                let inner = string.strip_prefix(c)?.strip_suffix(c)?;
                out.push_str(&Value::from(unescaped(inner, None)?).to_string());
                rest = after;
            }
            ',' | ':' | '{' | '[' | '}' | ']' => {
                if matches!(c, '}' | ']') && out.ends_with(',') {
                    out.pop();
                }
                out.push(c);
                rest = &rest[1..];
            }
            c if c.is_whitespace() => rest = rest.trim_start(),
            _ => {
                let end = rest.find([',', ':', '}', ']', '{', '[']).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                match word.trim() {
                    word @ ("true" | "false" | "null") if !after.starts_with(':') => out.push_str(word),
                    word => out.push_str(&Value::from(word).to_string()),
                }
                rest = after;
            }
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    #[test]
    fn names_in_brackets_are_folded() {
        assert_eq!(
            query(b"recipient%5Bid%5D=1&a=b&message[text]=hi&fields%5B0%5D=x&fields[1]=y&more[]=p&more[]=q"),
            [
                pair("recipient", r#"{"id":"1"}"#),
                pair("a", "b"),
                pair("message", r#"{"text":"hi"}"#),
                pair("fields", r#"["x","y"]"#),
                pair("more", r#"["p","q"]"#),
            ]
        );
        assert_eq!(query(b"menu[0][type]=url&[x]=1"), [pair("menu", r#"[{"type":"url"}]"#), pair("[x]", "1")]);
        assert_eq!(query(b"f[1]=b&f[0]=a"), [pair("f", r#"["a","b"]"#)]);
        assert_eq!(query(b"f[1]=b&f[2]=a"), [pair("f", r#"{"1":"b","2":"a"}"#)]);
    }

    #[test]
    fn bodies_are_told_apart() {
        let text = br#"{"a":"b","list":["c"],"none":null}"#;
        let json = parameters("text/JSON; charset=utf-8", text);
        assert_eq!(json, [pair("a", "b"), pair("list", r#"["c"]"#)]);
        assert_eq!(parameters("", b"a=b"), [pair("a", "b")]);
        assert_eq!(parameters("", text).len(), 1, "JSON that does not say so is a form");
        assert!(parameters("application/json", b"a=b").is_empty());
        let body = "--XX\r\nContent-Disposition: form-data; name=\"recipient\"\r\n\r\n{\"id\":\"1\"}\r\n--XX\r\nContent-Disposition: form-data; name=\"filedata\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\u{1}\r\n--XX--\r\n";
        assert_eq!(
            parameters("multipart/form-data; boundary=XX", body.as_bytes()),
            [pair("recipient", r#"{"id":"1"}"#), pair("filedata", "a.png")]
        );
    }

    #[test]
    fn parts_may_be_written_without_quotes_and_in_any_case() {
        let body = "--XX\r\ncontent-disposition: FORM-DATA; NAME=a\r\n\r\n1\r\n--XX\r\nCONTENT-DISPOSITION:form-data;filename=\"x;y.png\";name=\"file data\"\r\n\r\n\r\n--XX--\r\n";
        assert_eq!(
            parameters("Multipart/Form-Data; charset=utf-8; Boundary=\"XX\"", body.as_bytes()),
            [pair("a", "1"), pair("file data", "x;y.png")]
        );
    }

    #[test]
    fn loose_json_is_understood() {
        assert_eq!(json("{'id':'1'}"), Some(json!({"id": "1"})));
        assert_eq!(json("{id:7654321098765432}"), Some(json!({"id": "7654321098765432"})));
        assert_eq!(
            json(r#"{'text':'it\'s "me"', 'quick_replies':[{'title':'a'},]}"#),
            Some(json!({"text": "it's \"me\"", "quick_replies": [{"title": "a"}]}))
        );
        assert_eq!(json(r"{'text':'\u00e4 \ud83d\ude00 ä'}"), Some(json!({"text": "ä 😀 ä"})));
        assert_eq!(json(r"{'text':'\u00'}"), None);
        assert_eq!(json("{'id':"), None);
        assert_eq!(json("hello"), None);
    }

    #[test]
    fn what_is_nested_too_deep_is_not_understood() {
        assert!(json(&format!("{}1,{}", "[".repeat(DEPTH - 1), "]".repeat(DEPTH - 1))).is_some());
        assert_eq!(json(&"[".repeat(500_000)), None);
        let name = |levels: usize| format!("a{}=1", "[b]".repeat(levels));
        assert_eq!(query(name(DEPTH).as_bytes())[0].0, "a");
        assert!(query(name(DEPTH + 1).as_bytes())[0].0.starts_with("a[b]"), "it stays as it is");
    }
}
