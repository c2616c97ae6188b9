//! `webhook listen` where something goes wrong: a disk that is full, a reader who stops
//! reading, strangers who ask and send without an end.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use msgrctl::webhook::signature::sign;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::sandbox::ask;
use crate::support::Home;
use crate::support::listening::Listening;
use crate::support::pty::Pty;
use crate::support::receiver::TOKEN;
use crate::support::world::{PAGE_ID, acme, app, sandbox};

/// What strangers may cost at most is half a second; as much again is for a machine that is
/// busy with other tests. Without the limits it is four seconds and more.
const AT_ONCE: Duration = Duration::from_secs(1);

fn message(mid: &str, text: &str) -> String {
    json!({"object": "page", "entry": [{"id": PAGE_ID, "time": 1_790_000_000_123_i64, "messaging": [{
        "sender": {"id": "7654321098765432"}, "recipient": {"id": PAGE_ID}, "timestamp": 1_790_000_000_001_i64,
        "message": {"mid": mid, "text": text},
    }]}]})
    .to_string()
}

/// Sends an event; `None` when the listener hangs up or is gone.
fn post(base: &str, secret: &str, body: &str) -> Option<u16> {
    let (sha256, _) = sign(body.as_bytes(), secret.as_bytes());
    let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let length = body.len();
    let head = format!(
        "POST /webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Hub-Signature-256: {sha256}\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).ok()?;
    String::from_utf8_lossy(&answer[9..]).parse().ok()
}

fn handshake(base: &str, token: &str) -> u16 {
    ask(base, "GET", &format!("/webhook?hub.mode=subscribe&hub.challenge=42&hub.verify_token={token}"), &[], "").0
}

/// Does something seven times, most of them at once: a machine that is busy with other
/// tests makes one or the other late, and strangers who hold it up make all of them late.
#[track_caller]
fn at_once(mut act: impl FnMut(usize)) {
    let mut times: Vec<Duration> = (0..7)
        .map(|number| {
            let start = Instant::now();
            act(number);
            start.elapsed()
        })
        .collect();
    times.sort();
    assert!(times[3] < AT_ONCE, "{times:?}");
}

/// A free port of this machine.
fn free() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn wait_until_it_listens(address: &str) {
    let end = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < end, "nothing listens on {address}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// How long a process takes to end, and its exit code.
fn ends(child: &mut Child, within: Duration) -> (Duration, Option<i32>) {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (start.elapsed(), status.code());
        }
        if start.elapsed() > within {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it still runs after {within:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

fn talk_of(child: &mut Child) -> String {
    let mut talk = String::new();
    child.stderr.take().unwrap().read_to_string(&mut talk).unwrap();
    talk
}

#[test]
fn no_event_is_answered_that_a_full_disk_could_not_take() {
    let sandbox = sandbox();
    let (home, secret) = (acme(&sandbox, true), app(&sandbox).1);
    let address = free();
    let file = home.path("events.jsonl");
    // A file that may not grow past 16 KiB behaves as a disk that is full.
    let script = format!("ulimit -f 32; exec {} \"$@\"", env!("CARGO_BIN_EXE_msgrctl"));
    let mut command = home.program("dash");
    command.args(["-c", &script, "msgrctl", "webhook", "listen", "acme", "--json", "--listen", &address]);
    let mut child = command.stdout(File::create(&file).unwrap()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until_it_listens(&address);
    let base = format!("http://{address}");
    let mut answers = Vec::new();
    for number in 0..200 {
        answers.push(post(&base, &secret, &message(&format!("m_{number}"), &"x".repeat(100))));
        if answers.last() != Some(&Some(200)) {
            break;
        }
    }
    let (_, code) = ends(&mut child, Duration::from_secs(5));
    let talk = talk_of(&mut child);
    let taken = answers.iter().filter(|answer| **answer == Some(200)).count();
    assert!(taken > 10 && answers.last() == Some(&Some(503)), "{answers:?}\n{talk}");
    assert!(code == Some(1) && talk.contains("Meta is asked to send them again"), "{code:?}: {talk}");
    // Whole lines alone, and an event for each that was answered.
    let written = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().filter(|line| line["kind"] == "event").count(), taken);
    // Nothing can be written at all: it does not even begin.
    let mut command = home.msgrctl(&["webhook", "listen", "acme", "--json", "--listen", &address]);
    let mut child =
        command.stdout(File::options().write(true).open("/dev/full").unwrap()).stderr(Stdio::piped()).spawn().unwrap();
    assert_eq!(ends(&mut child, Duration::from_secs(5)).1, Some(1));
}

#[test]
fn a_reader_who_stops_reading_costs_no_event_and_no_signal() {
    let sandbox = sandbox();
    let (home, secret) = (acme(&sandbox, true), app(&sandbox).1);
    let stops_at = |name: &str| {
        let mut command = home.msgrctl(&["webhook", "listen", "acme", "--json", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::with_capacity(1024, child.stdout.take().unwrap());
        let mut ready = String::new();
        stdout.read_line(&mut ready).unwrap();
        let ready: Value = serde_json::from_str(&ready).unwrap();
        let base = ready["url"].as_str().unwrap().trim_end_matches("/webhook").to_owned();
        // Nothing is read from here on, and a pipe holds 64 KiB.
        let large = "x".repeat(100_000);
        assert_eq!(post(&base, &secret, &message("m_stuck", &large)), Some(503));
        at_once(|_| assert_eq!(handshake(&base, TOKEN), 200));
        let waiting = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| post(&base, &secret, &message("m_waits", "hello")));
            std::thread::sleep(Duration::from_millis(300));
            signal(&child, name);
            let (took, code) = ends(&mut child, Duration::from_secs(10));
            assert!(took < Duration::from_secs(5), "{took:?}");
            assert_eq!(code, Some(1));
            waiting.join().unwrap()
        });
        assert_eq!(waiting, Some(503));
        assert!(talk_of(&mut child).contains("standard output is not being read"));
    };
    // Most of the time is spent waiting: the two go side by side.
    std::thread::scope(|scope| {
        scope.spawn(|| stops_at("-TERM"));
        scope.spawn(|| stops_at("-INT"));
    });
}

#[test]
fn what_was_not_read_in_time_is_shown_once_when_it_is_read() {
    let sandbox = sandbox();
    let (home, secret) = (acme(&sandbox, true), app(&sandbox).1);
    let mut command = home.msgrctl(&["webhook", "listen", "acme", "--json", "--listen", "127.0.0.1:0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::with_capacity(1024, child.stdout.take().unwrap()).lines();
    let ready: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    let base = ready["url"].as_str().unwrap().trim_end_matches("/webhook").to_owned();
    let late = message("m_late", &"x".repeat(100_000));
    assert_eq!(post(&base, &secret, &late), Some(503));
    // Meta sends it again, while somebody reads.
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let events = lines.by_ref().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
            let mut mids = events.filter(|line| line["kind"] == "event").map(|event| event["mid"].clone());
            (mids.next(), mids.next())
        });
        assert_eq!(post(&base, &secret, &late), Some(200));
        assert_eq!(post(&base, &secret, &message("m_next", "hello")), Some(200));
        assert_eq!(reading.join().unwrap(), (Some("m_late".into()), Some("m_next".into())));
    });
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn an_event_that_was_handed_on_is_answered_though_the_reader_is_stuck() {
    let sandbox = sandbox();
    let (home, secret) = (acme(&sandbox, true), app(&sandbox).1);
    let hook = crate::support::Hook::start();
    let forward = ["webhook", "listen", "acme", "--json", "--listen", "127.0.0.1:0", "--forward-to", &hook.url];
    let mut child = home.msgrctl(&forward).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = BufReader::with_capacity(1024, child.stdout.take().unwrap());
    let mut ready = String::new();
    stdout.read_line(&mut ready).unwrap();
    let ready: Value = serde_json::from_str(&ready).unwrap();
    let base = ready["url"].as_str().unwrap().trim_end_matches("/webhook").to_owned();
    for mid in ["m_1", "m_2"] {
        assert_eq!(post(&base, &secret, &message(mid, &"x".repeat(100_000))), Some(200));
    }
    assert_eq!(hook.events(2).len(), 2);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Has so many strangers guess verify tokens, each again as soon as it is refused, until
/// `work` is done.
fn beside_guesses<T>(strangers: usize, address: &str, work: impl FnOnce() -> T) -> T {
    const GUESS: &[u8] = b"GET /webhook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=guess HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let asking = AtomicUsize::new(0);
    // Dropped when `work` is over, however it ends: then the strangers leave.
    let (over, stop) = tokio::sync::oneshot::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let guessing = (0..strangers).map(|_| async {
                loop {
                    let Ok(mut stream) = tokio::net::TcpStream::connect(address).await else {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        continue;
                    };
                    let _ = stream.write_all(GUESS).await;
                    asking.fetch_add(1, Ordering::Relaxed);
                    let _ = stream.read_to_end(&mut Vec::new()).await;
                }
            });
            runtime.block_on(async {
                tokio::select! {
                    _ = futures_util::future::join_all(guessing) => {}
                    _ = stop => {}
                }
            });
        });
        let _over = over;
        while asking.load(Ordering::Relaxed) < strangers {
            std::thread::sleep(Duration::from_millis(5));
        }
        work()
    })
}

