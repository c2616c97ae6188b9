//! What can be wrong with a callback, and what is done about each.

mod words;

use std::time::Duration;

/// Why Meta would not take a callback, or would not for long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// HTTP without TLS, and not on this machine.
    NotHttps,
    /// Its name is not known.
    Dns {
        /// The name.
        host: String,
    },
    /// Nothing listens there.
    Refused,
    /// No answer within the limit.
    Timeout,
    /// No way there.
    NoRoute,
    /// The connection ended without an answer.
    BrokenOff,
    /// What listens there speaks no TLS, or one too old.
    Tls,
    /// Signed with its own key.
    CertificateSelfSigned,
    /// Its time is over.
    CertificateExpired,
    /// Its time has not begun.
    CertificateNotYetValid,
    /// It is for other names.
    CertificateOfAnotherHost {
        /// The name that was asked for.
        host: String,
    },
    /// The certificates between it and an authority were not sent.
    ChainIncomplete {
        /// Who signed it.
        issuer: String,
    },
    /// An authority that nobody knows.
    AuthorityUnknown {
        /// Its name.
        issuer: String,
    },
    /// It sends elsewhere; Meta does not follow.
    Redirect {
        /// 301, 302, 307, 308, …
        status: u16,
        /// Where to, without the query.
        to: String,
    },
    /// The server takes only those who show a client certificate.
    ClientCertificateWanted,
    /// The proxy on the way out wants a user and a password.
    ProxyAuth,
    /// The proxy on the way out opens no connection there.
    ProxyRefused {
        /// Of its answer.
        status: u16,
    },
    /// A tunnel service answers, not what it leads to.
    TunnelPage {
        /// Of its answer.
        status: u16,
    },
    /// An automation service whose workflow is switched off.
    WorkflowInactive {
        /// Of its answer.
        status: u16,
    },
    /// The receiver wants a signature, which events have and the handshake has not.
    SignatureWanted {
        /// Of its answer.
        status: u16,
    },
    /// A gateway or a cloud function wants a key.
    GatewayKeyWanted {
        /// 401 or 403.
        status: u16,
    },
    /// Something refuses (401) and does not say what it wants.
    Unauthorized,
    /// A login is asked for.
    LoginNeeded,
    /// A page that refuses, not the receiver.
    Forbidden,
    /// The receiver itself refuses the right verify token.
    TokenRefused {
        /// 401 or 403.
        status: u16,
    },
    /// Nothing at this path.
    NotFound,
    /// No GET at this path.
    MethodNotAllowed,
    /// The receiver, or what stands before it, fails.
    ServerError {
        /// 5xx.
        status: u16,
    },
    /// Another status than 200.
    OtherStatus {
        /// It.
        status: u16,
    },
    /// A web page.
    Html,
    /// The challenge as a JSON text.
    QuotedChallenge,
    /// The challenge and white space, or a byte-order mark.
    PaddedChallenge,
    /// The challenge inside something else.
    WrappedChallenge {
        /// How the body begins.
        start: String,
    },
    /// Nothing.
    EmptyBody,
    /// Something else.
    OtherBody {
        /// How the body begins.
        start: String,
    },
    /// It looks for `hub_challenge`.
    Underscores,
    /// It repeats the challenge whatever the token.
    AnyToken,
    /// It answers, but late.
    Slow(Duration),
    /// It answers, inside a private network.
    PrivateAddress {
        /// The host, and the address that its name leads to from here.
        host: String,
    },
}

