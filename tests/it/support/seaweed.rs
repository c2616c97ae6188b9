//! A real S3 server (SeaweedFS), one for all tests of this binary.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::Home;

/// The keys that may do all, marked so that a leak is seen.
pub const KEY_ID: &str = "AKIAMARKEDADMIN00000";
pub const KEY: &str = "marked/aws+secret0123456789abcdefghijklm";
/// Keys that may only read.
pub const READER: [&str; 2] = ["AKIAMARKEDREADER0000", "marked/aws+reader0123456789abcdefghijkl"];
/// Keys with the rights of `doctor --print-policy s3`, as far as the server can express them.
pub const LEAST: [&str; 2] = ["AKIAMARKEDLEAST00000", "marked/aws+least00123456789abcdefghijkl"];

pub struct Seaweed {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// Its end ends the server: also where the tests crash.
    _guard: Mutex<Child>,
}

fn program() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/interop/venv/bin/weed");
    if path.exists() {
        return Some(path);
    }
    let text = "not run: it needs SeaweedFS (tests/setup installs it)";
    assert!(std::env::var_os("MSGRCTL_TEST_ALL").is_none(), "{text}");
    let _ = writeln!(std::io::stderr(), "{}: {text}", std::thread::current().name().unwrap_or("a test"));
    None
}

/// A port whose neighbour for gRPC is free too.
fn port() -> u16 {
    loop {
        let at = 12_000 + rand::random_range(0..8_000);
        if [at, at + 10_000].iter().all(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()) {
            return at;
        }
    }
}

/// The server, or nothing where it is not installed.
pub fn seaweed() -> Option<&'static Seaweed> {
    static SERVER: OnceLock<Option<Seaweed>> = OnceLock::new();
    SERVER.get_or_init(|| program().map(|program| start(&program))).as_ref()
}

fn start(program: &Path) -> Seaweed {
    let dir = tempfile::Builder::new().prefix("msgrctl-weed-").tempdir().unwrap().keep();
    let identity = |[id, key]: [&str; 2], actions: &str| {
        format!(r#"{{"name":"{id}","credentials":[{{"accessKey":"{id}","secretKey":"{key}"}}],"actions":[{actions}]}}"#)
    };
    let all = [
        identity([KEY_ID, KEY], r#""Admin","Read","Write","List""#),
        identity(READER, r#""Read","List""#),
        identity(LEAST, r#""Read:team","Write:team","List:team""#),
    ];
    std::fs::write(dir.join("s3.json"), format!(r#"{{"identities":[{}]}}"#, all.join(","))).unwrap();
    let [s3, master, volume, filer] = std::array::from_fn(|_| port());
    // SIGTERM leaves it half alive; the shell ends it, and cleans up, when its input ends.
    let script = r#"dir=$1; shift; "$@" >"$dir/log" 2>&1 & pid=$!; cat >/dev/null; kill -9 $pid; rm -rf "$dir""#;
    let child = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(&dir)
        .arg(program)
        .args([
            "server",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-s3",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-volume.max=4",
            "-master.volumeSizeLimitMB=64",
        ])
        .arg(format!("-dir={}", dir.display()))
        .arg(format!("-s3.config={}", dir.join("s3.json").display()))
        .args(
            [("s3.port", s3), ("master.port", master), ("volume.port", volume), ("filer.port", filer)]
                .map(|(name, port)| format!("-{name}={port}")),
        )
        .env("HOME", &dir)
        .current_dir(&dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", s3)).is_err() {
        assert!(began.elapsed() < Duration::from_secs(60), "SeaweedFS does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    let seaweed = Seaweed { url: format!("http://127.0.0.1:{s3}"), _guard: Mutex::new(child) };
    make_bucket(filer, began);
    // The volumes come a moment after the port.
    let home = seaweed.home("ready", "");
    while home.run(&["tenant", "add", "ready", "--host", "chat.ready.com"]).code != 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "SeaweedFS does not write");
    }
    seaweed
}

/// A bucket is a directory of the filer.
fn make_bucket(filer: u16, began: Instant) {
    loop {
        assert!(began.elapsed() < Duration::from_secs(60), "SeaweedFS makes no bucket");
        std::thread::sleep(Duration::from_millis(50));
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", filer)) else { continue };
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let request = "POST /buckets/team/ HTTP/1.1\r\nHost: filer\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        let mut answer = String::new();
        if stream.write_all(request.as_bytes()).is_ok()
            && stream.read_to_string(&mut answer).is_ok()
            && answer.starts_with("HTTP/1.1 20")
        {
            return;
        }
    }
}

impl Seaweed {
    /// A prefix that no other test has.
    pub fn prefix() -> String {
        static LAST: AtomicUsize = AtomicUsize::new(0);
        format!("t{}", LAST.fetch_add(1, Ordering::Relaxed))
    }

    /// The address of a state; `more` begins with `&`.
    pub fn address(&self, prefix: &str, more: &str) -> String {
        format!("s3://team/{prefix}?endpoint={}{more}", self.url)
    }

    /// A machine of its own whose records are there.
    pub fn home(&self, prefix: &str, more: &str) -> Home {
        Home::new()
            .with("MSGRCTL_STATE", &self.address(prefix, more))
            .with("AWS_ACCESS_KEY_ID", KEY_ID)
            .with("AWS_SECRET_ACCESS_KEY", KEY)
    }
}
