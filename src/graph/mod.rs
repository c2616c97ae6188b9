//! Meta's Graph API, as far as a messenger's administrator needs it.

mod base;
mod batch;
mod client;
pub mod endpoints;
mod error;
mod lenient;
mod pace;
mod proof;
mod request;
mod retry;
mod versions;
mod wire;
mod wording;

pub use base::{BaseUrl, GraphVersion};
pub(crate) use client::Answer;
pub use client::{Client, Gate};
pub use error::{ApiError, GraphError, HeldBack, Unreachable};
pub use proof::AppCredentials;
pub(crate) use request::{Authority, GraphRequest, Verb};
pub use wire::read_reply;
pub(crate) use wording::Wording;
