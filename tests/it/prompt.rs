//! Questions on a real pseudo-terminal.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::pty::Pty;
use crate::support::world::{acme, page_token, sandbox, scenario};
use crate::support::{Bus, Home};

const HIDE_CURSOR: &str = "\u{1b}[?25l";
const SHOW_CURSOR: &str = "\u{1b}[?25h";

#[test]
fn removing_asks_and_no_is_the_default() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let mut pty = Pty::start(&home.msgrctl(&["account", "remove", "acme"]), 100);
    pty.expect("Remove the account 'Acme' and its secrets?");
    pty.send("\r");
    let (screen, code) = pty.end();
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains("nothing was changed"), "{screen}");
    home.run(&["account", "show", "acme"]).code(0);

    let mut pty = Pty::start(&home.msgrctl(&["account", "remove", "acme"]), 100);
    pty.expect("Remove the account 'Acme' and its secrets?");
    // The whole word, with Enter: no letter is left over for the shell.
    pty.send("yes\r");
    let (screen, code) = pty.end();
    assert_eq!(code, 0, "{screen}");
    home.run(&["account", "show", "acme"]).code(1);
}

#[test]
fn ctrl_c_in_a_question_changes_nothing_and_ends_with_130() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let mut pty = Pty::start(&home.msgrctl(&["account", "remove", "acme"]), 100);
    pty.expect("Remove the account");
    pty.send("\u{3}");
    let (screen, code) = pty.end();
    assert_eq!(code, 130, "{screen}");
    // The cursor is shown after it was last hidden, and the prompt's line is ended.
    let hidden = screen.rfind(HIDE_CURSOR).unwrap_or_default();
    assert!(screen.rfind(SHOW_CURSOR).is_some_and(|shown| shown >= hidden), "{screen:?}");
    assert!(screen.ends_with('\n'), "{screen:?}");
    home.run(&["account", "show", "acme"]).code(0);
}

#[test]
fn ctrl_c_while_standard_input_is_read_ends_with_130() {
    let home = Home::new();
    let mut command = home.msgrctl(&["plan", "-f", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // More than a pipe holds: once it is written, it is being read.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all("# a comment\n".repeat(16 * 1024).as_bytes()).unwrap();
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn ctrl_c_while_a_program_asks_for_a_secret_gives_the_echo_back() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false).with("MSGRCTL_STORE", "file").with("MSGRCTL_PASSPHRASE", "correct horse battery");
    home.file("ask.sh", "stty -echo </dev/tty; echo asking >/dev/tty; read answer </dev/tty");
    let mut shell = home.program("sh");
    let edit = "account edit acme --token-from 'command:sh ask.sh' --yes --no-test";
    let script = format!("trap : INT; '{}' {edit}; echo ended with $?; stty -a", env!("CARGO_BIN_EXE_msgrctl"));
    shell.args(["-c", &script]);
    let mut pty = Pty::start(&shell, 100);
    pty.expect("asking");
    pty.send("\u{3}");
    let (screen, _) = pty.end();
    assert!(screen.contains("ended with 130"), "{screen}");
    assert!(screen.contains(" echo ") && !screen.contains("-echo "), "{screen}");
}

#[test]
fn ctrl_c_while_graph_is_asked_saves_nothing() {
    let sandbox = scenario(
        "version = 1\nlatency = '20s'\n[[pages]]\nid = '12345'\nname = 'A'\nusername = 'a.page'\ntoken = 'EAAx'\n",
    );
    let home = Home::new().with_secrets("acme", "EAAx").with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let mut pty = Pty::start(&home.msgrctl(&["account", "add", "Acme"]), 100);
    pty.expect("asking Graph whose the token is");
    pty.send("\u{3}");
    let (screen, code) = pty.end();
    assert_eq!(code, 130, "{screen}");
    assert!(!home.accounts_file().exists());
}

#[test]
fn no_input_and_ci_stop_every_question_on_a_real_terminal() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let plain = home.msgrctl(&["account", "remove", "acme", "--no-input"]);
    let mut ci = home.msgrctl(&["account", "remove", "acme"]);
    ci.env("CI", "true");
    let mut variable = home.msgrctl(&["account", "remove", "acme"]);
    variable.env("MSGRCTL_NO_INPUT", "1");
    for command in [plain, ci, variable] {
        let (screen, code) = Pty::start(&command, 100).end();
        assert_eq!(code, 2, "{screen}");
        assert!(screen.contains("--yes"), "{screen}");
    }
    home.run(&["account", "show", "acme"]).code(0);
}

