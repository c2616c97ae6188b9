//! What only holds of records in a bucket: its refusals, its conditions and its rights.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use msgrctl::storage::Storage as _;

use crate::state::{added, machine};
use crate::support::seaweed::{KEY, KEY_ID, LEAST, READER, Seaweed, seaweed};
use crate::support::{Backend, Home};

#[test]
fn each_refusal_has_its_cause() {
    let Some(server) = seaweed() else { return };
    let prefix = Seaweed::prefix();
    let cause = |home: &Home, code: i32| -> String {
        let run = home.run(&["account", "list", "--json"]).code(code);
        run.json_error()["cause"].as_str().unwrap_or_default().to_owned()
    };
    let mut home = Backend::S3(server).home(&prefix, "");
    home.set("AWS_SECRET_ACCESS_KEY", "wrong");
    assert_eq!(cause(&home, 4), "state-credentials");
    home.unset("AWS_SECRET_ACCESS_KEY");
    assert_eq!(cause(&home, 4), "state-credentials");
    home.set("AWS_SECRET_ACCESS_KEY", KEY);
    home.set("MSGRCTL_STATE", &format!("s3://nobucket/x?endpoint={}", server.url));
    assert_eq!(cause(&home, 1), "state-no-bucket");
    home.set("MSGRCTL_STATE", "s3://team/x?endpoint=http://127.0.0.1:1");
    assert!(cause(&home, 5).ends_with("-unreachable"));
    // The setting can be corrected without the server.
    home.run(&["config", "list"]).code(0);
    home.run(&["version"]).code(0);
    home.set("MSGRCTL_STATE", "s3://team/x?endpoint=http://example.com");
    assert_eq!(cause(&home, 2), "state-address");
    let [id, key] = READER;
    let reader = Backend::S3(server).home(&prefix, "").with("AWS_ACCESS_KEY_ID", id).with("AWS_SECRET_ACCESS_KEY", key);
    reader.run(&["account", "list"]).code(0);
    let refused = reader.run(&["chat-settings", "set", "--messenger-timeout", "2h", "--json"]).code(4);
    assert_eq!(refused.json_error()["cause"], "state-denied", "{refused:#?}");
    for cause in ["state-locked", "state-conflict", "state-unconditional", "state-went-back"] {
        home.run(&["explain", cause]).code(0).shows(&["msgrctl state show"]);
    }
}

/// A server that takes every write, whatever its conditions.
fn careless() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut head = vec![0; 64 * 1024];
            let read = stream.read(&mut head).unwrap_or_default();
            let is_read = head[..read].starts_with(b"GET");
            let (answer, body) =
                if is_read { ("404 Not Found", "<Error><Code>NoSuchKey</Code></Error>") } else { ("200 OK", "") };
            let size = body.len();
            let head =
                format!("HTTP/1.1 {answer}\r\nETag: \"x\"\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all((head + body).as_bytes());
        }
    });
    url
}

/// A server that gives this answer to everything.
fn answering(answer: &'static str) -> Home {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut vec![0; 64 * 1024]);
            let (head, body) = answer.split_once('|').unwrap();
            let text = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
            let _ = stream.write_all(text.as_bytes());
        }
    });
    Home::new()
        .with("MSGRCTL_STATE", &format!("s3://team/x?endpoint={url}"))
        .with("AWS_ACCESS_KEY_ID", KEY_ID)
        .with("AWS_SECRET_ACCESS_KEY", KEY)
}

#[test]
fn what_a_server_refuses_is_told_apart() {
    for (answer, code, cause, words) in [
        (
            "301 Moved\r\nx-amz-bucket-region: eu-west-1|<Error><Code>PermanentRedirect</Code></Error>",
            2,
            "state-address",
            "?region=eu-west-1",
        ),
        (
            "400 Bad|<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-north-1</Region></Error>",
            2,
            "state-address",
            "?region=eu-north-1",
        ),
        ("400 Bad|<Error><Code>ExpiredToken</Code></Error>", 4, "state-credentials", "get new ones"),
        ("403 No|<Error><Code>SignatureDoesNotMatch</Code></Error>", 4, "state-credentials", "AWS_SECRET_ACCESS_KEY"),
        ("403 No|<Error><Code>RequestTimeTooSkewed</Code></Error>", 4, "clock-wrong", "clock"),
        ("403 No|<Error><Code>AccessDenied</Code></Error>", 4, "state-denied", "--print-policy s3"),
        ("404 No|<html>not here</html>", 1, "state-unreachable", "another program"),
        ("200 OK|<html>login</html>", 1, "state-unreachable", "another program"),
        ("503 Slow|<Error><Code>SlowDown</Code></Error>", 5, "state-unreachable", "try again"),
    ] {
        let error = answering(answer).run(&["account", "list", "--json"]).code(code).json_error();
        assert_eq!(error["cause"], cause, "{answer}: {error}");
        assert!(error["hint"].as_str().unwrap().contains(words), "{answer}: {error}");
    }
}

#[test]
fn half_a_line_at_the_end_of_the_log_swallows_no_other() {
    let Some(server) = seaweed() else { return };
    let server = Backend::S3(server);
    let place = server.place();
    let home = machine(server, &place, "");
    home.run(&added(&home, "Acme")).code(0);
    server.raw(&place, |storage| {
        let text = storage.read("log/00000001.jsonl").unwrap().unwrap();
        storage.put("log/00000001.jsonl", &text[..text.len() / 2]).unwrap();
    });
    home.run(&["chat-settings", "set", "--messenger-timeout", "2h"]).code(0);
    home.run(&["log"]).code(0).shows(&["chat-settings set"]);
    home.run(&["undo", "--yes"]).code(0);
}

#[test]
fn a_server_that_ignores_conditions_is_refused() {
    let home = Home::new()
        .with("MSGRCTL_STATE", &format!("s3://team/x?endpoint={}", careless()))
        .with("AWS_ACCESS_KEY_ID", KEY_ID)
        .with("AWS_SECRET_ACCESS_KEY", KEY);
    let refused = home.run(&["chat-settings", "set", "--messenger-timeout", "2h", "--json"]).code(1);
    assert_eq!(refused.json_error()["cause"], "state-unconditional", "{refused:#?}");
}

/// The policy that is printed names these actions; the server knows them as read, write and list.
#[test]
fn the_least_rights_are_enough() {
    let Some(server) = seaweed() else { return };
    let [id, key] = LEAST;
    let home = machine(Backend::S3(server), &Seaweed::prefix(), "")
        .with("AWS_ACCESS_KEY_ID", id)
        .with("AWS_SECRET_ACCESS_KEY", key);
    home.run(&added(&home, "Acme")).code(0);
    home.run(&["undo", "--yes"]).code(0);
    home.run(&["log"]).code(0).shows(&["account add"]);
    home.run(&["state", "show"]).code(0);
    let policy = home.run(&["doctor", "--print-policy", "s3"]).code(0);
    let policy: serde_json::Value = serde_json::from_str(&policy.stdout).unwrap();
    assert_eq!(
        policy["Statement"][0]["Action"],
        serde_json::json!(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"])
    );
    assert_eq!(policy["Statement"][1]["Action"], "s3:ListBucket");
}
