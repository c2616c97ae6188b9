//! The public names of the checks, each said once: a check that is renamed here is renamed
//! wherever it is made, explained or waited for.

pub const GRAPH_REACHABLE: &str = "graph.reachable";
pub const GRAPH_VERSION: &str = "graph.version";
pub const TOKEN_VALID: &str = "token.valid";
pub const TOKEN_TYPE: &str = "token.type";
pub const TOKEN_PAGE: &str = "token.page";
pub const PAGE_USERNAME: &str = "page.username";
pub const TOKEN_APP: &str = "token.app";
pub const TOKEN_PERMISSIONS: &str = "token.permissions";
pub const TOKEN_EXPIRY: &str = "token.expiry";
pub const TOKEN_DATA_ACCESS: &str = "token.data_access";
pub const PAGE_PUBLISHED: &str = "page.published";
pub const PAGE_SUBSCRIPTION: &str = "page.subscription";
pub const APP_SUBSCRIPTION: &str = "app.subscription";
pub const CALLBACK_HANDSHAKE: &str = "callback.handshake";
pub const MESSAGES_WINDOW: &str = "messages.window";
pub const MESSAGES_LENGTH: &str = "messages.length";

pub const MSGRCTL_VERSION: &str = "msgrctl.version";
pub const CONFIG_FILE: &str = "config.file";
pub const ACCOUNTS_FILE: &str = "accounts.file";
pub const FILES_MODES: &str = "files.modes";
pub const STORE_KEYRING: &str = "store.keyring";
pub const STORE_FILE: &str = "store.file";
pub const STORE_ENV: &str = "store.env";
pub const STORE_MEMORY: &str = "store.memory";
pub const ACCOUNTS_NAMES: &str = "accounts.names";
pub const SECRETS_PRESENT: &str = "secrets.present";
pub const SECRETS_LEFT_BEHIND: &str = "secrets.left_behind";
pub const PROXY: &str = "proxy";
pub const TLS_CERTIFICATES: &str = "tls.certificates";
pub const CLOCK: &str = "clock";
