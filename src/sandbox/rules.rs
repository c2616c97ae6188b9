//! What can be switched: where Meta may act in one way or another, or an app is set
//! up so or otherwise.

use std::time::Duration;

/// What can be switched.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The oldest version that is served; what is older is served as this one, without an
    /// error. `None`: as on the world's day.
    pub oldest_version: Option<(u16, u16)>,
    /// The newest one; newer ones are not known. `None`: as on the world's day.
    pub newest_version: Option<(u16, u16)>,
    /// Before every answer.
    pub latency: Duration,
    /// "Require App Secret" in the app's settings.
    pub require_app_secret: bool,
    /// Whom the app may write to, and who can write to it.
    pub access: Access,
    /// Calls are counted, and refused when they are too many.
    pub rate_limits: bool,
    /// Pages may see who writes to them ("Business Asset User Profile Access").
    pub profile_access: bool,
    /// What a POST to `/{page}/subscribed_apps` does with the fields that are there.
    pub subscribed_apps_mode: SubscribedAppsMode,
    /// People read at once what a Page sends them.
    pub reads: bool,
    /// A token in the header counts before one in a parameter.
    pub header_token_wins: bool,
    /// How long a callback has to answer its verification; read when the sandbox starts.
    pub handshake_patience: Duration,
    /// How long an operation of a batch may take.
    pub batch_patience: Duration,
    /// A token of a person with a role on the app may ask `debug_token` about itself; a
    /// system user's only where this says so too.
    pub self_inspection: bool,
    /// A system user's token may.
    pub system_user_inspection: bool,
    /// `/me/accounts` shows the Pages; some logins of a business get an empty list.
    pub lists_pages: bool,
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
            // As one report measured.
            handshake_patience: Duration::from_secs(6),
            batch_patience: Duration::from_secs(10),
            self_inspection: true,
            system_user_inspection: false,
            lists_pages: true,
        }
    }
}

/// How far an app reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// People with a role on the app alone: Standard Access, or development mode.
    Standard,
    /// Everybody.
    #[default]
    Advanced,
}

/// What becomes of the fields of a Page when others are subscribed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscribedAppsMode {
    /// They are gone, as a live report has it.
    #[default]
    Replace,
    /// They stay.
    Add,
}