#[test]
fn seven_hundred_guesses_at_a_time_delay_neither_handshakes_nor_a_rotation() {
    let sandbox = sandbox();
    let home = crate::webhook::in_a_file(&sandbox);
    let listening = Listening::start(&home, &["acme"]);
    home.run(&["account", "edit", "acme", "--callback-url", &listening.url]).code(0);
    home.run(&["webhook", "subscribe", "acme"]).code(0);
    let token = crate::webhook::verify_token(&home);
    let address = listening.base().strip_prefix("http://").unwrap().to_owned();
    let secret = app(&sandbox).1;
    beside_guesses(700, &address, || {
        at_once(|_| assert_eq!(handshake(&listening.base(), &token), 200));
        at_once(|number| {
            assert_eq!(post(&listening.base(), &secret, &message(&format!("m_{number}"), "hello")), Some(200));
        });
        home.run(&["webhook", "rotate", "acme", "--yes"]).code(0).shows(&["here and at Meta"]);
    });
    assert_ne!(crate::webhook::verify_token(&home), token);
}

#[test]
fn guesses_start_no_program_and_hold_no_event_up() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, true);
    let starts = home.path("starts");
    let program =
        home.file("slow-token", format!("#!/bin/sh\necho x >> {}\nsleep 1\nprintf %s {TOKEN}\n", starts.display()));
    Command::new("chmod").args(["+x", &program.to_string_lossy()]).status().unwrap();
    let reference = format!("command:{}", program.display());
    home.run(&["account", "edit", "acme", "--verify-token-from", &reference, "--no-test", "--yes"]).code(0);
    home.unset("MSGRCTL_SECRET_ACME_VERIFY_TOKEN");
    std::fs::remove_file(&starts).unwrap();
    let secret = app(&sandbox).1;
    let listening = Listening::start(&home, &["acme"]);
    let address = listening.base().strip_prefix("http://").unwrap().to_owned();
    // The first handshake waits until the token was read, which takes a second.
    assert_eq!(handshake(&listening.base(), TOKEN), 200);
    beside_guesses(8, &address, || {
        at_once(|number| {
            assert_eq!(post(&listening.base(), &secret, &message(&format!("m_{number}"), "hello")), Some(200));
            std::thread::sleep(Duration::from_millis(100));
        });
    });
    let count = std::fs::read_to_string(&starts).unwrap().lines().count();
    assert_eq!(count, 1, "the program was started {count} times");
}

