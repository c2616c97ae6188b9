//! A database: one connection, made when it is needed, and again after it has ended.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::{Address, Host};
use super::trouble::{Failed, failed};
use crate::files;
use crate::http::{self, Fault, SetupError};
use crate::storage::RemoteError;
use crate::storage::shared::objects::{ServerClock, TRIES, pause};

/// The longest time for one statement.
const LONGEST: Duration = Duration::from_secs(20);

/// A value of a statement, with its type: so it is not asked for, and no statement is prepared.
pub type Value<'a> = (&'a (dyn ToSql + Sync), Type);

/// A database and who asks.
pub struct Database {
    pub address: Address,
    pub clock: ServerClock,
    /// The tables: `"msgrctl".document`.
    pub document: String,
    pub log: String,
    http: http::Settings,
    client: Mutex<Option<Client>>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({})", self.address)
    }
}

/// The rows of a statement.
pub struct Answered {
    pub rows: Vec<Row>,
    /// An earlier try may have been carried out too.
    pub repeated: bool,
}

impl Database {
    pub fn new(address: Address, http: http::Settings) -> Self {
        let http = http::Settings { timeout: http.timeout.min(LONGEST), ..http };
        let [document, log] = ["document", "log"].map(|table| format!("\"{}\".{table}", address.schema));
        Self { address, clock: ServerClock::new(), document, log, http, client: Mutex::default() }
    }

    fn unreachable(&self, fault: Fault) -> RemoteError {
        RemoteError::Unreachable { place: self.address.to_string(), fault }
    }

    /// The error of what was not expected.
    pub fn error(&self, failed: Failed) -> RemoteError {
        let says =
            |text: &str| RemoteError::Unexpected { place: self.address.to_string(), says: text.into(), passes: false };
        match failed {
            Failed::Refused(error) | Failed::Again { error, .. } => error,
            Failed::NoTable => says("its tables are gone"),
            Failed::Taken { .. } => says("a row is there twice"),
        }
    }

    /// Runs a statement until it is answered. One that writes has to bear being run twice.
    pub async fn ask(&self, sql: &str, values: &[Value<'_>]) -> Result<Answered, Failed> {
        let mut repeated = false;
        let mut tried = 0;
        loop {
            tried += 1;
            match self.once(async |client| client.query_typed(sql, values).await).await {
                Ok(rows) => return Ok(Answered { rows, repeated }),
                Err(Failed::Taken { .. }) => return Err(Failed::Taken { repeated }),
                // Who has said nothing for so long is not asked four times.
                Err(Failed::Again { error, arrived }) if tried < TRIES && !is_slow(&error) => repeated |= arrived,
                Err(failed) => return Err(failed),
            }
            pause(tried).await;
        }
    }

    /// Runs statements as one transaction, once.
    pub async fn run(&self, sql: &str) -> Result<(), Failed> {
        self.once(async |client| client.batch_execute(sql).await).await
    }

    async fn once<T>(&self, work: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>) -> Result<T, Failed> {
        let mut slot = self.client.lock().await;
        let client = match slot.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => self.connect().await?,
        };
        // A connection that was left in the middle of an answer is not used again.
        match tokio::time::timeout(self.http.timeout, work(&client)).await {
            Err(_) => Err(Failed::Again { error: self.unreachable(Fault::Timeout), arrived: true }),
            Ok(done) => {
                let done = done.map_err(|error| failed(&error, &self.address.to_string(), None));
                if !matches!(done, Err(Failed::Again { .. })) {
                    *slot = Some(client);
                }
                done
            }
        }
    }

    async fn connect(&self) -> Result<Client, Failed> {
        let timeout = self.http.timeout.min(Duration::from_secs(10));
        let slow = |_| Failed::Again { error: self.unreachable(Fault::ConnectTimeout), arrived: false };
        let connected = tokio::time::timeout(timeout, self.try_connect()).await.map_err(slow)?;
        // Nothing was asked yet.
        connected.map_err(|failed| match failed {
            Failed::Again { error, .. } => Failed::Again { error, arrived: false },
            failed => failed,
        })
    }

    async fn try_connect(&self) -> Result<Client, Failed> {
        match &self.address.host {
            Host::Name(name) => self.begin(self.stream(name).await?, name).await,
            #[cfg(unix)]
            Host::Sockets(directory) => {
                let path = directory.join(format!(".s.PGSQL.{}", self.address.port));
                let stream = tokio::net::UnixStream::connect(path).await;
                self.begin(stream.map_err(|error| self.no_stream(&error))?, "localhost").await
            }
            #[cfg(not(unix))]
            Host::Sockets(_) => Err(Failed::Refused(self.unreachable(Fault::Connect))),
        }
    }

    async fn stream(&self, name: &str) -> Result<TcpStream, Failed> {
        let port = self.address.port;
        let found: Vec<SocketAddr> = if name == "localhost" {
            // Whatever a hosts file says, it is this machine, to which no TLS is needed.
            vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]
        } else {
            let found = tokio::net::lookup_host((name, port)).await;
            found.map_err(|_| Failed::Refused(self.unreachable(Fault::Dns)))?.collect()
        };
        let stream = TcpStream::connect(found.as_slice()).await.map_err(|error| self.no_stream(&error))?;
        // A statement is one small packet; where this fails it is only slower.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    fn no_stream(&self, error: &std::io::Error) -> Failed {
        let error = self.unreachable(match error.kind() {
            std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::NotFound => Fault::Refused,
            _ => Fault::Connect,
        });
        Failed::Again { error, arrived: false }
    }

    async fn begin<S>(&self, stream: S, host: &str) -> Result<Client, Failed>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        if !self.address.tls {
            return self.log_in(stream, NoTls).await;
        }
        let mut tls = MakeRustlsConnect::new(self.tls_config().map_err(Failed::Refused)?);
        match <MakeRustlsConnect as MakeTlsConnect<S>>::make_tls_connect(&mut tls, host) {
            Ok(tls) => self.log_in(stream, tls).await,
            Err(_) => Err(Failed::Refused(self.unreachable(Fault::Tls))),
        }
    }

    fn tls_config(&self) -> Result<rustls::ClientConfig, RemoteError> {
        let mut trusted = Vec::from_iter(self.http.ca_bundle.clone());
        if let Some(path) = &self.address.root_certificates {
            let pem = files::read_bytes(path, 4 * 1024 * 1024);
            let pem = pem.map_err(|_| SetupError::CaBundle { path: path.clone() })?;
            trusted.push((path.clone(), pem.to_vec()));
        }
        Ok(http::tls_config(&trusted)?)
    }

    async fn log_in<S, T>(&self, stream: S, tls: T) -> Result<Client, Failed>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: TlsConnect<S>,
        T::Stream: Send + 'static,
    {
        let Address { user, database, password, .. } = &self.address;
        let mut config = Config::new();
        config.user(user).dbname(database).application_name("msgrctl");
        config.ssl_mode(if self.address.tls { SslMode::Require } else { SslMode::Disable });
        if let Ok(password) = password {
            config.password(password.expose());
        }
        let why = password.as_ref().err().map(String::as_str);
        let connected = config.connect_raw(stream, tls).await;
        let (client, connection) = connected.map_err(|error| failed(&error, &self.address.to_string(), why))?;
        tokio::spawn(async move {
            // Its end is seen by the next statement.
            let _ = connection.await;
        });
        Ok(client)
    }
}

fn is_slow(error: &RemoteError) -> bool {
    matches!(error, RemoteError::Unreachable { fault: Fault::Timeout | Fault::ConnectTimeout, .. })
}
