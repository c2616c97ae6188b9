//! Settings and where each one came from: flag, variable, configuration file, built-in. Errors
//! name the source.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::Error;
pub use super::origin::{Origin, Setting};
use super::vault::{VaultSettings, VaultTable};
use super::watch::Table;
use crate::accounts::{AccountError, Tenant, TenantFile, TenantName};
use crate::checks::causes;
use crate::document;
use crate::env::Environment;
use crate::files;
use crate::graph::{BaseUrl, GraphVersion};
use crate::http;
use crate::paths::Paths;
use crate::secrets::StoreName;
pub use crate::storage::names::FILES;
use crate::storage::{
    LocalFiles, Place, RemoteError, Shared, Storage, holds_password, is_postgres, names, without_password,
};

/// Opens the state at an address: `s3://…`, `postgres://…`, or `files`. Asks nothing yet.
pub fn open_state(
    address: &str,
    env: &Environment,
    http: http::Settings,
    paths: &Paths,
) -> Result<Arc<dyn Storage>, RemoteError> {
    Ok(match address {
        FILES => Arc::new(LocalFiles::new(paths.root().into())),
        address if is_postgres(address) => Arc::new(Shared::postgres(address, env, http, paths.state_copies())?),
        address => Arc::new(Shared::s3(address, env, http, paths.state_copies())?),
    })
}

/// Refuses an address with a password where other people and programs may read it.
pub(super) fn refuse_password(address: &str, place: &str) -> Result<(), Error> {
    if !holds_password(address) {
        return Ok(());
    }
    Err(Error::usage(format!("the address of the state holds a password, which does not belong {place}"))
        .reason(causes::STATE_ADDRESS.id)
        .hint("omit it there, and set PGPASSWORD, or write it into ~/.pgpass"))
}

/// The certificates of `--ca-bundle`, and their path.
pub fn pem_of(ca_bundle: Option<&Setting<PathBuf>>) -> Result<Option<(PathBuf, Vec<u8>)>, Error> {
    let Some(Setting { value: path, origin }) = ca_bundle else { return Ok(None) };
    let pem = files::read_bytes(path, 4 * 1024 * 1024).map_err(|error| {
        let error = Error::usage(error.to_string()).cause(format!("it is named by {origin}"));
        match origin {
            Origin::File(..) => error.hint("take it out: msgrctl config unset ca_bundle, or correct it there"),
            _ => error.hint("name a readable file with --ca-bundle FILE (MSGRCTL_CA_BUNDLE)"),
        }
    })?;
    Ok(Some((path.clone(), pem.to_vec())))
}

/// `config.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    tenant: Option<String>,
    store: Option<String>,
    graph_url: Option<String>,
    graph_version: Option<String>,
    timeout: Option<f64>,
    ca_bundle: Option<String>,
    key_file: Option<String>,
    state: Option<String>,
    #[serde(default)]
    vault: VaultTable,
    #[serde(default)]
    notify: Vec<Table>,
}

/// The caller's choices, as typed; they win over variables and `config.toml`.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The configuration directory.
    pub config_dir: Option<PathBuf>,
    /// The tenant to work in.
    pub tenant: Option<String>,
    /// The store for new secrets.
    pub store: Option<StoreName>,
    /// The key file of the encrypted file.
    pub key_file: Option<PathBuf>,
    /// Graph's URL.
    pub graph_url: Option<String>,
    /// The Graph version.
    pub graph_version: Option<String>,
    /// Seconds for one call to Graph.
    pub timeout: Option<String>,
    /// Certificates to trust besides the system's.
    pub ca_bundle: Option<PathBuf>,
    /// Where the records are, already opened: shared by the tenants of a run.
    pub storage: Option<Arc<dyn Storage>>,
    /// The command works without the records: it goes on when the shared state cannot be read.
    pub state_is_optional: bool,
    /// Nothing may be asked over the network: for completions.
    pub offline: bool,
}

