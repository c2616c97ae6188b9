//! Meta's webhooks: the receiver of events, and the probe that asks a callback as Meta would.

mod certificate;
mod challenge;
mod event;
mod listener;
mod part;
mod probe;
mod prober;
mod problem;
mod said;
pub mod signature;
mod x509;

pub use challenge::{Handshake, NoHandshake, handshake_address};
pub use event::events;
pub(crate) use event::{Attachment, Event, Kind, Message};
pub(crate) use listener::{Heard, Notification, Refusal, Refusals, Seen, Subscriber, VerifyTokens, receiver};
pub(crate) use probe::{AGENT, Exchange, Probe};
pub(crate) use prober::Prober;
pub(crate) use problem::Problem;
pub(crate) use said::hidden_in;
