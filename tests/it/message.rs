//! System messages and Chat Settings.

use serde_json::{Value, json};

#[cfg(unix)]
use crate::support::pty::Pty;
use crate::support::world::{acme, sandbox};
use crate::support::{Home, Run};

const DOWN: &str = "\u{1b}[B";

fn home() -> Home {
    acme(&sandbox(), false)
}

fn message(run: &Run, event: &str) -> Value {
    let messages = run.json()["messages"].as_array().cloned().unwrap_or_default();
    messages.into_iter().find(|message| message["event"] == event).unwrap_or_else(|| panic!("{event}: {run:?}"))
}

fn list(home: &Home) -> Run {
    home.run(&["message", "list", "acme", "--json"]).code(0)
}

#[test]
fn the_three_states_and_where_the_text_comes_from() {
    let home = home();
    let built_in = message(&list(&home), "session-ended");
    assert_eq!((&built_in["state"], &built_in["origin"]), (&json!("default"), &json!("built-in")));
    assert!(built_in["effective_text"].as_str().unwrap().len() > 10 && built_in["text"].is_null());

    home.run(&["message", "set", "acme", "session-ended", "--text", "Bye!"]).code(0);
    let custom = json!({"event": "session-ended", "state": "custom", "text": "Bye!", "effective_text": "Bye!", "origin": "account"});
    assert_eq!(message(&list(&home), "session-ended"), custom);

    home.run(&["message", "disable", "acme", "session-ended"]).code(0);
    let disabled = json!({"event": "session-ended", "state": "disabled", "origin": "account"});
    assert_eq!(message(&list(&home), "session-ended"), disabled);

    home.run(&["chat-settings", "set", "session-ended", "--text", "From the tenant"]).code(0);
    home.run(&["message", "default", "acme", "session-ended"]).code(0);
    let found = message(&list(&home), "session-ended");
    assert_eq!((&found["effective_text"], &found["origin"]), (&json!("From the tenant"), &json!("chat-settings")));

    home.run(&["chat-settings", "set", "session-ended", "--disable"]).code(0);
    let found = message(&list(&home), "session-ended");
    assert_eq!((&found["effective_text"], &found["origin"]), (&Value::Null, &json!("chat-settings")));
    home.run(&["message", "list", "acme"]).code(0).shows(&["Default, but disabled in Chat Settings: nothing is sent"]);
    home.run(&["message", "list", "--all-accounts"]).code(0).shows(&["default -", "AGENT-LEFT"]);
}

#[test]
fn several_events_and_accounts_are_one_change() {
    let home = home().with_secrets("beta", "EAAx");
    let add = ["account", "add", "Beta", "--page-username", "beta.page", "--page-id", "209876543210987", "--no-test"];
    home.run(&add).code(0);
    let written = || std::fs::read_to_string(home.path("config/msgrctl/log.jsonl")).unwrap().lines().count();
    let before = written();
    let run = home.run(&["message", "disable", "acme", "beta", "agent-left", "agent-joined", "--json"]).code(0);
    assert_eq!(run.json()["changed"].as_array().unwrap().len(), 4);
    assert_eq!(written(), before + 1);
    let all = home.run(&["message", "list", "--all-accounts", "--json"]).code(0).json();
    assert_eq!(all["accounts"].as_array().unwrap().len(), 2);
    assert_eq!(all["accounts"][1]["messages"].as_array().unwrap().len(), 5);
    home.run(&["message", "default", "--all-accounts", "--all-events"]).code(0).shows(&["4 messages of 2 accounts"]);
    home.run(&["message", "default", "--all-accounts", "--all-events"]).code(0).says(&["nothing to change"]);
    let run = home.run(&["message", "set", "--all-accounts", "agent-left", "--text", "x", "--json"]).code(0).json();
    home.run(&["message", "set", "beta", "agent-left", "--text", "y"]).code(0);
    home.run(&["message", "list", "--all-accounts"]).code(0).shows(&["custom a", "custom b"]);
    assert_eq!(
        run["changed"][1],
        json!({"account": "Beta", "handle": "beta", "event": "agent-left", "state": "custom"})
    );
}

fn set<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["message", "set", "acme"][..], arguments].concat()
}