#[test]
fn narrow_windows_break_sentences_and_keep_commands_whole() {
    let sandbox = scenario(
        "version = 1\n[[pages]]\nid = '109876543210987'\nusername = 'acme.support'\nname = 'Acme'\ntoken_state = 'expired'\n",
    );
    let home = acme(&sandbox, true);
    let (screen, code) = Pty::start(&home.msgrctl(&["account", "test", "acme", "--color", "never"]), 50).end();
    assert_eq!(code, 7, "{screen}");
    let after = screen.split("Acme: ✗ fail").nth(1).unwrap();
    for line in after.lines().filter(|line| !["then:", "meta:", "testing"].iter().any(|part| line.contains(part))) {
        assert!(line.trim_end().chars().count() <= 50, "{line:?} in {screen}");
    }
}

#[test]
fn a_secret_typed_on_a_terminal_is_not_shown() {
    let sandbox = sandbox();
    let Some(bus) = Bus::with_keyring() else { return };
    let home = Home::on(&bus).with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let token = page_token(&sandbox);
    let mut pty = Pty::start(&home.msgrctl(&["account", "add", "Acme", "--token-stdin", "--yes"]), 100);
    pty.expect("Paste the page access token (it is not shown)");
    pty.send(&format!("{token}\r"));
    let (screen, code) = pty.end();
    assert_eq!(code, 0, "{screen}");
    assert!(!screen.contains(&token[..20]), "{screen}");
    assert!(bus.entries().contains(&token));
}

#[test]
fn the_demo_asks_nothing_on_a_terminal() {
    let (screen, code) = Pty::start(&Home::new().msgrctl(&["demo"]), 100).end();
    assert_eq!(code, 0, "{screen}");
    assert!(!screen.contains("Paste"), "{screen}");
}

#[test]
fn ctrl_c_at_a_hidden_prompt_gives_the_echo_back() {
    let home = Home::new().with("MSGRCTL_STORE", "file");
    let mut shell = home.program("sh");
    let add = "account add Acme --page-username a.page --page-id 12345 --no-test --token-stdin";
    let script =
        format!("trap : INT; stty echo; '{}' {add}; echo ended with $?; stty -a", env!("CARGO_BIN_EXE_msgrctl"));
    shell.args(["-c", &script]);
    let mut pty = Pty::start(&shell, 100);
    pty.expect("Paste the page access token");
    pty.send("\u{3}");
    pty.expect("ended with 130");
    let (settings, _) = pty.end();
    assert!(settings.contains(" echo ") && !settings.contains("-echo "), "{settings}");
    assert!(!home.path("config").exists());
}

#[test]
fn a_quit_at_a_hidden_prompt_gives_the_echo_back() {
    let home = Home::new().with("MSGRCTL_STORE", "file");
    let mut shell = home.program("sh");
    let add = "account add Acme --page-username a.page --page-id 12345 --no-test --token-stdin";
    let binary = env!("CARGO_BIN_EXE_msgrctl");
    shell.args(["-c", &format!("trap : QUIT; stty echo; '{binary}' {add}; echo ended with $?; stty -a")]);
    let mut pty = Pty::start(&shell, 100);
    pty.expect("Paste the page access token");
    pty.send("\u{1c}");
    pty.expect("ended with 131");
    let (settings, _) = pty.end();
    assert!(settings.contains(" echo ") && !settings.contains("-echo "), "{settings}");
}

