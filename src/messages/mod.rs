//! System messages: the texts that the contact centre sends automatically when a chat event
//! happens. Each account has a state for each event; the tenant's Chat Settings have the
//! defaults.

mod catalogue;
pub(crate) mod desk;
mod resolve;
mod settings;
mod state;
mod text;

pub(crate) use catalogue::CATALOGUE;
pub use catalogue::{Event, UnknownEvent};
pub(crate) use resolve::{Effective, Origin, resolve, undeliverable};
pub use settings::{ChatSettings, ChatText, Timeout, TimeoutError, Timeouts};
pub use state::{AccountMessages, MessageState};
pub(crate) use text::{LIMIT, preview};
pub use text::{MessageText, TextError};
