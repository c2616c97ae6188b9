//! Compares what should be with what is: the differences as a value, and how to carry them out.

pub(crate) mod apps;
pub(crate) mod chat_settings;
mod clashes;
pub(crate) mod discovered;
pub(crate) mod draft;
pub(crate) mod kept;
pub mod manifest;
pub(crate) mod plan;
pub(crate) mod sent;
pub(crate) mod subscription;
