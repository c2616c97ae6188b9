//! A document that is being changed: a record in its tenant's state, or an object of its own.

use std::sync::Mutex;

use super::objects::{Expected, Got, Written, guard};
use super::{Kept, Shared, kept};
use crate::storage::{OpenDocument, RemoteError, StorageError};

/// A document that is being changed.
pub struct Opened<'a> {
    storage: &'a Shared,
    name: String,
    read: Mutex<Option<(Option<String>, Expected)>>,
}

impl<'a> Opened<'a> {
    /// The document with this name, of which nothing is read yet.
    pub fn new(storage: &'a Shared, name: &str) -> Self {
        Self { storage, name: name.into(), read: Mutex::default() }
    }
}

impl OpenDocument for Opened<'_> {
    fn read(&self) -> Result<Option<String>, StorageError> {
        let (text, expected) = match kept(&self.name) {
            Kept::Record(tenant, document) => {
                let state = self.storage.state(tenant)?;
                (state.and_then(|known| known.state.documents.get(document).cloned()), Expected::Anything)
            }
            Kept::Object => match self.storage.server.get(&self.name, None)? {
                Got::Found(found) => (Some(found.text), Expected::Tag(found.tag)),
                Got::Absent | Got::Same => (None, Expected::Absent),
            },
        };
        *guard(&self.read) = Some((text.clone(), expected));
        Ok(text)
    }

    fn replace(&self, text: &str) -> Result<(), StorageError> {
        if guard(&self.read).is_none() {
            self.read()?;
        }
        let (before, expected) = guard(&self.read).clone().unwrap_or((None, Expected::Absent));
        self.storage.prepare()?;
        match kept(&self.name) {
            Kept::Record(tenant, document) => {
                Ok(self.storage.change_record(tenant, document, before.as_deref(), Some(text))?)
            }
            Kept::Object => match self.storage.server.put(&self.name, text, expected)? {
                Written::Done(_) => Ok(()),
                Written::Lost => Err(RemoteError::Changed { document: self.storage.server.shown(&self.name) }.into()),
            },
        }
    }
}
