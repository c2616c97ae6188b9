//! What makes things as a manifest says.

pub mod meta;
