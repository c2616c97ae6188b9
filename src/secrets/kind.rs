//! The kinds of secret an account has, what each looks like, and where it can be.

use std::fmt;

use rand::distr::{Alphanumeric, SampleString as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Secret, credential};

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
    /// A credential of another system, or of Meta's where a verify token belongs: `a GitHub
    /// token`.
    Foreign(&'static str),
    /// A page token that does not begin like one (`EAA`).
    NotLikeAToken,
    /// A page token with characters other than letters and digits.
    OddToken,
    /// An app secret that is not 32 hexadecimal digits.
    NotLikeASecret,
    /// A verify token that is written as app secrets are.
    LikeASecret,
    /// A verify token with characters that are in addresses, passwords and keys.
    NotPlain,
    /// A verify token with `-`, `_` or `.` beside letters and digits. Meta is known to
    /// change some characters on the way.
    Mangled,
}

/// How much speaks against a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It may work otherwise than it should.
    Odd,
    /// It is probably something else: a person who gave it may know better, a file that
    /// names where it is may not.
    Doubtful,
    /// It is something else.
    Certain,
}

impl Shape {
    /// What is wrong with a value of this shape, and how much that weighs. It continues
    /// `the verify token`, and has nothing of the value in it.
    pub fn misfit(self) -> Option<(Weight, String)> {
        Some(match self {
            Self::Plausible => return None,
            Self::WhiteSpace => (Weight::Certain, "has white space inside".into()),
            Self::Instagram => {
                (Weight::Certain, "is an Instagram token (IGAA…), which Facebook's Graph refuses".into())
            }
            Self::AppToken => (Weight::Certain, "is an app access token (APPID|SECRET), not a Page's".into()),
            Self::Foreign(what) => (Weight::Certain, format!("has the shape of {what}, and is not sent")),
            Self::NotLikeAToken => (Weight::Doubtful, "does not begin with EAA, as Meta's tokens do today".into()),
            Self::OddToken => (
                Weight::Doubtful,
                "has characters other than letters and digits, which Meta's tokens are made of".into(),
            ),
            Self::NotLikeASecret => {
                (Weight::Doubtful, "is not 32 hexadecimal digits, as Meta's app secrets are today".into())
            }
            Self::LikeASecret => (Weight::Doubtful, "is 32 hexadecimal digits, as a Meta app secret is".into()),
            Self::NotPlain => (
                Weight::Doubtful,
                "has characters other than letters, digits, '-', '_' and '.'; Meta is known to change some on the way"
                    .into(),
            ),
            Self::Mangled => (
                Weight::Odd,
                "has characters other than letters and digits; Meta is known to change some on the way".into(),
            ),
        })
    }
}

impl Secret {
    /// How the value looks for a secret of `kind`. No length is documented for tokens, so
    /// none is judged.
    pub fn shape(&self, kind: SecretKind) -> Shape {
        let value = self.expose();
        let kind = if kind.is_verify_token() { SecretKind::VerifyToken } else { kind };
        let foreign = credential::of_system(value);
        let others = foreign.filter(|what| !credential::is_of_meta(what));
        match (kind, foreign, others) {
            (SecretKind::PageAccessToken | SecretKind::AppSecret, ..) if value.chars().any(char::is_whitespace) => {
                Shape::WhiteSpace
            }
            (SecretKind::PageAccessToken, ..) if value.starts_with("IGAA") => Shape::Instagram,
            (SecretKind::PageAccessToken, ..) if value.contains('|') => Shape::AppToken,
            (SecretKind::PageAccessToken | SecretKind::AppSecret, _, Some(what))
            | (SecretKind::VerifyToken, Some(what), _) => Shape::Foreign(what),
            (SecretKind::PageAccessToken, ..) if !value.starts_with("EAA") => Shape::NotLikeAToken,
            (SecretKind::PageAccessToken, ..) if !plain(value, "") => Shape::OddToken,
            (SecretKind::AppSecret, ..) if !credential::is_app_secret(value) => Shape::NotLikeASecret,
            (SecretKind::VerifyToken, ..) if credential::is_app_secret(value) => Shape::LikeASecret,
            (SecretKind::VerifyToken, ..) if !plain(value, "-_.") => Shape::NotPlain,
            (SecretKind::VerifyToken, ..) if !plain(value, "") => Shape::Mangled,
            _ => Shape::Plausible,
        }
    }
}

/// Whether there is nothing in a value but ASCII letters, digits and these.
fn plain(value: &str, others: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

impl Secret {
    /// The first 8 hexadecimal digits of its SHA-256, to compare two places without
    /// showing a value; `None` for what somebody may have made up and others guess.
    pub fn fingerprint(&self, kind: SecretKind) -> Option<String> {
        let value = self.expose();
        let generated = value.len() >= 32 && self.shape(kind) == Shape::Plausible;
        let hash = || hex::encode(&Sha256::digest(value.as_bytes())[..4]);
        (!kind.is_verify_token() || generated).then(hash)
    }
}

/// A verify token of 40 letters and digits (238 bits) from the operating
/// system's generator. Other characters are mangled by Meta in reports.
pub fn generate_verify_token() -> Secret {
    loop {
        let token = Secret::new(Alphanumeric.sample_string(&mut rand::rng(), 40));
        // One in some 30,000 begins as another system's credentials do.
        if token.shape(SecretKind::VerifyToken) == Shape::Plausible {
            return token;
        }
    }
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
        assert_eq!(shape("EAA"), Shape::Plausible, "no least length is known");
        assert_eq!(shape("EAAB/0123"), Shape::OddToken);
        assert_eq!(shape("ghp_0123"), Shape::Foreign("a GitHub token"));
    }

    #[test]
    fn shapes_of_app_secrets_and_verify_tokens() {
        let secret = |value: &str| Secret::new(value).shape(SecretKind::AppSecret);
        assert_eq!(secret("0123456789abcdef0123456789abcdef"), Shape::Plausible);
        assert_eq!(secret("EAAB0123"), Shape::NotLikeASecret);
        let verify = |value: &str| Secret::new(value).shape(SecretKind::VerifyToken);
        assert_eq!(verify("abcABC123"), Shape::Plausible);
        assert_eq!(verify("a-b_c.d"), Shape::Mangled);
        for odd in ["a+b/c=", "a b", "postgres://user:pw@db/x", "p@ssword!", "ü"] {
            assert_eq!(verify(odd), Shape::NotPlain, "{odd}");
        }
        assert_eq!(verify("0123456789abcdef0123456789ABCDEF"), Shape::LikeASecret);
        for foreign in ["EAAB", "IGAAx", "12345|abcdefgh", "ghp_x", "sk-ant-x"] {
            assert!(matches!(verify(foreign), Shape::Foreign(_)), "{foreign}");
        }
        assert_eq!(secret("glpat-0123"), Shape::Foreign("a GitLab token"));
    }

    #[test]
    fn a_refusal_names_the_system_and_nothing_of_the_value() {
        let (weight, why) = Secret::new("ghp_mark").shape(SecretKind::VerifyToken).misfit().expect("a misfit");
        assert!(weight == Weight::Certain && why.contains("GitHub") && !why.contains("mark"), "{why}");
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
