//! Copies of states on this machine: for completions, for reading only what has changed, and
//! for noticing a server that has lost a change. They hold no secret, because records hold none.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::state::StateDocument;
use crate::files;

/// How long completions take a copy without asking.
const YOUNG: Duration = Duration::from_secs(60);

/// The directory of copies.
#[derive(Debug)]
pub struct Copies {
    directory: PathBuf,
    /// Whose copies they are: those of another address are not used.
    address: String,
}

#[derive(Serialize, Deserialize)]
struct Written<S> {
    address: String,
    tag: String,
    state: S,
}

/// A state as it was.
pub struct Copy {
    pub tag: String,
    pub state: StateDocument,
    pub is_young: bool,
}

impl Copies {
    pub fn new(mut directory: PathBuf, address: String) -> Self {
        // States have tenants of the same names.
        directory.push(&hex::encode(Sha256::digest(&address))[..12]);
        Self { directory, address }
    }

    fn path(&self, tenant: &str) -> PathBuf {
        self.directory.join(format!("{tenant}.json"))
    }

    /// The copy of a tenant's state; one that cannot be read is none.
    pub fn read(&self, tenant: &str) -> Option<Copy> {
        let path = self.path(tenant);
        let text = files::read_text(&path).ok()??;
        let written: Written<StateDocument> = serde_json::from_str(&text).ok()?;
        let age = path.metadata().ok()?.modified().ok()?.elapsed().unwrap_or_default();
        let is_ours = written.address == self.address;
        is_ours.then(|| Copy { tag: written.tag, state: written.state, is_young: age < YOUNG })
    }

    /// Keeps a copy. Where it cannot be written the next command asks.
    pub fn write(&self, tenant: &str, tag: &str, state: &StateDocument) {
        let written = Written { address: self.address.clone(), tag: tag.to_owned(), state };
        let text = serde_json::to_string(&written).unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
        let _ = files::write_given(&self.path(tenant), text.as_bytes()).or_else(|_| {
            files::make_private_dir(&self.directory)?;
            files::write_given(&self.path(tenant), text.as_bytes())
        });
    }

    /// A copy is still right.
    pub fn touch(&self, tenant: &str) {
        files::touch(&self.path(tenant));
    }

    /// The tenant is gone.
    pub fn forget(&self, tenant: &str) {
        let _ = files::remove(&self.path(tenant));
    }

    /// The tenants that have a copy.
    pub fn tenants(&self) -> Vec<String> {
        let paths = files::list_ours(&self.directory).unwrap_or_default();
        paths.iter().filter_map(|path| Some(path.file_name()?.to_str()?.strip_suffix(".json")?.to_owned())).collect()
    }
}
