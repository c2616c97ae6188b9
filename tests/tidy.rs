//! The order of the house, checked: who may import whom, and what has one home.

#[path = "tidy/circles.rs"]
mod circles;
#[path = "tidy/words.rs"]
mod words;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use msgrctl::checks::{CHECKS, DOCTOR_CHECKS};

/// Who may import whom: `(room, what it may use)`. A use that names a path
/// (`secrets::Secret`) may be all of the room or just that. Downwards only.
const MAY_USE: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    (
        "cli",
        &[
            "accounts",
            "address",
            "channel",
            "checks",
            "clock",
            "dashboard",
            "document",
            "env",
            "files",
            "graph",
            "http",
            "json::without_nulls",
            "leaving::stopped",
            "messages",
            "operations",
            "paths",
            "programs::split",
            "provision",
            "sandbox",
            "secrets",
            "serve",
            "state",
            "storage",
            "text",
            "touched",
            "ui",
            "webhook",
        ],
    ),
    ("ui", &["env", "files", "leaving", "programs", "text"]),
    (
        "operations",
        &[
            "accounts",
            "address",
            "channel",
            "checks",
            "clock",
            "dashboard",
            "document",
            "env",
            "files",
            "graph",
            "http",
            "messages",
            "paths",
            "programs",
            "provision",
            "secrets",
            "serve",
            "state",
            "storage",
            "text",
            "touched",
            "webhook",
        ],
    ),
    ("state", &["accounts", "files", "messages", "paths", "storage"]),
    (
        "provision",
        &["accounts", "address", "channel", "messages", "graph", "checks", "secrets", "document", "dashboard", "text"],
    ),
    // `http::Fault` is part of what Graph's errors say.
    (
        "checks",
        &[
            "graph",
            "messages",
            "webhook",
            "address",
            "channel",
            "clock",
            "dashboard",
            "http::Fault",
            "http::SetupError",
            "http::Way",
            "secrets::Secret",
            "text",
        ],
    ),
    (
        "sandbox",
        &[
            "address",
            "clock",
            "document",
            "http",
            "json::split_string",
            "json::unescaped",
            "json::without_nulls",
            "serve",
            "text::in_markup",
            "webhook::signature",
        ],
    ),
    ("webhook", &["address", "clock", "http", "json", "serve", "secrets::Secret", "secrets::redact", "text"]),
    ("graph", &["clock", "http", "json", "secrets::Secret", "secrets::redact", "text", "touched"]),
    ("messages", &["secrets::holds_credential", "text"]),
    (
        "accounts",
        &[
            "messages",
            "address",
            "channel",
            "document",
            "paths",
            "files",
            "clock",
            "secrets::holds_credential",
            "secrets::SecretRef",
            "secrets::SecretKey",
            "secrets::SecretKind",
            "secrets::StoreName",
            "storage",
            "text",
        ],
    ),
    ("storage", &["clock", "env", "files", "http", "leaving", "secrets::Secret", "touched"]),
    ("secrets", &["address", "env", "paths", "programs", "files", "clock", "http", "text", "touched"]),
    ("files", &["paths", "text", "touched"]),
    ("paths", &["env"]),
    ("document", &[]),
    ("env", &[]),
    ("clock", &[]),
    ("dashboard", &[]),
    ("http", &[]),
    ("serve", &[]),
    ("json", &[]),
    ("leaving", &[]),
    ("programs", &[]),
    ("text", &[]),
    ("touched", &[]),
    ("address", &["text"]),
    ("channel", &["text"]),
];

