//! Rounds of tests, what is measured of them, and notices that are told once.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use msgrctl::sandbox::{InProcess, TokenState};
use serde_json::Value;

use crate::support::many::{many, requests};
use crate::support::world::{acme, app, sandbox};
use crate::support::{Home, Hook, Kills};

const PAGE: &str = "109876543210987";

/// Adds targets of notices to the configuration.
fn notify(home: &Home, tables: &str) {
    home.file("config/msgrctl/config.toml", tables);
}

/// A webhook whose address is in a variable.
fn hook_target(home: Home, hook: &Hook) -> Home {
    notify(
        &home,
        "[[notify]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"env:HOOK_URL\"\nsecret = \"env:HOOK_KEY\"\n",
    );
    home.with("HOOK_URL", &format!("{}?key=hushhush", hook.url)).with("HOOK_KEY", "signed-with-this")
}

fn set(sandbox: &InProcess, page: &str, state: TokenState) {
    sandbox.world().page_token_mut(page).unwrap().state = state;
}

/// The notices that arrived: the event with its accounts.
fn told(hook: &Hook) -> Vec<String> {
    let words = |body: Value| {
        let accounts = body["accounts"].as_array().unwrap().iter();
        let names: Vec<&str> = accounts.map(|account| account["account"].as_str().unwrap()).collect();
        format!("{} {}", body["event"].as_str().unwrap(), names.join(" "))
    };
    hook.received().iter().map(|received| words(received.json())).collect()
}

