//! The form of the encrypted file: what is in it, and how it is opened and sealed.
//!
//! # Format, version 1
//!
//! One JSON object, mode 0600, replaced as a whole:
//!
//! ```json
//! {"header": {"format": "msgrctl secrets", "version": 1, "id": "…",
//!             "key": {"source": "passphrase", "salt": "…", "memory_kib": 19456, "passes": 2, "lanes": 1},
//!             "check": "…", "nonce": "…"},
//!  "ciphertext": "…"}
//! ```
//!
//! - The ciphertext is XChaCha20-Poly1305 over a JSON object of entry name to
//!   secret, with a fresh random nonce of 24 bytes at each save. The header, as its
//!   compact JSON, is authenticated with it.
//! - The key has 32 bytes. `keyring`: random, kept in the keyring as the one entry
//!   `msgrctl / file-store/ID`, in hex. `key_file`: SHA-256 of `msgrctl key file`, a
//!   zero byte, and the file's content (32 bytes at least). `passphrase`: argon2id with the
//!   parameters of the header, of the passphrase in Unicode's form NFC; files of older
//!   versions have it as it was typed.
//! - `check` is the first 8 bytes of HMAC-SHA256(key, `msgrctl key check`): it tells a
//!   wrong key from a damaged file.
//! - Binary values are hexadecimal.

use std::collections::BTreeMap;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use rand::Rng as _;
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;

use super::{KeyMeans, Secret};

/// The key that encrypts the entries.
pub(super) type Key = Zeroizing<[u8; 32]>;
/// The secrets by entry name.
pub(super) type Entries = BTreeMap<String, Zeroizing<String>>;

const FORMAT: &str = "msgrctl secrets";
const VERSION: u32 = 1;

/// Why a file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    /// Not JSON of msgrctl's form.
    #[error("it is cut off or was changed by something else")]
    Form,
    /// A newer version, or not msgrctl's file.
    #[error("its version is {0}; this msgrctl knows {VERSION}")]
    Version(u32),
    /// The header asks for a key derivation that msgrctl never uses.
    #[error("it is damaged or was not made by msgrctl: its header asks for an unusually costly key derivation")]
    Header,
    /// The right key does not decrypt it.
    #[error("it is damaged: it does not decrypt with its own key")]
    Content,
}

/// The part that is not encrypted; it is authenticated with the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    format: String,
    version: u32,
    /// Names the key in the keyring.
    pub id: String,
    /// Where the key comes from.
    pub key: KeySource,
    /// Tells a wrong key from a damaged file.
    pub check: String,
    nonce: String,
}

/// Where the key comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub(super) enum KeySource {
    Keyring,
    KeyFile,
    /// A passphrase, and the parameters that make a key of it.
    Passphrase(Work),
}

/// The parameters of argon2id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Work {
    salt: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// The file's JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sealed {
    pub header: Header,
    ciphertext: String,
}

impl Header {
    /// The header of a new file; its `check` is set once its key is known.
    pub fn new(id: String, key: KeySource) -> Self {
        Self { format: FORMAT.into(), version: VERSION, id, key, check: String::new(), nonce: String::new() }
    }

    fn associated(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_else(|error| unreachable!("text is JSON: {error}"))
    }
}

impl KeySource {
    pub fn means(&self) -> KeyMeans {
        match self {
            Self::Keyring => KeyMeans::Keyring,
            Self::KeyFile => KeyMeans::KeyFile,
            Self::Passphrase(_) => KeyMeans::Passphrase,
        }
    }
}

impl Work {
    /// argon2id with its authors' first recommendation for small memory: measured 56 ms.
    pub fn new() -> Self {
        let mut salt = [0; 16];
        rand::rng().fill_bytes(&mut salt);
        Self { salt: hex::encode(salt), memory_kib: 19_456, passes: 2, lanes: 1 }
    }

    /// Whether msgrctl's files may ask for this much. More could use up all memory or never end.
    fn is_bearable(&self) -> bool {
        const MOST_MEMORY_KIB: u32 = 64 * 1024;
        const MOST_PASSES: u32 = 8;
        const MOST_LANES: u32 = 4;
        self.memory_kib <= MOST_MEMORY_KIB && self.passes <= MOST_PASSES && self.lanes <= MOST_LANES
    }

