//! What is done with what the receiver hears, one thing after the other.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::Listened;
use super::forward::{self, Forwarded};
use super::screen::Screen;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::webhook::console::Console;
use crate::cli::webhook::console::script::{Line, Typed as Command};
use crate::secrets::{Secret, SecretKind};
use crate::ui::typed::Typed;
use crate::webhook::{Handshake, Heard, Notification, Refusal, Seen, events};

/// What a script waits for, unless it says otherwise.
const WITHIN: Duration = Duration::from_secs(30);

/// Verify tokens are read again when an unknown one is named: so often within this
/// time and no more, since anybody can ask.
const READS: (usize, Duration) = (10, Duration::from_secs(10));

/// Refusals of one kind are shown at most so often: anybody can cause them.
const SHOW_AGAIN: Duration = Duration::from_secs(1);

/// Where everything that is heard comes together.
pub struct Hall<'a> {
    ctx: &'a Context,
    screen: &'a Screen<'a>,
    listened: &'a [Listened],
    console: Option<Console<'a>>,
    forward: Option<Passing>,
    tokens: Vec<Secret>,
    tokens_read: VecDeque<Instant>,
    seen: Seen,
    count: Count,
    refused: BTreeMap<String, (u64, Option<Instant>)>,
}

struct Passing {
    to: String,
    target: Option<forward::Target>,
    waiting: Option<mpsc::UnboundedSender<Notification>>,
}

#[derive(Default)]
struct Count {
    events: u64,
    again: u64,
    refused: u64,
}

impl<'a> Hall<'a> {
    /// A hall for these accounts.
    pub fn new(
        ctx: &'a Context,
        screen: &'a Screen<'a>,
        listened: &'a [Listened],
        console: Option<Console<'a>>,
        forward: Option<forward::Target>,
    ) -> Self {
        let forward = forward.map(|target| Passing { to: target.shown(), target: Some(target), waiting: None });
        Self {
            ctx,
            screen,
            listened,
            console,
            forward,
            tokens: Vec::new(),
            tokens_read: VecDeque::new(),
            seen: Seen::default(),
            count: Count::default(),
            refused: BTreeMap::new(),
        }
    }

    /// What the console says at the start.
    pub fn opening(&self) -> Option<String> {
        self.console.as_ref().map(Console::opening)
    }

