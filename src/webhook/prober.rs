//! The clients of the probe, made when the first callback is asked.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use tokio::sync::Semaphore;
use url::Url;

use super::probe::{LIMIT, Probe, probe};
use crate::address::is_loopback;
use crate::http::{Client, Settings, SetupError};
use crate::secrets::Secret;

/// How many callbacks are asked at the same time: many may be one receiver.
const AT_ONCE: usize = 8;

/// Asks callbacks as Meta would.
pub struct Prober {
    /// Certificates to trust beside the system's, as PEM text, and where they are from.
    ca_bundle: Option<(PathBuf, Vec<u8>)>,
    here: OnceLock<Client>,
    elsewhere: OnceLock<Client>,
    turns: Semaphore,
    /// What came of those that were asked, where each is asked once.
    known: Option<Mutex<Vec<Known>>>,
}

struct Known {
    callback: Url,
    verify_token: Secret,
    probe: Probe,
}

impl Prober {
    /// One that trusts these certificates beside the system's.
    pub fn new(ca_bundle: Option<(PathBuf, Vec<u8>)>) -> Self {
        Self {
            ca_bundle,
            here: OnceLock::new(),
            elsewhere: OnceLock::new(),
            turns: Semaphore::new(AT_ONCE),
            known: None,
        }
    }

    /// The same for a look at many accounts: what several share is asked once.
    #[must_use]
    pub fn asking_once(self) -> Self {
        Self { known: Some(Mutex::default()), ..self }
    }

    fn known(&self, callback: &Url, verify_token: &Secret) -> Option<Probe> {
        let known = self.known.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |known: &&Known| known.callback == *callback && known.verify_token == *verify_token;
        known.iter().find(same).map(|known| known.probe.clone())
    }

    /// Asks one callback, with the right token and with a wrong one.
    pub async fn ask(&self, callback: &Url, verify_token: &Secret) -> Result<Probe, SetupError> {
        let loopback = is_loopback(callback);
        let place = if loopback { &self.here } else { &self.elsewhere };
        if place.get().is_none() {
            let settings = Settings { timeout: LIMIT, ca_bundle: self.ca_bundle.clone(), loopback };
            // Another one may have been first; either will do.
            let _ = place.set(Client::new(&settings)?);
        }
        let client = place.get().unwrap_or_else(|| unreachable!("it was just set"));
        // Never closed: there is always a turn to come.
        let _turn = self.turns.acquire().await;
        if let Some(known) = self.known(callback, verify_token) {
            return Ok(known);
        }
        let probe = probe(client, callback, verify_token).await;
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
