//! The built-in Graph API: a small world of apps, people, Pages and tokens behind a real socket,
//! for trying msgrctl and for tests.
//!
//! It shares no type with the client. Both are tested against the samples in `tests/fixtures/`,
//! so that a wrong field name cannot agree with itself.

mod answer;
mod apps;
mod batch;
mod businesses;
mod call;
mod callback;
mod control;
mod deauthorize;
mod delivery;
mod events;
mod fault;
mod form;
mod grants;
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

pub use apps::{App, AppMode, Configuration, ConfiguredToken, LoginError, LoginKind};
pub use businesses::{Business, SystemUser};
pub(crate) use control::{CALLS_PATH, SAY_PATH};
pub use fault::Fault;
pub use grants::Grant;
pub use in_process::InProcess;
pub(crate) use journal::CallLog;
pub use journal::Entry;
pub use people::Person;
pub use say::{Attachment, Say};
pub(crate) use say::{Location, Said};
pub use scenario::Scenario;
pub(crate) use scenario::ScenarioError;
pub(crate) use shared::SharedWorld;
pub use tokens::{TokenKind, TokenState};
pub(crate) use world::Page;
pub use world::{Subscription, World};

/// The emulator as a router for a socket of the caller's.
pub(crate) fn router(world: SharedWorld) -> Router {
    Router::new().fallback(service::handle).with_state(world)
}
