//! A real PostgreSQL server, one for all tests of this binary.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::Home;

/// The password of every user, marked so that a leak is seen.
pub const PASSWORD: &str = "marked-pg-password-0123456789";

pub struct Postgres {
    pub port: u16,
    programs: PathBuf,
    /// The directory of its data, its socket and its certificate.
    pub dir: PathBuf,
    /// Its end ends the server: also where the tests crash.
    _guard: Mutex<Child>,
}

/// Where the newest version is installed.
fn programs() -> Option<PathBuf> {
    let all = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = all.map(|entry| entry.path().join("bin")).filter(|bin| bin.join("initdb").exists());
    let found = found.max_by_key(|bin| bin.components().rev().nth(1).map(|part| part.as_os_str().len()));
    if found.is_none() {
        let text = "not run: it needs PostgreSQL (Debian package postgresql)";
        assert!(std::env::var_os("MSGRCTL_TEST_ALL").is_none(), "{text}");
        let _ = writeln!(std::io::stderr(), "{}: {text}", std::thread::current().name().unwrap_or("a test"));
    }
    found
}

/// The server, or nothing where it is not installed.
pub fn postgres() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    SERVER.get_or_init(|| programs().map(start)).as_ref()
}

/// Makes the cluster, serves it until the input ends, then removes it. It does not run as root.
const SCRIPT: &str = r#"dir=$1; bin=$2; port=$3
as=""
if [ "$(id -u)" = 0 ]; then
    chown -R postgres "$dir"
    as="setpriv --reuid=postgres --regid=postgres --clear-groups"
fi
$as "$bin/initdb" -D "$dir/data" -U owner -A scram-sha-256 --pwfile="$dir/password" \
    --no-sync -E UTF8 --locale=C >"$dir/log" 2>&1
$as "$bin/postgres" -D "$dir/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$dir" \
    -c fsync=off -c ssl=on -c ssl_cert_file="$dir/server.pem" -c ssl_key_file="$dir/server.key" >>"$dir/log" 2>&1 &
pid=$!
cat >/dev/null
kill -QUIT $pid
wait $pid
rm -rf "$dir""#;

fn start(programs: PathBuf) -> Postgres {
    let dir = tempfile::Builder::new().prefix("msgrctl-pg-").tempdir().unwrap().keep();
    let private = |name: &str, text: &str| {
        std::fs::write(dir.join(name), text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(dir.join(name), mode).unwrap();
    };
    private("password", PASSWORD);
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    private("server.key", &certified.signing_key.serialize_pem());
    std::fs::write(dir.join("server.pem"), certified.cert.pem()).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let child = Command::new("sh")
        .args(["-c", SCRIPT, "sh"])
        .args([&dir, &programs])
        .arg(port.to_string())
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let postgres = Postgres { port, programs, dir, _guard: Mutex::new(child) };
    let began = Instant::now();
    let log = || std::fs::read_to_string(postgres.dir.join("log")).unwrap_or_default();
    while TcpStream::connect(("127.0.0.1", port)).is_err() || !log().contains("ready to accept connections") {
        assert!(began.elapsed() < Duration::from_secs(60), "PostgreSQL does not start: {}", log());
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut sql = String::new();
    for user in ["team", "writer", "reader"] {
        let _ = writeln!(sql, "CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}';");
    }
    sql += "ALTER ROLE reader CONNECTION LIMIT 1;";
    postgres.psql("postgres", &sql, &[]);
    postgres.psql("postgres", "CREATE DATABASE team OWNER team", &[]);
    postgres
}

impl Postgres {
    /// A schema that no other test has.
    pub fn schema() -> String {
        static LAST: AtomicUsize = AtomicUsize::new(0);
        format!("t{}", LAST.fetch_add(1, Ordering::Relaxed))
    }

    /// The address of a state; `more` begins with `&`.
    pub fn address(&self, user: &str, schema: &str, more: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/team?schema={schema}{more}", self.port)
    }

    /// A machine of its own whose records are there.
    pub fn home(&self, user: &str, schema: &str) -> Home {
        Home::new().with("MSGRCTL_STATE", &self.address(user, schema, "")).with("PGPASSWORD", PASSWORD)
    }

    /// Runs statements as the owner of the server, and returns what they print.
    #[track_caller]
    pub fn psql(&self, database: &str, sql: &str, variables: &[&str]) -> String {
        let mut psql = Command::new(self.programs.join("psql"))
            .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "owner", "-d", database])
            .args(["-p", &self.port.to_string()])
            .args(variables.iter().flat_map(|variable| ["-v", variable]))
            .env("PGPASSWORD", PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        psql.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        let output = psql.wait_with_output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The file of its certificate.
    pub fn certificate(&self) -> String {
        Path::join(&self.dir, "server.pem").display().to_string()
    }
}
