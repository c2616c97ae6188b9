//! Waits on this machine for the browser to come back from Meta.
//!
//! It listens on loopback only, takes one answer that has the login's state, refuses everything
//! else, and is gone afterwards. The browser is sent on to an address without the code, which
//! shows what happened.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use super::answer::Answer;
use super::dialog::Dialog;
use crate::checks::causes::LOGIN_TIMED_OUT;
use crate::operations::{Error, Workspace};
use crate::serve;
use crate::text::in_markup;

/// How long a person may take at Meta: codes and dialogs live no longer.
pub const PATIENCE: Duration = Duration::from_secs(600);
/// How long the browser may take to fetch the page that it was sent on to.
const GOODBYE: Duration = Duration::from_secs(2);
/// Where the browser is sent on to.
const DONE: &str = "/done";
const STYLE: &str = include_str!("page.css");

/// Bound on this machine, at both of its loopback addresses where it has both.
pub struct Listener {
    sockets: Vec<TcpListener>,
    port: u16,
}

impl Listener {
    /// At this port; 0 takes a free one.
    ///
    /// # Errors
    ///
    /// The port is in use.
    pub fn bind(port: u16) -> Result<Self, Error> {
        let mut last = None;
        // A free port of one address may be taken at the other.
        for _ in 0..if port == 0 { 8 } else { 1 } {
            match Self::at(port) {
                Ok(listener) => return Ok(listener),
                Err(error) => last = Some(error),
            }
        }
        let error = last.map_or_else(String::new, |error| error.to_string());
        Err(Error::failed(format!("cannot listen on localhost:{port}"))
            .cause(error)
            .hint("use any free port: --listen localhost:0"))
    }

    fn at(port: u16) -> io::Result<Self> {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let port = first.local_addr()?.port();
        let mut sockets = vec![first];
        match TcpListener::bind((Ipv6Addr::LOCALHOST, port)) {
            Ok(second) => sockets.push(second),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            // This machine has no IPv6.
            Err(_) => {}
        }
        sockets.iter().try_for_each(|socket| socket.set_nonblocking(true))?;
        Ok(Self { sockets, port })
    }

    /// Where it listens, as Meta's dialog takes it: Meta allows the name `localhost` while the
    /// app is in Development mode.
    pub fn redirect(&self) -> String {
        format!("http://localhost:{}/callback", self.port)
    }

    /// The answer of a login, or why there is none.
    ///
    /// # Errors
    ///
    /// Nothing arrived within `patience`.
    pub fn answer(self, dialog: &Arc<Dialog>, patience: Duration) -> Result<Answer, Error> {
        let receiver = Arc::new(AnswerReceiver {
            dialog: dialog.clone(),
            received: Mutex::default(),
            arrived: Notify::new(),
            seen: Notify::new(),
        });
        let waited = Workspace::wait(self.wait(receiver.clone(), patience))?;
        waited.map_err(|error| Error::failed("cannot wait for the browser").cause(error.to_string()))?;
        let answer = receiver.received.lock().unwrap_or_else(PoisonError::into_inner).answer.take();
        answer.ok_or_else(|| {
            let minutes = patience.as_secs() / 60;
            Error::failed(format!("{} ({minutes} minutes)", LOGIN_TIMED_OUT.summary))
                .reason(LOGIN_TIMED_OUT.id)
                .hint(LOGIN_TIMED_OUT.fix())
        })
    }

    async fn wait(self, receiver: Arc<AnswerReceiver>, patience: Duration) -> io::Result<()> {
        let mut servers = Vec::new();
        for socket in self.sockets {
            let socket = tokio::net::TcpListener::from_std(socket)?;
            let (receiver, port, stop) = (receiver.clone(), self.port, Arc::new(Notify::new()));
            let stopped = stop.clone();
            let router = Router::new().fallback(move |request: Request| {
                let receiver = receiver.clone();
                async move { receiver.take(&request, port) }
            });
            servers.push((stop, tokio::spawn(serve::until(socket, router, async move { stopped.notified().await }))));
        }
        // It may be late for the first page, not for the second.
        let _ = tokio::time::timeout(patience, receiver.arrived.notified()).await;
        if receiver.is_taken() {
            let _ = tokio::time::timeout(GOODBYE, receiver.seen.notified()).await;
        }
        for (stop, server) in servers {
            stop.notify_one();
            // Whatever became of it, it listens no more.
            let _ = server.await;
        }
        Ok(())
    }
}

/// Where answers are handed in.
struct AnswerReceiver {
    dialog: Arc<Dialog>,
    received: Mutex<ReceivedAnswer>,
    arrived: Notify,
    seen: Notify,
}

/// The one answer that is taken, and the page that says so.
#[derive(Default)]
struct ReceivedAnswer {
    answer: Option<Answer>,
    page: Option<Page>,
}

