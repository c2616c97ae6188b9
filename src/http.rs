//! The one HTTP client.
//!
//! It follows no redirects, so that a token goes only where it was sent. Its errors leave out
//! the address: an address can hold a token in its query, and reqwest prints it whole.

mod proxy;
#[cfg(feature = "postgres")]
mod tls_config;

use std::error::Error as _;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use self::header::{HeaderMap, HeaderName, HeaderValue};
use proxy::Proxies;
pub use proxy::Way;
pub(crate) use proxy::is_proxy;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, redirect, tls};
pub use reqwest::{Method, Url, header};
#[cfg(feature = "postgres")]
pub(crate) use tls_config::{fault_in, tls_config};

/// How to reach the server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// For a whole request.
    pub timeout: Duration,
    /// Certificates to trust beside the system's, as PEM text, and the file they come from.
    pub ca_bundle: Option<(PathBuf, Vec<u8>)>,
    /// The server is on this machine: no proxy and no certificates are needed.
    pub loopback: bool,
}

/// A request that is ready to be sent.
pub struct Request {
    /// GET, POST, …
    pub method: Method,
    /// The address; its query may hold a secret.
    pub url: Url,
    /// The value of `Authorization`, marked as sensitive so that no log shows it.
    pub authorization: Option<HeaderValue>,
    /// Further headers; a `User-Agent` among them replaces this client's own.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What is sent.
    pub body: Body,
}

/// The body of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// None.
    Empty,
    /// `application/x-www-form-urlencoded` pairs.
    Form(Vec<(String, String)>),
    /// These bytes, of the type that the headers name.
    Raw(Vec<u8>),
}

impl Request {
    /// A GET of `url` without headers or body.
    pub fn get(url: Url) -> Self {
        Self { method: Method::GET, url, authorization: None, headers: Vec::new(), body: Body::Empty }
    }
}

/// A whole answer.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed, at most 8 MiB unless a request allows more.
    pub body: Vec<u8>,
}

/// Why there is no answer. No variant says anything about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The name does not resolve.
    #[error("its name could not be resolved")]
    Dns,
    /// Nothing listens there.
    #[error("the connection was refused")]
    Refused,
    /// No connection within the time limit.
    #[error("no connection was made in time")]
    ConnectTimeout,
    /// A connection, but no answer within the time limit.
    #[error("no answer came in time")]
    Timeout,
    /// The certificate is not accepted.
    #[error("{0}")]
    Certificate(CertificateProblem),
    /// TLS failed for another reason.
    #[error("no secure connection could be made")]
    Tls,
    /// The server demands a client certificate.
    #[error("it demands a client certificate")]
    ClientCertificate,
    /// The proxy wants a user and a password (407).
    #[error("the proxy wants a user and a password")]
    ProxyAuth,
    /// The proxy opens no tunnel to this address.
    #[error("the proxy opens no connection to it (HTTP {status})")]
    ProxyRefused {
        /// Usually 403.
        status: u16,
    },
    /// The connection ended in the middle.
    #[error("the connection broke off")]
    Broken,
    /// No route, no network.
    #[error("no connection could be made")]
    Connect,
    /// More than this client reads.
    #[error("the answer was larger than 8 MiB")]
    TooLarge,
}

/// Why a certificate is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// It has expired.
    #[error("its certificate has expired")]
    Expired,
    /// It is not valid yet, or this machine's clock is behind.
    #[error("its certificate is not valid yet")]
    NotYetValid,
    /// It belongs to another host.
    #[error("its certificate is for another name")]
    WrongName,
    /// No authority that this machine trusts signed the chain as it was sent.
    #[error("its certificate is not trusted")]
    Untrusted,
}

impl Fault {
    /// Whether the server certainly did not receive the request: then even a write may be sent
    /// again.
    pub fn never_arrived(self) -> bool {
        !matches!(self, Self::Timeout | Self::Broken | Self::TooLarge)
    }
}

/// Why the client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The file contains no certificate.
    #[error("{} holds no certificate in PEM form", path.display())]
    CaBundle {
        /// The file.
        path: PathBuf,
    },
    /// This machine has no certificates, or a proxy variable does not hold an address.
    #[error("the HTTPS client could not be set up: {cause}")]
    Client {
        /// The library's error.
        cause: String,
    },
}

