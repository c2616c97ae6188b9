//! Errors about parameters.

use serde_json::Value;

use super::{Call, Refusal};

/// `(#100) …`
pub(super) fn bad(text: impl AsRef<str>) -> Refusal {
    Refusal::oauth(100, format!("(#100) {}", text.as_ref()))
}

pub(super) fn bad_with(subcode: i64, text: &str) -> Refusal {
    bad(text).with_subcode(subcode)
}

/// A required parameter is missing, in the recorded words.
pub(super) fn required(name: &str) -> Refusal {
    bad(format!("The parameter {name} is required."))
}

/// The text of a required parameter.
pub(super) fn need<'c>(call: &'c Call, name: &str) -> Result<&'c str, Refusal> {
    call.given(name).ok_or_else(|| required(name))
}

/// The object, list or text of a required parameter.
pub(super) fn need_value(call: &Call, name: &str) -> Result<Value, Refusal> {
    call.value(name).ok_or_else(|| required(name))
}

/// A parameter with a few valid values.
pub(super) fn one_of(name: &str, value: &str, known: &[&str]) -> Result<(), Refusal> {
    if known.contains(&value) {
        return Ok(());
    }
    Err(bad(format!("Param {name} must be one of {{{}}} - got \"{value}\".", known.join(", "))))
}

/// A text of at most `most` characters, counted in code points; Meta's unit is not known.
pub(super) fn at_most(name: &str, text: Option<&str>, most: usize) -> Result<(), Refusal> {
    if text.is_none_or(|text| text.chars().count() <= most) {
        return Ok(());
    }
    Err(bad(format!("Length of param {name} must be less than or equal to {most}")))
}

/// A list of at most `most` items; empty if it is absent.
pub(super) fn list<'v>(name: &str, value: &'v Value, most: usize) -> Result<&'v [Value], Refusal> {
    match value {
        Value::Null => Ok(&[]),
        Value::Array(items) if items.len() <= most => Ok(items),
        Value::Array(_) => Err(bad(format!("Param {name} must have at most {most} elements."))),
        _ => Err(bad(format!("Param {name} must be an array."))),
    }
}

/// An address with this scheme.
pub(super) fn is_url(value: &Value, schemes: &[&str]) -> bool {
    value.as_str().and_then(|text| url::Url::parse(text).ok()).is_some_and(|url| schemes.contains(&url.scheme()))
}
