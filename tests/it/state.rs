//! The records of a team in a bucket: the same commands, many at once, locks, and moves.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use msgrctl::sandbox::Fault;

use crate::support::seaweed::{KEY, KEY_ID, LEAST, READER, Seaweed, seaweed};
use crate::support::world::{PAGE_ID, nowhere};
use crate::support::{Fleet, Home, Kills, Run};

const TOKEN: &str = "EAABstatemark0123456789abcdefghijklmn";

fn added(home: &Home, name: &str) -> Vec<String> {
    if !home.path("token").exists() {
        home.file("token", TOKEN);
    }
    let words =
        ["account", "add", name, "--page-username", "acme.support", "--page-id", PAGE_ID, "--token-file", "token"];
    words.into_iter().chain(["--no-test", "-q"]).map(str::to_owned).collect()
}

/// A machine with an encrypted file for its secrets.
fn machine(server: &Seaweed, prefix: &str, more: &str) -> Home {
    let nowhere = format!("http://{}", nowhere());
    server.home(prefix, more).with("MSGRCTL_STORE", "file").with("MSGRCTL_GRAPH_URL", &nowhere).with_key_file()
}

fn names(home: &Home) -> Vec<String> {
    let value = home.run(&["account", "list", "--json"]).code(0).json();
    value["accounts"].as_array().unwrap().iter().map(|account| account["name"].as_str().unwrap().to_owned()).collect()
}

