//! What only holds of records in PostgreSQL: its refusals, its rights, TLS and poolers.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::state::{added, machine, names};
use crate::support::postgres::{PASSWORD, Postgres, postgres};
use crate::support::{Backend, Home, has};

const SET: [&str; 4] = ["chat-settings", "set", "--messenger-timeout", "2h"];

fn cause<S: AsRef<std::ffi::OsStr>>(home: &Home, words: &[S], code: i32) -> String {
    let words = words.iter().map(AsRef::as_ref).chain(["--json".as_ref()]).collect::<Vec<_>>();
    let error = home.run(&words).code(code).json_error();
    // Each names what to do.
    assert!(error["hint"].is_string(), "{error}");
    error["cause"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn each_refusal_has_its_cause() {
    let Some(server) = postgres() else { return };
    let schema = Postgres::schema();
    let mut home = server.home("team", &schema);
    let list = ["account", "list"];
    home.run(&list).code(0);
    home.set("PGPASSWORD", "wrong");
    assert_eq!(cause(&home, &list, 4), "state-denied");
    home.unset("PGPASSWORD");
    assert_eq!(cause(&home, &list, 4), "state-credentials");
    let line = format!("127.0.0.1:{}:team:team:{PASSWORD}\n", server.port);
    let file = home.file(".pgpass", line);
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    home.run(&list).code(0);
    home.set("PGPASSWORD", PASSWORD);
    home.set("MSGRCTL_STATE", &format!("postgres://nobody@127.0.0.1:{}/team", server.port));
    assert_eq!(cause(&home, &list, 4), "state-denied");
    home.set("MSGRCTL_STATE", &format!("postgres://team@127.0.0.1:{}/other", server.port));
    assert_eq!(cause(&home, &list, 1), "state-no-database");
    home.set("MSGRCTL_STATE", "postgres://team@127.0.0.1:1/team");
    assert!(cause(&home, &list, 5).ends_with("-unreachable"));
    // One that takes connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("postgres://team@{}/team", silent.local_addr().unwrap());
    home.set("MSGRCTL_STATE", &address);
    home.set("MSGRCTL_TIMEOUT", "0.3");
    let slow = home.run(&list).code(5);
    assert!(slow.took < Duration::from_secs(3), "{slow:#?}");
    slow.says(&["no connection was made in time"]);
    // One that speaks no TLS.
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = silent.accept() {
            let _ = stream.write_all(b"N");
        }
    });
    home.set("MSGRCTL_STATE", &format!("{address}?sslmode=require"));
    assert_eq!(cause(&home, &list, 5), "state-tls");
    home.unset("MSGRCTL_TIMEOUT");
    home.set("MSGRCTL_STATE", "postgres://team@127.0.0.1/team?sslmode=wrong");
    assert_eq!(cause(&home, &list, 2), "state-address");
    // The socket is a way too.
    let sockets = server.dir.display().to_string().replace('/', "%2F");
    let address = format!("postgresql://team@{sockets}:{}/team?schema={schema}", server.port);
    home.set("MSGRCTL_STATE", &address);
    home.run(&list).code(0);
    for cause in ["state-no-database", "state-read-only", "state-tls"] {
        home.run(&["explain", cause]).code(0).shows(&["msgrctl state show"]);
    }
}

#[test]
fn rights_and_limits_of_a_user_are_named() {
    let Some(server) = postgres() else { return };
    let schema = Postgres::schema();
    // The one who may not make the tables is told so.
    let reader = server.home("reader", &schema);
    reader.run(&["account", "list"]).code(0);
    assert_eq!(cause(&reader, &SET, 4), "state-denied");
    let refused = reader.run(&SET).code(4);
    refused.says(&["permission denied for database team", "msgrctl doctor --print-policy postgres"]);
    // A server that only reads.
    server.psql(
        "postgres",
        "CREATE ROLE standby LOGIN PASSWORD 'x'; ALTER ROLE standby SET default_transaction_read_only = on",
        &[],
    );
    let standby = server.home("standby", &schema).with("PGPASSWORD", "x");
    standby.run(&["account", "list"]).code(0);
    assert_eq!(cause(&standby, &SET, 1), "state-read-only");
    // More connections than it may have.
    server.psql("postgres", "CREATE ROLE busy LOGIN PASSWORD 'x' CONNECTION LIMIT 0", &[]);
    let busy = server.home("busy", &schema).with("PGPASSWORD", "x");
    assert!(cause(&busy, &["account", "list"], 5).ends_with("-unreachable"));
    busy.run(&["account", "list"]).code(5).says(&["too many connections for role \"busy\" (53300)"]);
}

