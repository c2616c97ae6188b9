//! Calls to Vault: one request and its reply, with the token of the session.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::RngExt as _;
use secrecy::zeroize::Zeroizing;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::config::{VaultConfig, VaultLogin};
use super::entry::Entry;
use super::error::{self, Trouble, VaultError};
use super::session::Session;
use crate::http::header::{self, HeaderName, HeaderValue};
use crate::http::{Body, Client as Http, Method, Request, Settings, Url};
use crate::secrets::Secret;
use crate::secrets::reference::segments;
use crate::touched;

/// How often a write is tried again after a lost race.
const ATTEMPTS: u32 = 30;

/// How long another command may take to remove an entry that it has emptied.
const REMOVAL: Duration = Duration::from_secs(2);

/// How often a busy server is asked again.
const BUSY: u32 = 3;

/// A connection to one Vault.
pub struct Client {
    pub(super) config: Arc<VaultConfig>,
    http: Http,
    pub(super) session: Mutex<Option<Session>>,
}

/// A reply: its status, and its body, `null` where it is not JSON.
pub(super) struct Reply {
    pub status: u16,
    pub body: Value,
}

impl Client {
    /// Reads the system's certificates, and connects to nothing yet.
    pub fn new(config: Arc<VaultConfig>) -> Result<Self, VaultError> {
        let settings = Settings {
            timeout: config.timeout,
            ca_bundle: config.ca_bundle.clone(),
            loopback: config.address.is_loopback(),
        };
        let address = config.address.to_string();
        let http = Http::new(&settings).map_err(|error| VaultError {
            trouble: Trouble::Tls,
            address,
            detail: error.to_string(),
        })?;
        Ok(Self { config, http, session: Mutex::new(None) })
    }

    pub(super) fn error(&self, trouble: Trouble, detail: impl Into<String>) -> VaultError {
        // A server may repeat what it was sent.
        let mut detail = detail.into();
        if let VaultLogin::Token(Some(token)) = &self.config.login {
            detail = token.hidden_in(&detail);
        }
        if let Ok(session) = self.session.try_lock()
            && let Some(session) = session.as_ref()
        {
            detail = session.hidden_in(&detail);
        }
        VaultError { trouble, address: self.config.address.to_string(), detail }
    }

    /// Reads an entry; one that was never written has version 0.
    pub async fn read(&self, path: &str) -> Result<Entry, VaultError> {
        let mut reply = self.authorized(Method::GET, "data", path, None).await?;
        match (reply.status, Entry::of_reply(&mut reply.body)) {
            (200 | 404, Some(entry)) => Ok(entry),
            (404, None) => self.not_there(&reply.body).map(|()| Entry::default()),
            (status, _) => Err(self.error(Trouble::Unexpected, error::said(status, &reply.body))),
        }
    }

    /// A 404 without errors: nothing is there. With errors, the mount or the namespace is missing.
    fn not_there(&self, body: &Value) -> Result<(), VaultError> {
        if body["errors"].as_array().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        Err(match &self.config.namespace {
            Some(namespace) if error::is_about_namespace(body) => self.error(Trouble::NamespaceMissing, namespace),
            _ if body["errors"].is_array() => self.error(Trouble::MountMissing, &self.config.mount),
            _ => self.error(Trouble::Unexpected, "what answers there is not Vault (HTTP 404)"),
        })
    }

