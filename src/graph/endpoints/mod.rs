//! The calls, a file a resource: what is asked, and the shape of the answer.

pub mod app;
pub mod message;
pub mod page;
pub mod person;
pub mod subscription;
pub mod token;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::lenient;

/// `{"success":true}`; some pages of Meta's documentation print the value as a text.
#[derive(Deserialize)]
struct Success {
    #[serde(deserialize_with = "lenient::flag")]
    success: Option<bool>,
}

impl Success {
    fn is_true(&self) -> bool {
        self.success == Some(true)
    }
}

/// `{"data":[…]}`.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct List<T> {
    #[serde(deserialize_with = "lenient::list")]
    data: Vec<T>,
}
