//! Secrets of accounts: where they are.

mod place;

pub use place::{absent, is_in_variables, place};
