//! Objects of a bucket: read, written on a condition, listed, removed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use super::address::Address;
use super::credentials::Credentials;
use super::probe::probe;
use super::sign::{self, Signed, encoded};
use super::xml;
use crate::http::header::{DATE, ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use crate::http::{self, Body, Client, Fault, Method, Request, Response, Url};
use crate::storage::RemoteError;
use crate::storage::shared::objects::{
    Answer, Expected, Got, Object, Objects, ServerClock, TRIES, Written, guard, pause,
};

/// The largest object that is read: some 100,000 accounts.
const LARGEST: usize = 64 * 1024 * 1024;

/// A bucket and who asks.
#[derive(Debug)]
pub struct Bucket {
    address: Address,
    credentials: Result<Credentials, String>,
    http: http::Settings,
    clock: ServerClock,
    client: Mutex<Option<MadeClient>>,
}

#[derive(Clone)]
struct MadeClient(Arc<Client>);

impl std::fmt::Debug for MadeClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl Objects for Bucket {
    fn place(&self) -> String {
        self.address.to_string()
    }

    fn identity(&self) -> String {
        format!("{}/{}", self.address.base, self.address.prefix)
    }

    fn lease(&self) -> Duration {
        self.address.lease
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn check(&self) -> Result<(), RemoteError> {
        match &self.credentials {
            Ok(_) => self.client().map(drop),
            Err(why) => Err(RemoteError::NoCredentials { place: self.place(), why: why.clone() }),
        }
    }

    fn prepare(&self) -> Answer<'_, ()> {
        Box::pin(probe(self))
    }

    fn get<'a>(&'a self, key: &'a str, known: Option<&'a str>) -> Answer<'a, Got> {
        Box::pin(self.read(key, known))
    }

    fn put<'a>(&'a self, key: &'a str, text: &'a str, expected: &'a Expected) -> Answer<'a, Written> {
        Box::pin(self.write(key, text, expected))
    }

    fn delete<'a>(&'a self, key: &'a str, tag: Option<&'a str>) -> Answer<'a, bool> {
        Box::pin(self.remove(key, tag))
    }

    fn list<'a>(&'a self, name: &'a str) -> Answer<'a, Vec<String>> {
        Box::pin(self.keys(name))
    }
}

impl Bucket {
    pub fn new(address: Address, credentials: Result<Credentials, String>, http: http::Settings) -> Self {
        Self { address, credentials, http, clock: ServerClock::new(), client: Mutex::default() }
    }

    fn client(&self) -> Result<Arc<Client>, RemoteError> {
        let mut client = guard(&self.client);
        if let Some(MadeClient(client)) = &*client {
            return Ok(client.clone());
        }
        let made = Arc::new(Client::new(&self.http)?);
        *client = Some(MadeClient(made.clone()));
        Ok(made)
    }

    fn unexpected(&self, says: String) -> RemoteError {
        RemoteError::Unexpected { place: self.place(), says, passes: false }
    }

    async fn read(&self, key: &str, known: Option<&str>) -> Result<Got, RemoteError> {
        let condition = known.map(|tag| (IF_NONE_MATCH, tag.to_owned()));
        let answer = self.ask(Method::GET, Some(key), &[], condition.as_slice()).await?;
        match answer.status {
            200 => {
                let tag = tag(&answer).ok_or_else(|| self.unexpected("an object without an ETag".into()))?;
                let text = String::from_utf8(answer.body)
                    .map_err(|_| RemoteError::Damaged { document: self.shown(key), why: "it is not text".into() })?;
                Ok(Got::Found(Object { text, tag }))
            }
            304 => Ok(Got::Same),
            404 if is_key_missing(&answer) => Ok(Got::Absent),
            _ => Err(self.refused(&answer)),
        }
    }

