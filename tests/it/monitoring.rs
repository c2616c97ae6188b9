//! What other programs make of it: Prometheus, Nagios, systemd, a mail server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use msgrctl::sandbox::TokenState;
use serde_json::Value;

use crate::support::many::many;
use crate::support::world::{acme, sandbox};
use crate::support::{Home, has};

const PAGE: &str = "109876543210987";

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until something is there.
#[track_caller]
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(40);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What a program says of its input: whether it is content, and its words.
fn judged(program: &str, arguments: &[&str], input: &str) -> (bool, String) {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    (ended.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// A part as it is printed; its commands have Prometheus's placeholders.
fn part(home: &Home, name: &str) -> String {
    let printed = home.msgrctl(&["watch", "--print", name]).output().unwrap();
    assert!(printed.status.success());
    String::from_utf8(printed.stdout).unwrap()
}

#[test]
fn promtool_finds_nothing_in_the_metrics() {
    if !has("promtool", "prometheus") {
        return;
    }
    let (sandbox, home) = many(3);
    let id = sandbox.world().pages[1].id.clone();
    sandbox.world().page_token_mut(&id).unwrap().state = TokenState::Expired;
    let file = home.path("m.prom");
    home.run(&["watch", "--once", "--textfile", file.to_str().unwrap()]).code(7);
    let mut texts = vec![std::fs::read_to_string(&file).unwrap()];
    for (command, code) in
        [(&["account", "test", "--all"][..], 7), (&["webhook", "status", "--all"], 7), (&["doctor"], 0)]
    {
        let run = home.run(&[command, &["--format", "prometheus"]].concat());
        assert!(run.code == code || command[0] == "doctor", "{run:?}");
        texts.push(run.stdout);
    }
    for text in texts {
        assert!(text.lines().count() > 5, "{text}");
        let (content, said) = judged("promtool", &["check", "metrics"], &text);
        assert!(content, "{said}\n{text}");
    }
}

#[test]
fn the_alert_rules_are_right_and_fire_in_prometheus() {
    if !(has("promtool", "prometheus") && has("prometheus", "prometheus")) {
        return;
    }
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let rules = home.file("alerts.yml", part(&home, "alerts"));
    let promtool = |arguments: &[&str]| judged("promtool", arguments, "");
    let (content, said) = promtool(&["check", "rules", rules.to_str().unwrap()]);
    assert!(content, "{said}");
    // By promtool's clock.
    let test = home.file(
        "test.yml",
        "rule_files: [alerts.yml]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n      \
         - {series: 'msgrctl_build_info{version=\"1\"}', values: '1x300'}\n      \
         - {series: 'msgrctl_account_up{tenant=\"t\",account=\"a\"}', values: '1x10 0x300'}\n      \
         - {series: 'msgrctl_token_expiry_timestamp_seconds{tenant=\"t\",account=\"a\"}', values: '614800x300'}\n      \
         - {series: 'msgrctl_last_check_timestamp_seconds{tenant=\"t\",account=\"a\"}', values: '0x300'}\n    \
         alert_rule_test:\n      \
         - {eval_time: 5m, alertname: MsgrctlAccountDown, exp_alerts: []}\n      \
         - {eval_time: 5m, alertname: MsgrctlTokenEndsSoon, exp_alerts: []}\n      \
         - {eval_time: 5m, alertname: MsgrctlAbsent, exp_alerts: []}\n    \
         promql_expr_test:\n      \
         - {expr: 'count(ALERTS{alertname=\"MsgrctlAccountDown\",alertstate=\"firing\"})', eval_time: 20m, exp_samples: [{value: 1}]}\n      \
         - {expr: 'count(ALERTS{alertname=\"MsgrctlTokenEndsSoon\",alertstate=\"firing\"})', eval_time: 4h, exp_samples: [{value: 1}]}\n      \
         - {expr: 'count(ALERTS{alertname=\"MsgrctlNotTested\",alertstate=\"firing\"})', eval_time: 2h, exp_samples: [{value: 1}]}\n",
    );
    let (content, said) = promtool(&["test", "rules", test.to_str().unwrap()]);
    assert!(content, "{said}");

    // In Prometheus itself, while a token dies.
    let mut watch = home.msgrctl(&["watch", "--every", "1s", "--listen", "127.0.0.1:0", "--json"]);
    let mut watch = Running(watch.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut ready = String::new();
    let mut lines = BufReader::new(watch.0.stdout.take().unwrap());
    lines.read_line(&mut ready).unwrap();
    std::thread::spawn(move || lines.lines().map_while(Result::ok).for_each(drop));
    let ready: Value = serde_json::from_str(&ready).unwrap();
    let target = ready["url"].as_str().unwrap().trim_start_matches("http://").trim_end_matches("/metrics").to_owned();
    // The same rules, without the wait.
    let quick: Vec<String> =
        part(&home, "alerts").lines().filter(|line| !line.contains(" for: ")).map(str::to_owned).collect();
    home.file("quick.yml", quick.join("\n") + "\n");
    let config = home.file(
        "prometheus.yml",
        format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [quick.yml]\n\
             scrape_configs:\n  - job_name: msgrctl\n    static_configs: [{{targets: ['{target}']}}]\n"
        ),
    );
    let port = free_port();
    let mut prometheus = Command::new("prometheus");
    prometheus
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", home.path("tsdb").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let _prometheus = Running(prometheus.spawn().unwrap());
    let api = |path: &str| get(port, path);
    let alerts = || api("/api/v1/alerts").map(|found| found["data"]["alerts"].clone());
    wait_for("the first scrape", || {
        let found = api("/api/v1/query?query=msgrctl_account_up")?;
        (found["data"]["result"][0]["value"][1] == "1").then_some(())
    });
    let down = |all: &Value| all.as_array().unwrap().iter().any(|it| it["labels"]["alertname"] == "MsgrctlAccountDown");
    assert!(!down(&alerts().unwrap()));
    sandbox.world().page_token_mut(PAGE).unwrap().state = TokenState::Expired;
    let fired = wait_for("the alert", || {
        let all = alerts()?;
        let fires = |alert: &&Value| alert["labels"]["alertname"] == "MsgrctlAccountDown" && alert["state"] == "firing";
        all.as_array()?.iter().find(fires).cloned()
    });
    assert_eq!(fired["labels"]["account"], "acme");
    assert_eq!(
        fired["annotations"]["description"],
        "What is wrong and what to do: msgrctl account test acme --tenant default"
    );
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn get(port: u16, path: &str) -> Option<Value> {
    use std::io::Read as _;
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: x\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}

#[test]
fn a_plugin_knows_no_other_exit_codes_than_nagios() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, false);
    let plugin = |home: &Home, words: &[&str]| home.run(&[words, &["--format", "nagios"]].concat());
    let test = ["account", "test", "--all"];
    let run = plugin(&home, &test).code(0);
    assert!(run.stdout.starts_with("MSGR OK - 1 of 1 work | accounts=1;"), "{run:?}");
    sandbox.world().page_token_mut(PAGE).unwrap().state = TokenState::PasswordChanged;
    let run = plugin(&home, &test).code(2);
    let first = run.stdout.lines().next().unwrap();
    assert!(first.starts_with("MSGR CRITICAL - 1 of 1: acme password-changed (190/460)"), "{first}");
    assert!(run.stdout.contains("\nCRITICAL acme token.valid: "), "{run:?}");
    let run = plugin(&home, &["webhook", "status", "--all"]).code(2);
    assert!(run.stdout.starts_with("MSGR CRITICAL - 1 of 1: acme "), "{run:?}");
    // What is not known is UNKNOWN, whatever the reason.
    for words in [
        &["account", "test", "nobody"][..],
        &["account", "test", "--no-such-flag"],
        &["account", "test", "--all", "--json"],
    ] {
        let run = plugin(&home, words).code(3);
        assert!(run.stdout.starts_with("MSGR UNKNOWN - ") && run.stdout.lines().count() == 1, "{run:?}");
    }
    home.set("MSGRCTL_GRAPH_URL", "http://127.0.0.1:1");
    let run = plugin(&home, &test).code(3);
    assert!(run.stdout.starts_with("MSGR UNKNOWN - 1 of 1: acme unreachable"), "{run:?}");
    home.file("config/msgrctl/config.toml", "store = 7\n");
    assert!(plugin(&home, &test).code(3).stdout.starts_with("MSGR UNKNOWN - "));
    let run = plugin(&home, &["doctor"]);
    assert!([1, 2, 3].contains(&run.code) && run.stdout.starts_with("MSGR "), "{run:?}");
}

#[test]
fn nagios_takes_the_plugin() {
    if !has("nagios4", "nagios4-core") {
        return;
    }
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let dir = home.root().display().to_string();
    for below in ["results", "spool"] {
        std::fs::create_dir_all(home.path(below)).unwrap();
    }
    let plugin = format!("{} account test --all --format nagios", env!("CARGO_BIN_EXE_msgrctl"));
    let user = own_name();
    let config = home.file(
        "nagios.cfg",
        format!(
            "log_file={dir}/log\ncfg_file={dir}/objects.cfg\nobject_cache_file={dir}/cache\nprecached_object_file={dir}/pre\n\
             status_file={dir}/status.dat\nstatus_update_interval=1\nnagios_user={user}\nnagios_group={user}\ncommand_file={dir}/cmd\n\
             lock_file={dir}/pid\ntemp_file={dir}/tmp\ntemp_path={dir}/spool\ncheck_result_path={dir}/results\n\
             state_retention_file={dir}/retention\nquery_socket={dir}/nagios.qh\ncheck_external_commands=0\ninterval_length=1\n\
             enable_notifications=0\nuse_syslog=0\n"
        ),
    );
    home.file(
        "objects.cfg",
        format!(
            "define timeperiod {{\n timeperiod_name always\n alias always\n sunday 00:00-24:00\n monday 00:00-24:00\n tuesday 00:00-24:00\n \
             wednesday 00:00-24:00\n thursday 00:00-24:00\n friday 00:00-24:00\n saturday 00:00-24:00\n}}\n\
             define command {{\n command_name check\n command_line {plugin}\n}}\n\
             define contact {{\n contact_name ops\n host_notifications_enabled 0\n service_notifications_enabled 0\n \
             service_notification_period always\n host_notification_period always\n service_notification_options n\n \
             host_notification_options n\n service_notification_commands check\n host_notification_commands check\n}}\n\
             define host {{\n host_name h\n address 127.0.0.1\n max_check_attempts 1\n check_period always\n contacts ops\n \
             notification_interval 0\n notification_period always\n active_checks_enabled 0\n}}\n\
             define service {{\n host_name h\n service_description pages\n check_command check\n max_check_attempts 1\n check_interval 1\n \
             retry_interval 1\n check_period always\n contacts ops\n notification_interval 0\n notification_period always\n}}\n",
        ),
    );
    let (content, said) = judged("nagios4", &["-v", config.to_str().unwrap()], "");
    assert!(content, "{said}");
    // Plugins get its environment.
    let mut nagios = home.program("nagios4");
    nagios.arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
    let _nagios = Running(nagios.spawn().unwrap());
    let status = |key: &str| -> Option<String> {
        let text = std::fs::read_to_string(home.path("status.dat")).ok()?;
        let service = text.split("servicestatus {").nth(1)?;
        service.lines().find_map(|line| line.trim().strip_prefix(&format!("{key}="))).map(str::to_owned)
    };
    wait_for("an OK", || status("plugin_output").filter(|output| output.starts_with("MSGR OK")));
    sandbox.world().page_token_mut(PAGE).unwrap().state = TokenState::Expired;
    let output =
        wait_for("a CRITICAL", || status("plugin_output").filter(|output| output.starts_with("MSGR CRITICAL")));
    assert!(output.contains("acme expired"), "{output}");
    assert_eq!(status("current_state").as_deref(), Some("2"));
    assert!(status("performance_data").unwrap().starts_with("accounts=1;"), "{:?}", status("performance_data"));
    assert!(status("long_plugin_output").unwrap().contains("token.valid"), "{:?}", status("long_plugin_output"));
}

/// The name of who runs this.
fn own_name() -> String {
    let said = Command::new("id").arg("-un").output().unwrap().stdout;
    String::from_utf8(said).unwrap().trim().to_owned()
}

#[test]
fn systemd_takes_the_units() {
    if !has("systemd-analyze", "systemd") {
        return;
    }
    let home = Home::new();
    let text = part(&home, "systemd").replace("/usr/bin/msgrctl", env!("CARGO_BIN_EXE_msgrctl"));
    let mut paths = Vec::new();
    for unit in text.split("# ==> ").skip(1) {
        let (name, content) = unit.split_once(" <==\n").unwrap();
        paths.push(home.file(name, content));
    }
    assert_eq!(paths.len(), 3);
    let paths: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    let (content, said) = judged("systemd-analyze", &[&["verify"], &paths[..]].concat(), "");
    // It is content with a key that is misspelt, and only says so.
    assert!(content && said.trim().is_empty(), "{said}");
    for service in paths.iter().filter(|path| path.ends_with(".service")) {
        let (safe, said) = judged("systemd-analyze", &["security", "--offline=true", "--threshold=30", service], "");
        assert!(safe, "{said}");
    }
}

#[test]
fn the_other_parts_are_what_they_say() {
    let home = Home::new();
    let dashboard: Value = serde_json::from_str(&part(&home, "grafana")).unwrap();
    let text = dashboard.to_string();
    // Every metric that a part asks for is one.
    let known = include_str!("../../src/operations/watch/metrics.rs");
    for part_text in [text, part(&home, "alerts")] {
        for word in part_text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
            assert!(!word.starts_with("msgrctl_") || known.contains(&format!("\"{word}\"")), "{word}");
        }
    }
    assert!(
        part(&home, "cron").lines().last().unwrap().starts_with("*/15 * * * * msgrctl [ -d /run/systemd/system ] ||")
    );
    assert!(part(&home, "icinga").contains("\"--format\" = \"nagios\""));
    home.run(&["watch", "--print", "cron", "--once"]).code(2);
}

