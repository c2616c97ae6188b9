//! Objects of a bucket: read, written on a condition, listed, removed.
//!
//! Requests run on a thread of their own, so that a caller inside another runtime can wait for
//! them, and a lock is renewed while its holder works.

use std::future::Future;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;

use super::address::Address;
use super::credentials::Credentials;
use super::sign::{self, Signed, encoded};
use super::xml;
use crate::clock::Clock;
use crate::http::header::{DATE, ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use crate::http::{self, Body, Client, Fault, Method, Request, Response, Url};
use crate::storage::RemoteError;

/// The largest object that is read: some 100,000 accounts.
const LARGEST: usize = 64 * 1024 * 1024;

/// How often a request is sent that got no answer.
const TRIES: u32 = 4;

/// A bucket and who asks.
#[derive(Debug)]
pub struct Bucket {
    pub address: Address,
    credentials: Result<Credentials, String>,
    http: http::Settings,
    clock: Clock,
    worker: Mutex<Option<Worker>>,
    /// Seconds by which the server's clock is ahead of this machine's.
    ahead: AtomicI64,
}

#[derive(Clone)]
struct Worker {
    handle: Handle,
    client: Arc<Client>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Worker")
    }
}

/// An object, as it was read.
#[derive(Clone, Debug)]
pub struct Object {
    pub text: String,
    pub etag: String,
}

/// What a read found.
pub enum Got {
    Absent,
    /// It still has the tag that was given.
    Same,
    Found(Object),
}

/// What has to hold for a write.
#[derive(Clone, Debug)]
pub enum Expected {
    Absent,
    Tag(String),
    Anything,
}

/// Whether a conditional write was done.
#[derive(Debug)]
pub enum Written {
    /// The object has this tag now.
    Done(String),
    /// The condition does not hold.
    Lost,
}

pub fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bucket {
    pub fn new(address: Address, credentials: Result<Credentials, String>, http: http::Settings) -> Arc<Self> {
        let clock = Clock::system();
        Arc::new(Self { address, credentials, http, clock, worker: Mutex::default(), ahead: AtomicI64::default() })
    }

    /// The time at the server, as far as it was seen.
    pub fn now(&self) -> Timestamp {
        let now = self.clock.now();
        let ahead = jiff::SignedDuration::from_secs(self.ahead.load(Ordering::Relaxed));
        now.checked_add(ahead).unwrap_or(now)
    }

    pub fn place(&self) -> String {
        self.address.to_string()
    }

    /// Runs `work` on the thread of requests, and waits for it.
    pub fn wait<T, F>(self: &Arc<Self>, work: impl FnOnce(Arc<Self>) -> F) -> Result<T, RemoteError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, RemoteError>> + Send + 'static,
    {
        let handle = self.worker()?.handle;
        let (send, receive) = mpsc::channel();
        let work = work(self.clone());
        handle.spawn(async move {
            // Its caller waits, unless the process ends.
            let _ = send.send(work.await);
        });
        receive.recv().unwrap_or_else(|_| Err(self.unexpected("the request was not finished".into())))
    }

    /// Runs `work` beside everything else.
    pub fn spawn(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) -> Result<(), RemoteError> {
        self.worker()?.handle.spawn(work);
        Ok(())
    }

    fn worker(&self) -> Result<Worker, RemoteError> {
        let mut worker = guard(&self.worker);
        if let Some(worker) = &*worker {
            return Ok(worker.clone());
        }
        let client = Arc::new(Client::new(&self.http)?);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| self.unexpected(format!("the network could not be set up: {error}")))?;
        let made = Worker { handle: runtime.handle().clone(), client };
        std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
        Ok(worker.insert(made).clone())
    }

    fn unexpected(&self, says: String) -> RemoteError {
        RemoteError::Unexpected { place: self.place(), says }
    }

    /// An object; `known` is the tag that it had.
    pub async fn get(&self, key: &str, known: Option<&str>) -> Result<Got, RemoteError> {
        let condition = known.map(|tag| (IF_NONE_MATCH, tag.to_owned()));
        let answer = self.ask(Method::GET, Some(key), &[], condition.as_slice()).await?;
        match answer.status {
            200 => {
                let etag = tag(&answer).ok_or_else(|| self.unexpected("an object without an ETag".into()))?;
                let text = String::from_utf8(answer.body)
                    .map_err(|_| RemoteError::Damaged { document: self.shown(key), why: "it is not text".into() })?;
                Ok(Got::Found(Object { text, etag }))
            }
            304 => Ok(Got::Same),
            404 if !self.is_bucket_missing(&answer) => Ok(Got::Absent),
            _ => Err(self.refused(&answer)),
        }
    }

    /// Writes an object if `expected` holds. After a request without an answer it looks whether
    /// that has arrived, so that a write that happened is not taken for another's.
    pub async fn put(&self, key: &str, text: &str, expected: &Expected) -> Result<Written, RemoteError> {
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
                    404 if !self.is_bucket_missing(&answer) => return Ok(Written::Lost),
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
        Ok(match self.get(key, None).await? {
            Got::Found(found) if found.text == text => Written::Done(found.etag),
            _ => Written::Lost,
        })
    }

    /// Removes an object that has this tag, or any; `false` if it has another one.
    pub async fn delete(&self, key: &str, tag: Option<&str>) -> Result<bool, RemoteError> {
        let condition = tag.map(|tag| (IF_MATCH, tag.to_owned()));
        let answer = self.ask(Method::DELETE, Some(key), &[], condition.as_slice()).await?;
        match answer.status {
            200 | 204 => Ok(true),
            404 if !self.is_bucket_missing(&answer) => Ok(true),
            409 | 412 => Ok(false),
            _ => Err(self.refused(&answer)),
        }
    }

    /// The keys that begin with `name` below the prefix, sorted, without that beginning.
    pub async fn list(&self, name: &str) -> Result<Vec<String>, RemoteError> {
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
                // Who has said nothing for so long is not asked four times.
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
        // Both were checked when the address and the worker were made.
        let (Ok(credentials), Ok(Worker { client, .. })) = (&self.credentials, self.worker()) else {
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
            at: self.clock.now(),
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
            let ahead = there.timestamp().as_second() - self.clock.now().as_second();
            // A second of difference is the time of the answer.
            self.ahead.store(if ahead.abs() <= 1 { 0 } else { ahead }, Ordering::Relaxed);
        }
    }

    /// Checks what needs no request.
    pub fn check(&self) -> Result<(), RemoteError> {
        match &self.credentials {
            Ok(_) => Ok(()),
            Err(why) => Err(RemoteError::NoCredentials { place: self.place(), why: why.clone() }),
        }
    }

    /// An object's address.
    pub fn shown(&self, key: &str) -> String {
        format!("{}/{key}", self.address)
    }

    fn is_bucket_missing(&self, answer: &Response) -> bool {
        matches!(self.refused(answer), RemoteError::NoBucket { .. })
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
            (_, 401 | 403) => RemoteError::Denied { place, says },
            _ => RemoteError::Unexpected { place, says },
        }
    }
}

fn tag(answer: &Response) -> Option<String> {
    Some(answer.headers.get(ETAG)?.to_str().ok()?.to_owned())
}

/// Before the next try: longer each time, and not the same for all.
pub async fn pause(tried: u32) {
    let longest = 100 << tried.min(4);
    tokio::time::sleep(Duration::from_millis(rand::random_range(longest / 2..longest))).await;
}
