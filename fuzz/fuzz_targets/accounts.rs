//! `accounts.toml`: what is read has no two accounts with one id, what is not says why.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use msgrctl::accounts::read_accounts;

fuzz_target!(|text: &str| {
    let path = Path::new("accounts.toml");
    match read_accounts(text, path) {
        Ok(accounts) => {
            let mut ids: Vec<_> = accounts.iter().map(|account| account.id.as_str()).collect();
            ids.sort_unstable();
            assert!(ids.windows(2).all(|two| two[0] != two[1]), "two accounts with one id");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