fn spawn<S: AsRef<std::ffi::OsStr>>(home: &Home, words: &[S]) -> Child {
    home.msgrctl(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn end(child: Child) -> (bool, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

/// Pages whose records are in the bucket; a write to them takes `delay` at Meta.
fn fleet(server: &Seaweed, prefix: &str, more: &str, delay: Duration) -> Fleet {
    let mut fleet = Fleet::new(2);
    fleet.home.set("MSGRCTL_STATE", &server.address(prefix, more));
    fleet.home.set("AWS_ACCESS_KEY_ID", KEY_ID);
    fleet.home.set("AWS_SECRET_ACCESS_KEY", KEY);
    fleet.home.set("MSGRCTL_STORE", "file");
    fleet.manifest(0..2);
    let slow = Fault { method: Some("POST".into()), path: Some("/*/subscribed_apps".into()), ..Fault::default() };
    fleet.sandbox.world().faults.push(Fault { delay: Some(delay), ..slow });
    fleet
}

const APPLY: [&str; 6] = ["apply", "-f", "accounts.yaml", "--yes", "--timeout", "60"];

#[test]
fn two_machines_see_one_world_and_undo_each_others_changes() {
    let Some(server) = seaweed() else { return };
    let prefix = Seaweed::prefix();
    let (ana, ben) = (machine(server, &prefix, ""), machine(server, &prefix, ""));
    ana.run(&added(&ana, "Acme")).code(0);
    assert_eq!(names(&ben), ["Acme"]);
    ben.run(&["message", "set", "acme", "session-ended", "--text", "Goodbye"]).code(0);
    ana.run(&["message", "show", "acme", "session-ended"]).code(0).shows(&["Goodbye"]);
    ben.run(&["chat-settings", "set", "--messenger-timeout", "2h"]).code(0);
    ana.run(&["chat-settings", "show"]).code(0).shows(&["2h"]);
    ana.run(&["undo", "--yes"]).code(0).shows(&["chat-settings set"]);
    let shown = ben.run(&["chat-settings", "show"]).code(0);
    assert!(!shown.stdout.contains("2h"), "{shown:#?}");
    let log = ben.run(&["log", "--json"]).code(0).json();
    assert_eq!(log["entries"].as_array().map(Vec::len), Some(4), "{log}");
    ben.run(&["account", "rename", "acme", "Renamed"]).code(0);
    assert_eq!(names(&ana), ["Renamed"]);
    assert!(!ana.accounts_file().exists(), "nothing of it is in files");
    ana.run(&["tenant", "add", "globex", "--host", "chat.globex.com"]).code(0);
    ben.run(&["tenant", "list"]).code(0).shows(&["globex"]);
    ben.run(&["tenant", "remove", "globex", "--yes"]).code(0);
    let listed = ana.run(&["tenant", "list"]).code(0);
    assert!(!listed.stdout.contains("globex"), "{listed:#?}");
    let shown = ana.run(&["state", "show", "--json"]).code(0).json();
    let tenant = &shown["state"]["tenants"][0];
    assert_eq!(tenant["tenant"], "default");
    assert!(tenant["serial"].as_u64() > Some(4) && tenant["lineage"].is_string(), "{shown}");
    assert!(tenant.get("lock").is_none(), "every command has given its lock back: {shown}");
}

#[test]
fn fifty_at_once_all_survive() {
    let Some(server) = seaweed() else { return };
    let prefix = Seaweed::prefix();
    let machines = [machine(server, &prefix, ""), machine(server, &prefix, "")];
    let children: Vec<Child> =
        (0..50).map(|at| spawn(&machines[at % 2], &added(&machines[at % 2], &format!("Account {at}")))).collect();
    for (done, said) in children.into_iter().map(end) {
        assert!(done, "{said}");
    }
    let mut found = names(&machines[0]);
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 50);
    let log = machines[1].run(&["log", "-n", "100"]).code(0);
    assert_eq!(log.stdout.matches("account add").count(), 50, "{log:#?}");
}

fn lock(home: &Home) -> Option<serde_json::Value> {
    let shown = home.run(&["state", "show", "--json"]).code(0).json();
    shown["state"]["tenants"].as_array()?.iter().find_map(|tenant| tenant.get("lock").cloned())
}

/// An `apply` that is at Meta, with its lock.
fn applying(fleet: &Fleet) -> (Child, serde_json::Value) {
    let began = Instant::now();
    let child = spawn(&fleet.home, &APPLY);
    let taken = std::iter::repeat_with(|| lock(&fleet.home)).take_while(|_| began.elapsed() < Duration::from_secs(20));
    let lock = taken.flatten().next().expect("it takes no lock");
    (child, lock)
}

#[test]
fn of_two_applies_one_waits_and_names_the_other() {
    let Some(server) = seaweed() else { return };
    let fleet = fleet(server, &Seaweed::prefix(), "", Duration::from_secs(2));
    let (first, lock) = applying(&fleet);
    assert_eq!((&lock["user"], &lock["command"]), (&"ada".into(), &"apply".into()), "{lock}");
    // Its plan is old when it gets the lock, so it overwrites nothing.
    let second = fleet.home.run(&APPLY).code(9);
    assert!(second.stderr.contains("held by ada on ") && second.stderr.contains("(apply)"), "{second:#?}");
    let old = ["was changed at Meta since the plan was made", "another command changed it in the meantime"];
    assert!(old.iter().any(|why| second.stdout.contains(why)), "{second:#?}");
    assert!(end(first).0);
    fleet.plan(&["--exit-code"]).code(0);
    assert_eq!(self::lock(&fleet.home), None);
}

#[test]
fn a_lock_is_named_in_the_error_and_broken_by_its_id_only() {
    let Some(server) = seaweed() else { return };
    let fleet = fleet(server, &Seaweed::prefix(), "&lease=2", Duration::from_secs(30));
    let (mut child, lock) = applying(&fleet);
    let id = lock["id"].as_str().unwrap().to_owned();
    // It is renewed while its holder lives, so that the wait is in vain.
    let refused = fleet.home.run(&["chat-settings", "set", "--messenger-timeout", "2h", "--json"]).code(1);
    let error = refused.json_error();
    assert_eq!(error["cause"], "state-locked", "{refused:#?}");
    assert!(error["message"].as_str().unwrap().contains("is locked by ada on "), "{error}");
    assert!(error["hint"].as_str().unwrap().contains(&format!("msgrctl state unlock {id}")), "{error}");
    // Reading takes no lock.
    fleet.home.run(&["account", "list"]).code(0);
    fleet.home.run(&["state", "unlock", "0123456789ab", "--yes"]).code(1).says(&["there is no lock '0123456789ab'"]);
    fleet.home.run(&["state", "unlock", &id]).code(2).says(&["held by ada on"]);
    fleet.home.run(&["state", "unlock", &id, "--yes"]).code(0).shows(&["broke the lock"]);
    fleet.home.run(&["chat-settings", "set", "--messenger-timeout", "2h"]).code(0);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn an_apply_whose_lock_was_broken_changes_nothing_more_at_meta() {
    let Some(server) = seaweed() else { return };
    let fleet = fleet(server, &Seaweed::prefix(), "", Duration::ZERO);
    let of_app = Fault { method: Some("POST".into()), path: Some("/*/subscriptions".into()), ..Fault::default() };
    fleet.sandbox.world().faults.push(Fault { delay: Some(Duration::from_secs(3)), ..of_app });
    let mut child = spawn(&fleet.home, &APPLY);
    let began = Instant::now();
    let writes = || {
        let world = fleet.sandbox.world();
        let all = world.journal.entries().iter().filter(|call| call.method == "POST" && call.path != "/v26.0/");
        all.map(|call| call.path.rsplit('/').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // Once they are saved, the app's webhook is on its way to Meta.
    while names(&fleet.home).len() < 2 {
        assert!(began.elapsed() < Duration::from_secs(20) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(20));
    }
    let id = lock(&fleet.home).unwrap()["id"].as_str().unwrap().to_owned();
    fleet.home.run(&["state", "unlock", &id, "--yes"]).code(0);
    fleet.home.run(&["chat-settings", "set", "--messenger-timeout", "2h"]).code(0);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(9), "{said}");
    assert!(said.contains("the change was not sent to Meta: another command changed s3://"), "{said}");
    assert_eq!(writes(), ["subscriptions"]);
    // The next one finishes it.
    fleet.home.run(&APPLY).code(0);
    fleet.plan(&["--exit-code"]).code(0);
}

#[test]
fn the_lock_of_a_killed_apply_ends_with_its_lease() {
    let Some(server) = seaweed() else { return };
    let fleet = fleet(server, &Seaweed::prefix(), "&lease=2", Duration::from_secs(30));
    let (mut child, _) = applying(&fleet);
    child.kill().unwrap();
    child.wait().unwrap();
    let next = fleet.home.run(&["chat-settings", "set", "--messenger-timeout", "2h"]).code(0);
    assert!(next.stderr.contains("taking over the lock"), "{next:#?}");
    assert_eq!(lock(&fleet.home), None);
}

#[test]
fn an_interrupt_gives_the_lock_back() {
    let Some(server) = seaweed() else { return };
    let fleet = fleet(server, &Seaweed::prefix(), "", Duration::from_secs(1));
    let (child, _) = applying(&fleet);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    end(child);
    assert_eq!(lock(&fleet.home), None);
}

/// A way to the server that breaks each connection after so many bytes of a request.
fn cutting(server: &Seaweed, after: usize) -> String {
    let to = server.url.strip_prefix("http://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut client, _)) = listener.accept() {
            let Ok(mut server) = TcpStream::connect(&to) else { continue };
            std::thread::spawn(move || {
                let (mut back, mut out) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut back, &mut out));
                let _ = std::io::copy(&mut (&mut client).take(after as u64), &mut server);
                for stream in [client, server] {
                    let _ = stream.shutdown(std::net::Shutdown::Both);
                }
            });
        }
    });
    url
}