#[test]
fn each_change_is_told_once_across_restarts() {
    let (sandbox, hook) = (sandbox(), Hook::start());
    let home = hook_target(acme(&sandbox, false), &hook);
    let once = |code| home.run(&["watch", "--once"]).code(code);
    once(0);
    set(&sandbox, PAGE, TokenState::Expired);
    once(7).shows(&["1 fail", "default/acme stopped working: the token has expired"]);
    once(7);
    set(&sandbox, PAGE, TokenState::Valid);
    once(0);
    once(0);
    once(0);
    assert_eq!(told(&hook), ["failed acme", "recovered acme"]);

    let received = hook.received();
    let first = received[0].json();
    let account = &first["accounts"][0];
    assert_eq!(account["cause"], "expired");
    assert!(account["hint"].as_str().unwrap().contains("msgrctl account test acme"), "{account}");
    // Signed, and known by an id.
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"signed-with-this").unwrap();
    mac.update(&received[0].body);
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(received[0].header("x-msgrctl-signature"), Some(&*signature));
    assert_eq!(received[0].header("idempotency-key"), first["id"].as_str());
    drop(received);

    // What was found is in the log of health, and in status.
    home.run(&["log", "--health"]).code(0).shows(&["default/acme", "failed", "the token has expired (expired)"]);
    let changes = home.run(&["log", "--health", "--json"]).code(0).json();
    let events: Vec<&str> =
        changes["changes"].as_array().unwrap().iter().map(|change| change["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["failed", "recovered"]);
    home.run(&["status"]).code(0).shows(&["pass"]);
}

#[test]
fn a_state_that_another_command_found_is_told_by_the_next_round() {
    let (sandbox, hook) = (sandbox(), Hook::start());
    let home = hook_target(acme(&sandbox, false), &hook);
    home.run(&["watch", "--once"]).code(0);
    set(&sandbox, PAGE, TokenState::Expired);
    home.run(&["account", "test", "acme"]).code(7);
    assert!(told(&hook).is_empty());
    home.run(&["watch", "--once"]).code(7);
    assert_eq!(told(&hook), ["failed acme"]);
}

#[test]
fn a_dead_target_loses_no_notice_and_stops_no_check() {
    let (sandbox, hook) = (sandbox(), Hook::start());
    let home = hook_target(acme(&sandbox, false), &hook);
    home.run(&["watch", "--once"]).code(0);
    set(&sandbox, PAGE, TokenState::Expired);
    for _ in 0..3 {
        hook.will_answer(503, "");
    }
    let run = home.run(&["watch", "--once"]).code(7).says(&[
        "1 notice wait",
        "target 'hook'",
        "HTTP 503",
        "the next round tries again",
    ]);
    let told_of_address = format!("{}{}", run.stdout, run.stderr);
    assert!(!told_of_address.contains("hushhush"), "{told_of_address}");
    // A lasting refusal is not repeated in the round; the notice waits all the same.
    hook.will_answer(404, "");
    home.run(&["watch", "--once"]).code(7).says(&["HTTP 404"]);
    set(&sandbox, PAGE, TokenState::Valid);
    home.run(&["watch", "--once"]).code(0);
    home.run(&["watch", "--once"]).code(0);
    let received = hook.received();
    let ids: Vec<String> = received.iter().map(|one| one.json()["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 6, "{ids:?}");
    assert!(ids[..5].iter().all(|id| *id == ids[0]) && ids[5] != ids[0], "{ids:?}");
}

#[test]
fn a_program_gets_the_notice_on_its_standard_input_and_none_of_our_variables() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let out = home.path("out");
    let script = home.file("page-me", format!("#!/bin/sh\ncat > '{0}'; env > '{0}.env'\n", out.display()));
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    notify(&home, &format!("[[notify]]\nkind = \"command\"\ncommand = \"{} --now\"\n", script.display()));
    home.run(&["watch", "--notify-test"]).code(0).shows(&["command: took the notice"]);
    let notice: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    assert_eq!(notice["event"], "test");
    assert!(!std::fs::read_to_string(format!("{}.env", out.display())).unwrap().contains("MSGRCTL_"));
    std::fs::remove_file(&script).unwrap();
    home.run(&["watch", "--notify-test"]).code(9).says(&["command did not take the notice", "could not be started"]);
}

#[test]
fn a_target_that_is_written_wrong_is_named_and_its_secret_is_not_shown() {
    let home = acme(&sandbox(), false);
    for (table, says) in [
        ("kind = \"webhook\"\nurl = \"https://hooks.example.com/T0/hushhush\"", "url has to be a reference"),
        ("kind = \"webhook\"", "url is missing"),
        ("kind = \"webhook\"\nurl = \"env:HOOK\"\nto = [\"a@example.com\"]", "to is not a key of kind = \"webhook\""),
        ("kind = \"email\"\nfrom = \"a@example.com\"\nto = [\"b@example.com\"]", "smtp"),
        (
            "kind = \"email\"\nfrom = \"a@example.com\"\nto = [\"no address\"]\nsmtp = \"m.example.com\"",
            "not a valid mail",
        ),
        (
            "kind = \"email\"\nfrom = \"a@example.com\"\nto = [\"b@example.com\"]\nsmtp = \"m.example.com\"\ntls = \"none\"",
            "m.example.com is not one",
        ),
        ("kind = \"command\"\ncommand = \"\"", "not a program"),
        ("kind = \"webhook\"\nurl = \"env:HOOK\"\ntimeout = 0.0", "timeout"),
        ("kind = \"pager\"", "pager"),
        ("kind = \"webhook\"\nurl = \"env:HOOK\"\non = [\"always\"]", "always"),
    ] {
        notify(&home, &format!("[[notify]]\n{table}\n"));
        let run = home.run(&["watch", "--notify-test"]).code(3).says(&["config.toml", says]);
        assert!(!run.stderr.contains("hushhush"), "{run:?}");
    }
    notify(&home, "[[notify]]\nkind = \"webhook\"\nurl = \"env:NOT_SET\"\n");
    home.run(&["watch", "--notify-test"]).code(9).says(&["webhook", "env:NOT_SET refers to nothing"]);
    notify(&home, "");
    home.run(&["watch", "--notify-test"]).code(1).says(&["no target of notices", "msgrctl help notices"]);
}

/// `watch`, running.
struct Watching {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Watching {
    fn start(home: &Home, arguments: &[&str]) -> Self {
        Self::start_every(home, "1s", arguments)
    }

    fn start_every(home: &Home, every: &str, arguments: &[&str]) -> Self {
        let words = [&["watch", "--every", every, "--json"], arguments].concat();
        let mut child = home.msgrctl(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { child, lines }
    }

    fn next(&self, event: &str) -> Value {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(20)).expect("a line");
            let value: Value = serde_json::from_str(&line).unwrap();
            if value["event"] == event {
                return value;
            }
        }
    }

    /// SIGTERM; how long it took to end, and what it said.
    fn end(mut self) -> (Duration, Option<i32>, String) {
        let start = Instant::now();
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), rustix::process::Signal::TERM)
            .unwrap();
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            assert!(start.elapsed() < Duration::from_secs(20), "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (start.elapsed(), code, said)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `GET path` answers: the status and the body.
fn get(url: &str, path: &str) -> (u16, String, String) {
    let address = url.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_lowercase(), body.to_owned())
}

#[test]
fn a_watch_measures_ends_on_sigterm_and_runs_alone() {
    let (sandbox, hook) = (sandbox(), Hook::start());
    let home = hook_target(acme(&sandbox, false), &hook);
    let textfile = home.path("msgrctl.prom");
    let watching = Watching::start(&home, &["--listen", "127.0.0.1:0", "--textfile", textfile.to_str().unwrap()]);
    let url = watching.next("ready")["url"].as_str().unwrap().to_owned();
    let round = watching.next("round");
    assert_eq!(round["counts"]["pass"], 1, "{round}");

    let (status, head, metrics) = get(&url, "/metrics");
    assert!(status == 200 && head.contains("text/plain; version=0.0.4"), "{head}");
    assert!(metrics.contains("msgrctl_account_up{tenant=\"default\",account=\"acme\"} 1\n"), "{metrics}");
    assert_eq!(get(&url, "/healthz").0, 200);
    assert_eq!(get(&url, "/else").0, 404);
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&textfile).unwrap()) & 0o777, 0o644);

    let second = home.run(&["watch", "--once"]).code(1);
    second.says(&["another watch runs", "msgrctl status"]);

    set(&sandbox, PAGE, TokenState::Expired);
    let told = (0..5).map(|_| watching.next("round")).find(|round| !round["told"].as_array().unwrap().is_empty());
    assert_eq!(told.expect("told")["told"][0]["event"], "failed");
    assert!(get(&url, "/metrics").2.contains("check=\"token.valid\"} 2\n"));
    let (took, code, said) = watching.end();
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(code == Some(0) && said.contains("stopped"), "{code:?} {said}");
    home.run(&["watch", "--once"]).code(7);
}

