//! What is done with events, one after the other.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Listened;
use super::forward::{self, Forwarded};
use super::play::{Script, Step};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::webhook::console::Console;
use crate::cli::webhook::screen::Screen;
use crate::text::harmless;
use crate::webhook::{Notification, Seen, events};

/// How long events that were taken may need to be passed on once it is to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where events come together.
pub struct Hall<'a> {
    ctx: &'a Context,
    screen: &'a Screen<'a>,
    listened: &'a [Listened],
    console: Option<Console<'a>>,
    forward: Option<Passing>,
    seen: Seen,
    /// How many were taken.
    pub events: u64,
    /// How many Meta had sent before.
    pub again: u64,
}

/// Passing events on.
struct Passing {
    to: String,
    waiting: Option<mpsc::UnboundedSender<Notification>>,
    done: mpsc::UnboundedReceiver<Forwarded>,
    task: JoinHandle<()>,
    left: u64,
}

impl Passing {
    fn start(target: forward::Target) -> Self {
        let to = target.shown();
        let (waiting, next) = mpsc::unbounded_channel();
        let (tell, done) = mpsc::unbounded_channel();
        Self { to, waiting: Some(waiting), done, task: tokio::spawn(target.run(next, tell)), left: 0 }
    }
}

impl<'a> Hall<'a> {
    /// A hall for these accounts; it has to be made where tasks can be started.
    pub fn new(
        ctx: &'a Context,
        screen: &'a Screen<'a>,
        listened: &'a [Listened],
        console: Option<Console<'a>>,
        forward: Option<forward::Target>,
    ) -> Self {
        let forward = forward.map(Passing::start);
        Self { ctx, screen, listened, console, forward, seen: Seen::default(), events: 0, again: 0 }
    }

    /// What the console says at the start.
    pub fn opening(&self) -> Option<String> {
        self.console.as_ref().map(Console::opening)
    }

    /// How many conversations are under way.
    pub fn open(&self) -> usize {
        self.console.as_ref().map_or(0, Console::open)
    }

    /// Works until somebody who types wants to stop, the script is at its end, or nobody
    /// reads what is shown any more.
    pub async fn work(
        &mut self,
        notifications: &mut mpsc::UnboundedReceiver<Notification>,
        mut typed: Option<mpsc::UnboundedReceiver<String>>,
        mut script: Option<Script>,
    ) -> Result<(), CliError> {
        while !self.ctx.output.is_closed() {
            let mut next = self.console.as_ref().and_then(Console::due_in);
            if let (Some(script), Some(console)) = (&mut script, &mut self.console) {
                match script.go_on(console).await {
                    Step::Waits(time) => next = Some(time),
                    Step::Ended(ended) => return ended,
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
            let passed_on = async {
                match &mut self.forward {
                    Some(passing) => passing.done.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(notification) = notifications.recv() => self.take(notification, true).await,
                line = line => match (line, &mut self.console) {
                    (Some(line), Some(console)) => if !console.typed(&line).await {
                        return Ok(());
                    },
                    _ => typed = None,
                },
                Some(forwarded) = passed_on => self.say_forwarded(&forwarded),
                () = due => if let (Some(console), None) = (&mut self.console, &script) {
                    console.tick().await;
                },
            }
        }
        Ok(())
    }

    /// Shows what was answered 200 and not worked on yet, and waits until it is passed on.
    pub async fn finish(&mut self, notifications: &mut mpsc::UnboundedReceiver<Notification>) {
        while let Ok(notification) = notifications.try_recv() {
            self.take(notification, false).await;
        }
        let Some(passing) = &mut self.forward else { return };
        passing.waiting = None;
        let end = tokio::time::sleep(PATIENCE);
        let mut end = std::pin::pin!(end);
        loop {
            let Some(passing) = &mut self.forward else { return };
            tokio::select! {
                forwarded = passing.done.recv() => match forwarded {
                    Some(forwarded) => self.say_forwarded(&forwarded),
                    None => return,
                },
                () = &mut end => break,
                () = crate::serve::stopped() => break,
            }
        }
        if let Some(passing) = &self.forward
            && passing.left > 0
        {
            passing.task.abort();
            self.ctx.output.warning(&format!("{} events were not passed on to {}", passing.left, passing.to));
        }
    }

    /// Takes one in. At the end nothing is asked of Graph any more: then it is only shown.
    async fn take(&mut self, notification: Notification, open: bool) {
        for event in events(&notification.value) {
            if event.name().is_some_and(|name| !self.seen.is_new(&name)) {
                self.again += 1;
                continue;
            }
            self.events += 1;
            let account = self
                .listened
                .iter()
                .find(|listened| event.is_of_a_page() && listened.account.page_id.as_str() == event.page_id)
                .filter(|_| notification.pages.contains(&event.page_id));
            match (account, &mut self.console) {
                (Some(_), Some(console)) if open => console.hear(&event).await,
                (account, _) => {
                    let name = account.map(|listened| listened.account.name.as_str());
                    self.screen.event(&event, name, self.ctx.clock.now());
                }
            }
            if account.is_none() && event.is_of_a_page() && !event.page_id.is_empty() {
                let line = format!("page {} does not belong to any account being listened for", event.page_id);
                let line = harmless(&line);
                self.note("other_page", &line, &json!({ "page_id": event.page_id }));
            }
        }
        if let Some(passing) = &mut self.forward
            && passing.waiting.as_ref().is_some_and(|waiting| waiting.send(notification).is_ok())
        {
            passing.left += 1;
        }
    }

    fn say_forwarded(&mut self, forwarded: &Forwarded) {
        let Some(passing) = &mut self.forward else { return };
        passing.left = passing.left.saturating_sub(1);
        let ms = u64::try_from(forwarded.duration.as_millis()).unwrap_or(u64::MAX);
        let to = &passing.to;
        let (line, details) = match forwarded.status {
            Ok(status @ 200..=299) => {
                (format!("  passed on to {to}: HTTP {status}, {ms} ms"), json!({"status": status, "duration_ms": ms}))
            }
            Ok(status) => (
                format!("  passed on to {to}, which does not take it: HTTP {status}, {ms} ms"),
                json!({"status": status, "duration_ms": ms}),
            ),
            Err(fault) => {
                (format!("  not passed on to {to}: {fault}"), json!({"error": fault.to_string(), "duration_ms": ms}))
            }
        };
        self.note("forwarded", &line, &details);
    }

    fn note(&self, kind: &str, line: &str, details: &Value) {
        self.screen.note(self.ctx.clock.now(), kind, line, details);
    }
}
