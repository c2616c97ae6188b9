//! The tokens of the world, and their states.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::answer::Refusal;

/// A token that the world has issued.
#[derive(Clone, Debug)]
pub struct Token {
    pub value: String,
    /// The Page or person that it belongs to.
    pub kind: TokenKind,
    pub app_id: String,
    /// The person it was issued to.
    pub user_id: String,
    pub scopes: Vec<String>,
    /// The Pages that the permissions were granted for; `None`: all.
    pub targets: Option<Vec<String>>,
    /// Unix seconds.
    pub issued_at: i64,
    /// Unix seconds; 0: never.
    pub expires_at: i64,
    /// Unix seconds; 0: never.
    pub data_access_expires_at: i64,
    /// Its state.
    pub state: TokenState,
    /// Whether the person behind it has a role on the app.
    pub app_role: bool,
    pub origin: Origin,
}

/// Where a token came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The world began with it.
    Given,
    /// A login, an exchange of its token, or a call for a system user.
    Issued,
    /// A Page's token, of the person's or system user's token with this value.
    From(String),
}

/// The kind of a token's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A Page, by its id.
    Page(String),
    /// A person.
    User,
    /// A system user of a business.
    SystemUser,
}

/// A token's state, apart from expiry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenState {
    /// Nothing.
    #[default]
    Valid,
    /// 190/458: the person removed the app.
    NotAuthorized,
    /// 190/459: the person is held at a security check.
    Checkpoint,
    /// 190/460: the person changed the password.
    PasswordChanged,
    /// 190/463, even before its expiry time.
    Expired,
    /// 190/464: the person's account is not confirmed.
    Unconfirmed,
    /// 190/466: it was revoked.
    Revoked,
    /// 190/467: the person logged out.
    LoggedOut,
    /// 190/490: the Page's business requires two-factor authentication.
    TwoFactor,
    /// 190/492: the person lost the role on the Page.
    LostRole,
    /// 190/493: the person has not used the app for 90 days.
    Inactive,
    /// 190 without a subcode: a later login omitted the Page or its permissions. The token
    /// itself can still be inspected.
    GrantReplaced,
    /// 190 without a subcode: role lost, or no two-factor authentication. The token itself can
    /// still be inspected.
    CannotImpersonate,
    /// 200: the app is blocked.
    AppBlocked,
}

impl TokenState {
    /// Whether a new login does not help: the person is held, or may not act for the Page.
    pub fn outlives_login(self) -> bool {
        use TokenState::{AppBlocked, CannotImpersonate, Checkpoint, LostRole, TwoFactor, Unconfirmed};
        matches!(self, Checkpoint | Unconfirmed | TwoFactor | LostRole | CannotImpersonate | AppBlocked)
    }
}

const IMPERSONATE: &str = "The user must be an administrator, editor, or moderator of the page in order to impersonate it. If the page business requires Two Factor Authentication, the user also needs to enable Two Factor Authentication.";
const REPLACED: &str = "Any of the pages_read_engagement, pages_manage_metadata, pages_show_list or pages_messaging permission(s) must be granted before impersonating a user's page.";