#[test]
fn a_scrape_asks_graph_nothing_and_kept_results_are_shown_at_once() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    home.run(&["account", "test", "acme"]).code(0);
    let watching = Watching::start_every(&home, "1h", &["--listen", "127.0.0.1:0"]);
    let url = watching.next("ready")["url"].as_str().unwrap().to_owned();
    watching.next("round");
    let asked = sandbox.world().journal.entries().len();
    for _ in 0..3 {
        assert!(get(&url, "/metrics").2.contains("msgrctl_account_up"));
    }
    assert_eq!(sandbox.world().journal.entries().len(), asked);
}

#[test]
fn sigterm_ends_it_while_a_program_keeps_a_secret() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let text = std::fs::read_to_string(home.accounts_file()).unwrap();
    let text = text.replace("page_access_token = \"env\"", "page_access_token = \"command:sleep 60\"");
    assert!(text.contains("command:sleep 60"), "{text}");
    std::fs::write(home.accounts_file(), text).unwrap();
    let watching = Watching::start(&home, &["--listen", "127.0.0.1:0"]);
    watching.next("ready");
    std::thread::sleep(Duration::from_millis(300));
    let (took, code, _) = watching.end();
    assert!(took < Duration::from_secs(6) && code == Some(0), "{took:?} {code:?}");
}

#[test]
fn a_notice_that_is_refused_for_good_holds_no_other_up() {
    let (sandbox, hook) = (sandbox(), Hook::start());
    let home = hook_target(acme(&sandbox, false), &hook);
    home.run(&["watch", "--once"]).code(0);
    set(&sandbox, PAGE, TokenState::Expired);
    hook.will_answer(413, "");
    home.run(&["watch", "--once"]).code(7);
    set(&sandbox, PAGE, TokenState::Valid);
    hook.will_answer(413, "");
    home.run(&["watch", "--once"]).code(9);
    hook.will_answer(413, "");
    home.run(&["watch", "--once"]).code(9).says(&["1 notice waits"]);
    assert_eq!(told(&hook), ["failed acme", "failed acme", "failed acme", "recovered acme"]);
}

