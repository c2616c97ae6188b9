//! `msgrctl undo`: undoes the last change, or an older one.

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::envelope::Envelope;
use super::error::CliError;
use super::log;
use crate::operations::journal::{Entry, History, Standing, Undone, prepare_undo, standings};
use crate::secrets::SecretKind;

/// Undo the last change, or an older one
///
/// Accounts, messages and settings get back the fields from before the change; other changes
/// stay. It refuses if one of these fields has changed since, and names the change to undo
/// first. A removed or replaced secret cannot be brought back; a warning says so. Nothing
/// changes at Meta. An undo can be undone. Asks first; without a terminal it needs --yes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl undo --yes\n  msgrctl undo --list\n  msgrctl undo 3f9a0c51b2d4")]
pub struct UndoArgs {
    /// The change's id, or its beginning [default: the last change]
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// List the changes with their ids, and whether each can be undone: yes, no, or after a later one
    #[arg(long, conflicts_with = "id")]
    list: bool,
    /// The number of changes that --list shows
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, requires = "list", value_parser = clap::value_parser!(u32).range(1..))]
    number: u32,
}

#[derive(Serialize)]
struct ListedView {
    #[serde(flatten)]
    entry: Entry,
    /// `stands`, `undone`, `changed` or `without_values`.
    standing: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    undone_by: Option<String>,
    /// The later change of the same fields that must be undone first.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_by: Option<String>,
}

pub fn run(args: &UndoArgs, ctx: &Context) -> Result<u8, CliError> {
    if args.list {
        return list(ctx, args.number as usize);
    }
    let undoing = prepare_undo(ctx, args.id.as_deref())?;
    let Entry { command, tenant, .. } = &undoing.entry;
    let what = undoing.entry.in_words();
    let again = args.id.as_ref().map_or_else(String::new, |_| format!(" {}", undoing.entry.id));
    ctx.confirm(&format!("Undo '{command}' in tenant '{tenant}' ({what})?"), &format!("msgrctl undo{again}"))?;
    let Undone { entry, left, lost, replaced, same_page } = undoing.carry_out()?;
    if ctx.output.json {
        ctx.output.json(&Envelope("undone", entry.without_values()));
    } else {
        ctx.output.result(&format!("undid '{}' in tenant '{}': {what}", entry.command, entry.tenant));
    }
    if entry.command == "undo" {
        ctx.output.notice("that was an undo, so its change is made again; for older changes: msgrctl undo --list");
    }
    for left in left {
        ctx.output.warning(&format!("undone, but this could not be removed: {left}"));
    }
    let flag = ctx.tenant_flag(&entry.tenant)?;
    for (account, kind) in &lost {
        let next = match kind {
            SecretKind::NextVerifyToken => format!("make another: msgrctl webhook rotate {}", account.handle),
            _ => format!("set it again: msgrctl secret set {} {} --stdin", account.handle, kind.argument()),
        };
        ctx.output
            .warning(&format!("the {kind} of '{}' was removed and cannot be brought back; {next}{flag}", account.name));
    }
    for (of, kind) in &replaced {
        ctx.output.warning(&format!("the {kind} of '{of}' was replaced; the new one stays"));
    }
    for (account, other) in &same_page {
        ctx.output.warning(&format!("'{account}' and '{other}' are connected to the same Page"));
    }
    Ok(0)
}

fn list(ctx: &Context, number: usize) -> Result<u8, CliError> {
    let unfinished = log::recover_first(ctx);
    let history = History::read(ctx)?;
    let local: Vec<&Entry> = history.entries.iter().filter(|entry| entry.is_local() && !entry.id.is_empty()).collect();
    let last = &local[local.len().saturating_sub(number)..];
    let standings = standings(ctx, &history, last, unfinished.as_ref());
    if ctx.output.json {
        let changes = last.iter().zip(standings).map(|(entry, standing)| {
            let (standing, undone_by, changed_by) = match standing {
                Standing::Stands => ("stands", None, None),
                Standing::Undone(by) => ("undone", Some(by), None),
                Standing::Changed(by) => ("changed", None, by),
                Standing::WithoutValues => ("without_values", None, None),
            };
            ListedView { entry: entry.without_values(), standing, undone_by, changed_by }
        });
        ctx.output.json(&Envelope("changes", changes.collect::<Vec<_>>()));
        return Ok(0);
    }
    if last.is_empty() {
        ctx.output.notice("no changes yet");
        return Ok(0);
    }
    let several = last.iter().any(|entry| entry.tenant != last[0].tenant);
    let row = |(entry, standing): (&&Entry, Standing)| {
        let [time, command, tenant, _, what] = log::row(entry);
        let standing = match standing {
            Standing::Stands => "yes".to_owned(),
            Standing::Undone(_) => "undone".to_owned(),
            Standing::Changed(Some(by)) => format!("after {by}"),
            Standing::Changed(None) | Standing::WithoutValues => "no".to_owned(),
        };
        let before = [entry.id.clone(), standing, time, command];
        before.into_iter().chain(several.then_some(tenant)).chain([what]).collect()
    };
    let before = ["ID", "UNDO", "TIME (UTC)", "COMMAND"];
    let headings: Vec<&str> = before.into_iter().chain(several.then_some("TENANT")).chain(["WHAT"]).collect();
    log::print_table(ctx, &headings, last.iter().zip(standings).map(row).collect());
    log::say_older(ctx, last.len(), local.len(), "undo --list");
    Ok(0)
}
