//! The encrypted file: refused or opened, never with a content that its key did not seal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use msgrctl::secrets::open_sealed;

fuzz_target!(|bytes: &[u8]| {
    // Nobody has sealed anything with this key.
    assert!(open_sealed(bytes, &[7; 32]).is_err());
});
