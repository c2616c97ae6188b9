//! `apply --check`: every mistake of a manifest in one run, and never a secret.

use std::path::{Path, PathBuf};

use crate::support::{Home, Run};

/// The files of a folder of manifests, by name; what is expected of them stands beside.
fn manifests(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/manifests").join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "yaml" || end == "json"));
    paths.sort();
    paths
}

pub fn good() -> Vec<PathBuf> {
    manifests("good")
}

pub fn bad() -> Vec<PathBuf> {
    manifests("bad")
}

fn check(home: &Home, arguments: &[&str]) -> Run {
    home.run(&[&["apply", "--check"], arguments].concat())
}

/// Checks a manifest of this text.
fn check_text(home: &Home, text: &str) -> Run {
    home.file("m.yaml", text);
    check(home, &["-f", "m.yaml"])
}

#[test]
fn good_manifests_are_taken() {
    let home = Home::new();
    for path in good() {
        let path = std::path::absolute(path).unwrap(); // with the drive, on Windows
        let run = check(&home, &["-f", path.to_str().unwrap()]).code(0);
        assert!(run.stdout.starts_with("ok: ") && run.stderr.is_empty(), "{run:#?}");
        // Nothing was read that is not a manifest, and nothing made.
        assert!(!home.path("config").exists());
    }
}

/// `UPDATE_MISTAKES=1` writes what is said today beside each file, to be read by a person.
#[test]
fn every_mistake_of_bad_manifests_has_its_line() {
    let home = Home::new();
    assert!(bad().len() > 60);
    for path in bad() {
        let mut command = home.msgrctl(&["apply", "--check", "-f"]);
        command.arg(path.file_name().unwrap()).current_dir(path.parent().unwrap());
        let run = Run::of(command, b"").code(3);
        let (said, error) = run.stderr.split_once("error: ").unwrap();
        let beside = path.with_extension(format!("{}.mistakes", path.extension().unwrap().to_str().unwrap()));
        if std::env::var_os("UPDATE_MISTAKES").is_some() {
            std::fs::write(&beside, said).unwrap();
        }
        assert_eq!(said, std::fs::read_to_string(&beside).unwrap_or_default(), "{}", beside.display());
        let number = said.lines().count();
        assert!(error.starts_with(&format!("{number} mistake")), "{error}");
        assert!(error.contains("msgrctl help manifests") && run.stdout.is_empty(), "{run:#?}");
    }
}

#[test]
fn thirty_mistakes_are_thirty_lines_of_one_run() {
    let path = bad().into_iter().find(|path| path.ends_with("thirty.yaml")).unwrap();
    let home = Home::new();
    home.file("thirty.yaml", std::fs::read(path).unwrap());
    let run = check(&home, &["-f", "thirty.yaml"]).code(3).says(&["error: 30 mistakes in thirty.yaml"]);
    let located = |line: &&str| {
        let mut parts = line.split(':');
        parts.next() == Some("thirty.yaml")
            && [parts.next(), parts.next()].iter().all(|at| at.unwrap().parse::<u32>().is_ok())
    };
    let lines: Vec<&str> = run.stderr.lines().take_while(|line| line.starts_with("thirty.yaml:")).collect();
    assert_eq!((lines.len(), lines.iter().filter(|line| located(line)).count()), (30, 30), "{run:#?}");
    let error = check(&home, &["-f", "thirty.yaml", "--json"]).code(3).json_error();
    let causes: Vec<&str> = error["causes"].as_array().unwrap().iter().map(|cause| cause.as_str().unwrap()).collect();
    assert_eq!(causes, lines);
    assert_eq!(error["kind"], "file");
}