#[test]
fn what_cannot_be_sent_is_refused_before_anything_is_written() {
    let home = home();
    let file = std::fs::read(home.accounts_file()).unwrap();
    home.file("latin1.txt", b"caf\xe9");
    let long = "x".repeat(2001);
    for (arguments, says) in [
        (set(&["session-endd", "--text", "x"]), "did you mean 'session-ended'?"),
        (set(&["session-ended", "--text", " "]), "disable the event"),
        (set(&["session-ended", "--text", &long]), "2001 characters"),
        (set(&["session-ended", "--text-file", "latin1.txt"]), "not UTF-8"),
        (set(&["session-ended", "--text-file", "nothing.txt"]), "cannot read"),
        (set(&["session-ended"]), "--text-file"),
        (set(&["--text", "x"]), "EVENT"),
        (set(&["session-ended", "--text", "x", "--text-file", "y"]), "cannot be used with"),
        (set(&["session-ended", "acme", "--text", "x"]), "no chat event 'acme'"),
        (vec!["message", "disable", "acme", "--all-events", "agent-left"], "--all-events includes every event"),
        (vec!["chat-settings", "set", "session-ended"], "--disable"),
        (vec!["chat-settings", "set", "session-ended", "--text", "x", "--disable"], "cannot be used with"),
        (vec!["chat-settings", "set", "--messenger-timeout", "soon"], "not a length of time"),
        (vec!["chat-settings", "set"], "nothing to change"),
        (vec!["message", "edit", "acme", "session-ended"], "needs a terminal"),
    ] {
        let run = home.run(&arguments);
        assert!(matches!(run.code, 1 | 2), "{arguments:?}: {run:?}");
        assert!(run.stderr.contains(says), "{says}: {run:?}");
    }
    home.run(&["message", "set", "nobody", "session-ended", "--text", "x"]).code(1);
    assert_eq!(std::fs::read(home.accounts_file()).unwrap(), file);
    assert!(!home.path("config/msgrctl/tenants/default/chat-settings.toml").exists());
}

#[test]
fn texts_come_from_flags_files_and_standard_input() {
    let home = home();
    home.file("text.txt", "\u{feff}From a file\r\nwith two lines\n");
    home.run(&["message", "set", "acme", "agent-left", "--text-file", "text.txt"]).code(0);
    assert_eq!(message(&list(&home), "agent-left")["text"], "From a file\nwith two lines");
    home.run_with(&["message", "set", "acme", "agent-left", "-"], "From a pipe\n").code(0);
    assert_eq!(message(&list(&home), "agent-left")["text"], "From a pipe");
    home.run_with(&["message", "set", "acme", "agent-left", "--text-file", "-"], "Again\n").code(0);
    assert_eq!(message(&list(&home), "agent-left")["text"], "Again");
    home.run_with(&["chat-settings", "set", "agent-left", "-"], "For all\n").code(0).shows(&["For all"]);
    // What may not look as it does here is said, and saved.
    home.run(&["message", "set", "acme", "agent-left", "--text", "<b>Hi</b> $(agent)"])
        .code(0)
        .screen("message-set-warnings");
    let shown = home.run(&["message", "show", "acme", "agent-left", "--json"]).code(0).json();
    assert_eq!((&shown["preview"], &shown["characters"]), (&json!("<b>Hi</b> Alex"), &json!(18)));
}

#[test]
fn wide_characters_keep_columns_and_are_counted_as_code_points() {
    let home = home();
    for (event, text) in
        [("agent-joined", "日本語のテキスト"), ("session-ended", "👨‍👩‍👧‍👦 שלום e\u{301}"), ("agent-left", "plain")]
    {
        home.run(&["message", "set", "acme", event, "--text", text]).code(0);
    }
    let table = home.run(&["message", "list", "acme"]).code(0).stdout;
    let column = |text: &str| {
        let line = table.lines().find(|line| line.contains(text)).unwrap();
        console::measure_text_width(&line[..line.find(text).unwrap()])
    };
    assert_eq!(column("日本語"), column("plain"));
    assert_eq!(column("👨‍👩‍👧‍👦"), column("plain"));
    let shown = home.run(&["message", "show", "acme", "session-ended", "--json"]).code(0).json();
    assert_eq!(shown["characters"], "👨‍👩‍👧‍👦 שלום e\u{301}".chars().count());
}

