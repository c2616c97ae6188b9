//! Where notices go: the `[[notify]]` tables of `config.toml`, their secrets by reference.

use std::time::Duration;

use serde::Deserialize;

use super::shape::Shape;
use crate::operations::{Error, Workspace};
use crate::programs;
use crate::secrets::{Secret, SecretRef};
use crate::state::Event;

/// A table as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// What it is called in messages and in what is kept; only a single target may have none.
    name: Option<String>,
    kind: Kind,
    /// Which changes it gets: all of them where it is absent.
    on: Option<Vec<On>>,
    /// Seconds that one try may take.
    timeout: Option<f64>,
    /// webhook: its address, as a reference.
    url: Option<String>,
    /// webhook: what requests are signed with, as a reference.
    secret: Option<String>,
    /// webhook: what its body looks like.
    format: Option<Shape>,
    /// email: the server, `mail.example.com` or `mail.example.com:587`.
    smtp: Option<String>,
    /// email: how the connection is secured.
    tls: Option<Tls>,
    /// email: who logs in.
    user: Option<String>,
    /// email: with which password, as a reference.
    password: Option<String>,
    /// email: a program instead of a server, such as `/usr/sbin/sendmail`.
    sendmail: Option<String>,
    /// email: the sender.
    from: Option<String>,
    /// email: the recipients.
    to: Option<Vec<String>>,
    /// command: the program and its arguments, as a shell would split them.
    command: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Webhook,
    Email,
    Command,
}

/// A kind of change that a target wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum On {
    Fail,
    Warn,
    Recovered,
}

/// How a connection to a mail server is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// After a greeting in the clear; port 587.
    Starttls,
    /// From the start; port 465.
    #[serde(rename = "tls")]
    Wrapped,
    /// Not at all: for this machine.
    None,
}

/// A target, checked.
#[derive(Clone, Debug)]
pub struct Target {
    pub name: String,
    /// For one try.
    pub timeout: Duration,
    pub way: Way,
    on: Vec<On>,
}

/// How a target is reached.
#[derive(Clone, Debug)]
pub enum Way {
    Webhook { url: SecretRef, secret: Option<SecretRef>, shape: Shape },
    Email { server: Server, from: String, to: Vec<String> },
    Command(Vec<String>),
}

/// What sends mail.
#[derive(Clone, Debug)]
pub enum Server {
    Smtp { host: String, port: u16, tls: Tls, login: Option<(String, SecretRef)> },
    Sendmail(String),
}

impl Target {
    /// Whether it wants a notice of this event.
    pub fn wants(&self, event: Event) -> bool {
        let on = match event {
            Event::Failed | Event::Unreachable | Event::Unstable | Event::Digest => On::Fail,
            Event::Warning | Event::Expires => On::Warn,
            Event::Recovered => On::Recovered,
            Event::Test => return true,
        };
        self.on.contains(&on)
    }

    /// The targets of the configuration.
    ///
    /// # Errors
    ///
    /// A table lacks something, has something of another kind, or a value that is not valid:
    /// its name, the key and an example are said.
    pub fn all(workspace: &Workspace) -> Result<Vec<Self>, Error> {
        let settings = workspace.settings()?;
        let tables = &settings.notify;
        let mut targets: Vec<Self> = Vec::new();
        for table in tables {
            let target = table.target(tables.len() > 1).map_err(|error| {
                error
                    .context(settings.paths.config_file().display())
                    .hint("what a target may have: msgrctl help notices")
            })?;
            if targets.iter().any(|other| other.name == target.name) {
                return Err(Error::file(format!("two targets of notices are called '{}'", target.name))
                    .hint("give one of them another name in config.toml"));
            }
            targets.push(target);
        }
        Ok(targets)
    }
}

