//! The Meta apps, their settings for Login, and their saved configurations.

use jiff::civil::{Date, date};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// A Meta app. A scenario needs to name only what differs from the default app.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct App {
    /// Digits.
    pub id: String,
    /// 32 hexadecimal digits.
    pub secret: String,
    /// As the dialog shows it.
    pub name: String,
    /// The day on which it was created: some features are closed to apps created since 4
    /// November 2026.
    pub made: Date,
    /// The kind of its login.
    pub login: LoginKind,
    /// `None`: as the scenario's `app_mode`, or in development.
    pub mode: Option<AppMode>,
    /// "Valid OAuth Redirect URIs".
    pub redirect_uris: Vec<String>,
    /// "Enforce HTTPS".
    pub enforce_https: bool,
    /// "App Domains"; `None`: not checked.
    pub domains: Option<Vec<String>>,
    /// The permissions that its dialog can ask for; `None`: all that Meta has.
    pub permissions: Option<Vec<String>>,
    /// The business that has claimed it; `None`: each.
    pub business: Option<String>,
    /// The "Deauthorize callback URL".
    pub deauthorize_url: Option<String>,
    /// How each login ends, whatever the person does.
    pub login_error: Option<LoginError>,
}

impl Default for App {
    fn default() -> Self {
        Self {
            id: "123456789012345".into(),
            secret: hex::encode(&Sha256::digest(b"sandbox app")[..16]),
            name: "Example App".into(),
            // Before any feature was closed to new apps, so that existing clients keep working.
            made: date(2026, 1, 1),
            login: LoginKind::Classic,
            mode: None,
            // Meta's page for programs, so that an address can be pasted.
            redirect_uris: vec!["https://www.facebook.com/connect/login_success.html".into()],
            enforce_https: true,
            domains: None,
            permissions: None,
            business: None,
            deauthorize_url: None,
            login_error: None,
        }
    }
}

impl App {
    /// Whether it is in Live mode.
    pub fn is_live(&self) -> bool {
        self.mode == Some(AppMode::Live)
    }

    /// Whether its dialog can ask for a permission.
    pub fn offers(&self, permission: &str) -> bool {
        match &self.permissions {
            // What every app has.
            Some(own) => permission == "public_profile" || own.iter().any(|one| one == permission),
            None => PERMISSIONS.contains(&permission),
        }
    }
}

/// The permissions that a dialog knows, as far as a contact centre meets them.
const PERMISSIONS: [&str; 31] = [
    "ads_management",
    "ads_read",
    "business_management",
    "catalog_management",
    "email",
    "instagram_basic",
    "instagram_content_publish",
    "instagram_manage_comments",
    "instagram_manage_insights",
    "instagram_manage_messages",
    "leads_retrieval",
    "openid",
    "pages_events",
    "pages_manage_ads",
    "pages_manage_cta",
    "pages_manage_engagement",
    "pages_manage_instant_articles",
    "pages_manage_metadata",
    "pages_manage_posts",
    "pages_messaging",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_show_list",
    "pages_user_gender",
    "pages_user_locale",
    "pages_user_timezone",
    "pages_utility_messaging",
    "public_profile",
    "read_insights",
    "whatsapp_business_management",
    "whatsapp_business_messaging",
];

/// The kind of an app's login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginKind {
    /// Facebook Login: asked by `scope`, granted permission by permission.
    #[default]
    Classic,
    /// Facebook Login for Business: asked by `config_id`, granted as a whole.
    Business,
}

/// The mode in an app's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppMode {
    /// Only people with a role on the app can use it.
    Development,
    /// All people can.
    Live,
}

/// How a login can end in place of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginError {
    /// The app cannot ask for a permission.
    InvalidScopes,
    /// The app asks for nothing that it has.
    NoSupportedPermission,
    /// The app has open duties at Meta.
    FeatureUnavailable,
    /// The app is in Development mode, and the person has no role on it.
    AppNotActive,
    /// The redirect address is not registered.
    UrlBlocked,
    /// The redirect address is at a domain that is not the app's.
    CannotLoadUrl,
    /// The dialog breaks, then redirects as if the person had cancelled.
    SomethingWentWrong,
    /// The app does not exist or is disabled.
    AppMissing,
    /// The person confirmed, and the redirect says that they cancelled.
    UserDenied,
    /// The redirect names a fault of the server, in other parameters.
    ServerError,
}

/// A saved configuration of Login for Business.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// Digits.
    pub id: String,
    /// Its app; `None`: the first one.
    pub app: Option<String>,
    /// What a login ends with.
    #[serde(default)]
    pub token: ConfiguredToken,
    /// `None`: those of every token here.
    pub permissions: Option<Vec<String>>,
}

/// The token that a configuration issues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfiguredToken {
    /// A person's.
    #[default]
    User,
    /// A system user's, which does not expire.
    SystemUser,
    /// A system user's, for 60 days.
    #[serde(rename = "system_user_60_days")]
    SystemUser60Days,
}