    /// The key that fits `check`, out of the forms in which the passphrase may have been typed:
    /// one keyboard sends an accented letter as one character, another as two. If none fits, and
    /// for a new file (`check` is empty), the key of its normal form, NFC.
    pub fn fitting_key(&self, passphrase: &Secret, check: &str) -> Result<Key, Damage> {
        let typed = passphrase.expose();
        let normal = Secret::new(typed.nfc().collect::<String>());
        let key = self.key(&normal)?;
        if check.is_empty() || check_of(&key) == check {
            return Ok(key);
        }
        let decomposed = Secret::new(typed.nfd().collect::<String>());
        for other in [passphrase, &decomposed] {
            if *other != normal {
                let key = self.key(other)?;
                if check_of(&key) == check {
                    return Ok(key);
                }
            }
        }
        Ok(key)
    }

    /// Derives the key from a passphrase.
    fn key(&self, passphrase: &Secret) -> Result<Key, Damage> {
        if !self.is_bearable() {
            return Err(Damage::Header);
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(|_| Damage::Header)?;
        let salt = hex::decode(&self.salt).map_err(|_| Damage::Header)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose().as_bytes(), &salt, &mut *key)
            .map_err(|_| Damage::Header)?;
        Ok(key)
    }
}

impl Sealed {
    /// Parses a file without decrypting it.
    pub fn parse(bytes: &[u8]) -> Result<Self, Damage> {
        let sealed: Self = serde_json::from_slice(bytes).map_err(|_| Damage::Form)?;
        match (sealed.header.format.as_str(), sealed.header.version) {
            // Checked before the user is asked for the passphrase.
            (FORMAT, VERSION) => match &sealed.header.key {
                KeySource::Passphrase(work) if !work.is_bearable() => Err(Damage::Header),
                _ => Ok(sealed),
            },
            (FORMAT, other) => Err(Damage::Version(other)),
            _ => Err(Damage::Form),
        }
    }

    pub fn open(&self, key: &Key) -> Result<Entries, Damage> {
        let nonce: Option<[u8; 24]> = hex::decode(&self.header.nonce).ok().and_then(|nonce| nonce.try_into().ok());
        let nonce = nonce.ok_or(Damage::Content)?;
        let ciphertext = hex::decode(&self.ciphertext).map_err(|_| Damage::Content)?;
        let associated = self.header.associated();
        let payload = Payload { msg: &ciphertext, aad: &associated };
        let plain = XChaCha20Poly1305::new((&**key).into())
            .decrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Damage::Content)?;
        let plain = Zeroizing::new(plain);
        let entries: BTreeMap<String, String> = serde_json::from_slice(&plain).map_err(|_| Damage::Content)?;
        Ok(entries.into_iter().map(|(name, value)| (name, Zeroizing::new(value))).collect())
    }

    /// Encrypts entries with a fresh nonce, which it stores in the header.
    pub fn seal(header: &mut Header, key: &Key, entries: &Entries) -> Vec<u8> {
        let mut nonce = [0; 24];
        rand::rng().fill_bytes(&mut nonce);
        header.nonce = hex::encode(nonce);
        let entries: BTreeMap<&str, &str> =
            entries.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let json = |into: &mut dyn std::io::Write| {
            serde_json::to_writer(into, &entries).unwrap_or_else(|error| unreachable!("text is JSON: {error}"));
        };
        // Room for all of it: a growing buffer would leave copies behind.
        let mut length = Length(0);
        json(&mut length);
        let mut plain = Zeroizing::new(Vec::with_capacity(length.0));
        json(&mut *plain);
        let associated = header.associated();
        let payload = Payload { msg: &plain, aad: &associated };
        let ciphertext = XChaCha20Poly1305::new((&**key).into())
            .encrypt(&XNonce::from(nonce), payload)
            .unwrap_or_else(|_| unreachable!("the file is far below the cipher's limit"));
        let sealed = Self { header: header.clone(), ciphertext: hex::encode(ciphertext) };
        serde_json::to_vec(&sealed).unwrap_or_else(|error| unreachable!("text is JSON: {error}"))
    }
}

