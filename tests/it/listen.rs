//! `webhook listen`: what it takes, what it refuses, what it passes on; and the
//! conversation of three terminals.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use msgrctl::sandbox::InProcess;
use msgrctl::webhook::signature::sign;
use serde_json::{Value, json};

use crate::sandbox::ask;
use crate::support::listening::Listening;
use crate::support::many::{many, set_app};
use crate::support::pty::Pty;
use crate::support::receiver::TOKEN;
use crate::support::world::{PAGE_ID, acme, app, sandbox};
use crate::support::{Home, Hook, Run};

/// A body as Meta sends it (webhook/FACTS.md, "Signatures").
const ESCAPED: &str = r#"{"object":"page","entry":[{"id":"109876543210987","time":1790000000123,"messaging":[{"sender":{"id":"7654321098765432"},"recipient":{"id":"109876543210987"},"timestamp":1790000000001,"message":{"mid":"m_test_0002","text":"\u00e4\u00f6\u00e5 https:\/\/example.com\/ \ud83d\ude00"}}]}]}"#;

fn message(mid: &str, text: &str) -> String {
    json!({"object": "page", "entry": [{"id": PAGE_ID, "time": 1_790_000_000_123_i64, "messaging": [{
        "sender": {"id": "7654321098765432"}, "recipient": {"id": PAGE_ID}, "timestamp": 1_790_000_000_001_i64,
        "message": {"mid": mid, "text": text},
    }]}]})
    .to_string()
}

struct World {
    sandbox: InProcess,
    home: Home,
    secret: String,
}

fn world() -> World {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    let secret = app(&sandbox).1;
    World { sandbox, home, secret }
}

fn post(listening: &Listening, headers: &[(&str, &str)], body: &str) -> u16 {
    ask(&listening.base(), "POST", "/webhook", headers, body).0
}

fn post_signed(listening: &Listening, secret: &str, body: &str) -> u16 {
    let (sha256, sha1) = sign(body.as_bytes(), secret.as_bytes());
    post(listening, &[("X-Hub-Signature-256", &sha256), ("X-Hub-Signature", &sha1)], body)
}

#[test]
fn an_event_about_the_app_tests_its_accounts() {
    let World { sandbox, home, secret } = world();
    let mut listening = Listening::start(&home, &["acme"]);
    sandbox.world().page_token_mut(PAGE_ID).unwrap().state = msgrctl::sandbox::TokenState::Expired;
    let body = r#"{"object":"application","entry":[{"id":"9","time":1790000000,"changes":[{"field":"business_integration_uninstall","value":{"business_manager_id":"5"}}]}]}"#;
    assert_eq!(post_signed(&listening, &secret, body), 200);
    let tested = listening.wait_for("tested");
    assert_eq!((&tested["account"], &tested["outcome"]), (&"acme".into(), &"fail".into()), "{tested}");
    home.run(&["status"]).code(0).shows(&["expired"]);
}

#[test]
fn sigterm_ends_it_after_a_test_of_several_accounts() {
    // Their progress sets the handler of Ctrl-C, which takes SIGTERM too.
    let (sandbox, home) = many(3);
    let (id, secret) = app(&sandbox);
    set_app(&home, &id, Some(&secret));
    let mut listening = Listening::start(&home, &[]);
    let body = r#"{"object":"application","entry":[{"id":"9","time":1790000000,"changes":[{"field":"business_integration_uninstall","value":{"business_manager_id":"5"}}]}]}"#;
    assert_eq!(post_signed(&listening, &secret, body), 200);
    (0..3).for_each(|_| drop(listening.wait_for("tested")));
    let (code, stopped) = listening.stop("-TERM");
    assert_eq!((code, stopped["kind"].as_str()), (Some(0), Some("stopped")));
}

