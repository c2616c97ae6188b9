//! Whether a server obeys conditions of writes. Some write whatever they are told, and two
//! commands would overwrite each other's changes.

use super::bucket::Bucket;
use crate::storage::RemoteError;
use crate::storage::shared::objects::{Expected, FORMAT, Got, Objects as _, Written, check_format, format_text};

/// Tries both kinds of conditions, once for each state.
pub async fn probe(bucket: &Bucket) -> Result<(), RemoteError> {
    let text = format_text();
    let unconditional = || RemoteError::Unconditional { place: bucket.place() };
    if matches!(bucket.put(FORMAT, &text, &Expected::Absent).await?, Written::Done(_)) {
        let wrong = Expected::Tag("\"00000000000000000000000000000000\"".into());
        for expected in [Expected::Absent, wrong] {
            if matches!(bucket.put(FORMAT, &text, &expected).await?, Written::Done(_)) {
                // The next command has to find out, too.
                bucket.delete(FORMAT, None).await?;
                return Err(unconditional());
            }
        }
        return Ok(());
    }
    match bucket.get(FORMAT, None).await? {
        Got::Found(found) => check_format(&found.text, bucket.shown(FORMAT)),
        Got::Absent | Got::Same => Err(unconditional()),
    }
}
