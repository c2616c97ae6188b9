//! A call to Graph as data.

use super::AppCredentials;
use crate::secrets::Secret;

/// On whose behalf a call is made.
pub enum Authority<'a> {
    /// A Page's or a person's token: it travels in the `Authorization` header, and
    /// is signed when the app's secret is known.
    Token {
        /// The token.
        token: &'a Secret,
        /// The app to sign with.
        app: Option<&'a AppCredentials>,
    },
    /// The app itself, by `APPID|SECRET`: in the query, the one form that
    /// `debug_token` is reported to take (facts of Graph, section 2.2).
    App(&'a AppCredentials),
    /// Whoever the parameters name: `oauth/access_token` takes no token of its own.
    InParameters,
}

/// One call.
pub struct GraphRequest<'a> {
    /// Whether it changes something; then it is repeated only when it certainly
    /// did not arrive.
    pub write: bool,
    /// The path without the version: `/me`.
    pub path: String,
    /// Parameters that may be shown.
    pub query: Vec<(&'static str, String)>,
    /// Parameters that carry a secret and are never shown.
    pub hidden: Vec<(&'static str, &'a Secret)>,
    /// On whose behalf.
    pub authority: Authority<'a>,
}

impl<'a> GraphRequest<'a> {
    /// A read of `path` on behalf of a token.
    pub fn read(path: impl Into<String>, token: &'a Secret, app: Option<&'a AppCredentials>) -> Self {
        Self {
            write: false,
            path: path.into(),
            query: Vec::new(),
            hidden: Vec::new(),
            authority: Authority::Token { token, app },
        }
    }

    /// A read of `path` on behalf of an app.
    pub fn read_as_app(path: impl Into<String>, app: &'a AppCredentials) -> Self {
        Self { write: false, path: path.into(), query: Vec::new(), hidden: Vec::new(), authority: Authority::App(app) }
    }

    /// The same call with `fields=…`.
    #[must_use]
    pub fn fields(mut self, fields: &str) -> Self {
        self.query.push(("fields", fields.into()));
        self
    }
}
