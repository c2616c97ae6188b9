//! Webhooks: what should be so, what is, and the callback's handshake.

use crate::support::receiver::{TOKEN, answer, start};
use crate::support::world::{acme, sandbox};
use crate::support::{Home, Hook};

#[test]
fn from_nothing_to_subscribed_and_back() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    home.run(&["webhook", "show", "acme"]).screen("webhook-show-without-callback");
    let hook = Hook::start();
    home.run(&["account", "edit", "acme", "--callback-url", &hook.url, "--no-test"]).code(0);
    home.run(&["webhook", "show", "acme"]).screen("webhook-show");
    home.run(&["webhook", "show", "acme", "--json"]).screen("webhook-show-json");
    home.run(&["webhook", "status", "acme"]).screen("webhook-status-nothing");
    home.run(&["webhook", "subscribe", "acme"]).screen("webhook-subscribe");
    home.run(&["webhook", "subscribe", "acme"]).screen("webhook-subscribe-again");
    home.run(&["webhook", "status", "acme"]).screen("webhook-status");
    home.run(&["webhook", "status", "acme", "--json"]).screen("webhook-status-json");
    home.run(&["webhook", "unsubscribe", "acme", "--yes"]).screen("webhook-unsubscribe");
}

#[test]
fn callbacks() {
    let home = Home::new();
    let verify = |url: &str, more: &[&str]| {
        home.run_with(&[&["webhook", "verify", "--url", url, "--verify-token-stdin"], more].concat(), TOKEN)
    };
    let right =
        start(
            |asked| {
                if asked.right { answer("200 OK", &[], &asked.challenge) } else { answer("403 Forbidden", &[], "no") }
            },
        );
    verify(&right, &[]).screen("webhook-verify");
    verify(&right, &["--json"]).screen("webhook-verify-json");
    let page = ["Content-Type: text/html"];
    verify(&start(move |_| answer("200 OK", &page, "<!DOCTYPE html>Log in")), &[]).screen("webhook-verify-a-page");
    verify(&start(|asked| answer("200 OK", &[], &asked.challenge)), &[]).screen("webhook-verify-any-token");
    verify("http://127.0.0.1:1/hook", &[]).screen("webhook-verify-no-answer");
}
