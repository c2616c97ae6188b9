//! Checks this machine and this configuration, one area per file.

pub mod accounts;
pub mod files;
pub mod left_behind;
pub mod network;
pub mod state;
pub mod store;