#[test]
fn a_connection_that_is_cut_leaves_the_old_or_the_new_state() {
    let Some(server) = seaweed() else { return };
    let prefix = Seaweed::prefix();
    let mut home = machine(server, &prefix, "");
    home.run(&added(&home, "Acme")).code(0);
    let direct = server.address(&prefix, "");
    for after in [900, 1800, 2500, 3200, 4100, 5200] {
        home.set("MSGRCTL_STATE", &format!("s3://team/{prefix}?endpoint={}&lease=2", cutting(server, after)));
        let run = home.run(&["account", "rename", "acme", &format!("After {after}")]);
        home.set("MSGRCTL_STATE", &direct);
        let names = names(&home);
        assert_eq!(names.len(), 1);
        let is_new = names[0] == format!("After {after}");
        assert!(is_new || run.code != 0, "{run:#?} and {names:?}");
        home.run(&["account", "rename", &names[0], "Acme"]).code(0);
    }
}

#[test]
fn a_server_that_lost_a_change_is_noticed() {
    let Some(server) = seaweed() else { return };
    let prefix = Seaweed::prefix();
    let home = machine(server, &prefix, "");
    home.run(&["chat-settings", "set", "--messenger-timeout", "2h"]).code(0);
    let copy = home.path("config/msgrctl/state-copies/default.json");
    let text = std::fs::read_to_string(&copy).unwrap();
    // As if a later change had been acknowledged.
    let serial = text.split("\"serial\":").nth(1).unwrap().split(',').next().unwrap().to_owned();
    std::fs::write(
        &copy,
        text.replace(&format!("\"serial\":{serial}"), "\"serial\":99").replace("\"tag\":\"", "\"tag\":\"x"),
    )
    .unwrap();
    let refused = home.run(&["account", "list", "--json"]).code(3);
    assert_eq!(refused.json_error()["cause"], "state-went-back", "{refused:#?}");
}

