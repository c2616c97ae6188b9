//! What can be done, without a terminal: a [`Workspace`] names the configuration and its
//! tenant, a [`Reporter`] is told what happens. Questions to a person stay above.

pub mod accounts;
pub mod apply;
pub mod change;
pub mod chat_settings;
pub mod doctor;
pub mod explain;
pub mod journal;
pub mod listen;
pub mod messages;
pub mod secrets;
pub mod tenants;
pub mod webhooks;

mod error;
mod groups;
mod invocation;
mod reporter;
mod settings;
mod stores;
mod trial;
mod workspace;

pub use error::{Error, Kind, mistake};
pub use groups::groups;
pub use invocation::Invocation;
pub use reporter::{Hold, Progress, Reporter, Unseen};
pub use settings::{Given, Origin, Setting, Settings};
pub use stores::SHORT_PASSPHRASE;
pub use workspace::{Tenants, Workspace, key};
