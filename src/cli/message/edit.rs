//! `msgrctl message edit`: one text in the editor, or the page of all events.

use clap::Args;

use super::change::carry_out;
use super::view::said;
use super::{events, show};
use crate::accounts::Account;
use crate::cli::context::Context;
use crate::cli::editor::{self, Edited};
use crate::cli::error::{self, CliError};
use crate::cli::pick::AccountArg;
use crate::messages::{Event, MessageState, MessageText, TextError, resolve};
use crate::operations::messages::warn_of_doubts;

/// Edit the messages of an account
///
/// With an event, opens its text in your editor ($VISUAL, $EDITOR). Without, shows a menu of
/// the events and their three states, and saves each change at once. After a mistake the
/// editor opens again; a text is never lost.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl message edit acme-support
  EDITOR='code --wait' msgrctl message edit acme-support session-ended")]
pub struct EditArgs {
    #[command(flatten)]
    account: AccountArg,
    /// The chat event
    #[arg(value_name = "EVENT", value_parser = events())]
    event: Option<String>,
}

pub fn run(args: &EditArgs, ctx: &Context) -> Result<u8, CliError> {
    if !ctx.someone_can_answer {
        return Err(CliError::usage("an editor needs a terminal")
            .hint("without one: msgrctl message set NAME EVENT --text TEXT"));
    }
    let account = args.account.pick(ctx)?;
    let Some(event) = &args.event else { return menu(ctx, &account) };
    let event = event.parse().map_err(CliError::from)?;
    match in_editor(ctx, &account, event)? {
        Edited::Changed(()) => Ok(0),
        Edited::Unchanged => {
            ctx.output.notice("unchanged; nothing was saved");
            Ok(0)
        }
        Edited::Empty => {
            let disable = format!("msgrctl message disable {} {event}", account.handle);
            Err(CliError::left(format!("the text is empty; nothing was saved (to send nothing: {disable})")))
        }
    }
}

/// Opens the text of an event in the editor; saves it before the editor's file is removed.
fn in_editor(ctx: &Context, account: &Account, event: Event) -> Result<Edited<()>, CliError> {
    let settings = ctx.chat_settings()?.load()?;
    let state = account.messages.state(event);
    let now = match &state {
        MessageState::Custom(text) => text.as_str(),
        _ => resolve(event, &MessageState::Default, &settings).text.unwrap_or(event.entry().text),
    };
    editor::edit(ctx, &format!("{now}\n"), ".txt", |text| {
        if ctx.accounts()?.get(&account.id)?.messages.state(event) != state {
            return Err(CliError::failed(format!(
                "another command has changed {event} of '{}' in the meantime; nothing was saved",
                account.name
            )));
        }
        let text = text.parse().map_err(|error: TextError| CliError::from(error))?;
        warn_of_doubts(ctx, event, &text);
        carry_out(ctx, std::slice::from_ref(account), &[event], &MessageState::Custom(text)).map(drop)
    })
}

/// Event by event, until the operator leaves.
fn menu(ctx: &Context, account: &Account) -> Result<u8, CliError> {
    let accounts = ctx.accounts()?;
    let mut at = 0;
    loop {
        let account = accounts.get(&account.id)?;
        let settings = ctx.chat_settings()?.load()?;
        let screen = ctx.output.terminal.err();
        let mut items: Vec<String> = Event::all()
            .map(|event| {
                let state = account.messages.state(event);
                let text = said(&state, &resolve(event, &state, &settings), screen);
                format!("{event:<20}{:<10}{text}", state.word())
            })
            .collect();
        items.push("Done".into());
        let chosen = ctx.prompter.choose(&format!("Messages of '{}'", account.name), &items, at)?;
        let Some(event) = chosen.and_then(|chosen| Event::all().nth(chosen)) else { return Ok(0) };
        at = chosen.unwrap_or_default();
        change(ctx, &account, event)?;
    }
}

/// One event: its message, its three states, and the text for Custom.
fn change(ctx: &Context, account: &Account, event: Event) -> Result<(), CliError> {
    let settings = ctx.chat_settings()?.load()?;
    let screen = ctx.output.terminal.err();
    ctx.output.talk(&format!("\n{}\n", show::text(account, event, &settings, screen)));
    let default = said(&MessageState::Default, &resolve(event, &MessageState::Default, &settings), screen);
    let ways = [
        "Custom: write a text in the editor".to_owned(),
        "Custom: write a text here, on one line".to_owned(),
        format!("Default: {default}"),
        "Disabled: nothing is sent".to_owned(),
    ];
    let at = match account.messages.state(event) {
        MessageState::Custom(_) => 0,
        MessageState::Default => 2,
        MessageState::Disabled => 3,
    };
    let state = match ctx.prompter.choose(event.entry().title, &ways, at)? {
        Some(0) => match in_editor(ctx, account, event) {
            Ok(Edited::Changed(())) => {
                ctx.output.flush();
                return Ok(());
            }
            Ok(Edited::Unchanged) => {
                ctx.output.notice("unchanged; nothing was saved");
                return Ok(());
            }
            Ok(Edited::Empty) => {
                ctx.output.notice("the text is empty; nothing was saved (Disabled sends nothing)");
                return Ok(());
            }
            Err(error) if error.is_interrupt() => return Err(error),
            Err(error) => {
                error::render(&error, &ctx.output);
                return Ok(());
            }
        },
        Some(1) => match here(ctx, &account.messages.state(event))? {
            Some(text) => MessageState::Custom(text),
            None => return Ok(()),
        },
        Some(2) => MessageState::Default,
        Some(_) => MessageState::Disabled,
        None => return Ok(()),
    };
    if let MessageState::Custom(text) = &state {
        warn_of_doubts(ctx, event, text);
    }
    carry_out(ctx, std::slice::from_ref(account), &[event], &state)?;
    // Shown before the next prompt.
    ctx.output.flush();
    Ok(())
}

/// A one-line text, starting with the present one; `None` if empty.
fn here(ctx: &Context, now: &MessageState) -> Result<Option<MessageText>, CliError> {
    let offered = match now {
        MessageState::Custom(text) if !text.as_str().contains('\n') => text.as_str(),
        _ => "",
    };
    loop {
        let typed = ctx.prompter.edit("Text", offered)?.unwrap_or_default();
        let typed = typed.trim();
        if typed.is_empty() {
            ctx.output.notice("nothing was typed; nothing was saved");
            return Ok(None);
        }
        match typed.parse::<MessageText>() {
            Ok(text) => return Ok(Some(text)),
            Err(error) => {
                error::render(&CliError::from(error), &ctx.output);
            }
        }
    }
}
