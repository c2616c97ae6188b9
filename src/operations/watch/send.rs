//! Sends a notice to one target: by a webhook, by mail, to a program.

use std::process::Stdio;
use std::time::Duration;

use lettre::message::{Mailbox, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls as SmtpTls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::targets::{Server, Target, Tls, Way, secret};
use super::{mail, shape::Shape};
use crate::http::{self, Body, Request, Url, header::HeaderName, header::HeaderValue, words};
use crate::operations::{Error, Workspace};
use crate::programs;
use crate::secrets::{Secret, redact};
use crate::state::Notice;
use crate::text::one_line;
use crate::webhook::signature::sign;

/// How often one notice is tried in a round.
const TRIES: u32 = 3;
/// Before the second try; the third waits twice as long.
const PAUSE: Duration = Duration::from_millis(500);

/// Why a target did not take a notice.
#[derive(Debug)]
pub struct Refusal {
    /// In a sentence, without an address.
    pub why: String,
    /// The same may work in a moment.
    pub passes: bool,
}

impl Refusal {
    fn lasting(why: impl Into<String>) -> Self {
        Self { why: why.into(), passes: false }
    }

    fn passing(why: impl Into<String>) -> Self {
        Self { why: why.into(), passes: true }
    }
}

/// A target with its secrets read, ready for any number of notices.
pub struct Sender<'a> {
    target: &'a Target,
    way: Ready,
}

enum Ready {
    Webhook { client: http::Client, url: Url, secret: Option<Secret>, shape: Shape },
    Smtp { transport: AsyncSmtpTransport<Tokio1Executor>, from: Mailbox, to: Vec<Mailbox> },
    Program { words: Vec<String>, mail: Option<(Mailbox, Vec<Mailbox>)>, hidden: Vec<std::ffi::OsString> },
}

impl<'a> Sender<'a> {
    /// Reads the target's secrets.
    ///
    /// # Errors
    ///
    /// One cannot be read, or the address is not one.
    pub fn new(workspace: &Workspace, target: &'a Target) -> Result<Self, Error> {
        let of = format!("notify target '{}'", target.name);
        let way = match &target.way {
            Way::Webhook { url, secret: key, shape } => {
                let address = secret(workspace, &of, url)?;
                let url =
                    Url::parse(address.expose().trim()).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
                let is_safe = |url: &Url| {
                    url.scheme() == "https" || *shape == Shape::Alertmanager || crate::address::is_loopback(url)
                };
                if url.as_ref().is_some_and(|url| !is_safe(url)) {
                    return Err(Error::usage(format!("{of}: its address is http, and would go in the clear"))
                        .hint("use https; http is for this machine, and for Alertmanager"));
                }
                // Not repeated: it is a secret.
                let url =
                    url.ok_or_else(|| Error::usage(format!("{of}: what its url refers to is not a web address")))?;
                let key = key.as_ref().map(|key| secret(workspace, &of, key)).transpose()?;
                let loopback = crate::address::is_loopback(&url);
                let settings = http::Settings { timeout: target.timeout, ca_bundle: workspace.ca_bundle()?, loopback };
                Ready::Webhook { client: http::Client::new(&settings)?, url, secret: key, shape: *shape }
            }
            Way::Command(words) => Ready::Program { words: words.clone(), mail: None, hidden: workspace.env.ours() },
            Way::Email { server, from, to } => {
                let mailbox =
                    |text: &String| text.parse::<Mailbox>().map_err(|error| Error::usage(format!("{of}: {error}")));
                let (from, to) = (mailbox(from)?, to.iter().map(mailbox).collect::<Result<Vec<_>, _>>()?);
                match server {
                    Server::Sendmail(program) => Ready::Program {
                        words: [program, "-t", "-i"].map(|word: &str| word.to_owned()).to_vec(),
                        mail: Some((from, to)),
                        hidden: workspace.env.ours(),
                    },
                    Server::Smtp { host, port, tls, login } => {
                        let transport = smtp(workspace, host, *port, *tls, target.timeout)
                            .map_err(|why| Error::usage(format!("{of}: {why}")))?;
                        let transport = match login {
                            Some((user, password)) => {
                                let password = secret(workspace, &of, password)?;
                                transport.credentials(Credentials::new(user.clone(), password.expose().to_owned()))
                            }
                            None => transport,
                        };
                        Ready::Smtp { transport: transport.build(), from, to }
                    }
                }
            }
        };
        Ok(Self { target, way })
    }

