//! The console: the operator at the terminal, or a script, plays the contact centre. The desk
//! decides what happens; this module sends it with the Send API and prints it, with the
//! reason for anything not sent.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::line::{said, words};
use super::screen::Screen;
use crate::checks::causes::{self, Place};
use crate::checks::of_unreachable;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::clock::Clock;
use crate::graph::endpoints::message::{self, Reason};
use crate::graph::{Client, GraphError};
use crate::messages::desk::{Desk, Effect, NoSession};
use crate::messages::{Event as ChatEvent, MessageText};
use crate::operations::listen::script::{self, Expected, Typed};
use crate::operations::webhooks::Target;
use crate::text::harmless;
use crate::webhook::{Event, Kind};

pub const HELP: &str = "\
a line        is sent to the customer you have taken
/take [WHO]   take the customer who has waited longest, or the one with this name or id
/leave        leave the conversation; the customer waits for the next agent
/end          end the conversation
/list         who is there
/quit         stop listening (Ctrl-C, Ctrl-D)
//TEXT        send a text that begins with a slash";

/// How many sent messages are kept, to tell which was delivered.
const REMEMBERED: usize = 200;

/// How long to wait for a customer's name; then the id is shown.
const NAME_TIME: Duration = Duration::from_secs(2);

/// The contact centre's side of an account.
pub struct Console<'a> {
    screen: &'a Screen<'a>,
    target: Target,
    client: Client,
    desk: Desk,
    clock: Clock,
    names: HashMap<String, String>,
    sent: VecDeque<(String, String)>,
    /// Kept only for scripts.
    happened: Option<VecDeque<Expected>>,
    /// The first message that Meta refused.
    refused: Option<CliError>,
}

impl<'a> Console<'a> {
    /// `clock` is moved by a script.
    pub fn new(
        ctx: &Context,
        screen: &'a Screen<'a>,
        target: Target,
        clock: Clock,
        scripted: bool,
    ) -> Result<Self, CliError> {
        let desk = Desk::new(target.account.messages.clone(), ctx.chat_settings()?.load()?);
        let client = ctx.graph()?;
        Ok(Self {
            screen,
            target,
            client,
            desk,
            clock,
            names: HashMap::new(),
            sent: VecDeque::new(),
            happened: scripted.then(VecDeque::new),
            refused: None,
        })
    }

    /// The text at the start.
    pub fn opening(&self) -> String {
        let timeout = self.desk.timeout();
        let handle = &self.target.account.handle;
        let opening = format!(
            "you are the contact centre: a customer's message opens a session; after {timeout:#} of silence it is closed"
        );
        if self.happened.is_some() {
            return opening;
        }
        format!("{opening}\n/help shows what can be typed; if nothing arrives: msgrctl webhook status {handle}")
    }

    /// Handles an event of this account's Page.
    pub async fn hear(&mut self, event: &Event) {
        let Some(psid) = event.customer().map(str::to_owned) else { return self.show_plain(event) };
        match &event.kind {
            _ if event.standby => self.show_plain(event),
            Kind::Message(message) if message.is_echo => {
                let ours = message.mid.as_ref().is_some_and(|mid| self.sent.iter().any(|(sent, _)| sent == mid));
                if !ours {
                    self.show_plain(event);
                }
            }
            Kind::Message(message) if !message.is_deleted => self.customer_says(&psid, &said(message)).await,
            Kind::Postback { .. } => self.customer_says(&psid, &words(event).1).await,
            Kind::Delivery { mids, .. } => {
                for mid in mids {
                    if let Some((_, text)) = self.sent.iter().find(|(sent, _)| sent == mid) {
                        let (who, text) = (self.name(&psid), shortened(text));
                        self.tell("delivered", &psid, &format!("  delivered to {who}: {text}"), json!({"mid": mid}));
                        self.has(Expected::Delivery);
                    }
                }
            }
            Kind::Read(_) => {
                self.tell("read", &psid, &format!("  {} has read", self.name(&psid)), json!({}));
                self.has(Expected::Read);
            }
            _ => self.show_plain(event),
        }
    }

    async fn customer_says(&mut self, psid: &str, text: &str) {
        self.learn_name(psid).await;
        let effects = self.desk.customer(psid, self.clock.now());
        self.carry_out(effects).await;
        let line = format!("{}: {text}", self.name(psid));
        self.tell("customer", psid, &line, json!({"text": text}));
        self.has(Expected::Message(text.into()));
        let waits = self.desk.sessions().iter().any(|(waiting, taken)| *waiting == psid && !taken);
        if waits && self.happened.is_none() {
            self.screen.hint("/take takes the conversation");
        }
    }

