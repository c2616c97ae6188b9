//! Receivers that are broken on purpose, a closure each; over TLS where it is asked for.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, IsCa, KeyPair};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::TLS12;
use tokio_rustls::rustls::{ALL_VERSIONS, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// The right verify token of every test.
pub const TOKEN: &str = "verify0123456789";

/// A handshake as a receiver sees it.
pub struct Asked {
    /// Of `hub.challenge`.
    pub challenge: String,
    /// Whether `hub.verify_token` is the right one.
    pub right: bool,
    /// The query as it came.
    pub query: String,
    /// The head as it came.
    pub head: String,
}

/// A whole answer.
pub fn answer(status: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    format!("{text}\r\n{body}").into_bytes()
}

/// Starts a receiver, and returns its address.
pub fn start(answer: impl Fn(&Asked) -> Vec<u8> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            serve(stream, &answer);
        }
    });
    url
}

fn serve(mut stream: impl Read + Write, answer: &impl Fn(&Asked) -> Vec<u8>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let target = head.split(' ').nth(1).unwrap();
    let query = target.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
    let url = url::Url::parse(&format!("http://x/?{query}")).unwrap();
    let value = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let asked = Asked {
        challenge: value("hub.challenge").unwrap_or_default(),
        right: value("hub.verify_token").as_deref() == Some(TOKEN),
        query,
        head: head.clone(),
    };
    let _ = stream.write_all(&answer(&asked));
    let _ = stream.flush();
}

/// How a receiver's certificate is wrong.
#[derive(Clone, Copy)]
pub enum Wrong {
    SelfSigned,
    Expired,
    NotYet,
    OtherName,
    /// Signed by an authority between, which is not sent.
    Incomplete,
    /// Of an authority that nobody knows, whole.
    Foreign,
    /// Signed by such a root itself.
    Private,
    /// Nothing: of an authority that the test trusts.
    Nothing,
    /// Nothing, and the client has to show one too; with TLS 1.2 alone, or newer.
    WantsClients {
        old: bool,
    },
}

/// A receiver over TLS that answers as it should, and the PEM text of the authority
/// that it rests on.
pub fn start_tls(wrong: Wrong) -> (String, String) {
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.distinguished_name.push(rcgen::DnType::CommonName, "Test Root");
    let root = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
    let mut between = CertificateParams::default();
    between.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    between.distinguished_name.push(rcgen::DnType::CommonName, "Test Intermediate");
    let between = CertifiedIssuer::signed_by(between, KeyPair::generate().unwrap(), &root).unwrap();
    let name = if matches!(wrong, Wrong::OtherName) { "other.example.com" } else { "localhost" };
    let mut leaf = CertificateParams::new([name.to_owned()]).unwrap();
    leaf.distinguished_name.push(rcgen::DnType::CommonName, name);
    match wrong {
        Wrong::Expired => leaf.not_after = rcgen::date_time_ymd(2024, 1, 1),
        Wrong::Incomplete => {
            // Where its issuer's is found, as certificates of public authorities say.
            let uri = b"http://ca.example.com/ca.crt";
            let oid = [0x06, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2];
            let length = |inner: usize| u8::try_from(inner).unwrap();
            let mut access = vec![0x30, length(oid.len() + 2 + uri.len())];
            access.extend(oid);
            access.extend([0x86, length(uri.len())]);
            access.extend(uri);
            let mut content = vec![0x30, length(access.len())];
            content.extend(access);
            leaf.custom_extensions.push(CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content));
        }
        Wrong::NotYet => leaf.not_before = rcgen::date_time_ymd(2090, 1, 1),
        _ => {}
    }
    let key = KeyPair::generate().unwrap();
    let own = match wrong {
        Wrong::SelfSigned => leaf.self_signed(&key).unwrap(),
        Wrong::Private => leaf.signed_by(&key, &root).unwrap(),
        _ => leaf.signed_by(&key, &between).unwrap(),
    };
    let mut chain: Vec<CertificateDer<'static>> = vec![own.der().clone()];
    if !matches!(wrong, Wrong::SelfSigned | Wrong::Incomplete | Wrong::Private) {
        chain.push(between.der().clone());
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let versions: &[_] = if matches!(wrong, Wrong::WantsClients { old: true }) { &[&TLS12] } else { ALL_VERSIONS };
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions).unwrap();
    let builder = if matches!(wrong, Wrong::WantsClients { .. }) {
        let mut roots = RootCertStore::empty();
        roots.add(root.der().clone()).unwrap();
        let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
        builder.with_client_cert_verifier(clients)
    } else {
        builder.with_no_client_auth()
    };
    let config = builder.with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der()).unwrap()).unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/hook", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            serve_tls(stream, &config);
        }
    });
    (url, root.pem())
}

fn serve_tls(stream: TcpStream, config: &Arc<ServerConfig>) {
    let connection = ServerConnection::new(config.clone()).unwrap();
    serve(StreamOwned::new(connection, stream), &|asked: &Asked| {
        if asked.right { answer("200 OK", &[], &asked.challenge) } else { answer("403 Forbidden", &[], "no") }
    });
}
