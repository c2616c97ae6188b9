//! `webhook verify` against receivers that are broken, each in its own way.

use std::io::Write as _;
use std::net::TcpListener;
use std::time::Duration;

use serde_json::Value;

use crate::support::Home;
use crate::support::receiver::{Asked, TOKEN, Wrong, answer, start, start_tls};

fn verify(home: &Home, url: &str, more: &[&str]) -> (i32, Value) {
    let words = [&["webhook", "verify", "--url", url, "--verify-token-stdin", "--json"], more].concat();
    let run = home.run_with(&words, TOKEN);
    (run.code, run.json())
}

#[track_caller]
fn assert_problem(url: &str, problem: &str, hint: &str) {
    let (code, found) = verify(&Home::new(), url, &[]);
    assert_eq!((code, found["problem"].as_str()), (7, Some(problem)), "{found:#}");
    assert_eq!(found["outcome"], "fail");
    assert!(found["hint"].as_str().unwrap().contains(hint), "{found:#}");
    assert!(!found.to_string().contains(TOKEN));
}

fn right(asked: &Asked) -> Vec<u8> {
    if asked.right { answer("200 OK", &[], &asked.challenge) } else { answer("403 Forbidden", &[], "no") }
}

#[test]
fn a_receiver_as_it_should_be_passes() {
    let url = start(right);
    let (code, found) = verify(&Home::new(), &url, &[]);
    assert_eq!((code, &found["outcome"]), (0, &"pass".into()), "{found:#}");
    assert!(found.get("problem").is_none());
    let requests = found["requests"].as_array().unwrap();
    assert_eq!((&requests[0]["verify_token"], &requests[0]["status"]), (&"right".into(), &200.into()));
    assert_eq!((&requests[1]["verify_token"], &requests[1]["status"]), (&"wrong".into(), &403.into()));
}

#[test]
fn it_asks_as_meta_does() {
    let (tell, heard) = std::sync::mpsc::channel();
    let url = start(move |asked| {
        tell.send((asked.head.clone(), asked.query.clone(), asked.challenge.clone())).unwrap();
        right(asked)
    });
    verify(&Home::new(), &format!("{url}?tenant=acme"), &[]);
    let (asked, query, challenge) = heard.recv_timeout(Duration::from_secs(5)).unwrap();
    let lower = asked.to_lowercase();
    assert!(lower.contains("user-agent: facebookplatform/1.0 (+http://developers.facebook.com)\r\n"), "{asked}");
    assert!(lower.contains("accept: */*\r\n"), "{asked}");
    assert!(query.starts_with("tenant=acme&hub.mode=subscribe&hub.challenge="), "{query}");
    assert!((7..=10).contains(&challenge.len()) && challenge.bytes().all(|b| b.is_ascii_digit()), "{challenge}");
    // Another one each time.
    assert_ne!(heard.recv_timeout(Duration::from_secs(5)).unwrap().2, challenge);
}

#[test]
fn what_answers_in_the_receivers_place_is_told() {
    let login = "<!DOCTYPE html><html><body>Log in</body></html>";
    let html: [&str; 1] = ["Content-Type: text/html; charset=utf-8"];
    assert_problem(&start(move |_| answer("200 OK", &html, login)), "html", "path");
    assert_problem(&start(move |_| answer("403 Forbidden", &html, login)), "forbidden", "firewall");
    let basic = ["WWW-Authenticate: Basic realm=\"x\""];
    assert_problem(&start(move |_| answer("401 Unauthorized", &basic, "")), "login_needed", "without a login");
    let to = ["Location: https://example.com/login?next=/hook&secret=1"];
    let redirects = start(move |_| answer("302 Found", &to, ""));
    assert_problem(&redirects, "redirect", "callback URL");
    let (_, found) = verify(&Home::new(), &redirects, &[]);
    assert!(found["summary"].as_str().unwrap().contains("https://example.com/login)"), "no query: {found}");
    let to = ["Location: https://user:s3cret@login.example/#key=s3cret"];
    let (_, found) = verify(&Home::new(), &start(move |_| answer("302 Found", &to, "")), &[]);
    assert!(found["summary"].as_str().unwrap().contains("https://login.example/)"), "{found}");
    assert!(!found.to_string().contains("s3cret"), "{found}");
    assert_problem(&start(|_| answer("404 Not Found", &[], "")), "not_found", "path");
    assert_problem(&start(|_| answer("405 Method Not Allowed", &[], "")), "method_not_allowed", "GET");
    assert_problem(&start(|_| answer("500 Oops", &[], "Traceback")), "server_error", "log");
    assert_problem(&start(|_| answer("502 Bad Gateway", &[], "")), "server_error", "log");
    assert_problem(&start(|_| answer("201 Created", &[], "")), "other_status", "200");
}

