//! Accounts: how they are added, changed, renamed and removed; Test Connection, and what
//! fixes what it finds.

pub mod add;
pub mod bulk;
pub mod commands;
pub mod complete;
pub mod draft;
pub mod edit;
pub mod fields;
pub mod gate;
pub mod inputs;
pub mod owner;
pub mod remove;
pub mod rename;
pub mod test;

pub use add::add;
pub use draft::Draft;
pub use test::test;
