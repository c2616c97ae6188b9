//! What people have granted to apps, and the codes of their logins.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng as _;

use super::tokens::{Origin, Token, TokenKind, TokenState, value_for};
use super::world::World;

/// What one person, or the system user of a business, has granted to one app. A later login
/// replaces it.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The app.
    pub app_id: String,
    /// The person or system user.
    pub user_id: String,
    /// The permissions.
    pub granted: Vec<String>,
    /// Permissions that the person was asked for and did not give.
    pub declined: Vec<String>,
    /// The ticked Pages; `None`: all, with those that come later.
    pub pages: Option<Vec<String>>,
}

/// A code that a login has ended with.
#[derive(Clone, Debug)]
pub(super) struct Code {
    /// `AQD` and 200 characters of URL-safe base64.
    pub value: String,
    /// The address that the exchange must name too.
    pub redirect_uri: String,
    /// Unix seconds.
    pub made_at: i64,
    pub used: bool,
    pub challenge: Option<Challenge>,
    /// The token that it is exchanged for; its times are set then.
    pub token: Token,
}

/// `code_challenge` of a dialog.
#[derive(Clone, Debug)]
pub(super) struct Challenge {
    pub value: String,
    /// Whether it is the verifier's hash, not the verifier.
    pub hashed: bool,
}

/// A Page's token needs one of these.
const OF_PAGES: [&str; 4] = ["pages_read_engagement", "pages_manage_metadata", "pages_show_list", "pages_messaging"];

impl Grant {
    /// Whether the person has answered for a permission.
    pub fn knows(&self, permission: &str) -> bool {
        self.granted.iter().chain(&self.declined).any(|one| one == permission)
    }
}

impl World {
    /// What a person has granted to an app.
    pub fn grant(&self, app_id: &str, user_id: &str) -> Option<&Grant> {
        self.grants.iter().find(|grant| grant.app_id == app_id && grant.user_id == user_id)
    }

    /// Records a grant in place of the earlier one. Tokens follow: a person's reach what is
    /// granted now, a Page's work only while the Page is part of it.
    pub(super) fn replace_grant(&mut self, grant: Grant, of_system_user: bool) {
        let pages: Option<HashSet<&str>> = grant.pages.as_ref().map(|pages| pages.iter().map(String::as_str).collect());
        let any = grant.granted.iter().any(|scope| OF_PAGES.contains(&scope.as_str()));
        for token in &mut self.tokens {
            if token.app_id != grant.app_id || token.user_id != grant.user_id {
                continue;
            }
            match &token.kind {
                TokenKind::SystemUser if !of_system_user => {}
                TokenKind::User | TokenKind::SystemUser => {
                    token.scopes.clone_from(&grant.granted);
                    token.targets.clone_from(&grant.pages);
                }
                TokenKind::Page(id) => {
                    let kept = any && pages.as_ref().is_none_or(|pages| pages.contains(id.as_str()));
                    token.state = match token.state {
                        TokenState::Valid if !kept => TokenState::GrantReplaced,
                        TokenState::GrantReplaced if kept => TokenState::Valid,
                        state => state,
                    };
                    if kept {
                        token.scopes.clone_from(&grant.granted);
                    }
                }
            }
        }
        self.grants.retain(|one| (&one.app_id, &one.user_id) != (&grant.app_id, &grant.user_id));
        self.grants.push(grant);
    }

    /// Invalidates a token, and those of Pages that came from it.
    pub(super) fn revoke(&mut self, value: &str) {
        let is_part = |token: &&mut Token| {
            token.value == value || matches!(&token.origin, Origin::From(parent) if parent == value)
        };
        self.tokens.iter_mut().filter(is_part).for_each(|token| token.state = TokenState::Revoked);
    }

    /// A person removes an app: their tokens of it and those of their Pages are invalid, and the
    /// next login is as the first.
    pub(super) fn deauthorize(&mut self, app_id: &str, user_id: &str) {
        for token in self.tokens.iter_mut().filter(|token| token.app_id == app_id && token.user_id == user_id) {
            if token.kind != TokenKind::SystemUser {
                token.state = TokenState::NotAuthorized;
            }
        }
        self.grants.retain(|grant| (grant.app_id.as_str(), grant.user_id.as_str()) != (app_id, user_id));
        self.farewells.push((app_id.into(), user_id.into()));
    }

    /// A code by its value.
    pub(super) fn code_mut(&mut self, value: &str) -> Option<&mut Code> {
        self.codes.iter_mut().find(|code| code.value == value)
    }
}

/// A new code.
pub(super) fn new_code() -> String {
    format!("AQD{}", URL_SAFE_NO_PAD.encode(random::<150>()))
}

/// The value of a token that the world did not begin with.
pub(super) fn new_token() -> String {
    value_for(&hex::encode(random::<32>()))
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}
