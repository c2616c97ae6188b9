//! The lock of a tenant: an object that names its holder, and ends unless it is renewed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use super::objects::{Expected, Got, REPEATS, SCHEMA_VERSION, Server, Written, guard};
use crate::leaving::{self, AtEnd};
use crate::storage::{Held, Holder, LockInfo, RemoteError};

/// How long another try waits while the lock is held.
const BETWEEN: Duration = Duration::from_millis(200);

/// The longest wait for a lock.
const MOST: Duration = Duration::from_secs(150);

/// How long the end of a process waits for the lock to go.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// A lock that is held.
#[derive(Debug)]
pub struct Lease {
    server: Server,
    inner: Arc<Inner>,
    /// Gives the lock back where a signal ends the process.
    at_end: Mutex<Option<AtEnd>>,
}

#[derive(Debug)]
struct Inner {
    key: String,
    lock: Mutex<(LockInfo, String, Instant)>,
    lost: AtomicBool,
    ended: AtomicBool,
}

impl Held for Arc<Lease> {}

impl Lease {
    /// Whether another command may have taken it over.
    pub fn is_lost(&self) -> bool {
        let (lock, _, renewed) = &*guard(&self.inner.lock);
        // The monotonic clock stands still while a machine sleeps.
        self.inner.lost.load(Ordering::Relaxed)
            || renewed.elapsed() > self.server.objects.lease()
            || self.server.objects.now() > lock.expires
    }
}

pub fn key(tenant: &str) -> String {
    format!("locks/{tenant}.json")
}

fn text(lock: &LockInfo) -> String {
    let mut value = serde_json::to_value(lock).unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
    value["schema_version"] = SCHEMA_VERSION.into();
    value.to_string()
}

/// The lock of a tenant and its tag, even one that has ended.
pub fn read(server: &Server, tenant: &str) -> Result<Option<(LockInfo, String)>, RemoteError> {
    let key = key(tenant);
    match server.get(&key, None)? {
        Got::Found(found) => {
            // One that cannot be read counts as ended: records are changed by compare-and-swap anyway.
            Ok(Some((serde_json::from_str(&found.text).unwrap_or_else(|_| LockInfo::unreadable()), found.tag)))
        }
        Got::Absent | Got::Same => Ok(None),
    }
}

/// Waits for the lock of a tenant. One that has ended is taken over.
pub fn acquire(
    server: &Server,
    tenant: &str,
    holder: &Holder,
    patience: Duration,
    say: &dyn Fn(&str),
) -> Result<Arc<Lease>, RemoteError> {
    let key = key(tenant);
    // The lock of a holder that is gone ends within that, unless leases are made to last.
    let patience = if patience.is_zero() { patience } else { server.objects.lease().mul_f64(1.25).min(MOST) };
    let start = Instant::now();
    let mut told = false;
    let mut expected = Expected::Absent;
    let mut id = uuid::Uuid::new_v4().simple().to_string();
    id.truncate(12);
    loop {
        let (now, began) = (server.objects.now(), Instant::now());
        let lock = LockInfo { id: id.clone(), holder: holder.clone(), since: whole(now), expires: end(server) };
        if let Written::Done(tag) = server.put(&key, &text(&lock), expected)? {
            return begin(server, key, lock, tag, began);
        }
        expected = Expected::Absent;
        let Some((held, tag)) = read(server, tenant)? else {
            if start.elapsed() > MOST {
                return Err(RemoteError::Contended { document: server.shown(&key), tries: REPEATS });
            }
            continue;
        };
        if held.expires < server.objects.now() {
            say(&format!(
                "taking over the lock of tenant '{tenant}' from {}, which ended at {}",
                held.in_words(),
                held.expires
            ));
            expected = Expected::Tag(tag);
            continue;
        }
        if start.elapsed() >= patience {
            return Err(RemoteError::Locked { tenant: tenant.into(), lock: Box::new(held) });
        }
        if start.elapsed() > Duration::from_secs(1) && !told {
            say(&format!("waiting for the lock of tenant '{tenant}', held by {} …", held.in_words()));
            told = true;
        }
        std::thread::sleep(BETWEEN.mul_f64(rand::random_range(0.5..1.0)));
    }
}

fn end(server: &Server) -> jiff::Timestamp {
    let now = server.objects.now();
    now.checked_add(server.objects.lease()).map_or(now, whole)
}

/// In whole seconds.
fn whole(at: jiff::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn begin(server: &Server, key: String, lock: LockInfo, tag: String, began: Instant) -> Result<Arc<Lease>, RemoteError> {
    let (lost, ended) = (AtomicBool::new(false), AtomicBool::new(false));
    let inner = Arc::new(Inner { key, lock: Mutex::new((lock, tag, began)), lost, ended });
    server.spawn(renew(server.clone(), inner.clone()))?;
    let at_end = {
        let (server, inner) = (server.clone(), inner.clone());
        leaving::before(move || release(&server, &inner))
    };
    Ok(Arc::new(Lease { server: server.clone(), inner, at_end: Mutex::new(Some(at_end)) }))
}

/// Renews the lock four times while it would last.
async fn renew(server: Server, inner: Arc<Inner>) {
    loop {
        tokio::time::sleep(server.objects.lease() / 4).await;
        if inner.ended.load(Ordering::Relaxed) {
            return;
        }
        let began = Instant::now();
        let (mut lock, tag, _) = guard(&inner.lock).clone();
        lock.expires = end(&server);
        match server.objects.put(&inner.key, &text(&lock), &Expected::Tag(tag)).await {
            Ok(Written::Done(tag)) => *guard(&inner.lock) = (lock, tag, began),
            Ok(Written::Lost) => {
                inner.lost.store(!inner.ended.load(Ordering::Relaxed), Ordering::Relaxed);
                return;
            }
            // The next one may succeed in time.
            Err(_) => {}
        }
    }
}

/// Removes the lock, if it is still ours.
fn release(server: &Server, inner: &Arc<Inner>) {
    inner.ended.store(true, Ordering::Relaxed);
    let (send, receive) = mpsc::channel();
    let gone = {
        let (objects, inner) = (server.objects.clone(), inner.clone());
        async move {
            let id = guard(&inner.lock).0.id.clone();
            // A renewal may be on its way: the tag is read again.
            for _ in 0..3 {
                let Ok(Got::Found(found)) = objects.get(&inner.key, None).await else { break };
                let is_ours = serde_json::from_str::<LockInfo>(&found.text).is_ok_and(|lock| lock.id == id);
                if !is_ours || matches!(objects.delete(&inner.key, Some(&found.tag)).await, Ok(true) | Err(_)) {
                    break;
                }
            }
            // The caller may have stopped waiting.
            let _ = send.send(());
        }
    };
    if server.spawn(gone).is_ok() {
        // A lock that stays ends by itself.
        let _ = receive.recv_timeout(LAST_WAIT);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(guard(&self.at_end).take());
        release(&self.server, &self.inner);
    }
}
