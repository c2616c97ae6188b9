//! Text from outside, whatever it holds, comes out as text: from every command, on a
//! terminal and through a pipe, with --json and with -vvv.

use std::collections::BTreeSet;

use msgrctl::clock::Clock;
use msgrctl::sandbox::{InProcess, World};
use msgrctl::text::first_unfit;

use crate::support::pty::Pty;
use crate::support::taint::{TAINT, Taint, assert_clean, front, taint_of_words};
use crate::support::world::{PAGE_ID, acme, sandbox};
use crate::support::{Home, receiver};

/// What is typed, in the order in which it is: `TAINT` stands for a tainted argument, and
/// what comes behind `|` is typed too. Every command of the tree is in one of the two lists, or in
/// [`EXCUSED`].
const ONLINE: &[&str] = &[
    "account add Fresh --token-file token --verify-token-file verify --store file",
    "account add --token-file usertoken --verify-token-file verify --store file --page-id 109876543210987",
    "account edit Fresh --token-file usertoken --keep-user-token --yes",
    "account renew Fresh --yes",
    "account test acme",
    "account test acme --format markdown",
    "account test acme --open",
    "test acme --format junit",
    "test acme --format nagios",
    "test acme --format prometheus",
    "watch --once",
    "watch TAINT --once",
    "watch --once --textfile metrics",
    "account test --all --timeout 5",
    "account edit acme --page-username acme.other",
    "account edit acme --callback-url https://127.0.0.1:1/hook --yes",
    "account edit Fresh --token-file token --yes",
    "account handover acme --markdown",
    "account discover --token-file usertoken",
    "account discover --token-file usertoken --business 200000000000001",
    "account handover acme",
    "secret set Fresh page-access-token --file token --yes",
    "message send acme --to 7654321098765432 Hello",
    "webhook verify acme",
    "webhook status acme",
    "webhook subscribe acme --yes",
    "webhook unsubscribe acme --yes",
    "webhook rotate Fresh --yes",
    "plan -f good.yaml",
    "plan -f good.yaml --out good.plan --format markdown",
    "apply good.plan",
    "apply -f good.yaml --yes",
    "sandbox say --from TAINT TAINT",
    "sandbox calls",
    "doctor",
];

const OFFLINE: &[&str] = &[
    "account list",
    "status --all-tenants",
    "config list",
    "secret passphrase --new-key-file TAINT",
    "config get key_file",
    "config set key_file /TAINT",
    "config unset key_file",
    "config set state TAINT",
    "state show",
    "state move --to TAINT --yes",
    "state unlock TAINT --yes",
    "version",
    "account list --tenant TAINT",
    "account show acme",
    "account show byhand",
    "account show TAINT",
    "account add TAINT --page-username acme.support --page-id 12345 --token-file token --no-test",
    "account add Other --handle TAINT --page-username acme.support --page-id 12345 --token-file token --no-test",
    "account add Other --page-username TAINT --page-id TAINT --callback-url TAINT --app-id TAINT --token-file token",
    "account add Other --token-from file:TAINT",
    "account add Other --token-file TAINT",
    "login --page TAINT --yes",
    "login --config-id TAINT --page 12345 --yes",
    "login --redirect-uri https://TAINT/TAINT --page 12345 --yes",
    "login --app-id TAINT --listen TAINT --page 12345 --yes",
    "account discover --business TAINT --token-file token",
    "account discover --app-id TAINT --token-file TAINT",
    "account rename acme TAINT",
    "account rename acme Acme",
    "account handover byhand --no-test --markdown",
    "account handover byhand --no-test --html page.html",
    "account show byhand --open",
    "account TAINT",
    "TAINT",
    "account list --nope=TAINT",
    "account list --timeout TAINT",
    "sandbox say --attachment TAINT:x",
    "message show acme TAINT",
    "account list --graph-url TAINT",
    "account list --config-dir TAINT",
    "secret list",
    "secret reveal acme verify-token",
    "secret reveal TAINT verify-token",
    "secret move Fresh --to file",
    "secret remove --entry TAINT --store file",
    "secret remove Fresh app-secret --yes",
    "sandbox start --scenario TAINT",
    "message list acme",
    "message show acme session-ended",
    "message set acme session-ended --text-file message",
    "message show acme session-ended",
    "message show acme TAINT",
    "message set acme session-ended --text TAINT",
    "message edit acme session-ended",
    "message default acme session-ended",
    "message disable acme session-ended",
    "chat-settings show",
    "chat-settings set session-ended --text-file message",
    "chat-settings edit",
    "webhook show acme",
    "webhook listen TAINT",
    "webhook listen acme --forward-to TAINT",
    "plan -f TAINT",
    "plan -f bad --offline",
    "apply -f bad --check",
    "export",
    "tenant add TAINT --host a.example.com",
    "tenant add second --host TAINT",
    "tenant add second --host second.example.com --callback-template TAINT",
    "tenant add second --host second.example.com",
    "tenant list",
    "tenant show TAINT",
    "tenant use TAINT",
    "tenant use second",
    "tenant use default",
    "tenant edit second --host other.example.com",
    "tenant remove second --yes",
    "log",
    "undo --yes",
    "explain TAINT",
    "completions TAINT",
    "man TAINT",
    "help TAINT",
    "account remove Fresh --yes",
];