/// Counts bytes written.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Decrypts any bytes as an encrypted file, with the content of a key file. Returns the number
/// of secrets, or why it does not open. For fuzzing.
pub fn open_sealed(bytes: &[u8], key_file: &[u8]) -> Result<usize, String> {
    let opened = Sealed::parse(bytes).and_then(|sealed| sealed.open(&key_of_content(key_file)));
    opened.map(|entries| entries.len()).map_err(|damage| damage.to_string())
}

/// The key from a key file's content.
pub(super) fn key_of_content(content: &[u8]) -> Key {
    let mut hash = Sha256::new();
    hash.update(b"msgrctl key file\0");
    hash.update(content);
    Zeroizing::new(hash.finalize().into())
}

/// The header's check value for a key.
pub(super) fn check_of(key: &Key) -> String {
    let mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key.as_slice());
    let mut mac = mac.unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
    mac.update(b"msgrctl key check");
    hex::encode(&mac.finalize().into_bytes()[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(key: &Key) -> Vec<u8> {
        let mut header = Header::new("id".into(), KeySource::KeyFile);
        header.check = check_of(key);
        Sealed::seal(&mut header, key, &Entries::from([("a".into(), Zeroizing::new("hush".into()))]))
    }

    #[test]
    fn what_is_sealed_is_opened_with_its_key_alone() {
        let (key, other) = (key_of_content(b"one"), key_of_content(b"two"));
        let sealed = Sealed::parse(&sealed(&key)).expect("a file");
        assert_eq!(sealed.open(&key).expect("opened")["a"].as_str(), "hush");
        assert_eq!(sealed.open(&other), Err(Damage::Content));
        assert_ne!(check_of(&key), check_of(&other));
    }

    #[test]
    fn a_passphrase_fits_in_either_form_also_where_it_was_kept_as_typed() {
        let work = Work { memory_kib: 8, passes: 1, ..Work::new() };
        let (composed, decomposed) = (Secret::new("caf\u{e9} au lait"), Secret::new("cafe\u{301} au lait"));
        let fits = |check: &str, typed: &Secret| check_of(&work.fitting_key(typed, check).expect("a key")) == check;
        let new = check_of(&work.fitting_key(&decomposed, "").expect("a key"));
        assert_eq!(new, check_of(&work.key(&composed).expect("a key")), "a new file has the normal form");
        for kept in [&composed, &decomposed] {
            let check = check_of(&work.key(kept).expect("a key"));
            assert!(fits(&check, &composed) && fits(&check, &decomposed));
            assert!(!fits(&check, &Secret::new("cafe au lait")));
        }
    }

    #[test]
    fn every_seal_has_a_nonce_of_its_own() {
        let key = key_of_content(b"one");
        let nonce = || Sealed::parse(&sealed(&key)).expect("a file").header.nonce;
        assert_ne!(nonce(), nonce());
    }

    #[test]
    fn versions_of_the_future_and_work_without_end_are_refused() {
        let text = String::from_utf8(sealed(&key_of_content(b"one"))).expect("text");
        let newer = text.replace("\"version\":1", "\"version\":2");
        assert_eq!(Sealed::parse(newer.as_bytes()).err(), Some(Damage::Version(2)));
        for (memory_kib, passes, lanes) in [(65_537, 1, 1), (8, 9, 1), (64, 1, 5), (u32::MAX, u32::MAX, u32::MAX)] {
            let work = Work { memory_kib, passes, lanes, ..Work::new() };
            assert_eq!(work.key(&Secret::new("p")), Err(Damage::Header));
            let header = Header::new("id".into(), KeySource::Passphrase(work));
            let file = Sealed { header, ciphertext: String::new() };
            let file = serde_json::to_vec(&file).expect("JSON");
            assert_eq!(Sealed::parse(&file).err(), Some(Damage::Header), "before anybody is asked");
        }
    }
}
