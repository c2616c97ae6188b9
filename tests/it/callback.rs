//! Where the events go: addresses that Meta cannot call, and the keys that some carry.

use crate::support::Home;
use crate::support::proxy::{Manner, Proxy};
use crate::support::pty::Pty;
use crate::support::world::{PAGE_ID, acme, app, page_token, sandbox};

/// In addresses whose names exist nowhere (RFC 2606).
const KEY: &str = "functionkey0123";

fn callback() -> String {
    format!("https://functions.example/api/hook?code={KEY}&clientId=x1y2z3")
}

/// A live account whose Graph is the sandbox, behind a proxy; with a callback URL.
fn live(sandbox: &msgrctl::sandbox::InProcess, callback: &str) -> Home {
    let proxy = Proxy::start(&sandbox.url(), Manner::Inspects);
    let (app_id, app_secret) = app(sandbox);
    let mut home = Home::new().with_secrets("acme", &page_token(sandbox)).with("HTTPS_PROXY", &proxy.url);
    home.set("MSGRCTL_SECRET_ACME_APP_SECRET", &app_secret);
    home.set("MSGRCTL_SECRET_ACME_VERIFY_TOKEN", "verify0123456789verify0123456789");
    let ca = home.file("ca.pem", &proxy.authority).to_string_lossy().into_owned();
    home.set("MSGRCTL_CA_BUNDLE", &ca);
    let add = ["account", "add", "Acme", "--page-username", "acme.support", "--page-id", PAGE_ID, "--app-id", &app_id];
    home.run(&[&add[..], &["--callback-url", callback, "--no-test"]].concat()).code(0);
    home
}

fn writes(sandbox: &msgrctl::sandbox::InProcess) -> usize {
    let world = sandbox.world();
    world
        .journal
        .entries()
        .iter()
        .filter(|entry| entry.path.ends_with("/subscriptions") && entry.method == "POST")
        .count()
}

#[test]
fn an_address_that_meta_cannot_call_is_not_sent_to_it() {
    for (url, cause, next) in [
        (
            "http://hooks.acme.example/messenger?code=k1",
            "callback-not-https",
            "; then: msgrctl account edit acme --callback-url 'https://hooks.acme.example/messenger?code=CODE'",
        ),
        ("https://10.1.2.3/messenger", "callback-private", "; then: msgrctl account edit acme --callback-url URL"),
        ("https://hooks.acme.internal/x", "callback-private", "; then: msgrctl account edit acme --callback-url URL"),
        ("http://127.0.0.1:9/hook", "callback-private", "; then: msgrctl account edit acme --callback-url URL"),
    ] {
        let sandbox = sandbox();
        let home = live(&sandbox, url);
        let run = home.run(&["webhook", "subscribe", "acme", "--yes", "--json"]).code(1);
        let check = run.json()["results"][0]["levels"][0].clone();
        assert_eq!((&check["outcome"], &check["cause"]), (&"fail".into(), &cause.into()), "{check:#}");
        assert!(check["hint"].as_str().unwrap().ends_with(next), "{check:#}");
        assert_eq!(writes(&sandbox), 0, "{url} was sent");
        let check = home.run(&["account", "test", "acme", "--json"]).code(7).check("callback.handshake");
        assert_eq!((&check["outcome"], &check["cause"]), (&"fail".into(), &cause.into()), "{check:#}");
        assert!(check["hint"].as_str().unwrap().ends_with(next), "{check:#}");
        if cause == "callback-not-https" {
            home.run(&["webhook", "verify", "acme"]).code(7).shows(&["fail", next.trim_start_matches("; ")]);
            let run = home.run(&["webhook", "verify", "acme", "--json"]).code(7);
            assert!(run.json()["hint"].as_str().unwrap().ends_with(next), "{run:#?}");
        }
    }
}

