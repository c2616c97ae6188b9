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

    /// The encrypted file of a tenant's secrets.
    pub fn secrets_file(&self, tenant: &str) -> PathBuf {
        self.tenant_dir(tenant).join("secrets.enc")
    }

    /// `tenant.toml` of a tenant: its settings.
    pub fn tenant_file(&self, tenant: &str) -> PathBuf {
        self.tenant_dir(tenant).join("tenant.toml")
    }

    /// `chat-settings.toml` of a tenant.
    pub fn chat_settings_file(&self, tenant: &str) -> PathBuf {
        self.tenant_dir(tenant).join("chat-settings.toml")
    }

    /// `notices.json` of a tenant: what was told, and what is still to be sent.
    pub fn notices_file(&self, tenant: &str) -> PathBuf {
        self.tenant_dir(tenant).join("notices.json")
    }

    /// `health-log.jsonl`: what `watch` found to have changed, an account a line.
    pub fn health_log_file(&self) -> PathBuf {
        self.root.join("health-log.jsonl")
    }

    /// The file whose lock one `watch` holds.
    pub fn watch_file(&self) -> PathBuf {
        self.root.join("watch")
    }

    /// `health.json` of a tenant: what the last tests found.
    pub fn health_file(&self, tenant: &str) -> PathBuf {
        self.tenant_dir(tenant).join("health.json")
    }

    /// `log.jsonl`: one line for each change.
    pub fn log_file(&self) -> PathBuf {
        self.root.join("log.jsonl")
    }

    /// `log.end.json`: where the log ends.
    pub fn log_end_file(&self) -> PathBuf {
        self.root.join("log.end.json")
    }

    /// `lineage`: the id of this configuration, which saved plans carry.
    pub fn lineage_file(&self) -> PathBuf {
        self.root.join("lineage")
    }

    /// The directory of changes that have begun and are not logged yet, one file for each
    /// tenant.
    pub fn pending_dir(&self) -> PathBuf {
        self.root.join("pending")
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