/// Everything that is shown of the records.
fn world(home: &Home) -> Vec<String> {
    let all: [&[&str]; 4] = [
        &["account", "list", "--json"],
        &["chat-settings", "show", "--json"],
        &["tenant", "list", "--json"],
        &["log", "-n", "500", "--json"],
    ];
    all.into_iter().map(|words| home.run(words).code(0).stdout).collect()
}

#[test]
fn records_move_there_and_back_and_a_killed_move_loses_nothing() {
    let Some(server) = seaweed() else { return };
    let mut home = machine(server, "unused", "");
    home.unset("MSGRCTL_STATE");
    home.run(&["tenant", "add", "globex", "--host", "chat.globex.com"]).code(0);
    for at in 0..6 {
        home.run(&added(&home, &format!("Account {at}"))).code(0);
    }
    home.run(&["chat-settings", "set", "--messenger-timeout", "2h"]).code(0);
    let before = world(&home);
    let mut kills = Kills::within(Duration::from_millis(300));
    let address = server.address(&Seaweed::prefix(), "&lease=2");
    for to in [address.as_str(), "files", address.as_str()] {
        for _ in 0..8 {
            let mut child = spawn(&home, &["state", "move", "--to", to, "--replace", "--yes"]);
            kills.kill(&mut child);
            assert_eq!(world(&home), before, "on the way to {to}");
        }
        let moved = home.run(&["state", "move", "--to", to, "--replace", "--yes"]);
        assert!(moved.code == 0 || moved.stderr.contains("there already"), "{moved:#?}");
        assert_eq!(world(&home), before);
        home.run(&["state", "show"]).code(0).shows(&[to]);
    }
    assert!(kills.killed > 5, "only {} of 24 were killed in time", kills.killed);
    // What another change left there is not replaced without a word.
    home.run(&["chat-settings", "set", "--messenger-timeout", "3h"]).code(0);
    home.run(&["state", "move", "--to", "files", "--yes"])
        .code(1)
        .says(&["there are other records already", "--replace"]);
}

