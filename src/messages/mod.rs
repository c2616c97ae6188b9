//! System messages: the texts that the contact centre sends by itself when a chat
//! event happens. Each account has a state for each event; the tenant's Chat
//! Settings have the defaults.

mod catalogue;
pub mod desk;
mod resolve;
mod settings;
mod state;
mod text;

pub use catalogue::{CATALOGUE, ChatEvent, Event, UnknownEvent};
pub use resolve::{Effective, Origin, Window, resolve, undeliverable};
pub use settings::{ChatSettings, ChatText, Timeout, TimeoutError, Timeouts};
pub use state::{AccountMessages, MessageState};
pub use text::{LIMIT, MessageText, TextError, preview};
