//! Manifests: read, or refused with mistakes that have a place and can be shown anywhere.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use msgrctl::provision::manifest::{Text, read};

fuzz_target!(|text: &str| {
    let file = Text { file: "accounts.yaml", directory: Path::new("/nowhere"), text };
    if let Err(mistakes) = read(&[file]) {
        assert!(!mistakes.is_empty(), "refused without a reason");
        for mistake in mistakes {
            let shown = mistake.to_string();
            assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
        }
    }
});