#[test]
fn files_folders_and_standard_input_are_one_manifest() {
    let home = Home::new();
    let account = |name: &str| format!("version: 1\naccounts: [{{name: {name}}}]\n");
    for (file, name) in
        [("b.yaml", "B"), ("a.yml", "A"), ("c.json", "C"), ("d.txt", "D"), ("below/e.yaml", "E"), (".f.yaml", "F")]
    {
        home.file(&format!("manifests/{file}"), account(name));
    }
    check(&home, &["-f", "manifests"]).code(0).shows(&["ok: 3 accounts in manifests"]);
    // Named twice is meant once.
    check(&home, &["-f", "manifests", "-f", "manifests/b.yaml"]).code(0).shows(&["ok: 3 accounts in"]);
    let words = ["apply", "--check", "-f", "manifests", "--file", "-"];
    home.run_with(&words, account("G")).code(0).shows(&["ok: 4 accounts in manifests, standard input"]);
    let run = home.run_with(&words, account("c")).code(3);
    let there = std::path::Path::new("manifests").join("c.json");
    let clash = format!("standard input:2:19: another account has the name 'c' too, at {}:2:19", there.display());
    run.says(&[&clash]);
    let run = home.run_with(&["apply", "--check", "-f", "-", "--json"], account("G")).code(0);
    assert_eq!(run.json().to_string(), r#"{"schema_version":1,"accounts":1,"doubts":[]}"#);
    home.run(&["apply", "--check", "-f", "-", "-f", "-"]).code(2).says(&["given twice"]);
}

#[test]
fn what_cannot_be_read_says_why() {
    let home = Home::new();
    check(&home, &["-f", "none.yaml"]).code(2).says(&["the file none.yaml does not exist"]);
    check(&home, &[]).code(2).says(&["missing: FILE, the manifest", "msgrctl apply -f FILE"]);
    home.file("empty/readme.txt", "");
    check(&home, &["-f", "empty"]).code(2).says(&["empty has no manifest", "*.yaml"]);
    home.file("latin1.yaml", b"version: 1\naccounts:\n  - name: S\xfcd\n");
    check(&home, &["-f", "latin1.yaml"]).code(3).says(&["latin1.yaml is not UTF-8 text, line 3", "save it as UTF-8"]);
    // What `>` of Windows PowerShell makes of an export is taken.
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain("version: 1\naccounts: [{name: Süd}]\n".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    home.file("utf16.yaml", utf16);
    check(&home, &["-f", "utf16.yaml"]).code(0).shows(&["ok: 1 account in utf16.yaml"]);
    home.file("large.yaml", vec![b'#'; 8 * 1024 * 1024 + 1]);
    check(&home, &["-f", "large.yaml"]).code(3).says(&["large.yaml has more than 8 MiB"]);
    let run = check(&home, &["-f", "none.yaml", "--json"]).code(2);
    assert_eq!(run.json_error()["kind"], "usage");
}

#[test]
fn what_is_odd_is_a_warning_and_no_mistake() {
    let home = Home::new();
    home.file("m.yaml", "version: 1\naccounts: [{name: A, page_username: abc}]\n");
    let run = check(&home, &["-f", "m.yaml"]).code(0).says(&["warning: m.yaml:2:37: the page username 'abc'"]);
    assert_eq!(run.stdout, "ok: 1 account in m.yaml\n");
    let doubts = check(&home, &["-f", "m.yaml", "--json"]).code(0).json()["doubts"].clone();
    assert_eq!(
        (&doubts[0]["file"], &doubts[0]["line"], &doubts[0]["column"]),
        (&"m.yaml".into(), &2.into(), &37.into())
    );
}

#[test]
fn neither_configuration_nor_keyring_is_needed() {
    let mut home = Home::new();
    home.file("config/msgrctl/config.toml", "this is broken");
    home.set("MSGRCTL_STORE", "nonsense");
    check_text(&home, "version: 1\n").code(0);
}

#[test]
fn a_file_that_multiplies_itself_ends_at_once() {
    let home = Home::new();
    let laugh = |at: usize| format!("x{at}: &x{at} [{}]\n", format!("*x{},", at - 1).repeat(9));
    let text = format!("version: 1\nx0: &x0 [a, a, a]\n{}", (1..12).map(laugh).collect::<Vec<_>>().concat());
    let run = check_text(&home, &text).code(3).says(&["the aliases (*) in this file expand to too many values"]);
    assert!(run.took.as_secs() < 5, "{run:#?}");
}

const TOKEN: &str = "EAABwzLixnjYBO0123456789abcdefghijklmnopqrstuvwxyz";
const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";
/// No pattern knows it for a secret.
const WORD: &str = "correct-horse-battery";

#[test]
fn a_secret_that_was_pasted_is_never_repeated() {
    let home = Home::new();
    // SECRET stands for each of the three, ODD for those that look like secrets.
    let texts = [
        "token: SECRET",
        "token: \"SECRET\"",
        "token: [SECRET]",
        "token: {value: SECRET}",
        "token: {SECRET}",
        "token: {SECRET: x}",
        "token: {SECRET: x, SECRET: y}",
        "token: {env: [SECRET]}",
        "token: {env: {x: SECRET}}",
        "token: {command: SECRET}",
        "token: {store: SECRET, env: X}",
        "token: {stored: SECRET}",
        "token: {stored: true, SECRET: x}",
        "token: {keyring: SECRET}",
        "token:\n  SECRET",
        "token: |\n  SECRET\n",
        "token: !secret SECRET",
        "token: &SECRET x",
        "token: *SECRET",
        "token: !SECRET x",
        "token: SECRET: x",
        "token: SECRET\n x: y",
        "token: {env: SECRET",
        "token: \"SECRET",
        "token: 'SECRET",
        "token: [SECRET\ntype: facebook",
        "token: \"SECRET\" x",
        "token: \"\\q SECRET\"",
        "token:\tSECRET: x",
        "token: @SECRET",
        "token: |SECRET",
        "%SECRET",
        "app: {secret: SECRET}",
        "app: {id: \"12345\", secret: SECRET}",
        "app:\n  id: \"12345\"\n  secret: SECRET",
        "app_secret: SECRET",
        "page_access_token: SECRET",
        "webhook: {verify_token: SECRET}",
        "webhook: {verify_token: [generate, SECRET]}",
        "messages: {agent-left: SECRET}",
        "messages: {agent-left: {text: SECRET}}",
        "token: {env: ODD}",
        "token: {file: ODD}",
        "app: {id: ODD}",
        "webhook: {fields: [ODD]}",
        "webhook: {fields: [ODD, ODD]}",
        "webhook: {callback_url: ODD}",
        "webhook: {callback_url: \"http://example.com/?access_token=ODD\"}",
        "page_id: ODD",
        "handle: ODD",
        "page_username: ODD",
        "type: ODD",
        "messages: {ODD: default}",
        "messages: {agent-left: {state: ODD}}",
        "ODD: x",
        "ODD",
        "? ODD",
        "xODD: 1\nxODD: 2",
    ];
    for secret in [TOKEN, APP_SECRET, WORD] {
        for text in texts.iter().filter(|text| secret != WORD || !text.contains("ODD")) {
            let text = text.replace("SECRET", secret).replace("ODD", secret);
            let lines = format!("version: 1\naccounts:\n  - name: Acme\n    {}\n", text.replace('\n', "\n    "));
            home.file("m.yaml", &lines);
            for flags in [&["-f", "m.yaml"][..], &["-f", "m.yaml", "--json", "-vvv"]] {
                let run = check(&home, flags);
                assert!(run.code == 3 || run.code == 0, "{lines}: {run:#?}");
                let all = format!("{}{}", run.stdout, run.stderr);
                assert!(!all.contains(&secret[..12]) && !all.contains(&secret[secret.len() - 10..]), "{lines}: {all}");
            }
        }
    }
    for text in [
        "version: 1\ntenant: ODD\n",
        "version: ODD\n",
        "ODD",
        "version: 1\nchat_settings: {web_timeout: ODD}\n",
        "- ODD\n",
    ] {
        let run = check_text(&home, &text.replace("ODD", TOKEN)).code(3);
        assert!(!run.stderr.contains("EAAB"), "{run:#?}");
    }
}
