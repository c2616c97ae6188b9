//! The tables of a scenario file.

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::sandbox::Fault;
use crate::sandbox::apps::{App, AppMode, Configuration};
use crate::sandbox::businesses::Business;
use crate::sandbox::length::Length;
use crate::sandbox::rules::{Access, SubscribedAppsMode};
use crate::sandbox::tokens::TokenState;

/// A scenario file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub(super) version: i64,
    pub(super) latency: Option<Length>,
    #[serde(default, deserialize_with = "moment")]
    pub(super) today: Option<Timestamp>,
    pub(super) oldest_version: Option<String>,
    pub(super) newest_version: Option<String>,
    #[serde(default)]
    pub(super) require_app_secret: bool,
    pub(super) access: Option<Access>,
    pub(super) app_mode: Option<AppMode>,
    pub(super) reads: Option<bool>,
    #[serde(default)]
    pub(super) rate_limits: bool,
    pub(super) profile_access: Option<bool>,
    pub(super) subscribed_apps_mode: Option<SubscribedAppsMode>,
    #[serde(default)]
    pub(super) header_token_wins: bool,
    pub(super) self_inspection: Option<bool>,
    #[serde(default)]
    pub(super) system_user_inspection: bool,
    pub(super) lists_pages: Option<bool>,
    pub(super) batch_timeout: Option<Length>,
    pub(super) page_count: Option<usize>,
    pub(super) code_life: Option<Length>,
    pub(super) login_life: Option<Length>,
    #[serde(default)]
    pub(super) fresh_page_tokens: bool,
    pub(super) redirect_fragment: Option<bool>,
    pub(super) business_login_in_development: Option<bool>,
    #[serde(default)]
    pub(super) configurations: Vec<Configuration>,
    #[serde(default)]
    pub(super) grants: Vec<GrantEntry>,
    #[serde(default)]
    pub(super) businesses: Vec<Business>,
    #[serde(default)]
    pub(super) system_users: Vec<SystemUserEntry>,
    #[serde(default)]
    pub(super) people: Vec<PersonEntry>,
    #[serde(default)]
    pub(super) subscriptions: Vec<SubscriptionEntry>,
    #[serde(default)]
    pub(super) apps: Vec<App>,
    #[serde(default)]
    pub(super) users: Vec<UserEntry>,
    #[serde(default)]
    pub(super) pages: Vec<PageEntry>,
    #[serde(default)]
    pub(super) faults: Vec<Fault>,
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = |_| D::Error::custom(format!("'{text}' is not a valid time, such as 2026-11-22T00:00:00Z"));
    text.parse().map(Some).map_err(wrong)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserEntry {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) pages: Option<Vec<String>>,
    pub(super) token: Option<String>,
    pub(super) app: Option<String>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) state: Option<TokenState>,
    pub(super) expires_in: Option<Length>,
    pub(super) granted_for: Option<Vec<String>>,
    pub(super) app_role: Option<bool>,
    #[serde(default)]
    pub(super) system: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageEntry {
    pub(super) id: String,
    pub(super) username: Option<String>,
    pub(super) name: String,
    pub(super) category: Option<String>,
    pub(super) published: Option<bool>,
    pub(super) tasks: Option<Vec<String>>,
    pub(super) subscribed: Option<Vec<String>>,
    pub(super) app: Option<String>,
    pub(super) token: Option<String>,
    pub(super) token_state: Option<TokenState>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) granted_for: Option<Vec<String>>,
    pub(super) expires_in: Option<Length>,
    pub(super) data_access_expires_in: Option<Length>,
    pub(super) app_role: Option<bool>,
    #[serde(default)]
    pub(super) new_experience: bool,
}

/// A system user of a business, with a token if it has one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SystemUserEntry {
    pub(super) id: Option<String>,
    pub(super) name: String,
    /// Absent: the first one.
    pub(super) business: Option<String>,
    #[serde(default)]
    pub(super) admin: bool,
    /// Installed apps; absent: the first one.
    pub(super) apps: Option<Vec<String>>,
    /// Assigned Pages.
    #[serde(default)]
    pub(super) pages: Vec<String>,
    /// On each of them; absent: all tasks.
    pub(super) tasks: Option<Vec<String>>,
    pub(super) token: Option<String>,
    pub(super) state: Option<TokenState>,
    pub(super) scopes: Option<Vec<String>>,
    /// Absent: never.
    pub(super) expires_in: Option<Length>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantEntry {
    /// Id or name; absent: the first one.
    pub(super) person: Option<String>,
    pub(super) app: Option<String>,
    pub(super) permissions: Option<Vec<String>>,
    #[serde(default)]
    pub(super) declined: Vec<String>,
    /// Absent: all, with those that come later.
    pub(super) pages: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonEntry {
    pub(super) name: String,
    pub(super) page: Option<String>,
    pub(super) psid: Option<String>,
    #[serde(default)]
    pub(super) role: bool,
    #[serde(default)]
    pub(super) blocked: bool,
    /// How long ago the person wrote; absent: never.
    pub(super) wrote_ago: Option<Length>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubscriptionEntry {
    pub(super) app: Option<String>,
    pub(super) object: Option<String>,
    pub(super) callback_url: String,
    pub(super) verify_token: Option<String>,
    pub(super) fields: Vec<String>,
    pub(super) active: Option<bool>,
}
