//! The names of the documents.

/// The setting of a state in files of this machine.
pub const FILES: &str = "files";

/// The lines of the log: one for each change.
pub const LOG: &str = "log.jsonl";

/// Where a log ends: `log.end.json`.
pub fn end_of(log: &str) -> String {
    format!("{}.end.json", log.trim_end_matches(".jsonl"))
}

/// Says that the records were moved to another place.
pub const MOVED: &str = "moved.json";

/// The file of the lineage of records in files.
pub const LINEAGE: &str = "lineage";

/// What `watch` found to have changed, an account a line.
pub const HEALTH_LOG: &str = "health-log.jsonl";

/// The directory of changes that have begun and are not logged yet, a document a tenant.
pub const PENDING: &str = "pending";

/// A tenant's accounts. The tenant's name must be checked before: it is used as it is.
pub fn accounts(tenant: &str) -> String {
    of_tenant(tenant, "accounts.toml")
}

/// Its settings.
pub fn tenant(tenant: &str) -> String {
    of_tenant(tenant, "tenant.toml")
}

/// Its Chat Settings.
pub fn chat_settings(tenant: &str) -> String {
    of_tenant(tenant, "chat-settings.toml")
}

/// What the last tests of its accounts found.
pub fn health(tenant: &str) -> String {
    of_tenant(tenant, "health.json")
}

/// What was told of its accounts, and what is still to be sent.
pub fn notices(tenant: &str) -> String {
    of_tenant(tenant, "notices.json")
}

/// Its change that has begun and is not logged yet.
pub fn pending(tenant: &str) -> String {
    format!("{PENDING}/{tenant}.json")
}

fn of_tenant(tenant: &str, name: &str) -> String {
    format!("tenants/{tenant}/{name}")
}
