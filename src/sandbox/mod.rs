//! The built-in Graph API: a small world of apps, people, Pages and tokens behind
//! a real socket, to try msgrctl and to test against.
//!
//! It shares no type with the client. Both are held against the samples in
//! `tests/fixtures/`, so that a wrong field name cannot agree with itself.

mod answer;
mod batch;
mod call;
mod callback;
mod control;
mod delivery;
mod events;
mod fault;
mod form;
mod handshake;
mod in_process;
mod journal;
mod limits;
mod people;
mod places;
mod routes;
mod rules;
mod say;
mod scenario;
mod service;
mod tokens;
mod versions;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;

pub use control::{CALLS_PATH, SAY_PATH};
pub use fault::{Effect, Fault};
pub use in_process::InProcess;
pub use journal::{Calls, Entry, Parameter};
pub use people::{Message, Person, Persona, Thread};
pub use rules::{Access, Rules, SubscribedAppsMode};
pub use say::{Attachment, Location, Said, Say};
pub use scenario::{Scenario, ScenarioError};
pub use tokens::{Token, TokenKind, TokenState};
pub use world::{App, Page, Subscription, User, World};

use callback::Callbacks;
use delivery::Courier;

/// A world that several calls can change, and its ways to the callbacks.
#[derive(Clone)]
pub struct SharedWorld(Arc<Parts>);

struct Parts {
    world: Mutex<World>,
    courier: Courier,
    handshakes: Callbacks,
}

impl SharedWorld {
    /// Shares a world.
    pub fn new(world: World) -> Self {
        let handshakes = Callbacks::new(world.rules.handshake_patience);
        Self(Arc::new(Parts { world: Mutex::new(world), courier: Courier::default(), handshakes }))
    }

    /// The world, held until the guard is dropped.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn courier(&self) -> &Courier {
        &self.0.courier
    }

    fn handshakes(&self) -> &Callbacks {
        &self.0.handshakes
    }
}

/// The emulator as a router, for whoever owns the socket.
pub fn router(world: SharedWorld) -> Router {
    Router::new().fallback(service::handle).with_state(world)
}
