//! `X-Hub-Signature-256` and the older `X-Hub-Signature`: an HMAC of the raw body with the app
//! secret (webhook/FACTS.md, "Signatures").
//!
//! Meta signs the bytes that it sends. Parsing and serialising a body changes them, so keep the
//! raw bytes to check a signature.

use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use sha2::Sha256;

/// The header of the signature with SHA-256.
pub const HEADER_256: &str = "x-hub-signature-256";
/// The header of the older one, with SHA-1.
pub const HEADER_1: &str = "x-hub-signature";

/// A signature as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// `sha256=` and 64 hexadecimal digits.
    Sha256([u8; 32]),
    /// `sha1=` and 40.
    Sha1([u8; 20]),
}

/// Why an event is not accepted as Meta's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum SignatureError {
    /// Neither header was sent.
    #[error("it has no signature")]
    Missing,
    /// A header that is not of the form `sha256=HEX`.
    #[error("its signature is not valid: expected sha256= and 64 hexadecimal digits")]
    Malformed,
    /// It does not match the app secret and the body.
    #[error("its signature does not match this app secret and this body")]
    Wrong,
}

impl Signature {
    /// Reads the headers of an event. The newer one decides wherever it is sent, so that the
    /// older cannot bypass it.
    pub fn read(sha256: Option<&[u8]>, sha1: Option<&[u8]>) -> Result<Self, SignatureError> {
        match (sha256, sha1) {
            (Some(value), _) => digits(value, b"sha256=").map(Self::Sha256),
            (None, Some(value)) => digits(value, b"sha1=").map(Self::Sha1),
            (None, None) => Err(SignatureError::Missing),
        }
    }

    /// Checks it against a body and a secret, in constant time.
    pub fn verify(&self, body: &[u8], app_secret: &[u8]) -> Result<(), SignatureError> {
        let right = match self {
            Self::Sha256(sent) => mac::<Hmac<Sha256>>(app_secret, body).verify_slice(sent).is_ok(),
            Self::Sha1(sent) => mac::<Hmac<Sha1>>(app_secret, body).verify_slice(sent).is_ok(),
        };
        if right { Ok(()) } else { Err(SignatureError::Wrong) }
    }
}

/// Both header values for a body, `sha256=…` first.
pub fn sign(body: &[u8], app_secret: &[u8]) -> (String, String) {
    let sha256 = mac::<Hmac<Sha256>>(app_secret, body).finalize().into_bytes();
    let sha1 = mac::<Hmac<Sha1>>(app_secret, body).finalize().into_bytes();
    (format!("sha256={}", hex::encode(sha256)), format!("sha1={}", hex::encode(sha1)))
}

fn mac<M: hmac::Mac + hmac::KeyInit>(key: &[u8], body: &[u8]) -> M {
    let mut mac =
        <M as hmac::KeyInit>::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(body);
    mac
}

fn digits<const N: usize>(value: &[u8], prefix: &[u8]) -> Result<[u8; N], SignatureError> {
    let mut bytes = [0; N];
    let text = value.strip_prefix(prefix).ok_or(SignatureError::Malformed)?;
    hex::decode_to_slice(text, &mut bytes).map_err(|_| SignatureError::Malformed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
    /// Bodies as Meta sends them (webhook/FACTS.md, "Signatures"), plain and escaped.
    const PLAIN: &str = r#"{"object":"page","entry":[{"id":"109876543210987","time":1790000000123,"messaging":[{"sender":{"id":"7654321098765432"},"recipient":{"id":"109876543210987"},"timestamp":1790000000001,"message":{"mid":"m_test_0001","text":"hello"}}]}]}"#;
    const ESCAPED: &str = r#"{"object":"page","entry":[{"id":"109876543210987","time":1790000000123,"messaging":[{"sender":{"id":"7654321098765432"},"recipient":{"id":"109876543210987"},"timestamp":1790000000001,"message":{"mid":"m_test_0002","text":"\u00e4\u00f6\u00e5 https:\/\/example.com\/ \ud83d\ude00"}}]}]}"#;
    const VECTORS: [(&str, &str, &str); 3] = [
        (
            PLAIN,
            "sha256=4b9a03a1be4303cd07ff538f99baaab2a85c440a6e6a3884edc59611dd5a4640",
            "sha1=03affd145b547f1d8d189c2eed0e4bebdacaa5d8",
        ),
        (
            ESCAPED,
            "sha256=ba5d1dcc98a513aa55d81c56f2836b805f40eb4b52d717fb4b198303631bd3bf",
            "sha1=a2a3545d5425d8878e05b9ad504c2c05017c611a",
        ),
        ("", "sha256=796cd3078af14636753d26b3b5555422ff55a3e261cf847b48e95371b9bd0aa2", ""),
    ];

    #[test]
    fn the_vectors_hold() {
        for (body, sha256, sha1) in VECTORS {
            let signed = sign(body.as_bytes(), SECRET);
            assert_eq!(signed.0, sha256);
            assert!(sha1.is_empty() || signed.1 == sha1);
            let new = Signature::read(Some(sha256.as_bytes()), None).expect("read");
            assert_eq!(new.verify(body.as_bytes(), SECRET), Ok(()));
            let old = Signature::read(None, Some(signed.1.as_bytes())).expect("read");
            assert_eq!(old.verify(body.as_bytes(), SECRET), Ok(()));
        }
    }

    #[test]
    fn a_body_that_was_written_again_is_another_one() {
        let again = serde_json::from_str::<serde_json::Value>(ESCAPED).expect("JSON").to_string();
        assert_eq!(again.len(), 261);
        let sent = Signature::read(Some(VECTORS[1].1.as_bytes()), None).expect("read");
        assert_eq!(sent.verify(again.as_bytes(), SECRET), Err(SignatureError::Wrong));
        assert_eq!(
            sign(again.as_bytes(), SECRET).0,
            "sha256=67a6933ca7173988551aa3527d029fcd8f61c386bee82efe21c78f2506bd83e7"
        );
    }

    #[test]
    fn the_newer_header_decides_where_both_are_sent() {
        let (_, right) = sign(b"body", SECRET);
        let wrong = format!("sha256={}", "0".repeat(64));
        let read = Signature::read(Some(wrong.as_bytes()), Some(right.as_bytes())).expect("read");
        assert_eq!(read.verify(b"body", SECRET), Err(SignatureError::Wrong));
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        let long = format!("sha256={}", "0".repeat(66));
        for bad in ["", "sha256=", "sha256=zz", "4b9a", "SHA256=00", long.as_str()] {
            assert_eq!(Signature::read(Some(bad.as_bytes()), None), Err(SignatureError::Malformed), "{bad}");
        }
        assert_eq!(Signature::read(None, None), Err(SignatureError::Missing));
    }
}
