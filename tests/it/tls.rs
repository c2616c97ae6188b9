//! The live Graph over TLS, through a proxy on this machine that inspects it: the
//! sandbox answers in Graph's place, nothing leaves.

use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::support::Home;
use crate::support::world::{PAGE_ID, page_token, sandbox};

/// A proxy that opens what it carries, with a certificate of its own authority.
struct Proxy {
    url: String,
    /// The authority, as PEM.
    authority: String,
    /// What was asked of it: `CONNECT host:port HTTP/1.1`.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(to: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf =
            CertificateParams::new(["graph.facebook.com".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        let config =
            ServerConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
                .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, to) = (asked.clone(), to.strip_prefix("http://").unwrap().to_owned());
        // It ends with the tests.
        std::thread::spawn(move || {
            runtime.block_on(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(carry(stream, acceptor.clone(), to.clone(), seen.clone()));
                }
            });
        });
        Self { url, authority: authority.pem(), asked }
    }
}

async fn carry(mut stream: TcpStream, acceptor: TlsAcceptor, to: String, seen: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    seen.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
    let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
    let Ok(mut inside) = acceptor.accept(stream).await else { return };
    let mut graph = TcpStream::connect(to).await.unwrap();
    let _ = copy_bidirectional(&mut inside, &mut graph).await;
}

#[test]
fn a_live_account_is_tested_through_a_proxy_with_its_certificate() {
    let sandbox = sandbox();
    let proxy = Proxy::start(&sandbox.url());
    let home = Home::new().with_secrets("acme", &page_token(&sandbox)).with("HTTPS_PROXY", &proxy.url);
    home.file("ca.pem", &proxy.authority);
    let add =
        ["account", "add", "Acme", "--page-username", "acme.support", "--page-id", PAGE_ID, "--ca-bundle", "ca.pem"];
    let run = home.run(&[&add[..], &["--json"]].concat()).code(0);
    assert_eq!(run.json()["account"]["graph"], "live");
    home.run(&["account", "test", "acme", "--ca-bundle", "ca.pem"]).code(0);
    let asked = proxy.asked.lock().unwrap().clone();
    assert!(!asked.is_empty());
    for head in asked {
        assert!(head.starts_with("CONNECT graph.facebook.com:443 HTTP/1.1\r\n"), "{head}");
        assert!(!head.contains("EAA"), "the token is inside TLS alone: {head}");
    }
}

#[test]
fn a_certificate_that_is_not_trusted_says_nothing_about_the_token() {
    let sandbox = sandbox();
    let proxy = Proxy::start(&sandbox.url());
    let home = Home::new().with_secrets("acme", "EAAx").with("HTTPS_PROXY", &proxy.url);
    home.run(&["account", "add", "Acme", "--page-username", "acme.support", "--page-id", PAGE_ID, "--no-test"]).code(0);
    // Another authority than the proxy's: the machine's own are trusted beside it.
    let other = Proxy::start(&sandbox.url());
    home.file("ca.pem", &other.authority);
    let run = home.run(&["account", "test", "acme", "--json", "--ca-bundle", "ca.pem"]).code(5);
    let check = run.check("graph.reachable");
    assert!(check["summary"].as_str().unwrap().contains("certificate is not trusted"), "{check}");
    assert!(check["hint"].as_str().unwrap().contains("--ca-bundle"), "{check}");
    assert!(sandbox.world().journal.entries().is_empty());
}

#[test]
fn a_proxy_that_is_gone_is_unreachable() {
    let home = Home::new().with_secrets("acme", "EAAx").with("HTTPS_PROXY", "http://127.0.0.1:1");
    home.run(&["account", "add", "Acme", "--page-username", "acme.support", "--page-id", PAGE_ID, "--no-test"]).code(0);
    let authority = Proxy::start("http://127.0.0.1:1").authority;
    home.file("ca.pem", authority);
    home.run(&["account", "test", "acme", "--ca-bundle", "ca.pem"]).code(5).shows(&["HTTPS_PROXY"]);
}
