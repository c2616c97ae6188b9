//! The calls, a file a resource: what is asked, and the shape of the answer.

pub mod app;
pub mod message;
pub mod page;
pub mod person;
pub mod subscription;
pub mod token;

use serde::{Deserialize, Deserializer};

/// An id: a string today, a number in old answers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(u64),
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        match id {
            Id::Text(text) => text,
            Id::Number(number) => number.to_string(),
        }
    }
}

fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Id::deserialize(deserializer).map(String::from)
}

fn optional_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Id>::deserialize(deserializer)?.map(String::from))
}

fn optional_ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let ids = Option::<Vec<Id>>::deserialize(deserializer)?;
    Ok(ids.map(|ids| ids.into_iter().map(String::from).collect()))
}

/// `{"success":true}`; some pages of Meta's documentation print the value as a text.
#[derive(Deserialize)]
struct Success {
    success: Flag,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Bool(bool),
    Text(String),
}

impl Success {
    fn is_true(&self) -> bool {
        match &self.success {
            Flag::Bool(value) => *value,
            Flag::Text(text) => text == "true",
        }
    }
}

/// `{"data":[…]}`.
#[derive(Deserialize)]
struct List<T> {
    data: Vec<T>,
}
