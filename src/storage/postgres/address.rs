//! `postgres://USER@HOST:PORT/DATABASE?sslmode=MODE&sslrootcert=FILE&schema=NAME&lease=SECONDS`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::password::{self, Asked};
use super::schema::SCHEMA;
use crate::env::Environment;
use crate::http::Url;
use crate::secrets::Secret;
use crate::storage::RemoteError;
use crate::storage::shared::objects::LEASE;

/// Where PostgreSQL listens, unless it is told otherwise.
const PORT: u16 = 5432;

/// Where it keeps its socket on Debian and its relatives.
const SOCKETS: &str = "/var/run/postgresql";

const SHAPE: &str = "expected postgres://USER@HOST/DATABASE";

/// Where a database is, and how it is asked.
#[derive(Clone, Debug)]
pub struct Address {
    pub host: Host,
    pub port: u16,
    pub user: String,
    /// The password, or where it was looked for.
    pub password: Result<Secret, String>,
    pub database: String,
    pub schema: String,
    pub lease: Duration,
    pub tls: bool,
    /// A file of certificates to trust besides the system's.
    pub root_certificates: Option<PathBuf>,
}

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    Name(String),
    /// The directory of its socket on this machine.
    Sockets(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match &self.host {
            Host::Name(name) => name,
            Host::Sockets(_) => "",
        };
        match self.port {
            PORT => write!(f, "postgres://{host}/{}", self.database),
            port => write!(f, "postgres://{host}:{port}/{}", self.database),
        }
    }
}

/// What stands behind the `?`.
#[derive(Default)]
struct Options {
    host: Option<PathBuf>,
    mode: Option<String>,
    root_certificates: Option<PathBuf>,
    schema: Option<String>,
    lease: Option<Duration>,
}

impl Options {
    fn read(url: &Url) -> Result<Self, &'static str> {
        let mut read = Self::default();
        for (key, value) in url.query_pairs() {
            match &*key {
                "host" if value.starts_with('/') => read.host = Some(PathBuf::from(value.into_owned())),
                "host" => return Err("host behind the ? is the directory of a socket; a server stands before the /"),
                "sslmode" => read.mode = Some(value.into_owned()),
                // The system's are always trusted.
                "sslrootcert" if value == "system" => {}
                "sslrootcert" => read.root_certificates = Some(PathBuf::from(value.into_owned())),
                "schema" => {
                    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                    let is_fit = value.len() <= 60 && value.starts_with(|c: char| c.is_ascii_lowercase());
                    if !is_fit || !value.chars().all(fits) || value.starts_with("pg_") {
                        return Err("schema is a name of lower-case letters, digits and '_'");
                    }
                    read.schema = Some(value.into_owned());
                }
                "lease" => {
                    let seconds = value.parse().ok().filter(|seconds| (2..=3600).contains(seconds));
                    read.lease = Some(Duration::from_secs(seconds.ok_or("lease is 2 to 3600 seconds")?));
                }
                _ => return Err("after the ? it knows sslmode, sslrootcert, schema, lease and host"),
            }
        }
        Ok(read)
    }
}

/// Whether the connection is to be encrypted. Where it is, certificate and name of the server are
/// always checked, which sslmode=require would not.
fn with_tls(mode: Option<&str>, is_local: bool) -> Result<bool, &'static str> {
    match mode {
        None => Ok(!is_local),
        Some("require" | "verify-ca" | "verify-full") => Ok(true),
        Some("disable" | "allow" | "prefer") if is_local => Ok(false),
        Some("disable" | "allow" | "prefer") => Err("the connection needs TLS, but for this machine: omit sslmode"),
        Some(_) => Err("sslmode is disable, require, verify-ca or verify-full"),
    }
}

