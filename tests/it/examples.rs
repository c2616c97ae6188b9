//! The examples of every command's help, run as they stand.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

use crate::login::Login;
use crate::support::listening::Listening;
use crate::support::world::{EVENTS, app, page_token, sandbox, subscribe};
use crate::support::{Backend, Home, Hook};

/// Examples that cannot be run here: they need a program, a desktop or a terminal that
/// a test does not have, or name a change or a business of theirs. Each command has another that is run.
const NOT_RUN: &[&str] = &[
    "op read",
    "wl-copy",
    "jq",
    "man -l",
    "Invoke-Expression",
    "source",
    "elvish/rc.elv",
    "--to keyring",
    "passphrase --keyring",
    "password-changed.toml",
    "msgrctl undo 3f9a0c51b2d4",
    "--business 200000000000001",
];

/// Examples that ask, since they stand for a person at a terminal; the tests of the
/// wizard drive them.
const ASK: &[&str] = &[
    "msgrctl account add",
    "msgrctl login",
    "msgrctl login --config-id 1122334455667788",
    "msgrctl login --paste",
    "msgrctl login --system-user --business 5550001112223",
    "msgrctl account edit acme-support",
    "msgrctl account remove acme-support",
    "msgrctl secret passphrase",
];

/// Commands that need a terminal and an editor: their own tests drive them.
const IN_AN_EDITOR: &[&str] = &["msgrctl message edit", "msgrctl chat-settings edit"];

/// The example command lines of a help text.
fn examples(command: &clap::Command) -> Vec<String> {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let Some(text) = text.strip_prefix("Examples:\n") else { return Vec::new() };
    let joined = text.replace("\\\n", " ");
    joined.lines().map(|line| line.split("  #").next().unwrap().trim().to_owned()).collect()
}

fn walk(command: &clap::Command, path: &str, found: &mut Vec<(String, Vec<String>)>) {
    found.push((path.to_owned(), examples(command)));
    for below in command.get_subcommands() {
        walk(below, &format!("{path} {}", below.get_name()), found);
    }
}

#[test]
fn every_command_has_an_example_that_works() {
    let mut commands = Vec::new();
    walk(&msgrctl::cli::command(), "msgrctl", &mut commands);
    assert!(commands.len() > 20);
    for (command, examples) in commands {
        if IN_AN_EDITOR.contains(&command.as_str()) {
            continue;
        }
        let mut run = 0;
        for line in examples {
            if NOT_RUN.iter().any(|part| line.contains(part)) || ASK.contains(&line.as_str()) {
                continue;
            }
            assert!(line.contains("msgrctl"), "{command}: {line:?} is no example");
            works(&line);
            run += 1;
        }
        assert!(run > 0, "{command} has no example that was run");
    }
}

/// The line as it works with a server on this machine that keeps records; `None` where none can
/// be had.
fn with_a_server(line: &str, home: &mut Home) -> Option<String> {
    if !line.contains("state move") && !line.contains("state unlock") {
        return Some(line.to_owned());
    }
    let backend = if line.contains("postgres://") { Backend::postgres()? } else { Backend::s3()? };
    let place = backend.place();
    backend.give(home);
    if let Backend::S3(server) = backend {
        home.set("AWS_ENDPOINT_URL_S3", &server.url);
    }
    if !line.contains("://") {
        home.set("MSGRCTL_STATE", &backend.address(&place, ""));
    }
    if line.contains("unlock") {
        backend.lock(&place, "3f9a0c51b2d4");
    }
    let line = line.replace("postgres://ana@db.example.com/team", &format!("'{}'", backend.address(&place, "")));
    let line = line.replace("our-team/msgrctl", &format!("team/{place}"));
    Some(line.replace("https://s3.example.com", &format!("http://{}", backend.listens())))
}