    /// Handles a typed line; `false` means quit.
    pub async fn typed(&mut self, line: &str) -> bool {
        let line = line.trim();
        let command = match line.strip_prefix('/') {
            None if line.is_empty() => return true,
            None => Some(Typed::Say(line.into())),
            Some(text) if text.starts_with('/') => Some(Typed::Say(text.into())),
            Some(command) => script::typed(command),
        };
        let Some(command) = command else {
            self.screen.hint(&format!("'{}' is not known:\n{HELP}", harmless(line)));
            return true;
        };
        if let Typed::Say(text) = &command
            && let Err(why) = text.parse::<MessageText>()
        {
            self.screen.hint(&format!("not sent: {why}"));
            return true;
        }
        if let Err(why) = self.act(&command).await {
            self.screen.hint(&why);
        }
        command != Typed::Quit
    }

    /// Does what was typed, or says why it cannot.
    pub async fn act(&mut self, typed: &Typed) -> Result<(), String> {
        let now = self.clock.now();
        let why = |why: NoSession| match why {
            NoSession::Nobody => why.to_string(),
            NoSession::NotTaken => format!("{why} (/take)"),
        };
        let effects = match typed {
            Typed::Take(who) => {
                let psid = who.as_deref().map(|who| self.named(who)).transpose()?;
                self.desk.take(psid.as_deref(), now).map_err(why)?
            }
            Typed::Say(text) => self.desk.say(text, now).map_err(why)?,
            Typed::Leave => self.desk.leave(now).map_err(why)?,
            Typed::End => self.desk.end(now).map_err(why)?,
            Typed::List => {
                self.screen.hint(&self.list());
                Vec::new()
            }
            Typed::Help => {
                self.screen.hint(HELP);
                Vec::new()
            }
            Typed::Quit => Vec::new(),
        };
        self.carry_out(effects).await;
        Ok(())
    }

    /// Does what the customer's silence has made due.
    pub async fn tick(&mut self) {
        let effects = self.desk.tick(self.clock.now());
        self.carry_out(effects).await;
    }

    /// How long until the next thing is due.
    pub fn due_in(&self) -> Option<Duration> {
        let until = self.desk.next()?.duration_since(self.clock.now());
        Some(Duration::try_from(until).unwrap_or_default())
    }

    /// Moves the clock, and does what becomes due on the way.
    pub async fn pass(&mut self, time: SignedDuration) {
        let end = self.clock.now().checked_add(time).unwrap_or(Timestamp::MAX);
        while let Some(next) = self.desk.next().filter(|next| *next <= end) {
            self.clock.advance(next.duration_since(self.clock.now()));
            self.tick().await;
        }
        self.clock.advance(end.duration_since(self.clock.now()));
    }

    /// Whether an expected event has happened; it and those before it are then removed.
    pub fn has_happened(&mut self, expected: &Expected) -> bool {
        let Some(happened) = &mut self.happened else { return false };
        let Some(at) = happened.iter().position(|happened| expected.is(happened)) else { return false };
        happened.drain(..=at);
        true
    }

    fn has(&mut self, happened: Expected) {
        if let Some(all) = &mut self.happened {
            all.push_back(happened);
        }
    }

