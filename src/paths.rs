//! Where msgrctl keeps its files.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::env::Environment;

/// The configuration directory and the paths inside it.
#[derive(Clone, Debug)]
pub struct Paths {
    root: PathBuf,
}

impl Paths {
    /// `chosen`, or else the platform's own place (`$XDG_CONFIG_HOME/msgrctl` on
    /// Linux). `None` when there is no home directory to start from.
    pub fn resolve(chosen: Option<&Path>, env: &Environment) -> Option<Self> {
        if let Some(chosen) = chosen {
            return Some(Self { root: chosen.into() });
        }
        // etcetera finds the home directory. The variable is read here, so that a passed-in
        // environment can move everything.
        let base = match env.text("XDG_CONFIG_HOME").map(PathBuf::from) {
            Some(path) if path.is_absolute() && cfg!(target_os = "linux") => path,
            _ => etcetera::base_strategy::choose_native_strategy().ok()?.config_dir(),
        };
        Some(Self { root: base.join("msgrctl") })
    }

    /// The configuration directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `config.toml`.
    pub fn config_file(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// The directory of a tenant. The name must be checked before: it is used as it is.
    pub fn tenant_dir(&self, tenant: &str) -> PathBuf {
        self.tenants_dir().join(tenant)
    }

    /// The directory that contains the tenants' directories.
    pub fn tenants_dir(&self) -> PathBuf {
        self.root.join("tenants")
    }

    /// The directory of copies of a shared state.
    pub fn state_copies(&self) -> PathBuf {
        self.root.join("state-copies")
    }

    /// The encrypted file of a tenant's secrets.
    pub fn secrets_file(&self, tenant: &str) -> PathBuf {
        self.tenant_dir(tenant).join("secrets.enc")
    }

    /// The file whose lock one `watch` holds.
    pub fn watch_file(&self) -> PathBuf {
        self.root.join("watch")
    }

    /// `accounts.toml` of a tenant.
    pub fn accounts_file(&self, tenant: &str) -> PathBuf {
        self.tenant_dir(tenant).join("accounts.toml")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_directory_wins_over_the_platforms() {
        let env = Environment::default().with("XDG_CONFIG_HOME", "/nowhere");
        let paths = Paths::resolve(Some(Path::new("/chosen")), &env).expect("a place");
        assert_eq!(paths.accounts_file("acme"), Path::new("/chosen/tenants/acme/accounts.toml"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn xdg_config_home_is_honoured() {
        let env = Environment::default().with("XDG_CONFIG_HOME", "/xdg");
        let paths = Paths::resolve(None, &env).expect("a place");
        assert_eq!(paths.config_file(), Path::new("/xdg/msgrctl/config.toml"));
    }
}