    /// Changes an entry with check-and-set: reads it, has `change` change it, and writes it if
    /// no other writer did meanwhile; otherwise it begins again. `known` saves the first read, if it
    /// is still true. `change` returns whether there is anything to write. An entry without
    /// fields is removed with its old versions.
    pub async fn update(
        &self,
        path: &str,
        known: Option<Entry>,
        change: impl Fn(&mut Entry) -> bool,
    ) -> Result<(Entry, bool), VaultError> {
        let mut is_old = known.is_some();
        let mut entry = match known {
            Some(known) => known,
            None => self.read(path).await?,
        };
        let mut emptied: Option<(u64, Instant)> = None;
        for attempt in 0..ATTEMPTS {
            if entry.is_being_removed() {
                // A write into it could go with it. If its remover was killed, its time ends.
                let (version, since) = *emptied.get_or_insert((entry.version, Instant::now()));
                if version == entry.version && since.elapsed() < REMOVAL {
                    while entry.version == version && since.elapsed() < REMOVAL {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        entry = self.read(path).await?;
                    }
                }
            }
            let mut new = entry.clone();
            if !change(&mut new) {
                if std::mem::take(&mut is_old) {
                    entry = self.read(path).await?;
                    continue;
                }
                if entry.is_being_removed() {
                    self.delete(path).await?;
                    return Ok((Entry::default(), false));
                }
                return Ok((entry, false));
            }
            let began = Instant::now();
            touched::note();
            let reply = self.authorized(Method::POST, "data", path, Some(&new.body())).await?;
            match (reply.status, reply.body["data"]["version"].as_u64()) {
                (200, Some(version)) => {
                    new.version = version;
                    new.deleted = false;
                    if !new.fields.is_empty() {
                        return Ok((new, true));
                    }
                    if began.elapsed() < REMOVAL / 2 {
                        self.delete(path).await?;
                        return Ok((Entry::default(), true));
                    }
                    // Too late to be alone with it: another writer may have written into it by now.
                    entry = self.read(path).await?;
                    if entry.version == version {
                        self.delete(path).await?;
                        return Ok((Entry::default(), true));
                    }
                    return Ok((entry, true));
                }
                (404, None) => {
                    self.not_there(&reply.body)?;
                    return Err(self.error(Trouble::MountMissing, &self.config.mount));
                }
                (status, _) => {
                    // Refused: by another writer, if the version is another one now.
                    let now = self.read(path).await?;
                    if now.version == entry.version {
                        return Err(self.error(Trouble::Unexpected, error::said(status, &reply.body)));
                    }
                    (entry, is_old) = (now, false);
                }
            }
            let longest = 5 + 10 * u64::from(attempt.min(10));
            let pause = rand::rng().random_range(1..=longest);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        Err(self.error(Trouble::Conflict, format!("the entry {path}")))
    }

    /// Removes an entry with all of its versions.
    async fn delete(&self, path: &str) -> Result<(), VaultError> {
        touched::note();
        let reply = self.authorized(Method::DELETE, "metadata", path, None).await?;
        match reply.status {
            200 | 204 => Ok(()),
            404 => self.not_there(&reply.body),
            status => Err(self.error(Trouble::Unexpected, error::said(status, &reply.body))),
        }
    }

    /// The names in a folder; folders among them end in a slash.
    pub async fn list(&self, path: &str) -> Result<Vec<String>, VaultError> {
        let reply = self.authorized(Method::GET, "metadata?list", path, None).await?;
        match (reply.status, reply.body["data"]["keys"].as_array()) {
            (200, Some(keys)) => Ok(keys.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
            (404, _) => self.not_there(&reply.body).map(|()| Vec::new()),
            (status, _) => Err(self.error(Trouble::Unexpected, error::said(status, &reply.body))),
        }
    }

    /// A call below the mount. A token that has ended meanwhile is replaced once by a new login.
    async fn authorized(
        &self,
        method: Method,
        area: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply, VaultError> {
        let (area, list) = area.split_once('?').map_or((area, false), |(area, _)| (area, true));
        let mount = segments(&self.config.mount);
        let mut url = self.config.address.call(mount.chain([area]).chain(segments(path)));
        if list {
            url.set_query(Some("list=true"));
        }
        let mut fresh = false;
        loop {
            let token = self.token().await?;
            let reply = self.send(method.clone(), url.clone(), body, Some(&token)).await?;
            if reply.status != 403 {
                return Ok(reply);
            }
            if !self.has_ended(&token).await? {
                let verb = match (&method, list) {
                    (_, true) => "list",
                    (&Method::GET, _) => "read",
                    (&Method::DELETE, _) => "delete",
                    _ => "write",
                };
                let mount = &self.config.mount;
                return Err(self.error(Trouble::Denied, format!("{verb} {mount}/{area}/{path}")));
            }
            if fresh || !self.can_log_in_again() {
                return Err(self.error(Trouble::TokenExpired, ""));
            }
            fresh = true;
            *self.session.lock().await = None;
        }
    }

    /// One call outside the mount, such as `auth/token/lookup-self`.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        token: Option<&Secret>,
    ) -> Result<Reply, VaultError> {
        let url = self.config.address.call(segments(path));
        self.send(method, url, body, token).await
    }

    /// Sends a request; a busy server is asked again.
    async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<&Value>,
        token: Option<&Secret>,
    ) -> Result<Reply, VaultError> {
        let mut at = url;
        let mut moved = false;
        for attempt in 0.. {
            let (reply, location) = self.send_once(method.clone(), at.clone(), body, token).await?;
            match reply.status {
                429 if attempt < BUSY => tokio::time::sleep(Duration::from_millis(100 << attempt)).await,
                // A standby names the active server. Its host may be another one, and the token
                // goes only where it was sent.
                301..=303 | 307 | 308 => {
                    let to = location.and_then(|to| at.join(&to).ok());
                    match to {
                        Some(to) if !moved && to.scheme() == at.scheme() && to.host() == at.host() => {
                            (at, moved) = (to, true);
                        }
                        to => {
                            let host = to.and_then(|to| to.host_str().map(str::to_owned)).unwrap_or_default();
                            return Err(self.error(
                                Trouble::Unexpected,
                                format!("it redirects to another server ({host}), which is not followed"),
                            ));
                        }
                    }
                }
                500.. => return Err(self.is_down(reply).await),
                429 => return Err(self.error(Trouble::Slow, error::said(429, &reply.body))),
                400 if reply.body.is_null() && at.scheme() == "http" => {
                    return Err(self.error(Trouble::Tls, "it speaks https, and the address says http"));
                }
                _ => return Ok(reply),
            }
        }
        unreachable!("the loop ends by returning")
    }

    /// Why it answered 5xx: it is sealed, not initialised, or has trouble of its own.
    async fn is_down(&self, reply: Reply) -> VaultError {
        let url = self.config.address.call(["sys", "health"]);
        let health = self.send_once(Method::GET, url, None, None).await.map(|(reply, _)| reply.body);
        let health = health.unwrap_or_default();
        if health["initialized"] == json!(false) {
            return self.error(Trouble::Sealed, "is not initialised");
        }
        if health["sealed"] == json!(true) {
            return self.error(Trouble::Sealed, "is sealed");
        }
        self.error(Trouble::Unreachable, error::said(reply.status, &reply.body))
    }

    async fn send_once(
        &self,
        method: Method,
        url: Url,
        body: Option<&Value>,
        token: Option<&Secret>,
    ) -> Result<(Reply, Option<String>), VaultError> {
        let mut headers = vec![(HeaderName::from_static("x-vault-request"), HeaderValue::from_static("true"))];
        // The health is the whole server's, and Vault refuses to tell it in a namespace.
        if let Some(namespace) = self.config.namespace.as_ref().filter(|_| !url.path().ends_with("/sys/health")) {
            headers.push((HeaderName::from_static("x-vault-namespace"), self.header("the namespace", namespace)?));
        }
        if let Some(token) = token {
            let mut value = self.header("the token", token.expose())?;
            value.set_sensitive(true);
            headers.push((HeaderName::from_static("x-vault-token"), value));
        }
        if body.is_some() {
            headers.push((header::CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        let body = body.map_or(Body::Empty, |body| Body::Raw(body.to_string().into_bytes()));
        let request = Request { method, url, authorization: None, headers, body };
        let response = self.http.send(request).await.map_err(|fault| {
            let (trouble, detail) = error::of_fault(fault);
            self.error(trouble, detail)
        })?;
        let location = response.headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned);
        let bytes = Zeroizing::new(response.body);
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok((Reply { status: response.status, body }, location))
    }

    /// A request with a bearer token to another server, which gives a JWT.
    pub(super) async fn fetch(&self, url: Url, bearer: &Secret) -> Result<Value, VaultError> {
        let settings =
            Settings { timeout: self.config.timeout, ca_bundle: None, loopback: crate::address::is_loopback(&url) };
        let refused = |why: String| self.error(Trouble::LoginRefused, format!("GitHub gave no ID token: {why}"));
        let http = Http::new(&settings).map_err(|error| refused(error.to_string()))?;
        let bearer = HeaderValue::from_str(&format!("Bearer {}", bearer.expose()));
        let authorization = Some(bearer.map_err(|_| refused("its request token has a line break in it".into()))?);
        let response = http.send(Request { authorization, ..Request::get(url) }).await;
        let response = response.map_err(|fault| refused(fault.to_string()))?;
        if response.status != 200 {
            return Err(refused(format!("HTTP {}", response.status)));
        }
        let bytes = Zeroizing::new(response.body);
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    fn header(&self, what: &str, value: &str) -> Result<HeaderValue, VaultError> {
        let wrong = |_| self.error(Trouble::Settings, format!("{what} for Vault holds a character that no header can"));
        HeaderValue::from_str(value).map_err(wrong)
    }
}
