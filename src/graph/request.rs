//! A call to Graph as data.

use super::AppCredentials;
use crate::secrets::Secret;

/// On whose behalf a call is made.
#[derive(Clone, PartialEq)]
pub enum Authority {
    /// A Page's or a person's token: it travels in the `Authorization` header, and
    /// is signed when the app's secret is known.
    Token { token: Secret, app: Option<AppCredentials> },
    /// The app itself, by `APPID|SECRET`: in the body, as a batch of one where it reads.
    /// `debug_token` is reported to refuse it in a header.
    App(AppCredentials),
    /// Whoever the parameters name: `oauth/access_token` takes no token of its own. It is
    /// posted, so that they stand in no address.
    InParameters,
}

/// What a call does to what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Nothing: GET.
    Read,
    /// Makes it so, however often it is said: POST.
    Set,
    /// Does something each time: POST. It is repeated only when it certainly did not
    /// arrive.
    Act,
    /// Takes it away, however often it is said: DELETE.
    Remove,
}

impl Verb {
    /// Whether it may be said twice.
    pub(super) fn is_repeatable(self) -> bool {
        self != Self::Act
    }
}

/// One call. It owns what it needs, since it may wait for others to go with it.
#[derive(Clone)]
pub struct GraphRequest {
    /// What it does.
    pub verb: Verb,
    /// The path without the version: `/me`.
    pub path: String,
    /// Parameters that may be shown.
    pub query: Vec<(&'static str, String)>,
    /// Parameters that carry a secret and are never shown.
    pub hidden: Vec<(&'static str, Secret)>,
    pub authority: Authority,
    /// Whether it goes by itself where others go together.
    pub is_alone: bool,
}

impl GraphRequest {
    /// A read of `path` on behalf of a token.
    pub fn read(path: impl Into<String>, token: &Secret, app: Option<&AppCredentials>) -> Self {
        Self::new(path.into(), Authority::Token { token: token.clone(), app: app.cloned() })
    }

    /// A read of `path` on behalf of an app.
    pub fn read_as_app(path: impl Into<String>, app: &AppCredentials) -> Self {
        Self::new(path.into(), Authority::App(app.clone()))
    }

    fn new(path: String, authority: Authority) -> Self {
        Self { verb: Verb::Read, path, query: Vec::new(), hidden: Vec::new(), authority, is_alone: false }
    }

    /// The same call as another one than a read.
    #[must_use]
    pub fn verb(self, verb: Verb) -> Self {
        Self { verb, ..self }
    }

    /// The same call in a request of its own, with its token in a header: in a batch the
    /// tokens are in the body.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { is_alone: true, ..self }
    }

    /// The same call with one more parameter.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// The same call with `fields=…`.
    #[must_use]
    pub fn fields(self, fields: &str) -> Self {
        self.with("fields", fields)
    }
}
