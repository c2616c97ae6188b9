//! What a server has to offer for records that are shared: objects with a tag, written on a
//! condition. Requests run on a thread of their own, so that a caller inside another runtime can
//! wait for them, and a lock is renewed while its holder works.

use std::fmt::Debug;
use std::future::Future;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::clock::Clock;
use crate::storage::{Link, RemoteError, WholeLog};

/// How often a write is repeated that another one overtook.
pub const REPEATS: u32 = 40;

/// How often a request is sent that got no answer.
pub const TRIES: u32 = 4;

/// What this version writes.
pub const SCHEMA_VERSION: u64 = 1;

/// The name of the document that says what is written there.
pub const FORMAT: &str = "format.json";

/// How long a lock lasts unless it is renewed, where the address does not say.
pub const LEASE: Duration = Duration::from_secs(120);

/// An object, as it was read.
#[derive(Clone, Debug)]
pub struct Object {
    pub text: String,
    /// Another one after each write.
    pub tag: String,
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

/// The answer to a request.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, RemoteError>>;

/// A server with objects. A write whose answer was lost is looked for, so that one that happened
/// is not taken for another's.
pub trait Objects: Debug + Send + Sync {
    /// Its address, for showing.
    fn place(&self) -> String;

    /// An object's address.
    fn shown(&self, key: &str) -> String {
        format!("{}/{key}", self.place())
    }

    /// Names what is there among all servers: a copy of it is not used for another.
    fn identity(&self) -> String;

    /// How long a lock lasts unless it is renewed.
    fn lease(&self) -> Duration;

    /// The time there, as far as it was seen.
    fn now(&self) -> Timestamp;

    /// Checks what needs no request.
    fn check(&self) -> Result<(), RemoteError>;

    /// Before the first write of a process: makes what is needed, and refuses a server that
    /// cannot be written to safely, or where a newer version has written.
    fn prepare(&self) -> Answer<'_, ()>;

    /// An object; `known` is the tag that it had.
    fn get<'a>(&'a self, key: &'a str, known: Option<&'a str>) -> Answer<'a, Got>;

    /// Writes an object if `expected` holds.
    fn put<'a>(&'a self, key: &'a str, text: &'a str, expected: &'a Expected) -> Answer<'a, Written>;

    /// Removes an object that has this tag, or any; `false` if it has another one.
    fn delete<'a>(&'a self, key: &'a str, tag: Option<&'a str>) -> Answer<'a, bool>;

    /// The keys that begin with `name`, sorted, without that beginning.
    fn list<'a>(&'a self, name: &'a str) -> Answer<'a, Vec<String>>;
}

/// The logs of a server; see [`crate::storage::Storage`].
pub trait Logs: Debug + Send + Sync {
    fn whole(&self, log: &str) -> Result<WholeLog, RemoteError>;
    fn append(&self, log: &str, lines: &str) -> Result<(), RemoteError>;
    /// Refuses a log that this version cannot go on with.
    fn can_append(&self, _log: &str) -> Result<(), RemoteError> {
        Ok(())
    }
    fn link(&self, log: &str, next: &Link<'_>) -> Result<(), RemoteError>;
    fn set_end(&self, log: &str, end: &str) -> Result<(), RemoteError>;
    fn remove(&self, log: &str) -> Result<(), RemoteError>;
}

/// A server, and the thread on which it is asked.
#[derive(Clone, Debug)]
pub struct Server {
    pub objects: Arc<dyn Objects>,
    thread: Arc<Mutex<Option<Handle>>>,
}

impl Server {
    pub fn new(objects: Arc<dyn Objects>) -> Self {
        Self { objects, thread: Arc::default() }
    }

    /// Runs `work` on the thread of requests, and waits for it.
    pub fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, RemoteError>> + Send + 'static,
    ) -> Result<T, RemoteError> {
        self.objects.check()?;
        let (send, receive) = mpsc::channel();
        self.spawn(async move {
            // Its caller waits, unless the process ends.
            let _ = send.send(work.await);
        })?;
        receive.recv().unwrap_or_else(|_| Err(self.unexpected("the request was not finished".into())))
    }

