//! `msgrctl login`: from Meta's dialog to accounts with tokens that last, and every way in which
//! that ends otherwise.

use std::fs::File;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use msgrctl::sandbox::{Fault, InProcess, TokenKind, TokenState};
use serde_json::{Value, json};
use url::Url;

use crate::sandbox::{ask, ask_literally};
use crate::support::browser::Browser;
use crate::support::dialog::{Shown, inputs, step, submit};
use crate::support::pty::Pty;
use crate::support::taint::{Taint, assert_clean, front};
use crate::support::world::{PAGE_ID, app, paths, scenario};
use crate::support::{Home, Run};
use crate::wizard::{CTRL_C, ENTER, ESC, answer};

const SECOND: &str = "109876543210988";
const FIVE: &str = "version = 1\npage_count = 5\n";

/// A home that knows the app's secret, and the flag that names the app.
fn home(sandbox: &InProcess) -> Home {
    let home = Home::new().with("MSGRCTL_STORE", "file").with_key_file().with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let app_id = format!("app_id = \"{}\"\n", app(sandbox).0);
    home.file("config/msgrctl/tenants/default/tenant.toml", format!("schema_version = 1\n{app_id}"));
    home.with("MSGRCTL_APP_SECRET", &app(sandbox).1)
}

/// A login that waits for the browser.
pub struct Login {
    child: Child,
    out: PathBuf,
    err: PathBuf,
    /// The dialog's address.
    address: Url,
}

impl Login {
    #[track_caller]
    pub fn start(home: &Home, arguments: &[&str]) -> Self {
        Self::with_stdin(home, arguments, Stdio::null())
    }

    #[track_caller]
    fn with_stdin(home: &Home, arguments: &[&str], stdin: Stdio) -> Self {
        let words = [&["login", "--no-browser"], arguments].concat();
        let (out, err) = (home.file("login.out", ""), home.file("login.err", ""));
        let to = |path: &PathBuf| File::options().append(true).open(path).unwrap();
        let mut child = home.msgrctl(&words).stdin(stdin).stdout(to(&out)).stderr(to(&err)).spawn().unwrap();
        // With --json the address is on standard error.
        let shown = if arguments.contains(&"--json") { &err } else { &out };
        let start = Instant::now();
        let address = loop {
            let text = std::fs::read_to_string(shown).unwrap();
            let whole = text.lines().filter(|line| text.contains(&format!("{line}\n")));
            if let Some(line) = whole.into_iter().find(|line| line.starts_with("http")) {
                break line.parse().unwrap();
            }
            let ended = child.try_wait().unwrap().is_some() || start.elapsed() > Duration::from_secs(10);
            assert!(!ended, "no address\n{text}\n{}", std::fs::read_to_string(&err).unwrap());
            std::thread::sleep(Duration::from_millis(5));
        };
        Self { child, out, err, address }
    }

    fn parameter(&self, name: &str) -> String {
        let found = self.address.query_pairs().find(|(key, _)| key == name);
        found.unwrap_or_else(|| panic!("no {name}")).1.into_owned()
    }

    /// What the dialog shows first.
    fn dialog(&self, sandbox: &InProcess) -> Shown {
        step(&sandbox.url(), "GET", &format!("{}?{}", self.address.path(), self.address.query().unwrap()), "")
    }

    /// Ticks Pages, and comes back to the listener as a browser does.
    pub fn choose(&self, sandbox: &InProcess, choices: &[(&str, &str)], action: &str) -> (u16, String) {
        let html = self.dialog(sandbox).page();
        match submit(&sandbox.url(), &html, choices, action) {
            Shown::Redirect(url) => back(&url),
            Shown::Page { status, html } => panic!("{status} {html}"),
        }
    }

