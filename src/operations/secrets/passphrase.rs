//! A new passphrase or key for a tenant's encrypted file, and a new start without the old one.

use std::path::PathBuf;

use crate::files;
use crate::operations::health::{self, News};
use crate::operations::{Error, Workspace};
use crate::secrets::{MAKE_KEY_FILE, NewKey, SecretKind, SecretRef, StoreError, StoreName};

/// Changes the key of the file; returns its path.
pub fn change(workspace: &Workspace, new: &NewKey) -> Result<PathBuf, Error> {
    let _tenant = workspace.lock_tenant()?;
    let _hold = workspace.reporter.hold();
    match workspace.stores().file().rekey(new) {
        Ok(true) => file(workspace),
        Ok(false) => Err(no_file(workspace)?),
        Err(error) => Err(refused(new, error)),
    }
}

/// The error for the new key file, not for the one that opens the file now.
fn refused(new: &NewKey, error: StoreError) -> Error {
    match (&error, new) {
        (StoreError::KeyFile { path, .. }, NewKey::KeyFile(new)) if path == new => {
            Error::usage(error.to_string()).hint(format!("name another file; to make one:\n    {MAKE_KEY_FILE}"))
        }
        _ => error.into(),
    }
}

/// The result of a new start.
pub struct Begun {
    /// The path of the old file.
    pub aside: PathBuf,
    /// The secrets that it held, by the records: the handle and its kinds.
    pub missing: Vec<(String, Vec<SecretKind>)>,
}

/// Sets a file aside that nothing opens; the records stay.
pub fn begin_again(workspace: &Workspace) -> Result<Begun, Error> {
    let _tenant = workspace.lock_tenant()?;
    let path = file(workspace)?;
    if !files::is_there(&path)? {
        return Err(no_file(workspace)?);
    }
    let aside = files::set_aside(&path)?;
    let mut missing = Vec::new();
    let mut news = News::default();
    for account in workspace.accounts()?.load()? {
        let of_file = |source: &SecretRef| source.store() == Some(StoreName::File);
        let kinds = account.secrets.iter().filter(|(_, source)| of_file(source)).map(|(kind, _)| *kind);
        let kinds: Vec<SecretKind> = kinds.filter(|kind| *kind != SecretKind::NextVerifyToken).collect();
        if !kinds.is_empty() {
            news.changed(&account);
        }
        missing.extend((!kinds.is_empty()).then(|| (account.handle.to_string(), kinds)));
    }
    health::keep(workspace, &news);
    Ok(Begun { aside, missing })
}

fn file(workspace: &Workspace) -> Result<PathBuf, Error> {
    let settings = workspace.settings()?;
    Ok(settings.paths.secrets_file(settings.tenant.value.as_str()))
}

fn no_file(workspace: &Workspace) -> Result<Error, Error> {
    let tenant = &workspace.settings()?.tenant.value;
    Ok(Error::failed(format!("tenant '{tenant}' has no encrypted file"))
        .hint("to put secrets into one: msgrctl secret move --all --to file"))
}
