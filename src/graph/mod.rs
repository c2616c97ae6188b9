//! Meta's Graph API, as far as a messenger's administrator needs it.

mod base;
mod batch;
mod client;
pub mod endpoints;
mod error;
mod pace;
mod proof;
mod request;
mod retry;
mod wire;

pub use base::{BaseUrl, GraphVersion};
pub use client::{Answer, Client};
pub use error::{ApiError, GraphError, Unreachable};
pub use proof::AppCredentials;
pub use request::{Authority, GraphRequest, Verb};
