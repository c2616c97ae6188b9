//! Accepts HTTP until it is told to stop, and drops slow clients: time limits on request heads
//! and on unread answers, a limit on the head's size, and when all places are taken, the oldest
//! connection that waits for its client is closed for a new one.

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

/// The most headers of a request; more are answered 431.
const HEADERS: usize = 100;
/// The most bytes of a request's head; more are answered 431.
const HEAD_BYTES: usize = 64 * 1024;
/// Connections at the same time: low enough for a process that may open 1,024 files.
const CONNECTIONS: usize = 768;
/// How long a new connection waits when no other one can be closed.
const FULL: Duration = Duration::from_millis(10);

/// How long clients may take.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// For the head of a request, and while a connection is idle.
    head: Duration,
    /// To read an answer.
    answer: Duration,
    /// For answers still under way when the server stops.
    end: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { head: Duration::from_secs(10), answer: Duration::from_secs(10), end: Duration::from_secs(2) }
    }
}

/// A connection. Each request on it has one in its extensions.
#[derive(Clone)]
pub struct Connection(Arc<Place>);

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// It waits for its client, or for a client that has not identified itself.
    Waits,
    /// A request is being answered.
    Answers,
}

struct Place {
    work: Mutex<Work>,
    given_up: Notify,
}

impl Connection {
    /// The client has not identified itself: the connection may be closed for a new one.
    pub fn is_of_a_stranger(&self) {
        self.0.set(Work::Waits);
    }

    /// The client has identified itself: its request is answered first.
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

/// The open connections, oldest first.
#[derive(Default)]
struct Places(Mutex<VecDeque<Arc<Place>>>);

impl Places {
    fn all(&self) -> MutexGuard<'_, VecDeque<Arc<Place>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place; closes the oldest waiting connection to get one.
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

/// Serves `router` on a bound listener until `stop` is ready, then lets running answers finish.
pub async fn until(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) -> io::Result<()> {
    serve(listener, router, stop, Patience::default()).await
}

async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
    patience: Patience,
) -> io::Result<()> {
    let mut server = http1::Builder::new();
    server.pipeline_flush(false);
    server.timer(TokioTimer::new()).header_read_timeout(patience.head).max_headers(HEADERS).max_buf_size(HEAD_BYTES);
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
                // Something else uses up the files or the memory.
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
        stream.set_write_timeout(Some(patience.answer));
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
                // A client that disconnects or sends no HTTP harms only itself.
                _ = connection => {}
                () = place.given_up.notified() => {}
            }
            places.leave(&place);
        });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(patience.end) => {}
    }
    Ok(())
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    /// A server that answers 404 to everything, and a connection to it.
    async fn connected(patience: Patience) -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(serve(listener, Router::new(), std::future::pending(), patience));
        TcpStream::connect(address).await.expect("a connection")
    }

    #[tokio::test]
    async fn who_does_not_read_the_answer_is_cut() {
        const ASKED: usize = 1_000_000;
        let patience = Patience { answer: Duration::from_millis(200), ..Patience::default() };
        let (mut reading, mut writing) = connected(patience).await.into_split();
        // It requests more than the buffers on both sides can hold, and reads nothing. The
        // server stops reading while its answers wait, so not all of it can be written.
        let asking = async {
            for _ in 0..ASKED {
                if writing.write_all(b"PUT / HTTP/1.1\r\nHost: x\r\n\r\n").await.is_err() {
                    return true;
                }
            }
            false
        };
        let cut = tokio::time::timeout(Duration::from_secs(20), asking).await;
        assert_eq!(cut, Ok(true), "it was not cut");
        // To the end: the server has closed the connection in the middle.
        let mut got = Vec::new();
        let _ = reading.read_to_end(&mut got).await;
        let answered = got.windows(12).filter(|window| window == b"HTTP/1.1 404").count();
        assert!((1..ASKED).contains(&answered), "{answered}");
    }

    #[tokio::test]
    async fn who_does_not_end_the_head_is_cut() {
        let patience = Patience { head: Duration::from_millis(200), ..Patience::default() };
        let mut slow = connected(patience).await;
        slow.write_all(b"POST / HTTP/1.1\r\nHost: x\r\n").await.expect("half a head");
        let mut got = Vec::new();
        slow.read_to_end(&mut got).await.expect("the end");
        assert!(!got.starts_with(b"HTTP/1.1 404"), "{}", String::from_utf8_lossy(&got));
    }
}
