//! What only holds of records in a bucket: its refusals, its conditions and its rights.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

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
    assert_eq!(cause(&home, 4), "state-denied");
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
            let answer = if is_read { "404 Not Found" } else { "200 OK" };
            let text = format!("HTTP/1.1 {answer}\r\nETag: \"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(text.as_bytes());
        }
    });
    url
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
