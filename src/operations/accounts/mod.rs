//! Accounts: Test Connection, what fixes it, and the end of an account.

pub mod commands;
pub mod remove;
pub mod test;