    /// Runs `work` beside everything else.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> Result<(), RemoteError> {
        let mut thread = guard(&self.thread);
        let handle = if let Some(handle) = &*thread {
            handle.clone()
        } else {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| self.unexpected(format!("the network could not be set up: {error}")))?;
            let handle = thread.insert(runtime.handle().clone()).clone();
            std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
            handle
        };
        handle.spawn(work);
        Ok(())
    }

    fn unexpected(&self, says: String) -> RemoteError {
        RemoteError::Unexpected { place: self.objects.place(), says, passes: false }
    }

    /// An object's address.
    pub fn shown(&self, key: &str) -> String {
        self.objects.shown(key)
    }

    pub fn prepare(&self) -> Result<(), RemoteError> {
        let objects = self.objects.clone();
        self.wait(async move { objects.prepare().await })
    }

    pub fn get(&self, key: &str, known: Option<String>) -> Result<Got, RemoteError> {
        let (objects, key) = (self.objects.clone(), key.to_owned());
        self.wait(async move { objects.get(&key, known.as_deref()).await })
    }

    pub fn put(&self, key: &str, text: &str, expected: Expected) -> Result<Written, RemoteError> {
        let (objects, key, text) = (self.objects.clone(), key.to_owned(), text.to_owned());
        self.wait(async move { objects.put(&key, &text, &expected).await })
    }

    pub fn delete(&self, key: &str, tag: Option<String>) -> Result<bool, RemoteError> {
        let (objects, key) = (self.objects.clone(), key.to_owned());
        self.wait(async move { objects.delete(&key, tag.as_deref()).await })
    }

    pub fn list(&self, prefix: &str) -> Result<Vec<String>, RemoteError> {
        let (objects, prefix) = (self.objects.clone(), prefix.to_owned());
        self.wait(async move { objects.list(&prefix).await })
    }

    /// Waits before the next try of what another command overtook.
    pub fn pause(&self, tried: u32) -> Result<(), RemoteError> {
        self.wait(async move {
            pause(tried.min(2)).await;
            Ok(())
        })
    }
}

/// The time at a server, as its answers tell it.
#[derive(Debug)]
pub struct ServerClock {
    pub here: Clock,
    /// Seconds by which the server's clock is ahead of this machine's.
    ahead: AtomicI64,
}

impl ServerClock {
    pub fn new() -> Self {
        Self { here: Clock::system(), ahead: AtomicI64::default() }
    }

    pub fn now(&self) -> Timestamp {
        let now = self.here.now();
        let ahead = jiff::SignedDuration::from_secs(self.ahead.load(Ordering::Relaxed));
        now.checked_add(ahead).unwrap_or(now)
    }

    /// An answer of now says this time.
    pub fn see(&self, there: Timestamp) {
        let ahead = there.as_second() - self.here.now().as_second();
        // A second of difference is the time of the answer.
        self.ahead.store(if ahead.abs() <= 1 { 0 } else { ahead }, Ordering::Relaxed);
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Format {
    schema_version: u64,
}

/// The text of [`FORMAT`].
pub fn format_text() -> String {
    serde_json::to_string(&Format { schema_version: SCHEMA_VERSION })
        .unwrap_or_else(|error| unreachable!("it is JSON: {error}"))
}

/// Refuses what a newer version has written.
pub fn check_format(text: &str, document: String) -> Result<(), RemoteError> {
    let format: Format = serde_json::from_str(text)
        .map_err(|error| RemoteError::Damaged { document: document.clone(), why: error.to_string() })?;
    check_version(format.schema_version, document)
}

/// The same for a document that says its version.
pub fn check_version(version: u64, document: String) -> Result<(), RemoteError> {
    if version > SCHEMA_VERSION {
        let why = format!("a newer msgrctl wrote it (schema_version {version})");
        return Err(RemoteError::Damaged { document, why });
    }
    Ok(())
}

pub fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Before the next try: longer each time, and not the same for all.
pub async fn pause(tried: u32) {
    let longest = 100 << tried.min(4);
    tokio::time::sleep(Duration::from_millis(rand::random_range(longest / 2..longest))).await;
}
