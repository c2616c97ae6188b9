//! Secrets of accounts: where they are, moving them, and entries that belong to no account.

pub mod left_behind;
pub mod r#move;
mod owners;
pub mod passphrase;
mod place;
pub mod remove;

pub use place::{absent, is_in_variables, place};
