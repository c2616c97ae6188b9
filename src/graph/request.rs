//! A call to Graph as data.

use super::AppCredentials;
use crate::secrets::Secret;

/// On whose behalf a call is made.
#[derive(Clone, PartialEq)]
pub enum Authority {
    /// A Page's or a person's token: sent in the `Authorization` header, and signed where the
    /// app's secret is known.
    Token { token: Secret, app: Option<AppCredentials> },
    /// The app itself, by `APPID|SECRET`: sent in the body; a read goes as a batch of one.
    /// `debug_token` is reported to refuse it in a header.
    App(AppCredentials),
    /// The parameters hold the credentials: `oauth/access_token` takes no token of its own. It
    /// is posted, to keep them out of the address.
    InParameters,
}

/// How a call affects what exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Changes nothing: GET.
    Read,
    /// Sets a state; may be repeated: POST.
    Set,
    /// Does something each time: POST. Retried only when it certainly did not arrive.
    Act,
    /// Removes; may be repeated: DELETE.
    Remove,
}

impl Verb {
    /// Whether it may be sent twice.
    pub(super) fn is_repeatable(self) -> bool {
        self != Self::Act
    }
}

/// One call. It owns its data, since it may wait for a batch.
#[derive(Clone)]
pub struct GraphRequest {
    /// Its effect.
    pub verb: Verb,
    /// The path without the version: `/me`.
    pub path: String,
    /// Parameters that may be shown.
    pub query: Vec<(&'static str, String)>,
    /// Parameters that hold a secret and are never shown.
    pub hidden: Vec<(&'static str, Secret)>,
    pub authority: Authority,
    /// Whether it is kept out of batches.
    pub is_alone: bool,
}

impl GraphRequest {
    /// A read of `path` with a token.
    pub fn read(path: impl Into<String>, token: &Secret, app: Option<&AppCredentials>) -> Self {
        Self::new(path.into(), Authority::Token { token: token.clone(), app: app.cloned() })
    }

    /// A read of `path` as an app.
    pub fn read_as_app(path: impl Into<String>, app: &AppCredentials) -> Self {
        Self::new(path.into(), Authority::App(app.clone()))
    }

    fn new(path: String, authority: Authority) -> Self {
        Self { verb: Verb::Read, path, query: Vec::new(), hidden: Vec::new(), authority, is_alone: false }
    }

    /// The same call with another verb.
    #[must_use]
    pub fn verb(self, verb: Verb) -> Self {
        Self { verb, ..self }
    }

    /// The same call outside of batches, with its token in a header: a batch has its tokens in
    /// the body.
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
