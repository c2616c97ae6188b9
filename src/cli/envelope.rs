//! The JSON object around a result.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

/// `{"schema_version":1,"KEY":…}`.
pub struct Envelope<T>(pub &'static str, pub T);

impl<T: Serialize> Serialize for Envelope<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(2))?;
        object.serialize_entry("schema_version", &1)?;
        object.serialize_entry(self.0, &self.1)?;
        object.end()
    }
}
