//! The HTTP clients of the probe, built when the first callback is asked.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use tokio::sync::Semaphore;
use url::Url;

use super::probe::{Patience, Probe, probe};
use crate::address::is_loopback;
use crate::http::{Client, Settings, SetupError};
use crate::secrets::Secret;

/// How many callbacks are asked at once: many may lead to one receiver.
const AT_ONCE: usize = 8;

/// Asks callbacks as Meta would.
pub struct Prober {
    /// Certificates to trust beside the system's, as PEM text, and the file they come from.
    ca_bundle: Option<(PathBuf, Vec<u8>)>,
    here: OnceLock<Client>,
    elsewhere: OnceLock<Client>,
    turns: Semaphore,
    patience: Patience,
    /// Earlier results, where each callback is asked only once.
    known: Option<Mutex<Vec<Known>>>,
}

struct Known {
    callback: Url,
    verify_token: Secret,
    probe: Probe,
}

impl Prober {
    /// A prober that trusts these certificates beside the system's.
    pub fn new(ca_bundle: Option<(PathBuf, Vec<u8>)>) -> Self {
        Self {
            ca_bundle,
            here: OnceLock::new(),
            elsewhere: OnceLock::new(),
            turns: Semaphore::new(AT_ONCE),
            patience: Patience::default(),
            known: None,
        }
    }

    /// The same for testing many accounts: what several share is asked once.
    #[must_use]
    pub fn asking_once(self) -> Self {
        Self { known: Some(Mutex::default()), ..self }
    }

    fn known(&self, callback: &Url, verify_token: &Secret) -> Option<Probe> {
        let known = self.known.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |known: &&Known| known.callback == *callback && known.verify_token == *verify_token;
        known.iter().find(same).map(|known| known.probe.clone())
    }

    /// Probes one callback, with the right token and with a wrong one.
    pub async fn ask(&self, callback: &Url, verify_token: &Secret) -> Result<Probe, SetupError> {
        let loopback = is_loopback(callback);
        let place = if loopback { &self.here } else { &self.elsewhere };
        if place.get().is_none() {
            let settings = Settings { timeout: self.patience.limit, ca_bundle: self.ca_bundle.clone(), loopback };
            // Another task may have been first; either client will do.
            let _ = place.set(Client::new(&settings)?);
        }
        let client = place.get().unwrap_or_else(|| unreachable!("it was just set"));
        // The semaphore is never closed, so a turn always comes.
        let _turn = self.turns.acquire().await;
        if let Some(known) = self.known(callback, verify_token) {
            return Ok(known);
        }
        let probe = probe(client, callback, verify_token, self.patience.slow).await;
        if let Some(known) = &self.known {
            known.lock().unwrap_or_else(PoisonError::into_inner).push(Known {
                callback: callback.clone(),
                verify_token: verify_token.clone(),
                probe: probe.clone(),
            });
        }
        Ok(probe)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::webhook::{Handshake, Problem};

    /// A receiver that answers the right verify token after a delay, and any other at once.
    async fn receiver(token: &Secret, after: Duration) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let token = token.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.expect("a head"));
                }
                let head = String::from_utf8(head).expect("text");
                let query = head.split(['?', ' ']).nth(2).expect("a query");
                let asked = Handshake::read(query).expect("a handshake");
                let answer = if asked.names(&token) {
                    tokio::time::sleep(after).await;
                    format!("200 OK\r\nContent-Length: {}\r\n\r\n{}", asked.challenge.len(), asked.challenge)
                } else {
                    "403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_owned()
                };
                // The client may have disconnected.
                let _ = stream.write_all(format!("HTTP/1.1 {answer}").as_bytes()).await;
            }
        });
        Url::parse(&url).expect("a URL")
    }

    async fn asked(after: Duration, patience: Patience) -> Option<Problem> {
        let token = Secret::new("verify0123456789");
        let url = receiver(&token, after).await;
        let prober = Prober { patience, ..Prober::new(None) };
        prober.ask(&url, &token).await.expect("a client").problem
    }

    #[tokio::test]
    async fn slow_receivers_are_warned_of_and_then_given_up() {
        const SHORT: Duration = Duration::from_millis(200);
        const LONG: Duration = Duration::from_secs(60);
        let found = asked(SHORT, Patience { slow: SHORT, limit: LONG }).await;
        assert!(matches!(found, Some(Problem::Slow { took }) if took >= SHORT), "{found:?}");
        assert!(found.is_some_and(|problem| problem.is_warning()));
        assert_eq!(asked(Duration::ZERO, Patience { slow: LONG, limit: LONG }).await, None);
        let found = asked(LONG, Patience { slow: SHORT, limit: SHORT }).await;
        assert_eq!(found, Some(Problem::Timeout));
        assert!(!found.is_some_and(|problem| problem.is_warning()));
    }

    #[test]
    fn metas_limit_is_five_seconds() {
        let patience = Patience::default();
        assert_eq!((patience.slow.as_secs(), patience.limit.as_secs()), (3, 5));
    }
}
