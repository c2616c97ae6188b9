//! No command shows a secret, whatever goes wrong.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use msgrctl::sandbox::{Fault, TokenKind};
use msgrctl::secrets::Secret;

use crate::support::world::{PAGE_ID, app, scenario};
use crate::support::{Bus, Home, Run};

const TOKEN: &str = "EAABleakmark0123456789abcdefghijklmnop";
const SECRET: &str = "1eaf1eaf0123456789abcdef01234567";
const VERIFY: &str = "Leak+mark/verify=0123456789";
/// Of the encrypted file, and the content of its key file.
const PASSPHRASE: &str = "leak passphrase mark 0123456789";
const NEW_TOKEN: &str = "EAABnewleakmark0123456789abcdefghijkl";
/// A system user's.
const USER_TOKEN: &str = "EAABuserleakmark0123456789abcdefghijk";

/// The parts of the marked secrets, raw and as a URL writes them.
fn marks() -> Vec<String> {
    let mut marks = Vec::new();
    for secret in [TOKEN, SECRET, VERIFY, NEW_TOKEN, USER_TOKEN, PASSPHRASE] {
        marks.push(secret.to_owned());
        marks.push(url::form_urlencoded::byte_serialize(secret.as_bytes()).collect());
        marks.push(format!("{secret:?}").trim_matches('"').replace('/', "\\/"));
        // A part is a leak too.
        marks.push(secret[4..20].to_owned());
    }
    marks
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for mark in marks() {
        assert!(!text.contains(&mark), "{what} shows {mark}: {text}");
    }
}

