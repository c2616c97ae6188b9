//! Meta's webhooks, both ends of them: the signature of an event.

pub mod signature;
