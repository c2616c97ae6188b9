//! A tenant: one customer of the contact centre, with its own host.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::fields::{refuse, refuse_unfit, text_field};
use super::{Account, AppId, CallbackUrl, FieldError};
use crate::channel::Channel;
use crate::document::nearest;
use crate::secrets::StoreName;
use crate::text::{harmless, text_form, words};

/// A tenant's settings. All are optional: the tenant `default` works without any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Its host: `example.brightpattern.com`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<TenantHost>,
    /// The contact centre's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_version: Option<ProductVersion>,
    /// The template of callback URLs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_template: Option<CallbackTemplate>,
    /// The messengers that the service provider has enabled; empty if unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<PlatformMessenger>,
    /// The store for new secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreName>,
    /// The Meta app of its accounts, unless they name another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<AppId>,
}

impl Tenant {
    /// Whether an account of this channel can work here, as far as is known.
    pub fn has_enabled(&self, channel: Channel) -> bool {
        self.types.is_empty() || self.types.iter().any(|enabled| enabled.as_str() == channel.id())
    }

    /// The callback URL that the template gives for an account; `None` without a template.
    pub fn callback_url(&self, account: &Account) -> Option<Result<CallbackUrl, FieldError>> {
        let template = self.callback_template.as_ref()?;
        Some(template.fill(|name| match name {
            "host" => self.host.as_ref().map(ToString::to_string),
            "page_id" => Some(account.page_id.to_string()),
            "page_username" => Some(account.page_username.to_string()),
            "handle" => Some(account.handle.to_string()),
            _ => None,
        }))
    }
}

/// A host name without scheme, path or port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantHost(String);
text_field!(TenantHost);

impl FromStr for TenantHost {
    type Err = FieldError;
    fn from_str(text: &str) -> Result<Self, FieldError> {
        let typed = text.trim();
        refuse_unfit("a host", typed)?;
        let wrong = |why: &str| refuse(format!("'{typed}' is not a host: {why}, as in example.brightpattern.com"));
        if typed.contains("://") {
            return wrong("give it without https://");
        }
        if typed.contains(['/', '?', '#']) {
            return wrong("give it without a path");
        }
        if typed.contains([':', '@']) || typed.chars().any(char::is_whitespace) {
            return wrong("give the bare name");
        }
        match Host::parse(typed) {
            Ok(Host::Domain(name)) if name.contains('.') || name == "localhost" => Ok(Self(name)),
            _ => wrong("it is a name with dots"),
        }
    }
}

/// A version of the contact centre: `5.19`. Messenger accounts need 5.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProductVersion {
    major: u16,
    minor: u16,
    patch: Option<u16>,
}
text_form!(ProductVersion, harmless);

impl fmt::Display for ProductVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        self.patch.map_or(Ok(()), |patch| write!(f, ".{patch}"))
    }
}

impl FromStr for ProductVersion {
    type Err = FieldError;
    fn from_str(text: &str) -> Result<Self, FieldError> {
        let parts: Result<Vec<u16>, _> = text.trim().split('.').map(str::parse::<u16>).collect();
        let version = match parts.as_deref() {
            Ok([major]) => Self { major: *major, minor: 0, patch: None },
            Ok([major, minor]) => Self { major: *major, minor: *minor, patch: None },
            Ok([major, minor, patch]) => Self { major: *major, minor: *minor, patch: Some(*patch) },
            _ => return refuse(format!("'{text}' is not a version of the contact centre: write it as 5.19")),
        };
        if version.major < 5 {
            return refuse(format!(
                "version {version} cannot connect to Facebook Messenger: Bright Pattern Contact Center 5.0 or newer is needed"
            ));
        }
        Ok(version)
    }
}

/// The platform's messengers (accounts/FACTS.md, "Other messengers").
const MESSENGERS: &[&str] =
    &[Channel::Facebook.id(), "line", "telegram", "viber", "wechat", "whatsapp", "twitter", "ms_teams", "sms"];

/// One of the platform's messengers, by its internal id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlatformMessenger(usize);
text_form!(PlatformMessenger, harmless);

impl PlatformMessenger {
    /// Its id.
    pub fn as_str(self) -> &'static str {
        MESSENGERS[self.0]
    }

    /// All ids.
    pub fn all() -> &'static [&'static str] {
        MESSENGERS
    }
}

words!(PlatformMessenger, as_str);

