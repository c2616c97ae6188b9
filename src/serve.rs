//! Accepts HTTP until it is told to stop, and lets nobody hold it up: who is slow
//! with a request's head, or does not read the answer, is cut, and a head has a limit.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

/// How long the head of a request may take, and an idle connection may wait.
pub const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a peer may leave an answer unread.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// The most headers of a request; more are answered 431.
const HEADERS: usize = 100;
/// The most bytes of a request's head; more are answered 431.
const HEAD_BYTES: usize = 64 * 1024;
/// Connections at the same time; the next ones wait in the kernel's queue until one
/// ends, so that a process with 1,024 files does not run out of them.
const CONNECTIONS: usize = 768;
/// How long answers that are under way may take once it is to stop.
const GRACE: Duration = Duration::from_secs(2);

/// Serves `router` on a bound listener until `stop` is ready, then lets the
/// answers that are under way be finished.
pub async fn until(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) -> io::Result<()> {
    let mut server = http1::Builder::new();
    server.pipeline_flush(false);
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_headers(HEADERS).max_buf_size(HEAD_BYTES);
    let service = TowerToHyperService::new(router);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                // No file left, no memory: whoever holds it gives it back in a while.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(ANSWER_TIME));
        let connection = graceful.watch(server.serve_connection(TokioIo::new(Box::pin(stream)), service.clone()));
        tokio::spawn(async move {
            // Whoever breaks off or sends no HTTP harms nobody but themselves.
            let _ = connection.await;
            drop(place);
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