#[test]
fn a_tenant_or_a_memory_that_is_damaged_stops_no_other_and_says_what_to_do() {
    let (sandbox, hook) = (sandbox(), Hook::start());
    let home = hook_target(acme(&sandbox, false), &hook);
    home.run(&["tenant", "add", "other", "--host", "other.example.com"]).code(0);
    home.run(&["watch", "--all-tenants", "--once"]).code(0);
    home.file("config/msgrctl/tenants/other/accounts.toml", "x = [");
    set(&sandbox, PAGE, TokenState::Expired);
    let textfile = home.path("m.prom");
    let once = ["watch", "--all-tenants", "--once", "--textfile", textfile.to_str().unwrap()];
    home.run(&once).code(9).says(&["tenant 'other' was skipped", "accounts.toml"]);
    assert_eq!(told(&hook), ["failed acme"]);
    assert!(std::fs::read_to_string(&textfile).unwrap().contains("account=\"acme\"} 0\n"));
    std::fs::remove_file(home.path("config/msgrctl/tenants/other/accounts.toml")).unwrap();
    for (text, says) in [("{", "EOF"), ("{\"schema_version\":99,\"accounts\":[]}", "a newer msgrctl wrote it")] {
        home.file("config/msgrctl/tenants/default/notices.json", text);
        let run = home.run(&["watch", "--once"]).code(9);
        run.says(&["nothing could be told of tenant 'default'", "notices.json", says, "to begin anew"]);
    }
    // One that a target that is gone was to get is said to be dropped.
    std::fs::remove_file(home.path("config/msgrctl/tenants/default/notices.json")).unwrap();
    hook.will_answer(404, "");
    home.run(&["watch", "--once"]).code(7);
    notify(&home, "[[notify]]\nname = \"new\"\nkind = \"command\"\ncommand = \"true\"\n");
    home.run(&["watch", "--once"]).code(7).says(&["1 of the notices that waited for target 'hook' were dropped"]);
    home.run(&["watch", "--once", "--textfile", "/no/such/folder/m.prom"]).code(3).says(&["mkdir -p /no/such/folder"]);
}

/// With the wrong key nothing can be tested: the reason is told, and the watch is not well.
#[test]
fn a_watch_that_cannot_read_secrets_says_why() {
    let sandbox = sandbox();
    let home = crate::webhook::in_a_file(&sandbox);
    home.run(&["watch", "--once"]).code(0);
    home.file("key", [b'x'; 32]);
    home.run(&["watch", "--once"])
        .code(9)
        .says(&["1 account was not tested", "'acme': the key file does not open the encrypted file"]);
}

#[test]
fn a_target_that_comes_later_is_told_of_what_fails_already() {
    let (sandbox, hook) = (sandbox(), Hook::start());
    let home = acme(&sandbox, false);
    set(&sandbox, PAGE, TokenState::Expired);
    home.run(&["watch", "--once"]).code(7);
    let home = hook_target(home, &hook);
    home.run(&["watch", "--once"]).code(7);
    home.run(&["watch", "--once"]).code(7);
    assert_eq!(told(&hook), ["failed acme"]);
}

#[test]
fn sigterm_ends_it_after_a_round_of_several_accounts() {
    // Their progress sets the handler of Ctrl-C, which takes SIGTERM too.
    let (_sandbox, home) = many(3);
    let watching = Watching::start_every(&home, "1h", &[]);
    watching.next("round");
    let (took, code, said) = watching.end();
    assert!(took < Duration::from_secs(3) && code == Some(0), "{took:?} {code:?} {said}");
}