#[test]
fn a_timeout_of_a_day_is_explained_and_found_by_the_test() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let check = |home: &Home, id: &str| home.run(&["account", "test", "acme", "--json"]).check(id);
    // No timeout is known: nothing can be said.
    assert_eq!(check(&home, "messages.window")["outcome"], "skip");
    home.run(&["chat-settings", "set", "--messenger-timeout", "10m"]).code(0);
    assert_eq!(check(&home, "messages.window")["outcome"], "pass");
    assert_eq!(check(&home, "messages.length")["group"], "messages");
    home.run(&["chat-settings", "set", "--messenger-timeout", "24h"]).code(0).says(&["never be delivered"]);
    home.run(&["account", "test", "acme"]).code(7);
    let found = check(&home, "messages.window");
    assert_eq!(found["outcome"], "fail");
    let summary = found["summary"].as_str().unwrap();
    assert!(summary.contains("inactivity-timeout (24h") && !summary.contains("inactivity-warning"), "{summary}");
    // What is not sent cannot be late.
    home.run(&["message", "disable", "acme", "inactivity-timeout"]).code(0);
    assert_eq!(check(&home, "messages.window")["outcome"], "pass");
    home.run(&["message", "set", "acme", "agent-left", "--text", &"😀".repeat(1500)]).code(0).says(&["UTF-16"]);
    assert_eq!(check(&home, "messages.length")["outcome"], "warn");
}

#[test]
fn changes_at_the_same_time_lose_nothing() {
    let home = home();
    let events = ["agent-joined", "inactivity-warning", "inactivity-timeout", "session-ended", "agent-left"];
    let children: Vec<_> = events
        .iter()
        .flat_map(|event| {
            let tenants = home.msgrctl(&["chat-settings", "set", event, "--text", event]);
            let accounts = home.msgrctl(&["message", "set", "acme", event, "--text", event]);
            [tenants, accounts]
        })
        .map(|mut command| command.stdout(std::process::Stdio::null()).spawn().unwrap())
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let settings = home.run(&["chat-settings", "show", "--json"]).code(0);
    for event in events {
        assert_eq!(message(&settings, event)["text"], event);
        assert_eq!(message(&list(&home), event)["text"], event);
    }
    assert_eq!(home.run(&["log", "--json"]).json()["entries"].as_array().unwrap().len(), 11);
}

#[cfg(unix)]
#[test]
fn what_another_command_changed_meanwhile_is_not_overwritten() {
    let home = home();
    let other = format!("'{}' message set acme agent-left --text colleague >/dev/null", env!("CARGO_BIN_EXE_msgrctl"));
    let editor = editor(&home, &format!("{other}; echo mine > \"$2\""));
    let mut pty = pty(&home, &editor, &["message", "edit", "acme", "agent-left"]);
    pty.expect("another command has changed agent-left");
    pty.expect("What now?");
    pty.send(&format!("{DOWN}\r"));
    let (screen, code) = pty.end();
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains("your text is in "), "{screen}");
    assert_eq!(message(&list(&home), "agent-left")["text"], "colleague");
}

#[test]
fn mistakes_in_files_say_what_is_wrong_with_the_text() {
    let home = home();
    let path = "config/msgrctl/tenants/default/chat-settings.toml";
    for (line, says) in [
        ("session-ended = { state = 'custom', text = ' ' }", "the text is empty"),
        ("session-ended = { state = 'custom', txt = 'x' }", "unknown key 'txt'"),
        ("session-ended = 'off'", "'off' is not a valid state"),
        ("session-endd = 'disabled'", "there is no chat event 'session-endd'"),
    ] {
        home.file(path, format!("[messages]\n{line}\n"));
        home.run(&["chat-settings", "show"]).code(3).says(&["chat-settings.toml:2:", says]);
    }
}

#[test]
fn chat_settings_are_shown_whole() {
    let home = home();
    let set = ["chat-settings", "set", "--messenger-timeout", "1h30m", "--agent-ramp-up", "5s", "--web-timeout", "10m"];
    home.run(&[&set[..], &["--outbound-timeout", "2d"]].concat()).code(0);
    let shown = home.run(&["chat-settings", "show", "--json"]).code(0).json();
    assert_eq!(shown["timeouts"][0], json!({"name": "messenger", "value": "1h 30m", "seconds": 5400}));
    assert_eq!(shown["messages"].as_array().unwrap().len(), 5);
    assert_eq!(shown["messages"][0]["origin"], "built-in");
    home.run(&["chat-settings", "set", "--web-timeout", "unset"]).code(0);
    assert_eq!(home.run(&["chat-settings", "show", "--json"]).json()["timeouts"].as_array().unwrap().len(), 3);
    home.run(&["chat-settings", "set", "agent-left", "--text", "x"]).code(0);
    home.run(&["chat-settings", "set", "agent-left", "--reset"]).code(0);
    home.run(&["chat-settings", "set", "agent-left", "--reset"]).code(0).says(&["nothing to change"]);
    home.file("config/msgrctl/tenants/default/chat-settings.toml", "[timeouts]\nmesenger = '10m'\n");
    home.run(&["chat-settings", "show"]).code(3).says(&["chat-settings.toml:2:1", "messenger"]);
}