#[test]
fn signed_events_are_shown_and_the_others_refused_and_counted() {
    let World { home, secret, .. } = world();
    let mut listening = Listening::start(&home, &["acme"]);
    assert_eq!(post_signed(&listening, &secret, ESCAPED), 200);
    let event = listening.wait_for("event");
    assert_eq!(event["text"], "äöå https://example.com/ 😀");
    assert_eq!((&event["event"], &event["account"]), (&"message".into(), &"Acme".into()));
    assert_eq!((&event["sender"], &event["mid"]), (&"7654321098765432".into(), &"m_test_0002".into()));
    assert_eq!(event["raw"]["message"]["mid"], "m_test_0002");
    // The older header, where only that is sent.
    let body = message("m_1", "old");
    let (sha256, sha1) = sign(body.as_bytes(), secret.as_bytes());
    assert_eq!(post(&listening, &[("X-Hub-Signature", &sha1)], &body), 200);
    listening.wait_for("event");
    // The newer one decides where both are sent.
    let wrong = format!("sha256={}", "0".repeat(64));
    assert_eq!(post(&listening, &[("X-Hub-Signature-256", &wrong), ("X-Hub-Signature", &sha1)], &body), 403);
    assert_eq!(listening.wait_for("refused")["why"], "its signature does not match this app secret and this body");
    assert_eq!(post(&listening, &[], &body), 403);
    assert_eq!(listening.wait_for("refused")["why"], "it has no signature");
    assert_eq!(post(&listening, &[("X-Hub-Signature-256", "sha256=zz")], &body), 403);
    listening.wait_for_refusal("64 hexadecimal digits");
    // A body that was written again is another one.
    let again = serde_json::from_str::<Value>(ESCAPED).unwrap().to_string();
    let (of_escaped, _) = sign(ESCAPED.as_bytes(), secret.as_bytes());
    assert_eq!(post(&listening, &[("X-Hub-Signature-256", &of_escaped)], &again), 403);
    // Cut, and doubled.
    assert_eq!(post(&listening, &[("X-Hub-Signature-256", &sha256)], &body[..body.len() - 1]), 403);
    assert_eq!(post(&listening, &[("X-Hub-Signature-256", &sha256)], &body.repeat(2)), 403);
    let (code, stopped) = listening.stop("-INT");
    assert_eq!((code, &stopped["events"], &stopped["refused"]), (Some(0), &2.into(), &6.into()));
}

#[test]
fn the_handshake_is_answered_and_other_requests_are_not() {
    let World { home, .. } = world();
    let mut listening = Listening::start(&home, &["acme"]);
    let get = |query: &str| ask(&listening.base(), "GET", &format!("/webhook{query}"), &[], "");
    let (status, head, body) = get(&format!("?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={TOKEN}"));
    assert_eq!((status, body.as_str()), (200, "1158201444"));
    assert!(head.contains("content-type: text/plain"), "{head}");
    assert_eq!(get("?hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong").0, 403);
    assert_eq!(get("?hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=x").0, 400);
    assert_eq!(get("?hub.mode=subscribe&hub.challenge=%3Cb%3E&hub.verify_token=x").0, 400);
    assert_eq!(get("").0, 400);
    assert_eq!(ask(&listening.base(), "GET", "/other", &[], "").0, 404);
    let (status, head, _) = ask(&listening.base(), "PUT", "/webhook", &[], "");
    assert_eq!((status, head.contains("allow: get, post")), (405, true));
    assert_eq!(listening.wait_for("handshake")["accepted"], true);
    listening.wait_for_refusal("wrong verify token");
    let shown = listening.shown.iter().map(ToString::to_string).collect::<String>();
    assert!(!shown.contains(TOKEN) && !shown.contains("wrong\""), "{shown}");
}

