//! Who made a change, and whether the log is as it was written.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::support::Home;
#[cfg(unix)]
use crate::support::Kills;
use crate::support::world::{acme, sandbox};

fn log_file(home: &Home) -> PathBuf {
    home.path("config/msgrctl/log.jsonl")
}

fn lines(home: &Home) -> Vec<String> {
    std::fs::read_to_string(log_file(home)).unwrap().lines().map(str::to_owned).collect()
}

fn write(home: &Home, lines: &[String]) {
    std::fs::write(log_file(home), lines.concat()).unwrap();
}

/// A home with so many changes, which need no network.
fn changed(times: usize) -> Home {
    let home = Home::new();
    for minutes in 1..=times {
        home.run(&["chat-settings", "set", "--messenger-timeout", &format!("{minutes}m")]).code(0);
    }
    home
}

#[test]
fn an_edited_log_is_found_and_the_line_named() {
    let home = changed(4);
    home.run(&["log", "--verify"]).code(0).shows(&["ok: 4 lines intact; the chain begins at line 1"]);
    let good: Vec<String> = lines(&home).iter().map(|line| format!("{line}\n")).collect();
    let check = |edit: &dyn Fn(&mut Vec<String>), line: u64, cause: &str| {
        let mut edited = good.clone();
        edit(&mut edited);
        write(&home, &edited);
        let run = home.run(&["log", "--verify", "--json"]).code(7);
        let (chain, error) = (run.json()["chain"].clone(), run.json_error());
        assert_eq!((chain["broken"]["line"].as_u64(), error["cause"].as_str()), (Some(line), Some(cause)), "{chain}");
        home.run(&["explain", cause]).code(0);
        assert!(chain["intact"].as_u64() < Some(line), "{chain}");
    };
    check(&|lines| lines[1] = lines[1].replace("\"done\"", "\"gone\""), 2, "log-line-changed");
    check(&|lines| lines[3] = lines[3].replace("\"done\"", "\"gone\""), 4, "log-line-changed");
    check(&|lines| drop(lines.remove(1)), 2, "log-line-missing");
    check(&|lines| drop(lines.pop()), 4, "log-line-missing");
    check(&|lines| lines.swap(1, 2), 2, "log-line-out-of-place");
    check(&|lines| lines.push(lines[3].clone()), 5, "log-line-out-of-place");
    check(&|lines| lines.push("{\"user\":\"eve\"}\n".into()), 5, "log-line-unlinked");
    // Bytes that are no text do not stop the walk, and what follows does not hide an edit.
    let mut bytes = good.concat().into_bytes();
    bytes[30] = 0xff;
    std::fs::write(log_file(&home), bytes).unwrap();
    home.run(&["log", "--verify"]).code(7).says(&["error: the log is not as it was written: line 1 was changed"]);
    write(&home, &good[..3]);
    home.run(&["chat-settings", "set", "--messenger-timeout", "1h"]).code(0);
    home.run(&["log", "--verify"]).code(7).says(&["one or more lines before line 4 are missing"]);
}

#[test]
fn an_undo_and_a_move_of_the_file_go_on_with_the_chain_and_old_lines_stay() {
    let home = changed(2);
    home.run(&["undo", "--yes"]).code(0);
    home.run(&["log", "--verify"]).code(0).shows(&["ok: 3 lines intact"]);
    std::fs::rename(log_file(&home), home.path("log.2026")).unwrap();
    home.run(&["chat-settings", "set", "--messenger-timeout", "1h"]).code(0);
    home.run(&["log", "--verify"]).code(0).shows(&["ok: 1 line intact", "follows lines that were moved away"]);
    // As an older version left it.
    std::fs::remove_file(home.path("config/msgrctl/log.end.json")).unwrap();
    let of_old = |line: String| {
        let mut value: Value = serde_json::from_str(&line).unwrap();
        value.as_object_mut().unwrap().retain(|key, _| key != "seq" && key != "prev");
        format!("{value}\n")
    };
    std::fs::rename(home.path("log.2026"), log_file(&home)).unwrap();
    write(&home, &lines(&home).into_iter().map(of_old).collect::<Vec<_>>());
    let run = home.run(&["log", "--verify"]).code(0);
    run.shows(&["ok: the log has 3 lines without a digest"]);
    home.run(&["chat-settings", "set", "--messenger-timeout", "2h"]).code(0);
    home.run(&["log", "--verify"]).code(0).shows(&["ok: 1 line intact; the chain begins at line 4", "3 lines before"]);
    assert_eq!(home.run(&["log", "--json"]).json()["entries"].as_array().unwrap().len(), 4);
    home.run(&["undo", "--yes"]).code(0);
}

#[test]
fn twenty_processes_at_once_keep_the_chain() {
    let home = Home::new();
    let tenants: Vec<String> = (0..20).map(|at| format!("t{at}")).collect();
    let start = |tenant: &String| {
        home.msgrctl(&["tenant", "add", tenant, "--host", "x.example", "--quiet"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = tenants.iter().map(start).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let chain = home.run(&["log", "--verify", "--json"]).code(0).json()["chain"].clone();
    assert_eq!((chain["lines"].as_u64(), chain["intact"].as_u64()), (Some(20), Some(20)), "{chain}");
}

#[cfg(unix)]
#[test]
fn processes_that_are_killed_leave_a_chain_that_is_intact() {
    let home = changed(1);
    let mut kills = Kills::within(Duration::from_millis(60));
    for minutes in 2..22 {
        let timeout = format!("{minutes}m");
        let mut command = home.msgrctl(&["chat-settings", "set", "--messenger-timeout", &timeout, "--quiet"]);
        kills.kill(&mut command.stdout(Stdio::null()).spawn().unwrap());
        if minutes % 5 == 0 {
            home.run(&["log", "--verify"]).code(0);
        }
    }
    home.run(&["log", "-n", "100"]).code(0);
    home.run(&["log", "--verify"]).code(0);
    assert!(kills.killed > 0);
}

#[test]
fn the_log_names_the_user_or_the_actor_and_the_run_of_ci() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, false).with("USER", "ada");
    home.run(&["message", "disable", "acme", "agent-left"]).code(0);
    home.set("USER", "runner");
    home.set("GITHUB_ACTIONS", "true");
    home.set("GITHUB_ACTOR", "octo\u{1b}[31mcat");
    home.set("GITHUB_SERVER_URL", "https://github.example");
    home.set("GITHUB_REPOSITORY", "acme/pages");
    home.set("GITHUB_RUN_ID", "42");
    home.run(&["message", "default", "acme", "agent-left"]).code(0);
    let run = "https://github.example/acme/pages/actions/runs/42";
    let entries = home.run(&["log", "--json"]).code(0).json()["entries"].clone();
    let [.., by_ada, by_ci] = entries.as_array().unwrap().as_slice() else { panic!("{entries}") };
    assert_eq!((by_ada["user"].as_str(), by_ada.get("ci")), (Some("ada"), None));
    assert_eq!(by_ci["user"], "runner");
    assert_eq!(by_ci["ci"], serde_json::json!({"service": "github", "actor": "octo [31mcat", "run": run}));
    home.run(&["log"]).code(0).shows(&["ada", "octo [31mcat", run]);
}
