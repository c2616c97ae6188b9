//! The account of a messenger: what it is, how it is written down, where it is kept.

mod account;
mod fields;
mod schema;
mod store;

pub use account::{Account, MessengerType, Realm};
pub use fields::{AppId, CallbackUrl, FieldError, Handle, Name, PageId, PageUsername, TenantName};
pub use schema::SchemaError;
pub use store::{AccountError, AccountStore, check_handle, check_name, free_handle};
