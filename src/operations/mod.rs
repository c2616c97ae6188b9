//! What msgrctl can do, without a terminal: a [`Workspace`] names configuration and tenant, a
//! [`Reporter`] receives messages. Prompts belong to the layers above.

pub mod accounts;
pub mod apply;
pub(crate) mod change;
pub(crate) mod chat_settings;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod health;
pub(crate) mod journal;
pub(crate) mod listen;
pub mod login;
pub(crate) mod messages;
pub(crate) mod secrets;
pub(crate) mod shared_state;
pub(crate) mod status;
pub(crate) mod tenants;
pub(crate) mod watch;
pub(crate) mod webhooks;

mod error;
mod every_tenant;
mod found;
mod groups;
mod holding;
mod invocation;
mod origin;
mod reporter;
mod settings;
mod stores;
mod trial;
pub mod vault;
mod who;
mod workspace;

pub use error::{Error, Kind};
pub(crate) use error::{mistake, no_keyring, unstored};
pub(crate) use every_tenant::Tenants;
pub(crate) use found::Found;
pub(crate) use groups::groups;
pub(crate) use invocation::{Invocation, calls};
pub use reporter::{Hold, Progress, Reporter, Unseen};
pub use settings::Given;
pub(crate) use settings::{Origin, Setting, Settings};
pub(crate) use stores::SHORT_PASSPHRASE;
pub use who::Who;
pub use workspace::Workspace;
pub(crate) use workspace::key;
