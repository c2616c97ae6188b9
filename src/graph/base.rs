//! Graph's base address, and the version that calls ask for.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// Graph's base address: the real one over HTTPS, or a loopback one. Nothing else can be built,
/// so no flag or variable can send a token elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why an address was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// No scheme, no host, or not a URL. The error does not repeat it: it may hold a password.
    #[error("this is not a web address, which looks like http://127.0.0.1:8080")]
    NotAnAddress,
    /// A host that is neither Graph's nor this machine.
    #[error("{0} is neither https://graph.facebook.com nor on this machine; tokens go nowhere else")]
    Elsewhere(String),
    /// The right host with a path, query or user added.
    #[error("an address of Graph ends with its host and port: no path, no query, no user")]
    NotBare,
}

const LIVE: &str = "https://graph.facebook.com/";

impl BaseUrl {
    /// <https://graph.facebook.com>
    pub fn live() -> Self {
        Self(Url::parse(LIVE).unwrap_or_else(|error| unreachable!("a constant: {error}")))
    }

    /// Whether it is on this machine, as a sandbox is.
    pub fn is_loopback(&self) -> bool {
        self.0.as_str() != LIVE
    }

    /// The address of `path` without a version, for what a sandbox serves beside Graph.
    pub fn plain(&self, path: &str) -> Url {
        self.join(None, path)
    }

    /// The address of the login dialog: a page for browsers, beside Graph.
    pub fn dialog(&self, version: GraphVersion) -> Url {
        let mut url = self.join(Some(version), "/dialog/oauth");
        if !self.is_loopback() {
            // A constant name is a host.
            let _ = url.set_host(Some("www.facebook.com"));
        }
        url
    }

    /// The address of `path` (`/me`), with or without a version.
    pub(super) fn join(&self, version: Option<GraphVersion>, path: &str) -> Url {
        let mut url = self.0.clone();
        let version = version.map(|version| format!("/{version}")).unwrap_or_default();
        url.set_path(&format!("{version}{path}"));
        url
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        let url = Url::parse(text.trim()).map_err(|_| BaseUrlError::NotAnAddress)?;
        if url.as_str() == LIVE {
            return Ok(Self(url));
        }
        let (Some(host), "http" | "https") = (url.host(), url.scheme()) else {
            return Err(BaseUrlError::NotAnAddress);
        };
        let loopback = match host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        if !loopback {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            return Err(BaseUrlError::Elsewhere(format!("{}://{host}{port}", url.scheme())));
        }
        let user = !url.username().is_empty() || url.password().is_some();
        if user || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::NotBare);
        }
        Ok(Self(url))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// A version of Graph: `v26.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GraphVersion {
    major: u16,
    minor: u16,
}

impl GraphVersion {
    /// The version for calls that name no other. Meta serves it until at least 2028.
    pub const DEFAULT: Self = Self::of(26);

    /// `v26.0` of 26.
    pub(super) const fn of(major: u16) -> Self {
        Self { major, minor: 0 }
    }
}

/// Why a version was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a Graph version: it looks like v26.0")]
pub struct VersionError(String);

impl FromStr for GraphVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let parse = || {
            let (major, minor) = text.trim().strip_prefix('v')?.split_once('.')?;
            let number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?;
            Some(Self { major: number(major)?, minor: number(minor)? })
        };
        parse().ok_or_else(|| VersionError(text.into()))
    }
}

impl fmt::Display for GraphVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_graph_and_this_machine_can_be_built() {
        for good in [
            "https://graph.facebook.com",
            "https://graph.facebook.com/",
            "http://127.0.0.1:8080",
            "http://127.8.9.1:8080/",
            "http://localhost:1",
            "https://localhost:1",
            "http://[::1]:8080",
        ] {
            assert!(good.parse::<BaseUrl>().is_ok(), "{good}");
        }
        for bad in [
            "http://graph.facebook.com",
            "https://graph.facebook.com:8443",
            "https://graph.facebook.com.example.com",
            "https://example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://user:pw@127.0.0.1",
            "https://user@graph.facebook.com",
            "http://127.0.0.1/path",
            "http://127.0.0.1/?x=1",
            "ftp://127.0.0.1",
            "file:///etc/passwd",
            "127.0.0.1:80",
            "http://0.0.0.0:80",
            "",
        ] {
            assert!(bad.parse::<BaseUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_refusal_repeats_no_password() {
        let error = "http://me:hush@example.com".parse::<BaseUrl>().expect_err("refused");
        assert!(!error.to_string().contains("hush"), "{error}");
        assert!(error.to_string().contains("example.com"));
        // The port may be the only thing wrong with it.
        let error = "https://graph.facebook.com:444".parse::<BaseUrl>().expect_err("refused");
        assert!(error.to_string().starts_with("https://graph.facebook.com:444 is neither"), "{error}");
    }

    #[test]
    fn versions_are_read_and_written() {
        assert_eq!("v26.0".parse::<GraphVersion>().map(|v| v.to_string()), Ok("v26.0".into()));
        assert!("v9.0".parse::<GraphVersion>().expect("a version") < GraphVersion::DEFAULT);
        for bad in ["26.0", "v26", "v26.x", "v-1.0", "v+1.0", "", "v.", "latest"] {
            assert!(bad.parse::<GraphVersion>().is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_are_joined() {
        let live = BaseUrl::live();
        assert_eq!(live.join(Some(GraphVersion::DEFAULT), "/me").as_str(), "https://graph.facebook.com/v26.0/me");
        assert_eq!(live.join(None, "/me").as_str(), "https://graph.facebook.com/me");
        assert!(!live.is_loopback());
        assert_eq!(live.dialog(GraphVersion::DEFAULT).as_str(), "https://www.facebook.com/v26.0/dialog/oauth");
        let here: BaseUrl = "http://127.0.0.1:8080".parse().expect("a base");
        assert_eq!(here.dialog(GraphVersion::DEFAULT).as_str(), "http://127.0.0.1:8080/v26.0/dialog/oauth");
        assert!("http://localhost:1".parse::<BaseUrl>().expect("a base").is_loopback());
    }
}
