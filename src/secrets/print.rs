//! Keyed fingerprints: they tell whether a secret, or a text, is the same as before, and only
//! the holder of the key can try values until one fits.

use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::distr::{Alphanumeric, SampleString as _};
use sha2::Sha256;

use super::Secret;

/// A new key for fingerprints, from the operating system's generator: 64 letters and digits.
pub fn generate_print_key() -> Secret {
    Secret::new(Alphanumeric.sample_string(&mut rand::rng(), 64))
}

impl Secret {
    /// Whether it has fewer characters than that.
    pub fn is_shorter_than(&self, characters: usize) -> bool {
        self.expose().chars().count() < characters
    }

    /// The fingerprint of this secret in its place `of`: HMAC-SHA256 in hexadecimal digits. The
    /// same secret has another one in another place.
    pub fn print(&self, key: &Self, of: &str) -> String {
        key.print_of(&[b"secret", of.as_bytes(), self.expose().as_bytes()])
    }

    /// The fingerprint of a text under this key.
    pub fn print_text(&self, text: &str) -> String {
        self.print_of(&[b"text", text.as_bytes()])
    }

    fn print_of(&self, parts: &[&[u8]]) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(self.expose().as_bytes());
        let mut mac = mac.unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
        for part in parts {
            // With its length before it no two lists of parts give the same bytes.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        hex::encode(mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_of_one_secret_in_one_place_under_one_key() {
        let (key, secret) = (generate_print_key(), Secret::new("s3cret"));
        let print = secret.print(&key, "acme");
        assert_eq!((print.len(), &print), (64, &secret.print(&key, "acme")));
        assert_ne!(print, secret.print(&key, "acm"));
        assert_ne!(print, Secret::new("s3creu").print(&key, "acme"));
        assert_ne!(print, secret.print(&generate_print_key(), "acme"));
        assert_ne!(Secret::new("b").print(&key, "a"), Secret::new("").print(&key, "ab"));
        assert_ne!(key.print_text("x"), key.print_text("y"));
    }
}
