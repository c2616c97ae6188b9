//! A command of msgrctl in words, to be pasted into a shell.

use std::fmt;
use std::path::Path;

use super::Given;
use crate::text::Calls;

/// A command, built word by word; quoted when it is shown.
#[derive(Clone, Debug)]
pub struct Invocation {
    words: Vec<String>,
    /// Arguments that would be read as flags: they come last, behind `--`.
    last: Vec<String>,
}

impl Invocation {
    /// A command without arguments: `account add`.
    pub fn of(command: &str) -> Self {
        let words = std::iter::once("msgrctl").chain(command.split(' ')).map(str::to_owned).collect();
        Self { words, last: Vec::new() }
    }

    /// With the global flags that name the tenant, the configuration and Graph; `--store` is
    /// not one of them.
    #[must_use]
    pub fn global(self, given: &Given) -> Self {
        flags(given).into_iter().fold(self, |command, (flag, value)| command.with(flag, Some(&value)))
    }

    /// With an argument.
    #[must_use]
    pub fn arg(mut self, argument: &str) -> Self {
        let place = if argument.starts_with('-') { &mut self.last } else { &mut self.words };
        place.push(argument.to_owned());
        self
    }

    /// With a flag, where it is set.
    #[must_use]
    pub fn flag(mut self, flag: &str, is_set: bool) -> Self {
        self.words.extend(is_set.then(|| flag.to_owned()));
        self
    }

    /// With a flag and its value, where there is one.
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
        // Fails on a NUL only, which no command line can hold.
        words.map(|word| shlex::try_quote(word).unwrap_or_default().into_owned())
    }
}

/// The flags that name the tenant, the configuration and Graph, where they were given.
fn flags(given: &Given) -> Vec<(&'static str, String)> {
    let Given { config_dir, tenant, store: _, key_file, graph_url, graph_version, timeout, ca_bundle } = given;
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

/// How the commands in what is said have to be typed, where these flags were given.
pub fn calls(given: &Given) -> Calls {
    let quoted = |(flag, value): (_, String)| (flag, shlex::try_quote(&value).unwrap_or_default().into_owned());
    Calls::new(flags(given).into_iter().map(quoted).collect())
}

impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.quoted().collect::<Vec<_>>().join(" "))
    }
}