/// What is printed is run as it is.
#[test]
fn the_least_rights_are_enough() {
    let Some(server) = postgres() else { return };
    let schema = Postgres::schema();
    let place = |user: &str| {
        let home = machine(Backend::Postgres(server), &schema, "");
        home.with("MSGRCTL_STATE", &server.address(user, &schema, ""))
    };
    let writer = place("writer");
    let policy = writer.run(&["doctor", "--print-policy", "postgres"]).code(0).stdout;
    server.psql("team", &policy, &["writer=writer", "reader=reader"]);
    // It may be run again.
    server.psql("team", &policy, &["writer=writer", "reader=reader"]);
    writer.run(&added(&writer, "Acme")).code(0);
    writer.run(&["account", "rename", "acme", "Renamed"]).code(0);
    writer.run(&["undo", "--yes"]).code(0);
    writer.run(&["log", "--verify"]).code(0).shows(&["ok: 3 lines intact"]);
    writer.run(&["state", "show"]).code(0);
    let reader = place("reader");
    assert_eq!(names(&reader), ["Acme"]);
    reader.run(&["log", "--verify"]).code(0);
    assert_eq!(cause(&reader, &SET, 4), "state-denied");
    // Not even the writer changes a line of the log.
    let tried = format!("SET ROLE writer; UPDATE {schema}.log SET line = ''");
    let refused = std::panic::catch_unwind(|| server.psql("team", &tried, &[]));
    assert!(refused.is_err(), "the log can be changed");
    // Before the rights are given they can be printed too.
    let none = Home::new().with("MSGRCTL_STATE", &server.address("reader", "pgless", "")).with("PGPASSWORD", "wrong");
    none.run(&["doctor", "--print-policy", "postgres"]).code(0).shows(&["GRANT USAGE ON SCHEMA \"pgless\""]);
}

#[test]
fn a_newer_schema_is_refused() {
    let Some(server) = postgres() else { return };
    let schema = Postgres::schema();
    let home = server.home("team", &schema);
    home.run(&SET).code(0);
    let newer = format!("UPDATE {schema}.document SET body = '{{\"schema_version\":2}}' WHERE key = 'format.json'");
    server.psql("team", &newer, &[]);
    assert_eq!(cause(&home, &SET, 3), "state-damaged");
    home.run(&["chat-settings", "show"]).code(0);
}

#[test]
fn tls_checks_the_certificate_and_the_name() {
    let Some(server) = postgres() else { return };
    let schema = Postgres::schema();
    let mut home = server.home("team", &schema);
    let list = ["account", "list"];
    let at = |host: &str, more: &str| server.address("team", &schema, more).replace("127.0.0.1", host);
    let certificate = server.certificate();
    home.set("MSGRCTL_STATE", &at("localhost", &format!("&sslmode=require&sslrootcert={certificate}")));
    home.run(&SET).code(0);
    let shown = format!("SELECT count(*) FROM {schema}.log");
    assert_eq!(server.psql("team", &shown, &[]).trim(), "1");
    home.set("MSGRCTL_STATE", &at("localhost", "&sslmode=require"));
    home.run(&list).code(5).says(&["its certificate is not trusted", "sslrootcert=FILE"]);
    assert_eq!(cause(&home, &list, 5), "state-tls");
    home.set("MSGRCTL_CA_BUNDLE", &certificate);
    home.run(&list).code(0);
    home.set("MSGRCTL_STATE", &at("127.0.0.1", "&sslmode=verify-full"));
    home.run(&list).code(5).says(&["its certificate is for another name"]);
    home.set("MSGRCTL_STATE", &at("localhost", "&sslmode=require&sslrootcert=/none.pem"));
    home.run(&list).code(2).says(&["/none.pem"]);
    // Elsewhere nothing is sent without TLS.
    home.set("MSGRCTL_STATE", &at("db.example.com", "&sslmode=disable"));
    assert_eq!(cause(&home, &list, 2), "state-address");
}

/// A pooler that gives each transaction another session.
#[test]
fn a_pooler_may_stand_before_the_server() {
    let Some(server) = postgres() else { return };
    if !has("pgbouncer", "pgbouncer") {
        return;
    }
    let schema = Postgres::schema();
    let mut home = machine(Backend::Postgres(server), &schema, "");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    home.file("users.txt", format!("\"team\" \"{PASSWORD}\"\n"));
    let settings = format!(
        "[databases]\nteam = host=127.0.0.1 port={} dbname=team\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
         listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\n\
         default_pool_size = 3\n",
        server.port,
        home.path("users.txt").display(),
    );
    let file = home.file("pgbouncer.ini", settings);
    // It does not run as root.
    let mut pooler = if rustix::process::geteuid().is_root() {
        std::fs::set_permissions(home.root(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "pgbouncer"]);
        command
    } else {
        Command::new("pgbouncer")
    };
    let mut pooler =
        pooler.arg("-q").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = std::time::Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() && began.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let direct = server.port.to_string();
    home.set("MSGRCTL_STATE", &server.address("team", &schema, "").replace(&direct, &port.to_string()));
    let children: Vec<_> =
        (0..8).map(|at| crate::state::spawn(&home, &added(&home, &format!("Account {at}")))).collect();
    let ended: Vec<_> = children.into_iter().map(crate::state::end).collect();
    let found = names(&home).len();
    let verified = home.run(&["log", "--verify"]);
    pooler.kill().unwrap();
    pooler.wait().unwrap();
    assert!(ended.iter().all(|(done, _)| *done), "{ended:?}");
    assert_eq!((found, verified.code), (8, 0), "{verified:#?}");
}
