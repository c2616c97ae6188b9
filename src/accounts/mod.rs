//! The account of a messenger: its fields, its file format, and its store.

mod account;
mod addresses;
mod callback_url;
mod fields;
mod parsed;
mod schema;
mod store;
mod tenant;
mod tenant_file;

pub use account::{Account, Realm};
pub(crate) use addresses::{Addresses, Clash, clashes, newly_alike};
pub use callback_url::CallbackUrl;
pub use fields::{AppId, FieldError, Handle, Name, PageId, PageUsername, TenantName};
pub(crate) use parsed::Parsed;
pub use schema::{SchemaError, read as read_accounts};
pub use store::{AccountError, AccountStore};
pub(crate) use store::{check_handle, check_name, check_renamed, free_handle, free_name};
pub use tenant::{CallbackTemplate, PlatformMessenger, ProductVersion, Tenant, TenantHost};
pub(crate) use tenant_file::TenantFile;
