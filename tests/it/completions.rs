//! Completions in the real shells: a TAB on a real pseudo-terminal.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::pty::Pty;
use crate::support::world::{acme, page_token, sandbox};
use crate::support::{Home, has};

/// A home with two accounts, and the shell's script where a package would put it.
fn home(shell: &str) -> Home {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, false);
    home.set("MSGRCTL_SECRET_ZEBRA_PAGE_ACCESS_TOKEN", &page_token(&sandbox));
    home.set("MSGRCTL_SECRET_ZEBRA_VERIFY_TOKEN", "verify0123456789");
    let add = ["account", "add", "Zebra Care", "--handle", "zebra", "--page-username", "zebra.care"];
    home.run(&[&add[..], &["--page-id", "209876543210987", "--no-test"]].concat()).code(0);
    home.run(&["tenant", "add", "second", "--host", "second.example.com"]).code(0);
    let other = ["account", "add", "Other", "--handle", "zebra", "--page-username", "other.page", "--tenant", "second"];
    home.run(&[&other[..], &["--page-id", "309876543210987", "--no-test"]].concat()).code(0);
    std::fs::create_dir_all(home.path("bin")).unwrap();
    symlink(env!("CARGO_BIN_EXE_msgrctl"), home.path("bin/msgrctl")).unwrap();
    let path = format!("{}:{}", home.path("bin").display(), std::env::var("PATH").unwrap());
    home.set("PATH", &path);
    // Only files may be read: whoever asks Graph or the keyring fails the test by waiting.
    home.set("MSGRCTL_GRAPH_URL", "http://127.0.0.1:1");
    home.set("MSGRCTL_STORE", "keyring");
    let script = home.run(&["completions", shell]).code(0).stdout;
    home.file("completions/_msgrctl", script);
    home.file("token.txt", "EAAx");
    home
}

/// Types `line`, then a TAB, waits for `shown`, and clears the line.
#[track_caller]
fn tab(pty: &mut Pty, line: &str, shown: &str) {
    pty.send(line);
    pty.send("\t");
    pty.expect(shown);
    // A shell that is interrupted while it completes shows no prompt again: a person is not that quick.
    std::thread::sleep(std::time::Duration::from_millis(150));
    // Ctrl-C: a new line, whatever was there.
    pty.send("\u{3}");
    pty.expect("ready>");
}

/// What every shell must complete: a command, a handle by its beginning, a tenant,
/// values, a file, the beginnings of references.
fn everything(pty: &mut Pty) {
    tab(pty, "msgrctl acc", "msgrctl account");
    tab(pty, "msgrctl account sh", "account show");
    tab(pty, "msgrctl account show ze", "show zebra");
    tab(pty, "msgrctl account show --tenant sec", "--tenant second");
    tab(pty, "msgrctl secret reveal zebra ver", "zebra verify-token");
    tab(pty, "msgrctl secret list --store key", "--store keyring");
    tab(pty, "msgrctl account add --token-file to", "--token-file token.txt");
    tab(pty, "msgrctl completions po", "completions powershell");
    tab(pty, "msgrctl explain passw", "explain password-changed");
    tab(pty, "msgrctl man acc", "man account");
    tab(pty, "msgrctl help account hand", "help account handover");
    tab(pty, "msgrctl help environ", "help environment");
}

#[test]
fn bash() {
    if !has("bash", "bash") {
        return;
    }
    let home = home("bash");
    let mut shell = home.program("bash");
    // The terminal's echo is off here, and readline would follow.
    home.file("rc", "stty echo\nPS1='ready> '\nbind 'set enable-bracketed-paste off'\n. completions/_msgrctl\n");
    shell.args(["--noprofile", "--rcfile", "rc", "-i"]);
    let mut pty = Pty::start(&shell, 120);
    pty.expect("ready>");
    everything(&mut pty);
    tab(&mut pty, "msgrctl secret list --store=key", "--store=keyring");
    tab(&mut pty, "msgrctl account show --tenant=second ze", "--tenant=second zebra");
    home.file("my token.txt", "EAAx");
    tab(&mut pty, "msgrctl account add --token-file my", "my\\ token.txt");
    // By the account's name, which gives its handle.
    pty.send("msgrctl account show Zebra\t");
    std::thread::sleep(std::time::Duration::from_millis(150));
    pty.send("\r");
    pty.expect("@zebra.care");
    pty.expect("ready>");
    // Both handles, where nothing decides between them.
    pty.send("msgrctl account show \t\t");
    pty.expect("acme");
    pty.expect("zebra");
}

#[test]
fn zsh() {
    if !has("zsh", "zsh") {
        return;
    }
    let home = home("zsh");
    // As a package installs it: found through fpath, loaded by the first TAB.
    home.file(".zshrc", "PS1='ready> '\nfpath=(~/completions $fpath)\nautoload -U compinit; compinit -D -u\n");
    let mut shell = home.program("zsh");
    shell.arg("-i");
    let mut pty = Pty::start(&shell, 120);
    pty.expect("ready>");
    everything(&mut pty);
    // Handles with the accounts' names.
    pty.send("msgrctl account show \t");
    pty.expect("zebra");
    pty.expect("Zebra Care");
}