#[test]
fn ctrl_c_at_the_passphrase_ends_at_once_and_leaves_no_file() {
    let home = Home::new().with("MSGRCTL_STORE", "file");
    home.file("token", "EAAx");
    let add = [
        "account",
        "add",
        "Acme",
        "--page-username",
        "a.page",
        "--page-id",
        "12345",
        "--no-test",
        "--token-file",
        "token",
    ];
    for answers in [&[][..], &["correct horse battery\r"]] {
        let mut pty = Pty::start(&home.msgrctl(&add), 100);
        pty.expect("A passphrase for the encrypted file");
        for answer in answers {
            pty.send(answer);
            pty.expect("Repeat the passphrase");
        }
        pty.send("\u{3}");
        let (screen, code) = pty.end();
        assert_eq!(code, 130, "{screen}");
        assert!(!home.path("config/msgrctl/tenants/default/secrets.enc").exists());
    }
    let mut pty = Pty::start(&home.msgrctl(&add), 100);
    pty.expect("A passphrase for the encrypted file");
    pty.send("correct horse battery\r");
    pty.expect("Repeat the passphrase");
    pty.send("correct horse battery\r");
    let (screen, code) = pty.end();
    assert_eq!(code, 0, "{screen}");
    // A question is never under a line that moves.
    let mut pty = Pty::start(&home.msgrctl(&["account", "test", "acme", "--graph-url", "http://127.0.0.1:1"]), 100);
    let before = pty.expect("live account");
    assert!(!before.contains("testing"), "{before}");
    let mut pty = Pty::start(&home.msgrctl(&["doctor", "--graph-url", "http://127.0.0.1:1"]), 100);
    let before = pty.expect("The passphrase of the encrypted file");
    assert!(!before.contains("looking"), "{before}");
    pty.send("correct horse battery\r");
    pty.expect("graph.reachable");
}

#[test]
fn looking_asks_for_no_new_passphrase() {
    let home = Home::new().with("MSGRCTL_STORE", "file").with("MSGRCTL_GRAPH_URL", "http://127.0.0.1:1");
    for arguments in [&["secret", "list"][..], &["doctor"]] {
        let (screen, _) = Pty::start(&home.msgrctl(arguments), 100).end();
        assert!(!screen.contains("passphrase"), "{screen}");
    }
}

#[test]
fn a_wrong_passphrase_may_be_typed_again_and_is_not_asked_for_by_each_secret() {
    let mut home = Home::new().with("MSGRCTL_STORE", "file").with("MSGRCTL_PASSPHRASE", "correct horse battery");
    home.file("token", "EAAx");
    for name in ["one", "two", "three"] {
        let add = [
            "account",
            "add",
            name,
            "--page-username",
            "a.page",
            "--page-id",
            "12345",
            "--no-test",
            "--token-file",
            "token",
        ];
        home.run(&add).code(0);
    }
    home.unset("MSGRCTL_PASSPHRASE");
    let mut pty = Pty::start(&home.msgrctl(&["secret", "list"]), 100);
    for _ in 0..3 {
        pty.expect("The passphrase of the encrypted file");
        // The mark of a question; an answered one has another.
        pty.expect("›");
        pty.send("another passphrase\r");
    }
    // Another question would wait for ever.
    let (screen, code) = pty.end();
    assert_eq!(code, 6, "{screen}");
    assert_eq!(screen.matches("unknown").count(), 6, "{screen}");
}

#[test]
fn a_new_passphrase_is_explained_and_a_wrong_one_is_said_at_once() {
    let home = Home::new().with("MSGRCTL_STORE", "file");
    let token = home.file("token", "EAABsbCS1iHgBAxZCZCqZBcZAHmZC");
    let add =
        ["account", "add", "Acme", "--page-username", "acme.support", "--page-id", "109876543210987", "--no-test"];
    let mut pty = Pty::start(&home.msgrctl(&[&add[..], &["--token-file", token.to_str().unwrap()]].concat()), 100);
    pty.expect("it cannot be recovered");
    for (question, typed) in [
        ("A passphrase for the encrypted file", "\r"),
        ("it is empty", ""),
        ("A passphrase for the encrypted file", "short\r"),
        ("which can be guessed. Use it", "n\r"),
        ("A passphrase for the encrypted file", "correct horse battery\r"),
        ("Repeat the passphrase", "correct hose battery\r"),
        ("the two differ", ""),
        ("A passphrase for the encrypted file", "correct horse battery\r"),
        ("Repeat the passphrase", "correct horse battery\r"),
    ] {
        pty.expect(question);
        if !typed.is_empty() {
            pty.send(typed);
        }
    }
    let (screen, code) = pty.end();
    assert_eq!(code, 0, "{screen}");
    let mut pty = Pty::start(&home.msgrctl(&["secret", "reveal", "acme", "page-access-token"]), 100);
    pty.expect("The passphrase of the encrypted file");
    pty.send("wrong\r");
    let before = pty.expect("this passphrase does not open the file");
    assert!(!before.contains('✔'), "no green mark before it is known: {before}");
    pty.expect("The passphrase of the encrypted file");
    pty.send("correct horse battery\r");
    let (screen, code) = pty.end();
    assert!(code == 0 && screen.contains("EAABsbCS1iHgBAxZCZCqZBcZAHmZC"), "{screen}");
}
