//! Which Vault, what of it, and how to log in.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use url::Url;

use crate::address::is_loopback;
use crate::env::Environment;
use crate::secrets::reference::segments;
use crate::secrets::{Secret, SecretRef};

/// Where Vault is: https, or http on this machine. Nothing else can be built, so that no setting
/// sends a token in clear over a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultAddress(Url);

impl VaultAddress {
    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// The address of a call. Each segment is one name, so that none can lead elsewhere.
    pub(super) fn call<'s>(&self, segments: impl IntoIterator<Item = &'s str>) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1").extend(segments);
        }
        url
    }
}

impl FromStr for VaultAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("it is not a valid address of Vault: {why}"));
        let Ok(url) = Url::parse(text.trim()) else { return wrong("expected https://HOST:PORT") };
        if !url.username().is_empty() || url.password().is_some() {
            return wrong("it must not hold a user or a password");
        }
        if url.query().is_some() || url.fragment().is_some() || !url.has_host() {
            return wrong("expected https://HOST:PORT");
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            "http" => wrong("http would send the token in clear; only an address on this machine may be http"),
            _ => wrong("expected https://HOST:PORT"),
        }
    }
}

impl fmt::Display for VaultAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// Which Vault, what of it, and how to log in.
#[derive(Clone)]
pub struct VaultConfig {
    pub address: VaultAddress,
    /// Where the KV engine is mounted: `secret`.
    pub mount: String,
    /// The folder of msgrctl's entries: `msgrctl`.
    pub path: String,
    /// The namespace, if there is one.
    pub namespace: Option<String>,
    /// Certificates to trust besides the system's, as PEM text, and their file.
    pub ca_bundle: Option<(PathBuf, Vec<u8>)>,
    /// For one call.
    pub timeout: Duration,
    pub login: VaultLogin,
    /// The variables, where references to them lead.
    pub env: Environment,
}

/// How to get a token.
#[derive(Clone)]
pub enum VaultLogin {
    /// It is given; `None` if none is.
    Token(Option<Secret>),
    /// By AppRole.
    AppRole {
        /// Where the method is mounted: `approle`.
        mount: String,
        role_id: SecretRef,
        secret_id: SecretRef,
    },
    /// By JWT.
    Jwt {
        /// Where the method is mounted: `jwt`.
        mount: String,
        /// The name of the role.
        role: String,
        jwt: JwtSource,
    },
}

/// Where a JWT comes from.
#[derive(Clone)]
pub enum JwtSource {
    /// A variable, a file or a command.
    Reference(SecretRef),
    /// GitHub Actions gives one on request.
    GitHub { url: Url, bearer: Secret, audience: Option<String> },
}

/// The least policy (HCL) with which msgrctl works at this mount and path.
pub fn vault_policy(mount: &str, path: &str) -> String {
    let join = |text: &str| segments(text).collect::<Vec<_>>().join("/");
    let (mount, path) = (join(mount), join(path));
    format!(
        "\
# The secrets of msgrctl's accounts: one entry an account, a field for each kind.
path \"{mount}/data/{path}/*\" {{
  capabilities = [\"create\", \"read\", \"update\"]
}}

# To find entries of accounts that are gone, and to remove an entry with its old versions.
path \"{mount}/metadata/{path}/*\" {{
  capabilities = [\"delete\", \"list\"]
}}

# To tell a token that has expired from a policy that is too narrow, and to renew it.
path \"auth/token/lookup-self\" {{
  capabilities = [\"read\"]
}}
path \"auth/token/renew-self\" {{
  capabilities = [\"update\"]
}}

# For 'msgrctl doctor', which names what is missing here.
path \"sys/capabilities-self\" {{
  capabilities = [\"update\"]
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_stays_on_this_machine() {
        for good in ["https://vault.example.com:8200", "http://127.0.0.1:8200", "http://localhost:1", "https://x/bao/"]
        {
            let address: VaultAddress = good.parse().unwrap_or_else(|error| panic!("{good}: {error}"));
            assert_eq!(address.to_string(), good.trim_end_matches('/'));
        }
        for bad in [
            "http://vault.example.com:8200",
            "http://10.0.0.1",
            "vault.example.com",
            "https://me:pass@x",
            "https://x/?a=b",
            "ftp://x",
            "",
        ] {
            assert!(bad.parse::<VaultAddress>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_in_a_path_cannot_lead_elsewhere() {
        let address: VaultAddress = "https://x/bao".parse().expect("an address");
        let url = address.call(["secret", "data", "msgrctl", "a/../../sys", "b?c#d", ".."]);
        assert_eq!(url.as_str(), "https://x/bao/v1/secret/data/msgrctl/a%2F..%2F..%2Fsys/b%3Fc%23d");
    }
}