#[test]
fn what_a_receiver_does_with_the_challenge_is_told() {
    let quoted =
        start(|asked| answer("200 OK", &["Content-Type: application/json"], &format!("\"{}\"", asked.challenge)));
    assert_problem(&quoted, "quoted_challenge", "JSON");
    assert_problem(
        &start(|asked| answer("200 OK", &[], &format!("{}\n", asked.challenge))),
        "padded_challenge",
        "line end",
    );
    assert_problem(
        &start(|asked| answer("200 OK", &[], &format!("\u{feff}{}", asked.challenge))),
        "padded_challenge",
        "only the challenge",
    );
    let wrapped = start(|asked| answer("200 OK", &[], &format!("{{\"hub.challenge\":\"{}\"}}", asked.challenge)));
    assert_problem(&wrapped, "wrapped_challenge", "nothing else");
    assert_problem(&start(|_| answer("200 OK", &[], "")), "empty_body", "hub.challenge");
    assert_problem(&start(|_| answer("200 OK", &[], "Error, wrong validation token")), "other_body", "same token");
}

#[test]
fn what_a_receiver_does_with_the_token_is_told() {
    assert_problem(
        &start(|_| answer("403 Forbidden", &[], "Forbidden")),
        "token_refused",
        "put this account's into the receiver",
    );
    // Refuses, and repeats the address in its words: the challenge stands there too.
    let polite = start(|asked| {
        if asked.right {
            answer("200 OK", &[], &asked.challenge)
        } else {
            answer("403 Forbidden", &[], &format!("not for you: {}", asked.query))
        }
    });
    assert_eq!(verify(&Home::new(), &polite, &[]).0, 0);
    let talkative = start(|asked| answer("200 OK", &[], &format!("bad request: {}", asked.query)));
    assert_problem(&talkative, "wrapped_challenge", "nothing else");
    // Repeats whatever it is asked: green at Meta, and open to everybody.
    assert_problem(&start(|asked| answer("200 OK", &[], &asked.challenge)), "any_token", "hub.verify_token");
    // Looks for names with underscores, as PHP has them, in a language that does not.
    let underscores = start(|asked| {
        let query = url::Url::parse(&format!("http://x/?{}", asked.query)).unwrap();
        let value = |name: &str| query.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        match (value("hub_verify_token").as_deref(), value("hub_challenge")) {
            (Some(TOKEN), Some(challenge)) => answer("200 OK", &[], &challenge),
            _ => answer("403 Forbidden", &[], "no"),
        }
    });
    assert_problem(&underscores, "underscores", "hub.challenge");
}

#[test]
fn what_the_network_does_is_told() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_problem(&format!("http://{closed}/hook"), "refused", "start the receiver");
    assert_problem("https://does-not-exist.invalid/hook", "dns", "host name");
    assert_problem(&start(|_| Vec::new()), "broken_off", "closed the connection");
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/hook", plain.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = plain.accept() {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    assert_problem(&url, "tls", "serve HTTPS");
}

#[test]
fn certificates_are_told_apart() {
    for (wrong, problem, hint) in [
        (Wrong::SelfSigned, "certificate_self_signed", "public authority"),
        (Wrong::Incomplete, "chain_incomplete", "fullchain.pem"),
        (Wrong::Foreign, "authority_unknown", "--ca-bundle"),
        (Wrong::Private, "authority_unknown", "--ca-bundle"),
    ] {
        assert_problem(&start_tls(wrong).0, problem, hint);
    }
    for (wrong, problem, hint) in [
        (Wrong::Expired, "certificate_expired", "renew"),
        (Wrong::NotYet, "certificate_not_yet_valid", "clock"),
        (Wrong::OtherName, "certificate_of_another_host", "this name"),
    ] {
        let (url, authority) = start_tls(wrong);
        let home = Home::new();
        home.file("ca.pem", authority);
        let (code, found) = verify(&home, &url, &["--ca-bundle", "ca.pem"]);
        assert_eq!((code, found["problem"].as_str()), (7, Some(problem)), "{found:#}");
        assert!(found["hint"].as_str().unwrap().contains(hint), "{found:#}");
    }
    let (url, authority) = start_tls(Wrong::Nothing);
    let home = Home::new();
    home.file("ca.pem", authority);
    assert_eq!(verify(&home, &url, &["--ca-bundle", "ca.pem"]).0, 0);
}

