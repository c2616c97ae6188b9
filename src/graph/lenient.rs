//! Reads fields of Graph's answers in the forms in which they arrive: numbers as text and texts
//! as numbers, `null` for an absent field. A field that cannot be read counts as absent;
//! required ones are read with [`id`].

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::text::{excerpt, sentence};

/// An answer whose texts are safe to show, compare and save: other people choose the names of
/// Pages, people and apps.
pub(super) fn cleaned(answer: Value) -> Value {
    match answer {
        Value::String(text) => Value::String(sentence(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(cleaned).collect()),
        Value::Object(map) => Value::Object(map.into_iter().map(|(key, value)| (key, cleaned(value))).collect()),
        other => other,
    }
}

fn as_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn as_number(value: &Value) -> Option<i64> {
    match value {
        // A whole number may come as 190.0.
        #[allow(clippy::cast_possible_truncation)]
        Value::Number(number) => number.as_i64().or_else(|| {
            number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 1e15).map(|float| float as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A required id: digits as text today, a number in old answers.
pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = Value::deserialize(deserializer)?;
    as_text(value).filter(|id| !id.is_empty()).ok_or_else(|| D::Error::custom("an id"))
}

/// A name on one line, cut at the length of a name.
pub(super) fn shown<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    const LONGEST: usize = 200;
    Ok(text(deserializer)?.map(|text| excerpt(&text, LONGEST)).filter(|name| !name.is_empty()))
}

/// A text, or an id that may be absent.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(as_text(Value::deserialize(deserializer)?))
}

/// A whole number.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(as_number(&Value::deserialize(deserializer)?))
}

/// Yes or no: `true`, `"true"`, `1`.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(value) => Some(value),
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => Some(number.as_i64() != Some(0)),
        _ => None,
    })
}

/// A list: `null` is an empty one; `null` items are skipped.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let items = Option::<Vec<Value>>::deserialize(deserializer)?.unwrap_or_default();
    let items = items.into_iter().filter(|item| !item.is_null());
    items.map(|item| serde_json::from_value(item).map_err(D::Error::custom)).collect()
}

/// Texts or ids; `None` where the list itself is absent.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let items = Option::<Vec<Value>>::deserialize(deserializer)?;
    Ok(items.map(|items| items.into_iter().filter_map(as_text).collect()))
}

/// An object; `None` where it is absent or has another type.
pub(super) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Odd {
        #[serde(deserialize_with = "text")]
        text: Option<String>,
        #[serde(deserialize_with = "number")]
        number: Option<i64>,
        #[serde(deserialize_with = "flag")]
        flag: Option<bool>,
        #[serde(deserialize_with = "list")]
        list: Vec<String>,
        #[serde(deserialize_with = "texts")]
        texts: Option<Vec<String>>,
    }

    fn read(json: &str) -> Odd {
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    #[test]
    fn every_text_of_an_answer_is_cleaned() {
        let answer =
            serde_json::json!({"name": "a\u{1b}[2J\n::error::\u{202e}b", "list": [{"x": "c\u{200b}d"}, 1, null]});
        let clean = serde_json::json!({"name": "a [2J ::error::b", "list": [{"x": "cd"}, 1, null]});
        assert_eq!(cleaned(answer), clean);
        assert!(cleaned(Value::String("x".repeat(7_000_000))).as_str().is_some_and(|text| text.len() < 5000));
    }

    #[test]
    fn null_is_absence() {
        assert_eq!(read(r#"{"text":null,"number":null,"flag":null,"list":null,"texts":null}"#), Odd::default());
        assert_eq!(read("{}"), Odd::default());
        assert_eq!(read(r#"{"list":["a",null,"b"]}"#).list, ["a", "b"]);
    }

    #[test]
    fn numbers_and_texts_stand_for_each_other() {
        let odd = read(r#"{"text":17841400000000000,"number":"190","flag":"true","texts":[1,"2",null]}"#);
        assert_eq!(odd.text.as_deref(), Some("17841400000000000"));
        assert_eq!((odd.number, odd.flag, odd.texts), (Some(190), Some(true), Some(vec!["1".into(), "2".into()])));
        assert_eq!(read(r#"{"text":{},"number":[],"flag":{}}"#), Odd::default());
    }
}