impl Token {
    /// The Page that it belongs to, if it is a Page's.
    pub fn page(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::Page(id) => Some(id),
            TokenKind::User | TokenKind::SystemUser => None,
        }
    }

    /// Why the token is refused at `now`; `None` if it is not.
    pub fn problem(&self, now: i64) -> Option<Refusal> {
        let refusal = match self.state {
            TokenState::Valid if self.expires_at == 0 || self.expires_at > now => return None,
            TokenState::Valid => expired(self.expires_at, now),
            TokenState::Expired => expired(now - 3600, now),
            TokenState::NotAuthorized => {
                invalid(458, format!("User {} has not authorized application {}.", self.user_id, self.app_id))
            }
            TokenState::Checkpoint => invalid(
                459,
                "You cannot access the app till you log in to www.facebook.com and follow the instructions given.",
            ),
            TokenState::PasswordChanged => invalid(
                460,
                "The session has been invalidated because the user changed their password or Facebook has changed the session for security reasons.",
            ),
            TokenState::Unconfirmed => {
                invalid(464, "Sessions for the user are not allowed because the user is not a confirmed user.")
            }
            TokenState::Revoked => invalid(466, "The session was invalidated explicitly using an API call."),
            TokenState::LoggedOut => invalid(467, "The session is invalid because the user logged out."),
            TokenState::TwoFactor => Refusal::oauth(190, IMPERSONATE).with_subcode(490),
            TokenState::LostRole => invalid(492, "Invalid Session: the user has no role on the page."),
            TokenState::Inactive => {
                let text = "The access token is invalid since the user hasn't engaged the app in longer than 90 days.";
                Refusal::oauth(190, text).with_subcode(493)
            }
            TokenState::GrantReplaced => Refusal::oauth(190, REPLACED),
            TokenState::CannotImpersonate => Refusal::oauth(190, IMPERSONATE),
            TokenState::AppBlocked => {
                Refusal { denied: true, ..Refusal::oauth(200, "API access blocked.").with_status(400) }
            }
        };
        Some(refusal)
    }

    /// The same for `debug_token`: some refusals leave the token itself valid.
    pub fn own_problem(&self, now: i64) -> Option<Refusal> {
        use TokenState::{AppBlocked, CannotImpersonate, GrantReplaced};
        self.problem(now).filter(|_| !matches!(self.state, GrantReplaced | CannotImpersonate | AppBlocked))
    }

    /// Its expiry time, for `debug_token`.
    pub fn shown_expiry(&self, now: i64) -> i64 {
        if self.state == TokenState::Expired && self.expires_at == 0 { now - 3600 } else { self.expires_at }
    }

    /// Refuses a token without a permission, with the code seen for it.
    pub fn require(&self, code: i64, scope: &str) -> Result<(), Refusal> {
        if self.may(scope) { Ok(()) } else { Err(Self::lacks(code, scope)) }
    }

    /// The refusal for a missing permission.
    pub fn lacks(code: i64, scope: &str) -> Refusal {
        Refusal::oauth(code, format!("(#{code}) Requires {scope} permission to manage the object"))
    }

    pub fn may(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }
}

fn invalid(subcode: i64, rest: impl std::fmt::Display) -> Refusal {
    Refusal::oauth(190, format!("Error validating access token: {rest}")).with_subcode(subcode)
}

fn expired(at: i64, now: i64) -> Refusal {
    let (at, now) = (moment(at), moment(now));
    invalid(463, format!("Session has expired on {at}. The current time is {now}."))
}

/// `Saturday, 13-Jun-26 05:00:00 UTC`: Graph's format, in another time zone.
fn moment(unix_seconds: i64) -> String {
    Timestamp::from_second(unix_seconds).unwrap_or_default().strftime("%A, %d-%b-%y %H:%M:%S UTC").to_string()
}

/// A token for `purpose`, always the same, so that an account added to a sandbox still works
/// after a restart. `EAA` and 180 letters and digits, like Meta's today.
pub fn value_for(purpose: &str) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut value = b"EAA".to_vec();
    let mut hashed = [purpose.as_bytes(), &[0; 4]].concat();
    for block in 0_u32..6 {
        hashed[purpose.len()..].copy_from_slice(&block.to_be_bytes());
        value.extend(Sha256::digest(&hashed).iter().map(|byte| LETTERS[usize::from(*byte) % LETTERS.len()]));
    }
    value.truncate(183);
    String::from_utf8(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_values_are_stable_long_and_different() {
        assert_eq!(value_for("a"), value_for("a"));
        assert_ne!(value_for("a"), value_for("b"));
        assert_eq!(value_for("a").len(), 183);
    }
}
