//! Meta's webhooks, both ends of them: the receiver of events, and the probe that
//! asks a receiver as Meta would.

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
pub use event::{Attachment, Delivery, Event, Kind, Message, PolicyEnforcement, Postback, Reaction, Referral, events};
pub use listener::{Answer, Heard, Notification, Refusal, Refusals, Seen, Subscriber, VerifyTokens, receiver};
pub use probe::{AGENT, Exchange, LIMIT, Probe};
pub use prober::Prober;
pub use problem::Problem;
pub use said::hidden_in;