impl Address {
    /// Reads an address; the variables and the file of passwords of PostgreSQL say what it does
    /// not.
    pub fn parse(text: &str, env: &Environment) -> Result<Self, RemoteError> {
        let wrong = |why: &str| RemoteError::Address { address: without_user(text), why: why.into() };
        let url = Url::parse(text).map_err(|_| wrong(SHAPE))?;
        let options = Options::read(&url).map_err(wrong)?;
        let decoded = |text: &str| decoded(text).ok_or_else(|| wrong("it has a % that begins no character"));
        let database = decoded(url.path().trim_start_matches('/'))?;
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '$');
        if database.is_empty() || !database.chars().all(fits) {
            return Err(wrong(SHAPE));
        }
        let host = decoded(url.host_str().unwrap_or_default())?;
        let host = match options.host {
            Some(directory) if host.is_empty() => Host::Sockets(directory),
            Some(_) => return Err(wrong("it names two hosts")),
            None if host.is_empty() => Host::Sockets(SOCKETS.into()),
            None if host.starts_with('/') => Host::Sockets(host.into()),
            None => Host::Name(host.trim_matches(['[', ']']).into()),
        };
        let is_local = match &host {
            Host::Sockets(_) => true,
            Host::Name(name) => {
                name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        };
        let tls = with_tls(options.mode.as_deref(), is_local).map_err(wrong)?;
        let user = match decoded(url.username())? {
            named if !named.is_empty() => named,
            _ => {
                let of = ["PGUSER", "USER", "USERNAME"].into_iter().find_map(|name| env.text(name));
                of.ok_or_else(|| wrong("it names no user, and PGUSER is not set"))?.to_owned()
            }
        };
        let port = url.port().unwrap_or(PORT);
        let password = if let Some(password) = url.password().filter(|password| !password.is_empty()) {
            Ok(Secret::new(decoded(password)?))
        } else {
            let host = if let Host::Name(name) = &host { name } else { "localhost" };
            password::find(env, &Asked { host, port, database: &database, user: &user })
        };
        Ok(Self {
            host,
            port,
            user,
            password,
            database,
            schema: options.schema.unwrap_or_else(|| SCHEMA.into()),
            lease: options.lease.unwrap_or(LEASE),
            tls,
            root_certificates: options.root_certificates,
        })
    }

    /// Names the schema among all servers.
    pub fn identity(&self) -> String {
        format!("postgres {:?} {} {} {}", self.host, self.port, self.database, self.schema)
    }
}

/// A part of an address, in clear.
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.extend(hex::decode(part.get(..2)?).ok()?);
        bytes.extend(part[2..].bytes());
    }
    String::from_utf8(bytes).ok()
}

/// The address without what stands before an @ or behind a ?, which may be a password.
fn without_user(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, host)) => format!("postgres://...@{}", host.split('?').next().unwrap_or_default()),
        None => text.split('?').next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Address, RemoteError> {
        Address::parse(text, &Environment::default().with("USER", "ada"))
    }

    #[test]
    fn an_address_names_server_database_and_schema() {
        let team = parse("postgresql://ana@db.example.com/team").expect("an address");
        assert_eq!((team.to_string(), &*team.user), ("postgres://db.example.com/team".into(), "ana"));
        assert_eq!((&*team.schema, team.port, team.tls, team.lease), ("msgrctl", 5432, true, LEASE));
        let here = parse("postgres://a%40b:p%2Fw@[::1]:5433/team?schema=ours&lease=5").expect("an address");
        assert_eq!((here.host, here.tls), (Host::Name("::1".into()), false));
        assert_eq!((&*here.user, &*here.schema, here.lease), ("a@b", "ours", Duration::from_secs(5)));
        assert!(here.password.is_ok());
        let socket = parse("postgres:///team").expect("an address");
        assert_eq!((socket.host, &*socket.user), (Host::Sockets(SOCKETS.into()), "ada"));
        for same in ["postgres://%2Ftmp/team", "postgres:///team?host=/tmp"] {
            assert_eq!(parse(same).expect(same).host, Host::Sockets("/tmp".into()));
        }
    }

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        for (text, tls) in [
            ("postgres://db/team?sslmode=require", true),
            ("postgres://localhost/team", false),
            ("postgres://localhost/team?sslmode=verify-full&sslrootcert=/ca.pem", true),
            ("postgres://127.0.0.1/team?sslmode=prefer", false),
        ] {
            assert_eq!(parse(text).expect(text).tls, tls, "{text}");
        }
        for mode in ["disable", "allow", "prefer", "other"] {
            parse(&format!("postgres://db/team?sslmode={mode}")).expect_err(mode);
        }
    }

    #[test]
    fn what_is_not_an_address_is_refused_without_its_password() {
        for wrong in [
            "postgres://",
            "postgres://db",
            "postgres://ana:hidden@db",
            "postgres://ana:1/hidden@db/team",
            "postgres://ana:hid@hidden@db/",
            "postgres://db/team?password=hidden",
            "postgres://ana:hidden%2@db/team",
            "postgres://db/team?schema=a\"b",
            "postgres://db/team?schema=pg_x",
            "postgres://db/team?lease=1",
            "postgres://db/team?host=other",
        ] {
            let error = parse(wrong).expect_err(wrong).to_string();
            assert!(!error.contains("hid"), "{error}");
        }
    }
}
