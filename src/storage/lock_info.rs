//! Who holds the lock of a tenant.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who wants to change something: the command and where it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The user's name.
    pub user: String,
    /// The machine's name.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// The command's words: `account edit`.
    pub command: String,
    /// The address of the CI job that runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<String>,
}

/// The lock of a tenant, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockInfo {
    /// Names this lock: `state unlock ID` wants it.
    pub id: String,
    /// Who holds it.
    #[serde(flatten)]
    pub holder: Holder,
    /// Since when.
    pub since: Timestamp,
    /// When it ends unless it is renewed.
    pub expires: Timestamp,
}

impl LockInfo {
    /// A lock that is damaged, and counts as ended.
    pub fn unreadable() -> Self {
        let unknown = || "unknown".to_owned();
        let holder = Holder { user: unknown(), host: unknown(), pid: 0, command: unknown(), ci: None };
        Self { id: "damaged".into(), holder, since: Timestamp::UNIX_EPOCH, expires: Timestamp::UNIX_EPOCH }
    }

    /// Who, where, since when and what: `ana on build-7 since 2026-11-29T10:00:00Z (apply)`.
    pub fn in_words(&self) -> String {
        let Holder { user, host, command, ci, .. } = &self.holder;
        let job = ci.as_ref().map(|ci| format!(", {ci}")).unwrap_or_default();
        format!("{user} on {host} since {} ({command}{job})", self.since)
    }
}
