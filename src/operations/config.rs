//! Writes or removes one setting in `config.toml`; the rest of the file stays.

use std::path::Path;

use toml_edit::Value;

use super::settings::{Settings, open_state, refuse_password};
use super::tenants::check_known;
use super::vault::{VAULT_KEYS, check_vault_value};
use super::{Error, Given, Workspace};
use crate::document::nearest;
use crate::files::{self, Lock};
use crate::state::config_text;

/// A path that depends on no working directory.
const WHOLE_PATH: &str = if cfg!(windows) { r"C:\ssl\company.pem" } else { "/etc/ssl/company.pem" };

/// The keys at the top of `config.toml`, with their meanings.
const BASIC: [(&str, &str); 8] = [
    ("tenant", "The tenant to work in"),
    ("store", "Where new secrets go: keyring, file, vault or env"),
    ("graph_url", "Graph's URL"),
    ("graph_version", "The Graph version"),
    ("timeout", "Seconds that one call to Graph may take"),
    ("ca_bundle", "Certificates (PEM) to trust besides the system's"),
    ("key_file", "The key file of the encrypted file"),
    ("state", "Where the records are: files, or for a team s3://BUCKET/PREFIX or postgres://USER@HOST/DATABASE"),
];

/// Each key that can be set, with its meaning.
pub fn keys() -> impl Iterator<Item = (&'static str, &'static str)> {
    BASIC.into_iter().chain(VAULT_KEYS.map(|(_, name, meaning)| (name, meaning)))
}

/// Refuses an unknown key.
pub fn check_key(key: &str) -> Result<(), Error> {
    if keys().any(|(known, _)| known == key) {
        return Ok(());
    }
    let error = Error::usage(format!("'{key}' is not a setting"));
    Err(match nearest(key, keys().map(|(known, _)| known)) {
        Some(near) => error.hint(format!("did you mean '{near}'? msgrctl config list shows all")),
        None => error.hint("to see all: msgrctl config list"),
    })
}

/// Writes a setting into `config.toml`, or removes it; returns whether anything changed.
///
/// # Errors
///
/// The value is not valid; nothing was written.
pub fn set(workspace: &Workspace, key: &str, value: Option<&str>) -> Result<bool, Error> {
    check_key(key)?;
    let settings = workspace.settings()?;
    if let (Some(value), "tenant") = (value, key) {
        check_known(workspace, value)?;
    }
    let value = value.map(|value| checked(workspace, key, value)).transpose()?;
    let path = settings.paths.config_file();
    if files::read_text(&path)?.is_none() && value.is_none() {
        return Ok(false);
    }
    // The log is where the records are, which may be why this is corrected.
    let is_of_state = key == "state";
    let hold = || workspace.hold_tenant_of(settings.tenant.value.as_str())?.and_configuration();
    let _change = if is_of_state { None } else { Some(hold()?) };
    write(&path, key, value)
}

/// The value for the file, if a run with only this setting accepts it.
fn checked(workspace: &Workspace, key: &str, value: &str) -> Result<Value, Error> {
    if let Some((of_vault, ..)) = VAULT_KEYS.into_iter().find(|(_, name, _)| *name == key)
        && of_vault != "ca_bundle"
    {
        check_vault_value(of_vault, value).map_err(Error::usage)?;
        return Ok(value.into());
    }
    let mut given = Given { config_dir: Some(workspace.settings()?.paths.root().into()), ..Given::default() };
    match key {
        "tenant" => given.tenant = Some(value.into()),
        "graph_url" => given.graph_url = Some(value.into()),
        "graph_version" => given.graph_version = Some(value.into()),
        "timeout" => given.timeout = Some(value.into()),
        // Checked here, not asked: an administrator may set it before the network is there.
        "state" => {
            refuse_password(value, "in config.toml")?;
            drop(open_state(value, &workspace.env, workspace.http_settings()?, &workspace.settings()?.paths)?);
        }
        "store" => drop(super::settings::store_name(value, &super::Origin::Flag("store"))?),
        // The file may be created later, but a relative path depends on the working directory.
        _ if !Path::new(value).is_absolute() => {
            return Err(Error::usage(format!("{key}: '{value}' is not an absolute path"))
                .hint(format!("commands run in any directory: give the path from its root, as in {WHOLE_PATH}")));
        }
        _ if !Path::new(value).is_file() => {
            return Err(Error::usage(format!("{key}: the file '{value}' does not exist"))
                .hint("every command would fail without it: make it first, or correct the path"));
        }
        _ => {}
    }
    // Flags win over variables, so only the value is judged.
    Settings::resolve(&given, &workspace.env)?;
    Ok(match key {
        "timeout" => value.parse::<f64>().map_or_else(|_| value.into(), Value::from),
        _ => value.into(),
    })
}

/// Writes or removes a key; returns whether the file changed.
pub(super) fn write(path: &Path, key: &str, value: Option<Value>) -> Result<bool, Error> {
    let lock = Lock::acquire(path, Lock::PATIENCE, &|_| {})?;
    let text = files::read_text(path)?.unwrap_or_default();
    // Reading the settings checked its syntax.
    let new = config_text::with(&text, [(key, value)]).map_err(|error| Error::file(error.message().to_owned()))?;
    if new == text {
        return Ok(false);
    }
    lock.replace(new.as_bytes())?;
    Ok(true)
}
