//! `msgrctl message list`: the messages of an account, or of all accounts at a glance.

use std::collections::HashSet;

use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use super::view::{MessageView, said};
use crate::accounts::Account;
use crate::cli::candidates;
use crate::cli::context::Context;
use crate::cli::envelope::Envelope;
use crate::cli::error::CliError;
use crate::cli::pick::pick;
use crate::messages::{ChatSettings, Event, MessageState, resolve};
use crate::operations::accounts::find;
use crate::ui::table::{Layout, Text, table, table_with_text};

/// List the messages of an account: state, text, and where the text comes from
///
/// --all-accounts prints a table of events by accounts: custom, default, disabled. Different
/// custom texts have different letters; '-' after default means that nothing is sent.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl message list acme-support
  msgrctl message list --all-accounts
  msgrctl message list acme-support --json")]
pub struct ListArgs {
    /// The account's name, handle or id [on a terminal it is asked for]
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(candidates::accounts))]
    account: Option<String>,
    /// Every account of the tenant, side by side
    #[arg(long, alias = "all", conflicts_with = "account")]
    all_accounts: bool,
}

pub fn run(args: &ListArgs, ctx: &Context) -> Result<u8, CliError> {
    let settings = ctx.chat_settings()?.load()?;
    if args.all_accounts {
        return all(ctx, &ctx.accounts()?.load()?, &settings);
    }
    let account = match &args.account {
        Some(address) => find(ctx, address)?,
        None => pick(ctx)?,
    };
    print(ctx, &account, &settings);
    Ok(0)
}

pub fn print(ctx: &Context, account: &Account, settings: &ChatSettings) {
    if ctx.output.json {
        let messages = MessageView::all(account, settings);
        ctx.output.json(&json!({"schema_version": 1, "account": account.name, "messages": messages}));
        return;
    }
    let laid = text(ctx, account, settings);
    ctx.output.result(&laid.text);
    say_left_out(ctx, &laid);
}

/// The table of one account's messages; texts are cut at the window's edge.
fn text(ctx: &Context, account: &Account, settings: &ChatSettings) -> Layout {
    /// Without room for a text the states matter more.
    const NARROW: u16 = 64;
    let screen = ctx.output.terminal.out();
    let row = |event: Event| {
        let state = account.messages.state(event);
        let effective = resolve(event, &state, settings);
        let text = said(&state, &effective, screen);
        vec![event.to_string(), state.word().into(), effective.origin.to_string(), text]
    };
    let (headings, rows) = (["EVENT", "STATE", "FROM", "TEXT"], Event::all().map(row).collect::<Vec<_>>());
    if screen.width.is_some_and(|width| width < NARROW) {
        let short = rows.into_iter().map(|mut row: Vec<String>| {
            row.truncate(3);
            row
        });
        let mut laid = table(&headings[..3], short.collect(), screen);
        laid.left_out.push(headings[3].to_owned());
        return laid;
    }
    table_with_text(&headings, rows, Text::Cut, screen)
}

/// Names the columns that did not fit.
fn say_left_out(ctx: &Context, laid: &Layout) {
    if !laid.left_out.is_empty() {
        ctx.output.notice(&format!("no room for {}; --json has them", laid.left_out.join(", ")));
    }
}

/// The distinct custom texts for an event.
fn different_texts(accounts: &[Account], event: Event) -> Vec<MessageState> {
    let mut seen = HashSet::new();
    let states = accounts.iter().map(|account| account.messages.state(event));
    states
        .filter(|state| match state {
            MessageState::Custom(text) => seen.insert(text.to_string()),
            _ => false,
        })
        .collect()
}

/// a, b, …, z, aa, ab, …
fn letters(at: usize) -> String {
    let before = if at >= 26 { letters(at / 26 - 1) } else { String::new() };
    format!("{before}{}", char::from(b'a' + u8::try_from(at % 26).unwrap_or_default()))
}

fn all(ctx: &Context, accounts: &[Account], settings: &ChatSettings) -> Result<u8, CliError> {
    if ctx.output.json {
        let view = |account: &Account| {
            let messages = MessageView::all(account, settings);
            json!({"account": account.name, "handle": account.handle, "messages": messages})
        };
        ctx.output.json(&Envelope("accounts", accounts.iter().map(view).collect::<Vec<_>>()));
        return Ok(0);
    }
    if accounts.is_empty() {
        let tenant = &ctx.settings()?.tenant.value;
        ctx.output.notice(&format!("no accounts in tenant {tenant} yet; to add one: msgrctl account add"));
        return Ok(0);
    }
    let headings: Vec<String> =
        std::iter::once("ACCOUNT".to_owned()).chain(Event::all().map(|event| event.id().to_uppercase())).collect();
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    // Different texts of one event get different letters.
    let texts: Vec<Vec<MessageState>> = Event::all().map(|event| different_texts(accounts, event)).collect();
    let cell = |account: &Account, event: Event| {
        let state = account.messages.state(event);
        let texts = &texts[event.place()];
        let letter = texts.iter().position(|text| *text == state).filter(|_| texts.len() > 1);
        match (&state, letter) {
            (MessageState::Custom(_), Some(at)) => format!("custom {}", letters(at)),
            (MessageState::Default, _) if resolve(event, &state, settings).text.is_none() => "default -".into(),
            _ => state.word().to_owned(),
        }
    };
    let row = |account: &Account| {
        let states = Event::all().map(|event| cell(account, event));
        std::iter::once(account.handle.to_string()).chain(states).collect()
    };
    let laid = table(&headings, accounts.iter().map(row).collect(), ctx.output.terminal.out());
    ctx.output.result(&laid.text);
    say_left_out(ctx, &laid);
    Ok(0)
}
