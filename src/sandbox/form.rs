//! Parameters as clients in the wild write them: forms with and without a
//! Content-Type, nested names in brackets, multipart, JSON of a loose kind.

use serde_json::{Map, Value};

/// The parameters in a body, whatever it is.
pub(super) fn parameters(content_type: &str, body: &[u8]) -> Vec<(String, String)> {
    if let Some(boundary) = boundary(content_type) {
        return folded(multipart(boundary, body));
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(fields)) => fields.iter().map(|(name, value)| (name.clone(), text_of(value))).collect(),
        _ if content_type.contains("json") => Vec::new(),
        _ => query(body),
    }
}

/// The parameters in a query, or in a form that is written as one.
pub(super) fn query(text: &[u8]) -> Vec<(String, String)> {
    folded(url::form_urlencoded::parse(text).into_owned().collect())
}

/// A value as a form would hold it: texts bare, the rest as JSON.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `a, b{c,d}` at the commas that stand in no braces.
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
    let mut nested: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        match path(&name) {
            Some((base, keys)) => {
                if !nested.contains_key(&base) {
                    // Holds the place among the others.
                    found.push((base.clone(), String::new()));
                }
                insert(nested.entry(base).or_insert(Value::Null), &keys, value);
            }
            None => found.push((name, value)),
        }
    }
    for (name, value) in nested {
        let text = listed(value).to_string();
        if let Some((_, place)) = found.iter_mut().find(|(known, place)| *known == name && place.is_empty()) {
            *place = text;
        }
    }
    found
}

/// `a[b][c]` as `a` and `b`, `c`.
fn path(name: &str) -> Option<(String, Vec<&str>)> {
    let (base, rest) = name.split_once('[')?;
    let rest = rest.strip_suffix(']').filter(|_| !base.is_empty())?;
    Some((base.to_owned(), rest.split("][").collect()))
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

/// Objects whose keys count from 0 are lists.
fn listed(value: Value) -> Value {
    let Value::Object(fields) = value else { return value };
    let counts = !fields.is_empty() && fields.keys().enumerate().all(|(at, key)| *key == at.to_string());
    let inner = fields.into_iter().map(|(key, value)| (key, listed(value)));
    if counts { Value::Array(inner.map(|(_, value)| value).collect()) } else { Value::Object(inner.collect()) }
}

fn boundary(content_type: &str) -> Option<&str> {
    let rest = content_type.trim().strip_prefix("multipart/form-data")?;
    let (_, value) = rest.split_once("boundary=")?;
    Some(value.split(';').next()?.trim().trim_matches('"'))
}

/// The fields of a multipart body (`curl -F`). A file stands for itself by its name.
fn multipart(boundary: &str, body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(body);
    let field = |part: &str| {
        let (head, value) = part.trim_start_matches("\r\n").split_once("\r\n\r\n")?;
        let disposition = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
        let named = |name: &str| {
            let (_, rest) = disposition.split_once(&format!(" {name}=\""))?;
            rest.split_once('"').map(|(value, _)| value.to_owned())
        };
        let value = named("filename").unwrap_or_else(|| value.strip_suffix("\r\n").unwrap_or(value).to_owned());
        Some((named("name")?, value))
    };
    text.split(&format!("--{boundary}")).filter_map(field).collect()
}

/// JSON, and what Meta's own samples pass for it: `{'id':'1'}`, `{id:1}`.
pub(super) fn json(text: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let mut reader = Loose { rest: text.trim() };
    if !reader.rest.starts_with(['{', '[']) {
        return None;
    }
    let value = reader.value()?;
    reader.rest.trim().is_empty().then_some(value)
}

struct Loose<'t> {
    rest: &'t str,
}

impl Loose<'_> {
    fn eat(&mut self, c: char) -> bool {
        self.rest = self.rest.trim_start();
        let found = self.rest.strip_prefix(c);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn value(&mut self) -> Option<Value> {
        if self.eat('{') {
            let mut fields = Map::new();
            while !self.eat('}') {
                let key = self.word()?;
                if !self.eat(':') {
                    return None;
                }
                fields.insert(text_of(&key), self.value()?);
                if !self.eat(',') && !self.rest.trim_start().starts_with('}') {
                    return None;
                }
            }
            return Some(fields.into());
        }
        if self.eat('[') {
            let mut items = Vec::new();
            while !self.eat(']') {
                items.push(self.value()?);
                if !self.eat(',') && !self.rest.trim_start().starts_with(']') {
                    return None;
                }
            }
            return Some(items.into());
        }
        self.word()
    }

    /// A text in either kind of quotes, or a bare word.
    fn word(&mut self) -> Option<Value> {
        for quote in ['\'', '"'] {
            if self.eat(quote) {
                let mut text = String::new();
                let mut characters = self.rest.char_indices();
                while let Some((at, c)) = characters.next() {
                    match c {
                        '\\' => text.push(match characters.next()?.1 {
                            'n' => '\n',
                            't' => '\t',
                            other => other,
                        }),
                        c if c == quote => {
                            self.rest = &self.rest[at + c.len_utf8()..];
                            return Some(text.into());
                        }
                        c => text.push(c),
                    }
                }
                return None;
            }
        }
        self.rest = self.rest.trim_start();
        let end = self.rest.find([',', ':', '}', ']', '{', '[']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        let word = word.trim();
        (!word.is_empty()).then(|| match word {
            "true" => true.into(),
            "false" => false.into(),
            "null" => Value::Null,
            word => word.into(),
        })
    }
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
    }

    #[test]
    fn bodies_are_told_apart() {
        let json = parameters("", br#"{"a":"b","list":["c"]}"#);
        assert_eq!(json, [pair("a", "b"), pair("list", r#"["c"]"#)]);
        assert_eq!(parameters("", b"a=b"), [pair("a", "b")]);
        assert!(parameters("application/json", b"a=b").is_empty());
        let body = "--XX\r\nContent-Disposition: form-data; name=\"recipient\"\r\n\r\n{\"id\":\"1\"}\r\n--XX\r\nContent-Disposition: form-data; name=\"filedata\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\u{1}\r\n--XX--\r\n";
        assert_eq!(
            parameters("multipart/form-data; boundary=XX", body.as_bytes()),
            [pair("recipient", r#"{"id":"1"}"#), pair("filedata", "a.png")]
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
        assert_eq!(json("{'id':"), None);
        assert_eq!(json("hello"), None);
    }
}
