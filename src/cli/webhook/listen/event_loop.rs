//! Handles events one at a time; each is answered once it is safe.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::play::{Script, Step};
use crate::channel::Channel;
use crate::checks::Outcome;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::webhook::console::Console;
use crate::cli::webhook::screen::Screen;
use crate::operations::accounts::bulk::Tests;
use crate::operations::accounts::test::WARN_DAYS;
use crate::operations::listen::forward::{self, Forwarded};
use crate::operations::listen::{APPLICATION, Listened};
use crate::text::harmless;
use crate::webhook::{Notification, Seen};

/// At the end: how long events may take to be written before Meta is asked to send them
/// again.
const TO_WRITE: Duration = Duration::from_millis(1200);
/// At the end: how long forwarding may take.
const TO_FORWARD: Duration = Duration::from_millis(2500);

pub struct EventLoop<'a> {
    ctx: &'a Context,
    screen: &'a Screen<'a>,
    listened: &'a [Listened],
    console: Option<Console<'a>>,
    forward: Option<Passing>,
    seen: Seen,
    /// Set once unwritten events are given up.
    gives_up: watch::Sender<bool>,
    pub events: u64,
    /// How many events Meta had sent before.
    pub again: u64,
}

struct Passing {
    to: String,
    waiting: mpsc::UnboundedSender<Notification>,
    done: mpsc::UnboundedReceiver<Forwarded>,
    task: JoinHandle<()>,
    left: u64,
    /// How many the receiver refused.
    refused: u64,
}

impl Passing {
    fn start(target: forward::Target) -> Self {
        let to = target.shown();
        let (waiting, next) = mpsc::unbounded_channel();
        let (tell, done) = mpsc::unbounded_channel();
        Self { to, waiting, done, task: tokio::spawn(target.run(next, tell)), left: 0, refused: 0 }
    }
}

impl<'a> EventLoop<'a> {
    /// Must be called inside a runtime.
    pub fn new(
        ctx: &'a Context,
        screen: &'a Screen<'a>,
        listened: &'a [Listened],
        console: Option<Console<'a>>,
        forward: Option<forward::Target>,
    ) -> Self {
        let forward = forward.map(Passing::start);
        let gives_up = watch::Sender::new(false);
        Self { ctx, screen, listened, console, forward, seen: Seen::default(), gives_up, events: 0, again: 0 }
    }

    /// What the console prints at the start.
    pub fn opening(&self) -> Option<String> {
        self.console.as_ref().map(Console::opening)
    }

    /// What was not forwarded, in words; `None` if all was.
    pub fn not_forwarded(&self) -> Option<String> {
        let passing = self.forward.as_ref()?;
        let count = passing.refused + passing.left;
        let sent = "Meta does not send again what was written here";
        (count > 0).then(|| format!("{count} of the notifications were not passed on to {}; {sent}", passing.to))
    }

    pub fn open(&self) -> usize {
        self.console.as_ref().map_or(0, Console::open)
    }

