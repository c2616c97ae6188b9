//! Whether this machine and this configuration are in order: each look a file.

pub mod accounts;
pub mod files;
pub mod left_behind;
pub mod network;
pub mod store;
