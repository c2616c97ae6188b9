//! `msgrctl message default` and `disable`, and what all changes of messages share: accounts,
//! events, one change.

use std::collections::HashSet;

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::show::pick_event;
use crate::accounts::Account;
use crate::cli::context::Context;
use crate::cli::envelope::Envelope;
use crate::cli::error::CliError;
use crate::cli::pick::pick;
use crate::document::nearest;
use crate::messages::{CATALOGUE, ChatText, Event, MessageState, UnknownEvent};
use crate::operations::accounts::named;
use crate::operations::messages;

#[derive(Debug, Args)]
pub struct Targets {
    /// Accounts by name, handle or id, then events
    #[arg(value_name = "NAME… EVENT", add = ArgValueCompleter::new(super::accounts_and_events))]
    words: Vec<String>,
    /// Every event
    #[arg(long)]
    all_events: bool,
    /// Every account of the tenant
    #[arg(long, alias = "all")]
    all_accounts: bool,
}

/// Sets a state that needs no text.
pub fn run(targets: &Targets, ctx: &Context, state: &MessageState) -> Result<u8, CliError> {
    let (accounts, events) = targets.resolve(ctx, &[])?;
    carry_out(ctx, &accounts, &events, state)
}

impl Targets {
    /// Whether the last word is `-`, for standard input.
    pub fn ends_in_dash(&self) -> bool {
        self.words.last().is_some_and(|word| word == "-")
    }

    /// The chosen accounts and events: words up to the first event are accounts. `also`: words
    /// that are neither.
    pub fn resolve(&self, ctx: &Context, also: &[&str]) -> Result<(Vec<Account>, Vec<Event>), CliError> {
        let words: Vec<String> = self.words.iter().filter(|word| !also.contains(&word.as_str())).cloned().collect();
        let is_event = |word: &String| word.parse::<Event>().is_ok();
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
                return Err(CliError::usage("--all-events includes every event: name no other"));
            }
            Event::all().collect()
        } else {
            wanted.iter().map(|word| word.parse().map_err(|error| unknown(&error))).collect::<Result<_, _>>()?
        };
        let store = ctx.accounts()?;
        // Among several words without an event the last is taken for one, unless it is an account.
        let is_meant = |last: &&String| near(last).is_some() || names.len() > 1 && store.find(last).is_err();
        if let Some(last) = names.last().filter(|last| events.is_empty() && is_meant(last)) {
            return Err(unknown(&UnknownEvent(last.clone())));
        }
        if events.is_empty() && !ctx.someone_can_answer {
            let all = if self.all_accounts { "--all-accounts" } else { "NAME" };
            return Err(CliError::usage(format!("missing: EVENT, the chat event; it is one of: {}", ids()))
                .hint(format!("msgrctl {} {all} EVENT, or --all-events", ctx.command)));
        }
        let accounts = match (self.all_accounts, names) {
            (true, _) => store.load()?,
            (false, []) => vec![pick(ctx)?],
            (false, names) => named(ctx, &store.load()?, names)?,
        };
        let events = if events.is_empty() { vec![pick_event(ctx)?] } else { events };
        Ok((accounts, events))
    }
}

pub fn ids() -> String {
    CATALOGUE.iter().map(|event| event.id).collect::<Vec<_>>().join(", ")
}

fn near(word: &str) -> Option<&'static str> {
    nearest(word, CATALOGUE.iter().map(|event| event.id))
}

fn unknown(error: &UnknownEvent) -> CliError {
    let shown = CliError::usage(format!("there is no chat event '{}'", error.0));
    match near(&error.0) {
        Some(near) => shown.hint(format!("did you mean '{near}'? The events are {}", ids())),
        None => shown.hint(format!("the events are {}", ids())),
    }
}

/// Sets the same state for all these accounts and events, as one change.
pub fn carry_out(ctx: &Context, accounts: &[Account], events: &[Event], state: &MessageState) -> Result<u8, CliError> {
    let changed = messages::change(ctx, accounts, events, state)?;
    if !changed.is_empty() {
        let handles = changed.iter().map(|changed| changed.handle.as_str()).collect::<HashSet<_>>();
        let of = if handles.len() == 1 { changed[0].handle.as_str() } else { "NAME" };
        say_where_it_is_typed(ctx, of);
    }
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

/// A change here does not reach the contact centre, which has no API for it.
pub fn say_where_it_is_typed(ctx: &Context, handle: &str) {
    ctx.output.notice(&format!(
        "this takes effect when you enter it in the contact centre's form too; what goes where: msgrctl account handover {handle}"
    ));
}

/// Default has no text here: Chat Settings decide.
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