    #[track_caller]
    pub fn end(mut self) -> Run {
        let code = self.child.wait().unwrap().code().unwrap();
        let text = |path: &PathBuf| std::fs::read_to_string(path).unwrap();
        Run { command: "login".into(), code, stdout: text(&self.out), stderr: text(&self.err), took: Duration::ZERO }
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Follows the way back, and on to the page that is shown: its status and text.
fn back(url: &Url) -> (u16, String) {
    let origin = format!("http://localhost:{}", url.port().unwrap());
    let (status, head, body) =
        ask_literally(&origin, "GET", &url[url::Position::BeforePath..url::Position::AfterQuery], &[], "");
    let Some(next) = head.lines().find_map(|line| line.strip_prefix("location: ")) else { return (status, body) };
    assert!(!next.contains("code") && !next.contains("state"), "the address is clean: {next}");
    let (status, _, body) = ask(&origin, "GET", next.trim_end_matches('#'), &[], "");
    (status, body)
}

fn ticked(ids: &[&'static str]) -> Vec<(&'static str, &'static str)> {
    ids.iter().map(|id| ("page", *id)).collect()
}

#[test]
fn a_script_plays_the_browser_and_connects_the_named_page() {
    let sandbox = scenario(FIVE);
    let home = home(&sandbox);
    let login = Login::start(&home, &["--page", PAGE_ID, "--yes"]);
    assert_eq!(login.parameter("auth_type"), "rerequest");
    assert_eq!(login.parameter("scope"), "pages_show_list,pages_messaging,pages_manage_metadata,pages_read_engagement");
    let (status, page) = login.choose(&sandbox, &ticked(&[PAGE_ID, SECOND]), "continue");
    assert!(status == 200 && page.contains("Meta has answered") && page.contains("close this window"), "{page}");
    login.end().code(0).shows(&["Acme Support: added as 'acme-support'"]);
    let shown = home.run(&["account", "show", "acme-support", "--json"]).code(0).json();
    assert_eq!(shown["account"]["app_id"], app(&sandbox).0.as_str());
    // Made with the app's secret, so it has no end; and the record has what a test needs.
    let tested = home.run(&["account", "test", "acme-support", "--json"]).code(0).json();
    assert_eq!(tested["results"][0]["outcome"], "pass", "{tested}");
    // Only the named one.
    assert_eq!(home.run(&["account", "list", "--json"]).json()["accounts"].as_array().unwrap().len(), 1);
    assert!(!paths(&sandbox).iter().any(|path| path.contains("AQD")), "the code is in no address");
}

#[test]
fn an_account_that_exists_keeps_its_record_and_gets_the_new_token() {
    let sandbox = scenario(&format!("{FIVE}fresh_page_tokens = true\n"));
    let home = home(&sandbox);
    let token = sandbox.world().page_token(PAGE_ID).unwrap().value.clone();
    let add = [
        "account",
        "add",
        "Our Page",
        "--token-stdin",
        "--callback-url",
        "https://acme.example.com/m",
        "--handle",
        "ours",
    ];
    home.run_with(&add, &token).code(0);
    home.run(&["message", "disable", "ours", "agent-left"]).code(0);
    let before = home.run(&["account", "show", "ours", "--json"]).json();
    let login = Login::start(&home, &["--all-pages", "--yes"]);
    login.choose(&sandbox, &ticked(&[PAGE_ID, SECOND]), "continue");
    let run = login.end().code(0);
    run.shows(&["'ours' has a new token", "Acme Support 2: added as 'acme-support-2'"]);
    let after = home.run(&["account", "show", "ours", "--json"]).json();
    for field in ["id", "name", "handle", "callback_url", "page_id", "app_id"] {
        assert_eq!(before["account"][field], after["account"][field], "{field}");
    }
    assert_ne!(home.run(&["secret", "reveal", "ours", "page-access-token"]).stdout.trim(), token);
    let messages = home.run(&["message", "list", "ours", "--json"]).json();
    let left = messages["messages"].as_array().unwrap().iter().find(|one| one["event"] == "agent-left").unwrap();
    assert_eq!(left["state"], "disabled");
}

#[test]
fn json_names_each_page_and_a_part_that_fails_is_9() {
    let sandbox = scenario(FIVE);
    sandbox.world().pages[1].username = None;
    let home = home(&sandbox);
    let login = Login::start(&home, &["--json", "--yes", "--page", PAGE_ID, SECOND, "109876543210999"]);
    login.choose(&sandbox, &ticked(&[PAGE_ID, SECOND]), "continue");
    let value = login.end().code(9).json();
    let rows: Vec<(&str, &str, &str)> = value["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (row["page_id"].as_str().unwrap(), row["outcome"].as_str().unwrap(), row["cause"].as_str().unwrap_or(""))
        })
        .collect();
    assert_eq!(
        rows,
        [
            (PAGE_ID, "added", ""),
            (SECOND, "failed", "page-without-username"),
            ("109876543210999", "failed", "no-page-granted")
        ]
    );
    assert_eq!((&value["lacking_permissions"], &value["lost"]), (&json!([]), &json!([])));
}

#[test]
fn a_cancel_says_what_else_it_may_have_been() {
    let sandbox = scenario(FIVE);
    let home = home(&sandbox);
    let login = Login::start(&home, &["--all-pages", "--yes"]);
    let (_, page) = login.choose(&sandbox, &[], "cancel");
    assert!(page.contains("not completed") && page.contains("Development mode"), "{page}");
    login.end().code(1).says(&["you cancelled at Meta, or the app is in Development mode", "msgrctl help meta-login"]);
    assert!(home.run(&["account", "list", "--json"]).json()["accounts"].as_array().unwrap().is_empty());
    home.run(&["explain", "login-cancelled"]).code(0);
    home.run(&["help", "meta-login"]).code(0).shows(&["URL Blocked", "Invalid Scopes", "--paste"]);
}

#[test]
fn a_declined_permission_is_named() {
    let sandbox = scenario(FIVE);
    let home = home(&sandbox);
    let login = Login::start(&home, &["--page", PAGE_ID, "--yes"]);
    let granted =
        ["pages_show_list", "pages_manage_metadata", "pages_read_engagement"].map(|name| ("permission", name));
    login.choose(&sandbox, &[ticked(&[PAGE_ID]), granted.to_vec()].concat(), "continue");
    login.end().code(7).says(&[
        "the login did not grant pages_messaging",
        "no account was changed here",
        "log in again",
    ]);
    assert!(home.run(&["account", "list", "--json"]).json()["accounts"].as_array().unwrap().is_empty());
}

#[test]
fn a_second_login_with_other_pages_warns_before_and_after() {
    let sandbox = scenario(FIVE);
    let home = home(&sandbox);
    for (pages, first) in [([PAGE_ID, SECOND], true), ([SECOND, "109876543210989"], false)] {
        let login = Login::start(&home, &["--all-pages", "--yes"]);
        if !first {
            // The earlier choice is offered again.
            let html = login.dialog(&sandbox).page();
            let is_ticked =
                |id: &str| inputs(&html).iter().any(|(_, name, value, on)| name == "page" && value == id && *on);
            assert!(is_ticked(PAGE_ID) && is_ticked(SECOND) && !is_ticked("109876543210989"));
        }
        login.choose(&sandbox, &ticked(&pages), "continue");
        let run = login.end().code(0);
        if !first {
            run.says(&[
                "tick these Pages again at Meta, or their tokens stop working: Acme Support, Acme Support 2",
                "this login does not reach the Page of 'acme-support', whose token does not work now",
            ]);
            // Tested at once: nothing looks well that is not.
            home.run(&["status"]).shows(&["acme-support    ✗ fail"]);
        }
    }
    let tested = home.run(&["account", "test", "--all", "--json"]).code(7).json();
    let outcomes: Vec<&str> =
        tested["results"].as_array().unwrap().iter().map(|one| one["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["fail", "pass", "pass"]);
}

#[test]
fn only_one_answer_with_its_state_is_taken_and_the_listener_is_gone_afterwards() {
    let sandbox = scenario(FIVE);
    let home = home(&sandbox);
    let login = Login::start(&home, &["--page", PAGE_ID, "--yes"]);
    let redirect: Url = login.parameter("redirect_uri").parse().unwrap();
    let (state, port) = (login.parameter("state"), redirect.port().unwrap());
    let origin = format!("http://localhost:{port}");
    let get = |path: &str| ask(&origin, "GET", path, &[], "").0;
    for stray in ["/", "/callback", "/favicon.ico", "/callback?x=1", "/done"] {
        assert_eq!(get(stray), 404, "{stray}");
    }
    for foreign in ["/callback?code=AQDx", "/callback?code=AQDx&state=wrong", "/callback?error=access_denied&state="] {
        assert_eq!(get(foreign), 400, "{foreign}");
    }
    let with_state = format!("/callback?code=AQDx&state={state}");
    assert_eq!(ask(&origin, "POST", &with_state, &[], "").0, 405);
    let rebound = ask(&origin, "GET", &with_state, &[("Host", "evil.example.com")], "");
    assert_eq!(rebound.0, 403);
    // It listens on loopback only.
    let listening =
        std::fs::read_to_string("/proc/net/tcp").unwrap() + &std::fs::read_to_string("/proc/net/tcp6").unwrap();
    let ours = format!(":{port:04X} ");
    let bound: Vec<&str> = listening
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let local = words.nth(1)?;
            (format!("{local} ").ends_with(&ours) && words.nth(1) == Some("0A")).then_some(local)
        })
        .collect();
    assert!(!bound.is_empty());
    for local in bound {
        let address = local.split(':').next().unwrap();
        assert!(address == "0100007F" || address == "00000000000000000000000001000000", "{local}");
    }
    let (status, page) = login.choose(&sandbox, &ticked(&[PAGE_ID]), "continue");
    assert_eq!(status, 200);
    assert!(!page.contains(&state) && !page.contains("code=") && !page.contains("AQD"), "{page}");
    login.end().code(0);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "it is gone");
}

#[test]
fn a_fault_at_each_step_changes_nothing_and_says_what_to_do() {
    let drop = Fault { drop: true, ..Fault::default() };
    let coded = |code, subcode| Fault { code: Some(code), subcode, ..Fault::default() };
    let cases = [
        ("/oauth/access_token", drop.clone(), 5, "unreachable"),
        ("/oauth/access_token", coded(100, Some(36_009)), 1, "code-used"),
        ("/oauth/access_token", coded(100, Some(36_007)), 1, "code-expired"),
        ("/oauth/access_token", coded(100, Some(36_008)), 1, "redirect-differs"),
        ("/oauth/access_token", coded(191, None), 1, "redirect-differs"),
        ("/oauth/access_token", coded(101, None), 4, "app-unknown"),
        ("/debug_token", drop.clone(), 5, "graph-trouble"),
        ("/me/accounts", drop, 5, "unreachable"),
        ("/me/accounts", coded(190, Some(460)), 4, "password-changed"),
    ];
    let sandbox = scenario(&format!("{FIVE}fresh_page_tokens = true\n"));
    let home = home(&sandbox);
    let old = sandbox.world().page_token(PAGE_ID).unwrap().value.clone();
    home.run_with(&["account", "add", "Ours", "--token-stdin"], &old).code(0);
    for (path, fault, code, wanted) in cases {
        let login = Login::start(&home, &["--json", "--yes", "--page", PAGE_ID]);
        sandbox.world().faults.push(Fault { path: Some(path.into()), ..fault });
        login.choose(&sandbox, &ticked(&[PAGE_ID]), "continue");
        let run = login.end();
        sandbox.world().faults.clear();
        let error = run.stderr.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
        let error = error.unwrap_or_else(|| panic!("{path}: {}", run.stderr));
        assert_eq!((run.code, error["error"]["cause"].as_str()), (code, Some(wanted)), "{path}: {error}");
        assert!(error["error"]["hint"].as_str().is_some_and(|hint| hint.len() > 10), "{error}");
        assert!(error["error"]["message"].as_str().unwrap().contains("no account was changed"), "{error}");
        let kept = home.run(&["secret", "reveal", "ours", "page-access-token"]);
        assert!(kept.stdout.contains(&old), "{path}: the account keeps its token");
    }
}

#[test]
fn a_login_that_gives_no_lasting_token_replaces_none() {
    let sandbox = scenario(&format!("{FIVE}fresh_page_tokens = true\n"));
    let home = home(&sandbox);
    let old = sandbox.world().page_token(PAGE_ID).unwrap().value.clone();
    home.run_with(&["account", "add", "Ours", "--token-stdin"], &old).code(0);
    let login = Login::start(&home, &["--page", PAGE_ID, "--yes"]);
    // The code is exchanged; the exchange for a token that lasts is the next call of the address.
    let html = login.dialog(&sandbox).page();
    let Shown::Redirect(url) = submit(&sandbox.url(), &html, &ticked(&[PAGE_ID]), "continue") else { panic!("a page") };
    sandbox.world().rules.latency = Duration::from_millis(150);
    let coming = std::thread::spawn(move || back(&url));
    let start = Instant::now();
    while !paths(&sandbox).iter().any(|path| path.ends_with("/oauth/access_token")) {
        assert!(start.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(2));
    }
    let refused = Fault { code: Some(100), path: Some("/oauth/access_token".into()), ..Fault::default() };
    sandbox.world().faults.push(refused);
    coming.join().unwrap();
    login.end().code(1).says(&["Meta refused the call", "no account was changed"]);
    assert!(home.run(&["secret", "reveal", "ours", "page-access-token"]).stdout.contains(&old));
}

#[test]
fn a_login_takes_away_a_kept_token_that_is_not_the_new_ones() {
    let sandbox = scenario(&format!("{FIVE}fresh_page_tokens = true\n"));
    let home = home(&sandbox);
    for (more, kept, life) in [
        (&["--system-user"][..], true, "page-of-system-user-60-days"),
        (&["--system-user", "--never-expires"], false, "page-of-system-user"),
        (&["--keep-user-token"], true, "page-of-long-user"),
        (&[], false, "page-of-long-user"),
    ] {
        let login = Login::start(&home, &[&["--page", PAGE_ID, "--yes"], more].concat());
        login.choose(&sandbox, &ticked(&[PAGE_ID]), "continue");
        login.end().code(0);
        let shown = home.run(&["account", "show", "acme-support", "--json"]).json();
        let secrets = shown["account"]["secrets"].as_array().unwrap();
        assert_eq!(secrets.iter().any(|one| one["kind"] == "user_access_token"), kept, "{more:?}");
        assert_eq!(shown["token_life"], life, "{more:?}");
        let renewed = home.run(&["account", "renew", "acme-support", "--within", "20d", "--json"]).code(0).json();
        let outcome = renewed["results"][0]["outcome"].as_str().unwrap();
        assert!(outcome == "not-due" || outcome == "unchanged", "{more:?}: {renewed}");
        home.run(&["account", "test", "acme-support"]).code(0);
        let shown = home.run(&["account", "show", "acme-support", "--json"]).json();
        assert_eq!(shown["token_life"], life, "a test finds the same: {more:?}");
    }
}

#[test]
fn accounts_of_other_tenants_are_told_too() {
    let sandbox = scenario(FIVE);
    let home = home(&sandbox);
    let login = Login::start(&home, &["--page", PAGE_ID, "--yes"]);
    login.choose(&sandbox, &ticked(&[PAGE_ID]), "continue");
    login.end().code(0);
    home.run(&["tenant", "add", "two", "--host", "two.example.com", "--app-id", &app(&sandbox).0]).code(0);
    let login = Login::start(&home, &["--tenant", "two", "--page", SECOND, "--yes", "--json"]);
    login.choose(&sandbox, &ticked(&[SECOND]), "continue");
    let run = login.end().code(0);
    assert_eq!(run.json()["lost"], json!(["acme-support"]));
    run.says(&[
        "or their tokens stop working: Acme Support",
        "'acme-support' of tenant 'default', whose token does not work now",
    ]);
}

#[test]
fn a_wrong_app_and_no_network_are_told_before_the_browser_opens() {
    let sandbox = scenario(FIVE);
    let home = home(&sandbox).with("MSGRCTL_APP_SECRET", "ffffffffffffffffffffffffffffffff");
    let login = ["login", "--no-browser", "--page", PAGE_ID, "--yes"];
    let run = home.run(&login).code(4);
    assert!(run.stdout.is_empty(), "no address is printed: {}", run.stdout);
    run.says(&["app secret"]);
    home.run(&[&login[..], &["--app-id", "999999999999999"]].concat()).code(4).says(&["app id"]);
    let home = home.with("MSGRCTL_GRAPH_URL", "http://127.0.0.1:1");
    home.run(&login).code(5).says(&["Graph did not answer"]);
}

#[test]
fn a_kill_while_it_waits_or_saves_leaves_the_old_token_or_the_new_one() {
    let sandbox = scenario(&format!("{FIVE}fresh_page_tokens = true\n"));
    let home = home(&sandbox);
    let old = sandbox.world().page_token(PAGE_ID).unwrap().value.clone();
    home.run_with(&["account", "add", "Ours", "--token-stdin"], &old).code(0);
    for delay in [0, 20, 60, 120, 200, 320] {
        let mut login = Login::start(&home, &["--page", PAGE_ID, "--yes"]);
        login.choose(&sandbox, &ticked(&[PAGE_ID]), "continue");
        std::thread::sleep(Duration::from_millis(delay));
        login.child.kill().unwrap();
        login.child.wait().unwrap();
        home.run(&["account", "test", "ours"]).code(0);
    }
}

#[test]
fn the_address_can_be_pasted() {
    let sandbox = scenario("version = 1\npage_count = 2\napp_mode = \"live\"\n");
    let redirect = "https://www.facebook.com/connect/login_success.html";
    sandbox.world().apps[0].redirect_uris = vec![redirect.into()];
    let home = home(&sandbox);
    // In Live mode the way back to this machine is blocked.
    let login = Login::start(&home, &["--page", PAGE_ID, "--yes"]);
    assert!(login.dialog(&sandbox).page().contains("URL Blocked"));
    drop(login);
    let pasting = |pasted: &dyn Fn(&str) -> String| {
        let mut login = Login::with_stdin(&home, &["--paste", "--page", PAGE_ID, "--yes"], Stdio::piped());
        let text = pasted(login.address.as_str());
        login.child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        login.end()
    };
    let ended = |address: &str| {
        let url: Url = address.parse().unwrap();
        let html = step(&sandbox.url(), "GET", &format!("{}?{}", url.path(), url.query().unwrap()), "").page();
        match submit(&sandbox.url(), &html, &ticked(&[PAGE_ID]), "continue") {
            Shown::Redirect(url) => url.to_string(),
            Shown::Page { status, html } => panic!("{status} {html}"),
        }
    };
    pasting(&|_| "https://example.com/\n".to_owned()).code(2).says(&["no address with Meta's answer", "code="]);
    pasting(&|_| format!("{redirect}?code=AQDx&state=other\n")).code(1).says(&["belongs to another login"]);
    pasting(&|address| format!("  {}\n", ended(address))).code(0).shows(&["added as 'acme-support'"]);
}

#[test]
fn a_business_login_asks_for_its_configuration() {
    let sandbox = scenario(
        "version = 1\npage_count = 2\n[[apps]]\nid = \"222222222222222\"\nsecret = \"0123456789abcdef0123456789abcdef\"\nname = \"Business\"\nlogin = \"business\"\n[[configurations]]\nid = \"77665544\"\npermissions = [\"pages_show_list\", \"pages_messaging\", \"pages_manage_metadata\", \"pages_read_engagement\"]\n",
    );
    let home = home(&sandbox);
    let login = Login::start(&home, &["--page", PAGE_ID, "--yes"]);
    assert!(login.dialog(&sandbox).page().contains("Invalid Scopes"));
    drop(login);
    let login = Login::start(&home, &["--config-id", "77665544", "--page", PAGE_ID, "--yes"]);
    assert_eq!(
        (login.parameter("config_id"), login.parameter("override_default_response_type")),
        ("77665544".into(), "true".into())
    );
    login.choose(&sandbox, &ticked(&[PAGE_ID]), "continue");
    login.end().code(0).shows(&["added as 'acme-support'"]);
}

#[test]
fn the_persons_token_is_kept_only_on_request() {
    let sandbox = scenario(FIVE);
    let home = home(&sandbox);
    for (page, keep) in [(PAGE_ID, false), (SECOND, true)] {
        let keeps: &[&str] = if keep { &["--keep-user-token"] } else { &[] };
        let login = Login::start(&home, &[&["--page", page, "--yes"], keeps].concat());
        login.choose(&sandbox, &ticked(&[PAGE_ID, SECOND]), "continue");
        login.end().code(0);
        let handle = if keep { "acme-support-2" } else { "acme-support" };
        let shown = home.run(&["account", "show", handle, "--json"]).json();
        let kinds =
            shown["account"]["secrets"].as_array().unwrap().iter().any(|one| one["kind"] == "user_access_token");
        assert_eq!(kinds, keep);
    }
}

#[test]
fn no_run_shows_a_code_a_state_or_a_token() {
    let sandbox = scenario(&format!("{FIVE}fresh_page_tokens = true\n"));
    let home = home(&sandbox);
    let secret = app(&sandbox).1;
    for refused in [true, false] {
        let login = Login::start(&home, &["--all-pages", "--keep-user-token", "--yes", "-vvv"]);
        if refused {
            let fault = Fault { code: Some(100), times: Some(1), ..Fault::default() };
            sandbox.world().faults.push(Fault { path: Some("/oauth/access_token".into()), ..fault });
        }
        let state = login.parameter("state");
        let html = login.dialog(&sandbox).page();
        let Shown::Redirect(url) = submit(&sandbox.url(), &html, &[("pages", "all")], "continue") else {
            panic!("a page")
        };
        let code = url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        let (_, page) = back(&url);
        let run = login.end();
        assert_eq!(run.code, i32::from(refused), "{}", run.stderr);
        let mut hidden = vec![code, secret.clone()];
        hidden.extend(sandbox.world().tokens.iter().map(|token| token.value.clone()));
        let files = everything_below(home.root());
        for hidden in &hidden {
            for (what, text) in [("standard output", &run.stdout), ("standard error", &run.stderr), ("the page", &page)]
            {
                assert!(!text.contains(hidden.as_str()), "{what} shows {hidden}: {text}");
            }
            assert!(!files.contains(hidden.as_str()), "a file has {hidden}");
        }
        assert!(!run.stderr.contains(&state) && !page.contains(&state));
        assert_eq!(run.stdout.matches(&state).count(), 1, "only in the dialog's address");
        let called = home.run(&["sandbox", "calls", "--last", "200"]).stdout;
        assert!(hidden.iter().chain([&state]).all(|hidden| !called.contains(hidden.as_str())), "{called}");
    }
}

/// The text of all files, but for what the test itself wrote.
fn everything_below(dir: &std::path::Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            all += &everything_below(&entry.path());
        } else if !entry.path().ends_with("login.out") {
            all += &String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap_or_default());
        }
    }
    all
}

