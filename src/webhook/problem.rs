//! What can be wrong with a callback, and how to fix it.

use std::time::Duration;

macro_rules! problems {
    ($($name:ident $({ $($field:ident: $type:ty = $example:expr),+ })? $cause:literal
        $summary:literal $(($value:expr))?
        $fix:literal)+) => {
        /// Why Meta would refuse a callback, or give up on it. `status` is that of the HTTP
        /// answer, `issuer` the signer of a certificate, `start` the beginning of a body; `to`
        /// has no query, and `host` may include the address that it resolves to from here.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Problem {
            $(#[doc = $summary] $name $({ $($field: $type),+ })?),+
        }

        impl Problem {
            /// Its public name, for scripts: `token-refused`.
            pub fn cause(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $cause),+
                }
            }

            /// What happened, in a sentence without a full stop.
            pub fn summary(&self) -> String {
                match self {
                    $(Self::$name $({ $($field),+ })? => format!($summary $(, $value)?)),+
                }
            }

            /// What to do, in a sentence without a full stop.
            pub fn fix(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $fix),+
                }
            }

            /// One of each, with placeholders in capitals for the values.
            pub fn examples() -> Vec<Self> {
                vec![$(Self::$name $({ $($field: $example),+ })?),+]
            }
        }
    };
}

problems! {
    NotHttps "not-https"
        "the callback URL is http://, and Meta takes only https://; it was not asked"
        "serve it over HTTPS, and name that address in the callback URL"
    Dns { host: String = "HOST".into() } "dns"
        "the name {host} is not known: no address was found for it"
        "check the host name in the callback URL; if it is new, wait until its DNS record is known everywhere"
    Refused "refused"
        "the connection was refused: nothing listens at that address and port"
        "start the receiver, and check host, port and the firewall in front of it"
    Timeout "timeout"
        "no answer within 5 seconds; Meta gives up about then"
        "check that a firewall does not drop the packets, and that the receiver answers first and works afterwards"
    NoRoute "no-route"
        "no connection could be made to that address"
        "check the network between here and the receiver, and its address"
    BrokenOff "broken-off"
        "the connection ended without an answer"
        "check the log of the receiver, or of the proxy in front of it: it closed the connection"
    Tls "tls"
        "no secure connection: what listens there does not speak TLS 1.2 or 1.3"
        "serve HTTPS on that port; if TLS ends at a proxy, the callback URL is the proxy's, with its port"
    CertificateSelfSigned "certificate-self-signed"
        "the certificate is self-signed: Meta does not accept it"
        "use a certificate of a public authority, Let's Encrypt for example"
    CertificateExpired "certificate-expired"
        "the certificate has expired"
        "renew the certificate, and have the server load the new one"
    CertificateNotYetValid "certificate-not-yet-valid"
        "the certificate is not valid yet"
        "check the clock of the server that made it, and of this machine"
    CertificateOfAnotherHost { host: String = "HOST".into() } "certificate-of-another-host"
        "the certificate is for other names than {host}"
        "use a certificate with this name in it, or the name of the certificate in the callback URL"
    ChainIncomplete { issuer: String = "AUTHORITY".into() } "chain-incomplete"
        "the server sends only its own certificate, without the one of its issuer ({issuer}): the chain is incomplete"
        "have the server send the whole chain (fullchain.pem, not cert.pem); browsers fetch what is missing, Meta does not"
    AuthorityUnknown { issuer: String = "AUTHORITY".into() } "authority-unknown"
        "the certificate is signed by an authority that is not publicly trusted ({issuer})"
        "use a certificate of a public authority; if a proxy inspects TLS on this machine's way out, have its certificate trusted here (--ca-bundle)"
    Redirect { status: u16 = 302, to: String = "URL".into() } "redirect"
        "the callback redirects (HTTP {status} to {to}); Meta does not follow"
        "put the address it redirects to into the callback URL, or end the redirect"
    ClientCertificateWanted "client-certificate-wanted"
        "the server demands a client certificate (mutual TLS), and a handshake from here cannot present one"
        "have it trust Meta's own CA (meta-outbound-api-ca-2025-12.pem, since 31 March 2026; the older one ended on 15 April 2026) with verify depth 3, or exempt this path; from here no handshake can pass"
    ProxyAuth "proxy-auth"
        "the proxy of this machine (HTTPS_PROXY) wants a user and a password (HTTP 407)"
        "put them into the proxy's address: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT"
    ProxyRefused { status: u16 = 403 } "proxy-refused"
        "the proxy of this machine (HTTPS_PROXY) opens no connection there (HTTP {status})"
        "have the proxy allow this host, or exempt it with NO_PROXY=HOST"
    TunnelPage { status: u16 = 404 } "tunnel-page"
        "the tunnel service answers (HTTP {status}), not the receiver: the tunnel is closed or shows a page of its own"
        "start the tunnel again, and put its current address into the callback URL; free tunnels get a new one each time"
    WorkflowInactive { status: u16 = 404 } "workflow-inactive"
        "the automation service answers that the workflow is not active (HTTP {status})"
        "activate the workflow, and use its production URL: test URLs answer only while the editor listens"
    SignatureWanted { status: u16 = 401 } "signature-wanted"
        "the receiver wants a signature on the handshake (HTTP {status}), and Meta signs only events"
        "have the receiver check signatures on POST only: the handshake is a GET without one"
    GatewayKeyWanted { status: u16 = 401 } "gateway-key-wanted"
        "a gateway or a cloud function wants a key (HTTP {status}) before the receiver is reached"
        "put the key into the callback URL (a function key is ?code=KEY), or let this path through without one: Meta sends no header of yours"
    Unauthorized "unauthorized"
        "the callback refuses the request (HTTP 401) and does not say what it wants"
        "check the receiver's log: a login, a key or a signature may be wanted, or it has another verify token"
    LoginNeeded "login-needed"
        "the callback asks for a login (HTTP 401)"
        "let this path be reached without a login: Meta has none"
    Forbidden "forbidden"
        "a page answers in the receiver's place and forbids it (HTTP 403): a firewall or a login"
        "let Meta's requests to this path through the firewall or the login page"
    TokenRefused { status: u16 = 403 } "token-refused"
        "the receiver refuses the request with the account's own verify token (HTTP {status})"
        "the usual reason is that the receiver has another verify token, that of another account perhaps: put this account's into the receiver (to see it: msgrctl webhook show NAME --reveal); if it is the same already, look for a firewall or a gateway in front of it"
    NotFound "not-found"
        "there is nothing at that path (HTTP 404)"
        "check the path of the callback URL, to the last slash"
    MethodNotAllowed "method-not-allowed"
        "the path does not accept GET (HTTP 405), and the handshake is a GET"
        "have the receiver answer GET at this path, beside POST for events"
    ServerError { status: u16 = 500 } "server-error"
        "the receiver, or a proxy in front of it, fails (HTTP {status})"
        "check the receiver's log for this time"
    OtherStatus { status: u16 = 400 } "other-status"
        "the callback answers HTTP {status}; only 200 counts"
        "have the receiver answer 200 with the bare challenge; 400 often means a wrong verify token"
    Html "html"
        "a web page answers (HTTP 200, HTML), not the receiver"
        "check the path; a login page, a start page or a single-page application may answer every path"
    QuotedChallenge "quoted-challenge"
        "the challenge comes back in quotes: it is sent as JSON"
        "have the receiver send the bare text of hub.challenge, not a value serialised as JSON"
    PaddedChallenge "padded-challenge"
        "the challenge comes back with white space or a byte-order mark around it"
        "have the receiver send only the challenge, without a line end"
    WrappedChallenge { start: String = "TEXT".into() } "wrapped-challenge"
        "the challenge comes back inside something else: {start}"
        "have the receiver send the value of hub.challenge and nothing else"
    EmptyBody "empty-body"
        "the answer is empty: the challenge is not repeated"
        "have the receiver send the value of hub.challenge as its answer"
    OtherBody { start: String = "TEXT".into() } "other-body"
        "the answer is not the challenge, but: {start}"
        "if these are the receiver's words for a wrong verify token, put the same token into both; if not, check the path"
    Underscores "underscores"
        "the receiver looks for hub_challenge, where Meta sends hub.challenge: with a dot"
        "read the parameters from the query itself; PHP turns hub.challenge into hub_challenge by itself, other platforms do not"
    AnyToken "any-token"
        "the receiver repeats the challenge for a made-up verify token too: it does not compare it"
        "have the receiver compare hub.verify_token before it answers; otherwise a stranger can point an app at it"
    Slow { took: Duration = Duration::from_secs(4) } "slow"
        "the receiver took {:.1} s to answer; Meta gives up after about 5" (took.as_secs_f64())
        "have the receiver answer first and work afterwards; under load it would be too late"
    PrivateAddress { host: String = "HOST".into() } "private-address"
        "it answers from here, but {host} is an address of a private network: Meta cannot reach it"
        "give Meta an address on the internet: a reverse proxy or a tunnel; if the name leads elsewhere from the internet, nothing needs to be done"
}

