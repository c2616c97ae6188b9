//! What should be, against what is: the difference as a value, and how it is carried
//! out.

pub mod apps;
pub mod chat_settings;
mod clashes;
pub mod draft;
pub mod kept;
pub mod manifest;
pub mod plan;
pub mod sent;
pub mod subscription;
