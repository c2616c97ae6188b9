//! System messages and Chat Settings.

use crate::support::world::{acme, sandbox};

#[test]
fn messages() {
    let home = acme(&sandbox(), false);
    home.run(&["message", "set", "acme", "agent-left", "--text", "Goodbye from Acme"]).screen("message-set");
    home.run(&["message", "disable", "acme", "agent-joined"]).screen("message-disable");
    home.run(&["message", "list", "acme"]).screen("message-list");
    home.run(&["message", "list", "acme", "--json"]).screen("message-list-json");
    home.run(&["message", "list", "--all-accounts"]).screen("message-list-all-accounts");
    home.run(&["message", "show", "acme", "agent-left"]).screen("message-show");
    home.run(&["message", "show", "acme", "agent-left", "--json"]).screen("message-show-json");
    home.run(&["message", "default", "acme", "--all-events"]).screen("message-default");
    home.run(&["message", "show", "acme", "agent-lefd"]).screen("message-unknown-event");
}

#[test]
fn chat_settings() {
    let home = acme(&sandbox(), false);
    home.run(&["chat-settings", "show"]).screen("chat-settings-show-defaults");
    home.run(&["chat-settings", "set", "session-ended", "--text", "Thank you"]).screen("chat-settings-set");
    home.run(&["chat-settings", "show"]).screen("chat-settings-show");
    home.run(&["chat-settings", "show", "--json"]).screen("chat-settings-show-json");
    home.run(&["chat-settings", "set", "--messenger-timeout", "90s"]).screen("chat-settings-set-wrong");
}