impl Problem {
    /// The same with underscores, as the key `problem` has always had it.
    pub fn id(&self) -> String {
        self.cause().replace('-', "_")
    }

    /// Whether Meta still accepts the callback.
    pub fn is_warning(&self) -> bool {
        matches!(self, Self::Slow { .. } | Self::PrivateAddress { .. })
    }

    /// Whether a machine without a network would see the same.
    pub fn is_of_network(&self) -> bool {
        use Problem::{Dns, NoRoute, ProxyAuth, ProxyRefused, Refused, Timeout};
        matches!(self, Dns { .. } | Refused | Timeout | NoRoute | ProxyAuth | ProxyRefused { .. })
    }

    /// Whether another callback URL may be the fix: the next step is then to set it, not to ask
    /// the same one again.
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

    /// Whether a receiver that expects `hub_challenge` could answer like this.
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
    fn each_has_a_name_of_its_own() {
        let examples = Problem::examples();
        let causes: BTreeSet<&str> = examples.iter().map(Problem::cause).collect();
        assert_eq!(causes.len(), examples.len(), "{causes:?}");
        assert_eq!(Problem::TokenRefused { status: 403 }.id(), "token_refused");
        assert!(Problem::Slow { took: Duration::from_millis(3456) }.summary().contains("took 3.5 s"));
    }
}