    /// Works until somebody stops it, or the script is at its end.
    pub async fn run(
        mut self,
        mut heard: mpsc::UnboundedReceiver<Heard>,
        mut typed: Option<mpsc::UnboundedReceiver<Typed>>,
        script: Option<Vec<(usize, Line)>>,
    ) -> Result<u8, CliError> {
        let mut script = script.map(Script::new);
        let (send_done, mut forwarded) = mpsc::unbounded_channel::<Forwarded>();
        if let Some(passing) = &mut self.forward
            && let Some(target) = passing.target.take()
        {
            let (send, waiting) = mpsc::unbounded_channel();
            passing.waiting = Some(send);
            tokio::spawn(target.run(waiting, send_done.clone()));
        }
        let stopped = crate::serve::stopped();
        let mut stopped = std::pin::pin!(stopped);
        loop {
            let mut next = self.console.as_ref().and_then(Console::due_in);
            if let (Some(script), Some(console)) = (&mut script, &mut self.console) {
                match script.go_on(console).await {
                    Step::Waits(time) => next = Some(time),
                    Step::Ended(Ok(())) => break,
                    Step::Ended(Err(error)) => {
                        self.say_goodbye();
                        return Err(error);
                    }
                }
            }
            let due = async {
                match next {
                    Some(time) => tokio::time::sleep(time).await,
                    None => std::future::pending().await,
                }
            };
            let line = async {
                match &mut typed {
                    Some(typed) => typed.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(heard) = heard.recv() => self.hear(heard).await,
                line = line => match line {
                    Some(Typed::Line(line)) => {
                        let Some(console) = &mut self.console else { continue };
                        if !console.typed(&line).await {
                            break;
                        }
                    }
                    Some(Typed::End) if !self.ctx.stdin_is_terminal => {
                        self.ctx.output.notice("nothing more can be typed; listening goes on until Ctrl-C");
                        typed = None;
                    }
                    Some(Typed::End | Typed::Interrupted) | None => break,
                },
                Some(forwarded) = forwarded.recv() => self.say_forwarded(&forwarded),
                () = due => if let (Some(console), None) = (&mut self.console, &script) {
                    console.tick().await;
                },
                () = &mut stopped => break,
            }
        }
        self.say_goodbye();
        Ok(0)
    }

    async fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Handshake(asked, answer) => {
                let right = self.knows(&asked);
                // Whoever asked may be gone.
                let _ = answer.send(right);
                let line = if right {
                    "handshake: right verify token, the challenge was repeated"
                } else {
                    "handshake: wrong verify token, refused with 403"
                };
                self.note("handshake", line, &json!({ "accepted": right }));
            }
            Heard::Notification(notification) => self.take(notification).await,
            Heard::Refused(refusal) => self.refuse(refusal),
        }
    }

    /// Whether a handshake names a verify token of ours. They are read when it is
    /// needed, so that one that was just made is known.
    fn knows(&mut self, asked: &Handshake) -> bool {
        if self.tokens.iter().any(|token| asked.names(token)) {
            return true;
        }
        self.tokens_read.retain(|read| read.elapsed() < READS.1);
        if self.tokens_read.len() >= READS.0 {
            return false;
        }
        self.tokens_read.push_back(Instant::now());
        self.ctx.stores().file().forget();
        let read = |listened: &Listened| match self.ctx.secret(&listened.account, SecretKind::VerifyToken) {
            Ok(token) => token,
            Err(error) => {
                let name = &listened.account.name;
                self.ctx.output.warning(&format!("the verify token of '{name}' could not be read: {error}"));
                None
            }
        };
        self.tokens = self.listened.iter().filter_map(read).collect();
        self.tokens.iter().any(|token| asked.names(token))
    }

    async fn take(&mut self, notification: Notification) {
        for event in events(&notification.value) {
            if event.name().is_some_and(|name| !self.seen.is_new(&name)) {
                self.count.again += 1;
                continue;
            }
            self.count.events += 1;
            let account = self
                .listened
                .iter()
                .find(|listened| listened.account.page_id.as_str() == event.page_id)
                .filter(|_| notification.pages.contains(&event.page_id));
            match (account, &mut self.console) {
                (Some(_), Some(console)) => console.hear(&event).await,
                (account, _) => {
                    let name = account.map(|listened| listened.account.name.as_str());
                    self.screen.event(&event, name, self.ctx.clock.now());
                }
            }
            if account.is_none() && !event.page_id.is_empty() {
                let line = format!("page {} is of none of the accounts that are listened for", event.page_id);
                let line = super::line::harmless(&line);
                self.note("other_page", &line, &json!({ "page_id": event.page_id }));
            }
        }
        if let Some(waiting) = self.forward.as_ref().and_then(|passing| passing.waiting.as_ref()) {
            // It ends with the listener.
            let _ = waiting.send(notification);
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.count.refused += 1;
        let what = refusal.to_string();
        let (count, shown) = self.refused.entry(what.clone()).or_default();
        *count += 1;
        if shown.is_some_and(|shown| shown.elapsed() < SHOW_AGAIN) {
            return;
        }
        *shown = Some(Instant::now());
        let times = if *count == 1 { String::new() } else { format!(" ({count} so far)") };
        let (line, details) = (format!("refused: {what}{times}"), json!({"why": what, "count": count}));
        self.note("refused", &line, &details);
    }

    fn say_forwarded(&self, forwarded: &Forwarded) {
        let Some(passing) = &self.forward else { return };
        let ms = u64::try_from(forwarded.duration.as_millis()).unwrap_or(u64::MAX);
        let (words, details) = match forwarded.status {
            Ok(status) => (format!("HTTP {status}"), json!({"status": status, "duration_ms": ms})),
            Err(fault) => (fault.to_string(), json!({"error": fault.to_string(), "duration_ms": ms})),
        };
        self.note("forwarded", &format!("  passed on to {}: {words}, {ms} ms", passing.to), &details);
    }

    fn note(&self, kind: &str, line: &str, details: &Value) {
        self.screen.note(self.ctx.clock.now(), kind, line, details);
    }

    fn say_goodbye(&self) {
        let Count { events, again, refused } = self.count;
        let reasons: Vec<String> = self.refused.iter().map(|(what, (count, _))| format!("{count} {what}")).collect();
        let why = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) };
        let line = format!("stopped: {events} events, {again} sent again by Meta, {refused} refused{why}");
        if self.ctx.output.json {
            self.note("stopped", "", &json!({"events": events, "duplicates": again, "refused": refused}));
        } else {
            self.ctx.output.notice(&line);
        }
    }
}

/// A script on its way.
struct Script {
    lines: std::vec::IntoIter<(usize, Line)>,
    waiting: Option<(usize, Line, Instant)>,
    within: Duration,
}

enum Step {
    Waits(Duration),
    Ended(Result<(), CliError>),
}

impl Script {
    fn new(lines: Vec<(usize, Line)>) -> Self {
        Self { lines: lines.into_iter(), waiting: None, within: WITHIN }
    }

    /// Does every line that can be done now.
    async fn go_on(&mut self, console: &mut Console<'_>) -> Step {
        loop {
            if let Some(error) = console.refused() {
                return Step::Ended(Err(error.context("the script ends here, since a message was not sent")));
            }
            let (number, line, until) = match self.waiting.take() {
                Some(waiting) => waiting,
                None => match self.lines.next() {
                    Some((number, line)) => (number, line, Instant::now() + self.within),
                    None => return Step::Ended(Ok(())),
                },
            };
            let failed = |why: String| Step::Ended(Err(CliError::check(format!("line {number} of the script: {why}"))));
            match &line {
                Line::Within(time) => self.within = *time,
                Line::Wait(time) => console.pass(*time).await,
                Line::Typed(Command::Quit) => return Step::Ended(Ok(())),
                Line::Typed(typed) => {
                    if let Err(why) = console.act(typed).await {
                        return failed(why.to_string());
                    }
                }
                Line::Expect(expected) => {
                    if !console.has_happened(expected) {
                        let left = until.saturating_duration_since(Instant::now());
                        if left.is_zero() {
                            return failed(format!("{expected:?} did not come within {:?}", self.within));
                        }
                        self.waiting = Some((number, line, until));
                        return Step::Waits(left);
                    }
                }
            }
        }
    }
}