/// What has one home: `(text, the files it may stand in)`. A folder ends in `/`.
const HOMES: &[(&str, &[&str])] = &[
    ("reqwest", &["src/http.rs", "src/http/"]),
    ("dialoguer", &["src/ui/prompt.rs"]),
    ("keyring::Entry", &["src/secrets/keyring.rs"]),
    ("keyring_core", &["src/secrets/keyring.rs"]),
    ("secret_service", &["src/secrets/keyring.rs"]),
    ("std::env", &["src/env.rs"]),
    ("App Dashboard >", &["src/dashboard.rs"]),
    ("println!", &[]),
    ("eprint", &[]),
    ("io::stdout()", &["src/ui/output.rs", "src/ui/terminal.rs", "src/ui/writer.rs"]),
    ("io::stderr", &["src/ui/output.rs", "src/ui/terminal.rs", "src/ui/writer.rs"]),
    // Around the filter for text from outside.
    (
        ".exact(",
        &[
            "src/ui/output.rs",
            "src/cli/account/discover.rs",
            "src/cli/completions.rs",
            "src/cli/export.rs",
            "src/cli/man.rs",
            "src/cli/schema.rs",
            "src/cli/secret/reveal.rs",
        ],
    ),
    ("fn is_unseen", &["src/text.rs"]),
    ("try_quote", &["src/text/paste.rs"]),
    ("fs::write", &[]),
    ("fs::rename", &["src/files.rs"]),
    ("tempfile_in", &["src/files/lock.rs"]),
    (
        ".expose()",
        &[
            "src/secrets/",
            "src/storage/postgres/connection.rs",
            "src/storage/s3/sign.rs",
            "src/graph/wire.rs",
            "src/graph/proof.rs",
            "src/cli/secret/reveal.rs",
            "src/cli/webhook/show.rs",
            "src/cli/account/handover/mod.rs",
            "src/cli/reporter.rs",
            "src/operations/login/dialog.rs",
            "src/operations/stores.rs",
            "src/operations/watch/send.rs",
            "src/webhook/challenge.rs",
            "src/webhook/listener/signer.rs",
        ],
    ),
    (
        "process::Command",
        &["src/operations/watch/send.rs", "src/secrets/command.rs", "src/ui/browser.rs", "src/ui/editor.rs"],
    ),
    ("process::exit", &["src/ui/interrupt.rs"]),
    ("Timestamp::now", &["src/clock.rs"]),
];

fn sources() -> Vec<(PathBuf, String)> {
    fn collect(dir: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).expect("text");
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    collect(Path::new("src"), &mut found);
    found.sort();
    assert!(found.len() > 40, "the sources are not where they are looked for");
    found
}

/// A file without its tests.
fn shipped(text: &str) -> &str {
    let shipped = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    shipped.split("#[cfg(test)]\npub(super) mod tests").next().unwrap_or_default()
}

