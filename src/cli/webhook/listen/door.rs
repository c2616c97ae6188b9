//! What happens at the door: handshakes, and whatever is not let in. It is watched
//! beside everything else, since Meta waits some seconds for a handshake and no longer.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::Listened;
use crate::cli::context::Context;
use crate::cli::webhook::screen::Screen;
use crate::secrets::{Secret, SecretKind};
use crate::webhook::{AtDoor, Handshake, Refusal};

/// Verify tokens are read again when an unknown one is named. Anybody can name one, so
/// there is a pause between two reads, which grows as long as nothing new is found.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest pause: Meta waits about 6 s.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// Refusals of one kind are shown at most so often: anybody can cause them.
const SHOW_AGAIN: Duration = Duration::from_secs(1);

/// The door.
pub struct Door<'a> {
    ctx: &'a Context,
    screen: &'a Screen<'a>,
    listened: &'a [Listened],
    /// As they were last read, an account each.
    tokens: Vec<Option<Secret>>,
    read: Option<Instant>,
    pause: Duration,
    refused: BTreeMap<String, (u64, Option<Instant>)>,
}

impl<'a> Door<'a> {
    /// A door for these accounts.
    pub fn new(ctx: &'a Context, screen: &'a Screen<'a>, listened: &'a [Listened]) -> Self {
        let tokens = vec![None; listened.len()];
        Self { ctx, screen, listened, tokens, read: None, pause: PAUSE, refused: BTreeMap::new() }
    }

    /// How many were not let in.
    pub fn refused(&self) -> u64 {
        self.refused.values().map(|(count, _)| count).sum()
    }

    /// The same by reason.
    pub fn reasons(&self) -> String {
        let reasons: Vec<String> = self.refused.iter().map(|(what, (count, _))| format!("{count} {what}")).collect();
        reasons.join("; ")
    }

    /// Watches it until nobody can come any more.
    pub async fn watch(&mut self, comers: &mut mpsc::Receiver<AtDoor>) {
        while let Some(first) = comers.recv().await {
            let mut asking = Vec::new();
            let mut next = Some(first);
            // All who wait by now are answered after one read.
            while let Some(comer) = next {
                match comer {
                    AtDoor::Refused(refusal) => self.refuse(refusal),
                    AtDoor::Handshake(asked, answer) if self.knows(&asked) => self.let_in(answer),
                    AtDoor::Handshake(asked, answer) => asking.push((asked, answer)),
                }
                next = comers.try_recv().ok();
            }
            if asking.is_empty() {
                continue;
            }
            if let Some(read) = self.read {
                tokio::time::sleep(self.pause.saturating_sub(read.elapsed())).await;
            }
            self.read_tokens();
            for (asked, answer) in asking {
                if self.knows(&asked) {
                    self.let_in(answer);
                } else {
                    // The listener says so at this door itself.
                    let _ = answer.send(false);
                }
            }
        }
    }

    /// Counts what was refused and not looked at yet; nobody can come any more.
    pub fn finish(&mut self, comers: &mut mpsc::Receiver<AtDoor>) {
        while let Ok(comer) = comers.try_recv() {
            if let AtDoor::Refused(refusal) = comer {
                self.refuse(refusal);
            }
        }
    }

    fn knows(&self, asked: &Handshake) -> bool {
        self.tokens.iter().flatten().any(|token| asked.names(token))
    }

    fn let_in(&self, answer: oneshot::Sender<bool>) {
        // Whoever asked may be gone.
        let _ = answer.send(true);
        let line = "handshake: right verify token, the challenge was repeated";
        self.screen.note(self.ctx.clock.now(), "handshake", line, &json!({"accepted": true}));
    }

    /// Reads the tokens when they are needed, so that one that was just made is known.
    /// A store that does not answer takes none away.
    fn read_tokens(&mut self) {
        self.ctx.stores().file().forget();
        let mut new = false;
        for (listened, known) in self.listened.iter().zip(&mut self.tokens) {
            match self.ctx.secret(&listened.account, SecretKind::VerifyToken) {
                Ok(token) => {
                    new |= token != *known;
                    *known = token;
                }
                Err(error) => {
                    let name = &listened.account.name;
                    self.ctx.output.warning(&format!("the verify token of '{name}' could not be read: {error}"));
                }
            }
        }
        self.pause = if new { PAUSE } else { (self.pause * 2).min(LONGEST_PAUSE) };
        self.read = Some(Instant::now());
    }

    fn refuse(&mut self, refusal: Refusal) {
        let what = refusal.to_string();
        let (count, shown) = self.refused.entry(what.clone()).or_default();
        *count += 1;
        if shown.is_some_and(|shown| shown.elapsed() < SHOW_AGAIN) {
            return;
        }
        *shown = Some(Instant::now());
        let times = if *count == 1 { String::new() } else { format!(" ({count} so far)") };
        let (line, details) = (format!("refused: {what}{times}"), json!({"why": what, "count": count}));
        self.screen.note(self.ctx.clock.now(), "refused", &line, &details);
    }
}
