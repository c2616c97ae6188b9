//! A value of the settings, and where it came from; errors name the source.

use std::fmt;
use std::path::PathBuf;

/// A value and where it came from.
#[derive(Clone, Debug)]
pub struct Setting<T> {
    pub value: T,
    pub origin: Origin,
}

/// The source of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag: `--graph-url`.
    Flag(&'static str),
    /// A variable: `MSGRCTL_GRAPH_URL`.
    Variable(&'static str),
    /// A key of `config.toml`.
    File(&'static str, PathBuf),
    /// Not set.
    BuiltIn,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::File(key, path) => write!(f, "{key} in {}", path.display()),
            Self::BuiltIn => f.write_str("the default"),
        }
    }
}