fn files(dir: &std::path::Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if let Ok(bytes) = std::fs::read(&path) {
            found.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}

/// The commands, with the files of secrets in `dir`.
fn commands(dir: &std::path::Path, app_id: &str) -> Vec<Vec<String>> {
    let file = |name: &str| dir.join(name).to_string_lossy().into_owned();
    let [token, secret, verify, new, user] = ["token", "secret", "verify", "new", "user"].map(file);
    let long = format!("{TOKEN}{}", "x".repeat(140));
    let key = file("key");
    let failing = format!("command:sh -c 'echo {TOKEN}; echo no {TOKEN} >&2; exit 1'");
    let url = format!("https://example.com/?access_token={TOKEN}");
    let lines: Vec<Vec<&str>> = vec![
        vec![
            "account",
            "add",
            "Acme",
            "--page-username",
            "acme.support",
            "--page-id",
            PAGE_ID,
            "--app-id",
            app_id,
            "--token-file",
            &token,
            "--app-secret-file",
            &secret,
            "--verify-token-file",
            &verify,
        ],
        vec!["account", "add", "--token-file", &new],
        vec!["account", "add", "Other", "--token-file", &new, "--no-test"],
        vec!["account", "list"],
        vec!["account", "show", "acme"],
        vec!["account", "handover", "acme", "--no-test", "--html", "handover.html"],
        vec!["account", "test", "acme"],
        vec!["account", "test", "--all", "--timeout", "0.3"],
        vec!["account", "edit", "acme", "--token-file", &new, "--yes", "--timeout", "0.3"],
        vec!["account", "edit", "acme", "--app-secret-file", &secret, "--yes", "--timeout", "0.3"],
        vec!["account", "edit", "acme", "--page-id", "54321", "--timeout", "0.3"],
        vec!["account", "edit", "acme", "--token-file", &user, "--keep-user-token", "--yes", "--timeout", "0.3"],
        vec!["secret", "set", "acme", "user-access-token", "--file", &user, "--yes", "--force", "--timeout", "0.3"],
        vec!["account", "renew", "--all", "--timeout", "0.3"],
        vec!["account", "renew", "acme", "--revoke-old", "--yes", "--timeout", "0.3"],
        vec!["account", "rename", "acme", "Acme"],
        // To the end of a save, where the fault lets it: with a token that is known.
        vec!["account", "edit", "acme", "--token-file", &new, "--yes", "--no-test"],
        vec![
            "account",
            "add",
            "Fresh",
            "--app-id",
            app_id,
            "--token-file",
            &new,
            "--app-secret-file",
            &secret,
            "--verify-token-file",
            &verify,
            "--save-anyway",
        ],
        vec!["account", "remove", "Fresh", "--yes"],
        vec!["account", "discover", "--token-file", &new, "--app-secret-file", &secret, "--timeout", "0.3"],
        vec!["account", "discover", "--business", TOKEN, "--token-from", &failing],
        vec!["demo"],
        vec!["doctor"],
        vec!["secret", "list"],
        vec!["secret", "set", "acme", "page-access-token", "--file", &new, "--yes", "--timeout", "0.3"],
        vec!["secret", "set", "acme", "app-secret", "--file", &secret, "--yes", "--force", "--timeout", "0.3"],
        vec!["secret", "set", "acme", "verify-token", "--generate", "--yes"],
        vec!["secret", "set", "acme", "page-access-token", "--from", &failing, "--yes"],
        vec!["secret", "set", "acme", "page-access-token", "--from", TOKEN, "--yes"],
        vec!["secret", "move", "--all", "--to", "file", "--key-file", &key],
        vec!["secret", "move", "--all", "--to", "file", "--key-file", &token],
        vec!["secret", "move", "--all", "--to", "keyring", "--key-file", &key],
        vec!["secret", "remove", "acme", "app-secret"],
        vec!["secret", "remove", "--entry", TOKEN],
        // It prints the credentials of its own world, which are nobody's; not so when it fails.
        vec!["sandbox", "start", "--scenario", &token],
        vec!["sandbox", "calls"],
        // Secrets where none belong.
        vec!["account", "add", TOKEN, "--page-id", TOKEN],
        vec!["account", "add", "--page-username", TOKEN, "--token", TOKEN],
        vec!["account", "add", "--token-stdin", TOKEN, SECRET],
        vec!["account", "add", "--callback-url", TOKEN],
        vec!["account", "add", "--handle", SECRET, "--token-file", TOKEN],
        vec!["account", TOKEN],
        vec!["account", "test", "acme", app_id, TOKEN],
        vec!["account", "list", "--tenant", TOKEN],
        vec!["account", "list", "--graph-url", &url],
        vec!["account", "test", "acme", "--graph-version", TOKEN],
        vec![
            "account",
            "add",
            "Long",
            "--page-username",
            &long,
            "--page-id",
            PAGE_ID,
            "--no-test",
            "--token-file",
            &new,
        ],
        vec!["account", "rename", "acme", &long],
    ];
    lines.into_iter().map(|line| line.into_iter().map(str::to_owned).collect()).collect()
}

/// Runs every command while `effect` meets each call, then without Graph, then
/// without a keyring, and looks for marks in all that is shown and written.
fn walk_commands(bus: &Bus, effect: &Fault) {
    let text = format!(
        "version = 1\n[[apps]]\nid = '123456789012345'\nsecret = '{SECRET}'\nname = 'App'\n\
         [[pages]]\nid = '{PAGE_ID}'\nusername = 'acme.support'\nname = 'Acme'\ntoken = '{TOKEN}'\n\
         [[users]]\ntoken = '{USER_TOKEN}'\nsystem = true\nexpires_in = '20d'\n"
    );
    let sandbox = scenario(&text);
    let (app_id, _) = app(&sandbox);
    {
        let mut world = sandbox.world();
        let mut second = world.page_token(PAGE_ID).unwrap().clone();
        second.value = NEW_TOKEN.into();
        world.tokens.push(second);
    }
    let mut home = Home::on(bus).with("MSGRCTL_GRAPH_URL", &sandbox.url()).with("RUST_BACKTRACE", "full");
    let secrets = tempfile::tempdir().unwrap();
    let given = [("token", TOKEN), ("secret", SECRET), ("verify", VERIFY), ("new", NEW_TOKEN), ("user", USER_TOKEN)];
    for (name, text) in given {
        std::fs::write(secrets.path().join(name), text).unwrap();
    }
    let key = secrets.path().join("key");
    std::fs::write(&key, PASSPHRASE.repeat(2)).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    home.set("MSGRCTL_PASSPHRASE", PASSPHRASE);
    let commands = commands(secrets.path(), &app_id);
    home.run(&commands[0]).code(0);
    sandbox.world().faults = vec![effect.clone()];
    let all = |home: &Home, when: &str, json: bool| {
        for command in &commands {
            let mut arguments = command.clone();
            arguments.push("-vvv".into());
            if json {
                arguments.push("--json".into());
            }
            assert_clean(&format!("{arguments:?} {when}"), &seen(&home.run(&arguments)));
        }
    };
    all(&home, &format!("under {effect:?}"), false);
    all(&home, &format!("under {effect:?}"), true);
    drop(sandbox);
    all(&home, "without Graph", false);
    home.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    all(&home, "without a keyring", false);
    let mut written = Vec::new();
    files(home.root(), &mut written);
    assert!(written.iter().any(|(path, _)| path.ends_with("accounts.toml")));
    for (path, text) in written {
        assert_clean(&path, &text);
    }
}

#[test]
fn no_command_shows_a_secret_under_any_fault() {
    let Some(bus) = Bus::with_keyring() else { return };
    let faults = [
        Fault::default(),
        Fault { drop: true, ..Fault::default() },
        Fault { delay: Some(Duration::from_millis(600)), ..Fault::default() },
        Fault { status: Some(502), ..Fault::default() },
        Fault { code: Some(190), subcode: Some(460), ..Fault::default() },
        Fault { code: Some(4), ..Fault::default() },
        Fault { code: Some(200), ..Fault::default() },
        Fault { body: Some("<html>".into()), ..Fault::default() },
        // A Graph that repeats what it was sent.
        Fault {
            status: Some(400),
            body: Some(format!(
                r#"{{"error":{{"message":"Bad thing with {TOKEN} and {SECRET}","type":"X","code":999}}}}"#
            )),
            ..Fault::default()
        },
    ];
    // Most of the time is spent waiting between tries: the faults go side by side.
    std::thread::scope(|scope| {
        for effect in &faults {
            scope.spawn(|| walk_commands(&bus, effect));
        }
    });
}

fn seen(run: &Run) -> String {
    format!("{}\n{}", run.stdout, run.stderr)
}

#[test]
fn verbose_runs_say_what_is_called_and_nothing_else() {
    let sandbox = crate::support::world::sandbox();
    let home = crate::support::world::acme(&sandbox, true);
    home.run(&["account", "test", "acme", "-v"]).code(0).says(&["path=\"/me\"", "path=\"/debug_token\"", "status=200"]);
    let run = home.run(&["account", "test", "acme", "-vvv"]).code(0);
    for part in ["appsecret_proof", "access_token", "input_token", "Bearer"] {
        assert!(!run.stderr.contains(part), "{run:#?}");
    }
}

#[test]
fn no_secret_is_in_the_arguments_or_the_address_of_a_call() {
    let sandbox = crate::support::world::sandbox();
    let home = crate::support::world::acme(&sandbox, true);
    home.run(&["account", "test", "acme"]).code(0);
    for entry in sandbox.world().journal.entries() {
        let debug = entry.path.ends_with("/debug_token");
        if entry.path.ends_with('/') {
            // The request itself: its operations are in its body.
            assert!(entry.method == "POST" && entry.token.ends_with("(header)"), "{entry:?}");
        } else {
            let alone = entry.path.ends_with("/me") && entry.token.ends_with("(header)");
            assert_eq!(entry.note.as_deref(), (!alone).then_some("in a batch"), "{entry:?}");
        }
        let names: Vec<&str> = entry.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        // Signed, except with the app's own token.
        assert_eq!(names.contains(&"appsecret_proof") && names.contains(&"appsecret_time"), !debug, "{entry:?}");
    }
}

/// What a proxy that opens TLS would log of every kind of call.
#[tokio::test]
async fn no_token_and_no_secret_stands_in_an_address() {
    use msgrctl::graph::endpoints::{renewal, subscription, token};
    use msgrctl::graph::{AppCredentials, Client, GraphVersion};

    let sandbox = crate::support::world::sandbox();
    let tap = crate::support::tap::Tap::start(&sandbox.url());
    let mut home = crate::support::world::acme(&sandbox, true);
    home.set("MSGRCTL_GRAPH_URL", &tap.url);
    let hook = crate::support::Hook::start();
    home.run(&["account", "edit", "acme", "--callback-url", &hook.url, "--no-test"]).code(0);
    for words in [
        &["account", "test", "acme"][..],
        &["webhook", "subscribe", "acme"],
        &["webhook", "status", "acme"],
        &["webhook", "unsubscribe", "acme", "--app", "--yes"],
        &["message", "send", "acme", "--to", "7654321098765432", "hello"],
    ] {
        home.run(words);
    }
    let settings =
        msgrctl::http::Settings { timeout: std::time::Duration::from_secs(5), ca_bundle: None, loopback: true };
    let client =
        Client::new(tap.url.parse().unwrap(), GraphVersion::DEFAULT, msgrctl::clock::Clock::system(), settings);
    client.prepare().unwrap();
    let (id, app_secret) = crate::support::world::app(&sandbox);
    let app = AppCredentials { id, secret: Secret::new(app_secret.clone()) };
    let user = sandbox.world().tokens.iter().find(|token| token.kind == TokenKind::User).unwrap().value.clone();
    let exchanged = renewal::exchange(&client, &Secret::new(user.clone()), &app, false).await.unwrap();
    assert!(exchanged.value.expires_in.is_some());
    token::debug(&client, &Secret::new(user.clone()), &app).await.unwrap();
    subscription::of_app(&client, &app).await.unwrap();
    assert!(subscription::remove_of_app(&client, &app, "page", None).await.unwrap());

    let addresses = tap.addresses();
    assert!(addresses.len() > 10, "{addresses:#?}");
    let page_token = crate::support::world::page_token(&sandbox);
    for address in addresses {
        for hidden in [&app_secret, &page_token, &user, "access_token=", "client_secret", "input_token", "EAA"] {
            assert!(!address.contains(hidden), "{address}");
        }
    }
}

#[test]
fn help_prints_no_variables_value() {
    let home = Home::new()
        .with("MSGRCTL_PAGE_TOKEN", TOKEN)
        .with("MSGRCTL_APP_SECRET", SECRET)
        .with("MSGRCTL_VERIFY_TOKEN", VERIFY)
        .with("MSGRCTL_TENANT", "tenantmark")
        .with("MSGRCTL_GRAPH_URL", "http://127.0.0.1:4242");
    walk(&msgrctl::cli::command(), &[], &home);
}

fn walk(command: &clap::Command, path: &[String], home: &Home) {
    let mut arguments = path.to_vec();
    arguments.push("--help".into());
    let run = home.run(&arguments).code(0);
    assert_clean(&format!("{arguments:?}"), &seen(&run));
    assert!(!run.stdout.contains("tenantmark") && !run.stdout.contains("4242"), "{run:#?}");
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        let mut path = path.to_vec();
        path.push(inner.get_name().to_owned());
        walk(inner, &path, home);
    }
}

