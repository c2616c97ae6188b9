//! A secret that another program keeps in a file.

use std::io;
use std::path::Path;

use super::{Secret, StoreError};
use crate::files::{self, FileError};

/// The most bytes of it.
const LIMIT: u64 = 64 * 1024;

/// The secret that a file contains; `None` if there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<Secret>, StoreError> {
    let unusable = |cause: String| StoreError::File { path: path.into(), cause };
    match files::read_bytes(path, LIMIT) {
        Ok(bytes) => Secret::from_copy(&bytes).map(Some).map_err(|error| unusable(error.to_string())),
        Err(FileError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(FileError::Read { source, .. }) => Err(unusable(source.to_string())),
        Err(error) => Err(unusable(error.to_string())),
    }
}
