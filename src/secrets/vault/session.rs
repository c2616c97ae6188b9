//! The token of a session: given or from a login, renewed before it ends.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{Client, Reply};
use super::config::{JwtSource, VaultLogin};
use super::error::{self, Trouble, VaultError};
use crate::http::Method;
use crate::secrets::{Secret, SecretRef, command, plain_file};

/// A token, and how long it works.
#[derive(Clone)]
pub struct Session {
    token: Secret,
    life: Option<Life>,
}

impl Session {
    /// A text with the token masked.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        self.token.hidden_in(text)
    }
}

/// The time of a token that ends.
#[derive(Clone, Copy)]
struct Life {
    ends: Instant,
    /// How long it had when that was last said.
    whole: Duration,
    renewable: bool,
}

/// What the token says of itself.
pub struct TokenLife {
    /// The rest of its time in seconds; 0 for one that does not end.
    pub ttl: u64,
    pub renewable: bool,
}

impl Life {
    /// `None` for a token that does not end.
    fn of(seconds: &Value, renewable: &Value) -> Option<Self> {
        let whole = Duration::from_secs(seconds.as_u64().filter(|seconds| *seconds > 0)?);
        Some(Self { ends: Instant::now() + whole, whole, renewable: renewable == &json!(true) })
    }

    /// Whether a third of its time or less is left.
    fn is_short(&self) -> bool {
        self.ends.saturating_duration_since(Instant::now()) <= self.whole / 3
    }
}

impl Client {
    /// A token that works: the first call logs in, and looks at the token and the mount.
    pub(super) async fn token(&self) -> Result<Secret, VaultError> {
        let mut session = self.session.lock().await;
        if let Some(known) = session.as_mut() {
            if let Some(life) = known.life.filter(Life::is_short) {
                self.prolong(known, life).await?;
            }
            return Ok(known.token.clone());
        }
        let new = self.begin().await?;
        self.check_mount(&new.token).await?;
        let token = new.token.clone();
        *session = Some(new);
        Ok(token)
    }

    /// Opens the session, if it is not open.
    pub async fn connect(&self) -> Result<(), VaultError> {
        self.token().await.map(drop)
    }

    /// What the token says of itself; `None` if its policy does not let it look.
    pub async fn life(&self) -> Result<Option<TokenLife>, VaultError> {
        let token = self.token().await?;
        let reply = self.call(Method::GET, "auth/token/lookup-self", None, Some(&token)).await?;
        let ttl = reply.body["data"]["ttl"].as_u64();
        Ok(ttl.map(|ttl| TokenLife { ttl, renewable: reply.body["data"]["renewable"] == json!(true) }))
    }

    /// What the token may do at these paths; `None` if its policy does not let it ask.
    pub async fn capabilities(&self, paths: &[String]) -> Result<Option<Vec<Vec<String>>>, VaultError> {
        let token = self.token().await?;
        let body = json!({"paths": paths});
        let reply = self.call(Method::POST, "sys/capabilities-self", Some(&body), Some(&token)).await?;
        let list = |path: &String| {
            let list = reply.body["data"][path].as_array()?;
            Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        };
        Ok(if reply.status == 200 { paths.iter().map(list).collect() } else { None })
    }

    /// The server's version: `2.7.2`.
    pub async fn version(&self) -> Result<Option<String>, VaultError> {
        let reply = self.call(Method::GET, "sys/health", None, None).await?;
        Ok(reply.body["version"].as_str().map(|version| crate::text::excerpt(version, 40)))
    }

    /// Whether a login would give another token.
    pub(super) fn can_log_in_again(&self) -> bool {
        !matches!(self.config.login, VaultLogin::Token(_))
    }

    /// Whether the server no longer knows a token; what it refuses then is not about a policy.
    pub(super) async fn has_ended(&self, token: &Secret) -> Result<bool, VaultError> {
        let reply = self.call(Method::GET, "auth/token/lookup-self", None, Some(token)).await?;
        Ok(reply.status == 403 && !error::is_about_policy(&reply.body))
    }

    async fn begin(&self) -> Result<Session, VaultError> {
        match &self.config.login {
            VaultLogin::Token(None) => Err(self.error(Trouble::NoToken, "")),
            VaultLogin::Token(Some(token)) => {
                let reply = self.call(Method::GET, "auth/token/lookup-self", None, Some(token)).await?;
                match reply.status {
                    403 if !error::is_about_policy(&reply.body) => Err(self.error(Trouble::TokenExpired, "")),
                    404 if self.config.namespace.is_some() => Err(self.no_namespace()),
                    200 if reply.body["data"].is_null() => {
                        Err(self.error(Trouble::Unexpected, "what answers there is not Vault"))
                    }
                    _ => {
                        let life = Life::of(&reply.body["data"]["ttl"], &reply.body["data"]["renewable"]);
                        Ok(Session { token: token.clone(), life })
                    }
                }
            }
            VaultLogin::AppRole { mount, role_id, secret_id } => {
                let (role_id, secret_id) = (self.referred("role_id", role_id)?, self.referred("secret_id", secret_id)?);
                let body = json!({"role_id": role_id.expose(), "secret_id": secret_id.expose()});
                self.log_in(mount, &body).await
            }
            VaultLogin::Jwt { mount, role, jwt } => {
                let jwt = match jwt {
                    JwtSource::Reference(reference) => self.referred("jwt", reference)?,
                    JwtSource::GitHub { url, bearer, audience } => {
                        let mut url = url.clone();
                        if let Some(audience) = audience {
                            url.query_pairs_mut().append_pair("audience", audience);
                        }
                        let mut reply = self.fetch(url, bearer).await?;
                        match reply["value"].take() {
                            Value::String(jwt) => Secret::new(jwt),
                            _ => return Err(self.error(Trouble::LoginRefused, "GitHub's answer has no ID token")),
                        }
                    }
                };
                self.log_in(mount, &json!({"role": role, "jwt": jwt.expose()})).await
            }
        }
    }