    /// Works until the operator quits or the script ends.
    pub async fn work(
        &mut self,
        notifications: &mut mpsc::UnboundedReceiver<Notification>,
        mut typed: Option<mpsc::UnboundedReceiver<String>>,
        mut script: Option<Script>,
    ) -> Result<(), CliError> {
        loop {
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
    }

    /// Ends within seconds: handles what has arrived until the server ends. An event that is not
    /// written in time is answered 503, and Meta sends it again.
    pub async fn finish(
        &mut self,
        notifications: &mut mpsc::UnboundedReceiver<Notification>,
        mut server: JoinHandle<std::io::Result<()>>,
    ) {
        let start = Instant::now();
        let mut is_served = false;
        loop {
            let is_passed_on = self.forward.as_ref().is_none_or(|passing| passing.left == 0);
            if is_served && is_passed_on {
                return;
            }
            let passed_on = async {
                match &mut self.forward {
                    Some(passing) if !is_passed_on => passing.done.recv().await,
                    _ => std::future::pending().await,
                }
            };
            let gives_up = *self.gives_up.borrow();
            tokio::select! {
                Some(notification) = notifications.recv(), if !is_served => self.take(notification, false).await,
                Some(forwarded) = passed_on => self.say_forwarded(&forwarded),
                _ = &mut server, if !is_served => is_served = true,
                () = sleep_until(start + TO_WRITE), if !gives_up => drop(self.gives_up.send_replace(true)),
                () = sleep_until(start + TO_FORWARD), if is_served => break,
                () = crate::leaving::stopped() => break,
            }
        }
        if let Some(passing) = &self.forward {
            passing.task.abort();
        }
    }

    /// Answers 200 once everything printed so far is written; until then it counts as waiting.
    fn answer(&self, notification: &Notification) {
        let answer = notification.answer.clone();
        let Some(receipt) = self.ctx.output.receipt() else { return answer.is_safe() };
        let (mut gives_up, waiting) = (self.gives_up.subscribe(), notification.waiting.clone());
        tokio::spawn(async move {
            let _waiting = waiting;
            tokio::select! {
                written = receipt.written() => if written.is_ok() {
                    answer.is_safe();
                },
                _ = gives_up.wait_for(|gives_up| *gives_up) => answer.is_lost(),
            }
        });
    }

    /// Handles one notification. At the end it is only printed, without calls to Graph.
    async fn take(&mut self, notification: Notification, open: bool) {
        for event in notification.events() {
            if event.name().is_some_and(|name| !self.seen.is_new(&name)) {
                self.again += 1;
                continue;
            }
            self.events += 1;
            let account = self
                .listened
                .iter()
                .find(|Listened { account, .. }| {
                    event.is_of(account.channel.webhook_object()) && account.page_id.as_str() == event.page_id
                })
                .filter(|_| notification.pages.contains(&event.page_id));
            match (account, &mut self.console) {
                (Some(_), Some(console)) if open => console.hear(&event).await,
                (account, _) => {
                    let name = account.map(|listened| listened.account.name.as_str());
                    self.screen.event(&event, name);
                }
            }
            let is_of_a_channel = Channel::ALL.iter().any(|channel| event.is_of(channel.webhook_object()));
            if account.is_none() && is_of_a_channel && !event.page_id.is_empty() {
                let line = format!("page {} does not belong to any account being listened for", event.page_id);
                self.note("other_page", &harmless(&line), json!({ "page_id": event.page_id }));
            }
        }
        let is_of_the_app = notification.events().iter().any(|event| event.is_of(APPLICATION));
        let pages = notification.pages.clone();
        self.answer(&notification);
        if let Some(passing) = &mut self.forward
            && passing.waiting.send(notification).is_ok()
        {
            passing.left += 1;
        }
        if open && is_of_the_app {
            self.test(&pages).await;
        }
    }

    /// Tests the accounts of an app that something happened to.
    async fn test(&self, pages: &[String]) {
        let is_concerned = |listened: &&Listened| pages.iter().any(|page| page == listened.account.page_id.as_str());
        let accounts: Vec<_> = self.listened.iter().filter(is_concerned).map(|it| it.account.clone()).collect();
        let several = accounts.len() > 1;
        let tested = match Tests::prepare(self.ctx, WARN_DAYS) {
            Ok(tests) => {
                let run = tests.run(accounts, several, Duration::ZERO, |account, report| {
                    let found = report.map_or(Outcome::Unreachable, |report| report.outcome());
                    let line = format!("tested '{}', as its app has changed: {found}", account.name);
                    self.note("tested", &line, json!({"account": account.handle, "outcome": found.to_string()}));
                });
                run.await.map(drop)
            }
            Err(error) => Err(error),
        };
        if let Err(error) = tested {
            self.ctx.output.warning(error.message());
        }
    }

    fn say_forwarded(&mut self, forwarded: &Forwarded) {
        let Some(passing) = &mut self.forward else { return };
        passing.left = passing.left.saturating_sub(1);
        passing.refused += u64::from(!matches!(forwarded.status, Ok(200..=299)));
        let ms = u64::try_from(forwarded.duration.as_millis()).unwrap_or(u64::MAX);
        let to = &passing.to;
        let line = match forwarded.status {
            Ok(status @ 200..=299) => format!("  passed on to {to}: HTTP {status}, {ms} ms"),
            Ok(status) => format!("  not passed on to {to}, which answered HTTP {status}, {ms} ms"),
            Err(fault) => format!("  not passed on to {to}: {fault}"),
        };
        let (status, error) = (forwarded.status.ok(), forwarded.status.err().map(|fault| fault.to_string()));
        let details = json!({"status": status, "error": error, "duration_ms": ms});
        self.note("forwarded", &line, details);
    }

    fn note(&self, kind: &str, line: &str, details: Value) {
        self.screen.note(kind, None, line, details);
    }
}
