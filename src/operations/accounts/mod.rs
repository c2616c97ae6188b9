//! Accounts: how they are added, changed, renamed and removed; Test Connection, and what
//! fixes what it finds.

pub(crate) mod add;
pub(crate) mod bulk;
pub(crate) mod commands;
pub(crate) mod complete;
pub(crate) mod draft;
pub(crate) mod edit;
pub(crate) mod fields;
pub(crate) mod gate;
pub(crate) mod inputs;
pub(crate) mod owner;
pub(crate) mod remove;
pub(crate) mod rename;
pub(crate) mod test;

pub use add::add;
pub use draft::Draft;
pub use test::test;
