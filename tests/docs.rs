//! Man pages, completion scripts and the README's commands and topics are what the program
//! says today. `UPDATE_DOCS=1 cargo test --test docs` writes them again.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use sha2::{Digest as _, Sha256};

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

/// The names of the topics, as the help of `help` lists them.
fn topics() -> Vec<String> {
    let tree = msgrctl::cli::command();
    let about = tree.find_subcommand("help").and_then(clap::Command::get_about).expect("a help").to_string();
    let (_, names) = about.split_once("a topic: ").expect("a list");
    let names: Vec<String> = names.split(", ").map(str::to_owned).collect();
    assert!(names.len() > 8, "{names:?}");
    names
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
fn every_command_and_every_topic_has_its_man_page() {
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
    for topic in topics() {
        let name = format!("msgrctl-{topic}.7");
        let page = msgrctl(&["man", &topic]);
        for heading in ["NAME", "DESCRIPTION", "\"SEE ALSO\""] {
            assert!(page.contains(&format!(".SH {heading}\n")), "{name} lacks {heading}");
        }
        is_current(&Path::new("man").join(&name), &page);
        expected.insert(name);
    }
    assert_eq!(names("man"), expected, "a page without its command or topic");
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
fn the_readme_names_every_command_and_every_topic() {
    let path = Path::new("README.md");
    let readme = fs::read_to_string(path).expect("a README");
    let commands: Vec<String> = commands().into_iter().filter(|words| words.len() == 1).flatten().collect();
    let quoted = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let text = format!(
        "- `msgrctl COMMAND --help` and `msgrctl man COMMAND`, every flag with examples: {}\n\
         - `msgrctl help TOPIC` and `man msgrctl-TOPIC`: {}\n",
        quoted(&commands),
        quoted(&topics())
    );
    is_current(path, &with_block(&readme, "help", &text));
}

/// Who copies the README's lines runs this `install.sh` and no other.
#[test]
fn the_readme_pins_the_checksum_of_install_sh() {
    let path = Path::new("README.md");
    let readme = fs::read_to_string(path).expect("a README");
    let (before, after) = readme.split_once("  install.sh\" | sha256sum --check").expect("a line that checks it");
    let (before, _) = before.rsplit_once('"').expect("a checksum in quotes");
    let sum = hex::encode(Sha256::digest(fs::read("install.sh").expect("a script")));
    is_current(path, &format!("{before}\"{sum}  install.sh\" | sha256sum --check{after}"));
}

#[test]
fn the_readme_is_read_in_one_sitting() {
    let lines = fs::read_to_string("README.md").expect("a README").lines().count();
    assert!(lines <= 300, "{lines} lines: what is longer goes to a topic of msgrctl help");
}
