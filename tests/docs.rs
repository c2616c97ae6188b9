//! Man pages, completion scripts and the README's help are what the program says
//! today. `UPDATE_DOCS=1 cargo test --test docs` writes them again.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

fn msgrctl(arguments: &[&str]) -> String {
    let home = tempfile::tempdir().expect("a directory");
    let ran = Command::new(env!("CARGO_BIN_EXE_msgrctl"))
        .args(arguments)
        .env_clear()
        .env("HOME", home.path())
        .env("LANG", "C.UTF-8")
        .output()
        .expect("it runs");
    assert!(ran.status.success(), "{arguments:?}: {ran:?}");
    String::from_utf8(ran.stdout).expect("text")
}

/// The words of every command, the empty list being msgrctl itself.
fn commands() -> Vec<Vec<String>> {
    fn walk(command: &clap::Command, path: &[String], found: &mut Vec<Vec<String>>) {
        found.push(path.to_vec());
        for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
            walk(below, &[path, &[below.get_name().to_owned()]].concat(), found);
        }
    }
    let mut found = Vec::new();
    walk(&msgrctl::cli::command(), &[], &mut found);
    assert!(found.len() > 20, "{found:?}");
    found
}

fn updating() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some()
}

/// Compares a file with what it should be, or writes it.
fn is_current(path: &Path, expected: &str) {
    if updating() {
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(path, expected).expect("written");
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is not what msgrctl says today; to write it again: UPDATE_DOCS=1 cargo test --test docs",
        path.display()
    );
}

fn names(directory: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn every_command_has_its_man_page() {
    let mut expected = BTreeSet::new();
    for words in commands() {
        let name = format!("{}.1", [&["msgrctl".to_owned()][..], &words].concat().join("-"));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let page = msgrctl(&[&["man"][..], &words].concat());
        for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "EXIT STATUS", "ENVIRONMENT", "FILES"] {
            let quoted = format!(".SH \"{heading}\"");
            assert!(page.contains(&format!(".SH {heading}\n")) || page.contains(&quoted), "{name} lacks {heading}");
        }
        is_current(&Path::new("man").join(&name), &page);
        expected.insert(name);
    }
    assert_eq!(names("man"), expected, "a page of no command");
}

#[test]
fn mandoc_finds_no_error_in_any_page() {
    if Command::new("mandoc").arg("-T").arg("lint").stdin(std::process::Stdio::null()).output().is_err() {
        assert!(std::env::var_os("MSGRCTL_TEST_ALL").is_none(), "not run: it needs mandoc (Debian package mandoc)");
        return;
    }
    for name in names("man") {
        let ran = Command::new("mandoc").args(["-T", "lint", "-W", "error"]).arg(format!("man/{name}")).output();
        let ran = ran.expect("it runs");
        assert!(ran.status.success() && ran.stdout.is_empty(), "{name}: {ran:?}");
    }
}

#[test]
fn the_scripts_of_all_shells_are_in_the_package() {
    let scripts = [
        ("bash", "msgrctl.bash"),
        ("zsh", "_msgrctl"),
        ("fish", "msgrctl.fish"),
        ("powershell", "msgrctl.ps1"),
        ("elvish", "msgrctl.elv"),
    ];
    for (shell, name) in scripts {
        let found = fs::read_to_string(Path::new("completions").join(name)).expect(name);
        assert_eq!(found, msgrctl(&["completions", shell]), "{name}");
    }
    assert_eq!(names("completions"), scripts.iter().map(|(_, name)| (*name).to_owned()).collect());
}

/// Puts `text` between `<!-- NAME -->` and `<!-- /NAME -->`.
fn with_block(readme: &str, name: &str, text: &str) -> String {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = readme.split_once(&open).unwrap_or_else(|| panic!("the README has no {open}"));
    let (_, after) = rest.split_once(&close).unwrap_or_else(|| panic!("the README has no {close}"));
    format!("{before}{open}{text}{close}{after}")
}

#[test]
fn the_readme_says_what_the_help_says() {
    let path = Path::new("README.md");
    let readme = fs::read_to_string(path).expect("a README");
    let help = format!("```console\n$ msgrctl -h\n{}\n```\n", msgrctl(&["-h"]).trim_end());
    let mut codes = String::from("| Exit code | Meaning |\n|---|---|\n");
    for line in msgrctl(&["help", "exit-codes"]).lines() {
        if let Some((code, meaning)) = line.strip_prefix("  ").and_then(|line| line.split_once(' ')) {
            codes.extend(["| ", code, " | ", meaning.trim(), " |\n"]);
        }
    }
    assert!(codes.contains("| 130 |") && codes.lines().count() > 10, "{codes}");
    let expected = with_block(&with_block(&readme, "help", &help), "exit-codes", &codes);
    is_current(path, &expected);
}
