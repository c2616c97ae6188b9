//! The emulator as its users see it: `sandbox start`, `sandbox calls`, and its
//! answers over a plain socket.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use msgrctl::sandbox::InProcess;
use serde_json::Value;

use crate::support::Home;
use crate::support::world::{acme, app, page_token, sandbox, scenario};

/// A request over a plain socket; status, headers and body as they came.
pub fn ask(url: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String, String) {
    let (status, head, body) = ask_literally(url, method, path, headers, body);
    (status, head.to_lowercase(), body)
}

/// The same with the case of the headers' values.
pub fn ask_literally(
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String, String) {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    write!(request, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), body.to_owned())
}

fn get(sandbox: &InProcess, path: &str, token: &str) -> (u16, Value) {
    let header = format!("Bearer {token}");
    let (status, _, body) = ask(&sandbox.url(), "GET", path, &[("Authorization", &header)], "");
    (status, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}")))
}

#[track_caller]
fn assert_refused((status, body): (u16, Value), expected: u16, code: i64) {
    assert_eq!((status, body["error"]["code"].as_i64()), (expected, Some(code)), "{body}");
}

#[test]
fn me_is_the_page_or_the_person() {
    let sandbox = sandbox();
    let token = page_token(&sandbox);
    let (status, body) = get(&sandbox, "/v26.0/me", &token);
    assert_eq!((status, body.to_string().as_str()), (200, r#"{"name":"Acme Support","id":"109876543210987"}"#));
    let (_, body) = get(&sandbox, "/v26.0/me?fields=is_published,username,id", &token);
    assert_eq!(body.to_string(), r#"{"is_published":true,"username":"acme.support","id":"109876543210987"}"#);
    let user = sandbox.world().user_token().unwrap().value.clone();
    assert_eq!(get(&sandbox, "/me", &user).1["name"], "Ada Example");
    assert_refused(get(&sandbox, "/me?fields=is_published", &user), 400, 100);
    assert_refused(get(&sandbox, "/me?fields=nonsense", &token), 400, 100);
    let (id, secret) = app(&sandbox);
    assert_refused(get(&sandbox, "/me", &format!("{id}|{secret}")), 400, 2500);
    let (status, _, body) = ask(&sandbox.url(), "GET", "/me", &[], "");
    assert_refused((status, serde_json::from_str(&body).unwrap()), 400, 2500);
}

#[test]
fn nodes_are_found_by_id_and_alias() {
    let sandbox = sandbox();
    let token = page_token(&sandbox);
    for node in ["109876543210987", "acme.support", "AcmeSupport"] {
        assert_eq!(get(&sandbox, &format!("/{node}"), &token).1["id"], "109876543210987");
    }
    assert_refused(get(&sandbox, "/no.such.page", &token), 400, 803);
    let (status, body) = get(&sandbox, "/55555", &token);
    assert_eq!(body["error"]["error_subcode"], 33);
    assert_refused((status, body), 400, 100);
}

#[test]
fn tokens_are_taken_from_query_body_and_header() {
    let sandbox = sandbox();
    let token = page_token(&sandbox);
    let (status, ..) = ask(&sandbox.url(), "GET", &format!("/me?access_token={token}"), &[], "");
    assert_eq!(status, 200);
    let oauth = format!("OAuth {token}");
    assert_eq!(ask(&sandbox.url(), "GET", "/me", &[("Authorization", &oauth)], "").0, 200);
    let body = format!("access_token={token}&subscribed_fields=messages");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    assert_eq!(ask(&sandbox.url(), "POST", "/me/subscribed_apps", &form, &body).2, r#"{"success":true}"#);
    // 190 is 401 from a header and 400 from a parameter.
    assert_refused(get(&sandbox, "/me", "EAAunknown"), 401, 190);
    let (status, ..) = ask(&sandbox.url(), "GET", "/me?access_token=EAAunknown", &[], "");
    assert_eq!(status, 400);
}

#[test]
fn versions_are_served_as_meta_serves_them() {
    let on = |day: &str, all: &[(&str, &str)]| {
        let sandbox = scenario(&format!("version = 1\ntoday = \"{day}T12:00:00Z\"\n"));
        let bearer = format!("Bearer {}", page_token(&sandbox));
        for (path, served) in all {
            let (status, head, _) = ask(&sandbox.url(), "GET", path, &[("Authorization", &bearer)], "");
            assert_eq!(status, if *served == "none" { 400 } else { 200 }, "{day} {path}");
            assert!(*served == "none" || head.contains(&format!("facebook-api-version: {served}")), "{path}: {head}");
        }
    };
    let oldest = [("/v22.0/me", "v22.0"), ("/v18.0/me", "v21.0"), ("/me", "v21.0")];
    on("2026-11-28", &oldest);
    on("2026-11-28", &[("/v27.0/me", "v27.0"), ("/v26.0/me", "v26.0")]);
    on("2026-11-03", &[("/v27.0/me", "none"), ("/v26.0/me", "v26.0")]);
    on("2027-01-21", &[("/me", "v22.0"), ("/v21.0/me", "v22.0")]);
    let sandbox = sandbox();
    let (status, _, body) = ask(&sandbox.url(), "GET", "/v99.0/me", &[], "");
    assert!(body.contains(r"Unknown path components: \/me"), "{body}");
    assert_eq!(status, 400);
}

#[test]
fn answers_have_graphs_headers_and_escapes() {
    let sandbox =
        scenario("version = 1\n[[pages]]\nid = '12345'\nname = 'Café <日本>'\ntoken = 'EAAx'\nusername = 'a.page'\n");
    let (_, head, body) = ask(&sandbox.url(), "GET", "/me?fields=name,link&access_token=EAAx", &[], "");
    assert_eq!(
        body,
        r#"{"name":"Caf\u00e9 \u003C\u65e5\u672c>","link":"https:\/\/www.facebook.com\/a.page\/","id":"12345"}"#
    );
    assert!(!head.contains("etag"), "gone since 27 October 2026: {head}");
    for name in ["x-fb-request-id: a", "x-fb-trace-id:", "x-fb-rev:", "cache-control: private, no-cache"] {
        assert!(head.contains(name), "{head}");
    }
    let (_, head, body) = ask(&sandbox.url(), "GET", "/me?access_token=EAAy", &[], "");
    let value: Value = serde_json::from_str(&body).unwrap();
    let trace = value["error"]["fbtrace_id"].as_str().unwrap().to_lowercase();
    assert!(head.contains(&format!("x-fb-request-id: {trace}")), "{head}");
    assert!(head.contains("www-authenticate: oauth \"facebook platform\" \"invalid_token\""), "{head}");
    assert!(head.contains("cache-control: no-store") && !head.contains("etag"), "{head}");
}

#[test]
fn pages_of_a_person_come_page_by_page() {
    let sandbox = InProcess::start(msgrctl::sandbox::World::with_pages(60, msgrctl::clock::Clock::system())).unwrap();
    let user = sandbox.world().user_token().unwrap().value.clone();
    let mut after = String::new();
    let mut seen = Vec::new();
    loop {
        let (_, body) =
            get(&sandbox, &format!("/v26.0/me/accounts?fields=id,name,access_token,tasks&summary=1{after}"), &user);
        assert_eq!(body["summary"]["total_count"], 60);
        for row in body["data"].as_array().unwrap() {
            seen.push(row["id"].as_str().unwrap().to_owned());
            assert_eq!(get(&sandbox, "/me", row["access_token"].as_str().unwrap()).1["id"], row["id"]);
        }
        let Some(next) = body["paging"]["next"].as_str() else { break };
        assert!(next.starts_with(&format!("{}/v26.0/", sandbox.url())) && next.contains("access_token="), "{next}");
        after = format!("&after={}", body["paging"]["cursors"]["after"].as_str().unwrap());
    }
    seen.dedup();
    assert_eq!(seen.len(), 60);
    assert_refused(get(&sandbox, "/me/accounts", &page_token(&sandbox)), 400, 100);
}

#[test]
fn a_person_reads_the_token_of_a_page_at_the_page() {
    let sandbox = sandbox();
    let user = sandbox.world().user_token().unwrap().value.clone();
    let (_, body) = get(&sandbox, "/109876543210987?fields=access_token", &user);
    assert_eq!(body["access_token"], page_token(&sandbox).as_str());
}

#[test]
fn the_page_before_ends_where_its_cursor_stands() {
    let sandbox = InProcess::start(msgrctl::sandbox::World::with_pages(12, msgrctl::clock::Clock::system())).unwrap();
    let user = sandbox.world().user_token().unwrap().value.clone();
    let (_, first) = get(&sandbox, "/me/accounts?limit=5", &user);
    let after = first["paging"]["cursors"]["after"].as_str().unwrap();
    let (_, second) = get(&sandbox, &format!("/me/accounts?limit=5&after={after}"), &user);
    let before = second["paging"]["cursors"]["before"].as_str().unwrap();
    for limit in [5, 10] {
        let (_, back) = get(&sandbox, &format!("/me/accounts?limit={limit}&before={before}"), &user);
        assert_eq!(back["data"], first["data"]);
    }
}

#[test]
fn tokens_are_exchanged_and_page_tokens_inherit_their_end() {
    let sandbox = scenario(
        "version = 1\n[[pages]]\nid = '12345'\nname = 'A'\ntoken = 'EAAx'\n[[users]]\ntoken = 'EAAshort'\nexpires_in = '1h'\n",
    );
    let (id, secret) = app(&sandbox);
    let inspect = |token: &str| {
        get(&sandbox, &format!("/debug_token?input_token={token}"), &format!("{id}|{secret}")).1["data"].clone()
    };
    let row =
        |token: &str| get(&sandbox, "/me/accounts", token).1["data"][0]["access_token"].as_str().unwrap().to_owned();
    let short = row("EAAshort");
    assert!(inspect(&short)["expires_at"].as_i64().unwrap() > 0);
    let exchange = format!(
        "/oauth/access_token?grant_type=fb_exchange_token&client_id={id}&client_secret={secret}&fb_exchange_token=EAAshort"
    );
    let (status, _, body) = ask(&sandbox.url(), "GET", &exchange, &[], "");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["token_type"], &body["expires_in"]), (200, &"bearer".into(), &5_183_944.into()));
    let long = row(body["access_token"].as_str().unwrap());
    assert_eq!(inspect(&long)["expires_at"], 0);
    let wrong = exchange.replace(&secret, "wrong");
    let (status, _, body) = ask(&sandbox.url(), "GET", &wrong, &[], "");
    assert_refused((status, serde_json::from_str(&body).unwrap()), 400, 1);
    let unknown = exchange.replace(&id, "5");
    let (status, _, body) = ask(&sandbox.url(), "GET", &unknown, &[], "");
    assert_refused((status, serde_json::from_str(&body).unwrap()), 400, 101);
    let permissions = get(&sandbox, "/me/permissions", "EAAshort").1;
    assert_eq!(permissions["data"][0]["status"], "granted");
}

#[test]
fn subscriptions_are_written_replaced_and_removed() {
    let sandbox = sandbox();
    let token = page_token(&sandbox);
    let write = |method: &str, query: &str| {
        let bearer = format!("Bearer {token}");
        let (status, _, body) = ask(
            &sandbox.url(),
            method,
            &format!("/v26.0/109876543210987/subscribed_apps{query}"),
            &[("Authorization", &bearer)],
            "",
        );
        (status, serde_json::from_str::<Value>(&body).unwrap())
    };
    assert_eq!(write("POST", "?subscribed_fields=messages,%20feed").1["success"], true);
    let (_, body) = get(&sandbox, "/me/subscribed_apps", &token);
    assert_eq!(body["data"][0]["subscribed_fields"], serde_json::json!(["messages", "feed"]));
    assert_eq!(body["data"][0]["id"], "123456789012345");
    assert_refused(write("POST", ""), 400, 100);
    assert_refused(write("POST", "?subscribed_fields=mentions"), 400, 100);
    assert_eq!(write("DELETE", "").1["success"], true);
    assert_eq!(get(&sandbox, "/me/subscribed_apps", &token).1, serde_json::json!({"data": []}));
    let user = sandbox.world().user_token().unwrap().value.clone();
    assert_refused(get(&sandbox, "/109876543210987/subscribed_apps", &user), 403, 210);
    let (id, secret) = app(&sandbox);
    assert_refused(get(&sandbox, "/109876543210987/subscribed_apps", &format!("{id}|{secret}")), 400, 102);
}

#[test]
fn signatures_are_checked_in_both_forms() {
    let sandbox = scenario(
        "version = 1\ntoday = '2026-09-21T13:33:20Z'\n[[apps]]\nid = '123456789012345'\nsecret = '0123456789abcdef0123456789abcdef'\nname = 'A'\n\
         [[pages]]\nid = '12345'\nname = 'A'\ntoken = 'EAAEmulatorPageToken0001'\n",
    );
    let get = |query: &str| {
        let path = format!("/me?access_token=EAAEmulatorPageToken0001&{query}");
        ask(&sandbox.url(), "GET", &path, &[], "").0
    };
    // 1790000000 is 2026-09-21T14:13:20Z.
    let plain = "appsecret_proof=6c08079f74273a8246ba1a60fb368efe97470e7b8ba8353f275741d237268103";
    let timed =
        "appsecret_proof=fd584409fd6f3ae595caa621ce0e53470480a63e0e3ffa627cc1bbe65c0035b0&appsecret_time=1790000000";
    assert_eq!(get(plain), 200);
    assert_eq!(get(timed), 400, "40 minutes off");
    sandbox.world().clock.advance(jiff::SignedDuration::from_mins(38));
    assert_eq!(get(timed), 200, "2 minutes off");
    assert_eq!(get("appsecret_proof=00"), 400);
    assert_eq!(get(""), 200);
    sandbox.world().rules.require_app_secret = true;
    assert_eq!(get(""), 400);
}

#[test]
fn the_app_of_a_token_is_told() {
    let sandbox = sandbox();
    assert_eq!(get(&sandbox, "/app", &page_token(&sandbox)).1["id"], "123456789012345");
    let (id, secret) = app(&sandbox);
    assert_eq!(get(&sandbox, &format!("/{id}"), &format!("{id}|{secret}")).1["name"], "Example App");
    assert_refused(get(&sandbox, "/app", &format!("{id}|wrong")), 401, 190);
}

/// A sandbox as a process of its own.
struct Process {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Process {
    fn start(home: &Home, more: &[&str]) -> Self {
        let mut child = home
            .msgrctl(&[&["sandbox", "start"], more].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    fn signal(&mut self, name: &str) -> i32 {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
#[test]
fn start_prints_one_line_of_json_and_ends_on_signals() {
    let home = Home::new();
    for signal in ["-INT", "-TERM"] {
        let mut process = Process::start(&home, &["--json", "--pages", "3"]);
        let started: Value = serde_json::from_str(&process.line()).unwrap();
        assert_eq!(started["schema_version"], 1);
        assert_eq!(started["pages"].as_array().unwrap().len(), 3);
        assert_eq!(started["people"].as_array().unwrap().len(), 3);
        assert_eq!(started["people"][0]["page_id"], started["pages"][0]["id"]);
        let url = started["graph_url"].as_str().unwrap().to_owned();
        let token = started["pages"][0]["access_token"].as_str().unwrap();
        let (status, ..) = ask(&url, "GET", &format!("/me?access_token={token}"), &[], "");
        assert_eq!(status, 200);
        // A client that keeps its connection open does not hold the end up.
        let _idle = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        let start = Instant::now();
        assert_eq!(process.signal(signal), 0);
        assert!(start.elapsed() < Duration::from_millis(1900), "it waited for the 2 s that answers have");
    }
}

#[cfg(unix)]
#[test]
fn the_printed_exports_work_as_they_are_pasted() {
    let Some(bus) = crate::support::Bus::with_keyring() else { return };
    let home = Home::on(&bus);
    let mut process = Process::start(&home, &[]);
    let (url, token, user_token) = (process.line(), process.line(), process.line());
    assert!(user_token.starts_with("export USER_TOKEN=EAA"), "{user_token}");
    let binary = env!("CARGO_BIN_EXE_msgrctl");
    let script = format!(
        "{url}{token}printf %s \"$TOKEN\" | '{binary}' account add \"Acme\" --page-username acme.support --page-id 109876543210987 --token-stdin && '{binary}' sandbox calls"
    );
    let mut command = home.program("sh");
    command.args(["-c", &script]);
    let run = crate::support::Run::of(command, b"").code(0);
    run.shows(&[
        "saved 'Acme'",
        "GET    /v26.0/me?fields=id,name,username,is_published  [page Acme Support (header)]  200",
    ]);
}

#[test]
fn calls_are_told_and_hold_no_token() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    home.run(&["sandbox", "calls"]).code(0);
    home.run(&["account", "test", "acme"]).code(0);
    let run = home.run(&["sandbox", "calls", "--json"]).code(0);
    let calls = run.json()["calls"].as_array().unwrap().clone();
    assert_eq!(calls.len(), 4, "three, and the request that they came in");
    let debug = calls.iter().find(|call| call["path"] == "/v26.0/debug_token").unwrap();
    assert_eq!(debug["token"], "app 123456789012345 (parameter)");
    assert!(!run.stdout.contains("EAA"), "{run:?}");
    let home = Home::new();
    home.run(&["sandbox", "calls"]).code(2).says(&["--graph-url"]);
}

#[test]
fn wrong_starts_are_refused() {
    let home = Home::new();
    home.run(&["sandbox", "start", "--listen", "0.0.0.0:0"]).code(2).says(&["loopback only"]);
    home.run(&["sandbox", "start", "--scenario", "none.toml"]).code(2).says(&["none.toml"]);
    home.file("bad.toml", "version = 1\n[[pages]]\nid = '1'\nname = 'x'\ntoken_stat = 'expired'\n");
    home.run(&["sandbox", "start", "--scenario", "bad.toml"]).code(2).screen("sandbox-start-mistake");
    for (line, says, hint) in [
        (
            "token_state = 'exprired'",
            "'exprired' is not a valid token_state: expected valid, ",
            "did you mean 'expired'?",
        ),
        ("token_state = 5", "'token_state': expected one of valid, ", "correct the line"),
        ("published = 'yes'", "'published': expected true or false, not a text", "correct the line"),
        ("scopes = 'messages'", "'scopes': expected a list, not a text", "correct the line"),
        ("expires_in = 'soon'", "'soon' is not a length of time, such as ", "correct the line"),
        ("[[faults]]\ncode = 'x'", "'code': expected a whole number, not a text", "correct the line"),
        ("[[faults]]\nalways = true", "unknown key 'always'", "the keys here are "),
        ("[[pages]]\nid = '2'", "the key 'name' is missing", "correct the line"),
    ] {
        home.file("bad.toml", format!("version = 1\n[[pages]]\nid = '1'\nname = 'x'\n{line}\n"));
        let run = home.run(&["sandbox", "start", "--scenario", "bad.toml"]).code(2).says(&["bad.toml:", says, hint]);
        for foreign in ["variant", "invalid type", "missing field", "perhaps 'delay'"] {
            assert!(!run.stderr.contains(foreign), "{run:#?}");
        }
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    home.run(&["sandbox", "start", "--listen", &address]).code(1).says(&["cannot listen", "--listen"]);
}