#[test]
fn fish() {
    if !has("fish", "fish") {
        return;
    }
    let home = home("fish");
    std::fs::create_dir_all(home.path("config/fish/completions")).unwrap();
    std::fs::rename(home.path("completions/_msgrctl"), home.path("config/fish/completions/msgrctl.fish")).unwrap();
    // fish answers what it is asked without a terminal, as its own tests do.
    let ask = |line: &str| {
        let script = format!("complete -C'{line}'");
        let asked = home.program("fish").args(["-c", &script]).output().unwrap();
        assert!(asked.status.success() && asked.stderr.is_empty(), "{asked:?}");
        String::from_utf8(asked.stdout).unwrap()
    };
    assert!(ask("msgrctl acc").starts_with("account\t"));
    assert_eq!(ask("msgrctl account show ze"), "zebra\tZebra Care\n");
    assert_eq!(ask("msgrctl account show --tenant second "), "zebra\tOther\n");
    assert_eq!(ask("msgrctl account show --tenant=second "), "zebra\tOther\n");
    assert!(ask("msgrctl account show --tenant sec").starts_with("second"));
    assert!(ask("msgrctl secret reveal zebra ver").starts_with("verify-token\t"));
    assert!(ask("msgrctl secret list --store key").starts_with("keyring\t"));
    assert!(ask("msgrctl account add --token-file to").contains("token.txt"));
    let references = ask("msgrctl account add --token-from ");
    for start in ["env:", "file:", "keyring:", "command:"] {
        assert!(references.contains(start), "{references}");
    }
}

#[test]
fn a_failure_prints_nothing() {
    let home = home("bash");
    let broken = |home: &Home| {
        let mut asked = home.msgrctl(&["--", "msgrctl", "account", "show", ""]);
        asked.env("MSGRCTL_COMPLETE", "fish");
        let output: std::process::Output = Command::output(&mut asked).unwrap();
        assert!(output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(broken(&home).contains("zebra"));
    // Flags are left, since there is nothing else.
    let flags = |text: &str| text.lines().all(|line| line.starts_with("--"));
    home.file("config/msgrctl/tenants/default/accounts.toml", "[[broken");
    assert!(flags(&broken(&home)));
    home.file("config/msgrctl/config.toml", "broken");
    assert!(flags(&broken(&home)));
    // A shell that nobody knows gets no script.
    let mut asked = home.msgrctl(&[""; 0]);
    let output = asked.env("MSGRCTL_COMPLETE", "tcsh").output().unwrap();
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn only_what_can_be_typed_is_offered() {
    let home = home("bash");
    let text = std::fs::read_to_string(home.accounts_file()).unwrap();
    let text = text
        .replace("handle = \"zebra\"", "handle = \"$(touch pwned)\"")
        .replace("\"Acme\"", "\"Ac\\u001b[2J\\u202eme\"");
    std::fs::write(home.accounts_file(), text).unwrap();
    std::fs::create_dir_all(home.path("config/msgrctl/tenants/$(touch pwned)")).unwrap();
    home.file("to\u{1b}[2J\nforged", "x");
    home.file("token\u{202e}.d/x", "x");
    let asked = |words: &[&str]| {
        let mut command = home.msgrctl(&[&["--", "msgrctl"], words].concat());
        let output = command.env("MSGRCTL_COMPLETE", "fish").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(asked(&["account", "show", ""]), "acme\tAc [2Jme\n");
    assert_eq!(asked(&["account", "list", "--tenant", ""]), "default\nsecond\n");
    // Each command is offered under the name that the help has; its other names once they are begun.
    let offered = asked(&["account", ""]);
    let names: Vec<&str> = offered.lines().filter_map(|line| line.split('\t').next()).collect();
    let helped = msgrctl::cli::command();
    let helped = helped.find_subcommand("account").unwrap();
    assert_eq!(names, helped.get_subcommands().map(clap::Command::get_name).collect::<Vec<_>>());
    assert!(asked(&["account", "del"]).starts_with("delete"));
    assert_eq!(asked(&["account", "add", "--token-file", "to"]), "token.txt\n");
}

#[test]
fn every_shell_has_a_script_that_asks_the_program() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = home.run(&["completions", shell]).code(0).stdout;
        assert!(script.contains("MSGRCTL_COMPLETE") && script.contains(shell), "{script}");
        let mut asked = home.msgrctl(&[""; 0]);
        let output = asked.env("MSGRCTL_COMPLETE", shell).output().unwrap();
        assert!(output.status.success() && output.stdout.len() > 100, "{shell}: {output:?}");
    }
    home.run(&["completions", "tcsh"]).code(2).says(&["bash"]);
    home.run(&["completions"]).code(2).says(&["SHELL"]);
}
