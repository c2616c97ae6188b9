//! What a person sees: whole outputs, one file of tests a noun. How to accept a change
//! stands in `support/screen.rs`.

mod account;
mod errors;
mod help;
mod history;
mod machine;
mod manifest;
mod message;
mod sandbox;
mod secret;
mod states;
mod tenant;
mod webhook;
mod wizard;

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::screen::FOLDER;

/// Every file is compared by one test; what an interrupted review has left is found too.
#[test]
fn every_snapshot_has_its_test() {
    let sources = Path::new(FOLDER).with_file_name("screens");
    let mut code = String::new();
    for entry in std::fs::read_dir(sources).unwrap() {
        code += &std::fs::read_to_string(entry.unwrap().path()).unwrap();
    }
    let mut uses = BTreeMap::new();
    for entry in std::fs::read_dir(FOLDER).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.strip_suffix(".snap").unwrap_or(&name);
        uses.insert(name.clone(), code.matches(&format!("\"{stem}\"")).count());
    }
    assert!(uses.len() >= 60, "{} snapshots", uses.len());
    uses.retain(|_, count| *count != 1);
    assert!(uses.is_empty(), "not named exactly once in tests/it/screens: {uses:#?}");
}
