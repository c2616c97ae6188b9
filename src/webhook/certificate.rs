//! Finds out why a server's certificate is not trusted.
//!
//! TLS libraries say "unknown issuer" for a self-signed certificate, for one of a private
//! authority, and for a server that does not send the rest of its chain. Each needs a different
//! fix. So after such a failure the server is contacted once more to record its chain, and the
//! connection ends: nothing is sent on it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use super::problem::Problem;
use super::x509::Certificate;
use crate::text::excerpt;

/// What a server presents.
#[derive(Debug, Default)]
pub struct Shown {
    /// What is wrong with its chain, if it could be read.
    pub problem: Option<Problem>,
    /// Whether it asks its clients for a certificate.
    pub wants_client_certificate: bool,
}

/// Inspects the server of `url`.
pub async fn look(url: &Url, time: Duration) -> Shown {
    let taken = Arc::new(Taken::default());
    shake(url, time, &taken).await;
    let chain = std::mem::take(&mut *taken.chain.lock().unwrap_or_else(PoisonError::into_inner));
    Shown { problem: judge(&chain), wants_client_certificate: taken.asked.load(Ordering::Relaxed) }
}

/// A TLS handshake that always fails: the verifier records the chain and refuses.
async fn shake(url: &Url, time: Duration, taken: &Arc<Taken>) -> Option<()> {
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default()?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(taken.clone())
        .with_no_client_auth();
    config.client_auth_cert_resolver = taken.clone();
    let name = ServerName::try_from(host.clone()).ok()?;
    let shake = async {
        let stream = TcpStream::connect((host.as_str(), port)).await.ok()?;
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.err()
    };
    tokio::time::timeout(time, shake).await.ok()?.map(drop)
}

fn judge(chain: &[Vec<u8>]) -> Option<Problem> {
    let last = Certificate::read(chain.last()?)?;
    // A certificate may contain any text.
    let issuer = excerpt(&last.issuer, 200);
    Some(match chain.len() {
        1 if last.is_self_issued => Problem::CertificateSelfSigned,
        // A public authority's certificate says where its issuer's is found: then that one was
        // not sent. Otherwise a private root signed it, and nothing is missing.
        1 if last.names_its_issuer => Problem::ChainIncomplete { issuer },
        _ => Problem::AuthorityUnknown { issuer },
    })
}

/// A verifier that trusts no server and has no client certificate; it records what it was shown
/// and asked for.
#[derive(Debug, Default)]
struct Taken {
    chain: Mutex<Vec<Vec<u8>>>,
    asked: AtomicBool,
}

impl ResolvesClientCert for Taken {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

const REFUSED: rustls::Error = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);

impl ServerCertVerifier for Taken {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let all = std::iter::once(end_entity).chain(intermediates).map(|der| der.as_ref().to_vec());
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = all.collect();
        Err(REFUSED)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(REFUSED)
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(REFUSED)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