/// An editor that does what its first argument says to the file that is its last.
#[cfg(unix)]
fn editor(home: &Home, script: &str) -> String {
    let path = home.file("an editor", format!("#!/bin/sh\n{script}\n"));
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o700);
    std::fs::set_permissions(&path, permissions).unwrap();
    format!("'{}' --wait", path.display())
}

#[cfg(unix)]
fn pty(home: &Home, editor: &str, arguments: &[&str]) -> Pty {
    let mut command = home.msgrctl(arguments);
    command.env("EDITOR", editor).env("TMPDIR", home.root());
    Pty::start(&command, 100)
}

fn temporary_files(home: &Home) -> usize {
    let entries = std::fs::read_dir(home.root()).unwrap().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("msgrctl-")).count()
}

#[cfg(unix)]
#[test]
fn a_text_is_written_in_the_editor_with_its_arguments() {
    let home = home();
    // It is given the text that is sent now, in a private file, behind its own arguments.
    let script =
        "[ \"$1\" = --wait ] || exit 9; stat -c %a \"$2\" > mode; cp \"$2\" was; printf 'Written\\nhere\\n' > \"$2\"";
    let editor = editor(&home, script);
    let (screen, code) = pty(&home, &editor, &["message", "edit", "acme", "agent-left"]).end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(message(&list(&home), "agent-left")["text"], "Written\nhere");
    assert_eq!(std::fs::read_to_string(home.path("mode")).unwrap().trim(), "600");
    assert!(std::fs::read_to_string(home.path("was")).unwrap().contains("agent has left"));
    assert_eq!(temporary_files(&home), 0);
    // Unchanged and empty change nothing.
    let before = std::fs::read(home.accounts_file()).unwrap();
    let (screen, code) = pty(&home, "true", &["message", "edit", "acme", "agent-left"]).end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("unchanged; nothing was saved"), "{screen}");
    let (screen, code) = pty(&home, "truncate -s 0", &["message", "edit", "acme", "agent-left"]).end();
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains("the text is empty"), "{screen}");
    assert_eq!(std::fs::read(home.accounts_file()).unwrap(), before);
    assert_eq!(temporary_files(&home), 0);
}

#[cfg(unix)]
#[test]
fn after_a_mistake_the_editor_opens_again_with_the_text() {
    let home = home();
    // The first time too long, the second time what was too long is cut.
    let script = "if [ -e again ]; then head -c 20 \"$2\" > cut; mv cut \"$2\"; else touch again; head -c 2500 /dev/zero | tr '\\0' x > \"$2\"; fi";
    let editor = editor(&home, script);
    let mut pty = pty(&home, &editor, &["message", "edit", "acme", "agent-left"]);
    pty.expect("2500 characters");
    pty.expect("Open the text again");
    pty.send("\r");
    let (screen, code) = pty.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(message(&list(&home), "agent-left")["text"], "x".repeat(20));
    assert_eq!(temporary_files(&home), 0);
}

