//! Bodies of events: signed, they are taken whatever they hold, and strict JSON loses nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use msgrctl::webhook::events;
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    let read = msgrctl::json::read(body);
    if let Ok(strict) = serde_json::from_slice::<Value>(body) {
        assert_eq!(read, strict);
    }
    let found = events(&read);
    assert!(!found.is_empty(), "a body without any event");
    for event in found {
        let _ = (event.name(), event.customer(), event.is_of_a_page());
    }
});