/// Every setting of a run, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    pub paths: Paths,
    /// The address of the records; `None`: files here.
    pub state: Option<Setting<String>>,
    /// Where the records are.
    pub storage: Arc<dyn Storage>,
    pub tenant: Setting<TenantName>,
    /// The store for new secrets.
    pub store: Setting<StoreName>,
    /// Graph's URL.
    pub graph_url: Setting<BaseUrl>,
    pub graph_version: Setting<GraphVersion>,
    pub timeout: Setting<Seconds>,
    /// Certificates to trust besides the system's.
    pub ca_bundle: Option<Setting<PathBuf>>,
    /// The key file of the encrypted file.
    pub key_file: Option<Setting<PathBuf>>,
    /// Which Vault, and how to log in.
    pub vault: VaultSettings,
    /// Where notices go, as it is written.
    pub notify: Vec<Table>,
}

impl Settings {
    /// Combines the levels. Reads `config.toml`.
    pub fn resolve(given: &Given, env: &Environment) -> Result<Self, Error> {
        let chosen = given.config_dir.clone().or_else(|| env.text("MSGRCTL_CONFIG_DIR").map(PathBuf::from));
        let paths = Paths::resolve(chosen.as_deref(), env).ok_or_else(|| {
            Error::file("the home directory is not known, so the configuration has no place")
                .hint("name a directory with --config-dir DIR (MSGRCTL_CONFIG_DIR)")
        })?;
        let path = paths.config_file();
        let file = read(&path)?;
        let levels = Levels { env, path: &path };

        let tenant = levels.pick(("--tenant", given.tenant.clone()), "MSGRCTL_TENANT", ("tenant", file.tenant));
        let tenant: Setting<TenantName> = Levels::parse(tenant, "default")?;

        let timeout = levels.pick(
            ("--timeout", given.timeout.clone()),
            "MSGRCTL_TIMEOUT",
            ("timeout", file.timeout.map(|seconds| seconds.to_string())),
        );
        let timeout: Setting<Seconds> = Levels::parse(timeout, "20")?;
        let path_of = |flag, given: &Option<PathBuf>, variable, key, written: Option<String>| {
            let given = given.as_ref().map(|path| path.to_string_lossy().into_owned());
            levels
                .pick((flag, given), variable, (key, written))
                .map(|Setting { value, origin }| Setting { value: PathBuf::from(value), origin })
        };
        let ca_bundle = path_of("--ca-bundle", &given.ca_bundle, "MSGRCTL_CA_BUNDLE", "ca_bundle", file.ca_bundle);
        let key_file = path_of("--key-file", &given.key_file, "MSGRCTL_KEY_FILE", "key_file", file.key_file);

        let state = levels.pick(("", None), "MSGRCTL_STATE", ("state", file.state));
        let state = state.filter(|state| state.value != FILES);
        if let Some(Setting { value, origin: Origin::File(..) }) = &state {
            refuse_password(value, "in config.toml")?;
        }
        let http = || -> Result<http::Settings, Error> {
            Ok(http::Settings { timeout: timeout.value.0, ca_bundle: pem_of(ca_bundle.as_ref())?, loopback: false })
        };
        let storage = match (&given.storage, &state) {
            (Some(storage), _) => storage.clone(),
            (None, None) => Arc::new(LocalFiles::new(paths.root().into())),
            (None, Some(Setting { value, origin })) => open_state(value, env, http()?, &paths)
                .map_err(|error| Error::from(error).cause(format!("it is named by {origin}")))?,
        };
        // From here on it is for showing.
        let state = state.map(|state| Setting { value: without_password(&state.value), ..state });
        let of_tenant: TenantFile<Tenant> = TenantFile::new(Place::new(&storage, names::tenant(tenant.value.as_str())));
        let of_tenant_settings = if given.offline && state.is_some() {
            Tenant::default()
        } else {
            match of_tenant.load() {
                Err(AccountError::Remote(_)) if given.state_is_optional => Tenant::default(),
                loaded => loaded?,
            }
        };
        let flag = given.store.map(|store| store.to_string());
        let of_tenant_file = |store: StoreName| Setting {
            value: store.to_string(),
            origin: Origin::File("store", of_tenant.path().into()),
        };
        let store = levels
            .pick(("--store", flag), "MSGRCTL_STORE", ("store", None))
            .or(of_tenant_settings.store.map(of_tenant_file))
            .or(file.store.map(|value| Setting { value, origin: Origin::File("store", path.clone()) }));
        let store = match store {
            Some(Setting { value, origin }) => Setting { value: store_name(&value, &origin)?, origin },
            None => Setting { value: StoreName::Keyring, origin: Origin::BuiltIn },
        };

        let url =
            levels.pick(("--graph-url", given.graph_url.clone()), "MSGRCTL_GRAPH_URL", ("graph_url", file.graph_url));
        let graph_url = Levels::parse(url, &BaseUrl::live().to_string())?;

        let version = levels.pick(
            ("--graph-version", given.graph_version.clone()),
            "MSGRCTL_GRAPH_VERSION",
            ("graph_version", file.graph_version),
        );
        let graph_version = Levels::parse(version, &GraphVersion::DEFAULT.to_string())?;

        let vault = VaultSettings::resolve(file.vault, env, &path);
        let notify = file.notify;
        Ok(Self {
            paths,
            state,
            storage,
            tenant,
            store,
            graph_url,
            graph_version,
            timeout,
            ca_bundle,
            key_file,
            vault,
            notify,
        })
    }

