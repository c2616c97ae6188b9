//! The records of a team on a server: the same commands, many at once, locks, and moves.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use msgrctl::sandbox::Fault;
use msgrctl::storage::Storage as _;
use sha2::{Digest as _, Sha256};

use crate::support::postgres::PASSWORD;
use crate::support::seaweed::{KEY, KEY_ID};
use crate::support::world::{PAGE_ID, nowhere};
use crate::support::{Backend, Fleet, Home, Kills, Run};

/// Each holds for every server.
macro_rules! over_each {
    ($($name:ident)*) => {
        over_each!(s3: $($name)*);
        over_each!(postgres: $($name)*);
    };
    ($server:ident: $($name:ident)*) => {
        mod $server {
            use crate::support::Backend;

            $(
                #[test]
                fn $name() {
                    let Some(server) = Backend::$server() else { return };
                    super::$name(server);
                }
            )*
        }
    };
}

over_each! {
    two_machines_see_one_world_and_undo_each_others_changes
    fifty_at_once_all_survive
    of_two_applies_one_waits_and_names_the_other
    a_lock_is_named_in_the_error_and_broken_by_its_id_only
    an_apply_whose_lock_was_broken_changes_nothing_more_at_meta
    the_lock_of_a_killed_apply_ends_with_its_lease
    an_interrupt_gives_the_lock_back
    a_connection_that_is_cut_leaves_the_old_or_the_new_state
    a_kill_at_any_moment_leaves_records_and_log_whole
    a_server_that_lost_a_change_is_noticed
    an_edited_log_is_noticed_and_a_log_that_a_kill_left_is_whole
    a_saved_plan_is_applied_once_and_not_to_records_that_changed
    completions_take_a_copy_and_never_hang
    keys_and_secrets_are_in_no_output_and_no_document
    ten_thousand_accounts_are_listed_in_time
    a_place_that_the_records_left_takes_no_change_and_names_the_new_one
    one_damaged_tenant_hides_no_other
    records_that_are_gone_are_told_from_a_tenant_that_was_removed
}

const TOKEN: &str = "EAABstatemark0123456789abcdefghijklmn";

pub fn added(home: &Home, name: &str) -> Vec<String> {
    if !home.path("token").exists() {
        home.file("token", TOKEN);
    }
    let words =
        ["account", "add", name, "--page-username", "acme.support", "--page-id", PAGE_ID, "--token-file", "token"];
    words.into_iter().chain(["--no-test", "-q"]).map(str::to_owned).collect()
}

/// A machine with an encrypted file for its secrets.
pub fn machine(server: Backend, place: &str, more: &str) -> Home {
    let nowhere = format!("http://{}", nowhere());
    server.home(place, more).with("MSGRCTL_STORE", "file").with("MSGRCTL_GRAPH_URL", &nowhere).with_key_file()
}

pub fn names(home: &Home) -> Vec<String> {
    let value = home.run(&["account", "list", "--json"]).code(0).json();
    value["accounts"].as_array().unwrap().iter().map(|account| account["name"].as_str().unwrap().to_owned()).collect()
}

