//! Signs requests as AWS does (Signature Version 4, in a header).
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::credentials::Credentials;

/// What is signed.
pub struct Signed<'a> {
    pub method: &'a str,
    /// `host` or `host:port`, as the client sends it.
    pub host: &'a str,
    /// The encoded path.
    pub path: &'a str,
    /// The encoded query with its pairs sorted; may be empty.
    pub query: &'a str,
    pub region: &'a str,
    pub body: &'a [u8],
    pub at: Timestamp,
}

/// The headers that sign a request, by name; the last is `authorization`.
pub fn headers(signed: &Signed<'_>, credentials: &Credentials) -> Vec<(&'static str, String)> {
    let time = signed.at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = &time[..8];
    let digest = hex::encode(Sha256::digest(signed.body));
    let mut headers = vec![("x-amz-content-sha256", digest.clone()), ("x-amz-date", time.clone())];
    if let Some(session) = &credentials.session {
        headers.push(("x-amz-security-token", session.expose().to_owned()));
    }
    let mut canonical = format!("{}\n{}\n{}\nhost:{}\n", signed.method, signed.path, signed.query, signed.host);
    let mut names = "host".to_owned();
    for (name, value) in &headers {
        let _ = writeln!(canonical, "{name}:{value}");
        let _ = write!(names, ";{name}");
    }
    let _ = write!(canonical, "\n{names}\n{digest}");
    let scope = format!("{day}/{}/s3/aws4_request", signed.region);
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex::encode(Sha256::digest(canonical.as_bytes())));
    let first = format!("AWS4{}", credentials.key.expose());
    let key = [day, signed.region, "s3", "aws4_request"]
        .iter()
        .fold(first.into_bytes(), |key, part| mac(&key, part.as_bytes()));
    let signature = hex::encode(mac(&key, to_sign.as_bytes()));
    headers.push((
        "authorization",
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            credentials.key_id
        ),
    ));
    headers
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    // A key of any length is taken.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|error| unreachable!("a key: {error}"));
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// A value of a path or a query, encoded as signatures want it; `keep_slash` for paths.
pub fn encoded(text: &str, keep_slash: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            b'/' if keep_slash => out.push('/'),
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Secret;

    /// The example of the page above: GET of a bucket's lifecycle.
    #[test]
    fn the_signature_of_amazons_example_holds() {
        let credentials = Credentials {
            key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            key: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            session: None,
        };
        let signed = Signed {
            method: "GET",
            host: "examplebucket.s3.amazonaws.com",
            path: "/",
            query: "lifecycle=",
            region: "us-east-1",
            body: b"",
            at: "2013-05-24T00:00:00Z".parse().expect("a time"),
        };
        let headers = headers(&signed, &credentials);
        let (name, authorization) = headers.last().expect("a header");
        assert_eq!(*name, "authorization");
        assert!(
            authorization.ends_with("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            "{authorization}"
        );
        assert_eq!(encoded("a b/ü~", true), "a%20b/%C3%BC~");
        assert_eq!(encoded("a/b", false), "a%2Fb");
    }
}
