//! The built-in Graph API: a small world of apps, people, Pages and tokens behind
//! a real socket, to try msgrctl and to test against.
//!
//! It shares no type with the client. Both are held against the samples in
//! `tests/fixtures/`, so that a wrong field name cannot agree with itself.

mod answer;
mod call;
mod fault;
mod journal;
mod routes;
mod scenario;
mod tokens;
mod world;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use tokio::sync::oneshot;

pub use fault::{Effect, Fault};
pub use journal::Entry;
pub use scenario::{Scenario, ScenarioError};
pub use tokens::{Token, TokenKind, TokenState};
pub use world::{App, Page, Rules, User, World};

/// A world that several calls can change.
#[derive(Clone)]
pub struct SharedWorld(Arc<Mutex<World>>);

impl SharedWorld {
    /// Shares a world.
    pub fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// The world, held until the guard is dropped.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The emulator as a router, for whoever owns the socket.
pub fn router(world: SharedWorld) -> Router {
    Router::new().fallback(handle).with_state(world)
}

/// A sandbox inside this process, on a thread of its own, until it is dropped.
pub struct InProcess {
    address: SocketAddr,
    world: SharedWorld,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl InProcess {
    /// Starts one on a free port of 127.0.0.1.
    pub fn start(world: World) -> io::Result<Self> {
        let world = SharedWorld::new(world);
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let router = router(world.clone());
        let thread = std::thread::spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                let stopped = async move {
                    // Dropped or sent: either way it is time to stop.
                    let _ = stopped.await;
                };
                // A client that keeps its connection open must not hold the stop up.
                tokio::select! {
                    _ = crate::serve::until(listener, router, std::future::pending()) => {}
                    () = stopped => {}
                }
            });
        });
        Ok(Self { address, world, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it is: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its world.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock()
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A sandbox that panicked has said so already.
            let _ = thread.join();
        }
    }
}

/// The path under which a running sandbox tells what it was asked.
pub const CALLS_PATH: &str = "/_sandbox/calls";

async fn handle(State(world): State<SharedWorld>, request: Request) -> Response {
    if request.uri().path() == CALLS_PATH {
        let calls = world.lock().journal.entries().to_vec();
        let body = serde_json::to_vec(&calls).unwrap_or_default();
        return Response::builder()
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap_or_default();
    }
    let call = match call::read(request).await {
        Ok(call) => call,
        Err(refusal) => return answer::Answer::from(refusal).into_response(&answer::Trace::new(), world::NEWEST),
    };
    let (latency, fault) = {
        let mut world = world.lock();
        (world.rules.latency, world.take_fault(&call))
    };
    let delay = fault.as_ref().and_then(|fault| fault.effect.delay).unwrap_or_default() + latency;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let mut world = world.lock();
    let trace = answer::Trace::new();
    if fault.as_ref().is_some_and(|fault| fault.effect.drop) {
        world.note(&call, None, &trace);
        return answer::broken_off();
    }
    let answer = match fault.as_ref().and_then(Fault::answer) {
        Some(answer) => answer,
        None => routes::answer(&mut world, &call),
    };
    world.note(&call, Some(&answer), &trace);
    answer.into_response(&trace, routes::served_version(&world, &call))
}
