//! A receiver of Meta's events: whose events are taken, what handshakes are judged by, where
//! events are passed on to, and what a script does in place of a person.

pub mod forward;
pub mod script;

mod listened;
mod tokens;

pub use listened::{Listened, listened};
pub use tokens::TokenReader;
