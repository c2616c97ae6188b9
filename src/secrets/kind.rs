//! The kinds of secret an account has, what each looks like, and where it can be.

use std::fmt;

use rand::distr::{Alphanumeric, SampleString as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Secret;

/// The secrets of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretKind {
    /// The token that speaks for the Page.
    PageAccessToken,
    /// The secret of the Meta app, which signs calls and inspects tokens.
    AppSecret,
    /// What Meta repeats in the webhook handshake.
    VerifyToken,
    /// The verify token that takes the place of the other once Meta has it.
    NextVerifyToken,
}

impl SecretKind {
    /// Those that an administrator gives, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::PageAccessToken, Self::AppSecret, Self::VerifyToken];

    /// Every kind that a store may keep, in the same order.
    pub const KEPT: [Self; 4] = [Self::PageAccessToken, Self::AppSecret, Self::VerifyToken, Self::NextVerifyToken];

    /// Whether it is one that a callback is asked with.
    pub fn is_verify_token(self) -> bool {
        matches!(self, Self::VerifyToken | Self::NextVerifyToken)
    }

    /// As a person reads it: `page access token`.
    pub fn words(self) -> &'static str {
        match self {
            Self::PageAccessToken => "page access token",
            Self::AppSecret => "app secret",
            Self::VerifyToken => "verify token",
            Self::NextVerifyToken => "next verify token",
        }
    }

    /// As a command line takes it: `page-access-token`.
    pub fn argument(self) -> &'static str {
        match self {
            Self::PageAccessToken => "page-access-token",
            Self::AppSecret => "app-secret",
            Self::VerifyToken => "verify-token",
            Self::NextVerifyToken => "next-verify-token",
        }
    }

    /// As files and JSON spell it: `page_access_token`.
    pub fn key(self) -> &'static str {
        match self {
            Self::PageAccessToken => "page_access_token",
            Self::AppSecret => "app_secret",
            Self::VerifyToken => "verify_token",
            Self::NextVerifyToken => "next_verify_token",
        }
    }
}

impl fmt::Display for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// A store by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreName {
    /// The operating system's.
    Keyring,
    /// The encrypted file of the tenant.
    File,
    /// Variables `MSGRCTL_SECRET_…`, read only.
    Env,
    /// This process's memory: the demo's.
    Memory,
}

impl StoreName {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Keyring, Self::File, Self::Env, Self::Memory];

    /// As flags, files and JSON spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::File => "file",
            Self::Env => "env",
            Self::Memory => "memory",
        }
    }
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a value looks like, judged without asking anyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Nothing speaks against it.
    Plausible,
    /// White space inside: pasted with a line break or two values at once.
    WhiteSpace,
    /// `IGAA…`: an Instagram-login token, which Graph's Facebook host refuses.
    Instagram,
    /// `id|secret`: an app access token.
    AppToken,
    /// A page token that does not begin like one (`EAA`).
    NotLikeAToken,
    /// An app secret that is not 32 hexadecimal digits.
    NotLikeASecret,
    /// A verify token with characters other than letters and digits, which Meta
    /// is known to change on the way.
    Mangled,
}

impl Secret {
    /// How the value looks for a secret of `kind` (facts of Graph, section 6: no
    /// length is documented for tokens, so none is judged).
    pub fn shape(&self, kind: SecretKind) -> Shape {
        let value = self.expose();
        match kind {
            _ if !kind.is_verify_token() && value.chars().any(char::is_whitespace) => Shape::WhiteSpace,
            SecretKind::PageAccessToken if value.starts_with("IGAA") => Shape::Instagram,
            SecretKind::PageAccessToken if value.contains('|') => Shape::AppToken,
            SecretKind::PageAccessToken if !value.starts_with("EAA") => Shape::NotLikeAToken,
            SecretKind::AppSecret if value.len() != 32 || !value.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Shape::NotLikeASecret
            }
            _ if kind.is_verify_token() && !value.bytes().all(|b| b.is_ascii_alphanumeric()) => Shape::Mangled,
            _ => Shape::Plausible,
        }
    }
}

impl Secret {
    /// The first 8 hexadecimal digits of its SHA-256, to compare two places without
    /// showing a value; `None` for what somebody may have made up and others guess.
    pub fn fingerprint(&self, kind: SecretKind) -> Option<String> {
        let value = self.expose();
        let generated = value.len() >= 32 && self.shape(kind) == Shape::Plausible;
        let hash = || hex::encode(&Sha256::digest(value.as_bytes())[..4]);
        (kind != SecretKind::VerifyToken || generated).then(hash)
    }
}

/// A verify token of 40 letters and digits (238 bits) from the operating
/// system's generator. Other characters are mangled by Meta in reports.
pub fn generate_verify_token() -> Secret {
    Secret::new(Alphanumeric.sample_string(&mut rand::rng(), 40))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_page_tokens() {
        let shape = |value: &str| Secret::new(value).shape(SecretKind::PageAccessToken);
        assert_eq!(shape("EAAB0123"), Shape::Plausible);
        assert_eq!(shape("EAAB 0123"), Shape::WhiteSpace);
        assert_eq!(shape("IGAA0123"), Shape::Instagram);
        assert_eq!(shape("123456|abcdef"), Shape::AppToken);
        assert_eq!(shape("0123456789abcdef0123456789abcdef"), Shape::NotLikeAToken);
    }

    #[test]
    fn shapes_of_app_secrets_and_verify_tokens() {
        let secret = |value: &str| Secret::new(value).shape(SecretKind::AppSecret);
        assert_eq!(secret("0123456789abcdef0123456789abcdef"), Shape::Plausible);
        assert_eq!(secret("EAAB0123"), Shape::NotLikeASecret);
        let verify = |value: &str| Secret::new(value).shape(SecretKind::VerifyToken);
        assert_eq!(verify("abcABC123"), Shape::Plausible);
        assert_eq!(verify("a+b/c="), Shape::Mangled);
        assert_eq!(verify("a b"), Shape::Mangled);
    }

    #[test]
    fn generated_verify_tokens_are_long_plain_and_different() {
        let tokens: Vec<Secret> = (0..50).map(|_| generate_verify_token()).collect();
        for (at, token) in tokens.iter().enumerate() {
            assert!(token.expose().len() >= 32);
            assert_eq!(token.shape(SecretKind::VerifyToken), Shape::Plausible);
            assert!(!tokens[..at].contains(token));
        }
    }

    #[test]
    fn the_spellings_agree_with_serde() {
        for kind in SecretKind::ALL {
            assert_eq!(serde_json::to_value(kind).expect("json"), kind.key());
            assert_eq!(kind.argument(), kind.key().replace('_', "-"));
        }
    }
}