/// The code of a file without its tests, comments and documentation.
fn code(text: &str) -> String {
    shipped(text).lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn room(path: &Path) -> String {
    let inside = path.strip_prefix("src").expect("in src");
    let first = inside.components().next().expect("a name").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// Every `crate::a::B` that a file names, groups taken apart.
fn uses(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for prefix in ["crate::", "msgrctl::"] {
        for (at, _) in code.match_indices(prefix) {
            let rest = &code[at + prefix.len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
            let path = rest[..end].trim_end_matches(':');
            if rest[end..].starts_with('{') {
                let group = rest[end + 1..].split('}').next().unwrap_or_default();
                let items = group.split(',').map(str::trim).filter(|item| !item.is_empty());
                found.extend(items.map(|item| format!("{path}::{item}")));
            } else {
                found.insert(path.to_owned());
            }
        }
    }
    found
}

#[test]
fn imports_go_downwards() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let room = room(&path);
        if room == "lib" {
            continue;
        }
        let (_, may) =
            MAY_USE.iter().find(|(name, _)| *name == room).unwrap_or_else(|| panic!("{room} is not in the table"));
        for used in uses(&code(&text)) {
            let of = used.split("::").next().unwrap_or_default();
            let allowed = of == room || may.iter().any(|may| used == *may || used.starts_with(&format!("{may}::")));
            if !allowed {
                wrong.push(format!("{} uses {used}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_table_itself_has_no_circles() {
    for (name, may) in MAY_USE {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&str> = may.to_vec();
        while let Some(used) = next.pop() {
            let used = used.split("::").next().unwrap_or_default();
            assert_ne!(used, *name, "{name} comes back to itself");
            if seen.insert(used) {
                next.extend(MAY_USE.iter().filter(|(name, _)| *name == used).flat_map(|(_, may)| may.iter()));
            }
        }
    }
}

#[test]
fn what_has_one_home_is_at_home() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let name = path.to_string_lossy().replace('\\', "/");
        let code = code(&text);
        for (what, homes) in HOMES {
            let home = homes.iter().any(|home| name == *home || home.ends_with('/') && name.starts_with(home));
            if !home && code.contains(what) {
                wrong.push(format!("{name} has {what}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The id of a check is a name that scripts know: one that changes has to change wherever it
/// is made, explained or waited for.
#[test]
fn the_id_of_a_check_is_written_once() {
    let mut wrong = Vec::new();
    let ids: Vec<&str> = CHECKS.iter().chain(DOCTOR_CHECKS).map(|page| page.id).filter(|id| id.contains('.')).collect();
    for (path, text) in sources().into_iter().filter(|(path, _)| !path.ends_with("checks/pages.rs")) {
        let code = code(&text);
        wrong.extend(
            ids.iter()
                .filter(|id| code.contains(&format!("\"{id}\"")))
                .map(|id| format!("{} has {id}", path.display())),
        );
    }
    assert!(wrong.is_empty() && ids.len() > 20, "{wrong:#?}");
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = fs::read_to_string("Cargo.toml").expect("the manifest");
    let mut in_dependencies = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_dependencies = line.contains("dependencies]");
        } else if in_dependencies && line.contains('=') {
            assert!(line.contains(" # "), "no reason: {line}");
        }
    }
}

/// A page that sends its reader to a file which is not there any more costs an hour.
#[test]
fn pages_name_files_that_are_there() {
    // What a page would have its reader make.
    const TO_BE_MADE: [&str; 3] = ["archive.rs", "NAME.rs", "NOUN.rs"];
    let mut named = 0;
    for page in ["CONTRIBUTING.md", "SECURITY.md", "README.md"] {
        let text = fs::read_to_string(page).expect(page);
        let quoted =
            text.split('`').skip(1).step_by(2).filter(|path| path.starts_with("src/") || path.starts_with("tests/"));
        for path in
            quoted.filter(|path| !path.contains([' ', '…', '*']) && !TO_BE_MADE.iter().any(|end| path.ends_with(end)))
        {
            assert!(Path::new(path).exists(), "{page}: {path} is not there");
            named += 1;
        }
    }
    assert!(named > 30, "{named} paths were found");
}

#[test]
fn files_stay_readable() {
    for (path, text) in sources() {
        let lines = text.split("#[cfg(test)]").next().unwrap_or_default().lines().count();
        assert!(lines <= 400, "{} has {lines} lines: is there a second thing in it?", path.display());
        assert!(text.starts_with("//!"), "{} does not say what it is", path.display());
    }
}

/// `tests/run --no-setup` on a machine that has almost nothing, and where the programs that
/// would change it leave a trace.
#[cfg(unix)]
#[test]
fn the_test_command_can_leave_the_machine_alone() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::process::Command;

    let machine = tempfile::tempdir().expect("a directory");
    for program in ["cat", "dirname", "sha256sum", "sh"] {
        let found = ["/usr/bin", "/bin"].map(|dir| Path::new(dir).join(program)).into_iter().find(|path| path.exists());
        symlink(found.expect(program), machine.path().join(program)).expect("a link");
    }
    for program in ["apt-get", "cargo", "id", "mkdir", "npm", "python3", "rm", "sudo"] {
        let path = machine.path().join(program);
        // python3 is asked whether it has venv.
        let script =
            format!("#!/bin/sh\ncase \"$*\" in *ensurepip*) exit 1 ;; esac\necho {program} >> \"${{0%/*}}/ran\"\n");
        fs::write(&path, script).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
    }
    let ran = Command::new("tests/run").arg("--no-setup").env("PATH", machine.path()).output().expect("it runs");
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    assert!(ran.stdout.is_empty(), "{ran:?}");
    let said = String::from_utf8_lossy(&ran.stderr);
    for missing in ["gnome-keyring", "mandoc", "python3-venv"] {
        assert!(said.contains(missing), "{missing} is not named: {said}");
    }
    assert!(!machine.path().join("ran").exists(), "{:?}", fs::read_to_string(machine.path().join("ran")));
}

/// The comments of a source as running text: a citation may go on in the next line.
fn comments(text: &str) -> String {
    let lines = text.lines().map(str::trim_start).filter(|line| line.starts_with("//"));
    lines.map(|line| line.trim_start_matches(['/', '!', ' '])).collect::<Vec<_>>().join(" ")
}

/// What is wrong with the pages that a text cites: `graph/FACTS.md, "Call limits"`, with
/// more headings after `and`.
fn wrong_citations(comments: &str, page: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let regex = |text| regex_lite::Regex::new(text).expect("a regular expression");
    let mut wrong = Vec::new();
    let heading = regex(r#"^(?:,| and| or) "([^"]+)""#);
    for cited in regex(r"[\w./-]*\w\.md\b").find_iter(comments) {
        let Some(text) = page(cited.as_str()) else {
            wrong.push(format!("{} is not there", cited.as_str()));
            continue;
        };
        let mut rest = &comments[cited.end()..];
        while let Some(next) = heading.captures(rest) {
            if !text.lines().any(|line| line.strip_prefix("## ") == Some(&next[1])) {
                wrong.push(format!("{} has no heading {:?}", cited.as_str(), &next[1]));
            }
            rest = &rest[next[0].len()..];
        }
    }
    // Pages that are named by what they are, not by where they are.
    let elsewhere = regex(r"(?i)\bfacts? (?:of|sheet)\b|\(facts, |\bbehaviou?rs? \d|\bsections? \d|\bdesign/");
    // A section of an RFC can be read by anybody.
    let comments = regex(r"RFC \d+, sections? ").replace_all(comments, "");
    wrong.extend(elsewhere.find_iter(&comments).map(|found| format!("{:?}", found.as_str())));
    wrong
}

/// A page of this repository: from its root, or from `src/`.
fn page(name: &str) -> Option<String> {
    ["", "src/"].iter().find_map(|root| fs::read_to_string(format!("{root}{name}")).ok())
}

#[test]
fn every_page_that_is_cited_is_here() {
    let mut cited = 0;
    let mut wrong = Vec::new();
    let tests = ["tests", "tests/it", "tests/it/support", "fuzz/fuzz_targets"].into_iter().flat_map(|dir| {
        let entries = fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
        let sources = entries.filter(|path| path.extension().is_some_and(|end| end == "rs"));
        sources.map(|path| (path.clone(), fs::read_to_string(path).expect("text"))).collect::<Vec<_>>()
    });
    for (path, text) in sources().into_iter().chain(tests) {
        let comments = comments(&text);
        cited += comments.matches("FACTS.md").count();
        wrong.extend(wrong_citations(&comments, &page).into_iter().map(|what| format!("{}: {what}", path.display())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(cited > 30, "the citations are not where they are looked for: {cited}");
}

#[test]
fn a_citation_of_nothing_is_found() {
    let page = |name: &str| (name == "graph/FACTS.md").then(|| "# Facts\n\n## Call limits\n\n## Versions\n".to_owned());
    let wrong = |text: &str| wrong_citations(&comments(text), &page).len();
    assert_eq!(wrong("//! (graph/FACTS.md, \"Call\n//! limits\" and \"Versions\")."), 0);
    assert_eq!(wrong("//! (graph/FACTS.md, \"Call\n//! limits\" and \"Version\")."), 1);
    assert_eq!(wrong("/// graph/FACTS.md, \"Limits\""), 1);
    assert_eq!(wrong("/// webhook/FACTS.md, \"Call limits\""), 1);
    assert_eq!(wrong("// a handover (facts of\n// Graph, section 2.1)"), 2);
    assert_eq!(wrong("/// in every state (behaviours 18 to 20)"), 1);
    assert_eq!(wrong("/// see design/interface.md"), 2);
    assert_eq!(wrong("/// RFC 5280, section 4.1"), 0);
    // Code is not searched.
    assert_eq!(wrong("let facts = section(\"handover.md\");"), 0);
}

#[test]
fn every_sample_names_headings_of_the_facts() {
    let facts = page("graph/FACTS.md").expect("the facts");
    let samples = fs::read_to_string("tests/fixtures/graph.json").expect("the samples");
    let samples: serde_json::Value = serde_json::from_str(&samples).expect("JSON");
    for sample in samples.as_array().expect("a list") {
        for heading in sample["facts"].as_str().expect("its facts").split("; ") {
            let here = facts.lines().any(|line| line.strip_prefix("## ") == Some(heading));
            assert!(here, "{}: no heading {heading:?}", sample["id"]);
        }
    }
}