    /// After a request without an answer it looks whether that has arrived.
    async fn write(&self, key: &str, text: &str, expected: &Expected) -> Result<Written, RemoteError> {
        let condition = match expected {
            Expected::Absent => vec![(IF_NONE_MATCH, "*".to_owned())],
            Expected::Tag(tag) => vec![(IF_MATCH, tag.clone())],
            Expected::Anything => Vec::new(),
        };
        let mut may_have_arrived = false;
        let mut tried = 0;
        loop {
            tried += 1;
            let failed = match self.send(Method::PUT, Some(key), &[], &condition, text.as_bytes()).await {
                Ok(answer) => match answer.status {
                    200 | 201 | 204 => {
                        return match tag(&answer) {
                            Some(tag) => Ok(Written::Done(tag)),
                            None => self.is_there(key, text).await,
                        };
                    }
                    409 | 412 if may_have_arrived => return self.is_there(key, text).await,
                    409 | 412 => return Ok(Written::Lost),
                    404 if is_key_missing(&answer) => return Ok(Written::Lost),
                    501 if !condition.is_empty() => {
                        return Err(RemoteError::Unconditional { place: self.place() });
                    }
                    500.. => {
                        may_have_arrived = true;
                        self.refused(&answer)
                    }
                    _ => return Err(self.refused(&answer)),
                },
                Err(fault) => {
                    may_have_arrived |= !fault.never_arrived();
                    tried += u32::from(matches!(fault, Fault::ConnectTimeout | Fault::Timeout));
                    RemoteError::Unreachable { place: self.place(), fault }
                }
            };
            if tried >= TRIES {
                return Err(failed);
            }
            pause(tried).await;
        }
    }

    /// Whether the object has this text, written by us.
    async fn is_there(&self, key: &str, text: &str) -> Result<Written, RemoteError> {
        Ok(match self.read(key, None).await? {
            Got::Found(found) if found.text == text => Written::Done(found.tag),
            _ => Written::Lost,
        })
    }

    async fn remove(&self, key: &str, tag: Option<&str>) -> Result<bool, RemoteError> {
        let condition = tag.map(|tag| (IF_MATCH, tag.to_owned()));
        let answer = self.ask(Method::DELETE, Some(key), &[], condition.as_slice()).await?;
        match answer.status {
            200 | 204 => Ok(true),
            404 if is_key_missing(&answer) => Ok(true),
            409 | 412 => Ok(false),
            _ => Err(self.refused(&answer)),
        }
    }

