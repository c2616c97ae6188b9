//! What the README and the topics of the help promise.

use msgrctl::checks::{CHECKS, DOCTOR_CHECKS};

use crate::support::Home;
use crate::support::documented::{CALLBACK_URL, Documented, blocks, section};
use crate::support::world::{acme, sandbox};

#[test]
fn every_check_is_in_the_topic_causes() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    let topic = home.run(&["help", "causes"]).code(0).stdout;
    let results = home.run(&["account", "test", "acme", "--json"]).code(0).json();
    let checks = results["results"][0]["checks"].as_array().unwrap().clone();
    assert!(checks.len() >= 12, "{checks:?}");
    for check in checks {
        let id = check["id"].as_str().unwrap();
        assert!(topic.contains(&format!("\n  {id}\n      ")), "help causes lacks {id}");
    }
    for page in CHECKS.iter().chain(DOCTOR_CHECKS) {
        assert!(topic.contains(&format!("\n  {}\n      {}\n      fix: {}", page.id, page.passes, page.fix)));
    }
}

/// The table of the commonest causes: what it quotes is what the program says.
#[test]
fn the_commonest_causes_are_said_as_the_program_says_them() {
    let section = section("When something is wrong");
    let explained = Home::new().run(&["explain", "causes", "--json"]).code(0).json();
    let mut seen = 0;
    for row in section.lines().filter(|line| line.starts_with("| ") && line.contains("(`")) {
        let (says, rest) = row.trim_start_matches("| ").split_once(" (`").unwrap();
        let id = rest.split('`').next().unwrap();
        let cause = explained["entries"].as_array().unwrap().iter().find(|entry| entry["id"] == id);
        let summary = cause.unwrap_or_else(|| panic!("there is no cause {id}"))["summary"].as_str().unwrap();
        assert!(summary.starts_with(says), "{id}: the README quotes {says:?}, the program says {summary:?}");
        seen += 1;
    }
    assert_eq!(seen, 12);
}

/// The screens of the README against the snapshots of the same commands, whose account is
/// named otherwise.
#[test]
fn the_screens_are_those_of_the_snapshots() {
    let screens = [
        ("The first account", 0, "wizard-add.snap"),
        ("Daily tasks", 0, "status-failing.snap"),
        ("Daily tasks", 1, "account-test.snap"),
        ("When something is wrong", 0, "state-password-changed.snap"),
    ];
    // Names, masked ends and the width of columns differ.
    let plain = |line: &str| {
        let line = line.replace("acme-support", "acme").replace("********UckJ", "********[END]");
        let line = line.replace("Acme Support: ✗", "Acme: ✗").replace("Acme Support: ✓ pass  13", "Acme: ✓ pass  13");
        let line = line.replace("trace AUu7PHNPmHppfeMvHaU6lnf", "trace [TRACE]");
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for (heading, at, name) in screens {
        let block = &blocks(&section(heading), "console")[at];
        let snapshot = std::fs::read_to_string(format!("tests/it/snapshots/{name}")).unwrap();
        let printed: Vec<String> = snapshot.lines().map(plain).collect();
        let mut rest = printed.iter();
        for line in block.lines().filter(|line| *line != "…") {
            let line = plain(line);
            assert!(rest.any(|printed| *printed == line), "{name} does not print, in this place:\n{line}");
        }
    }
}

/// Every command line of the README: in code spans, after `$`, and in blocks of `sh`.
fn command_lines(readme: &str) -> Vec<String> {
    let readme = readme.replace("\\\n", " ").replace("\\|", "|");
    let mut found = Vec::new();
    for (at, part) in readme.split("```").enumerate() {
        // Outside blocks the code spans are every second piece.
        let lines: Vec<&str> = match at % 2 {
            0 => part.split('`').skip(1).step_by(2).collect(),
            _ if part.starts_with("sh\n") => part.lines().collect(),
            _ => part.lines().filter_map(|line| line.strip_prefix("$ ")).collect(),
        };
        let commands = lines.into_iter().flat_map(|line| line.split([';', '|', '>']));
        let commands = commands.map(|line| line.split("  #").next().unwrap().trim());
        found.extend(commands.filter(|line| line.starts_with("msgrctl ")).map(str::to_owned));
    }
    found
}

#[test]
fn every_command_of_the_readme_can_be_typed() {
    let lines = command_lines(&std::fs::read_to_string("README.md").unwrap());
    assert!(lines.len() > 60, "{lines:?}");
    for line in lines.iter().filter(|line| !line.contains(" COMMAND")) {
        let words = shlex::split(line).unwrap_or_else(|| panic!("{line}"));
        if let Err(error) = msgrctl::cli::command().try_get_matches_from(words)
            && error.use_stderr()
        {
            panic!("{line}: {error}");
        }
    }
}

/// The commands of a block, and what each is shown to print.
fn commands(block: &str) -> Vec<(&str, &str)> {
    let commands = block.strip_prefix("$ ").unwrap_or_else(|| panic!("no command in:\n{block}")).split("\n$ ");
    commands.map(|command| command.split_once('\n').unwrap_or((command, ""))).collect()
}

/// Whether that is printed; a line `…` stands for any number of lines.
fn fits(printed: &str, shown: &str) -> bool {
    let (printed, shown) = (printed.trim_end(), shown.trim_end());
    match shown.split_once("…\n") {
        Some((first, last)) => printed.starts_with(first) && printed.ends_with(last),
        None => printed == shown,
    }
}

/// The host of an address, with its port.
fn host(url: &str) -> &str {
    url.split('/').nth(2).unwrap()
}

#[test]
fn a_file_of_accounts_does_what_is_shown() {
    let documented = Documented::start();
    let mut home = Home::new().with("MSGRCTL_GRAPH_URL", &documented.sandbox.url());
    for (name, value) in &documented.secrets {
        home.set(name, value);
    }
    home.file("accounts.yaml", &documented.manifest);
    let section = section("Plan and apply");
    let mut run = 0;
    for block in blocks(&section, "console") {
        for (line, expected) in commands(&block) {
            let words: Vec<&str> = line.strip_prefix("msgrctl ").unwrap().split(' ').collect();
            let printed = home.run(&words).code(0).stdout.replace(&documented.hook.url, CALLBACK_URL);
            let printed = printed.replace(host(&documented.hook.url), host(CALLBACK_URL));
            documented.is_silent(&printed);
            assert!(fits(&printed, expected), "{line} prints:\n{printed}\nand the README shows:\n{expected}");
            run += 1;
        }
    }
    assert!(run > 5);
}
