//! What the README promises by name.

use crate::support::world::{acme, sandbox};

#[test]
fn every_check_is_in_the_troubleshooting() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let sandbox = sandbox();
    let results = acme(&sandbox, true).run(&["account", "test", "acme", "--json"]).code(0).json();
    let checks = results["results"][0]["checks"].as_array().unwrap().clone();
    assert!(checks.len() >= 12, "{checks:?}");
    for check in checks {
        let id = check["id"].as_str().unwrap();
        assert!(readme.contains(&format!("| `{id}` |")), "the README's troubleshooting lacks {id}");
    }
}