#[test]
fn what_is_signed_and_strange_does_no_harm() {
    let World { home, secret, .. } = world();
    let mut listening = Listening::start(&home, &["acme"]);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["hello=world", "", "{\"object\":\"page\"", &deep] {
        // A refusal would make Meta send it again for hours.
        assert_eq!(post_signed(&listening, &secret, body), 200, "{}", &body[..body.len().min(20)]);
        assert_eq!(listening.wait_for("event")["event"], "unknown");
    }
    // Not UTF-8.
    let mut bytes = message("m_x", "?").into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'?').unwrap();
    bytes[at] = 0xff;
    let (sha256, _) = sign(&bytes, secret.as_bytes());
    assert_eq!(raw(&listening, &format!("X-Hub-Signature-256: {sha256}\r\n"), &bytes), "200");
    assert_eq!(listening.wait_for("event")["text"], "\u{fffd}");
    // JSON that is no event, events that nobody knows, Pages of nobody: taken, and shown.
    for body in ["{}", "[1,2]", "7", r#"{"object":"instagram","entry":[]}"#] {
        assert_eq!(post_signed(&listening, &secret, body), 200);
        assert_eq!(listening.wait_for("event")["event"], "unknown");
    }
    let new = message("m_2", "hi").replace("\"message\"", "\"hologram\"");
    assert_eq!(post_signed(&listening, &secret, &new), 200);
    assert_eq!(listening.wait_for("event")["raw"]["hologram"]["mid"], "m_2");
    let elsewhere = message("m_3", "hi").replace(PAGE_ID, "555555555555");
    assert_eq!(post_signed(&listening, &secret, &elsewhere), 200);
    assert_eq!(listening.wait_for("other_page")["page_id"], "555555555555");
    // 10 MB, named and unnamed.
    let large = "x".repeat(10 * 1024 * 1024);
    let (sha256, _) = sign(large.as_bytes(), secret.as_bytes());
    let header = format!("X-Hub-Signature-256: {sha256}\r\n");
    assert_eq!(raw(&listening, &header, large.as_bytes()), "413");
    let chunked = format!("{header}Transfer-Encoding: chunked\r\n");
    assert_eq!(raw(&listening, &chunked, format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len()).as_bytes()), "413");
    listening.wait_for_refusal("larger than 4 MiB");
    // A head that has no end.
    let mut stream = TcpStream::connect(listening.base().strip_prefix("http://").unwrap()).unwrap();
    let mut head = String::from("POST /webhook HTTP/1.1\r\nHost: x\r\n");
    for number in 0..200 {
        write!(head, "X-{number}: {}\r\n", "y".repeat(1000)).unwrap();
    }
    let _ = stream.write_all(head.as_bytes());
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 431");
    assert_eq!(post_signed(&listening, &secret, &message("m_4", "still there")), 200);
    assert_eq!(listening.wait_for("event")["text"], "still there");
}

