//! A receiver of Meta's events: its accounts, the tokens that judge handshakes, forwarding,
//! and scripts.

pub mod forward;
pub mod script;

mod listened;
mod tokens;

pub use listened::{Listened, listened};
pub use tokens::TokenReader;

/// The object of Meta's events about the app itself: installed, changed or removed by a business.
pub const APPLICATION: &str = "application";