/// Commands that print nothing from outside, and why.
const EXCUSED: &[(&str, &str)] =
    &[("demo", "asks a sandbox of its own, in a configuration of its own"), ("schema", "prints a file of the program")];

/// A home on a front to a sandbox, with `acme`, an account that was written by hand with
/// tainted texts, and files whose names and texts are tainted.
fn home(sandbox: &InProcess, taint: Taint) -> Home {
    let mut home = acme(sandbox, true);
    let callback = receiver::start(|asked| {
        let body = if asked.right { asked.challenge.clone() } else { format!("no {TAINT}") };
        receiver::answer("200 OK", &[], &if asked.right { format!("{body}{TAINT}") } else { body })
    });
    home.run(&["account", "edit", "acme", "--callback-url", &callback, "--no-test"]).code(0);
    let by_hand = "\\u001b[2J\\r\\n::error::forged\\nFORGED\\u202e\\u200b\\u009b31m\\U000e0041##[error]";
    let known = std::fs::read_to_string(home.accounts_file()).unwrap();
    let record = format!(
        "\n[[accounts]]\nid = \"x\"\nhandle = \"byhand\"\nname = \"By hand{by_hand}\"\ntype = \"facebook\"\n\
         page_username = \"by.hand\"\npage_id = \"12345\"\npage_name = \"Page {by_hand}\"\ngraph = \"sandbox\"\n\
         created_at = \"2026-11-22T09:30:00Z\"\nupdated_at = \"2026-11-22T09:30:00Z\"\n[accounts.secrets]\n\
         page_access_token = \"file:/x{by_hand}\"\n"
    );
    std::fs::write(home.accounts_file(), known + &record).unwrap();
    home.file("token", crate::support::world::page_token(sandbox));
    home.file("usertoken", sandbox.world().user_token().unwrap().value.clone());
    home.file("verify", "verify0123456789");
    home.file("message", "first\u{202e}\u{200b}\n::error::forged\n##[error]x");
    home.file("good.yaml", format!("version: 1\naccounts:\n  - {{name: Acme Two, handle: acme, page_username: acme.support, page_id: \"{PAGE_ID}\"}}\n"));
    home.file(
        &format!("bad/a{}.yaml", taint_of_words().replace('/', "")),
        format!("version: 1\n\"{by_hand}\": 1\naccounts:\n  - name: \"{by_hand}\"\n"),
    );
    let key = home.file("key", [7; 64]);
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    home.set("MSGRCTL_KEY_FILE", &key.to_string_lossy());
    home.set("EDITOR", "true");
    home.set("USER", &taint_of_words());
    home.set("MSGRCTL_GRAPH_URL", &front(&sandbox.url(), taint));
    home
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(|word| word.replace("TAINT", &taint_of_words())).collect()
}

/// How a line is run.
#[derive(Clone, Copy, Debug)]
enum Way {
    Pipe(&'static [&'static str]),
    Terminal,
}

/// Whether something tainted came out: then it came out as text.
fn check(home: &Home, line: &str, way: Way) -> bool {
    let what = format!("{line} ({way:?})");
    let mut words = words(line);
    match way {
        Way::Pipe(more) => {
            words.extend(more.iter().map(|flag| (*flag).to_owned()));
            let output = home.msgrctl(&words).stdin(std::process::Stdio::null()).output().unwrap();
            let streams = [output.stdout, output.stderr].map(|stream| String::from_utf8(stream).unwrap());
            for stream in &streams {
                assert_clean(&what, stream, false);
            }
            streams.concat().contains("FORGED")
        }
        Way::Terminal => {
            words.push("--no-input".into());
            let (screen, _) = Pty::start(&home.msgrctl(&words), 100).end();
            assert_clean(&what, &screen, true);
            screen.contains("FORGED")
        }
    }
}