/// A request with a body of bytes; the status. The other side may hang up before it
/// has taken the body.
fn raw(listening: &Listening, headers: &str, body: &[u8]) -> String {
    let address = listening.base().strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    let length =
        if headers.contains("chunked") { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    write!(stream, "POST /webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}{length}\r\n").unwrap();
    let mut sender = stream.try_clone().unwrap();
    let body = body.to_vec();
    let sending = std::thread::spawn(move || drop(sender.write_all(&body)));
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    drop(stream);
    let _ = sending.join();
    String::from_utf8_lossy(&answer[9..]).into_owned()
}

#[test]
fn what_meta_sends_again_is_shown_once() {
    let World { home, secret, .. } = world();
    let mut listening = Listening::start(&home, &["acme"]);
    for _ in 0..3 {
        assert_eq!(post_signed(&listening, &secret, &message("m_same", "hello")), 200);
    }
    assert_eq!(post_signed(&listening, &secret, &message("m_next", "world")), 200);
    assert_eq!(listening.wait_for("event")["mid"], "m_same");
    assert_eq!(listening.wait_for("event")["mid"], "m_next");
    let (_, stopped) = listening.stop("-TERM");
    assert_eq!((&stopped["events"], &stopped["duplicates"]), (&2.into(), &2.into()));
}

#[test]
fn a_thousand_slow_connections_hold_nobody_up() {
    let World { home, secret, .. } = world();
    let mut listening = Listening::start(&home, &["acme"]);
    let address = listening.base().strip_prefix("http://").unwrap().to_owned();
    let mut slow = Vec::new();
    for number in 0..1000 {
        let Ok(mut stream) = TcpStream::connect(&address) else { break };
        // Half a head; or a whole one and no body.
        let _ = if number % 2 == 0 {
            stream.write_all(b"POST /webhook HTTP/1.1\r\nHost: x\r\n")
        } else {
            let (sha256, _) = sign(b"", b"");
            let head = format!(
                "POST /webhook HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: {sha256}\r\nContent-Length: 60000\r\n\r\n"
            );
            stream.write_all(head.as_bytes())
        };
        slow.push(stream);
    }
    assert!(slow.len() >= 900, "{}", slow.len());
    // The oldest of those who are slow make place at once.
    let query = format!("/webhook?hub.mode=subscribe&hub.challenge=42&hub.verify_token={TOKEN}");
    let times = ["m_first", "m_second", "m_after"].map(|mid| {
        let start = Instant::now();
        assert_eq!(post_signed(&listening, &secret, &message(mid, "made it")), 200);
        assert_eq!(ask(&listening.base(), "GET", &query, &[], "").0, 200);
        start.elapsed()
    });
    // A machine that is busy with other tests makes one or the other late.
    assert!(times.iter().any(|time| *time < Duration::from_millis(500)), "{times:?}");
    while listening.wait_for("event")["text"] != "made it" {}
    drop(slow);
    assert_eq!(listening.stop("-INT").0, Some(0));
}

#[test]
fn events_are_passed_on_as_they_came() {
    let World { home, secret, .. } = world();
    let hook = Hook::start();
    let mut listening = Listening::start(&home, &["acme", "--forward-to", &hook.url]);
    hook.will_answer(418, "");
    assert_eq!(post_signed(&listening, &secret, ESCAPED), 200);
    assert_eq!(listening.wait_for("forwarded")["status"], 418);
    let got = hook.events(1).remove(0);
    assert_eq!(got.body, ESCAPED.as_bytes());
    let (sha256, sha1) = sign(ESCAPED.as_bytes(), secret.as_bytes());
    assert_eq!(got.header("x-hub-signature-256"), Some(sha256.as_str()));
    assert_eq!(got.header("x-hub-signature"), Some(sha1.as_str()));
    assert_eq!(got.header("content-type"), Some("application/json"));
    // One that is not there holds nobody up.
    drop(listening);
    let mut listening = Listening::start(&home, &["acme", "--forward-to", "http://127.0.0.1:1/hook"]);
    assert_eq!(post_signed(&listening, &secret, ESCAPED), 200);
    assert!(listening.wait_for("forwarded")["error"].as_str().unwrap().contains("refused"));
    listening.signal("-INT");
    let (code, talk) = listening.ends();
    assert!(
        code == Some(0) && talk.contains("1 of the notifications were not passed on to http://127.0.0.1:1/hook"),
        "{talk}"
    );
    home.run(&["webhook", "listen", "acme", "--forward-to", "http://example.com/hook"]).code(2).says(&["https://"]);
}

#[test]
fn what_was_answered_is_passed_on_before_the_end() {
    let World { home, secret, .. } = world();
    let hook = Hook::start();
    for _ in 0..3 {
        hook.will_answer_late(Duration::from_millis(300));
    }
    let mut listening = Listening::start(&home, &["acme", "--forward-to", &hook.url]);
    for number in 0..3 {
        assert_eq!(post_signed(&listening, &secret, &message(&format!("m_{number}"), "hello")), 200);
    }
    listening.wait_for("event");
    let (code, stopped) = listening.stop("-INT");
    assert_eq!((code, &stopped["events"]), (Some(0), &3.into()));
    assert_eq!(hook.events(3).len(), 3);
    let own =
        ["webhook", "listen", "acme", "--listen", "127.0.0.1:8099", "--forward-to", "http://127.0.0.1:8099/webhook"];
    home.run(&own).code(2).says(&["the listener's own address"]);
}

#[test]
fn strangers_cannot_move_the_cursor_or_flood_the_screen() {
    let World { home, secret, .. } = world();
    let mut command = home.msgrctl(&["webhook", "listen", "acme", "--listen", "127.0.0.1:0"]);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let ready = lines.next().unwrap().unwrap();
    let base = ready.split("listening on ").nth(1).unwrap().split("/webhook").next().unwrap().to_owned();
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                ask(&base, "GET", "/webhook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=guess", &[], "").0
            });
        }
    });
    let body = message("m_evil", "hi").replace("7654321098765432", "\\u001b]0;owned\\u0007\\u001b[2J");
    let (sha256, _) = sign(body.as_bytes(), secret.as_bytes());
    assert_eq!(ask(&base, "POST", "/webhook", &[("X-Hub-Signature-256", &sha256)], &body).0, 200);
    let mut refused = 0;
    for line in lines.by_ref().map_while(Result::ok) {
        assert!(!line.contains('\u{1b}') && !line.contains('\u{7}') && !line.contains("guess"), "{line:?}");
        refused += usize::from(line.contains("refused"));
        if line.contains("message: hi") {
            break;
        }
    }
    assert!((1..20).contains(&refused), "{refused}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn an_account_without_an_app_secret_cannot_be_listened_for() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    home.run(&["webhook", "listen", "acme"]).code(4).says(&["no app secret", "MSGRCTL_SECRET_ACME_APP_SECRET"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let World { home, .. } = world();
    home.run(&["webhook", "listen", "--listen", &address])
        .code(1)
        .says(&["cannot listen on", "--listen 127.0.0.1:PORT"]);
    home.run(&["webhook", "listen", "--path", "hook"]).code(2).says(&["begins with /"]);
}