/// A mail server over TLS, and what its certificate rests on.
fn mail_server(
    mode: &str,
    home: &Home,
) -> Option<(Running, u16, std::sync::mpsc::Receiver<Value>, std::path::PathBuf)> {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/interop/venv/bin/python");
    if !has(packages.to_str().unwrap(), "none: tests/setup installs it") {
        return None;
    }
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = home.file("mail.pem", certified.cert.pem());
    let key = home.file("mail.key", certified.signing_key.serialize_pem());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/mail.py");
    let mut server = Command::new(packages);
    server.arg(script).arg(mode).arg(&certificate).arg(&key).args(["ops", "mail-password"]);
    let mut server = Running(server.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(server.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let port = lines.next().expect("a line").strip_prefix("ready ").unwrap().parse().unwrap();
    let (send, mails) = std::sync::mpsc::channel();
    std::thread::spawn(move || lines.try_for_each(|line| send.send(serde_json::from_str(&line).unwrap())));
    Some((server, port, mails, certificate))
}

#[test]
fn a_mail_arrives_over_tls_and_tells_both_readers() {
    for mode in ["starttls", "tls"] {
        let sandbox = sandbox();
        let home = acme(&sandbox, false);
        let Some((_server, port, mails, certificate)) = mail_server(mode, &home) else { return };
        home.file(
            "config/msgrctl/config.toml",
            format!(
                "[[notify]]\nkind = \"email\"\nsmtp = \"localhost:{port}\"\ntls = \"{mode}\"\nuser = \"ops\"\n\
                 password = \"env:MAIL_PASSWORD\"\nfrom = \"msgrctl <msgrctl@example.com>\"\n\
                 to = [\"ops@example.com\", \"manager@example.com\"]\non = [\"fail\", \"recovered\"]\n"
            ),
        );
        // A certificate that nothing trusts is not taken, and the password not sent.
        let distrusting = home.with("MAIL_PASSWORD", "mail-password");
        let run = distrusting.run(&["watch", "--notify-test"]).code(9).says(&["email did not take the notice"]);
        assert!(!run.stderr.contains("mail-password"), "{run:?}");
        let home = distrusting.with("MSGRCTL_CA_BUNDLE", certificate.to_str().unwrap());
        home.run(&["watch", "--once"]).code(0);
        sandbox.world().page_token_mut(PAGE).unwrap().state = TokenState::Expired;
        home.run(&["watch", "--once"]).code(7);
        let mail = mails.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(mail["to"], serde_json::json!(["ops@example.com", "manager@example.com"]), "{mail}");
        assert_eq!(mail["tls"], true);
        assert_eq!(mail["headers"]["Auto-Submitted"], "auto-generated");
        assert_eq!(mail["headers"]["Subject"], "[msgrctl] default/acme stopped working: the token has expired");
        let text = mail["text"].as_str().unwrap().replace('\r', "");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "default/acme stopped working: the token has expired.");
        assert!(lines[1].contains("may not reach the contact centre") && lines[2].starts_with("Since "), "{text}");
        assert!(text.contains("what to do: ") && text.contains("msgrctl account test acme"), "{text}");
        // A wrong password is said, and the notice waits.
        sandbox.world().page_token_mut(PAGE).unwrap().state = TokenState::Valid;
        let wrong = home.with("MAIL_PASSWORD", "another");
        wrong.run(&["watch", "--once"]).code(0);
        wrong.run(&["watch", "--once"]).code(9).says(&["1 notice waits", "email"]);
        let right = wrong.with("MAIL_PASSWORD", "mail-password");
        right.run(&["watch", "--once"]).code(0);
        let mail = mails.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(mail["headers"]["Subject"], "[msgrctl] default/acme works again");
    }
}

#[test]
fn a_mail_goes_through_sendmail_as_one_with_headers() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let out = home.path("mail");
    let program = home.file("sendmail", format!("#!/bin/sh\necho \"$@\" > '{0}'\ncat >> '{0}'\n", out.display()));
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    home.file(
        "config/msgrctl/config.toml",
        format!(
            "[[notify]]\nkind = \"email\"\nsendmail = \"{}\"\nfrom = \"msgrctl@example.com\"\nto = [\"ops@example.com\"]\n",
            program.display()
        ),
    );
    sandbox.world().page_token_mut(PAGE).unwrap().state = TokenState::Expired;
    home.run(&["watch", "--once"]).code(7);
    let mail = std::fs::read_to_string(&out).unwrap().replace('\r', "");
    let (head, text) = mail.split_once("\n\n").unwrap();
    assert!(head.starts_with("-t -i\n") && head.contains("\nTo: ops@example.com\n"), "{head}");
    assert!(head.contains("\nSubject: [msgrctl] default/acme stopped working"), "{head}");
    assert!(text.starts_with("default/acme stopped working"), "{text}");
}
