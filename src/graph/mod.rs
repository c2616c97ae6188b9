//! Meta's Graph API, as far as a messenger's administrator needs it.

mod base;
mod client;
pub mod endpoints;
mod error;
mod proof;
mod request;
mod retry;

pub use base::{BaseUrl, GraphVersion};
pub use client::{Answer, Client};
pub use error::{ApiError, GraphError, Unreachable};
pub use proof::AppCredentials;
pub use request::{Authority, GraphRequest, Verb};