fn subscribed(world: &World, listening: &Listening) {
    world.home.run(&["account", "edit", "acme", "--callback-url", &listening.url]).code(0);
    world.home.run(&["webhook", "subscribe", "acme", "--yes"]).code(0);
}

fn say(world: &World, text: &str) -> Run {
    world.home.run(&["sandbox", "say", text]).code(0)
}

/// What the Page has sent in the sandbox, oldest first.
fn answers(sandbox: &InProcess) -> Vec<String> {
    let calls = sandbox.world();
    let sent =
        calls.journal.entries().iter().filter(|entry| entry.path.ends_with("/messages") && entry.method == "POST");
    sent.filter(|entry| entry.status == Some(200))
        .filter_map(|entry| {
            let message = entry.parameters.iter().find(|parameter| parameter.name == "message")?;
            serde_json::from_str::<Value>(&message.value).ok()?["text"].as_str().map(str::to_owned)
        })
        .collect()
}

#[test]
fn three_terminals_a_customer_and_an_agent() {
    let world = world();
    world.home.run(&["message", "disable", "acme", "agent-left"]).code(0);
    world.home.run(&["message", "set", "acme", "session-ended", "--text", "Bye from Acme."]).code(0);
    let command = world.home.msgrctl(&["webhook", "listen", "acme", "--listen", "127.0.0.1:0", "--console"]);
    let mut session = Pty::start(&command, 120);
    session.expect("ready: listening on ");
    let url = session.expect(" for 'Acme'");
    session.expect("/help shows what can be typed");
    world.home.run(&["account", "edit", "acme", "--callback-url", &url]).code(0);
    world.home.run(&["webhook", "subscribe", "acme", "--yes"]).code(0);
    say(&world, "hello");
    session.expect("hello");
    session.send("an answer too early\r");
    session.expect("take one first");
    session.send("/take\r");
    session.expect("agent-joined to Jane Doe: ");
    session.send("Good morning!\r");
    session.expect("you to Jane Doe: Good morning!");
    session.expect("delivered to");
    session.send("/leave\r");
    session.expect("agent-left is not sent: it is disabled (account)");
    session.send("/take\r");
    session.expect("agent-joined to Jane Doe: ");
    session.send("/end\r");
    session.expect("session-ended to Jane Doe: Bye from Acme.");
    session.expect("is closed");
    let sent = answers(&world.sandbox);
    assert_eq!(sent.len(), 4, "{sent:?}");
    assert_eq!((sent[1].as_str(), sent[3].as_str()), ("Good morning!", "Bye from Acme."));
    session.send("\x03");
    session.expect("stopped: ");
    assert_eq!(session.end().1, 0);
}