#[test]
fn sigterm_ends_it_while_a_target_is_silent() {
    let (sandbox, hook) = (sandbox(), Hook::start());
    let home = hook_target(acme(&sandbox, false), &hook);
    home.run(&["watch", "--once"]).code(0);
    set(&sandbox, PAGE, TokenState::Expired);
    hook.will_not_answer();
    let watching = Watching::start(&home, &[]);
    hook.wait_for_requests(1);
    let (took, code, _) = watching.end();
    assert!(took < Duration::from_secs(5) && code == Some(0), "{took:?} {code:?}");
    // It was on its way: it comes again, with the same id.
    home.run(&["watch", "--once"]).code(7);
    let ids: Vec<Value> = hook.received().iter().map(|one| one.json()["id"].clone()).collect();
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
}

#[test]
fn an_event_about_the_app_tests_its_accounts_at_once() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    let (id, secret) = app(&sandbox);
    let watching = Watching::start_every(&home, "1h", &["--listen", "127.0.0.1:0"]);
    let url = watching.next("ready")["url"].as_str().unwrap().to_owned();
    watching.next("round");
    let post = |body: &str, key: &str| {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        let address = url.strip_prefix("http://").unwrap().trim_end_matches("/metrics").to_owned();
        let mut stream = TcpStream::connect(&address).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST /webhook HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\
             X-Hub-Signature-256: sha256={signature}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
    };
    let event = |object: &str| {
        format!(
            r#"{{"object":"{object}","entry":[{{"id":"{id}","time":1790000000,"changes":[{{"field":"business_integration_uninstall","value":{{"business_manager_id":"5"}}}}]}}]}}"#
        )
    };
    // A stranger's is refused, and one that another program handles is left to Meta's next try.
    assert_eq!(post(&event("application"), "another-secret"), 403);
    assert_eq!(post(&event("page"), &secret), 503);
    set(&sandbox, PAGE, TokenState::Expired);
    assert_eq!(post(&event("application"), &secret), 200);
    let round = watching.next("round");
    assert_eq!(round["counts"]["fail"], 1, "{round}");
    watching.end();
}

#[test]
fn kills_and_a_target_that_fails_lose_no_change_and_repeat_none_with_another_id() {
    const ACCOUNTS: usize = 20;
    let (sandbox, home) = many(ACCOUNTS);
    let hook = Hook::start();
    let home = hook_target(home, &hook);
    home.run(&["watch", "--once"]).code(0);
    let pages: Vec<String> = sandbox.world().pages.iter().map(|page| page.id.clone()).collect();
    let mut kills = Kills::within(Duration::from_millis(100));
    for (at, page) in pages.iter().enumerate() {
        set(&sandbox, page, TokenState::Expired);
        if at % 3 == 0 {
            hook.will_answer(404, "");
        }
        let mut child = home.msgrctl(&["watch", "--once"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        kills.kill(&mut child);
    }
    // Whatever waits is sent now.
    let memory = home.path("config/msgrctl/tenants/default/notices.json");
    let waits = || std::fs::read_to_string(&memory).unwrap().contains("\"pending\"");
    home.run(&["watch", "--once"]).code(7);
    for _ in 0..ACCOUNTS {
        if waits() {
            home.run(&["watch", "--once"]).code(7);
        }
    }
    assert!(!waits(), "a notice was never taken");
    assert!(kills.killed > 0);
    let mut ids_of: HashMap<String, Vec<String>> = HashMap::new();
    for received in hook.received().iter() {
        let notice = received.json();
        assert_eq!(notice["event"], "failed", "{notice}");
        for account in notice["accounts"].as_array().unwrap() {
            let ids = ids_of.entry(account["account"].as_str().unwrap().to_owned()).or_default();
            ids.push(notice["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(ids_of.len(), ACCOUNTS, "none is missing: {ids_of:?}");
    for (account, mut ids) in ids_of {
        // Refused ones come again; a kill may repeat one.
        ids.dedup();
        assert_eq!(ids.len(), 1, "{account}: one change has one id: {ids:?}");
    }
}

#[test]
fn a_thousand_accounts_are_a_round_of_seventy_requests_at_most() {
    let (sandbox, home) = many(1000);
    let round = home.run(&["watch", "--once", "--json"]).code(0).json();
    assert_eq!(round["counts"]["pass"], 1000);
    let requests = requests(&sandbox);
    assert!(requests <= 70, "{requests}");
    assert_eq!(round["requests"], requests, "{round}");
}