#[test]
fn such_an_address_is_warned_of_where_it_is_given() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    for (url, says) in [
        ("https://192.168.1.20/messenger", "private network (192.168.1.20)"),
        ("https://hooks.acme.local/messenger", "private network (hooks.acme.local)"),
        ("http://hooks.acme.example/messenger", "https"),
    ] {
        home.run(&["account", "edit", "acme", "--callback-url", url, "--yes", "--no-test"]).code(0).says(&[says]);
        let manifest = format!(
            "version: 1\naccounts:\n  - name: Acme\n    page_username: acme.support\n    page_id: \"{PAGE_ID}\"\n    \
             token: {{env: X}}\n    webhook: {{callback_url: \"{url}\"}}\n"
        );
        home.file("m.yaml", manifest);
        home.run(&["plan", "--offline", "-f", "m.yaml"]).says(&[says]);
    }
}

#[test]
fn keys_in_the_address_are_masked_wherever_it_is_shown() {
    let sandbox = sandbox();
    let home = live(&sandbox, &callback());
    let other = format!("https://other.example/hook?key={KEY}");
    home.file(
        "m.yaml",
        format!(
            "version: 1\naccounts:\n  - name: Acme\n    page_username: acme.support\n    page_id: \"{PAGE_ID}\"\n    \
             token: {{env: MSGRCTL_SECRET_ACME_PAGE_ACCESS_TOKEN}}\n    webhook: {{callback_url: \"{other}\"}}\n"
        ),
    );
    let commands: &[&[&str]] = &[
        &["account", "show", "acme"],
        &["account", "list"],
        &["account", "handover", "acme", "--no-test"],
        &["account", "handover", "acme", "--no-test", "--markdown"],
        &["account", "test", "acme"],
        &["status", "acme"],
        &["webhook", "show", "acme"],
        &["webhook", "status", "acme"],
        &["webhook", "verify", "acme", "--curl"],
        &["webhook", "subscribe", "acme", "--yes"],
        &["webhook", "rotate", "acme", "--yes"],
        &["plan", "-f", "m.yaml"],
        &["plan", "--offline", "-f", "m.yaml"],
        &["-vvv", "account", "test", "acme"],
        &["account", "edit", "acme", "--callback-url", &other, "--yes", "--no-test"],
        &["undo", "--list"],
    ];
    for command in commands {
        let run = home.run(command);
        let all = format!("{}{}", run.stdout, run.stderr);
        assert!(!all.contains(KEY) && !all.contains("x1y2z3"), "{command:?} shows a key: {all}");
    }
    home.run(&["webhook", "show", "acme"]).shows(&["https://other.example/hook?key=********", "--reveal"]);
    home.run(&["webhook", "show", "acme", "--reveal"]).shows(&[&other]);
    home.run(&["account", "handover", "acme", "--no-test", "--reveal"]).shows(&[&other]);
    // JSON is for programs, which need it whole.
    let shown = home.run(&["account", "show", "acme", "--json"]).code(0).json();
    assert_eq!(shown["account"]["callback_url"], other.as_str());
    // What was masked does not come back as an address.
    let masked = "https://other.example/hook?key=********";
    home.run(&["account", "edit", "acme", "--callback-url", masked, "--yes", "--no-test"]).code(2).says(&["masked"]);
}

#[test]
fn the_dialogue_takes_a_masked_address_whole() {
    let sandbox = sandbox();
    let home = live(&sandbox, &callback());
    let mut pty = Pty::start(&home.msgrctl(&["account", "edit", "acme"]), 100);
    let mut screen = pty.expect("what to change?");
    pty.send(&format!("{}\r", "\u{1b}[B".repeat(6)));
    screen += &pty.expect("\u{1b}[1mCallback URL\u{1b}[0m");
    // Enter takes what is offered, whole.
    pty.send("\r");
    screen += &pty.expect("what to change?");
    assert!(!screen.contains(KEY) && screen.contains("code=********"), "{screen}");
    pty.send("\u{3}");
    let (_, code) = pty.end();
    assert_eq!(code, 130);
    let shown = home.run(&["account", "show", "acme", "--json"]).code(0).json();
    assert_eq!(shown["account"]["callback_url"], callback().as_str());
}

#[test]
fn what_stays_at_meta_is_said_before_an_account_goes() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let next = "msgrctl webhook unsubscribe acme";
    home.run(&["account", "remove", "acme"]).code(2).says(&["nothing changes at Meta", next]);
    home.run(&["account", "remove", "acme", "--yes"]).code(0).says(&["nothing changes at Meta", next]);
}
