//! The handshake: whatever is read is written as Meta does, and read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use msgrctl::webhook::{Handshake, handshake_address};
use url::Url;

fuzz_target!(|query: &str| {
    let Ok(asked) = Handshake::read(query) else { return };
    assert!(asked.challenge.bytes().all(|byte| byte.is_ascii_alphanumeric()), "a challenge that is markup");
    let callback = Url::parse("https://hooks.example.com/messenger").expect("an address");
    let address = handshake_address(&callback, &asked.challenge, &asked.verify_token);
    let again = Handshake::read(address.query().expect("a query")).expect("a handshake");
    assert_eq!(again.challenge, asked.challenge);
    assert!(again.names(&asked.verify_token));
});