impl Table {
    fn target(&self, needs_name: bool) -> Result<Target, Error> {
        const EVERY: [On; 3] = [On::Fail, On::Warn, On::Recovered];
        const LONGEST: f64 = 120.0;
        let kind = match self.kind {
            Kind::Webhook => "webhook",
            Kind::Email => "email",
            Kind::Command => "command",
        };
        // What waits for a target is kept under its name, wherever its table stands.
        let name = match &self.name {
            None if needs_name => {
                return Err(Error::file(format!(
                    "a notify target of kind \"{kind}\" has no name, and there are several"
                ))
                .hint("give each a name, as in name = \"chat\""));
            }
            name => name.clone().unwrap_or_else(|| kind.to_owned()),
        };
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            return Err(Error::file("the name of a notify target is empty or has a character that is not seen"));
        }
        let wrong = |why: String| Error::file(format!("notify target '{name}': {why}"));
        for (key, of, is_set) in [
            ("url", Kind::Webhook, self.url.is_some()),
            ("secret", Kind::Webhook, self.secret.is_some()),
            ("format", Kind::Webhook, self.format.is_some()),
            ("smtp", Kind::Email, self.smtp.is_some()),
            ("tls", Kind::Email, self.tls.is_some()),
            ("user", Kind::Email, self.user.is_some()),
            ("password", Kind::Email, self.password.is_some()),
            ("sendmail", Kind::Email, self.sendmail.is_some()),
            ("from", Kind::Email, self.from.is_some()),
            ("to", Kind::Email, self.to.is_some()),
            ("command", Kind::Command, self.command.is_some()),
        ] {
            if is_set && of != self.kind {
                return Err(wrong(format!("{key} is not a key of kind = \"{kind}\"")));
            }
        }
        let lacks = |key: &str, example: &str| wrong(format!("{key} is missing, as in {key} = {example}"));
        let reference = |key: &str, text: &str| -> Result<SecretRef, Error> {
            let read = SecretRef::parse_reference(text);
            // Not repeated: it is a secret in the clear.
            read.map_err(|_| {
                wrong(format!("{key} has to be a reference, as in {key} = \"env:HOOK_{}\"", key.to_uppercase()))
            })
        };
        let way = match self.kind {
            Kind::Webhook => Way::Webhook {
                url: reference("url", self.url.as_deref().ok_or_else(|| lacks("url", "\"env:HOOK_URL\""))?)?,
                secret: self.secret.as_deref().map(|text| reference("secret", text)).transpose()?,
                shape: self.format.unwrap_or_default(),
            },
            Kind::Command => {
                let text = self.command.as_deref().ok_or_else(|| lacks("command", "\"/usr/local/bin/page-me\""))?;
                let words = programs::split(text).filter(|words| !words.is_empty());
                Way::Command(words.ok_or_else(|| wrong(format!("command '{text}' is not a program with arguments")))?)
            }
            Kind::Email => {
                let from = self.from.clone().ok_or_else(|| lacks("from", "\"msgrctl@example.com\""))?;
                let to = self.to.clone().filter(|to| !to.is_empty());
                let to = to.ok_or_else(|| lacks("to", "[\"ops@example.com\"]"))?;
                for address in to.iter().chain([&from]) {
                    if address.parse::<lettre::message::Mailbox>().is_err() {
                        return Err(wrong(format!("'{address}' is not a valid mail address")));
                    }
                }
                Way::Email { server: self.server(&wrong, &reference)?, from, to }
            }
        };
        let seconds = self.timeout.unwrap_or(10.0);
        if !(0.1..=LONGEST).contains(&seconds) {
            return Err(wrong(format!("timeout = {seconds} is not a number of seconds from 0.1 to {LONGEST}")));
        }
        let on = self.on.clone().unwrap_or_else(|| EVERY.to_vec());
        Ok(Target { name, timeout: Duration::from_secs_f64(seconds), way, on })
    }

    fn server(
        &self,
        wrong: &dyn Fn(String) -> Error,
        reference: &dyn Fn(&str, &str) -> Result<SecretRef, Error>,
    ) -> Result<Server, Error> {
        let smtp = match (&self.smtp, &self.sendmail) {
            (Some(smtp), None) => smtp,
            (None, Some(program)) if self.tls.is_none() && self.user.is_none() && self.password.is_none() => {
                return Ok(Server::Sendmail(program.clone()));
            }
            (None, Some(_)) => return Err(wrong("tls, user and password belong to smtp, and sendmail is set".into())),
            _ => {
                return Err(wrong(
                    "either smtp = \"mail.example.com\" or sendmail = \"/usr/sbin/sendmail\" is needed".into(),
                ));
            }
        };
        let tls = self.tls.unwrap_or(Tls::Starttls);
        let usual = match tls {
            Tls::Starttls => 587,
            Tls::Wrapped => 465,
            Tls::None => 25,
        };
        let (host, port) = match smtp.rsplit_once(':') {
            Some((host, port)) => {
                let port = port.parse().map_err(|_| wrong(format!("smtp = \"{smtp}\" has no valid port")))?;
                (host.to_owned(), port)
            }
            None => (smtp.clone(), usual),
        };
        if tls == Tls::None && !["localhost", "127.0.0.1", "::1"].contains(&host.as_str()) {
            return Err(wrong(format!("tls = \"none\" is for a server on this machine, and {host} is not one")));
        }
        let login = match (&self.user, &self.password) {
            (Some(user), Some(password)) => Some((user.clone(), reference("password", password)?)),
            (None, None) => None,
            _ => return Err(wrong("user and password belong together".into())),
        };
        Ok(Server::Smtp { host, port, tls, login })
    }
}

/// What a reference of a target refers to.
///
/// # Errors
///
/// It cannot be read, or refers to nothing.
pub fn secret(workspace: &Workspace, of: &str, reference: &SecretRef) -> Result<Secret, Error> {
    match workspace.referred(reference) {
        Ok(Some(secret)) => Ok(secret),
        Ok(None) => Err(Error::credentials(format!("{of}: {reference} refers to nothing"))),
        Err(error) => Err(Error::from(error).context(of)),
    }
}