#[cfg(unix)]
#[test]
fn an_editor_that_fails_or_is_interrupted_keeps_the_text_in_a_file() {
    let home = home();
    let before = std::fs::read(home.accounts_file()).unwrap();
    let kept = |screen: &str| {
        let path = screen.split("your text is in ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        std::fs::read_to_string(home.path(path.rsplit('/').next().unwrap())).unwrap()
    };
    let failing = editor(&home, "echo precious > \"$2\"; exit 3");
    let (screen, code) = pty(&home, &failing, &["message", "edit", "acme", "agent-left"]).end();
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains("exit status: 3"), "{screen}");
    assert_eq!(kept(&screen), "precious\n");

    let waiting = editor(&home, "echo precious > \"$2\"; echo waiting; sleep 60");
    let mut pty_ = pty(&home, &waiting, &["message", "edit", "acme", "agent-left"]);
    pty_.expect("waiting");
    pty_.send("\u{3}");
    let (screen, code) = pty_.end();
    assert_eq!(code, 130, "{screen}");
    assert_eq!(kept(&screen), "precious\n");
    let (screen, code) = pty(&home, "/nowhere/editor", &["message", "edit", "acme", "agent-left"]).end();
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains("EDITOR"), "{screen}");
    assert_eq!(std::fs::read(home.accounts_file()).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn the_menu_changes_events_in_a_row() {
    let home = home();
    let editor = editor(&home, "echo 'From the editor' > \"$2\"");
    let mut pty = pty(&home, &editor, &["message", "edit", "acme"]);
    // agent-joined: custom, in the editor.
    pty.expect("Messages of 'Acme'");
    pty.send("\r");
    pty.expect("Custom: write a text in the editor");
    pty.send(&format!("{}\r", "\u{1b}[A".repeat(2)));
    pty.expect("agent-joined is custom now");
    // inactivity-warning: disabled.
    pty.expect("Messages of 'Acme'");
    pty.send(&format!("{DOWN}\r"));
    pty.expect("Disabled: nothing is sent");
    pty.send(&format!("{DOWN}\r"));
    pty.expect("inactivity-warning is disabled now");
    // inactivity-timeout: custom, here.
    pty.expect("Messages of 'Acme'");
    pty.send(&format!("{DOWN}\r"));
    pty.expect("Custom: write a text here");
    pty.send("\u{1b}[A\r");
    pty.expect("\u{1b}[1mText");
    pty.send("Typed here\r");
    pty.expect("inactivity-timeout is custom now");
    // Ctrl-C at a fourth changes nothing more, and takes nothing back.
    pty.expect("Messages of 'Acme'");
    pty.send("\u{3}");
    let (screen, code) = pty.end();
    assert_eq!(code, 130, "{screen}");
    let found = list(&home);
    assert_eq!(message(&found, "agent-joined")["text"], "From the editor");
    assert_eq!(message(&found, "inactivity-warning")["state"], "disabled");
    assert_eq!(message(&found, "inactivity-timeout")["text"], "Typed here");
    assert_eq!(message(&found, "session-ended")["state"], "default");
}

#[cfg(unix)]
#[test]
fn chat_settings_are_edited_as_a_page() {
    let home = home();
    let script = "cp \"$2\" page; sed -i 's/^# messenger = .*/messenger = \"20m\"/; s/^# agent-left = .*/agent-left = \"disabled\"/' \"$2\"";
    let editor_ = editor(&home, script);
    let (screen, code) = pty(&home, &editor_, &["chat-settings", "edit"]).end();
    assert_eq!(code, 0, "{screen}");
    let page = std::fs::read_to_string(home.path("page")).unwrap();
    assert!(page.contains("# Agent left: when") && page.contains("[timeouts]"), "{page}");
    let shown = home.run(&["chat-settings", "show", "--json"]).code(0).json();
    assert_eq!(shown["timeouts"][0]["value"], "20m");
    assert_eq!(shown["messages"][4]["state"], "disabled");
    // The page holds what is set, and reads back as it was.
    let (screen, code) = pty(&home, "true", &["chat-settings", "edit"]).end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("unchanged"), "{screen}");
    let broken = editor(
        &home,
        "if [ -e fixed ]; then sed -i 's/mesenger/messenger/' \"$2\"; else touch fixed; sed -i 's/^messenger/mesenger/; s/20m/30m/' \"$2\"; fi",
    );
    let mut pty = pty(&home, &broken, &["chat-settings", "edit"]);
    pty.expect("unknown key 'mesenger'");
    pty.expect("Open the text again");
    pty.send("\r");
    assert_eq!(pty.end().1, 0);
    assert_eq!(home.run(&["chat-settings", "show", "--json"]).json()["timeouts"][0]["value"], "30m");
}

#[cfg(unix)]
#[test]
fn an_editor_gets_no_variable_of_ours() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false)
        .with("MSGRCTL_SECRET_ACME_APP_SECRET", "hush")
        .with("MSGRCTL_PAGE_TOKEN", "EAAhush")
        .with("KEPT", "1");
    let seen = home.path("seen");
    let editor = home.file("editor", format!("#!/bin/sh\nenv > '{}'\necho Bye > \"$1\"\n", seen.display()));
    let mut chmod = home.program("chmod");
    assert!(chmod.arg("+x").arg(&editor).status().unwrap().success());
    let mut command = home.msgrctl(&["message", "edit", "acme", "agent-left"]);
    command.env("EDITOR", &editor);
    let (screen, code) = Pty::start(&command, 100).end();
    assert_eq!(code, 0, "{screen}");
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("KEPT=1") && !seen.contains("MSGRCTL_") && !seen.contains("hush"), "{seen}");
}
