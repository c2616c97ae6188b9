//! Signature headers: only the right one of a body is taken.
#![no_main]

use libfuzzer_sys::fuzz_target;
use msgrctl::webhook::signature::{Signature, sign};

fuzz_target!(|input: (&[u8], &[u8], &[u8])| {
    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
    let (sha256, sha1, body) = input;
    let given = |header: &'_ [u8]| if header.is_empty() { None } else { Some(header.to_vec()) };
    let (right256, right1) = sign(body, SECRET);
    if let Ok(signature) = Signature::read(given(sha256).as_deref(), given(sha1).as_deref())
        && signature.verify(body, SECRET).is_ok()
    {
        let same = |header: &[u8], right: &str| header.eq_ignore_ascii_case(right.as_bytes());
        assert!(same(sha256, &right256) || sha256.is_empty() && same(sha1, &right1));
    }
    let signature = Signature::read(Some(right256.as_bytes()), None).expect("a signature");
    assert!(signature.verify(body, SECRET).is_ok());
});
