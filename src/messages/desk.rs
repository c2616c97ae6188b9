//! Simulates the contact centre's side of conversations: the effects of a customer's message, an
//! agent and the passing of time. Knows no network and no screen.
//!
//! With an agent, silence counts from the last message of either side; while a customer waits
//! for an agent, no timeout runs.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{AccountMessages, ChatSettings, Event, Origin, Timeouts, resolve};

/// How long after the customer's last message automated messages may be sent.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// How long after it a person may answer, with the tag `HUMAN_AGENT`.
const HUMAN_WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Something to do or to report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A session with this customer (a page-scoped id) began.
    Opened(String),
    /// An agent has joined this customer.
    Taken(String),
    /// The agent now speaks to this customer, whom they took before.
    Switched(String),
    /// The agent has left this customer; the session stays open and waits.
    Left(String),
    /// A message to send.
    Send {
        psid: String,
        text: String,
        /// Which system message; `None`: the agent's own words.
        event: Option<Event>,
        /// Over 24 hours after the customer's last message: sent as a person's answer.
        as_human_agent: bool,
    },
    /// A message that is not sent.
    NotSent {
        psid: String,
        /// Which system message; `None`: the agent's own words.
        event: Option<Event>,
        why: Why,
    },
    /// A session has ended.
    Closed {
        /// The customer.
        psid: String,
        /// Whether silence ended it.
        by_silence: bool,
    },
}

/// Why a message is not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The event is disabled, in the account or in Chat Settings.
    #[error("it is disabled ({0})")]
    Disabled(Origin),
    /// The customer has been silent for over 24 hours.
    #[error(
        "the customer's last message is over 24 hours ago, and Meta accepts automated messages only within 24 hours"
    )]
    Window,
    /// The customer has been silent for over 7 days.
    #[error("the customer's last message is over 7 days ago: they have to write first")]
    HumanWindow,
}

/// Why the agent cannot do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSession {
    /// No customer has written.
    #[error("no customer is waiting")]
    Nobody,
    /// The agent has taken no customer.
    #[error("you have taken no customer: take one first")]
    NotTaken,
}

/// A conversation.
#[derive(Clone, Debug)]
struct Session {
    /// When the customer last wrote.
    customer: Timestamp,
    /// When either side last wrote.
    last: Timestamp,
    /// Whether an agent is there.
    taken: bool,
    /// Whether the warning of silence was sent.
    warned: bool,
    /// The order in which sessions began.
    number: u64,
}

/// A desk with its conversations.
pub struct Desk {
    messages: AccountMessages,
    settings: ChatSettings,
    sessions: BTreeMap<String, Session>,
    /// The customer that the agent speaks to.
    current: Option<String>,
    opened: u64,
}

impl Desk {
    /// A desk with this account's messages.
    pub fn new(messages: AccountMessages, settings: ChatSettings) -> Self {
        Self { messages, settings, sessions: BTreeMap::new(), current: None, opened: 0 }
    }

    /// How long a silence ends a session.
    pub fn timeout(&self) -> SignedDuration {
        let timeout = self.settings.timeouts.messenger.unwrap_or(Timeouts::MESSENGER);
        SignedDuration::from_secs(i64::try_from(timeout.seconds()).unwrap_or(i64::MAX))
    }

    /// The customer that the agent speaks to.
    pub fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// The customers with a session, longest first, and whether an agent is there.
    pub fn sessions(&self) -> Vec<(&str, bool)> {
        let mut all: Vec<_> = self.sessions.iter().collect();
        all.sort_by_key(|(_, session)| session.number);
        all.into_iter().map(|(psid, session)| (psid.as_str(), session.taken)).collect()
    }

    /// A customer writes a message.
    pub fn customer(&mut self, psid: &str, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        let opened = self.opened;
        let session = self.sessions.entry(psid.into()).or_insert_with(|| {
            effects.push(Effect::Opened(psid.into()));
            Session { customer: now, last: now, taken: false, warned: false, number: opened }
        });
        self.opened += u64::from(!effects.is_empty());
        session.customer = now;
        session.last = now;
        session.warned = false;
        effects
    }

    /// The agent takes the named customer, or the one who has waited longest.
    pub fn take(&mut self, psid: Option<&str>, now: Timestamp) -> Result<Vec<Effect>, NoSession> {
        let waiting = self.sessions().into_iter().find(|(_, taken)| !taken).map(|(psid, _)| psid.to_owned());
        let psid = psid.map(str::to_owned).or(waiting).ok_or(NoSession::Nobody)?;
        let session = self.sessions.get_mut(&psid).ok_or(NoSession::Nobody)?;
        let before = self.current.replace(psid.clone());
        if session.taken {
            let switched = before.as_deref() != Some(psid.as_str());
            return Ok(switched.then_some(Effect::Switched(psid)).into_iter().collect());
        }
        (session.taken, session.last) = (true, now);
        let mut effects = vec![Effect::Taken(psid.clone())];
        effects.push(self.system("agent-joined", &psid, now));
        Ok(effects)
    }