    /// Refuses a path among msgrctl's own files: the next change would overwrite it.
    pub fn refuse_own(&self, what: &str, path: &Path) -> Result<(), Error> {
        let whole = |path: &Path| files::real_path(path).ok();
        let place = whole(path).or_else(|| Some(whole(path.parent()?)?.join(path.file_name()?)));
        let root = whole(self.paths.root());
        match (place, root) {
            (Some(place), Some(root)) if place.starts_with(&root) => Err(Error::usage(format!(
                "{what} cannot be {}: that directory is for msgrctl's own files",
                path.display()
            ))
            .hint("choose a path in another directory")),
            _ => Ok(()),
        }
    }

    /// Each key of `config.toml`, in order: value in force, and its source.
    pub fn rows(&self) -> Vec<(&'static str, String, &Origin)> {
        let [(ca_bundle, ca_bundle_from), (key_file, key_file_from)] = [&self.ca_bundle, &self.key_file].map(|path| {
            path.as_ref()
                .map_or((String::new(), &Origin::BuiltIn), |path| (path.value.display().to_string(), &path.origin))
        });
        let state = self.state.as_ref();
        let (state, state_from) =
            state.map_or((FILES.into(), &Origin::BuiltIn), |state| (state.value.clone(), &state.origin));
        let mut rows = vec![
            ("tenant", self.tenant.value.to_string(), &self.tenant.origin),
            ("store", self.store.value.to_string(), &self.store.origin),
            ("graph_url", self.graph_url.value.to_string(), &self.graph_url.origin),
            ("graph_version", self.graph_version.value.to_string(), &self.graph_version.origin),
            ("timeout", self.timeout.value.to_string(), &self.timeout.origin),
            ("ca_bundle", ca_bundle, ca_bundle_from),
            ("key_file", key_file, key_file_from),
            ("state", state, state_from),
        ];
        rows.extend(self.vault.rows());
        rows
    }
}

fn read(path: &std::path::Path) -> Result<ConfigFile, Error> {
    let Some(text) = files::read_text(path)? else { return Ok(ConfigFile::default()) };
    document::parse(&text).map_err(|mistake| {
        let error = Error::file(format!("{}:{}:{}: {}", path.display(), mistake.line, mistake.column, mistake.message));
        error.hint(mistake.hint.unwrap_or_else(|| "correct the line".into()))
    })
}

struct Levels<'a> {
    env: &'a Environment,
    path: &'a std::path::Path,
}

