//! The process's environment: variables and arguments, read once.
//!
//! Only this file touches `std::env`. Everything else gets an [`Environment`], so that a test or
//! the demo can pass another one.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

/// A snapshot of the environment variables.
#[derive(Clone, Default)]
pub struct Environment {
    variables: HashMap<OsString, OsString>,
}

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        Self { variables: std::env::vars_os().map(|(name, value)| (key(&name), value)).collect() }
    }

    /// The value of a variable. `None` for an empty one, as shell users expect of
    /// `NAME= command`, and for one that is not UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        let value = self.variables.get(&key(name.as_ref()))?;
        value.to_str().filter(|text| !text.is_empty())
    }

    /// The user's home directory, as its variable says: `HOME`, on Windows `USERPROFILE`.
    pub fn home(&self) -> Option<&str> {
        self.text(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
    }

    /// Whether a variable is set to something other than `0`, `false`, `no`, `off`.
    pub fn is_on(&self, name: &str) -> bool {
        self.text(name).is_some_and(|value| !matches!(value, "0" | "false" | "no" | "off"))
    }

    /// The names of the variables that begin with `prefix`.
    fn names(&self, prefix: &str) -> Vec<OsString> {
        let begins = |name: &&OsString| name.to_str().is_some_and(|name| name.starts_with(prefix));
        self.variables.keys().filter(begins).cloned().collect()
    }

    /// The names of msgrctl's own variables, secrets among them: programs that it starts (an
    /// editor, a program that prints a secret) do not get them.
    pub fn ours(&self) -> Vec<OsString> {
        self.names("MSGRCTL_")
    }

    /// The same environment with a variable set.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(key(name.as_ref()), value.into());
        self
    }
}

/// How a variable's name is kept: on Windows `Path` and `PATH` are one.
fn key(name: &OsStr) -> OsString {
    if cfg!(windows) { name.to_ascii_uppercase() } else { name.to_owned() }
}

/// The operating system and the processor: `linux x86_64`.
pub fn platform() -> String {
    format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)
}

/// The name of this machine; `unknown` where the system does not tell.
pub fn host_name(env: &Environment) -> String {
    #[cfg(unix)]
    let system = rustix::system::uname().nodename().to_str().ok().map(str::to_owned);
    #[cfg(not(unix))]
    let system = env.text("COMPUTERNAME").map(str::to_owned);
    system.or_else(|| env.text("HOSTNAME").map(str::to_owned)).unwrap_or_else(|| "unknown".into())
}

/// The current directory; `None` when it no longer exists.
pub fn current_directory() -> Option<std::path::PathBuf> {
    std::env::current_dir().ok()
}

/// The command line, the program's name first.
pub fn arguments() -> Vec<OsString> {
    std::env::args_os().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let env = Environment::default().with("A", "").with("B", "x");
        assert_eq!(env.text("A"), None);
        assert_eq!(env.text("B"), Some("x"));
        assert_eq!(env.text("C"), None);
    }

    #[test]
    fn a_switch_can_be_turned_off_by_value() {
        let env = Environment::default().with("OFF", "0").with("ON", "1");
        assert!(!env.is_on("OFF"));
        assert!(env.is_on("ON"));
        assert!(!env.is_on("UNSET"));
    }
}
