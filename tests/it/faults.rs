//! A Graph that does not answer says nothing about the token.

use std::time::Duration;

use msgrctl::sandbox::{Fault, InProcess};

use crate::support::world::{acme, nowhere, paths, sandbox};
use crate::support::{Home, Run};

fn with_fault(sandbox: &InProcess, path: Option<&str>, times: Option<u32>, effect: Fault) {
    sandbox.world().faults = vec![Fault { path: path.map(str::to_owned), times, ..effect }];
}

fn tested(home: &Home) -> Run {
    home.run(&["account", "test", "acme", "--json", "--timeout", "2"])
}

#[track_caller]
fn assert_unreachable(run: Run, hint: &str) -> Run {
    let run = run.code(5);
    let check = run.check("graph.reachable");
    assert_eq!(check["outcome"], "unreachable");
    assert!(check["hint"].as_str().unwrap().contains(hint), "{check}");
    assert_eq!(run.check("token.valid")["outcome"], "skip");
    assert_eq!(run.json()["results"][0]["outcome"], "unreachable");
    run
}

#[test]
fn a_dead_network_is_unreachable() {
    let home = acme(&sandbox(), true).with("MSGRCTL_GRAPH_URL", &format!("http://{}", nowhere()));
    assert_unreachable(tested(&home), "msgrctl sandbox start");
}

#[test]
fn a_black_hole_is_unreachable_within_the_time_limit() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    with_fault(&sandbox, None, None, Fault { delay: Some(Duration::from_secs(60)), ..Fault::default() });
    let run = assert_unreachable(tested(&home), "--timeout");
    assert!(run.took < Duration::from_secs(4), "{:?}", run.took);
}

#[test]
fn trouble_at_meta_is_unreachable_and_tried_three_times() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    for effect in [
        Fault { code: Some(2), ..Fault::default() },
        Fault { status: Some(500), ..Fault::default() },
        Fault { code: Some(1), status: Some(400), ..Fault::default() },
        Fault { drop: true, ..Fault::default() },
    ] {
        with_fault(&sandbox, Some("/me"), None, effect);
        let before = paths(&sandbox).iter().filter(|path| path.ends_with("/me")).count();
        assert_unreachable(tested(&home), "");
        let after = paths(&sandbox).iter().filter(|path| path.ends_with("/me")).count();
        assert_eq!(after - before, 3);
    }
}

#[test]
fn what_passes_on_the_second_try_passes() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    with_fault(&sandbox, Some("/me"), Some(1), Fault { drop: true, ..Fault::default() });
    tested(&home).code(0);
    with_fault(&sandbox, Some("/me"), Some(2), Fault { code: Some(2), ..Fault::default() });
    tested(&home).code(0);
}

#[test]
fn throttling_is_unreachable_and_its_wait_is_told() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    for code in [4, 17, 32, 341, 613, 80001, 80002, 80005, 80006] {
        with_fault(&sandbox, None, None, Fault { code: Some(code), regain_minutes: Some(19), ..Fault::default() });
        let run = assert_unreachable(tested(&home), "19 minutes");
        assert_eq!(run.check("graph.reachable")["graph"]["code"], code);
    }
}

#[test]
fn a_dead_token_is_asked_about_once() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    with_fault(&sandbox, None, None, Fault { code: Some(190), subcode: Some(460), ..Fault::default() });
    tested(&home).code(7);
    assert_eq!(paths(&sandbox).len(), 2, "one call by itself, one request for the others, and none again");
}

#[test]
fn what_is_not_graph_is_no_verdict_on_the_token() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let login = Fault { body: Some("<html>Please log in</html>".into()), ..Fault::default() };
    with_fault(&sandbox, None, None, login);
    let run = assert_unreachable(tested(&home), "--graph-url");
    assert!(run.check("graph.reachable")["summary"].as_str().unwrap().contains("login page"));
}

#[test]
fn one_call_that_fails_leaves_the_others_standing() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    with_fault(&sandbox, Some("/debug_token"), None, Fault { code: Some(2), ..Fault::default() });
    let run = tested(&home).code(5);
    assert_eq!(run.check("token.valid")["outcome"], "pass");
    assert_eq!(run.check("token.expiry")["outcome"], "unreachable");
    assert_eq!(run.check("page.subscription")["outcome"], "pass");
}

#[test]
fn add_saves_nothing_when_graph_is_out_of_reach() {
    let sandbox = sandbox();
    let home = Home::new().with_secrets("acme", "EAAx").with("MSGRCTL_GRAPH_URL", &sandbox.url());
    drop(sandbox);
    home.run(&["account", "add", "Acme"]).code(5).says(&["nothing was saved", "--no-test"]);
    let full = ["account", "add", "Acme", "--page-username", "acme.support", "--page-id", "109876543210987"];
    home.run(&full).code(5).says(&["nothing was saved"]);
    assert!(!home.accounts_file().exists());
    let error = home.run(&["account", "add", "Acme", "--json"]).code(5).json_error();
    assert_eq!(error["retryable"], true);
    let mut anyway = full.to_vec();
    anyway.push("--save-anyway");
    home.run(&anyway).code(0);
}

#[test]
fn a_proxy_variable_does_not_catch_loopback() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false).with("HTTP_PROXY", "http://127.0.0.1:1").with("HTTPS_PROXY", "http://127.0.0.1:1");
    tested(&home).code(0);
}

#[test]
fn something_is_said_before_the_network_is_asked() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    home.run(&["account", "test", "acme"]).code(0).says(&["testing 'Acme' with Graph"]);
    let quiet = home.run(&["account", "test", "acme", "--quiet"]).code(0);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn one_round_of_calls_all_at_once() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    sandbox.world().rules.latency = Duration::from_millis(800);
    let run = tested(&home).code(0);
    let paths = paths(&sandbox);
    let single = paths.iter().filter(|path| !path.ends_with('/')).count();
    assert_eq!((single, paths.len()), (3, 4), "/me, /debug_token, subscribed_apps, in one request");
    // Three calls of 0.8 s each, one after the other, would take 2.4 s.
    assert!(run.took < Duration::from_millis(2200), "{:?}", run.took);
}

#[test]
fn a_limit_without_a_wait_is_left_alone_for_a_second_and_tried_once_more() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let status = ["webhook", "status", "acme", "--json"];
    let asked = |sandbox: &InProcess| paths(sandbox).iter().filter(|path| path.ends_with("/subscribed_apps")).count();
    let limit = Fault { code: Some(613), ..Fault::default() };
    with_fault(&sandbox, Some("/*/subscribed_apps"), Some(1), limit.clone());
    let run = home.run(&status);
    assert!(asked(&sandbox) == 2 && run.took > Duration::from_millis(950) && run.code != 5, "{run:#?}");
    with_fault(&sandbox, Some("/*/subscribed_apps"), None, limit.clone());
    let run = home.run(&status).code(5);
    assert_eq!(asked(&sandbox), 4, "{run:#?}");
    // What acts is not sent again: neither after a limit nor after a wait.
    for regain_minutes in [None, Some(5)] {
        with_fault(&sandbox, Some("/*/messages"), None, Fault { regain_minutes, ..limit.clone() });
        let before = paths(&sandbox).len();
        home.run(&["message", "send", "acme", "--to", "7654321098765432", "hello"]).code(5);
        assert_eq!(paths(&sandbox).len() - before, 1);
    }
}
