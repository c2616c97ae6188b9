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
mod length;
mod limits;
mod people;
mod places;
mod routes;
mod rules;
mod say;
mod scenario;
mod service;
mod shared;
mod tokens;
mod versions;
mod world;

use axum::Router;

pub use control::{CALLS_PATH, SAY_PATH};
pub use fault::Fault;
pub use in_process::InProcess;
pub use journal::{Calls, Entry, Parameter};
pub use people::{Message, Person, Persona, Thread};
pub use rules::{Access, Rules, SubscribedAppsMode};
pub use say::{Attachment, Location, Said, Say};
pub use scenario::{Scenario, ScenarioError};
pub use shared::SharedWorld;
pub use tokens::{Token, TokenKind, TokenState};
pub use world::{App, Page, Subscription, User, World};

/// The emulator as a router, for whoever owns the socket.
pub fn router(world: SharedWorld) -> Router {
    Router::new().fallback(service::handle).with_state(world)
}