#[test]
fn no_secret_is_in_the_list_of_processes() {
    // A Graph that keeps it waiting.
    let graph = crate::support::Hook::start();
    graph.will_not_answer();
    let home = Home::new()
        .with_secrets("acme", TOKEN)
        .with("MSGRCTL_PASSPHRASE", PASSPHRASE)
        .with("MSGRCTL_GRAPH_URL", graph.url.trim_end_matches("/hook"));
    let mut command = home.msgrctl(&["account", "add", "Acme"]);
    let mut child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    graph.wait_for_requests(1);
    let line = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let line = String::from_utf8_lossy(&line);
    assert!(line.contains("account"), "{line}");
    assert_clean("the process's arguments", &line);
}

#[test]
fn a_receiver_that_repeats_everything_makes_nothing_seen() {
    use crate::support::receiver::{TOKEN as VERIFY_TOKEN, answer, start};
    let sandbox = crate::support::world::sandbox();
    let home = crate::support::world::acme(&sandbox, true);
    let token = crate::support::world::page_token(&sandbox);
    let secret = crate::support::world::app(&sandbox).1;
    let bodies: [(&str, &[&str]); 3] = [
        ("200 OK", &[]),
        ("302 Found", &["Location: /login/next=/hook%3Fhub.verify_token=verify0123456789"]),
        ("403 No", &[]),
    ];
    for (status, headers) in bodies {
        let url = start(move |asked| answer(status, headers, &format!("{} verify0123456789", asked.query)));
        home.run(&["account", "edit", "acme", "--callback-url", &url]).code(0);
        let psid = sandbox.world().people[0].psid.clone();
        let commands: [&[&str]; 8] = [
            &["webhook", "verify", "acme"],
            &["webhook", "verify", "acme", "--json"],
            &["webhook", "subscribe", "acme", "--json"],
            &["webhook", "status", "acme"],
            &["webhook", "show", "acme"],
            &["webhook", "rotate", "acme", "--yes"],
            &["account", "test", "acme", "--json"],
            &["message", "send", "acme", "--to", &psid, "hello"],
        ];
        for command in commands {
            let run = home.run(&[command, &["-vvv"]].concat());
            let all = seen(&run);
            for hidden in [VERIFY_TOKEN, &token, &secret] {
                assert!(!all.contains(hidden), "{command:?} shows {hidden}: {all}");
            }
        }
    }
}