    /// The agent writes to the current customer.
    pub fn say(&mut self, text: &str, now: Timestamp) -> Result<Vec<Effect>, NoSession> {
        let (psid, session) = self.spoken_to()?;
        let silent = now.duration_since(session.customer);
        if silent > HUMAN_WINDOW {
            return Ok(vec![Effect::NotSent { psid, event: None, why: Why::HumanWindow }]);
        }
        session.last = now;
        session.warned = false;
        Ok(vec![Effect::Send { psid, text: text.into(), event: None, as_human_agent: silent > WINDOW }])
    }

    /// The agent leaves; the customer waits for another one.
    pub fn leave(&mut self, now: Timestamp) -> Result<Vec<Effect>, NoSession> {
        let (psid, session) = self.spoken_to()?;
        session.taken = false;
        let mut effects = vec![self.system("agent-left", &psid, now), Effect::Left(psid)];
        effects.extend(self.turn_to_another());
        Ok(effects)
    }

    /// The agent ends the session.
    pub fn end(&mut self, now: Timestamp) -> Result<Vec<Effect>, NoSession> {
        let (psid, _) = self.spoken_to()?;
        Ok(self.close(&psid, "session-ended", false, now))
    }

    /// Sends and ends what is due by now.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        let due: Vec<(String, bool)> = self
            .sessions
            .iter()
            .filter_map(|(psid, session)| Some((psid.clone(), self.due(session)?)))
            .filter(|(_, (at, _))| *at <= now)
            .map(|(psid, (_, over))| (psid, over))
            .collect();
        for (psid, over) in due {
            if !over {
                effects.push(self.system("inactivity-warning", &psid, now));
                if let Some(session) = self.sessions.get_mut(&psid) {
                    session.warned = true;
                }
            }
            // A long step may have passed both times.
            let gone = self.sessions.get(&psid).and_then(|session| self.due(session));
            if gone.is_some_and(|(at, over)| over && at <= now) {
                effects.extend(self.close(&psid, "inactivity-timeout", true, now));
            }
        }
        effects
    }

    /// When the next timeout is due.
    pub fn next(&self) -> Option<Timestamp> {
        self.sessions.values().filter_map(|session| self.due(session)).map(|(at, _)| at).min()
    }

    /// When silence next affects a session, and whether that ends it.
    fn due(&self, session: &Session) -> Option<(Timestamp, bool)> {
        if !session.taken {
            return None;
        }
        let timeout = self.timeout();
        let after = if session.warned { timeout } else { timeout / 2 };
        Some((session.last.checked_add(after).ok()?, session.warned))
    }

    fn spoken_to(&mut self) -> Result<(String, &mut Session), NoSession> {
        let nobody = if self.sessions.is_empty() { NoSession::Nobody } else { NoSession::NotTaken };
        let psid = self.current.clone().ok_or(nobody)?;
        let session = self.sessions.get_mut(&psid).ok_or(NoSession::NotTaken)?;
        Ok((psid, session))
    }

    fn close(&mut self, psid: &str, event: &str, by_silence: bool, now: Timestamp) -> Vec<Effect> {
        let last = self.system(event, psid, now);
        self.sessions.remove(psid);
        let mut effects = vec![last, Effect::Closed { psid: psid.into(), by_silence }];
        if self.current.as_deref() == Some(psid) {
            effects.extend(self.turn_to_another());
        }
        effects
    }

    /// Switches the agent to the remaining customer they have had longest.
    fn turn_to_another(&mut self) -> Option<Effect> {
        self.current = self.sessions().into_iter().find(|(_, taken)| *taken).map(|(psid, _)| psid.to_owned());
        self.current.clone().map(Effect::Switched)
    }

    /// A system message to a customer, or why it is not sent.
    fn system(&self, event: &str, psid: &str, now: Timestamp) -> Effect {
        let event: Event = event.parse().unwrap_or_else(|_| unreachable!("events of the catalogue"));
        let psid = psid.to_owned();
        let state = self.messages.state(event);
        let effective = resolve(event, &state, &self.settings);
        let silent = self.sessions.get(&psid).map(|session| now.duration_since(session.customer));
        match effective.text {
            None => Effect::NotSent { psid, event: Some(event), why: Why::Disabled(effective.origin) },
            Some(_) if silent.is_some_and(|silent| silent > WINDOW) => {
                Effect::NotSent { psid, event: Some(event), why: Why::Window }
            }
            Some(text) => Effect::Send { psid, text: text.into(), event: Some(event), as_human_agent: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::{ChatText, MessageState};

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + minutes * 60).expect("a time")
    }

    fn desk() -> Desk {
        Desk::new(AccountMessages::default(), ChatSettings::default())
    }

    fn sent(effects: &[Effect]) -> Vec<&'static str> {
        let name = |event: &Option<Event>| event.map_or("answer", Event::id);
        effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Send { event, .. } => Some(name(event)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn a_conversation_from_the_first_word_to_the_end() {
        let mut desk = desk();
        assert_eq!(desk.take(None, at(0)), Err(NoSession::Nobody));
        assert_eq!(desk.customer("7", at(0)), [Effect::Opened("7".into())]);
        assert_eq!(desk.customer("7", at(1)), []);
        assert_eq!(desk.say("hello", at(1)), Err(NoSession::NotTaken));
        assert_eq!(sent(&desk.take(None, at(1)).expect("taken")), ["agent-joined"]);
        assert_eq!(desk.take(Some("7"), at(1)).expect("taken already"), []);
        let said = desk.say("hello", at(2)).expect("said");
        assert_eq!(said, [Effect::Send { psid: "7".into(), text: "hello".into(), event: None, as_human_agent: false }]);
        let ended = desk.end(at(3)).expect("ended");
        assert_eq!(sent(&ended), ["session-ended"]);
        assert_eq!(ended.last(), Some(&Effect::Closed { psid: "7".into(), by_silence: false }));
        assert_eq!(desk.end(at(3)), Err(NoSession::Nobody));
        assert_eq!(desk.customer("7", at(4)), [Effect::Opened("7".into())]);
    }

    #[test]
    fn silence_warns_at_half_the_timeout_and_ends_at_its_end() {
        let mut desk = desk();
        desk.customer("7", at(0));
        assert_eq!(desk.next(), None);
        assert_eq!(desk.tick(at(60)), []);
        desk.take(None, at(60)).expect("taken");
        assert_eq!(desk.next(), Some(at(65)));
        assert_eq!(desk.tick(at(64)), []);
        assert_eq!(sent(&desk.tick(at(65))), ["inactivity-warning"]);
        assert_eq!(desk.tick(at(69)), []);
        let over = desk.tick(at(70));
        assert_eq!(sent(&over), ["inactivity-timeout"]);
        assert!(over.contains(&Effect::Closed { psid: "7".into(), by_silence: true }));
        assert_eq!(desk.next(), None);
    }

    #[test]
    fn a_word_of_either_side_starts_the_silence_again() {
        let mut desk = desk();
        desk.customer("7", at(0));
        desk.take(None, at(0)).expect("taken");
        desk.say("still there?", at(4)).expect("said");
        assert_eq!(desk.tick(at(5)), []);
        assert_eq!(sent(&desk.tick(at(9))), ["inactivity-warning"]);
        desk.customer("7", at(10));
        assert_eq!(desk.tick(at(14)), []);
        assert_eq!(sent(&desk.tick(at(30))), ["inactivity-warning", "inactivity-timeout"]);
    }

    #[test]
    fn what_is_disabled_says_where() {
        let mut desk = desk();
        desk.messages.set("agent-joined".parse().expect("an event"), MessageState::Disabled);
        desk.settings.messages.insert("session-ended".parse().expect("an event"), ChatText::Disabled);
        desk.customer("7", at(0));
        let taken = desk.take(None, at(0)).expect("taken");
        assert!(matches!(taken[1], Effect::NotSent { why: Why::Disabled(Origin::Account), .. }));
        let ended = desk.end(at(0)).expect("ended");
        assert!(matches!(ended[0], Effect::NotSent { why: Why::Disabled(Origin::ChatSettings), .. }));
    }

    #[test]
    fn the_window_holds_for_machines_and_longer_for_people() {
        let mut desk = desk();
        desk.customer("7", at(0));
        desk.take(None, at(0)).expect("taken");
        let day = 24 * 60;
        assert!(matches!(desk.say("on time", at(day)).expect("said")[0], Effect::Send { as_human_agent: false, .. }));
        assert!(matches!(desk.say("late", at(day + 1)).expect("said")[0], Effect::Send { as_human_agent: true, .. }));
        assert!(matches!(
            desk.say("too late", at(7 * day + 1)).expect("said")[0],
            Effect::NotSent { why: Why::HumanWindow, .. }
        ));
        assert!(matches!(desk.end(at(day + 1)).expect("ended")[0], Effect::NotSent { why: Why::Window, .. }));
    }

    #[test]
    fn several_customers_wait_in_their_order() {
        let mut desk = desk();
        for (minute, psid) in [(0, "9"), (1, "7"), (2, "8")] {
            desk.customer(psid, at(minute));
        }
        desk.take(None, at(3)).expect("taken");
        assert_eq!(desk.current(), Some("9"));
        assert_eq!(desk.sessions(), [("9", true), ("7", false), ("8", false)]);
        let left = desk.leave(at(4)).expect("left");
        assert_eq!(sent(&left), ["agent-left"]);
        desk.take(Some("8"), at(5)).expect("taken");
        desk.take(Some("9"), at(5)).expect("taken");
        assert_eq!(desk.take(Some("8"), at(5)).expect("taken"), [Effect::Switched("8".into())]);
        let ended = desk.end(at(6)).expect("ended");
        assert_eq!(ended.last(), Some(&Effect::Switched("9".into())));
        assert_eq!(desk.current(), Some("9"));
    }
}
