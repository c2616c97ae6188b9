//! Why Vault did not do what it was asked. Statuses and the shape of a reply decide; where two
//! failures differ only in their text, that text is read here and nowhere else.

use std::fmt;

use serde_json::Value;

use crate::http::Fault;
use crate::secrets::redact;
use crate::text::excerpt;

/// A failure of Vault, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultError {
    /// What failed.
    pub trouble: Trouble,
    /// The server's address; empty where none is set.
    pub address: String,
    /// What is known besides: a path, or what the server said.
    pub detail: String,
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A setting is missing or not valid.
    Settings,
    /// Nothing answers.
    Unreachable,
    /// It did not answer within the time limit.
    Slow,
    /// TLS failed, or its certificate is not trusted.
    Tls,
    /// It is sealed, or not initialised.
    Sealed,
    /// There is no token to show it.
    NoToken,
    /// The token has expired, was revoked, or never was one.
    TokenExpired,
    /// The login by AppRole or JWT was refused.
    LoginRefused,
    /// The token's policy does not allow it.
    Denied,
    /// No engine is mounted there.
    MountMissing,
    /// What is mounted there is not a KV engine of version 2.
    WrongEngine,
    /// There is no such namespace.
    NamespaceMissing,
    /// Others changed the entry at every attempt.
    Conflict,
    /// Any other reply.
    Unexpected,
}

impl Trouble {
    /// Whether it concerns the server or the token and not one entry: the next call fails too.
    pub fn is_lasting(self) -> bool {
        !matches!(self, Self::Denied | Self::Conflict | Self::Unexpected)
    }
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trouble, address, detail } = self;
        match trouble {
            Trouble::Settings => f.write_str(detail),
            Trouble::Unreachable => write!(f, "Vault at {address} cannot be reached: {detail}"),
            Trouble::Slow => write!(f, "Vault at {address} did not answer in time: {detail}"),
            Trouble::Tls => write!(f, "cannot connect securely to Vault at {address}: {detail}"),
            Trouble::Sealed => write!(f, "Vault at {address} {detail}"),
            Trouble::NoToken => write!(f, "the token for Vault at {address} is missing"),
            Trouble::TokenExpired => {
                write!(f, "the token for Vault at {address} has expired, was revoked, or is not valid")
            }
            Trouble::LoginRefused => write!(f, "Vault at {address} refused the login: {detail}"),
            Trouble::Denied => write!(f, "the token for Vault at {address} may not {detail}"),
            Trouble::MountMissing => write!(f, "Vault at {address} has no mount '{detail}'"),
            Trouble::WrongEngine => {
                write!(f, "the mount {detail} of Vault at {address} is not a KV engine of version 2")
            }
            Trouble::NamespaceMissing => write!(f, "Vault at {address} has no namespace '{detail}'"),
            Trouble::Conflict => write!(f, "others changed {detail} in Vault at {address} at every attempt"),
            Trouble::Unexpected => write!(f, "Vault at {address} gave an unexpected answer: {detail}"),
        }
    }
}

impl std::error::Error for VaultError {}

/// What a request without an answer means.
pub(super) fn of_fault(fault: Fault) -> (Trouble, String) {
    let trouble = match fault {
        Fault::Timeout | Fault::ConnectTimeout => Trouble::Slow,
        Fault::Certificate(_) | Fault::Tls | Fault::ClientCertificate => Trouble::Tls,
        _ => Trouble::Unreachable,
    };
    (trouble, fault.to_string())
}

/// The server's own words, in one line, without secrets.
pub(super) fn said(status: u16, body: &Value) -> String {
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let texts: Vec<&str> = errors.iter().filter_map(Value::as_str).collect();
    let text = redact(&excerpt(&texts.join("; "), 300));
    if text.is_empty() { format!("HTTP {status}") } else { format!("{text} (HTTP {status})") }
}

/// Whether a 404 with errors is about the namespace; otherwise it is about the mount.
pub(super) fn is_about_namespace(body: &Value) -> bool {
    mentions(body, "namespace not found")
}

/// Whether the refusal of a token's look at itself is about its policy: a token that is not
/// valid gets the bare "permission denied", or "invalid token" with it.
pub(super) fn is_about_policy(body: &Value) -> bool {
    mentions(body, "1 error occurred") && !mentions(body, "invalid token")
}

fn mentions(body: &Value, text: &str) -> bool {
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().filter_map(Value::as_str).any(|error| error.contains(text))
}