fn check_all(taint: Taint, lines: &[&str], ways: &[Way]) {
    let sandbox = sandbox();
    for way in ways {
        let home = home(&sandbox, taint);
        let shown = lines.iter().filter(|line| check(&home, line, *way)).count();
        assert!(shown * 3 > lines.len(), "{shown} of {} lines show what they were told", lines.len());
        // What was saved on the way is clean: names in the records, the user in the log.
        let records = std::fs::read_to_string(home.accounts_file()).unwrap();
        let names = records.lines().filter(|line| line.starts_with("name = ") || line.starts_with("page_name = "));
        for line in names {
            assert!(!line.contains("\\u") && first_unfit(line).is_none(), "{line}");
        }
        if let Ok(page) = std::fs::read_to_string(home.path("page.html")) {
            assert!(first_unfit(&page.replace('\n', "")).is_none() && page.contains("FORGED"), "{page}");
        }
        let log = std::fs::read_to_string(home.path("config/msgrctl/log.jsonl")).unwrap();
        assert!(first_unfit(&log.replace('\n', "")).is_none(), "{log}");
        for line in log.lines() {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            let names =
                entry["changes"].as_array().unwrap().iter().flat_map(|change| [&change["of"], &change["handle"]]);
            for name in names.chain([&entry["user"]]).filter_map(serde_json::Value::as_str) {
                assert!(first_unfit(name).is_none(), "{line}");
            }
        }
    }
}

const PLAIN: Way = Way::Pipe(&["-vvv"]);
const JSON: Way = Way::Pipe(&["--json"]);

#[test]
fn graph_may_say_anything_for_people() {
    check_all(Taint::Texts, ONLINE, &[PLAIN, JSON, Way::Terminal]);
}

#[test]
fn graph_may_refuse_with_any_words() {
    check_all(Taint::Refusals, ONLINE, &[PLAIN, JSON, Way::Terminal]);
}

#[test]
fn graph_may_say_anything_at_all() {
    check_all(Taint::All, ONLINE, &[PLAIN, Way::Terminal]);
}

#[test]
fn arguments_variables_files_and_records_may_hold_anything() {
    let lines = [&ONLINE[..1], OFFLINE].concat();
    check_all(Taint::Texts, &lines, &[PLAIN, JSON, Way::Terminal]);
}

#[test]
fn questions_show_text_from_outside_as_text() {
    let sandbox = InProcess::start(World::with_pages(2, Clock::system())).unwrap();
    let home = Home::new()
        .with("MSGRCTL_GRAPH_URL", &front(&sandbox.url(), Taint::Texts))
        .with("MSGRCTL_STORE", "file")
        .with("MSGRCTL_PASSPHRASE", "correct horse battery");
    let user = sandbox.world().user_token().unwrap().value.clone();
    let mut pty = Pty::start(&home.msgrctl(&["account", "add"]), 100);
    let mut screen = pty.expect("How to get the token");
    pty.send("\u{1b}[B\r");
    screen += &pty.expect("Page access token (not shown)");
    pty.send(&format!("{user}\r"));
    screen += &pty.expect("Skip them");
    pty.send("\u{1b}[B\r");
    // The list to search, with the Pages' names; then a name that is offered.
    screen += &pty.expect("to search");
    pty.send("\r");
    screen += &pty.expect("Callback URL");
    pty.send("\u{3}");
    screen += &pty.end().0;
    assert!(screen.contains("evil.example"), "{screen:?}");
    assert_clean("account add", &screen, true);
}

#[test]
fn a_secret_is_printed_exactly_where_no_terminal_shows_it() {
    let sandbox = sandbox();
    let secret = "verify\u{200b}token::##[error]0123";
    let home = acme(&sandbox, false).with("MSGRCTL_SECRET_ACME_VERIFY_TOKEN", secret);
    let reveal = ["secret", "reveal", "acme", "verify-token"];
    assert_eq!(home.run(&reveal).code(0).stdout, format!("{secret}\n"));
    assert_eq!(home.run(&[&reveal[..], &["--json"]].concat()).code(0).json()["value"], secret);
    let (screen, code) = Pty::start(&home.msgrctl(&reveal), 100).end();
    assert!(code == 0 && screen.contains("U+200B") && !screen.contains('\u{200b}'), "{screen:?}");
}

#[test]
fn every_command_is_tried() {
    fn leaves(command: &clap::Command, path: &str, found: &mut BTreeSet<String>) {
        let below: Vec<_> =
            command.get_subcommands().filter(|command| command.get_name() != "help" || path.is_empty()).collect();
        if below.is_empty() {
            found.insert(path.trim().to_owned());
        }
        for command in below {
            leaves(command, &format!("{path} {}", command.get_name()), found);
        }
    }
    let mut all = BTreeSet::new();
    leaves(&msgrctl::cli::command(), "", &mut all);
    let tried = |leaf: &String| {
        let begins = |line: &&str| format!("{line} ").starts_with(&format!("{leaf} "));
        ONLINE.iter().chain(OFFLINE).any(begins) || EXCUSED.iter().any(|(excused, _)| excused == leaf)
    };
    let forgotten: Vec<&String> = all.iter().filter(|leaf| !tried(leaf)).collect();
    assert!(all.len() > 40 && forgotten.is_empty(), "{forgotten:?} of {}", all.len());
}
