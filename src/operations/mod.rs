//! What can be done, without a terminal: a [`Workspace`] names the configuration and its
//! tenant, a [`Reporter`] is told what happens. What asks before it changes anything comes in
//! two steps: `prepare` returns a value that says what would be done, `carry_out` does it.

pub mod accounts;
pub mod change;
pub mod journal;
pub mod secrets;

mod error;
mod groups;
mod reporter;
mod settings;
mod stores;
mod workspace;

pub use error::{Error, Kind, mistake};
pub use groups::groups;
pub use reporter::{Hold, Progress, Reporter, Unseen};
pub use settings::{Given, Origin, Setting, Settings};
pub use stores::SHORT_PASSPHRASE;
pub use workspace::{Tenants, Workspace, key};