const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// A client. Building one reads the system's certificates (6 to 15 ms), so it is
/// built once and only when something is to be sent.
pub struct Client {
    inner: reqwest::Client,
    proxies: Proxies,
    /// How long a proxy that failed may take to explain.
    patience: Duration,
}

impl Client {
    /// Builds a client.
    pub fn new(settings: &Settings) -> Result<Self, SetupError> {
        // Idempotent; a second call finds the provider installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("msgrctl/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .min_tls_version(tls::Version::TLS_1_2)
            .timeout(settings.timeout)
            .connect_timeout(settings.timeout.min(Duration::from_secs(10)))
            .dns_resolver(Arc::new(Resolver));
        let mut own = Vec::new();
        if let Some((path, pem)) = &settings.ca_bundle {
            own = Certificate::from_pem_bundle(pem).unwrap_or_default();
            if own.is_empty() {
                return Err(SetupError::CaBundle { path: path.clone() });
            }
        }
        builder = if settings.loopback {
            // A proxy variable must not apply to requests that stay on this machine.
            builder.no_proxy().tls_certs_only(own)
        } else {
            builder.tls_certs_merge(own)
        };
        let client = builder.build().map_err(|error| SetupError::Client { cause: words(&error.without_url()) })?;
        let patience = settings.timeout.min(Duration::from_secs(3));
        Ok(Self { inner: client, proxies: Proxies::new(settings.loopback), patience })
    }

    /// How an address is reached.
    pub fn way(&self, url: &Url) -> Way {
        self.proxies.way(url)
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: Request) -> Result<Response, Fault> {
        self.send_up_to(request, BODY_LIMIT).await
    }

    /// The same for an answer whose body has at most so many bytes.
    pub async fn send_up_to(&self, request: Request, limit: usize) -> Result<Response, Fault> {
        let url = request.url.clone();
        match self.send_once(request, limit).await {
            // A proxy that opens no tunnel explains only when it is asked again.
            Err(fault @ Fault::Connect) => Err(self.proxies.refusal(&url, self.patience).await.unwrap_or(fault)),
            sent => sent,
        }
    }

    async fn send_once(&self, request: Request, limit: usize) -> Result<Response, Fault> {
        let mut builder = self.inner.request(request.method, request.url);
        if let Some(mut authorization) = request.authorization {
            authorization.set_sensitive(true);
            builder = builder.header(header::AUTHORIZATION, authorization);
        }
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        builder = match request.body {
            Body::Empty => builder,
            Body::Form(pairs) => builder.form(&pairs),
            Body::Raw(bytes) => builder.body(bytes),
        };
        let mut response = builder.send().await.map_err(|error| fault(&error))?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| fault(&error))? {
            if body.len() + chunk.len() > limit {
                return Err(Fault::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status: response.status().as_u16(), headers: response.headers().clone(), body })
    }
}

/// What failed, read from the types in the chain of causes, not from their texts.
fn fault(error: &reqwest::Error) -> Fault {
    let known = error.source().and_then(known_fault);
    // A TLS failure after connecting is a broken connection: a request may have been sent.
    let known = known.filter(|fault| error.is_connect() || !matches!(fault, Fault::Tls | Fault::Certificate(_)));
    known.unwrap_or(match () {
        () if error.is_timeout() && error.is_connect() => Fault::ConnectTimeout,
        () if error.is_timeout() => Fault::Timeout,
        () if error.is_connect() => Fault::Connect,
        () => Fault::Broken,
    })
}

fn known_fault(error: &(dyn std::error::Error + 'static)) -> Option<Fault> {
    if error.is::<DnsError>() {
        return Some(Fault::Dns);
    }
    if let Some(found) = error.downcast_ref::<rustls::Error>() {
        return Some(tls_fault(found));
    }
    if let Some(found) = error.downcast_ref::<io::Error>() {
        // `source` of an io::Error skips the error that it wraps.
        if let Some(fault) = found.get_ref().and_then(|wrapped| known_fault(wrapped)) {
            return Some(fault);
        }
        if found.kind() == io::ErrorKind::ConnectionRefused {
            return Some(Fault::Refused);
        }
    }
    error.source().and_then(known_fault)
}

fn tls_fault(error: &rustls::Error) -> Fault {
    match error {
        rustls::Error::InvalidCertificate(error) => Fault::Certificate(certificate_problem(error)),
        rustls::Error::NoCertificatesPresented => Fault::Certificate(CertificateProblem::Untrusted),
        rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired) => Fault::ClientCertificate,
        _ => Fault::Tls,
    }
}

