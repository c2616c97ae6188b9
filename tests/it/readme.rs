//! What the README promises by name.

use crate::support::Home;
use crate::support::documented::{CALLBACK_URL, Documented, blocks, section};
use crate::support::world::{acme, sandbox};

#[test]
fn every_check_is_in_the_troubleshooting() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let sandbox = sandbox();
    let results = acme(&sandbox, true).run(&["account", "test", "acme", "--json"]).code(0).json();
    let checks = results["results"][0]["checks"].as_array().unwrap().clone();
    assert!(checks.len() >= 12, "{checks:?}");
    for check in checks {
        let id = check["id"].as_str().unwrap();
        assert!(readme.contains(&format!("| `{id}` |")), "the README's troubleshooting lacks {id}");
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
    let section = section("A file of accounts");
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