#[test]
fn slow_bodies_of_strangers_hold_up_no_large_event() {
    let sandbox = sandbox();
    let (home, secret) = (acme(&sandbox, true), app(&sandbox).1);
    let listening = Listening::start(&home, &["acme"]);
    let address = listening.base().strip_prefix("http://").unwrap().to_owned();
    let head = format!(
        "POST /webhook HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: sha256={}\r\nTransfer-Encoding: chunked\r\n\r\n",
        "0".repeat(64)
    );
    let mut slow = Vec::new();
    for _ in 0..40 {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        // Each sends a part of a body that is as large as it may be.
        stream.write_all(format!("{:x}\r\n{}", 3 << 20, "y".repeat(1 << 20)).as_bytes()).unwrap();
        slow.push(stream);
    }
    at_once(|number| {
        let large = message(&format!("m_{number}"), &"z".repeat(200_000));
        assert_eq!(post(&listening.base(), &secret, &large), Some(200));
    });
    drop(slow);
}

#[test]
fn a_kill_at_any_moment_of_a_rotation_loses_no_verify_token() {
    let sandbox = sandbox();
    let home: Home = crate::webhook::in_a_file(&sandbox);
    let listening = Listening::start(&home, &["acme"]);
    home.run(&["account", "edit", "acme", "--callback-url", &listening.url]).code(0);
    home.run(&["webhook", "subscribe", "acme"]).code(0);
    for after in (0..12).map(|step| step * 25) {
        let mut child = home
            .msgrctl(&["webhook", "rotate", "acme", "--yes"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(after));
        let _ = child.kill();
        child.wait().unwrap();
        let shown = home.run(&["webhook", "show", "acme", "--reveal", "--json"]).code(0).json();
        let at_meta = sandbox.world().subscriptions[0].verify_token.clone();
        assert!(shown["verify_token"] == at_meta || shown["next_verify_token"] == at_meta, "{after} ms: {shown}");
    }
    home.run(&["webhook", "rotate", "acme", "--yes"]).code(0);
    assert_eq!(sandbox.world().subscriptions[0].verify_token, crate::webhook::verify_token(&home));
}

#[test]
fn a_console_on_a_terminal_that_takes_nothing_ends_and_answers_503() {
    let sandbox = sandbox();
    let (home, secret) = (acme(&sandbox, true), app(&sandbox).1);
    let command = home.msgrctl(&["webhook", "listen", "acme", "--listen", "127.0.0.1:0", "--console"]);
    let mut session = Pty::start(&command, 100);
    session.expect("ready: listening on ");
    let base = session.expect("/webhook for 'Acme'");
    session.expect("/help shows what can be typed");
    // From here on the terminal is not read, and what was answered 200 is on it all the same.
    let refused = (0..200).find(|number| {
        let text = "x".repeat(1500);
        post(&base, &secret, &message(&format!("m_{number}"), &text)) != Some(200)
    });
    assert!(refused.is_some_and(|number| number > 0), "{refused:?}");
    assert_eq!(session.signalled("-INT", Duration::from_secs(6)), 1);
}
