//! The address where the contact centre receives Meta's events.

use serde::{Deserialize, Serialize};
use url::Url;

use super::fields::{FieldError, refuse, refuse_unfit, shown, text_field};
use crate::address::{self, is_loopback, is_private};
use crate::text::harmless;

/// The address where the contact centre receives Meta's events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CallbackUrl(String);
text_field!(CallbackUrl, not shown);

impl CallbackUrl {
    /// Why it may not work, if anything looks wrong: Meta calls only https, from the internet;
    /// http is fine on this machine.
    pub fn doubt(&self) -> Option<String> {
        let url = Url::parse(&self.0).ok()?;
        if url.scheme() != "https" && !is_loopback(&url) {
            return Some(format!("the callback URL {} is not https; Meta calls https addresses only", self.shown()));
        }
        let host = url.host_str().unwrap_or_default();
        is_private(&url)
            .then(|| format!("the callback URL leads into a private network ({host}): Meta cannot reach it"))
    }

    /// For showing: a query may hold the key of a gateway or a function.
    pub fn shown(&self) -> String {
        address::shown(&self.0)
    }

    /// For a command to paste: see [`address::with_placeholders`].
    pub fn with_placeholders(&self) -> String {
        address::with_placeholders(&self.0)
    }

    /// The same, quoted where a shell needs it.
    pub fn to_paste(&self) -> String {
        address::to_paste(&self.0)
    }
}

impl std::str::FromStr for CallbackUrl {
    type Err = FieldError;
    fn from_str(text: &str) -> Result<Self, FieldError> {
        let text = text.trim();
        let Ok(url) = Url::parse(text) else {
            return refuse(format!("{} is not a URL: give it whole, as in https://example.com/webhook", shown(text)));
        };
        refuse_unfit("a callback URL", text)?;
        if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
            return refuse(format!("{} is not a web address: it begins with https://", shown(text)));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse(
                "a callback URL may not carry a user name or password: it is shown and stored in plain text",
            );
        }
        if address::is_masked(&url) {
            return refuse(format!("{} is masked, as it is shown: give it with its own values", shown(text)));
        }
        if url.fragment().is_some() {
            return refuse(format!("{} has a fragment (#…), which is never sent to a server", shown(text)));
        }
        Ok(Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_query_holds_is_not_shown() {
        let url: CallbackUrl = "https://x.azurewebsites.net/api/hook?code=secretkey&clientId=a".parse().expect("a URL");
        assert_eq!(url.shown(), "https://x.azurewebsites.net/api/hook?code=********&clientId=********");
        assert_eq!(url.as_str(), "https://x.azurewebsites.net/api/hook?code=secretkey&clientId=a");
        let plain: CallbackUrl = "HTTP://e.com/x".parse().expect("a URL");
        assert_eq!(plain.shown(), "HTTP://e.com/x");
    }

    #[test]
    fn callback_urls_are_checked_and_doubted() {
        let doubt = |text: &str| text.parse::<CallbackUrl>().expect("a URL").doubt();
        assert!(doubt("https://hooks.example.com/messenger").is_none());
        assert!(doubt("http://hooks.example.com/messenger").is_some());
        assert!(doubt("http://127.0.0.1:8080/hook").is_none());
        assert!(doubt("http://[::1]:8080/hook").is_none());
        assert!(doubt("http://localhost/hook").is_none());
        for inside in ["https://192.168.1.20/messenger", "https://intranet/x", "https://hooks.acme.local/x"] {
            assert!(doubt(inside).is_some_and(|doubt| doubt.contains("private")), "{inside}");
        }
        for bad in ["hooks.example.com", "ftp://example.com", "https://u:p@example.com", "https://e.com/#x", "https://"]
        {
            assert!(bad.parse::<CallbackUrl>().is_err(), "{bad}");
        }
    }
}
