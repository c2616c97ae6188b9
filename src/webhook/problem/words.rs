//! What happened to a callback, and what is done about it, in words.

use super::Problem;

impl Problem {
    /// What happened, in a sentence without a full stop.
    pub fn summary(&self) -> String {
        match self {
            Self::NotHttps => "the callback URL is http://, and Meta takes only https://; it was not asked".into(),
            Self::Dns { host } => format!("the name {host} is not known: no address was found for it"),
            Self::Refused => "the connection was refused: nothing listens at that address and port".into(),
            Self::Timeout => "no answer within 5 seconds; Meta gives up about then".into(),
            Self::NoRoute => "no connection could be made to that address".into(),
            Self::BrokenOff => "the connection ended without an answer".into(),
            Self::Tls => "no secure connection: what listens there does not speak TLS 1.2 or 1.3".into(),
            Self::CertificateSelfSigned => "the certificate is self-signed: Meta does not take it".into(),
            Self::CertificateExpired => "the certificate has expired".into(),
            Self::CertificateNotYetValid => "the certificate is not valid yet".into(),
            Self::CertificateOfAnotherHost { host } => format!("the certificate is for other names than {host}"),
            Self::ChainIncomplete { issuer } => {
                format!(
                    "the server sends its own certificate alone, without the one of its issuer ({issuer}): the chain is incomplete"
                )
            }
            Self::AuthorityUnknown { issuer } => {
                format!("the certificate is signed by an authority that is not publicly trusted ({issuer})")
            }
            Self::Redirect { status, to } => {
                format!("the callback redirects (HTTP {status} to {to}); Meta does not follow")
            }
            Self::ClientCertificateWanted => {
                "the server demands a client certificate (mutual TLS), and a handshake from here cannot present one"
                    .into()
            }
            Self::ProxyAuth => "the proxy of this machine (HTTPS_PROXY) wants a user and a password (HTTP 407)".into(),
            Self::ProxyRefused { status } => {
                format!("the proxy of this machine (HTTPS_PROXY) opens no connection there (HTTP {status})")
            }
            Self::TunnelPage { status } => {
                format!(
                    "the tunnel service answers (HTTP {status}), not the receiver: the tunnel is closed or shows a page of its own"
                )
            }
            Self::WorkflowInactive { status } => {
                format!("the automation service answers (HTTP {status}) that the workflow is not active")
            }
            Self::SignatureWanted { status } => {
                format!("the receiver wants a signature on the handshake (HTTP {status}), and Meta signs only events")
            }
            Self::GatewayKeyWanted { status } => {
                format!("a gateway or a cloud function wants a key (HTTP {status}) before the receiver is reached")
            }
            Self::Unauthorized => "the callback refuses the request (HTTP 401) and does not say what it wants".into(),
            Self::LoginNeeded => "the callback asks for a login (HTTP 401)".into(),
            Self::Forbidden => {
                "a page answers in the receiver's place and forbids it (HTTP 403): a firewall or a login".into()
            }
            Self::TokenRefused { status } => {
                format!("the receiver refuses the request with the account's own verify token (HTTP {status})")
            }
            Self::NotFound => "there is nothing at that path (HTTP 404)".into(),
            Self::MethodNotAllowed => "the path takes no GET (HTTP 405), and the handshake is one".into(),
            Self::ServerError { status } => {
                format!("the receiver, or what stands before it, fails (HTTP {status})")
            }
            Self::OtherStatus { status } => format!("the callback answers HTTP {status}; only 200 counts"),
            Self::Html => "a web page answers (HTTP 200, HTML), not the receiver".into(),
            Self::QuotedChallenge => "the challenge comes back in quotes: it is sent as JSON".into(),
            Self::PaddedChallenge => "the challenge comes back with white space or a byte-order mark around it".into(),
            Self::WrappedChallenge { start } => format!("the challenge comes back inside something else: {start}"),
            Self::EmptyBody => "the answer is empty: the challenge is not repeated".into(),
            Self::OtherBody { start } => format!("the answer is not the challenge, but: {start}"),
            Self::Underscores => {
                "the receiver looks for hub_challenge, where Meta sends hub.challenge: with a dot".into()
            }
            Self::AnyToken => {
                "the receiver repeats the challenge for a made-up verify token too: it does not compare it".into()
            }
            Self::Slow(duration) => {
                format!("the receiver took {:.1} s to answer; Meta gives up after about 5", duration.as_secs_f64())
            }
            Self::PrivateAddress { host } => {
                format!("it answers from here, but {host} is an address of a private network: Meta cannot reach it")
            }
        }
    }

