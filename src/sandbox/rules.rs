//! Settings of the sandbox: where Meta's behaviour varies, or depends on an app's setup.

use std::time::Duration;

/// The settings of the sandbox.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The oldest version that is served; older ones are served as this one, without an error.
    /// `None`: the oldest on the world's day.
    pub oldest_version: Option<(u16, u16)>,
    /// The newest version; newer ones are unknown. `None`: the newest on the world's day.
    pub newest_version: Option<(u16, u16)>,
    /// A delay before every answer.
    pub latency: Duration,
    /// "Require App Secret" in the app's settings.
    pub require_app_secret: bool,
    /// Whom the app may message, and who can message it.
    pub access: Access,
    /// Whether calls are counted, and refused above the limits.
    pub rate_limits: bool,
    /// Whether Pages may read profiles ("Business Asset User Profile Access").
    pub profile_access: bool,
    /// What a POST to `/{page}/subscribed_apps` does with existing fields.
    pub subscribed_apps_mode: SubscribedAppsMode,
    /// Whether people read a Page's messages at once.
    pub reads: bool,
    /// Whether a token in the header takes precedence over one in a parameter.
    pub header_token_wins: bool,
    /// How long a callback may take to answer its verification; read when the sandbox starts.
    pub handshake_patience: Duration,
    /// How long an operation of a batch may take.
    pub batch_patience: Duration,
    /// Whether the token of a person with a role on the app may inspect itself with
    /// `debug_token`; a system user's only with the next setting too.
    pub self_inspection: bool,
    /// Whether a system user's token may.
    pub system_user_inspection: bool,
    /// Whether `/me/accounts` shows the Pages; some business logins get an empty list.
    pub lists_pages: bool,
    /// How long the code of a login can be exchanged.
    pub code_life: Duration,
    /// How long the token lasts that a code is exchanged for.
    pub login_life: Duration,
    /// Whether each token of a person has Page tokens of its own, even where older ones still work.
    pub fresh_page_tokens: bool,
    /// Whether redirects of the dialog end with `#_=_`, as those of classic logins do.
    pub redirect_fragment: bool,
    /// Whether Login for Business works while its app is in Development mode; one report says no.
    pub business_login_in_development: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            oldest_version: None,
            newest_version: None,
            latency: Duration::ZERO,
            require_app_secret: false,
            access: Access::Advanced,
            rate_limits: false,
            profile_access: true,
            subscribed_apps_mode: SubscribedAppsMode::Replace,
            reads: true,
            header_token_wins: false,
            // As measured in one report.
            handshake_patience: Duration::from_secs(6),
            batch_patience: Duration::from_secs(10),
            self_inspection: true,
            system_user_inspection: false,
            lists_pages: true,
            code_life: Duration::from_secs(600),
            login_life: Duration::from_secs(5_400),
            fresh_page_tokens: false,
            redirect_fragment: true,
            business_login_in_development: true,
        }
    }
}

/// Whom an app can reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Only people with a role on the app: Standard Access, or development mode.
    Standard,
    /// All people.
    #[default]
    Advanced,
}

/// What happens to a Page's fields when others are subscribed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscribedAppsMode {
    /// They are removed, as reported from the live Graph.
    #[default]
    Replace,
    /// They stay.
    Add,
}
