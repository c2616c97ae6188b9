//! `msgrctl undo`: takes the last change back.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::context::{Context, key};
use super::error::CliError;
use super::history::{Entry, FileBefore, Undo, fingerprint};
use super::log::in_words;
use crate::accounts::{Account, AccountError, read_accounts};
use crate::files::{self, Lock};
use crate::secrets::{SecretKind, SecretRef};
use crate::ui::interrupt;

/// Take the last change back
///
/// The files are again what they were, to the byte; it refuses when something has
/// changed since. A secret that was removed or replaced cannot be brought back, and
/// that is said. Nothing changes at Meta. An undo can be undone. Asks first; without
/// a terminal it needs --yes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl undo --yes")]
pub struct UndoArgs {}

#[derive(Serialize)]
struct UndoneView<'a> {
    schema_version: u8,
    undone: &'a Entry,
}

pub fn run(_args: &UndoArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    let paths = &ctx.settings()?.paths;
    let Some(text) = files::read_text(&paths.undo_file())? else {
        return Err(CliError::failed("there is no change to take back"));
    };
    let undo: Undo = serde_json::from_str(&text)
        .map_err(|error| CliError::file(format!("{} cannot be read: {error}", paths.undo_file().display())))?;
    let entry = &undo.entry;
    let what = entry.changes.iter().take(5).map(in_words).collect::<Vec<_>>().join("; ");
    check_unchanged(ctx, &undo)?;
    let inside = ctx.in_tenant(&entry.tenant);
    let secrets = Secrets::of(ctx, &undo)?;
    secrets.refuse_moves()?;
    ctx.confirm(
        &format!("Take back '{}' of {} ({what})?", entry.command, entry.time.replace('T', " ")),
        "msgrctl undo",
    )?;
    for account in &secrets.vanishing {
        for store in account.secrets.values().filter_map(SecretRef::store) {
            inside.store(store).probe()?;
        }
    }
    {
        let _change = inside.hold_tenant()?;
        let _hold = interrupt::Hold::begin();
        // Now that nobody else changes them.
        check_unchanged(ctx, &undo)?;
        for file in &undo.files {
            put_back(ctx, file)?;
        }
        // The record first: a kill in between leaves a secret too many, which doctor finds.
        for account in &secrets.vanishing {
            for (kind, source) in &account.secrets {
                if let Some(store) = source.store() {
                    inside.store(store).remove(&key(account, *kind))?;
                }
            }
        }
    }
    if ctx.output.json {
        ctx.output.json(&UndoneView { schema_version: 1, undone: entry });
    } else {
        ctx.output.result(&format!("took back '{}': {what}", entry.command));
    }
    for (account, kind) in &secrets.lost {
        ctx.output.warning(&format!(
            "the {kind} of '{}' was removed and cannot be brought back; give it again: msgrctl secret set {} {} --stdin",
            account.name,
            account.handle,
            kind.argument()
        ));
    }
    let replaced = entry.changes.iter().filter(|change| change.what == "changed").flat_map(|change| {
        change.fields.iter().filter_map(move |field| Some((&change.of, field.strip_prefix("secrets.")?)))
    });
    for (of, kind) in replaced {
        let kind = kind.replace('_', " ");
        if !secrets.lost.iter().any(|(account, lost)| account.name.as_str() == of && lost.words() == kind) {
            ctx.output.warning(&format!("the {kind} of '{of}' was replaced; the new one stays"));
        }
    }
    Ok(0)
}

/// Refuses when a file is not what the change made of it.
fn check_unchanged(ctx: &Context, undo: &Undo) -> Result<(), CliError> {
    let root = ctx.settings()?.paths.root();
    for file in &undo.files {
        let now = files::read_text(&root.join(&file.path))?;
        if now.as_deref().map(fingerprint) != file.after_sha256 {
            return Err(CliError::failed(format!(
                "{} has changed since '{}'; nothing was taken back",
                file.path.display(),
                undo.entry.command
            ))
            .hint("msgrctl log shows the changes"));
        }
    }
    if undo.files.is_empty() {
        let error = CliError::failed(format!(
            "'{}' changed secrets and nothing else, which cannot be taken back",
            undo.entry.command
        ));
        return Err(if undo.entry.command == "secret move" {
            error.hint("to move them back: msgrctl secret move --help")
        } else {
            error
        });
    }
    Ok(())
}

fn put_back(ctx: &Context, file: &FileBefore) -> Result<(), CliError> {
    let path = ctx.settings()?.paths.root().join(&file.path);
    match &file.before {
        Some(text) => Lock::acquire(&path, Duration::from_secs(15), &|_| {})?.replace(text.as_bytes())?,
        None => files::remove(&path)?,
    }
    Ok(())
}

/// What taking back means for secrets.
struct Secrets {
    /// Accounts that will not be there any more: their secrets go too.
    vanishing: Vec<Account>,
    /// Secrets that the old record names and no store has any more.
    lost: Vec<(Account, SecretKind)>,
    /// Secrets that are in another store now.
    moved: Vec<(Account, SecretRef)>,
}

impl Secrets {
    fn of(ctx: &Context, undo: &Undo) -> Result<Self, CliError> {
        let paths = &ctx.settings()?.paths;
        let path = paths.accounts_file(&undo.entry.tenant);
        let relative = path.strip_prefix(paths.root()).unwrap_or(&path);
        let mut secrets = Self { vanishing: Vec::new(), lost: Vec::new(), moved: Vec::new() };
        let Some(file) = undo.files.iter().find(|file| file.path == relative) else { return Ok(secrets) };
        let read = |text: Option<&str>| match text {
            Some(text) => Ok::<_, CliError>(read_accounts(text, &path).map_err(AccountError::from)?),
            None => Ok(Vec::new()),
        };
        let now = read(files::read_text(&path)?.as_deref())?;
        let before = read(file.before.as_deref())?;
        let by_id: BTreeMap<&str, &Account> = now.iter().map(|account| (account.id.as_str(), account)).collect();
        for account in &before {
            let here = by_id.get(account.id.as_str());
            for (kind, source) in account.secrets.iter().filter(|(_, source)| source.store().is_some()) {
                match here.and_then(|here| here.secrets.get(kind)) {
                    Some(same) if same == source => {}
                    Some(other) => secrets.moved.push((account.clone(), other.clone())),
                    None => secrets.lost.push((account.clone(), *kind)),
                }
            }
        }
        secrets.vanishing =
            now.iter().filter(|account| !before.iter().any(|old| old.id == account.id)).cloned().collect();
        Ok(secrets)
    }

    fn refuse_moves(&self) -> Result<(), CliError> {
        let Some((account, now)) = self.moved.first() else { return Ok(()) };
        let error = CliError::failed(format!(
            "the secrets of '{}' are in another place now ({now}); nothing was taken back",
            account.name
        ));
        let before = account.secrets.values().find_map(SecretRef::store);
        Err(match before {
            Some(store) => {
                error.hint(format!("to move them back: msgrctl secret move {} --to {store}", account.handle))
            }
            None => error,
        })
    }
}
