//! `msgrctl message default` and `disable`, and what every change of messages has in
//! common: which accounts, which events, one change.

use std::collections::HashSet;

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::accounts::Account;
use crate::cli::context::Context;
use crate::cli::envelope::Envelope;
use crate::cli::error::CliError;
use crate::cli::pick::pick;
use crate::document::nearest;
use crate::messages::{CATALOGUE, ChatText, Event, MessageState, UnknownEvent};
use crate::operations::messages;

/// Accounts and events.
#[derive(Debug, Args)]
pub struct Targets {
    /// Accounts by name, handle or id, then events
    #[arg(value_name = "NAME… EVENT", add = ArgValueCandidates::new(super::accounts_and_events))]
    words: Vec<String>,
    /// Every event
    #[arg(long)]
    all_events: bool,
    /// Every account of the tenant
    #[arg(long)]
    all_accounts: bool,
}

/// Gives what is meant a state that needs no text.
pub fn run(targets: &Targets, ctx: &Context, state: &MessageState) -> Result<u8, CliError> {
    let (accounts, events) = targets.resolve(ctx, &[])?;
    carry_out(ctx, &accounts, &events, state)
}

impl Targets {
    /// Whether the last word is `-`, which stands for standard input.
    pub fn ends_in_dash(&self) -> bool {
        self.words.last().is_some_and(|word| word == "-")
    }

    /// The accounts and events that are meant: words up to the first event are
    /// accounts. `also` are words that are neither.
    pub fn resolve(&self, ctx: &Context, also: &[&str]) -> Result<(Vec<Account>, Vec<Event>), CliError> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).filter(|word| !also.contains(word)).collect();
        let is_event = |word: &&str| word.parse::<Event>().is_ok();
        let first = if self.all_accounts {
            0
        } else if self.all_events {
            words.len()
        } else {
            words.iter().position(is_event).unwrap_or(words.len())
        };
        let (names, wanted) = words.split_at(first);
        let events: Vec<Event> = if self.all_events {
            if words.iter().any(is_event) {
                return Err(CliError::usage("--all-events is every event: name none besides"));
            }
            Event::all().collect()
        } else {
            wanted.iter().map(|word| word.parse().map_err(|error| unknown(&error))).collect::<Result<_, _>>()?
        };
        if events.is_empty() {
            return Err(match names.last() {
                Some(last) if near(last).is_some() => unknown(&UnknownEvent((*last).to_owned())),
                _ => CliError::usage("missing: EVENT, the chat event").hint(format!("it is {}", ids())),
            });
        }
        let store = ctx.accounts()?;
        let accounts = match (self.all_accounts, names) {
            (true, _) => store.load()?,
            (false, []) => vec![pick(ctx)?],
            (false, names) => {
                let known = store.load()?;
                names.iter().map(|name| store.find_among(&known, name).cloned()).collect::<Result<_, _>>()?
            }
        };
        Ok((accounts, events))
    }
}

fn ids() -> String {
    CATALOGUE.iter().map(|event| event.id).collect::<Vec<_>>().join(", ")
}

fn near(word: &str) -> Option<&'static str> {
    nearest(word, CATALOGUE.iter().map(|event| event.id))
}

/// An event that nobody knows.
fn unknown(error: &UnknownEvent) -> CliError {
    let shown = CliError::usage(format!("there is no chat event '{}'", error.0));
    match near(&error.0) {
        Some(near) => shown.hint(format!("did you mean '{near}'? The events are {}", ids())),
        None => shown.hint(format!("the events are {}", ids())),
    }
}

/// Gives all of the accounts the same state at all of the events, as one change.
pub fn carry_out(ctx: &Context, accounts: &[Account], events: &[Event], state: &MessageState) -> Result<u8, CliError> {
    let changed = messages::change(ctx, accounts, events, state)?;
    let touched = changed.iter().map(|changed| changed.handle.as_str()).collect::<HashSet<_>>().len();
    if ctx.output.json {
        ctx.output.json(&Envelope("changed", changed));
        return Ok(0);
    }
    if changed.is_empty() {
        ctx.output.notice("nothing to change");
    } else if let [one] = changed.as_slice() {
        ctx.output.result(&format!("{}: {} is {} now", one.account, one.event, state.word()));
    } else {
        let plural = if touched == 1 { "" } else { "s" };
        ctx.output.result(&format!(
            "{} messages of {} account{plural} are {} now",
            changed.len(),
            touched,
            state.word()
        ));
    }
    say_what_default_means(ctx, events, state)?;
    Ok(0)
}

/// Default is no text: what is sent then stands elsewhere.
fn say_what_default_means(ctx: &Context, events: &[Event], state: &MessageState) -> Result<(), CliError> {
    if *state != MessageState::Default {
        return Ok(());
    }
    let settings = ctx.chat_settings()?.load()?;
    for event in events.iter().filter(|event| settings.messages.get(event) == Some(&ChatText::Disabled)) {
        ctx.output.notice(&format!("{event} is disabled in Chat Settings: nothing is sent"));
    }
    Ok(())
}
