//! Replies of Graph: an answer or an error that can be shown, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use msgrctl::graph::read_reply;

fuzz_target!(|input: (u16, &[u8])| {
    let (status, body) = input;
    if let Err(error) = read_reply(status, body) {
        let shown = error.to_string();
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
        assert!(shown.len() < 8192, "{} bytes", shown.len());
    }
});