impl Problem {
    /// Its public name as a cause, for scripts: `token-refused`.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::NotHttps => "not-https",
            Self::Dns { .. } => "dns",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::NoRoute => "no-route",
            Self::BrokenOff => "broken-off",
            Self::Tls => "tls",
            Self::CertificateSelfSigned => "certificate-self-signed",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateNotYetValid => "certificate-not-yet-valid",
            Self::CertificateOfAnotherHost { .. } => "certificate-of-another-host",
            Self::ChainIncomplete { .. } => "chain-incomplete",
            Self::AuthorityUnknown { .. } => "authority-unknown",
            Self::Redirect { .. } => "redirect",
            Self::ClientCertificateWanted => "client-certificate-wanted",
            Self::ProxyAuth => "proxy-auth",
            Self::ProxyRefused { .. } => "proxy-refused",
            Self::TunnelPage { .. } => "tunnel-page",
            Self::WorkflowInactive { .. } => "workflow-inactive",
            Self::SignatureWanted { .. } => "signature-wanted",
            Self::GatewayKeyWanted { .. } => "gateway-key-wanted",
            Self::Unauthorized => "unauthorized",
            Self::LoginNeeded => "login-needed",
            Self::Forbidden => "forbidden",
            Self::TokenRefused { .. } => "token-refused",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::ServerError { .. } => "server-error",
            Self::OtherStatus { .. } => "other-status",
            Self::Html => "html",
            Self::QuotedChallenge => "quoted-challenge",
            Self::PaddedChallenge => "padded-challenge",
            Self::WrappedChallenge { .. } => "wrapped-challenge",
            Self::EmptyBody => "empty-body",
            Self::OtherBody { .. } => "other-body",
            Self::Underscores => "underscores",
            Self::AnyToken => "any-token",
            Self::Slow(_) => "slow",
            Self::PrivateAddress { .. } => "private-address",
        }
    }

    /// One of each, with placeholders in capitals for what differs.
    pub fn examples() -> Vec<Self> {
        let (host, issuer, start) = (|| "HOST".to_owned(), || "AUTHORITY".to_owned(), || "TEXT".to_owned());
        vec![
            Self::NotHttps,
            Self::Dns { host: host() },
            Self::Refused,
            Self::Timeout,
            Self::NoRoute,
            Self::BrokenOff,
            Self::Tls,
            Self::CertificateSelfSigned,
            Self::CertificateExpired,
            Self::CertificateNotYetValid,
            Self::CertificateOfAnotherHost { host: host() },
            Self::ChainIncomplete { issuer: issuer() },
            Self::AuthorityUnknown { issuer: issuer() },
            Self::Redirect { status: 302, to: "URL".into() },
            Self::ClientCertificateWanted,
            Self::ProxyAuth,
            Self::ProxyRefused { status: 403 },
            Self::TunnelPage { status: 404 },
            Self::WorkflowInactive { status: 404 },
            Self::SignatureWanted { status: 401 },
            Self::GatewayKeyWanted { status: 401 },
            Self::Unauthorized,
            Self::LoginNeeded,
            Self::Forbidden,
            Self::TokenRefused { status: 403 },
            Self::NotFound,
            Self::MethodNotAllowed,
            Self::ServerError { status: 500 },
            Self::OtherStatus { status: 400 },
            Self::Html,
            Self::QuotedChallenge,
            Self::PaddedChallenge,
            Self::WrappedChallenge { start: start() },
            Self::EmptyBody,
            Self::OtherBody { start: start() },
            Self::Underscores,
            Self::AnyToken,
            Self::Slow(Duration::from_secs(4)),
            Self::PrivateAddress { host: host() },
        ]
    }

    /// The same with underscores, as the key `problem` has had it from the start.
    pub fn id(&self) -> String {
        self.cause().replace('-', "_")
    }

    /// Whether Meta takes the callback all the same.
    pub fn is_warning(&self) -> bool {
        matches!(self, Self::Slow(_) | Self::PrivateAddress { .. })
    }

    /// Whether a machine without a network would see the same.
    pub fn is_of_network(&self) -> bool {
        use Problem::{Dns, NoRoute, ProxyAuth, ProxyRefused, Refused, Timeout};
        matches!(self, Dns { .. } | Refused | Timeout | NoRoute | ProxyAuth | ProxyRefused { .. })
    }

    /// Whether another callback URL is the way out, or may be: then the same is not asked
    /// again.
    pub fn is_of_address(&self) -> bool {
        use Problem::{
            CertificateOfAnotherHost, Dns, GatewayKeyWanted, NotFound, NotHttps, PrivateAddress, Redirect, TunnelPage,
        };
        matches!(
            self,
            NotHttps
                | Dns { .. }
                | CertificateOfAnotherHost { .. }
                | Redirect { .. }
                | GatewayKeyWanted { .. }
                | NotFound
                | TunnelPage { .. }
                | PrivateAddress { .. }
        )
    }

    /// Whether a receiver that looks for `hub_challenge` could look like this.
    pub(super) fn may_be_spelling(&self) -> bool {
        use Problem::{
            EmptyBody, GatewayKeyWanted, NotFound, OtherBody, OtherStatus, ServerError, TokenRefused, Unauthorized,
            WrappedChallenge,
        };
        matches!(
            self,
            TokenRefused { .. }
                | OtherStatus { .. }
                | ServerError { .. }
                | NotFound
                | EmptyBody
                | OtherBody { .. }
                | WrappedChallenge { .. }
                | Unauthorized
                | GatewayKeyWanted { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_is_an_example_of_each() {
        let examples = Problem::examples();
        let causes: BTreeSet<&str> = examples.iter().map(Problem::cause).collect();
        let source = include_str!("problem.rs");
        let named =
            source.split("pub fn cause").nth(1).and_then(|rest| rest.split("    }\n\n").next()).unwrap_or_default();
        assert_eq!(causes.len(), named.matches("=> \"").count(), "{causes:?}");
        assert_eq!(causes.len(), examples.len());
        assert_eq!(Problem::TokenRefused { status: 403 }.id(), "token_refused");
    }
}
