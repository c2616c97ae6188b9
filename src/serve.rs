//! Accepts HTTP until it is told to stop, and drops slow clients: time limits on request
//! heads and on unread answers, a limit on heads, and when all places are taken the oldest
//! connection that waits for its client makes place for a new one.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_io_timeout::TimeoutStream;

/// How long the head of a request may take, and an idle connection may wait.
pub const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a peer may leave an answer unread.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// The most headers of a request; more are answered 431.
const HEADERS: usize = 100;
/// The most bytes of a request's head; more are answered 431.
const HEAD_BYTES: usize = 64 * 1024;
/// Connections at the same time, so that a process with 1,024 files does not run out of
/// them.
const CONNECTIONS: usize = 768;
/// How long a new connection waits where no other one can be given up.
const FULL: Duration = Duration::from_millis(10);
/// How long answers that are under way may take once it is to stop.
const GRACE: Duration = Duration::from_secs(2);

/// A connection, as a request on it knows it: the request's extensions hold one.
#[derive(Clone)]
pub struct Connection(Arc<Place>);

/// What a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// It waits for its client, or for one that has not shown who it is.
    Waits,
    /// A request is being answered.
    Answers,
}

struct Place {
    work: Mutex<Work>,
    given_up: Notify,
}

impl Connection {
    /// The client has not shown who it is: it may be given up for another one.
    pub fn is_of_a_stranger(&self) {
        self.0.set(Work::Waits);
    }

    /// The client has: its request is answered first.
    pub fn is_trusted(&self) {
        self.0.set(Work::Answers);
    }
}

impl Place {
    fn set(&self, work: Work) {
        *self.work.lock().unwrap_or_else(PoisonError::into_inner) = work;
    }

    fn waits(&self) -> bool {
        *self.work.lock().unwrap_or_else(PoisonError::into_inner) == Work::Waits
    }
}

/// The connections there are, the oldest first.
#[derive(Default)]
struct Places(Mutex<VecDeque<Arc<Place>>>);

impl Places {
    fn all(&self) -> MutexGuard<'_, VecDeque<Arc<Place>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, once there is one; for it the oldest of those that wait is given up.
    async fn take(&self) -> Arc<Place> {
        loop {
            {
                let mut all = self.all();
                if all.len() >= CONNECTIONS
                    && let Some(at) = all.iter().position(|place| place.waits())
                    && let Some(place) = all.remove(at)
                {
                    place.given_up.notify_one();
                }
                if all.len() < CONNECTIONS {
                    let place = Arc::new(Place { work: Mutex::new(Work::Waits), given_up: Notify::new() });
                    all.push_back(place.clone());
                    return place;
                }
            }
            tokio::time::sleep(FULL).await;
        }
    }

    fn leave(&self, place: &Arc<Place>) {
        self.all().retain(|other| !Arc::ptr_eq(other, place));
    }
}

/// Serves `router` on a bound listener until `stop` is ready, then lets the
/// answers that are under way be finished.
pub async fn until(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) -> io::Result<()> {
    let mut server = http1::Builder::new();
    server.pipeline_flush(false);
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_headers(HEADERS).max_buf_size(HEAD_BYTES);
    let service = TowerToHyperService::new(router);
    let places = Arc::new(Places::default());
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                // Another part of the process, or of the machine, has the files or the memory.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let place = tokio::select! {
            place = places.take() => place,
            () = &mut stop => break,
        };
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(ANSWER_TIME));
        let (inner, its) = (service.clone(), place.clone());
        let answer = service_fn(move |mut request: hyper::Request<Incoming>| {
            its.set(Work::Answers);
            request.extensions_mut().insert(Connection(its.clone()));
            let (answer, its) = (inner.call(request), its.clone());
            async move {
                let answer = answer.await;
                its.set(Work::Waits);
                answer
            }
        });
        let connection = graceful.watch(server.serve_connection(TokioIo::new(Box::pin(stream)), answer));
        let places = places.clone();
        tokio::spawn(async move {
            tokio::select! {
                // A client that breaks off or sends no HTTP harms only itself.
                _ = connection => {}
                () = place.given_up.notified() => {}
            }
            places.leave(&place);
        });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(GRACE) => {}
    }
    Ok(())
}

/// Ready when somebody presses Ctrl-C or the process is asked to end (SIGTERM).
pub async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without signals there is only the end of the process.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
