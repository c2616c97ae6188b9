//! Changes the messages of accounts, and sends messages.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::accounts::commands;
use super::tenants::check_known;
use super::webhooks::Target;
use super::{Error, Kind, Workspace};
use crate::accounts::Account;
use crate::checks::GraphTrace;
use crate::checks::causes::{OUTSIDE_WINDOW, Place};
use crate::graph::endpoints::message::{self, Reason, Sent};
use crate::messages::{Event, MessageState, MessageText, resolve};

#[derive(Serialize)]
pub struct ChangedMessage {
    pub account: String,
    pub handle: String,
    pub event: Event,
    /// `custom`, `default`, `disabled`.
    pub state: &'static str,
}

/// Sets the same state for all these accounts and events as one change. Returns the messages
/// that changed.
pub fn change(
    workspace: &Workspace,
    accounts: &[Account],
    events: &[Event],
    state: &MessageState,
) -> Result<Vec<ChangedMessage>, Error> {
    // A mistyped tenant must not be created.
    check_known(workspace, workspace.settings()?.tenant.value.as_str())?;
    let mut seen = HashSet::new();
    let ids: Vec<&str> = accounts.iter().map(|account| account.id.as_str()).filter(|id| seen.insert(*id)).collect();
    let mut changed = Vec::new();
    let _change = workspace.hold_tenant()?;
    let now = workspace.now();
    // Read again: another command may have changed them since.
    let differs = |account: &Account| events.iter().any(|event| account.messages.state(*event) != *state);
    let store = workspace.accounts()?;
    let known = store.load()?;
    let known: HashMap<&str, &Account> = known.iter().map(|account| (account.id.as_str(), account)).collect();
    // A removed account stays in the list and is refused below.
    let touched: Vec<&str> =
        ids.iter().copied().filter(|id| known.get(id).is_none_or(|account| differs(account))).collect();
    if !touched.is_empty() {
        store.update_all(&touched, |account| {
            for event in events {
                if account.messages.state(*event) != *state {
                    account.messages.set(*event, state.clone());
                    changed.push(ChangedMessage {
                        account: account.name.to_string(),
                        handle: account.handle.to_string(),
                        event: *event,
                        state: state.word(),
                    });
                }
            }
            account.updated_at = now;
        })?;
    }
    Ok(changed)
}

/// Warns of text that customers may see differently.
pub fn warn_of_doubts(workspace: &Workspace, event: Event, text: &MessageText) {
    for doubt in text.doubts() {
        workspace.warning(&format!("the text of {event}: {doubt}"));
    }
}

/// The account's message at an event; an error if there is none.
pub fn said_at(workspace: &Workspace, account: &Account, event: Event) -> Result<String, Error> {
    let settings = workspace.chat_settings()?.load()?;
    let state = account.messages.state(event);
    let effective = resolve(event, &state, &settings);
    if let Some(text) = effective.text {
        return Ok(text.to_owned());
    }
    let why = format!("it is disabled ({})", effective.origin);
    let give = format!("to give it a text: msgrctl message set {} {event} --text TEXT", account.handle);
    Err(Error::failed(format!("'{}' says nothing at {event}: {why}", account.name)).hint(give))
}

/// Sends a text once to the customer with the page-scoped id `to`: as an answer, or with
/// `human_agent` as a person's answer, after 24 hours and within 7 days.
pub fn send(workspace: &Workspace, target: &Target, to: &str, text: &str, human_agent: bool) -> Result<Sent, Error> {
    let reason = if human_agent { Reason::HumanAgent } else { Reason::Response };
    let client = workspace.graph()?;
    let sent = {
        let _progress = workspace.reporter.waiting(&format!("sending to {to} …"));
        Workspace::wait(message::send_text(&client, target.page(), to, text, reason))?
    };
    sent.map(|answer| answer.value).map_err(|error| {
        let trace = GraphTrace::of(&error);
        let error = Error::of_graph(&error, Place::Messages.signed(target.app.is_some()));
        if human_agent && error.why() == Some(OUTSIDE_WINDOW.id) {
            let over = "the customer's last message is more than 7 days old; Meta refuses even a person's answer";
            let over = Error::failed(over).reason(OUTSIDE_WINDOW.id).hint("wait until the customer writes");
            return match trace {
                Some(trace) => over.graph(trace),
                None => over,
            };
        }
        if error.kind() == Kind::Credentials {
            return error.hint(format!("to see what is wrong: {}", commands::saved(&target.account).test_again));
        }
        error
    })
}
