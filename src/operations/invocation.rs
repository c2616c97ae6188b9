//! A command of msgrctl, to paste into a shell.

use std::fmt;
use std::path::Path;

use super::Given;
use crate::text::{Calls, for_shell, one_line};

/// A command built word by word; quoted when shown.
#[derive(Clone, Debug)]
pub struct Invocation {
    words: Vec<String>,
    /// Arguments that look like flags go last, after `--`.
    last: Vec<String>,
}

impl Invocation {
    /// A command without arguments: `account add`.
    pub fn of(command: &str) -> Self {
        let words = std::iter::once("msgrctl").chain(command.split(' ')).map(str::to_owned).collect();
        Self { words, last: Vec::new() }
    }

    /// Adds the global flags for tenant, configuration and Graph, but not `--store`.
    #[must_use]
    pub fn global(self, given: &Given) -> Self {
        flags(given).into_iter().fold(self, |command, (flag, value)| command.with(flag, Some(&value)))
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: &str) -> Self {
        let place = if argument.starts_with('-') { &mut self.last } else { &mut self.words };
        place.push(argument.to_owned());
        self
    }

    /// Adds a flag if it is set.
    #[must_use]
    pub fn flag(mut self, flag: &str, is_set: bool) -> Self {
        self.words.extend(is_set.then(|| flag.to_owned()));
        self
    }

    /// Adds a flag with its value, if there is one.
    #[must_use]
    pub fn with(mut self, flag: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) if value.starts_with('-') => self.words.push(format!("{flag}={value}")),
            Some(value) => self.words.extend([flag.to_owned(), value.to_owned()]),
            None => {}
        }
        self
    }

    /// Every word, quoted for a shell.
    pub fn quoted(&self) -> impl Iterator<Item = String> {
        let end = (!self.last.is_empty()).then_some("--");
        let words = self.words.iter().map(String::as_str).chain(end).chain(self.last.iter().map(String::as_str));
        words.map(for_shell)
    }
}

/// The given flags for tenant, configuration and Graph.
fn flags(given: &Given) -> Vec<(&'static str, String)> {
    let Given { config_dir, tenant, store: _, key_file, graph_url, graph_version, timeout, ca_bundle, .. } = given;
    let path = |path: &Option<std::path::PathBuf>| path.as_deref().map(Path::to_string_lossy).map(String::from);
    let all = [
        ("--tenant", tenant.clone()),
        ("--config-dir", path(config_dir)),
        ("--graph-url", graph_url.clone()),
        ("--graph-version", graph_version.clone()),
        ("--timeout", timeout.clone()),
        ("--ca-bundle", path(ca_bundle)),
        ("--key-file", path(key_file)),
    ];
    all.into_iter().filter_map(|(flag, value)| Some((flag, value?))).collect()
}

/// How printed commands must be typed if these flags were given.
pub fn calls(given: &Given) -> Calls {
    // On one line, whatever a path holds: such a one could not be pasted anyway.
    let shown = |(flag, value): (_, String)| (flag, one_line(&for_shell(&value)));
    Calls::new(flags(given).into_iter().map(shown).collect())
}

impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.quoted().collect::<Vec<_>>().join(" "))
    }
}