pub fn spawn<S: AsRef<std::ffi::OsStr>>(home: &Home, words: &[S]) -> Child {
    home.msgrctl(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

pub fn end(child: Child) -> (bool, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

/// Pages whose records are on the server; a write to them takes `delay` at Meta.
fn fleet(server: Backend, place: &str, more: &str, delay: Duration) -> Fleet {
    let mut fleet = Fleet::new(2);
    fleet.home.set("MSGRCTL_STATE", &server.address(place, more));
    server.give(&mut fleet.home);
    fleet.home.set("MSGRCTL_STORE", "file");
    fleet.manifest(0..2);
    let slow = Fault { method: Some("POST".into()), path: Some("/*/subscribed_apps".into()), ..Fault::default() };
    fleet.sandbox.world().faults.push(Fault { delay: Some(delay), ..slow });
    fleet
}

const APPLY: [&str; 6] = ["apply", "-f", "accounts.yaml", "--yes", "--timeout", "60"];

fn two_machines_see_one_world_and_undo_each_others_changes(server: Backend) {
    let place = server.place();
    let (ana, ben) = (machine(server, &place, ""), machine(server, &place, ""));
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

fn fifty_at_once_all_survive(server: Backend) {
    let place = server.place();
    let machines = [machine(server, &place, ""), machine(server, &place, "")];
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

fn of_two_applies_one_waits_and_names_the_other(server: Backend) {
    let fleet = fleet(server, &server.place(), "", Duration::from_secs(2));
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

fn a_lock_is_named_in_the_error_and_broken_by_its_id_only(server: Backend) {
    let fleet = fleet(server, &server.place(), "&lease=2", Duration::from_secs(30));
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
    fleet
        .home
        .run(&["state", "unlock", "0123456789ab", "--yes"])
        .code(1)
        .says(&["the lock '0123456789ab' does not exist"]);
    fleet.home.run(&["state", "unlock", &id]).code(2).says(&["held by ada on"]);
    fleet.home.run(&["state", "unlock", &id, "--yes"]).code(0).shows(&["broke the lock"]);
    fleet.home.run(&["chat-settings", "set", "--messenger-timeout", "2h"]).code(0);
    child.kill().unwrap();
    child.wait().unwrap();
}

fn an_apply_whose_lock_was_broken_changes_nothing_more_at_meta(server: Backend) {
    let fleet = fleet(server, &server.place(), "", Duration::ZERO);
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
    assert!(said.contains("the change was not sent to Meta: another command changed "), "{said}");
    assert_eq!(writes(), ["subscriptions"]);
    // The next one finishes it.
    fleet.home.run(&APPLY).code(0);
    fleet.plan(&["--exit-code"]).code(0);
}

fn the_lock_of_a_killed_apply_ends_with_its_lease(server: Backend) {
    let fleet = fleet(server, &server.place(), "&lease=2", Duration::from_secs(30));
    let (mut child, _) = applying(&fleet);
    child.kill().unwrap();
    child.wait().unwrap();
    let next = fleet.home.run(&["chat-settings", "set", "--messenger-timeout", "2h"]).code(0);
    assert!(next.stderr.contains("taking over the lock"), "{next:#?}");
    assert_eq!(lock(&fleet.home), None);
}

fn an_interrupt_gives_the_lock_back(server: Backend) {
    let fleet = fleet(server, &server.place(), "", Duration::from_secs(1));
    let (child, _) = applying(&fleet);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    end(child);
    assert_eq!(lock(&fleet.home), None);
}

/// The way of a connection that is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Requests,
    Answers,
}

/// Carries `from` to `to`, at most so many bytes.
fn carry(mut from: TcpStream, mut to: TcpStream, at_most: Option<u64>) {
    let _ = match at_most {
        Some(at_most) => std::io::copy(&mut (&mut from).take(at_most), &mut to),
        None => std::io::copy(&mut from, &mut to),
    };
    for stream in [from, to] {
        let _ = stream.shutdown(std::net::Shutdown::Both);
    }
}

/// A way to the server that breaks each connection after so many bytes in one direction.
fn cutting(server: Backend, cut: Cut, after: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        while let Ok((client, _)) = listener.accept() {
            let Ok(server) = TcpStream::connect(server.listens()) else { continue };
            let (back, out) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || carry(back, out, (cut == Cut::Answers).then_some(after)));
            std::thread::spawn(move || carry(client, server, (cut == Cut::Requests).then_some(after)));
        }
    });
    here
}

fn a_connection_that_is_cut_leaves_the_old_or_the_new_state(server: Backend) {
    let place = server.place();
    let mut home = machine(server, &place, "");
    home.run(&added(&home, "Acme")).code(0);
    let direct = server.address(&place, "");
    let all = match server {
        Backend::S3(_) => [900, 1800, 2500, 3200, 4100, 5200].map(|after| (Cut::Requests, after)),
        // What is said at the beginning of each connection is some 500 bytes, and 800 in answer.
        Backend::Postgres(_) => [
            (Cut::Requests, 900),
            (Cut::Requests, 1900),
            (Cut::Requests, 3100),
            (Cut::Answers, 900),
            (Cut::Answers, 1000),
            (Cut::Answers, 2400),
        ],
    };
    let mut broken = 0;
    for (cut, after) in all {
        let through = server.address(&place, "&lease=2").replace(&server.listens(), &cutting(server, cut, after));
        home.set("MSGRCTL_STATE", &through);
        let run = home.run(&["account", "rename", "acme", &format!("After {after}")]);
        home.set("MSGRCTL_STATE", &direct);
        let names = names(&home);
        assert_eq!(names.len(), 1);
        let is_new = names[0] == format!("After {after}");
        assert!(is_new || run.code != 0, "{run:#?} and {names:?}");
        broken += usize::from(run.code != 0);
        home.run(&["log", "--verify"]).code(0);
        home.run(&["account", "rename", &names[0], "Acme"]).code(0);
    }
    assert!(broken > 0, "nothing was cut");
}

fn a_kill_at_any_moment_leaves_records_and_log_whole(server: Backend) {
    let home = machine(server, &server.place(), "");
    home.run(&added(&home, "Acme")).code(0);
    let mut kills = Kills::within(Duration::from_millis(200));
    for at in 0..10 {
        let (before, after) = (names(&home).remove(0), format!("Renamed {at}"));
        kills.kill(&mut spawn(&home, &["account", "rename", &before, &after]));
        let now = names(&home).remove(0);
        assert!(now == before || now == after, "{now}");
        home.run(&["log", "--verify"]).code(0);
        if let Some(lock) = lock(&home) {
            home.run(&["state", "unlock", lock["id"].as_str().unwrap(), "--yes"]).code(0);
        }
    }
    assert!(kills.killed > 2, "only {} of 10 were killed in time", kills.killed);
    home.run(&["account", "rename", &names(&home)[0], "Acme"]).code(0);
    home.run(&["log", "--verify"]).code(0);
    home.run(&["undo", "--yes"]).code(0);
}

fn a_server_that_lost_a_change_is_noticed(server: Backend) {
    let place = server.place();
    let home = machine(server, &place, "");
    home.run(&["chat-settings", "set", "--messenger-timeout", "2h"]).code(0);
    let key = "tenants/default/state.json";
    let before = server.raw(&place, |storage| storage.read(key).unwrap().unwrap());
    home.run(&["chat-settings", "set", "--messenger-timeout", "3h"]).code(0);
    server.raw(&place, |storage| storage.put(key, &before).unwrap());
    let refused = home.run(&["account", "list", "--json"]).code(3);
    assert_eq!(refused.json_error()["cause"], "state-went-back", "{refused:#?}");
    // Another machine cannot know.
    machine(server, &place, "").run(&["chat-settings", "show"]).code(0).shows(&["2h"]);
}

fn an_edited_log_is_noticed_and_a_log_that_a_kill_left_is_whole(server: Backend) {
    let place = server.place();
    let home = machine(server, &place, "");
    for timeout in ["2h", "3h", "4h"] {
        home.run(&["chat-settings", "set", "--messenger-timeout", timeout]).code(0);
    }
    home.run(&["log", "--verify"]).code(0).shows(&["ok: 3 lines intact"]);
    if let Backend::S3(_) = server {
        // As after a kill between the two writes of a line: it stands beside the log only.
        server.raw(&place, |storage| {
            let part = "log/00000001.jsonl";
            let text = storage.read(part).unwrap().unwrap();
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            storage.put(part, &lines[..lines.len() - 1].concat()).unwrap();
        });
        home.run(&["log", "--verify"]).code(0).shows(&["ok: 3 lines intact"]);
    }
    home.run(&["chat-settings", "set", "--messenger-timeout", "5h"]).code(0);
    home.run(&["log", "--verify"]).code(0).shows(&["ok: 4 lines intact"]);
    server.edit_log(&place, "\"user\":\"ada", "\"user\":\"eve");
    let found = home.run(&["log", "--verify", "--json"]).code(7);
    assert_eq!(found.json_error()["cause"], "log-line-changed", "{found:#?}");
}

fn a_saved_plan_is_applied_once_and_not_to_records_that_changed(server: Backend) {
    let place = server.place();
    let fleet = fleet(server, &place, "", Duration::ZERO);
    fleet.plan(&["--out", "p.plan"]).code(0);
    let apply = || fleet.home.run(&["apply", "p.plan", "--json"]);
    assert_eq!(apply().code(0).json()["summary"]["added"], 2);
    assert_eq!(apply().code(1).json_error()["cause"], "plan-stale");
    fleet.manifest(0..1);
    fleet.plan(&["--prune", "--out", "p.plan"]).code(0);
    // From another machine.
    let other = machine(server, &place, "");
    other.run(&["chat-settings", "set", "--messenger-timeout", "2h"]).code(0);
    assert_eq!(apply().code(1).json_error()["cause"], "plan-stale");
}

fn records_that_are_gone_are_told_from_a_tenant_that_was_removed(server: Backend) {
    let place = server.place();
    let [ana, ben] = [(); 2].map(|()| machine(server, &place, ""));
    let add = ["tenant", "add", "globex", "--host", "chat.globex.com"];
    // Removed and added again by another machine, twice.
    for _ in 0..2 {
        ana.run(&add).code(0);
        ben.run(&["account", "list", "--tenant", "globex", "--json"]).code(0);
        ana.run(&["tenant", "remove", "globex", "--yes"]).code(0);
    }
    ana.run(&add).code(0);
    ben.run(&["account", "list", "--tenant", "globex", "--json"]).code(0);
    let state = "tenants/globex/state.json";
    let text = server.raw(&place, |storage| storage.read(state).unwrap().unwrap());
    let lineage = serde_json::from_str::<serde_json::Value>(&text).unwrap()["lineage"].as_str().unwrap().to_owned();
    let lost = |cause: &str| {
        let error = ben.run(&["account", "list", "--tenant", "globex", "--json"]).code(3).json_error();
        assert_eq!(error["cause"], cause, "{error}");
    };
    server.raw(&place, |storage| storage.remove(state).unwrap());
    lost("state-went-back");
    let other = text.replace(&lineage, "5b1f2d9e-0000-4000-8000-000000000000");
    server.raw(&place, |storage| storage.put(state, &other).unwrap());
    lost("state-went-back");
    server.raw(&place, |storage| storage.put(state, &text).unwrap());
    ben.run(&["account", "list", "--tenant", "globex", "--json"]).code(0);
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
fn records_move_between_all_places_and_a_killed_move_loses_nothing() {
    let (Some(s3), Some(postgres)) = (Backend::s3(), Backend::postgres()) else { return };
    let mut home = machine(s3, "unused", "");
    home.unset("MSGRCTL_STATE");
    postgres.give(&mut home);
    home.run(&["tenant", "add", "globex", "--host", "chat.globex.com"]).code(0);
    for at in 0..6 {
        home.run(&added(&home, &format!("Account {at}"))).code(0);
    }
    home.run(&["chat-settings", "set", "--messenger-timeout", "2h"]).code(0);
    let before = world(&home);
    let mut kills = Kills::within(Duration::from_millis(300));
    let [bucket, database] = [s3, postgres].map(|server| server.address(&server.place(), "&lease=2"));
    for to in [&bucket, &database, "files", &database, &bucket, "files"] {
        for _ in 0..4 {
            let mut child = spawn(&home, &["state", "move", "--to", to, "--replace", "--yes"]);
            kills.kill(&mut child);
            assert_eq!(world(&home), before, "on the way to {to}");
        }
        let moved = home.run(&["state", "move", "--to", to, "--replace", "--yes"]);
        assert!(moved.code == 0 || moved.stderr.contains("there already"), "{moved:#?}");
        assert_eq!(world(&home), before);
        home.run(&["log", "--verify"]).code(0);
        home.run(&["state", "show"]).code(0).shows(&[to]);
    }
    assert!(kills.killed > 5, "only {} of 24 were killed in time", kills.killed);
    // What another change left there is not replaced without a word.
    home.run(&["chat-settings", "set", "--messenger-timeout", "3h"]).code(0);
    for to in [&bucket, &database] {
        home.run(&["state", "move", "--to", to, "--yes"])
            .code(1)
            .says(&["there are other records already", "--replace"]);
    }
}

fn a_place_that_the_records_left_takes_no_change_and_names_the_new_one(server: Backend) {
    let (place, other) = (server.place(), server.place());
    let [old, new] = [&place, &other].map(|place| server.address(place, ""));
    let (mut ana, ben) = (machine(server, &place, ""), machine(server, &place, ""));
    ana.run(&added(&ana, "Acme")).code(0);
    let set = ["chat-settings", "set", "--messenger-timeout", "2h"];
    // The same place in other words, and one inside it.
    ana.run(&["state", "move", "--to", &format!("{old}&lease=5"), "--yes"]).code(2).says(&["are there already"]);
    ana.run(&["state", "move", "--to", &new, "--yes"]).code(0);
    for home in [&ana, &ben] {
        let refused = home.run(&[&set[..], &["--json"]].concat()).code(1).json_error();
        assert_eq!(refused["cause"], "state-moved", "{refused}");
        assert!(refused["message"].as_str().unwrap().contains("nothing was changed"), "{refused}");
        assert!(refused["hint"].as_str().unwrap().contains("MSGRCTL_STATE"), "{refused}");
        let old = "what was read here is old; set MSGRCTL_STATE to";
        for reads in [&["account", "list"][..], &["status"], &["watch", "--once"], &["account", "test", "--all"]] {
            home.run(reads).says(&["warning: the records were moved to", old]);
        }
        assert_eq!(home.run(&["state", "show"]).code(0).stderr.matches("moved").count(), 0);
    }
    // What another machine wrote does not get into a command to paste.
    let mark = server.raw(&place, |storage| storage.read("moved.json").unwrap().unwrap());
    let hostile = mark.replace("\"to\":\"", "\"to\":\"x'; touch /tmp/x; '");
    server.raw(&place, |storage| storage.put("moved.json", &hostile).unwrap());
    let refused = ben.run(&[&set[..], &["--json"]].concat()).code(1).json_error();
    assert!(!refused["hint"].as_str().unwrap().contains("touch"), "{refused}");
    server.raw(&place, |storage| storage.put("moved.json", &mark).unwrap());
    ana.set("MSGRCTL_STATE", &new);
    ana.run(&set).code(0);
    ana.run(&["log", "--verify"]).code(0);
    assert_eq!(ana.run(&["account", "list"]).code(0).stderr, "");
    // Back again: then the first place is in force.
    ana.run(&["state", "move", "--to", &old, "--replace", "--yes"]).code(0);
    ben.run(&["message", "set", "acme", "session-ended", "--text", "Goodbye"]).code(0);
    ana.run(&set).code(1);
    ben.run(&["chat-settings", "show"]).code(0).shows(&["2h"]);
    ben.run(&["log", "--verify"]).code(0);
}

fn one_damaged_tenant_hides_no_other(server: Backend) {
    let place = server.place();
    let home = machine(server, &place, "");
    home.run(&added(&home, "Acme")).code(0);
    home.run(&["tenant", "add", "globex", "--host", "chat.globex.com"]).code(0);
    server.raw(&place, |storage| {
        storage.put("tenants/globex/state.json", "garbage").unwrap();
        storage.put("locks/default.json", "{}").unwrap();
        // Those of another state that lies below this one.
        storage.put("tenants/tenants/other/state.json", "{}").unwrap();
    });
    let shown = home.run(&["state", "show"]).code(0).shows(&["default", "globex"]).says(&["cannot read", "globex"]);
    assert!(!shown.stdout.contains("other"), "{shown:#?}");
    // A lock that cannot be read ends, and the records are changed by compare-and-swap anyway.
    home.run(&["chat-settings", "set", "--messenger-timeout", "2h"]).code(0);
    let doctor = home.run(&["doctor", "--json"]).json();
    let state = doctor["checks"].as_array().unwrap().iter().find(|check| check["id"] == "state").unwrap();
    assert_eq!(state["outcome"], "pass", "{state}");
}

fn completions_take_a_copy_and_never_hang(server: Backend) {
    let place = server.place();
    let mut home = machine(server, &place, "");
    home.run(&added(&home, "Acme")).code(0);
    let complete = |home: &Home| -> Run {
        let mut command = home.msgrctl(&["--", "msgrctl", "account", "show", "a"]);
        command.env("MSGRCTL_COMPLETE", "fish");
        Run::of(command, b"").code(0)
    };
    assert!(complete(&home).stdout.contains("acme"));
    let copy = home.state_copy();
    let old = std::time::SystemTime::now() - Duration::from_secs(3600);
    // A server that takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = silent.local_addr().unwrap().to_string();
    home.set("MSGRCTL_STATE", &server.address(&place, "").replace(&server.listens(), &to));
    let [port, other] = [server.listens(), to].map(|listens| listens.split(':').nth(1).unwrap().to_owned());
    // The copy names the server first.
    let text = std::fs::read_to_string(&copy).unwrap().replacen(&port, &other, 1);
    let written: serde_json::Value = serde_json::from_str(&text).unwrap();
    let of_state = hex::encode(Sha256::digest(written["address"].as_str().unwrap()));
    let copy = home.file(&format!("config/msgrctl/state-copies/{}/default.json", &of_state[..12]), text);
    std::fs::File::open(&copy).unwrap().set_modified(old).unwrap();
    let run = complete(&home);
    assert!(run.stdout.contains("acme") && run.took < Duration::from_secs(2), "{run:#?}");
}

fn keys_and_secrets_are_in_no_output_and_no_document(server: Backend) {
    let place = server.place();
    let mut home = machine(server, &place, "");
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
    match server {
        Backend::S3(_) => {
            home.set("AWS_SESSION_TOKEN", "marked-session-token");
            run(&home, &["-vvv", "account", "list"]);
            home.unset("AWS_SESSION_TOKEN");
        }
        Backend::Postgres(_) => {
            // The variable may hold the password too.
            home.unset("PGPASSWORD");
            let address = server.address(&place, "").replace("team@", &format!("team:{PASSWORD}@"));
            home.set("MSGRCTL_STATE", &address);
            for words in [
                &["-vvv", "account", "list"][..],
                &["state", "show"],
                &["state", "show", "--json"],
                &["config", "list", "--json"],
                &["config", "get", "state"],
                &["doctor", "--json"],
                &["account", "rename", "acme", "Other"],
                &["undo", "--yes"],
                &["config", "set", "state", &address],
                &["state", "move", "--to", &address],
            ] {
                run(&home, words);
            }
            home.run(&["log"]).code(0).shows(&["Other"]);
            home.file("config/msgrctl/config.toml", format!("state = '{address}'\n"));
            home.unset("MSGRCTL_STATE");
            run(&home, &["account", "list"]);
            home.run(&["account", "list"]).code(2).says(&["does not belong in config.toml", "PGPASSWORD"]);
            std::fs::remove_file(home.path("config/msgrctl/config.toml")).unwrap();
            home.set("MSGRCTL_STATE", &format!("{address}&wrong=1"));
            run(&home, &["-vvv", "account", "list"]);
            server.give(&mut home);
        }
    }
    home.set("MSGRCTL_STATE", &server.address(&place, "").replace(&server.listens(), "127.0.0.1:1"));
    run(&home, &["-vvv", "account", "list"]);
    home.set("MSGRCTL_STATE", &server.address(&place, ""));
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
    for mark in [TOKEN, &KEY[..20], "marked-session-token", PASSWORD] {
        assert!(!all.contains(mark), "{mark} in {all}");
    }
    assert!(!all.contains(KEY_ID), "{all}");
}

fn ten_thousand_accounts_are_listed_in_time(server: Backend) {
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
    home.run(&["state", "move", "--to", &server.address(&server.place(), ""), "--yes"]).code(0);
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
        let _ = writeln!(std::io::stderr(), "files {:?}, server {:?}, again {:?}", files.took, first.took, second.took);
    }
}