#[test]
fn each_refusal_has_its_cause() {
    let Some(server) = seaweed() else { return };
    let prefix = Seaweed::prefix();
    let cause = |home: &Home, code: i32| -> String {
        let run = home.run(&["account", "list", "--json"]).code(code);
        run.json_error()["cause"].as_str().unwrap_or_default().to_owned()
    };
    let mut home = server.home(&prefix, "");
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
    let reader = server.home(&prefix, "").with("AWS_ACCESS_KEY_ID", id).with("AWS_SECRET_ACCESS_KEY", key);
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

#[test]
fn completions_take_a_copy_and_never_hang() {
    let Some(server) = seaweed() else { return };
    let prefix = Seaweed::prefix();
    let mut home = machine(server, &prefix, "");
    home.run(&added(&home, "Acme")).code(0);
    let complete = |home: &Home| -> Run {
        let mut command = home.msgrctl(&["--", "msgrctl", "account", "show", "a"]);
        command.env("MSGRCTL_COMPLETE", "fish");
        Run::of(command, b"").code(0)
    };
    assert!(complete(&home).stdout.contains("acme"));
    let copy = home.path("config/msgrctl/state-copies/default.json");
    let old = std::time::SystemTime::now() - Duration::from_secs(3600);
    // A server that takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = silent.local_addr().unwrap();
    home.set("MSGRCTL_STATE", &format!("s3://team/{prefix}?endpoint=http://{to}"));
    let address = format!("http://{to}/team/{prefix}");
    let text = std::fs::read_to_string(&copy).unwrap().replace(&format!("{}/team/{prefix}", server.url), &address);
    std::fs::write(&copy, text).unwrap();
    std::fs::File::open(&copy).unwrap().set_modified(old).unwrap();
    let run = complete(&home);
    assert!(run.stdout.contains("acme") && run.took < Duration::from_secs(2), "{run:#?}");
}

#[test]
fn keys_and_secrets_are_in_no_output_and_no_object() {
    let Some(server) = seaweed() else { return };
    let prefix = Seaweed::prefix();
    let mut home = machine(server, &prefix, "");
    let mut all = String::new();
    let mut run = |home: &Home, words: &[&str]| {
        let run = home.run(words);
        all.push_str(&run.stdout);
        all.push_str(&run.stderr);
    };
    home.run(&added(&home, "Acme")).code(0);
    for words in [
        &["-vvv", "account", "list"][..],
        &["-vvv", "account", "show", "acme", "--json"],
        &["-vvv", "account", "rename", "acme", "Other"],
        &["secret", "list"],
        &["state", "show", "--json"],
        &["config", "list"],
        &["log", "--json"],
        &["doctor"],
        &["undo", "--yes"],
    ] {
        run(&home, words);
    }
    home.set("AWS_SESSION_TOKEN", "marked-session-token");
    run(&home, &["-vvv", "account", "list"]);
    home.unset("AWS_SESSION_TOKEN");
    home.set("MSGRCTL_STATE", "s3://team/x?endpoint=http://127.0.0.1:1");
    run(&home, &["-vvv", "account", "list"]);
    home.set("MSGRCTL_STATE", &server.address(&prefix, ""));
    run(&home, &["state", "move", "--to", "files", "--yes"]);
    home.unset("MSGRCTL_STATE");
    home.run(&["account", "list"]).code(0).shows(&["Acme"]);
    let mut files = vec![home.path("config")];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            all += &String::from_utf8_lossy(&std::fs::read(path).unwrap());
        }
    }
    for mark in [TOKEN, &KEY[..20], "marked-session-token"] {
        assert!(!all.contains(mark), "{mark} in {all}");
    }
    assert!(!all.contains(KEY_ID), "{all}");
}

/// The policy that is printed names these actions; the server knows them as read, write and list.
#[test]
fn the_least_rights_are_enough() {
    let Some(server) = seaweed() else { return };
    let [id, key] = LEAST;
    let home = machine(server, &Seaweed::prefix(), "").with("AWS_ACCESS_KEY_ID", id).with("AWS_SECRET_ACCESS_KEY", key);
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

#[test]
fn ten_thousand_accounts_are_listed_from_the_bucket() {
    let Some(server) = seaweed() else { return };
    let mut home = machine(server, "unused", "");
    home.unset("MSGRCTL_STATE");
    let account = |at: usize| {
        format!(
            "\n[[accounts]]\nid = \"id-{at}\"\nhandle = \"page-{at}\"\nname = \"Page {at}\"\ntype = \"facebook\"\npage_username = \"page.{at}\"\npage_id = \"10987{at:08}\"\ngraph = \"live\"\ncreated_at = \"2026-01-01T00:00:00Z\"\nupdated_at = \"2026-01-01T00:00:00Z\"\n[accounts.secrets]\npage_access_token = \"env:TOKEN\"\n"
        )
    };
    let text: String = (0..10_000).map(account).collect();
    home.file("config/msgrctl/tenants/default/accounts.toml", format!("schema_version = 1\n{text}"));
    let files = home.run(&["account", "list", "--json"]).code(0);
    home.run(&["state", "move", "--to", &server.address(&Seaweed::prefix(), ""), "--yes"]).code(0);
    // As on another machine: without a copy.
    std::fs::remove_dir_all(home.path("config/msgrctl/state-copies")).unwrap();
    let first = home.run(&["account", "list", "--json"]).code(0);
    let second = home.run(&["account", "list", "--json"]).code(0);
    assert_eq!(first.stdout, files.stdout);
    assert_eq!(second.stdout, files.stdout);
    // A debug build reads files slowly too; what counts is what the network adds.
    for run in [&first, &second] {
        assert!(run.took < files.took * 3 + Duration::from_secs(1), "{:?} and {:?} from files", run.took, files.took);
    }
    if std::env::var_os("MSGRCTL_TEST_TIMES").is_some() {
        let _ = writeln!(std::io::stderr(), "files {:?}, bucket {:?}, again {:?}", files.took, first.took, second.took);
    }
}
