//! Reads the values of an event, whatever shape they have.

use serde_json::{Map, Value};

/// A value of an event, read as intended: `null` means absent, numbers and texts are converted
/// into each other, and a single value counts as a list of one. Reading never fails.
#[derive(Clone, Copy)]
pub(super) struct Part<'v>(pub Option<&'v Value>);

impl<'v> Part<'v> {
    pub fn of(value: &'v Value) -> Self {
        Self(Some(value).filter(|value| !value.is_null()))
    }

    pub fn at(self, key: &str) -> Self {
        Self(self.0.and_then(|value| value.get(key)).filter(|value| !value.is_null()))
    }

    pub fn text(self) -> Option<String> {
        match self.0? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Array(items) if items.len() == 1 => Self::of(&items[0]).text(),
            _ => None,
        }
    }

    pub fn number(self) -> Option<i64> {
        match self.0? {
            // A float is the best approximation of this number.
            #[allow(clippy::cast_possible_truncation)]
            Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    pub fn flag(self) -> bool {
        match self.0 {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true" || text == "1",
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            _ => false,
        }
    }

    pub fn list(self) -> Vec<Self> {
        match self.0 {
            None => Vec::new(),
            Some(Value::Array(items)) => items.iter().map(Self::of).filter(|item| item.0.is_some()).collect(),
            Some(_) => vec![self],
        }
    }

    pub fn fields(self) -> Option<&'v Map<String, Value>> {
        self.0?.as_object()
    }

    /// An id: `{"id": …}`, or the bare id.
    pub fn party(self) -> Option<String> {
        self.at("id").text().or_else(|| self.at("user_ref").text()).or_else(|| self.text())
    }

    /// The first text with this name, at any depth, that is not about another message.
    pub fn deep(self, name: &str, depth: usize) -> Option<String> {
        if depth == 0 {
            return None;
        }
        if let Some(found) = self.at(name).text() {
            return Some(found);
        }
        let aside = |key: &str| matches!(key, "reply_to" | "prior_message" | "sender" | "recipient");
        match self.0? {
            Value::Object(fields) => fields
                .iter()
                .filter(|(key, _)| !aside(key))
                .find_map(|(_, value)| Self::of(value).deep(name, depth - 1)),
            Value::Array(items) => items.iter().find_map(|value| Self::of(value).deep(name, depth - 1)),
            _ => None,
        }
    }
}
