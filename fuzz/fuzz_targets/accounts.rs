//! `accounts.toml`: what can be read is written and read again as the same.
#![no_main]

use std::collections::BTreeSet;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use msgrctl::accounts::{differing_accounts, read_accounts};

fuzz_target!(|text: &str| {
    let path = Path::new("accounts.toml");
    match read_accounts(text, path) {
        Ok(accounts) => {
            // A file differs from itself in nothing.
            if let Some([before, now]) = differing_accounts(text, text, &BTreeSet::new()) {
                assert_eq!(before, now);
            }
            let mut ids: Vec<_> = accounts.iter().map(|account| account.id.as_str()).collect();
            ids.sort_unstable();
            assert!(ids.windows(2).all(|two| two[0] != two[1]), "two accounts with one id");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