#[test]
fn texts_from_meta_come_out_as_text() {
    let sandbox = scenario(FIVE);
    let home = home(&sandbox).with("MSGRCTL_GRAPH_URL", &front(&sandbox.url(), Taint::Texts));
    let login = Login::start(&home, &["--all-pages", "--yes"]);
    login.choose(&sandbox, &ticked(&[PAGE_ID, SECOND]), "continue");
    let run = login.end();
    assert_clean("login", &(run.stdout + &run.stderr), false);
    let login = Login::start(&home, &["--all-pages", "--yes"]);
    let state = login.parameter("state");
    let mut url: Url = login.parameter("redirect_uri").parse().unwrap();
    url.set_query(Some(&format!(
        "error_code=1&error_message=%1b%5B31m<b>EAAsecretsecretsecretsecret%0A::error::&state={state}"
    )));
    let (_, page) = back(&url);
    assert!(!page.contains("<b>") && !page.contains("EAAsecret"), "{page}");
    let run = login.end().code(1);
    assert_clean("login", &run.stderr, false);
    assert!(run.stderr.contains("meta says: ") && !run.stderr.contains("EAAsecret"), "{}", run.stderr);
}

#[test]
fn what_is_missing_is_said_before_the_browser_opens() {
    let sandbox = scenario(FIVE);
    let mut home = home(&sandbox);
    home.run(&["login"]).code(2).says(&["missing: Pages to connect", "--page ID", "--all-pages"]);
    home.run(&["login", "--all-pages"]).code(2).says(&["--yes"]);
    home.run(&["login", "--page", "acme", "--yes"]).code(2).says(&["page id"]);
    home.run(&["login", "--page", PAGE_ID, "--config-id", "x"]).code(2).says(&["configuration id", "Configurations"]);
    home.run(&["login", "--page", PAGE_ID, "--redirect-uri", "nonsense"]).code(2).says(&["Valid OAuth Redirect URIs"]);
    home.run(&["login", "--page", PAGE_ID, "--redirect-uri", "https://example.com/x"])
        .code(2)
        .says(&["--listen", "--paste"]);
    home.run(&["login", "--page", PAGE_ID, "--listen", "0.0.0.0:80"]).code(2).says(&["localhost:8400"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("localhost:{}", taken.local_addr().unwrap().port());
    home.run(&["login", "--page", PAGE_ID, "--listen", &at])
        .code(1)
        .says(&["cannot listen on localhost", "--listen localhost:0"]);
    home.run(&["login", "--page", PAGE_ID, "--store", "env"])
        .code(2)
        .says(&["the env store is read-only", "--store keyring, file or vault"]);
    home.run(&["login", "--page", PAGE_ID, "--store", "keyring"]).code(6).says(&["keyring"]);
    home.unset("MSGRCTL_APP_SECRET");
    home.run(&["login", "--page", PAGE_ID]).code(2).says(&["missing: app secret", "MSGRCTL_APP_SECRET"]);
    assert!(paths(&sandbox).is_empty(), "nothing was sent");
}

/// A login on a terminal whose "browser" writes down the address.
fn on_a_terminal(sandbox: &InProcess, home: &Home, arguments: &[&str], choices: &[(&str, &str)]) -> Pty {
    let told = home.path("told");
    let _ = std::fs::remove_file(&told);
    let browser = home.file("browser.sh", format!("printf %s \"$1\" > {0}.part; mv {0}.part {0}\n", told.display()));
    let mut command = home.msgrctl(arguments);
    command.env("BROWSER", format!("sh {}", browser.display()));
    let mut pty = Pty::start(&command, 100);
    pty.expect("has opened in the browser");
    let start = Instant::now();
    while !told.exists() {
        assert!(start.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(10));
    }
    let url: Url = std::fs::read_to_string(&told).unwrap().parse().unwrap();
    let html = step(&sandbox.url(), "GET", &format!("{}?{}", url.path(), url.query().unwrap()), "").page();
    if !choices.is_empty() {
        match submit(&sandbox.url(), &html, choices, "continue") {
            Shown::Redirect(url) => drop(back(&url)),
            Shown::Page { status, html } => panic!("{status} {html}"),
        }
    }
    pty
}

#[test]
fn on_a_terminal_pages_are_ticked_in_a_list() {
    let sandbox = scenario(FIVE);
    let home = home(&sandbox);
    let all: Vec<(&str, &str)> = vec![("pages", "all")];
    // Nothing is ticked: Esc leaves.
    let mut pty = on_a_terminal(&sandbox, &home, &["login"], &all);
    answer(&mut pty, &[("? Pages to connect", ESC)]);
    let (screen, code) = pty.end();
    assert!(code == 1 && screen.contains("no Page was chosen"), "{code} {screen}");
    // The third and the fourth, found by typing a part of the id.
    let mut pty = on_a_terminal(&sandbox, &home, &["login"], &all);
    answer(&mut pty, &[("? Pages to connect", "10989 "), ("[x]", "\u{15}10990 "), ("[x]", ENTER), ("2 chosen", "")]);
    let (screen, code) = pty.end();
    assert!(
        code == 0 && screen.contains("added as 'acme-support-3'") && screen.contains("added as 'acme-support-4'"),
        "{screen}"
    );
    // Known ones say so, and a new token is confirmed.
    let mut pty = on_a_terminal(&sandbox, &home, &["login"], &all);
    answer(
        &mut pty,
        &[
            ("connected: acme-support-3", ""),
            ("acme-support-4", "10989\r"),
            ("Replace the page access token of 'acme-support-3'?", "n\r"),
        ],
    );
    let (screen, code) = pty.end();
    assert!(code == 1 && screen.contains("not confirmed"), "{code} {screen}");
    // Ctrl-C while the browser is away.
    let mut pty = on_a_terminal(&sandbox, &home, &["login"], &[]);
    pty.expect("waiting for the browser");
    pty.send(CTRL_C);
    assert_eq!(pty.end().1, 130);
}

#[test]
fn the_wizard_offers_a_login_first() {
    let sandbox = scenario(FIVE);
    let home = home(&sandbox);
    let told = home.path("told");
    let browser = home.file("browser.sh", format!("printf %s \"$1\" > {0}.part; mv {0}.part {0}\n", told.display()));
    let mut command = home.msgrctl(&["account", "add"]);
    command.env("BROWSER", format!("sh {}", browser.display()));
    let mut pty = Pty::start(&command, 100);
    answer(
        &mut pty,
        &[("? How to get the token", ENTER), ("? Configuration id", ENTER), ("has opened in the browser", "")],
    );
    while !told.exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let url: Url = std::fs::read_to_string(&told).unwrap().parse().unwrap();
    let html = step(&sandbox.url(), "GET", &format!("{}?{}", url.path(), url.query().unwrap()), "").page();
    let Shown::Redirect(url) = submit(&sandbox.url(), &html, &[("pages", "all")], "continue") else { panic!("a page") };
    back(&url);
    answer(
        &mut pty,
        &[
            ("5 Pages behind it", ""),
            ("They fit", ""),
            ("to search", "10988\r"),
            ("? Callback URL", ENTER),
            ("Save it", ENTER),
        ],
    );
    let (screen, code) = pty.end();
    assert!(code == 0 && screen.contains("saved 'Acme Support 2'"), "{code} {screen}");
    // Over ssh: the address goes to another browser, and comes back pasted.
    let mut pty = Pty::start(&home.msgrctl(&["account", "add"]), 500);
    answer(&mut pty, &[("? How to get the token", "\u{1b}[A\r"), ("? Configuration id", ENTER)]);
    let shown = pty.expect("After the login the browser ends at");
    let address = shown.lines().find(|line| line.starts_with("http")).expect("the address");
    let url: Url = address.trim().parse().unwrap();
    let html = step(&sandbox.url(), "GET", &format!("{}?{}", url.path(), url.query().unwrap()), "").page();
    let Shown::Redirect(url) = submit(&sandbox.url(), &html, &[("pages", "all")], "continue") else { panic!("a page") };
    answer(&mut pty, &[("? Paste the address (not shown)", &format!("{url}\r")), ("5 Pages behind it", CTRL_C)]);
    assert_eq!(pty.end().1, 130);
}

/// A login whose browser is chromium: the dialog, the way back, and the page it ends at.
#[test]
fn a_real_browser_goes_the_whole_way() {
    let Some(mut browser) = Browser::start() else { return };
    let sandbox = scenario(FIVE);
    let home = home(&sandbox);
    browser.width(360);
    let wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
    let click = |at: &str| format!("document.querySelector('[name=page][value=\"{at}\"]').click()");
    let press =
        |action: &str| format!("setTimeout(() => document.querySelector('[name=action][value={action}]').click()); 0");

    // Two of five Pages.
    let login = Login::start(&home, &["--all-pages", "--yes"]);
    browser.visit(login.address.as_str());
    assert_eq!(browser.eval("document.querySelectorAll('[name=page]').length"), 5);
    assert_eq!(browser.eval(wide), true, "the dialog fits 360 pixels");
    browser.eval(&click(PAGE_ID));
    browser.eval(&click(SECOND));
    browser.goes_on(&press("continue"));
    let address = browser.eval("location.href").as_str().unwrap().to_owned();
    assert!(address.starts_with("http://localhost:") && address.contains("/done"), "{address}");
    assert!(!address.contains("code") && !address.contains("state") && !address.contains("_=_"), "{address}");
    let text = browser.eval("document.body.innerText").as_str().unwrap().to_owned();
    assert!(text.contains("Meta has answered") && text.contains("You can close this window"), "{text}");
    assert_eq!(browser.eval(wide), true, "the page fits 360 pixels");
    assert!(browser.console().is_empty(), "{:?}", browser.console());
    let entries = browser.ask("Page.getNavigationHistory", &json!({}));
    assert!(!entries.to_string().contains("code=AQD"), "the code is in no address of the history: {entries}");
    login.end().code(0).shows(&["added as 'acme-support'", "added as 'acme-support-2'"]);
    home.run(&["account", "test", "--all"]).code(0);

    // Cancelled.
    let login = Login::start(&home, &["--all-pages", "--yes"]);
    browser.visit(login.address.as_str());
    browser.goes_on(&press("cancel"));
    let text = browser.eval("document.body.innerText").as_str().unwrap().to_owned();
    assert!(text.contains("The login was not completed") && text.contains("cancelled"), "{text}");
    login.end().code(1);

    // A second login with other Pages and a declined permission: the first account loses its token.
    let login = Login::start(&home, &["--all-pages", "--yes"]);
    browser.visit(login.address.as_str());
    browser.eval(&click(PAGE_ID));
    browser.goes_on(&press("continue"));
    login.end().code(0).says(&["does not reach the Page of 'acme-support'"]);
    home.run(&["account", "test", "acme-support"]).code(7).shows(&["a later login"]);
    let login = Login::start(&home, &["--page", SECOND, "--yes"]);
    browser.visit(login.address.as_str());
    browser.eval("document.querySelector('[name=permission][value=pages_messaging]').click()");
    browser.goes_on(&press("continue"));
    login.end().code(7).says(&["did not grant pages_messaging"]);

    // The way back is not the app's.
    let live = scenario("version = 1\napp_mode = \"live\"\n");
    let login = Login::start(&self::home(&live), &["--all-pages", "--yes"]);
    browser.visit(login.address.as_str());
    assert!(browser.eval("document.body.innerText").as_str().unwrap().contains("URL Blocked"));
}

#[test]
fn an_administrator_sets_up_a_system_user() {
    let sandbox = scenario(&format!("{FIVE}fresh_page_tokens = true\n"));
    let home = home(&sandbox);
    let every = ["--page", PAGE_ID, SECOND, "--system-user", "--yes"];
    let login = Login::start(&home, &every);
    assert!(login.parameter("scope").ends_with(",business_management"));
    login.choose(&sandbox, &ticked(&[PAGE_ID, SECOND]), "continue");
    let run = login.end().code(0);
    run.says(&[
        "create the system user 'msgrctl'",
        "cannot be deleted later",
        "assign Page 109876543210987",
        "60 days",
    ]);
    let shown = home.run(&["account", "show", "acme-support", "--json"]).json();
    let kept = shown["account"]["secrets"].as_array().unwrap().iter().any(|one| one["kind"] == "user_access_token");
    assert!(kept, "a token of 60 days is kept to be renewed: {shown}");
    let tested = home.run(&["account", "test", "--all", "--json"]).code(0).json();
    assert_eq!(tested["results"].as_array().unwrap().len(), 2, "{tested}");
    // Again, for another Page: the same system user, a token without an end.
    let login =
        Login::start(&home, &["--page", PAGE_ID, "109876543210989", "--system-user", "--never-expires", "--yes"]);
    login.choose(&sandbox, &ticked(&[PAGE_ID, SECOND, "109876543210989"]), "continue");
    login.end().code(0).says(&["use the system user 'msgrctl'", "without an end"]);
    home.run(&["account", "test", "acme-support-3"]).code(0);
    // The person's password changes nothing for it.
    for token in sandbox.world().tokens.iter_mut().filter(|token| token.kind == TokenKind::User) {
        token.state = TokenState::PasswordChanged;
    }
    home.run(&["account", "test", "--all"]).code(0);
    home.run(&["login", "--page", PAGE_ID, "--system-user"]).code(2).says(&["--yes"]);
    home.run(&["login", "--page", PAGE_ID, "--business", "5"]).code(2).says(&["--system-user"]);
}
