//! The live Graph over TLS, through a proxy on this machine that inspects it: the
//! sandbox answers in Graph's place, nothing leaves.

use serde_json::json;

use crate::support::Home;
use crate::support::graph::{PAGE_TOKEN, StandIn};
use crate::support::proxy::{Manner, Proxy};
use crate::support::world::{PAGE_ID, page_token, sandbox};

#[test]
fn a_live_account_is_tested_through_a_proxy_with_its_certificate() {
    let sandbox = sandbox();
    let proxy = Proxy::start(&sandbox.url(), Manner::Inspects);
    let home = Home::new().with_secrets("acme", &page_token(&sandbox)).with("HTTPS_PROXY", &proxy.url);
    home.file("ca.pem", &proxy.authority);
    let add =
        ["account", "add", "Acme", "--page-username", "acme.support", "--page-id", PAGE_ID, "--ca-bundle", "ca.pem"];
    let run = home.run(&[&add[..], &["--json"]].concat()).code(0);
    assert_eq!(run.json()["account"]["graph"], "live");
    home.run(&["account", "test", "acme", "--ca-bundle", "ca.pem"]).code(0);
    let asked = proxy.asked.lock().unwrap().clone();
    assert!(!asked.is_empty());
    for head in asked {
        assert!(head.starts_with("CONNECT graph.facebook.com:443 HTTP/1.1\r\n"), "{head}");
        assert!(!head.contains("EAA"), "the token is inside TLS alone: {head}");
    }
}

#[test]
fn a_certificate_that_is_not_trusted_says_nothing_about_the_token() {
    let sandbox = sandbox();
    let proxy = Proxy::start(&sandbox.url(), Manner::Inspects);
    let home = Home::new().with_secrets("acme", "EAAx").with("HTTPS_PROXY", &proxy.url);
    home.run(&["account", "add", "Acme", "--page-username", "acme.support", "--page-id", PAGE_ID, "--no-test"]).code(0);
    // Another authority than the proxy's: the machine's own are trusted beside it.
    let other = Proxy::start(&sandbox.url(), Manner::Inspects);
    home.file("ca.pem", &other.authority);
    let run = home.run(&["account", "test", "acme", "--json", "--ca-bundle", "ca.pem"]).code(5);
    let check = run.check("graph.reachable");
    assert!(check["summary"].as_str().unwrap().contains("certificate is not trusted"), "{check}");
    assert!(check["hint"].as_str().unwrap().contains("--ca-bundle"), "{check}");
    assert!(sandbox.world().journal.entries().is_empty());
}

#[test]
fn a_proxy_that_is_gone_is_unreachable() {
    let home = Home::new().with_secrets("acme", "EAAx").with("HTTPS_PROXY", "http://127.0.0.1:1");
    home.run(&["account", "add", "Acme", "--page-username", "acme.support", "--page-id", PAGE_ID, "--no-test"]).code(0);
    let authority = Proxy::start("http://127.0.0.1:1", Manner::Inspects).authority;
    home.file("ca.pem", authority);
    home.run(&["account", "test", "acme", "--ca-bundle", "ca.pem"]).code(5).shows(&["HTTPS_PROXY"]);
}

/// A live account, and a home whose way to Graph is this proxy.
fn behind(proxy: &Proxy, token: &str) -> Home {
    let home = Home::new().with_secrets("acme", token).with("HTTPS_PROXY", &proxy.url);
    home.file("ca.pem", &proxy.authority);
    home.run(&["account", "add", "Acme", "--page-username", "acme.support", "--page-id", PAGE_ID, "--no-test"]).code(0);
    home
}

#[test]
fn what_a_proxy_refuses_is_named_with_the_way_around() {
    for (status, cause, hint) in [
        (407, "proxy-auth", "HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT"),
        (403, "proxy-refused", "NO_PROXY=graph.facebook.com"),
        (502, "proxy-refused", "NO_PROXY=graph.facebook.com"),
    ] {
        let proxy = Proxy::start("http://127.0.0.1:1", Manner::Refuses(status));
        let home = behind(&proxy, "EAAx");
        let run = home.run(&["account", "test", "acme", "--json"]).code(5);
        let check = run.check("graph.reachable");
        assert_eq!(check["cause"], cause, "{check:#}");
        assert!(check["summary"].as_str().unwrap().contains(&proxy.url), "{check:#}");
        assert!(check["hint"].as_str().unwrap().contains(hint), "{check:#}");
        // Every command says the same.
        let send = ["message", "send", "acme", "--to", "7654321098765432", "hello", "--json"];
        let error = home.run(&send).code(5).json_error();
        assert_eq!(error["cause"], cause, "{error:#}");
        assert!(!run.stdout.contains("sandbox"), "{run:#?}");
    }
}

#[test]
fn a_proxy_that_takes_the_token_away_is_told_from_a_bad_token() {
    let graph = StandIn::start(&json!({}));
    let proxy = Proxy::start(&graph.url, Manner::TakesAuthorization);
    let home = behind(&proxy, PAGE_TOKEN);
    let run = home.run(&["account", "test", "acme", "--json", "--ca-bundle", "ca.pem"]);
    let check = run.check("token.valid");
    assert_eq!(check["cause"], "no-token-arrived", "{run:#?}");
    assert!(check["hint"].as_str().unwrap().contains("HTTPS_PROXY"), "{check:#}");
    assert!(!run.stdout.contains("create a new token"), "{run:#?}");
}
