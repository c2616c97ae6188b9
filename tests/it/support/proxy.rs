//! Proxies on this machine: what is sent to the live Graph arrives at a server of the
//! test, and nothing leaves.

use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy, split};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What a proxy does with what it carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Opens it, with a certificate of its own authority.
    Inspects,
    /// The same, and takes the header `Authorization` away.
    TakesAuthorization,
    /// Opens no tunnel: this status instead.
    Refuses(u16),
}

/// A proxy of graph.facebook.com that runs until the tests end.
pub struct Proxy {
    pub url: String,
    /// The authority, as PEM.
    pub authority: String,
    /// What was asked of it: `CONNECT host:port HTTP/1.1`.
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// One that leads to `to`.
    pub fn start(to: &str, manner: Manner) -> Self {
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
        std::thread::spawn(move || {
            runtime.block_on(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(carry(stream, acceptor.clone(), to.clone(), seen.clone(), manner));
                }
            });
        });
        Self { url, authority: authority.pem(), asked }
    }
}

async fn carry(
    mut stream: TcpStream,
    acceptor: TlsAcceptor,
    to: String,
    seen: Arc<Mutex<Vec<String>>>,
    manner: Manner,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    seen.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
    if let Manner::Refuses(status) = manner {
        let _ = stream.write_all(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").as_bytes()).await;
        return;
    }
    let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
    let Ok(inside) = acceptor.accept(stream).await else { return };
    let (mut from_client, mut to_client) = split(inside);
    let (mut from_graph, mut to_graph) = TcpStream::connect(to).await.unwrap().into_split();
    let up = async {
        let mut part = vec![0; 65536];
        while let Ok(length @ 1..) = from_client.read(&mut part).await {
            let mut part = part[..length].to_vec();
            if manner == Manner::TakesAuthorization {
                without_authorization(&mut part);
            }
            if to_graph.write_all(&part).await.is_err() {
                break;
            }
        }
        let _ = to_graph.shutdown().await;
    };
    let down = async {
        let _ = copy(&mut from_graph, &mut to_client).await;
        let _ = to_client.shutdown().await;
    };
    tokio::join!(up, down);
}

fn without_authorization(part: &mut Vec<u8>) {
    let lower = part.to_ascii_lowercase();
    let find = |what: &[u8], from: usize| {
        lower[from..].windows(what.len()).position(|window| window == what).map(|at| from + at)
    };
    let Some(start) = find(b"\r\nauthorization:", 0) else { return };
    let end = find(b"\r\n", start + 2).unwrap();
    part.drain(start..end);
}