impl FromStr for PlatformMessenger {
    type Err = FieldError;
    fn from_str(text: &str) -> Result<Self, FieldError> {
        match MESSENGERS.iter().position(|known| *known == text) {
            Some(at) => Ok(Self(at)),
            None => refuse(format!("'{text}' is not a messenger of the platform: {}", MESSENGERS.join(", "))),
        }
    }
}

/// A template of callback URLs: `https://{host}/messenger/{page_id}`. The path is not published
/// anywhere, so the administrator sets it once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CallbackTemplate(String);
text_field!(CallbackTemplate);

const PLACEHOLDERS: [&str; 4] = ["host", "page_id", "page_username", "handle"];

impl CallbackTemplate {
    /// Whether it uses the tenant's host.
    pub fn needs_host(&self) -> bool {
        self.0.contains("{host}")
    }

    /// Whether any two accounts of a tenant get different URLs.
    pub fn tells_accounts_apart(&self) -> bool {
        PLACEHOLDERS.iter().skip(1).any(|name| self.0.contains(&format!("{{{name}}}")))
    }

    fn fill(&self, value: impl Fn(&str) -> Option<String>) -> Result<CallbackUrl, FieldError> {
        let mut filled = String::new();
        let mut rest = self.0.as_str();
        while let Some((before, from)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((name, after)) = from.split_once('}') else {
                return refuse(format!("'{}' has a {{ without its }}", self.0));
            };
            let Some(value) = value(name) else {
                return refuse(match (name, nearest(name, PLACEHOLDERS.into_iter())) {
                    ("host", _) => "the template needs the tenant's host, which is not known".to_owned(),
                    (_, Some(near)) => format!("there is no {{{name}}}; did you mean {{{near}}}?"),
                    _ => format!("there is no {{{name}}}: expected {{{}}}", PLACEHOLDERS.join("}, {")),
                });
            };
            filled.push_str(&value);
            rest = after;
        }
        filled.push_str(rest);
        filled.parse()
    }
}

impl FromStr for CallbackTemplate {
    type Err = FieldError;
    fn from_str(text: &str) -> Result<Self, FieldError> {
        refuse_unfit("a callback template", text.trim())?;
        let template = Self(text.trim().into());
        let sample = |name: &str| {
            let sample = match name {
                "host" => "example.com",
                "page_id" => "12345",
                "page_username" | "handle" => "acme",
                _ => return None,
            };
            Some(sample.to_owned())
        };
        let url = template.fill(sample)?;
        match Url::parse(url.as_str()) {
            Ok(url) if url.scheme() == "https" || url.host_str() == Some("127.0.0.1") => Ok(template),
            _ => refuse(format!("'{text}' does not begin with https://, and Meta calls nothing else")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::account::tests::account;

    #[test]
    fn hosts_are_bare_names() {
        let parse = |text: &str| text.parse::<TenantHost>();
        assert_eq!(parse("Example.BrightPattern.com").expect("a host").to_string(), "example.brightpattern.com");
        for wrong in ["https://example.com", "example.com/path", "example.com:443", "a b.c", "example", ""] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn versions_below_5_are_refused_with_the_reason() {
        assert!("5.0".parse::<ProductVersion>().is_ok() && "5.19.2".parse::<ProductVersion>().is_ok());
        let error = "4.9".parse::<ProductVersion>().expect_err("refused");
        assert!(error.to_string().contains("5.0 or newer"));
        assert!("new".parse::<ProductVersion>().is_err());
    }

    #[test]
    fn templates_make_callback_urls() {
        let tenant = Tenant {
            host: Some("acme.example.com".parse().expect("a host")),
            callback_template: Some("https://{host}/fb/{page_id}?u={handle}".parse().expect("a template")),
            ..Tenant::default()
        };
        let url = tenant.callback_url(&account("Acme")).expect("a template").expect("a URL");
        assert_eq!(url.as_str(), "https://acme.example.com/fb/109876543210987?u=acme");
        let parse = |text: &str| text.parse::<CallbackTemplate>().map_err(|error| error.to_string());
        assert!(parse("https://{hots}/").expect_err("refused").contains("{host}"));
        assert!(parse("https://{host/").is_err() && parse("http://{host}/").is_err() && parse("{page_id}").is_err());
        let without = Tenant { host: None, ..tenant };
        assert!(without.callback_url(&account("Acme")).expect("a template").is_err());
    }

    #[test]
    fn a_messenger_that_is_not_enabled_is_known() {
        let mut tenant = Tenant::default();
        assert!(tenant.has_enabled(Channel::Facebook));
        tenant.types = vec!["line".parse().expect("a messenger")];
        assert!(!tenant.has_enabled(Channel::Facebook));
    }
}