impl AnswerReceiver {
    fn is_taken(&self) -> bool {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).page.is_some()
    }

    fn take(&self, request: &Request, port: u16) -> Response {
        // A name that another site points at this machine is not ours.
        let is_ours = |host: &HeaderValue| {
            ["localhost", "127.0.0.1", "[::1]"]
                .iter()
                .any(|name| host.as_bytes() == format!("{name}:{port}").as_bytes())
        };
        let ours = request.headers().contains_key(HOST) && request.headers().get_all(HOST).iter().all(is_ours);
        if !ours || request.method() != Method::GET {
            return Page::FOREIGN.response(if ours { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::FORBIDDEN });
        }
        self.take_from(request.uri())
    }

    fn take_from(&self, uri: &Uri) -> Response {
        let mut taken = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = taken.page.as_ref().filter(|_| uri.path() == DONE) {
            let response = page.response(StatusCode::OK);
            self.seen.notify_one();
            return response;
        }
        let answer = match self.dialog.read(uri.query().unwrap_or_default()) {
            Answer::Nothing => return Page::WAITING.response(StatusCode::NOT_FOUND),
            Answer::Foreign => return Page::FOREIGN.response(StatusCode::BAD_REQUEST),
            // It was taken before.
            _ if taken.page.is_some() => return Page::FOREIGN.response(StatusCode::BAD_REQUEST),
            answer => answer,
        };
        taken.page = Some(match &answer {
            Answer::Refused(error) => Page {
                is_good: false,
                title: "The login was not completed",
                text: format!(
                    "{}. {}.",
                    sentence_case(error.message()),
                    sentence_case(error.first_hint().unwrap_or_default())
                ),
            },
            _ => Page {
                is_good: true,
                title: "Meta has answered",
                text: "Continue in the terminal: msgrctl asks Meta for your Pages.".into(),
            },
        });
        taken.answer = Some(answer);
        self.arrived.notify_one();
        // The number sign keeps the browser from carrying Meta's own (#_=_) along.
        (
            StatusCode::SEE_OTHER,
            [
                ("location", format!("{DONE}#")),
                ("cache-control", "no-store".into()),
                ("referrer-policy", "no-referrer".into()),
            ],
        )
            .into_response()
    }
}

/// A page for the person at the browser. It never has a code, a state or a token.
struct Page {
    is_good: bool,
    title: &'static str,
    text: String,
}

impl Page {
    const FOREIGN: Self =
        Self { is_good: false, title: "This is not the answer that msgrctl waits for", text: String::new() };
    const WAITING: Self = Self { is_good: false, title: "msgrctl waits here for Meta's answer", text: String::new() };

    fn response(&self, status: StatusCode) -> Response {
        let Self { is_good, title, text } = self;
        let text = match text.as_str() {
            "" => "This request was ignored. The login in the terminal is still waiting.".into(),
            text => in_markup(text),
        };
        let style = STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; img-src data:; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        let class = if *is_good { "good" } else { "bad" };
        let body = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
             <title>{title} - msgrctl</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main class=\"{class}\">\n\
             <h1>{title}</h1>\n<p>{text}</p>\n<p>You can close this window.</p>\n</main>\n</body>\n</html>\n"
        );
        let headers = [
            ("content-type", "text/html; charset=utf-8".to_owned()),
            ("content-security-policy", policy),
            ("cache-control", "no-store".into()),
            ("referrer-policy", "no-referrer".into()),
            ("x-content-type-options", "nosniff".into()),
        ];
        (status, headers, body).into_response()
    }
}

fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The port of `localhost:PORT`, or of a loopback address.
pub fn port_of(text: &str) -> Option<u16> {
    if let Some(port) = text.strip_prefix("localhost:") {
        return port.parse().ok();
    }
    let address: SocketAddr = text.parse().ok()?;
    address.ip().is_loopback().then_some(address.port())
}

#[cfg(test)]
mod tests {
    use super::super::dialog::trial;
    use super::*;

    #[test]
    fn without_an_answer_it_ends_and_frees_its_port() {
        let listener = Listener::bind(0).expect("a free port");
        let port = listener.port;
        assert!(Listener::bind(port).is_err(), "the port is taken");
        let error = listener.answer(&Arc::new(trial().0), Duration::from_millis(30)).expect_err("no answer arrived");
        assert_eq!(error.why(), Some("login-timed-out"));
        assert!(Listener::bind(port).is_ok(), "the port is free again");
    }

    #[test]
    fn only_this_machine_is_listened_on() {
        assert_eq!(
            (port_of("localhost:8400"), port_of("127.0.0.1:0"), port_of("[::1]:9")),
            (Some(8400), Some(0), Some(9))
        );
        for elsewhere in ["0.0.0.0:80", "10.0.0.1:80", "localhost", "example.com:80", "localhost:99999", "[::]:80"] {
            assert_eq!(port_of(elsewhere), None, "{elsewhere}");
        }
    }
}
