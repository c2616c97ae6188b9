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

/// Adds the sources in a folder and those below it.
fn read(folder: &Path, code: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, code);
        } else if path.extension().is_some_and(|end| end == "rs") {
            *code += &std::fs::read_to_string(path).unwrap();
        }
    }
}

/// Every file is compared by one test; what an interrupted review has left is found too.
#[test]
fn every_snapshot_has_its_test() {
    let mut code = String::new();
    read(Path::new(FOLDER).parent().unwrap(), &mut code);
    let mut uses = BTreeMap::new();
    for entry in std::fs::read_dir(FOLDER).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.strip_suffix(".snap").unwrap_or(&name);
        uses.insert(name.clone(), code.matches(&format!("\"{stem}\"")).count());
    }
    assert!(uses.len() >= 60, "{} snapshots", uses.len());
    uses.retain(|_, count| *count != 1);
    assert!(uses.is_empty(), "not named exactly once in tests/it: {uses:#?}");
}