fn certificate_problem(error: &rustls::CertificateError) -> CertificateProblem {
    use rustls::CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
    };
    match error {
        Expired | ExpiredContext { .. } => CertificateProblem::Expired,
        NotValidYet | NotValidYetContext { .. } => CertificateProblem::NotYetValid,
        NotValidForName | NotValidForNameContext { .. } => CertificateProblem::WrongName,
        _ => CertificateProblem::Untrusted,
    }
}

/// An error with its causes, in one line.
pub fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// The system's resolver, with an error type that can be recognised, and `localhost` pinned to
/// loopback whatever a hosts file says.
struct Resolver;

#[derive(Debug, thiserror::Error)]
#[error("the name could not be resolved")]
struct DnsError;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        Box::pin(async move {
            if name == "localhost" {
                let loopback = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
                return Ok(Box::new(loopback.into_iter()) as Addrs);
            }
            match tokio::net::lookup_host((name.as_str(), 0)).await {
                Ok(found) => Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs),
                Err(_) => Err(DnsError.into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings { timeout: Duration::from_millis(300), ca_bundle: None, loopback: true }
    }

    async fn failure(url: &str) -> Fault {
        let request = Request::get(Url::parse(url).expect("a URL"));
        Client::new(&settings()).expect("a client").send(request).await.expect_err("a fault")
    }

    #[tokio::test]
    async fn faults_are_told_apart() {
        let closed = {
            let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
            gone.local_addr().expect("an address")
        };
        assert_eq!(failure(&format!("http://{closed}/")).await, Fault::Refused);
        assert_eq!(failure(&format!("http://localhost:{}/", closed.port())).await, Fault::Refused);
        assert_eq!(failure("http://does-not-exist.invalid/").await, Fault::Dns);
        // Accepted by the kernel's queue, never answered.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let waiting = listener.local_addr().expect("an address");
        assert_eq!(failure(&format!("http://{waiting}/")).await, Fault::Timeout);
        drop(listener);
    }

    #[tokio::test]
    async fn a_connection_that_ends_early_is_broken() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(stream);
            }
        });
        assert_eq!(failure(&format!("http://{address}/")).await, Fault::Broken);
    }

    #[tokio::test]
    async fn what_is_not_tls_is_a_tls_fault() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            use tokio::io::AsyncWriteExt as _;
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            }
        });
        let found = failure(&format!("https://{address}/")).await;
        assert!(matches!(found, Fault::Tls | Fault::Certificate(_)), "{found:?}");
    }

    #[tokio::test]
    async fn tls_that_breaks_after_the_request_may_have_carried_it() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).expect("a key");
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .expect("a server");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let url = format!("https://localhost:{}/", listener.local_addr().expect("an address").port());
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("a connection");
            let mut inside =
                tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(stream).await.expect("a handshake");
            let mut head = [0; 16];
            let _ = inside.read(&mut head).await;
            // An invalid TLS record, after the request was read.
            let _ = inside.get_mut().0.write_all(&[23, 3, 3, 0, 4, 1, 2, 3, 4]).await;
        });
        let bundle = Some((PathBuf::from("ca.pem"), certified.cert.pem().into_bytes()));
        let client = Client::new(&Settings { ca_bundle: bundle, timeout: Duration::from_secs(5), ..settings() });
        let fault = client.expect("a client").send(Request::get(Url::parse(&url).expect("a URL"))).await;
        let fault = fault.expect_err("a fault");
        assert!(!fault.never_arrived(), "{fault:?}");
    }

    #[test]
    fn a_bundle_without_certificates_is_named() {
        let bundle = Some((PathBuf::from("ca.pem"), b"nothing".to_vec()));
        let error = Client::new(&Settings { ca_bundle: bundle, ..settings() }).err().expect("refused");
        assert!(error.to_string().contains("ca.pem"));
    }
}
