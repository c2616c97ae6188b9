//! A small document of a tenant, for its settings or its Chat Settings. Read and replaced as a
//! whole, with the schema version at the top.

use std::marker::PhantomData;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{AccountError, SchemaError};
use crate::document::Document;
use crate::storage::Place;

const VERSION: i64 = 1;
const SCHEMA_VERSION: &str = "schema_version";

/// A document with one `T`, which may not exist.
pub struct TenantFile<T> {
    place: Place,
    holds: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned + Default> TenantFile<T> {
    /// The document at `place`.
    pub fn new(place: impl Into<Place>) -> Self {
        Self { place: place.into(), holds: PhantomData }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// Its content; the default if it does not exist.
    pub fn load(&self) -> Result<T, AccountError> {
        self.parse(self.place.read()?)
    }

    fn parse(&self, text: Option<String>) -> Result<T, AccountError> {
        text.map_or_else(|| Ok(T::default()), |text| self.read(&text))
    }

    /// Removes it, if it exists.
    pub fn remove(&self) -> Result<(), AccountError> {
        Ok(self.place.remove()?)
    }

    /// Reads a text as if it were the file's, for an edited copy.
    pub fn read(&self, text: &str) -> Result<T, AccountError> {
        let broken = |mistake| SchemaError::Broken { path: self.path().into(), mistake };
        let mut document = Document::new(text).map_err(broken)?;
        match document.take_number(SCHEMA_VERSION) {
            Some(found) if found > VERSION => Err(SchemaError::Newer { path: self.path().into(), found }.into()),
            _ => Ok(document.read().map_err(broken)?),
        }
    }

    /// Reads, changes and writes under the lock. Writes nothing on an error.
    pub fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> Result<R, AccountError> {
        let open = self.place.open(&|_| {})?;
        let mut value = self.parse(open.read()?)?;
        let done = change(&mut value);
        open.replace(&text(&value))?;
        Ok(done)
    }
}

/// The file's text.
pub fn text<T: Serialize>(value: &T) -> String {
    // Texts, times and lists of texts, which TOML can always hold.
    let body = toml::to_string(value).unwrap_or_else(|error| unreachable!("it is TOML: {error}"));
    format!("{SCHEMA_VERSION} = {VERSION}\n{body}")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::accounts::Tenant;
    use crate::messages::{ChatSettings, ChatText};

    #[test]
    fn what_is_written_is_read_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = TenantFile::<ChatSettings>::new(dir.path().join("chat-settings.toml"));
        assert_eq!(file.load().expect("read"), ChatSettings::default());
        let event = "agent-left".parse().expect("an event");
        file.change(|settings| {
            settings.timeouts.messenger = Some("1h 30m".parse().expect("a timeout"));
            settings.messages.insert(event, ChatText::Disabled);
            settings.messages.insert(
                "session-ended".parse().expect("an event"),
                ChatText::Custom("a\nb 日本".parse().expect("a text")),
            );
        })
        .expect("changed");
        let written = std::fs::read_to_string(file.path()).expect("read");
        assert!(written.starts_with("schema_version = 1\n"), "{written}");
        let settings = file.load().expect("read");
        assert_eq!(settings.messages.len(), 2);
        assert_eq!(text(&settings), written);
    }

    #[test]
    fn mistakes_are_located_and_newer_files_refused() {
        let file = TenantFile::<Tenant>::new(PathBuf::from("tenant.toml"));
        let AccountError::Schema(SchemaError::Broken { mistake, .. }) = file.read("hots = 'x'").expect_err("refused")
        else {
            panic!("broken")
        };
        assert_eq!((mistake.line, mistake.nearest), (1, Some("host")));
        assert!(file.read("schema_version = 1\nhost = 'a.b/c'").is_err());
        let newer = file.read("schema_version = 2\nnew = 1").expect_err("refused");
        assert!(matches!(newer, AccountError::Schema(SchemaError::Newer { found: 2, .. })));
        let settings = TenantFile::<ChatSettings>::new(PathBuf::from("chat-settings.toml"));
        assert!(settings.read("[messages]\nagent-lft = 'disabled'").is_err());
        assert!(settings.read("[messages]\nagent-left = 'default'").is_err());
    }
}
