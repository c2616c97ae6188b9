//! The kinds of secret of an account, and the stores that can keep them.

use rand::distr::{Alphanumeric, SampleString as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Secret;
use super::shape::Shape;
use crate::text::words;

/// The secrets of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretKind {
    /// The token that speaks for the Page.
    PageAccessToken,
    /// The secret of the Meta app, which signs calls and inspects tokens.
    AppSecret,
    /// The text that Meta repeats in the webhook handshake.
    VerifyToken,
    /// The person's or system user's token that the Page's token came from, kept on request to
    /// renew it.
    UserAccessToken,
    /// The verify token that replaces the current one once Meta has it.
    NextVerifyToken,
    /// The key of the fingerprints in saved plans: a tenant's, not an account's.
    PlanKey,
}

impl SecretKind {
    /// Those that an administrator sets, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::PageAccessToken, Self::AppSecret, Self::VerifyToken, Self::UserAccessToken];

    /// Every kind that a store may hold for an account, in the same order.
    pub const KEPT: [Self; 5] =
        [Self::PageAccessToken, Self::AppSecret, Self::VerifyToken, Self::UserAccessToken, Self::NextVerifyToken];

    /// Those that a manifest can name. A kept user token stays as it is when one is applied.
    pub const IN_MANIFEST: [Self; 3] = [Self::PageAccessToken, Self::AppSecret, Self::VerifyToken];

    /// Whether it is a verify token, current or next.
    pub fn is_verify_token(self) -> bool {
        matches!(self, Self::VerifyToken | Self::NextVerifyToken)
    }

    const fn spelt(self) -> [&'static str; 3] {
        match self {
            Self::PageAccessToken => ["page access token", "page-access-token", "page_access_token"],
            Self::AppSecret => ["app secret", "app-secret", "app_secret"],
            Self::VerifyToken => ["verify token", "verify-token", "verify_token"],
            Self::UserAccessToken => ["user access token", "user-access-token", "user_access_token"],
            Self::PlanKey => ["plan key", "plan-key", "plan_key"],
            Self::NextVerifyToken => ["next verify token", "next-verify-token", "next_verify_token"],
        }
    }

    /// For messages: `page access token`.
    pub fn words(self) -> &'static str {
        self.spelt()[0]
    }

    /// For the command line: `page-access-token`.
    pub fn argument(self) -> &'static str {
        self.spelt()[1]
    }

    /// For files and JSON: `page_access_token`.
    pub fn key(self) -> &'static str {
        self.spelt()[2]
    }
}

words!(SecretKind, words);

/// A store, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreName {
    /// The operating system's keyring.
    Keyring,
    /// The tenant's encrypted file.
    File,
    /// HashiCorp Vault or OpenBao.
    Vault,
    /// The variables `MSGRCTL_SECRET_…`, read only.
    Env,
    /// This process's memory, for the demo.
    Memory,
}

impl StoreName {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Keyring, Self::File, Self::Vault, Self::Env, Self::Memory];

    /// Those that new secrets can be put into.
    pub const KEEPING: [Self; 3] = [Self::Keyring, Self::File, Self::Vault];

    /// Whether all tenants, and other configurations, share it.
    pub fn is_shared(self) -> bool {
        self == Self::Keyring
    }

    /// Its name in flags, files and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::File => "file",
            Self::Vault => "vault",
            Self::Env => "env",
            Self::Memory => "memory",
        }
    }
}

words!(StoreName, as_str);

impl Secret {
    /// The first 8 hexadecimal digits of the secret's SHA-256, to compare two places without
    /// showing a value; `None` for a kind that the user may have made up and others could guess.
    pub fn fingerprint(&self, kind: SecretKind) -> Option<String> {
        let value = self.expose();
        let generated = value.len() >= 32 && self.shape(kind) == Shape::Plausible;
        let hash = || hex::encode(&Sha256::digest(value.as_bytes())[..4]);
        (!kind.is_verify_token() || generated).then(hash)
    }
}

/// A verify token of 40 letters and digits (238 bits) from the operating system's generator.
/// Meta mangles other characters in reports.
pub fn generate_verify_token() -> Secret {
    loop {
        let token = Secret::new(Alphanumeric.sample_string(&mut rand::rng(), 40));
        // About one in 30,000 begins like another system's credential.
        if token.shape(SecretKind::VerifyToken) == Shape::Plausible {
            return token;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for kind in SecretKind::KEPT {
            assert_eq!(serde_json::to_value(kind).expect("json"), kind.key());
            assert_eq!(kind.argument(), kind.key().replace('_', "-"));
        }
    }
}