impl Levels<'_> {
    fn pick(
        &self,
        (flag, given): (&'static str, Option<String>),
        variable: &'static str,
        (key, written): (&'static str, Option<String>),
    ) -> Option<Setting<String>> {
        given
            .map(|value| Setting { value, origin: Origin::Flag(flag) })
            .or_else(|| {
                let value = self.env.text(variable)?.to_owned();
                Some(Setting { value, origin: Origin::Variable(variable) })
            })
            .or_else(|| Some(Setting { value: written?, origin: Origin::File(key, self.path.into()) }))
    }

    /// Checks a value: an error in the file is a file error (3), any other a usage error (2).
    fn parse<T>(chosen: Option<Setting<String>>, built_in: &str) -> Result<Setting<T>, Error>
    where
        T: std::str::FromStr<Err: fmt::Display>,
    {
        let chosen = chosen.unwrap_or_else(|| Setting { value: built_in.into(), origin: Origin::BuiltIn });
        match chosen.value.parse() {
            Ok(value) => Ok(Setting { value, origin: chosen.origin }),
            Err(error) => Err(wrong(&chosen.origin, &error.to_string())),
        }
    }
}

fn wrong(origin: &Origin, why: &str) -> Error {
    let message = format!("{origin}: {why}");
    match origin {
        Origin::File(..) => Error::file(message),
        _ => Error::usage(message),
    }
}

pub(super) fn store_name(text: &str, origin: &Origin) -> Result<StoreName, Error> {
    StoreName::ALL
        .into_iter()
        .find(|store| store.to_string() == text)
        .ok_or_else(|| wrong(origin, &format!("'{text}' is not a valid store: expected keyring, file, vault or env")))
}

/// A time limit: seconds, whole or fractional, above 0 and at most an hour.
#[derive(Clone, Copy, Debug)]
pub struct Seconds(pub Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_secs_f64().fmt(f)
    }
}

impl std::str::FromStr for Seconds {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let seconds: f64 = text.parse().map_err(|_| format!("'{text}' is not a number of seconds"))?;
        if !(0.01..=3600.0).contains(&seconds) {
            return Err(format!("{text} is out of range: 0.01 to 3600 seconds"));
        }
        Ok(Self(Duration::from_secs_f64(seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::Kind;

    fn resolve(file: &str, env: &[(&str, &str)], given: &Given) -> Result<Settings, Error> {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("config.toml"), file).expect("written");
        let mut environment = Environment::default();
        for (name, value) in env {
            environment = environment.with(name, value);
        }
        let given = Given { config_dir: Some(dir.path().into()), ..given.clone() };
        Settings::resolve(&given, &environment)
    }

    #[test]
    fn flags_win_over_variables_over_the_file_over_the_built_in() {
        let none = Given::default();
        let tenant = |settings: Result<Settings, Error>| settings.expect("settings").tenant.value.to_string();
        assert_eq!(tenant(resolve("", &[], &none)), "default");
        assert_eq!(tenant(resolve("tenant = 'file'", &[], &none)), "file");
        assert_eq!(tenant(resolve("tenant = 'file'", &[("MSGRCTL_TENANT", "env")], &none)), "env");
        let flag = Given { tenant: Some("flag".into()), ..none };
        let settings = resolve("tenant = 'file'", &[("MSGRCTL_TENANT", "env")], &flag).expect("settings");
        assert_eq!((settings.tenant.value.as_str(), settings.tenant.origin), ("flag", Origin::Flag("--tenant")));
    }

    #[test]
    fn what_is_wrong_names_its_level() {
        let none = Given::default();
        let kind = |settings: Result<Settings, Error>| settings.map(|_| ()).expect_err("refused").kind();
        assert_eq!(kind(resolve("tenat = 'x'", &[], &none)), Kind::File);
        assert_eq!(kind(resolve("timeout = 'x'", &[], &none)), Kind::File);
        assert_eq!(kind(resolve("graph_url = 'https://example.com'", &[], &none)), Kind::File);
        assert_eq!(kind(resolve("", &[("MSGRCTL_GRAPH_URL", "https://example.com")], &none)), Kind::Usage);
        assert_eq!(kind(resolve("", &[("MSGRCTL_TIMEOUT", "0")], &none)), Kind::Usage);
        assert_eq!(kind(resolve("", &[("MSGRCTL_STORE", "paper")], &none)), Kind::Usage);
        assert_eq!(kind(resolve("", &[("MSGRCTL_TENANT", "../up")], &none)), Kind::Usage);
    }
}
