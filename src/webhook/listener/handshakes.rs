//! Handshakes: a known verify token is answered at once, an unknown one late. Strangers can send
//! any token; the delay slows down guessing.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};

use crate::secrets::Secret;
use crate::webhook::challenge::Handshake;

/// How long an unknown token waits for its refusal, or for the stores to be read.
const LATE: Duration = Duration::from_secs(1);
/// The same while the stores are being read: Meta waits about 5 s.
const WHILE_READING: Duration = Duration::from_secs(4);

/// The known verify tokens, set by the part that reads the stores.
#[derive(Clone)]
pub struct VerifyTokens(watch::Sender<Known>);

#[derive(Default)]
struct Known {
    tokens: Vec<Secret>,
    is_reading: bool,
}

impl VerifyTokens {
    /// Marks the stores as being read: an unknown token may turn out to be right.
    pub fn is_reading(&self) {
        self.0.send_modify(|known| known.is_reading = true);
    }

    /// Sets the known tokens.
    pub fn are(&self, tokens: Vec<Secret>) {
        self.0.send_replace(Known { tokens, is_reading: false });
    }
}

/// Judges handshakes.
pub(super) struct Gate {
    known: VerifyTokens,
    unknown: mpsc::Sender<()>,
}

impl Gate {
    /// A gate that knows no token yet; the receiver gets a signal for each unknown token.
    pub(super) fn new() -> (Self, VerifyTokens, mpsc::Receiver<()>) {
        let known = VerifyTokens(watch::Sender::new(Known { tokens: Vec::new(), is_reading: true }));
        let (unknown, named) = mpsc::channel(1);
        (Self { known: known.clone(), unknown }, known, named)
    }

    fn knows(&self, asked: &Handshake) -> bool {
        self.known.0.borrow().names(asked)
    }

    /// Whether the token is right. A known one is answered at once.
    pub(super) async fn is_right(&self, asked: &Handshake) -> bool {
        if self.knows(asked) {
            return true;
        }
        // One signal is enough for any number of requests.
        let _ = self.unknown.try_send(());
        let start = Instant::now();
        let mut known = self.known.0.subscribe();
        let is_known = timeout(LATE, known.wait_for(|known| known.names(asked))).await.is_ok();
        if is_known {
            return true;
        }
        let read = known.wait_for(|known| known.names(asked) || !known.is_reading);
        let _ = timeout_at(start + WHILE_READING, read).await;
        self.knows(asked)
    }
}

impl Known {
    fn names(&self, asked: &Handshake) -> bool {
        // All are compared, so that the time taken reveals nothing.
        self.tokens.iter().fold(false, |found, token| found | asked.names(token))
    }
}