/// Runs one line in a home as the examples take for granted: the account acme-support
/// with its app, tokens in files and variables.
#[track_caller]
fn works(line: &str) {
    let sandbox = sandbox();
    let (app_id, app_secret) = app(&sandbox);
    let token = page_token(&sandbox);
    let hook = Hook::start();
    if line.contains("sandbox say") {
        subscribe(&sandbox, &hook.url, &EVENTS);
    }
    let mut home =
        Home::new().with("MSGRCTL_STORE", "file").with("MSGRCTL_GRAPH_URL", &sandbox.url()).with("TOKEN", &token);
    let [key, _] = [("key", b'k'), (".msgrctl.key", b'n')].map(|(name, byte)| {
        let key = home.file(name, [byte; 32]);
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        key
    });
    home.set("MSGRCTL_KEY_FILE", &key.to_string_lossy());
    home.file("token.txt", &token);
    home.file("user-token.txt", &sandbox.world().user_token().unwrap().value);
    home.file("secret.txt", &app_secret);
    home.file("bye.txt", "Bye");
    for name in ["accounts.yaml", "manifests/acme.yaml"] {
        home.file(name, "version: 1\naccounts: [{name: Acme Support}]\n");
    }
    for directory in
        ["bin", ".local/share/bash-completion/completions", ".config/fish/completions", ".local/share/man/man1"]
    {
        std::fs::create_dir_all(home.path(directory)).unwrap();
    }
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_msgrctl"), home.path("bin/msgrctl")).unwrap();
    let path = format!("{}:{}", home.path("bin").display(), std::env::var("PATH").unwrap());
    home.set("PATH", &path);
    if !line.contains("account add") {
        let add =
            ["account", "add", "--token-file", "token.txt", "--app-id", &app_id, "--app-secret-file", "secret.txt"];
        home.run(&add).code(0);
    }
    if line.contains("acme") && !line.contains("tenant add") {
        home.run(&["tenant", "add", "acme", "--host", "acme.example.com"]).code(0);
    }
    if line.contains("apply accounts.plan") {
        home.run(&["plan", "-f", "accounts.yaml", "--out", "accounts.plan"]).code(0);
    }
    let Some(line) = with_a_server(line, &mut home) else { return };
    let line = line.replace("http://127.0.0.1:8090", &sandbox.url());
    let line = line.replace("7654321098765432", &sandbox.world().people[0].psid);
    home.file("conversation.txt", "within 1s\n");
    let line = line.replace("webhook listen", "webhook listen --listen 127.0.0.1:0");
    // Somebody has to answer the handshake.
    let listening = (line.contains("webhook ") && !line.contains("listen")).then(|| {
        let listening = Listening::start(&home, &["acme-support"]);
        home.run(&["account", "edit", "acme-support", "--callback-url", &listening.url]).code(0);
        home.run(&["webhook", "subscribe", "acme-support"]).code(0);
        home.set("VERIFY_TOKEN", home.run(&["secret", "reveal", "acme-support", "verify-token"]).stdout.trim());
        listening
    });
    let line = match &listening {
        Some(listening) => line.replace("https://example.com/messenger", &listening.url),
        None => line,
    };
    // Somebody may have a sandbox of their own running there.
    let line = line.replace("--listen 127.0.0.1:8090", "--listen 127.0.0.1:0");
    // Nobody is there to say yes.
    let asks =
        ["--begin-again", "--generate", "--exact", "webhook rotate acme-support", "webhook unsubscribe acme-support"];
    let line = if asks.iter().any(|end| line.ends_with(end)) { format!("{line} --yes") } else { line };
    let mut shell = home.program("sh");
    let watches =
        line.contains("msgrctl watch") && !["--once", "--notify-test", "--print"].iter().any(|it| line.contains(it));
    let line = if watches { line.replace(" --listen 127.0.0.1:9187", "") + " --listen 127.0.0.1:0" } else { line };
    let runs_on =
        watches || line.contains("sandbox start") || line.contains("webhook listen") && !line.contains("--script");
    if line.contains("--notify-test") {
        home.file("config/msgrctl/config.toml", "[[notify]]\nkind = \"command\"\ncommand = \"true\"\n");
    }
    shell
        .args(["-c", &if runs_on { format!("exec {line}") } else { line.clone() }])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if runs_on {
        return starts(shell);
    }
    if line.contains("msgrctl login") {
        let words: Vec<&str> =
            line.split(' ').skip(1).filter(|word| !["login", "--no-browser"].contains(word)).collect();
        let login = Login::start(&home, &words);
        login.choose(&sandbox, &[("pages", "all")], "continue");
        return drop(login.end().code(0));
    }
    let ran = shell.output().unwrap();
    let code = ran.status.code();
    // This machine may have something for the doctor to find.
    assert!(code == Some(0) || line.contains("doctor") && code == Some(7), "{line}: {ran:?}");
}

/// A command that runs until it is stopped.
fn starts(mut shell: Command) {
    let mut child: Child = shell.spawn().unwrap();
    // It says where it listens, and goes on.
    let said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let listens = { said }.any(|line| line.contains("http://127.0.0.1:"));
    let goes_on = child.try_wait().unwrap().is_none();
    let _ = child.kill();
    child.wait().unwrap();
    assert!(listens && goes_on, "it ended");
}
