//! TLS for what is not HTTP, with the same trust and the same words for what goes wrong.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_platform_verifier::Verifier;

use super::{Fault, SetupError, known_fault, words};

/// TLS that trusts the system's certificates, and those of these files (PEM).
pub(crate) fn tls_config(files: &[(PathBuf, Vec<u8>)]) -> Result<ClientConfig, SetupError> {
    let mut trusted = Vec::new();
    for (path, pem) in files {
        let before = trusted.len();
        trusted.extend(CertificateDer::pem_slice_iter(pem).filter_map(Result::ok));
        if trusted.len() == before {
            return Err(SetupError::CaBundle { path: path.clone() });
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let failed = |error: rustls::Error| SetupError::Client { cause: words(&error) };
    let verifier = Verifier::new_with_extra_roots(trusted, provider.clone()).map_err(failed)?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(failed)?.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// What failed, as far as the causes of an error tell.
pub(crate) fn fault_in(error: &(dyn std::error::Error + 'static)) -> Option<Fault> {
    known_fault(error)
}