#[test]
fn a_script_plays_the_same_without_a_person() {
    let world = world();
    let script = world.home.file(
        "talk.txt",
        "expect message hello\ntake\nexpect sent agent-joined\nsay Good morning!\nexpect delivery\nexpect read\n\
         wait 5m\nexpect sent inactivity-warning\nwait 5m\nexpect sent inactivity-timeout\nexpect closed\n",
    );
    let mut listening = Listening::start(&world.home, &["acme", "--script", &script.to_string_lossy()]);
    subscribed(&world, &listening);
    say(&world, "hello");
    listening.wait_for("session_opened");
    assert_eq!(listening.wait_for("customer")["text"], "hello");
    assert_eq!(listening.wait_for("sent")["event"], "agent-joined");
    assert_eq!(listening.wait_for("sent")["text"], "Good morning!");
    assert_eq!(listening.wait_for("sent")["event"], "inactivity-warning");
    assert_eq!(listening.wait_for("sent")["event"], "inactivity-timeout");
    assert_eq!(listening.wait_for("session_closed")["by_silence"], true);
    assert_eq!(listening.ends().0, Some(0));
    assert_eq!(answers(&world.sandbox).len(), 4);
}

#[test]
fn nothing_automated_is_sent_after_a_day_of_silence() {
    let world = world();
    let script = world.home.file(
        "late.txt",
        "expect message hello\ntake\nexpect sent agent-joined\nwait 4m\nleave\nexpect sent agent-left\nwait 25h\ntake\nexpect not-sent agent-joined\nend\nexpect not-sent session-ended\n",
    );
    let mut listening = Listening::start(&world.home, &["acme", "--script", &script.to_string_lossy()]);
    subscribed(&world, &listening);
    say(&world, "hello");
    let why = listening.wait_for("not_sent")["why"].as_str().unwrap().to_owned();
    assert!(why.contains("over 24 hours ago"), "{why}");
    assert_eq!(listening.ends().0, Some(0));
    assert_eq!(answers(&world.sandbox).len(), 2);
}

#[test]
fn a_script_that_is_not_met_says_at_which_line() {
    let world = world();
    let script = world.home.file("never.txt", "within 300ms\nexpect message hello\n");
    let mut listening = Listening::start(&world.home, &["acme", "--script", &script.to_string_lossy()]);
    let (code, talk) = listening.ends();
    assert_eq!(code, Some(7), "{talk}");
    assert!(talk.contains("line 2 of the script"), "{talk}");
    let wrong = world.home.file("wrong.txt", "tkae\nexpect sent goodbye\n");
    let script = ["webhook", "listen", "acme", "--script", &wrong.to_string_lossy()];
    world.home.run(&script).code(2).says(&["line 1: 'tkae'", "line 2: ", "msgrctl help scripts"]);
    // A message that Meta does not take ends it, with the reason.
    let script = world.home.file("refused.txt", "expect message hello\ntake\nsay too late\n");
    let mut listening = Listening::start(&world.home, &["acme", "--script", &script.to_string_lossy()]);
    subscribed(&world, &listening);
    world.sandbox.world().page_token_mut(PAGE_ID).unwrap().state = msgrctl::sandbox::TokenState::PasswordChanged;
    say(&world, "hello");
    let (code, talk) = listening.ends();
    assert_eq!(code, Some(4), "{talk}");
    assert!(talk.contains("changed their password"), "{talk}");
}