    async fn log_in(&self, mount: &str, body: &Value) -> Result<Session, VaultError> {
        let mut reply = self.call(Method::POST, &format!("auth/{mount}/login"), Some(body), None).await?;
        let life = Life::of(&reply.body["auth"]["lease_duration"], &reply.body["auth"]["renewable"]);
        match reply.body["auth"]["client_token"].take() {
            Value::String(token) if reply.status == 200 => Ok(Session { token: Secret::new(token), life }),
            _ if reply.status == 404 && error::is_about_namespace(&reply.body) => Err(self.no_namespace()),
            _ => Err(self.error(Trouble::LoginRefused, self.why_refused(&reply))),
        }
    }

    /// Its own words; they may repeat what was sent, which is masked.
    fn why_refused(&self, reply: &Reply) -> String {
        let said = error::said(reply.status, &reply.body);
        let sent = match &self.config.login {
            VaultLogin::AppRole { role_id, secret_id, .. } => vec![role_id, secret_id],
            VaultLogin::Jwt { jwt: JwtSource::Reference(jwt), .. } => vec![jwt],
            _ => Vec::new(),
        };
        let values = sent.into_iter().filter_map(|reference| match reference {
            SecretRef::Variable(name) => self.config.env.text(name).map(Secret::new),
            _ => None,
        });
        values.fold(said, |said, value| value.hidden_in(&said))
    }

    fn no_namespace(&self) -> VaultError {
        self.error(Trouble::NamespaceMissing, self.config.namespace.clone().unwrap_or_default())
    }

    /// Renews a token, or logs in again. A given token that cannot be renewed works to its end.
    async fn prolong(&self, session: &mut Session, life: Life) -> Result<(), VaultError> {
        if life.renewable {
            let body = json!({"increment": format!("{}s", life.whole.as_secs())});
            let path = "auth/token/renew-self";
            let reply = self.call(Method::POST, path, Some(&body), Some(&session.token)).await?;
            let auth = &reply.body["auth"];
            let new = Life::of(&auth["lease_duration"], &auth["renewable"]);
            // A token at its last limit is renewed by ever less.
            if let (200, Some(new)) = (reply.status, new.filter(|new| new.whole > life.whole / 3)) {
                session.life = Some(Life { whole: new.whole.max(life.whole / 2), ..new });
                return Ok(());
            }
        }
        if self.can_log_in_again() {
            *session = self.begin().await?;
        } else {
            // It is not asked for again at every call.
            session.life = Some(Life { renewable: false, whole: Duration::ZERO, ..life });
        }
        Ok(())
    }

    /// Refuses a mount of another kind. Any token may ask that finds something below the mount;
    /// what is refused or missing here is told by the call that follows.
    async fn check_mount(&self, token: &Secret) -> Result<(), VaultError> {
        let mount = &self.config.mount;
        let path = format!("sys/internal/ui/mounts/{mount}");
        let reply = self.call(Method::GET, &path, None, Some(token)).await?;
        let data = &reply.body["data"];
        match (reply.status, data["type"].as_str(), data["options"]["version"].as_str()) {
            (200, Some("kv" | "generic"), Some("2")) => Ok(()),
            (200, Some("kv" | "generic"), _) => {
                Err(self.error(Trouble::WrongEngine, format!("'{mount}' (KV version 1)")))
            }
            (200, Some(other), _) => {
                let other = crate::text::excerpt(other, 40);
                Err(self.error(Trouble::WrongEngine, format!("'{mount}' ({other})")))
            }
            _ => Ok(()),
        }
    }

    /// The secret of a reference in the settings.
    fn referred(&self, key: &str, reference: &SecretRef) -> Result<Secret, VaultError> {
        let missing = |why: String| self.error(Trouble::LoginRefused, format!("vault.{key} ({reference}): {why}"));
        let value = match reference {
            SecretRef::Variable(name) => {
                let value = self.config.env.text(name).map(|value| Secret::from_copy(value.as_bytes()));
                value.transpose().map_err(|error| missing(error.to_string()))?
            }
            SecretRef::File(path) => plain_file::read(path).map_err(|error| missing(error.to_string()))?,
            SecretRef::Command(words) => {
                Some(command::run(words, &self.config.env.ours()).map_err(|error| missing(error.to_string()))?)
            }
            _ => None,
        };
        value.ok_or_else(|| missing("there is nothing".into()))
    }
}
