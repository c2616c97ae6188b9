//! Receivers and clients that others wrote (`tests/interop`), run for real on this
//! machine: what the probe says of theirs, and what the sandbox says to them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use msgrctl::sandbox::InProcess;
use serde_json::Value;

use crate::support::receiver::TOKEN;
use crate::support::world::{PAGE_ID, acme, app, page_token, sandbox};

/// Where `tests/setup` has put the packages; without them a test says so and passes.
pub fn packages() -> Option<PathBuf> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/interop");
    if place.join("installed").exists() {
        return Some(place);
    }
    let text = "not run: it needs the packages of tests/interop (tests/setup installs them)";
    assert!(std::env::var_os("MSGRCTL_TEST_ALL").is_none(), "{text}");
    let _ = writeln!(std::io::stderr(), "{}: {text}", std::thread::current().name().unwrap_or("a test"));
    None
}

/// Python or Node on one of the scripts of `tests/interop`.
pub fn driver(packages: &Path, name: &str) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name);
    let python = script.extension().is_some_and(|end| end == "py");
    let mut command = Command::new(if python { packages.join("venv/bin/python") } else { "node".into() });
    // Nothing that they write stays beside the sources, and no proxy comes between.
    command
        .arg(script)
        .env("NODE_PATH", packages.join("node_modules"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NO_PROXY", "*")
        .current_dir(packages);
    command
}

struct Receiver {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Receiver {
    fn start(packages: &Path, name: &str, path: &str, app_secret: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = driver(packages, name)
            .env("INTEROP_PORT", port.to_string())
            .env("INTEROP_VERIFY_TOKEN", TOKEN)
            .env("INTEROP_APP_SECRET", app_secret)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut receiver = Self { child, lines, url: format!("http://127.0.0.1:{port}{path}") };
        receiver.wait_for("ready");
        receiver
    }

    /// Its next line that begins so.
    fn wait_for(&mut self, start: &str) -> String {
        let found = self.lines.by_ref().map_while(Result::ok).find(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("{}: it ended without {start:?}", self.url))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The whole chain with a receiver that is not ours: the probe, Meta's handshake as the
/// sandbox makes it, and a customer's message.
fn received(name: &str, path: &str, parses: bool) {
    let Some(packages) = packages() else { return };
    let sandbox = sandbox();
    let mut receiver = Receiver::start(&packages, name, path, &app(&sandbox).1);
    let home = acme(&sandbox, true);
    home.run(&["account", "edit", "acme", "--callback-url", &receiver.url]).code(0);
    let run = home.run(&["webhook", "verify", "acme", "--json"]).code(0);
    assert_eq!(run.json()["outcome"], "pass", "{run:#?}");
    let words = ["webhook", "verify", "--url", &receiver.url, "--verify-token-stdin", "--json"];
    let wrong = home.run_with(&words, "another0123456789").code(7).json();
    let refused = ["token_refused", "other_body"];
    assert!(refused.contains(&wrong["problem"].as_str().unwrap()), "{wrong}");
    home.run(&["webhook", "subscribe", "acme"]).code(0);
    home.run(&["sandbox", "say", "äöå https://example.com/ 😀"]).code(0).shows(&["200"]);
    if parses {
        let line = receiver.wait_for("message ");
        assert!(line.ends_with("äöå https://example.com/ 😀"), "{line}");
    }
}

#[test]
fn fbemissary_takes_handshake_and_events() {
    received("receivers/fbemissary_server.py", "/webhook", true);
}

#[test]
fn pywa_takes_handshake_and_events() {
    received("receivers/pywa_server.py", "/webhook", true);
}

#[test]
fn bootbot_takes_handshake_and_events() {
    received("receivers/bootbot_server.js", "/webhook", true);
}

#[test]
fn ampalibe_refuses_with_200_and_is_understood() {
    received("receivers/ampalibe_server.py", "/", false);
}

fn client(name: &str) -> Option<(InProcess, Value)> {
    client_of(sandbox(), name)
}

fn client_of(sandbox: InProcess, name: &str) -> Option<(InProcess, Value)> {
    let packages = packages()?;
    let (app_id, app_secret) = app(&sandbox);
    let psid = sandbox.world().people[0].psid.clone();
    let user = sandbox.world().user_token().unwrap().value.clone();
    let ran = driver(&packages, name)
        .env("INTEROP_GRAPH_URL", sandbox.url())
        .env("INTEROP_PAGE_TOKEN", page_token(&sandbox))
        .env("INTEROP_PAGE_ID", PAGE_ID)
        .env("INTEROP_USER_TOKEN", user)
        .env("INTEROP_APP_ID", app_id)
        .env("INTEROP_APP_SECRET", app_secret)
        .env("INTEROP_PSID", psid)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
    let told: Value = serde_json::from_slice(&ran.stdout).unwrap();
    Some((sandbox, told["calls"].clone()))
}

/// What every client does, whatever it calls the answers: a message that is taken, one
/// to nobody that is refused, and the error recognised.
#[track_caller]
fn assert_sends(sandbox: &InProcess, calls: &Value) {
    let sent = calls["send"].to_string();
    assert!(sent.contains("\"m_"), "{calls:#}");
    let refused = calls["send_unknown"].to_string();
    assert!(refused.contains("100") && refused.contains("2018001"), "{calls:#}");
    let world = sandbox.world();
    let entries = world.journal.entries();
    assert!(entries.iter().any(|entry| entry.path.ends_with("/messages") && entry.status == Some(200)));
}

#[test]
fn facebook_sdk_works_with_the_sandbox() {
    let Some((sandbox, calls)) = client("clients/facebook_sdk.py") else { return };
    assert_sends(&sandbox, &calls);
    assert_eq!(calls["me"]["id"], PAGE_ID);
    assert_eq!(calls["subscribe"]["success"], true);
    assert_eq!(calls["debug_token"]["data"]["type"], "PAGE");
    assert_eq!(calls["all_accounts"][0], PAGE_ID);
}

#[test]
fn python_facebook_api_works_with_the_sandbox() {
    let Some((sandbox, calls)) = client("clients/python_facebook_api.py") else { return };
    assert_sends(&sandbox, &calls);
    assert_eq!(calls["objects"][PAGE_ID]["name"], "Acme Support");
    assert_eq!(calls["debug_token"]["data"]["profile_id"], PAGE_ID);
}

#[test]
fn fbmessenger_works_with_the_sandbox() {
    let Some((sandbox, calls)) = client("clients/fbmessenger_client.py") else { return };
    assert_sends(&sandbox, &calls);
    assert_eq!(calls["user"]["first_name"], "Jane");
    assert_eq!(calls["profile_set"]["result"], "success");
    // It subscribes without fields, as Graph has not taken since v3.
    assert_eq!(calls["subscribe"]["code"], 100);
}

#[test]
fn messaging_api_messenger_works_with_the_sandbox() {
    let Some((sandbox, calls)) = client("clients/messaging_api_messenger.js") else { return };
    assert_sends(&sandbox, &calls);
    assert_eq!(calls["profile"][0]["getStarted"]["payload"], "GO");
    let codes: Vec<i64> =
        calls["batch"].as_array().unwrap().iter().map(|item| item["code"].as_i64().unwrap()).collect();
    assert!(codes.starts_with(&[200, 400]), "{codes:?}");
}

#[test]
fn fbgraph_works_with_the_sandbox() {
    let Some((sandbox, calls)) = client("clients/fbgraph_client.js") else { return };
    assert_sends(&sandbox, &calls);
    assert_eq!(calls["subscribed"]["data"][0]["subscribed_fields"][0], "messages");
    assert_eq!(calls["batch"][0]["code"], 200);
}

#[test]
fn metas_own_sdk_asks_for_the_app_of_its_token() {
    // Whether a Page's token may ask about itself is a switch.
    for may in [true, false] {
        let sandbox = sandbox();
        sandbox.world().rules.self_inspection = may;
        let (app_id, _) = app(&sandbox);
        let Some((sandbox, calls)) = client_of(sandbox, "clients/business_sdk.js") else { return };
        assert_sends(&sandbox, &calls);
        assert_eq!(calls["me"]["id"], PAGE_ID);
        if may {
            assert_eq!(calls["app_id"], serde_json::json!({ "app_id": app_id }));
        } else {
            assert_eq!(calls["app_id"]["error"]["code"], 100, "{calls:#}");
        }
    }
}

#[test]
fn passport_facebook_logs_in_at_the_sandbox() {
    let Some((sandbox, calls)) = client("clients/passport_facebook.js") else { return };
    assert_eq!(calls["cancelled"]["refused"]["message"], "Permissions error", "{calls:#}");
    for login in [&calls["login"], &calls["again"]] {
        let user = &login["user"];
        assert_eq!(
            (&user["name"], &user["expires_in"], &user["has_token"]),
            (&"Ada Example".into(), &5_400.into(), &true.into()),
            "{calls:#}"
        );
    }
    let world = sandbox.world();
    assert_eq!(world.grants[0].pages.as_deref(), Some(&[PAGE_ID.to_owned()][..]));
    assert!(world.journal.entries().iter().any(|entry| entry.parameters.iter().any(|one| one.name == "code_verifier")));
}

#[test]
fn requests_oauthlib_logs_in_at_the_sandbox() {
    let Some((_sandbox, calls)) = client("clients/requests_oauthlib_client.py") else { return };
    assert_eq!(calls["token"], serde_json::json!({"type": "bearer", "expires_in": 5_400}));
    assert_eq!((&calls["me"]["name"], &calls["accounts"]), (&"Ada Example".into(), &serde_json::json!([PAGE_ID])));
    assert_eq!(calls["permissions"][0]["status"], "granted");
    assert!(calls["again"].as_str().unwrap().contains("This authorization code has been used."), "{calls:#}");
}