#[test]
fn a_receiver_that_wants_a_client_certificate_is_told() {
    for old in [true, false] {
        let (url, authority) = start_tls(Wrong::WantsClients { old });
        let home = Home::new();
        home.file("ca.pem", authority);
        let (code, found) = verify(&home, &url, &["--ca-bundle", "ca.pem"]);
        assert_eq!((code, &found["cause"]), (7, &"client-certificate-wanted".into()), "TLS 1.2 {old}: {found:#}");
        assert!(found["hint"].as_str().unwrap().contains("Meta"), "{found:#}");
    }
}

#[test]
fn what_a_receiver_repeats_of_the_address_is_hidden() {
    let url =
        format!("{}?code=functionkey", start(|asked| answer("404 Not Found", &[], &format!("no {}", asked.head))));
    let home = Home::new();
    for more in [&["--json"][..], &[]] {
        let words = [&["webhook", "verify", "--url", &url, "--verify-token-stdin"], more].concat();
        let run = home.run_with(&words, TOKEN).code(7);
        // JSON has the callback itself whole.
        let told = run.stdout.replace(&format!("\"{url}\""), "");
        assert!(told.contains("no GET /hook?code=********"), "{run:#?}");
        assert!(!told.contains("functionkey") && !told.contains(TOKEN), "{run:#?}");
    }
}

#[test]
fn a_page_that_mentions_a_workflow_is_a_page() {
    let html = ["Content-Type: text/html"];
    let page = "<html><body>JavaScript is disabled. Log in to automate your workflow.</body></html>";
    assert_problem(&start(move |_| answer("200 OK", &html, page)), "html", "path");
    let key = ["WWW-Authenticate: Bearer realm=\"keycloak\""];
    assert_problem(&start(move |_| answer("401 Unauthorized", &key, "{}")), "login_needed", "login");
    let get = r#"{"message":"This webhook is not registered for GET requests. Did you mean to make a POST request?"}"#;
    assert_problem(&start(move |_| answer("404 Not Found", &[], get)), "method_not_allowed", "GET");
}

#[test]
fn curl_lines_are_masked_unless_they_are_revealed() {
    let url = format!("{}?code=functionkey", start(right));
    let home = Home::new();
    let words = ["webhook", "verify", "--url", &url, "--verify-token-stdin", "--curl"];
    let masked = home.run_with(&words, TOKEN).code(0).shows(&["curl -sS -i --max-time 5", "hub.mode=subscribe"]);
    masked.shows(&["?code=CODE&"]);
    let masked = home.run_with(&words, TOKEN).code(0);
    for secret in [TOKEN, "functionkey"] {
        assert!(!masked.stdout.contains(secret) && !masked.stderr.contains(secret));
    }
    let run = home.run_with(&[&words[..], &["--reveal"]].concat(), TOKEN).code(0);
    // What is printed can be run.
    let lines: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("curl")).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains(TOKEN) && !lines[1].contains(TOKEN) && lines[0].contains("functionkey"));
    if crate::support::has("curl", "curl") {
        for (line, status) in [(lines[0], "200"), (lines[1], "403")] {
            let ran = home.program("sh").args(["-c", line]).output().unwrap();
            let text = String::from_utf8(ran.stdout).unwrap();
            assert!(text.starts_with(&format!("HTTP/1.1 {status}")), "{text}");
        }
    }
}

#[test]
fn what_is_missing_is_named() {
    let home = Home::new();
    home.run(&["webhook", "verify", "--url", "http://127.0.0.1:1/hook"]).code(2).says(&["--verify-token-stdin"]);
    // Nothing is sent in the open.
    let (code, found) = verify(&home, "http://receiver.invalid/hook", &[]);
    assert_eq!((code, &found["problem"], &found["requests"]), (7, &"not_https".into(), &Value::Array(Vec::new())));
    home.run(&["webhook", "verify"]).code(2).says(&["missing: NAME"]);
}