    /// The first message that Meta refused; returned once.
    pub fn refused(&mut self) -> Option<CliError> {
        self.refused.take()
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Opened(psid) => self.of_session("opened", &psid, |name| format!("{name} opens a session")),
                Effect::Taken(psid) => self.of_session("taken", &psid, |name| format!("you have taken {name}")),
                Effect::Switched(psid) => self.of_session("switched", &psid, |name| format!("you speak to {name} now")),
                Effect::Left(psid) => {
                    self.of_session("left", &psid, |name| {
                        format!("you have left {name}, who waits for the next agent")
                    });
                }
                Effect::Closed { psid, by_silence } => {
                    let how = if by_silence { "closed after silence" } else { "closed" };
                    let line = format!("* the session with {} is {how}", self.name(&psid));
                    self.tell("session_closed", &psid, &line, json!({"by_silence": by_silence}));
                    self.has(Expected::Closed);
                }
                Effect::NotSent { psid, event, why } => {
                    let what = event.map_or("your answer", ChatEvent::id);
                    let line = format!("  {what} is not sent: {why}");
                    let details = json!({"event": event.map(ChatEvent::id), "why": why.to_string()});
                    self.tell("not_sent", &psid, &line, details);
                    if let Some(event) = event {
                        self.has(Expected::NotSent(event));
                    }
                }
                Effect::Send { psid, text, event, as_human_agent } => {
                    self.send(&psid, &text, event, as_human_agent).await;
                }
            }
        }
    }

    async fn send(&mut self, psid: &str, text: &str, event: Option<ChatEvent>, as_human_agent: bool) {
        let reason = if as_human_agent { Reason::HumanAgent } else { Reason::Response };
        let sent = message::send_text(&self.client, self.target.page(), psid, text, reason).await;
        let what = event.map_or("your answer", ChatEvent::id);
        let says = format!("{} to {}", event.map_or("you", ChatEvent::id), self.name(psid));
        match sent {
            Ok(answer) => {
                let mid = answer.value.message_id.unwrap_or_default();
                let tag = if as_human_agent { " (HUMAN_AGENT)" } else { "" };
                let line = format!("  {says}{tag}: {}", harmless(text));
                let details = json!({"event": event.map(ChatEvent::id), "text": text, "mid": mid});
                self.tell("sent", psid, &line, details);
                if let Some(event) = event {
                    self.has(Expected::Sent(event));
                }
                self.sent.push_back((mid, text.into()));
                if self.sent.len() > REMEMBERED {
                    self.sent.pop_front();
                }
            }
            Err(error) => {
                let asked = Place::Messages.signed(self.target.app.is_some());
                let cause = match &error {
                    GraphError::Refused(api) => causes::of(api, asked),
                    GraphError::Unreachable(unreachable) => of_unreachable(unreachable),
                };
                let line = format!("  {what} is not sent: {}; {}", cause.summary, cause.fix);
                let (event, why) = (event.map(ChatEvent::id), cause.summary);
                let details = json!({"event": event, "text": text, "cause": cause.cause, "why": why});
                self.tell("not_sent", psid, &line, details);
                self.refused.get_or_insert_with(|| CliError::of_graph(&error, asked));
            }
        }
    }

    /// Looks up a customer's name, the first time.
    async fn learn_name(&mut self, psid: &str) {
        // The request needs a numeric id; a failed one is repeated.
        if self.names.contains_key(psid) || !psid.bytes().all(|byte| byte.is_ascii_digit()) {
            return;
        }
        let asked = tokio::time::timeout(NAME_TIME, message::profile(&self.client, self.target.page(), psid)).await;
        let name = asked.ok().and_then(Result::ok).and_then(|answer| answer.value.name());
        self.names.extend(name.map(|name| (psid.to_owned(), harmless(&name))));
    }

    fn name(&self, psid: &str) -> String {
        self.names.get(psid).cloned().unwrap_or_else(|| harmless(psid))
    }

    /// The customer with this name, id or beginning of a name.
    fn named(&self, who: &str) -> Result<String, String> {
        let all = self.desk.sessions();
        let wanted = who.to_lowercase();
        let is = |psid: &str| psid == who || self.name(psid).to_lowercase() == wanted;
        let begins = |psid: &str| self.name(psid).to_lowercase().starts_with(&wanted) || psid.starts_with(who);
        let exact = all.iter().find(|(psid, _)| is(psid));
        let mut near = all.iter().filter(|(psid, _)| begins(psid));
        let found = match (exact, near.next(), near.next()) {
            (Some((psid, _)), ..) | (None, Some((psid, _)), None) => Some((*psid).to_owned()),
            _ => None,
        };
        found.ok_or_else(|| {
            let there: Vec<String> = all.iter().map(|(psid, _)| self.name(psid)).collect();
            let there = if there.is_empty() { "no customer".into() } else { there.join(", ") };
            format!("'{}' does not match exactly one customer here: {there}", harmless(who))
        })
    }

    /// The number of open conversations.
    pub fn open(&self) -> usize {
        self.desk.sessions().len()
    }

    fn list(&self) -> String {
        let current = self.desk.current();
        let lines = self.desk.sessions().into_iter().map(|(psid, taken)| {
            let how = match (taken, current == Some(psid)) {
                (_, true) => "you speak to them",
                (true, false) => "taken",
                (false, false) => "waits",
            };
            format!("{} ({}): {how}", self.name(psid), harmless(psid))
        });
        let lines: Vec<String> = lines.collect();
        if lines.is_empty() { "no customers".into() } else { lines.join("\n") }
    }

    fn show_plain(&self, event: &Event) {
        self.screen.event(event, Some(self.target.account.name.as_str()));
    }

    fn of_session(&self, what: &str, psid: &str, line: impl FnOnce(&str) -> String) {
        let line = format!("* {}", line(&self.name(psid)));
        self.tell(&format!("session_{what}"), psid, &line, json!({}));
    }

    fn tell(&self, kind: &str, psid: &str, line: &str, details: Value) {
        self.screen.note(kind, Some(psid), line, details);
    }
}

/// The beginning of a text.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    let text = harmless(text);
    if text.chars().count() <= LONGEST {
        text
    } else {
        format!("{}…", text.chars().take(LONGEST).collect::<String>())
    }
}
