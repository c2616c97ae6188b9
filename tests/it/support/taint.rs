//! Text that must not come out as it is, and a way to put it into every answer of Graph.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use regex_lite::Regex;
use serde_json::{Value, json};

/// Clears the screen, names the window, makes a link, writes the clipboard, ends the line,
/// speaks to the runners of CI jobs, turns the direction, hides.
pub const TAINT: &str = "\u{1b}[2J\u{1b}]0;x\u{7}\u{1b}]8;;https://evil.example\u{1b}\\\u{1b}]52;c;eA==\u{7}\u{1b}[31m\r\n::error::forged\nFORGED\n##[error]x ##vso[task.x]y\u{202e}\u{2066}\u{200b}\u{9b}31m\u{2028}\u{e0041}\u{fff9}\0";

/// The same as a variable or an argument can hold it.
pub fn taint_of_words() -> String {
    TAINT.replace('\0', "")
}

/// Which texts of an answer are tainted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taint {
    /// Those for people: commands go on as they would.
    Texts,
    /// Every one but tokens.
    All,
    /// Each answer is a refusal, and its texts are tainted.
    Refusals,
}

/// A way to the sandbox at `to` on which answers are tainted; returns its address.
pub fn front(to: &str, taint: Taint) -> String {
    let to = to.strip_prefix("http://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let to = to.clone();
            std::thread::spawn(move || pass(stream, &to, taint));
        }
    });
    url
}

fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = |line: &str| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned);
    let mut body = vec![0; head.lines().find_map(length).map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    // Answers are read as they are, and to their end.
    let plain =
        |line: &&str| !["accept-encoding", "connection"].iter().any(|name| line.to_lowercase().starts_with(name));
    let lines: Vec<&str> = head.trim_end().lines().filter(plain).collect();
    Some((format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n")), body))
}

fn pass(mut stream: TcpStream, to: &str, taint: Taint) {
    let Some((request, body)) = read_request(&mut stream) else { return };
    let mut graph = TcpStream::connect(to).unwrap();
    graph.write_all(request.as_bytes()).unwrap();
    graph.write_all(&body).unwrap();
    let mut answer = Vec::new();
    graph.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    // The paths that the sandbox has beside Graph are not tainted so.
    let refuses = taint == Taint::Refusals && !request.contains(" /_sandbox");
    let (status, body) = match serde_json::from_str(body) {
        Ok(mut value) if !refuses => {
            put_into(&mut value, "", taint);
            (head.lines().next().unwrap_or_default(), value.to_string())
        }
        _ => ("HTTP/1.1 400 Bad Request", refusal().to_string()),
    };
    let others = head.lines().skip(1).filter(|line| !line.to_lowercase().starts_with("content-length"));
    let head: Vec<&str> = others.collect();
    let text = format!("{status}\r\n{}\r\nContent-Length: {}\r\n\r\n{body}", head.join("\r\n"), body.len());
    // The client may be gone.
    let _ = stream.write_all(text.as_bytes());
}

fn refusal() -> Value {
    let text = |text: &str| format!("{text} {TAINT}");
    json!({"error": {
        "message": text("(#100) No"), "type": text("OAuthException"), "code": 100, "fbtrace_id": text("A1"),
        "error_user_title": text("Title"), "error_user_msg": text("Text"),
    }})
}

/// What commands work with: tainted, an answer means something else.
const WORKED_WITH: [&str; 21] = [
    "id",
    "username",
    "app_id",
    "profile_id",
    "user_id",
    "type",
    "object",
    "callback_url",
    "scopes",
    "scope",
    "target_ids",
    "tasks",
    "subscribed_fields",
    "fields",
    "after",
    "before",
    "next",
    "recipient_id",
    "message_id",
    "version",
    "status",
];

fn put_into(value: &mut Value, key: &str, taint: Taint) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| put_into(item, key, taint)),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                put_into(value, key, taint);
            }
        }
        Value::String(text) if key == "body" => {
            // One answer of a batch.
            let mut inner: Value = serde_json::from_str(text).unwrap_or_default();
            put_into(&mut inner, "", taint);
            *text = inner.to_string();
        }
        Value::String(text) => {
            let spared = key == "access_token" || key == "value" && text.starts_with('v') || key == "at";
            if !spared && (taint == Taint::All || !WORKED_WITH.contains(&key)) {
                text.push_str(TAINT);
            }
        }
        _ => {}
    }
}

/// Fails where a text that came out has what only text from outside can have.
#[track_caller]
pub fn assert_clean(what: &str, output: &str, on_terminal: bool) {
    let mut text = output.to_owned();
    if on_terminal {
        // Our colours, and what the crates for prompts and progress move.
        let ours = Regex::new(
            "\u{1b}\\[1m\u{1b}\\[31m|\u{1b}\\[([01247]|3[02-9]|4[0-7]|38;5;[0-9]+)m|\u{1b}\\[\\?25[hl]|\u{1b}\\[[0-9]*[ABCDGK]|\r",
        )
        .unwrap();
        text = ours.replace_all(&text, "").into_owned();
    }
    for line in text.lines() {
        let begin = line.trim_start();
        assert!(
            !begin.starts_with("::") && !line.contains("##[") && !line.contains("##vso["),
            "{what}: {line:?} of {output:?}"
        );
        assert!(on_terminal || !begin.starts_with("FORGED"), "{what}: {line:?} of {output:?}");
    }
    let foreign = |c: &char| {
        *c != '\n' && c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    if let Some(c) = text.chars().find(foreign) {
        panic!("{what}: U+{:04X} in {output:?}", u32::from(c));
    }
}