    async fn keys(&self, name: &str) -> Result<Vec<String>, RemoteError> {
        let prefix = self.address.key(name);
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut query = vec![("list-type", "2".to_owned()), ("prefix", prefix.clone())];
            query.extend(token.take().map(|token| ("continuation-token", token)));
            query.sort();
            let answer = self.ask(Method::GET, None, &query, &[]).await?;
            if answer.status != 200 {
                return Err(self.refused(&answer));
            }
            let body = String::from_utf8_lossy(&answer.body);
            let keys = xml::all(&body, "Key");
            found.extend(keys.iter().filter_map(|key| Some(key.strip_prefix(&prefix)?.to_owned())));
            token = xml::all(&body, "NextContinuationToken").pop().filter(|token| !token.is_empty());
            if token.is_none() {
                found.sort();
                return Ok(found);
            }
        }
    }

    /// Sends a request that may be repeated until it is answered.
    async fn ask(
        &self,
        method: Method,
        key: Option<&str>,
        query: &[(&str, String)],
        conditions: &[(HeaderName, String)],
    ) -> Result<Response, RemoteError> {
        let mut tried = 0;
        loop {
            tried += 1;
            match self.send(method.clone(), key, query, conditions, b"").await {
                Ok(answer) if answer.status >= 500 && tried < TRIES => {}
                Ok(answer) => return Ok(answer),
                // A server that timed out is not asked four times.
                Err(fault) if tried == TRIES || matches!(fault, Fault::ConnectTimeout | Fault::Timeout) => {
                    return Err(RemoteError::Unreachable { place: self.place(), fault });
                }
                Err(_) => {}
            }
            pause(tried).await;
        }
    }

    async fn send(
        &self,
        method: Method,
        key: Option<&str>,
        query: &[(&str, String)],
        conditions: &[(HeaderName, String)],
        body: &[u8],
    ) -> Result<Response, Fault> {
        // Both were checked before.
        let (Ok(credentials), Ok(client)) = (&self.credentials, self.client()) else {
            return Err(Fault::Connect);
        };
        let path = key.map(|key| encoded(&self.address.key(key), true)).unwrap_or_default();
        let pairs: Vec<String> =
            query.iter().map(|(name, value)| format!("{name}={}", encoded(value, false))).collect();
        let query = pairs.join("&");
        let Ok(mut url) = Url::parse(&format!("{}/{path}", self.address.base)) else { return Err(Fault::Connect) };
        url.set_query((!query.is_empty()).then_some(&query));
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let signed = Signed {
            method: method.as_str(),
            host: &format!("{}{port}", url.host_str().unwrap_or_default()),
            path: url.path(),
            query: &query,
            region: &self.address.region,
            body,
            at: self.clock.here.now(),
        };
        let mut request = Request::get(url.clone());
        for (name, value) in sign::headers(&signed, credentials) {
            let Ok(mut value) = HeaderValue::from_str(&value) else { return Err(Fault::Connect) };
            if name == "authorization" {
                request.authorization = Some(value);
            } else {
                value.set_sensitive(true);
                request.headers.push((HeaderName::from_static(name), value));
            }
        }
        for (name, value) in conditions {
            let Ok(value) = HeaderValue::from_str(value) else { return Err(Fault::Connect) };
            request.headers.push((name.clone(), value));
        }
        request.method = method;
        request.body = if body.is_empty() { Body::Empty } else { Body::Raw(body.to_vec()) };
        let answer = client.send_up_to(request, LARGEST).await?;
        self.see_clock(&answer);
        Ok(answer)
    }

    fn see_clock(&self, answer: &Response) {
        let date = answer.headers.get(DATE).and_then(|date| date.to_str().ok());
        if let Some(there) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) {
            self.clock.see(there.timestamp());
        }
    }

    /// The error of an answer; S3 says why in a code.
    fn refused(&self, answer: &Response) -> RemoteError {
        let body = String::from_utf8_lossy(&answer.body);
        let one = |name| xml::all(&body, name).into_iter().next().unwrap_or_default();
        let (code, message) = (one("Code"), one("Message"));
        let place = self.place();
        let says = match (code.is_empty(), message.is_empty()) {
            (true, _) => format!("HTTP {}", answer.status),
            (false, true) => format!("HTTP {}, {code}", answer.status),
            // Some servers repeat what was signed there.
            (false, false) => format!("HTTP {}, {code}: {}", answer.status, message.lines().next().unwrap_or_default()),
        };
        match (&*code, answer.status) {
            ("NoSuchBucket", _) => RemoteError::NoBucket { place },
            (
                "ExpiredToken"
                | "InvalidAccessKeyId"
                | "InvalidToken"
                | "SignatureDoesNotMatch"
                | "TokenRefreshRequired",
                _,
            ) => RemoteError::BadKeys { place, says },
            ("RequestTimeTooSkewed", _) => RemoteError::WrongClock { place, says },
            ("AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" | "PermanentRedirect", _)
            | (_, 301) => {
                let header = answer.headers.get("x-amz-bucket-region").and_then(|region| region.to_str().ok());
                let region = header.map_or_else(|| one("Region"), str::to_owned);
                let is_one =
                    region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
                RemoteError::OtherRegion { place, region: Some(region).filter(|region| !region.is_empty() && is_one) }
            }
            (_, 401 | 403) => RemoteError::Denied { place, says },
            (_, status) => RemoteError::Unexpected { place, says, passes: status == 429 || status >= 500 },
        }
    }
}

/// Whether it is the object that does not exist; another server answers 404 to everything.
fn is_key_missing(answer: &Response) -> bool {
    xml::all(&String::from_utf8_lossy(&answer.body), "Code").iter().any(|code| code == "NoSuchKey")
}

fn tag(answer: &Response) -> Option<String> {
    Some(answer.headers.get(ETAG)?.to_str().ok()?.to_owned())
}
