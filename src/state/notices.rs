//! What was told of a tenant's accounts, and what is still to be sent. Kept apart from the
//! results of tests: another command may find a change, and has nothing to send.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The content of `notices.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NoticeFile {
    schema_version: u8,
    /// What was told of each account.
    pub accounts: Vec<Told>,
    /// Notices that a target has not taken yet, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<Pending>,
    /// Rounds in a row in which no account could be tested.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub away: u32,
    /// Whether all of it was decided without a target, and so never sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
    /// When the last digest went out, or the first was due from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest_at: Option<Timestamp>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl NoticeFile {
    /// The version that this program writes.
    pub const VERSION: u8 = 1;

    /// An empty one: nothing was told yet.
    pub fn new() -> Self {
        Self { schema_version: Self::VERSION, ..Self::default() }
    }

    /// The version that wrote it.
    pub fn version(&self) -> u8 {
        self.schema_version
    }
}

/// The state of an account, as it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "cause", rename_all = "lowercase")]
pub enum State {
    /// It works; ends of validity have notices of their own.
    #[default]
    Pass,
    /// A warning, with its cause.
    Warn(String),
    /// A failure, with its cause.
    Fail(String),
}

/// What was told of one account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The account's id.
    pub account_id: String,
    /// The state that the last notice told.
    pub told: State,
    /// The state that the last tests found, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<State>,
    /// Tests in a row that found it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub runs: u32,
    /// Tests in a row that were not answered, while those of other accounts were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreachable: u32,
    /// Whether it was told that it could not be tested.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told_unreachable: bool,
    /// When its state changed in the last 24 hours, as it was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Timestamp>,
    /// Since it changes too often to tell each change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unstable_since: Option<Timestamp>,
    /// The ends of validity that were told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<ToldEnd>,
}

/// An end of validity that was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldEnd {
    /// The check that found it: `token.expiry`.
    pub check: String,
    /// The end.
    pub at: Timestamp,
    /// The last warning: so many days before it.
    pub days: u8,
}

/// A notice on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// The targets that have not taken it, by name.
    pub targets: Vec<String>,
    /// It, as targets get it.
    pub notice: Notice,
}

/// Something to tell: a change of accounts, with one cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// 1.
    pub schema_version: u8,
    /// Its name: one that is sent twice has the same.
    pub id: String,
    /// What happened.
    pub event: Event,
    /// When it was found.
    pub at: Timestamp,
    /// The accounts concerned.
    pub accounts: Vec<Concerned>,
}

/// A change of health, as the log keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HealthChange {
    /// When it was found.
    pub time: Timestamp,
    /// What it is.
    pub event: Event,
    /// The account's tenant.
    pub tenant: String,
    /// The account's handle.
    pub account: String,
    /// The check that found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What was found, in a sentence.
    pub summary: String,
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// Accounts stopped working.
    Failed,
    /// Accounts work, and something needs attention.
    Warning,
    /// Accounts work again.
    Recovered,
    /// A token or an access ends soon.
    Expires,
    /// Accounts could not be tested for three rounds.
    Unreachable,
    /// Accounts change too often to tell each change.
    Unstable,
    /// What still fails.
    Digest,
    /// Nothing happened: whether notices arrive.
    Test,
}

/// An account in a notice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Concerned {
    /// Its tenant.
    pub tenant: String,
    /// Its handle.
    pub account: String,
    /// The id of its Page.
    pub page_id: String,
    /// The check that found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The stable name of why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What was found, in a sentence.
    pub summary: String,
    /// What to do, with the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Since when it is so.
    pub since: Timestamp,
    /// When it ends, where that is what the notice tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
}
