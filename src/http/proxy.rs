//! How an address is reached, and what its proxy answers.
//!
//! The HTTP library reports that a proxy opened no tunnel, but not why: its error type is
//! private. So after a failure the proxy is asked once more for the same tunnel, to read the
//! status of its answer. Nothing is sent through the tunnel.

use std::fmt;
use std::time::Duration;

use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::Url;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Fault;

/// How an address is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// On this machine.
    Here,
    /// Without a proxy.
    #[default]
    Direct,
    /// Through the proxy of the environment or the system: its address, without a password.
    Proxy(String),
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here => f.write_str("on this machine"),
            Self::Direct => f.write_str("directly"),
            Self::Proxy(proxy) => write!(f, "through the proxy {proxy}"),
        }
    }
}

/// Whether a proxy variable holds a usable address; without a scheme it is an HTTP proxy's.
/// Other values are ignored.
pub fn is_proxy(value: &str) -> bool {
    const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
    match value.trim().split_once("://") {
        Some((scheme, rest)) => SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) && !rest.is_empty(),
        // HOST:PORT alone.
        None => !value.trim().is_empty() && !value.trim().contains(char::is_whitespace),
    }
}

/// The proxies that the environment or the system names.
pub(super) struct Proxies(Option<Matcher>);

impl Proxies {
    /// Those of the system; `loopback` means none.
    pub fn new(loopback: bool) -> Self {
        Self((!loopback).then(Matcher::from_system))
    }

    fn of(&self, url: &Url) -> Option<Intercept> {
        self.0.as_ref()?.intercept(&url.as_str().parse().ok()?)
    }

    /// How `url` is reached.
    pub fn way(&self, url: &Url) -> Way {
        match self.of(url) {
            None if self.0.is_none() => Way::Here,
            None => Way::Direct,
            Some(proxy) => Way::Proxy(shown(&proxy)),
        }
    }

    /// Why the proxy of `url` opens no tunnel; `None`: it would open one, or there is no proxy.
    pub async fn refusal(&self, url: &Url, time: Duration) -> Option<Fault> {
        let proxy = self.of(url).filter(|proxy| proxy.uri().scheme_str() == Some("http"))?;
        if url.scheme() != "https" {
            return None;
        }
        match tokio::time::timeout(time, status(&proxy, url)).await.ok()?? {
            407 => Some(Fault::ProxyAuth),
            200..=299 => None,
            status => Some(Fault::ProxyRefused { status }),
        }
    }
}

fn address(proxy: &Intercept) -> (String, u16) {
    let uri = proxy.uri();
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    (host.to_owned(), uri.port_u16().unwrap_or(default))
}

fn shown(proxy: &Intercept) -> String {
    let (_, port) = address(proxy);
    format!("{}://{}:{port}", proxy.uri().scheme_str().unwrap_or("http"), proxy.uri().host().unwrap_or_default())
}

/// The status of the proxy's answer to CONNECT.
async fn status(proxy: &Intercept, url: &Url) -> Option<u16> {
    const MOST: usize = 4096;
    let to = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
    let mut wish = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n").into_bytes();
    if let Some(authorization) = proxy.basic_auth() {
        wish.extend_from_slice(b"Proxy-Authorization: ");
        wish.extend_from_slice(authorization.as_bytes());
        wish.extend_from_slice(b"\r\n");
    }
    wish.extend_from_slice(b"\r\n");
    let mut stream = TcpStream::connect(address(proxy)).await.ok()?;
    stream.write_all(&wish).await.ok()?;
    let mut line = Vec::new();
    while !line.contains(&b'\n') && line.len() < MOST {
        let mut part = [0; 256];
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => break,
            Ok(read) => line.extend_from_slice(&part[..read]),
        }
    }
    let line = String::from_utf8_lossy(&line);
    line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.get(..3)?.parse().ok()
}
