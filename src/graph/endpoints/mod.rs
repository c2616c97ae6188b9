//! The calls, a file a resource: what is asked, and the shape of the answer.

pub mod app;
pub mod page;
pub mod subscription;
pub mod token;

use serde::{Deserialize, Deserializer};

/// An id: a string today, a number in old answers.
fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Id {
        Text(String),
        Number(u64),
    }
    Ok(match Id::deserialize(deserializer)? {
        Id::Text(text) => text,
        Id::Number(number) => number.to_string(),
    })
}

fn optional_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    id(deserializer).map(Some)
}

/// `{"data":[…]}`.
#[derive(Deserialize)]
struct List<T> {
    data: Vec<T>,
}