    /// Sends a notice; why not, after three tries of what may pass.
    pub async fn send(&self, notice: &Notice) -> Result<(), Refusal> {
        let mut pause = PAUSE;
        let mut tries = 0;
        loop {
            tries += 1;
            // A limit of its own: a target may take the request and never answer.
            let limit = self.target.timeout + Duration::from_secs(1);
            let refusal = match tokio::time::timeout(limit, self.once(notice)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(refusal)) => refusal,
                Err(_) => Refusal::passing(format!("no answer within {} s", self.target.timeout.as_secs_f64())),
            };
            if !refusal.passes || tries == TRIES {
                return Err(Refusal { why: plain(&refusal.why), ..refusal });
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn once(&self, notice: &Notice) -> Result<(), Refusal> {
        match &self.way {
            Ready::Webhook { client, url, secret, shape } => {
                let body = shape.body(notice);
                let mut headers = vec![
                    (http::header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
                    (HeaderName::from_static("idempotency-key"), value(&notice.id)),
                ];
                if let Some(secret) = secret {
                    let (signature, _) = sign(&body, secret.expose().as_bytes());
                    headers.push((HeaderName::from_static("x-msgrctl-signature"), value(&signature)));
                }
                let request = Request {
                    method: http::Method::POST,
                    url: url.clone(),
                    authorization: None,
                    headers,
                    body: Body::Raw(body),
                };
                match client.send(request).await {
                    Ok(response) if (200..300).contains(&response.status) => Ok(()),
                    Ok(response) => {
                        let why = format!("it answered HTTP {}", response.status);
                        let passes = response.status == 429 || response.status >= 500;
                        Err(Refusal { why, passes })
                    }
                    Err(fault) => Err(Refusal::passing(fault.to_string())),
                }
            }
            Ready::Smtp { transport, from, to } => {
                let message = message(notice, from, to)?;
                match transport.send(message).await {
                    Ok(_) => Ok(()),
                    Err(error) if error.is_permanent() => Err(Refusal::lasting(words(&error))),
                    Err(error) => Err(Refusal::passing(words(&error))),
                }
            }
            Ready::Program { words, mail, hidden } => {
                let input = match mail {
                    Some((from, to)) => message(notice, from, to)?.formatted(),
                    None => Shape::Json.body(notice),
                };
                run(words, hidden, &input).await
            }
        }
    }
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// What others said: on one line, without a secret and without more of an address than its host.
fn plain(text: &str) -> String {
    let word = |word: &str| match word.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}/…", rest.split(['/', '?', '#']).next().unwrap_or_default()),
        None => word.to_owned(),
    };
    one_line(&redact(text)).split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn smtp(
    workspace: &Workspace,
    host: &str,
    port: u16,
    tls: Tls,
    timeout: Duration,
) -> Result<lettre::transport::smtp::AsyncSmtpTransportBuilder, String> {
    // Idempotent: the HTTP client installs the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let bundle = workspace.ca_bundle().map_err(|error| error.message().to_owned())?;
    let mut parameters = TlsParameters::builder(host.to_owned());
    for pem in bundle.iter().flat_map(|(_, pem)| single_certificates(pem)) {
        let certificate = Certificate::from_pem(&pem).map_err(|error| words(&error))?;
        parameters = parameters.add_root_certificate(certificate);
    }
    let security = match tls {
        Tls::None => SmtpTls::None,
        Tls::Starttls => SmtpTls::Required(parameters.build().map_err(|error| words(&error))?),
        Tls::Wrapped => SmtpTls::Wrapper(parameters.build().map_err(|error| words(&error))?),
    };
    Ok(AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).port(port).tls(security).timeout(Some(timeout)))
}

/// The certificates of a bundle, each by itself.
fn single_certificates(pem: &[u8]) -> Vec<Vec<u8>> {
    const END: &str = "-----END CERTIFICATE-----";
    let text = String::from_utf8_lossy(pem);
    text.split_inclusive(END)
        .filter(|part| part.ends_with(END))
        .map(|part| part.trim_start().as_bytes().to_vec())
        .collect()
}

fn message(notice: &Notice, from: &Mailbox, to: &[Mailbox]) -> Result<Message, Refusal> {
    let domain = from.email.domain();
    let mut builder = Message::builder()
        .from(from.clone())
        .subject(mail::subject(notice))
        .message_id(Some(format!("<{}@{domain}>", notice.id)))
        .header(mail::AutoSubmitted)
        .header(header::ContentType::TEXT_PLAIN);
    for mailbox in to {
        builder = builder.to(mailbox.clone());
    }
    builder.body(mail::body(notice)).map_err(|error| Refusal::lasting(error.to_string()))
}

/// Starts a program without a shell, gives it its input, and waits for its end.
async fn run(words: &[String], hidden: &[std::ffi::OsString], input: &[u8]) -> Result<(), Refusal> {
    const SAID: u64 = 300;
    const A_MOMENT: Duration = Duration::from_millis(100);
    let Some((program, arguments)) = words.split_first() else { return Err(Refusal::lasting("it names no program")) };
    let started = programs::start(program, |program| {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        for name in hidden {
            command.env_remove(name);
        }
        command.spawn()
    });
    let mut child = started.map_err(|error| Refusal::lasting(format!("'{program}' could not be started: {error}")))?;
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let write = async {
        if let Some(mut stdin) = stdin {
            // One that does not read its input may still do its work.
            let _ = stdin.write_all(input).await;
        }
    };
    let read = async {
        let mut said = Vec::new();
        if let Some(stderr) = stderr {
            // An error ends it like the end.
            let _ = stderr.take(SAID).read_to_end(&mut said).await;
        }
        said
    };
    // What it leaves behind may hold its standard error open: that is not waited for.
    let ended = async {
        let ended = child.wait().await;
        tokio::time::sleep(A_MOMENT).await;
        ended
    };
    let (said, status) = {
        let mut said = Vec::new();
        let mut write_and_read = std::pin::pin!(async { tokio::join!(write, read).1 });
        let mut ended = std::pin::pin!(ended);
        let status = tokio::select! {
            read = &mut write_and_read => {
                said = read;
                ended.await
            }
            status = &mut ended => status,
        };
        (said, status.map_err(|error| Refusal::passing(error.to_string()))?)
    };
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&said);
    let said = if said.trim().is_empty() { String::new() } else { format!(": {}", said.trim()) };
    Err(Refusal::passing(format!("'{program}' ended with {status}{said}")))
}
