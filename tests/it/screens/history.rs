//! The log and undo.

use crate::support::Home;
use crate::support::world::{acme, sandbox};

#[test]
fn what_was_changed_is_told_and_undone() {
    let home = Home::new();
    home.run(&["log"]).screen("log-empty");
    home.run(&["undo", "--yes"]).screen("undo-nothing");
    let home = acme(&sandbox(), false);
    home.run(&["account", "rename", "acme", "Acme Care"]).code(0);
    home.run(&["message", "set", "acme", "agent-left", "--text", "Bye"]).code(0);
    home.run(&["log"]).screen("log-full");
    home.run(&["log", "--json"]).screen("log-json");
    home.run(&["undo", "--list"]).screen("undo-list");
    home.run(&["undo"]).screen("undo-without-terminal");
    home.run(&["undo", "--yes"]).screen("undo-done");
    home.run(&["undo", "--yes", "--json"]).screen("undo-of-an-undo-json");
}
