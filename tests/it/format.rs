//! What checks found as a test report and as a table for a merge request.

use msgrctl::sandbox::TokenState;

use crate::support::many::many;
use crate::support::world::{acme, sandbox};
use crate::support::xml;

#[test]
fn a_ci_system_reads_the_report() {
    let (sandbox, home) = many(3);
    let id = sandbox.world().pages[1].id.clone();
    sandbox.world().page_token_mut(&id).unwrap().state = TokenState::Expired;
    let report = home.run(&["account", "test", "--all", "--format", "junit"]).code(7);
    let suites = xml::suites(&report.stdout);
    let failures: Vec<(String, usize)> =
        suites.iter().map(|suite| (suite.name.clone(), suite.failures.len())).collect();
    assert_eq!(failures, [("page-0".into(), 0), ("page-1".into(), 2), ("page-2".into(), 0)]);
    assert_eq!(suites[1].failures[0], ("token.valid".to_owned(), "expired".to_owned()));
    assert!(suites.iter().all(|suite| suite.cases > 10), "{suites:?}");
    // One whose secret cannot be read is in the report too.
    std::fs::remove_file(home.path("tokens/2")).unwrap();
    std::fs::create_dir(home.path("tokens/2")).unwrap();
    let partial = home.run(&["account", "test", "--all", "--format", "junit"]).code(9);
    assert_eq!(xml::suites(&partial.stdout).len(), 3, "{partial:?}");
    std::fs::remove_dir(home.path("tokens/2")).unwrap();
    let third = sandbox.world().pages[2].id.clone();
    home.file("tokens/2", sandbox.world().page_token(&third).unwrap().value.clone());
    home.run(&["account", "test", "--all", "--format", "markdown"]).code(7).screen("test-markdown");
    for command in [&["doctor"][..], &["webhook", "status", "--all"]] {
        let report = home.run(&[command, &["--format", "junit"]].concat());
        assert!(xml::suites(&report.stdout)[0].cases > 0, "{report:?}");
    }
}

#[test]
fn json_and_another_format_contradict_each_other() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    home.run(&["account", "test", "acme", "--json", "--format", "junit"]).code(2).says(&["--json and this --format"]);
    let same = home.run(&["account", "test", "acme", "--format", "json"]).code(0).json();
    assert_eq!(same["results"][0]["account"], "Acme");
    // A variable gives way to a flag.
    let home = home.with("MSGRCTL_JSON", "1");
    home.run(&["account", "test", "acme", "--format", "text"]).code(0).shows(&["Acme: ✓ pass"]);
    home.run(&["account", "test", "nosuch", "--format", "text"]).code(1).says(&["{\"schema_version\""]);
}

/// The reader of a pipe writes on the same terminal whenever it likes: a moving line would be torn.
#[cfg(unix)]
#[test]
fn beside_a_pipe_nothing_moves() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let line = |pipe: &str| {
        let mut sh = home.program("sh");
        sh.args(["-c", &format!("\"$1\" account test acme {pipe}"), "sh", env!("CARGO_BIN_EXE_msgrctl")]);
        crate::support::pty::Pty::start(&sh, 100).end().0
    };
    // A moving line is cleared in the end.
    let clears = "\u{1b}[2K";
    for elsewhere in ["", "> file"] {
        assert!(line(elsewhere).contains(clears), "{:?}", line(elsewhere));
    }
    let piped = line("| cat");
    assert!(piped.contains("Acme: ") && piped.contains("testing 'Acme'") && !piped.contains(clears), "{piped:?}");
}

#[cfg(unix)]
#[test]
fn json_is_for_eyes_on_a_terminal_and_on_one_line_elsewhere() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    for command in [&["account", "test", "acme", "--json"][..], &["account", "show", "acme", "--json"]] {
        let (screen, _) = crate::support::pty::Pty::start(&home.msgrctl(command), 100).end();
        assert!(screen.contains("  \"schema_version\": 1,"), "{screen}");
        let json: serde_json::Value = serde_json::from_str(&screen[screen.find('{').unwrap()..]).unwrap();
        assert_eq!(json["schema_version"], 1);
        assert_eq!(home.run(command).stdout.trim_end().lines().count(), 1);
    }
}