    /// What to do, in a sentence without a full stop.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::NotHttps => "serve it over HTTPS, and name that address in the callback URL",
            Self::Dns { .. } => {
                "check the host name in the callback URL; if it is new, wait until its DNS record is known everywhere"
            }
            Self::Refused => "start the receiver, and check host, port and the firewall in front of it",
            Self::Timeout => {
                "check that a firewall does not drop the packets, and that the receiver answers before it works"
            }
            Self::NoRoute => "check the network between here and the receiver, and its address",
            Self::BrokenOff => {
                "look into the log of the receiver, or of the proxy before it: it hung up on the request"
            }
            Self::Tls => {
                "serve HTTPS on that port; if TLS ends at a proxy, the callback URL is the proxy's, with its port"
            }
            Self::CertificateSelfSigned => "use a certificate of a public authority, Let's Encrypt for example",
            Self::CertificateExpired => "renew the certificate, and have the server load the new one",
            Self::CertificateNotYetValid => "check the clock of the server that made it, and of this machine",
            Self::CertificateOfAnotherHost { .. } => {
                "use a certificate with this name in it, or the name of the certificate in the callback URL"
            }
            Self::ChainIncomplete { .. } => {
                "have the server send the whole chain (fullchain.pem, not cert.pem); browsers fetch what is missing, Meta does not"
            }
            Self::AuthorityUnknown { .. } => {
                "use a certificate of a public authority; if a proxy inspects TLS on this machine's way out, have its certificate trusted here (--ca-bundle)"
            }
            Self::Redirect { .. } => "put the address it redirects to into the callback URL, or end the redirect",
            Self::ClientCertificateWanted => {
                "have it trust Meta's own CA (meta-outbound-api-ca-2025-12.pem, since 31 March 2026; the older one ended on 15 April 2026) with verify depth 3, or exempt this path; from here no handshake can pass"
            }
            Self::ProxyAuth => "put them into the proxy's address: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT",
            Self::ProxyRefused { .. } => "have the proxy allow this host, or exempt it with NO_PROXY=HOST",
            Self::TunnelPage { .. } => {
                "start the tunnel again, and put its present address into the callback URL; free tunnels get a new one each time"
            }
            Self::WorkflowInactive { .. } => {
                "activate the workflow, and use its production URL: test URLs answer only while the editor listens"
            }
            Self::SignatureWanted { .. } => {
                "have the receiver check signatures on POST only: the handshake is a GET without one"
            }
            Self::GatewayKeyWanted { .. } => {
                "put the key into the callback URL (a function key is ?code=KEY), or let this path through without one: Meta sends no header of yours"
            }
            Self::Unauthorized => {
                "look into the receiver's log: a login, a key or a signature may be wanted, or it has another verify token"
            }
            Self::LoginNeeded => "let this path be reached without a login: Meta has none",
            Self::Forbidden => "let Meta's requests to this path through the firewall or the login page",
            Self::TokenRefused { .. } => {
                "the usual reason is another verify token: put the same into both; where it is the same already, look for a firewall or a gateway before the receiver"
            }
            Self::NotFound => "check the path of the callback URL, to the last slash",
            Self::MethodNotAllowed => "have the receiver answer GET at this path, beside POST for events",
            Self::ServerError { .. } => "look into the receiver's log for this moment",
            Self::OtherStatus { .. } => {
                "have the receiver answer 200 with the bare challenge; 400 is often its word for a wrong verify token"
            }
            Self::Html => {
                "check the path; a login page, a start page or a single-page application may answer every path"
            }
            Self::QuotedChallenge => {
                "have the receiver send the bare text of hub.challenge, not a value serialised as JSON"
            }
            Self::PaddedChallenge => "have the receiver send the challenge alone, without a line end",
            Self::WrappedChallenge { .. } => "have the receiver send the value of hub.challenge and nothing else",
            Self::EmptyBody => "have the receiver send the value of hub.challenge as its answer",
            Self::OtherBody { .. } => {
                "if these are the receiver's words for a wrong verify token, put the same token into both; if not, check the path"
            }
            Self::Underscores => {
                "read the parameters from the query itself; PHP, for one, turns hub.challenge into hub_challenge by itself, others do not"
            }
            Self::AnyToken => {
                "have the receiver compare hub.verify_token before it answers, else anybody can point an app of theirs at it"
            }
            Self::Slow(_) => "have the receiver answer before it works; under load it would be too late",
            Self::PrivateAddress { .. } => {
                "give Meta an address on the internet: a reverse proxy or a tunnel; where the name leads elsewhere from the internet, nothing is to be done"
            }
        }
    }
}
