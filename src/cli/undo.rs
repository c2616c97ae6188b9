//! `msgrctl undo`: undoes the last change.
//!
//! It puts several files back, one after the other. Where that stops half-way, by an
//! error or a kill, the same undo goes on when it is run again.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::error::CliError;
use crate::accounts::{Account, AccountError, newly_alike, read_accounts};
use crate::files;
use crate::operations::Origin;
use crate::operations::journal::{Changing, Entry, Pending, Undo, fingerprint, put_back, recover, several_in_words};
use crate::operations::key;
use crate::secrets::{SecretKind, SecretRef, StoreName};
use crate::ui::interrupt;

/// Undo the last change
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
    let unfinished = recover(ctx, None, false)?;
    let Some(undo) = Undo::read(ctx)? else {
        return Err(CliError::failed("there is no change to undo"));
    };
    let text = files::read_text(&paths.undo_file())?;
    let last = || Ok::<_, CliError>(files::read_text(&paths.undo_file())? == text);
    let entry = &undo.entry;
    if let Origin::Flag(flag) = &ctx.settings()?.tenant.origin
        && ctx.settings()?.tenant.value.as_str() != entry.tenant
    {
        return Err(CliError::failed(format!("the last change was in tenant '{}'; nothing was undone", entry.tenant))
            .hint(format!("leave {flag} out to undo it")));
    }
    let what = several_in_words(&entry.changes);
    check_unchanged(ctx, &undo, unfinished.is_some())?;
    let inside = ctx.in_tenant(&entry.tenant);
    let secrets = Secrets::of(ctx, &undo, unfinished.as_ref())?;
    secrets.refuse_moves()?;
    secrets.refuse_values_alone(entry)?;
    secrets.refuse_rotations()?;
    ctx.confirm(&format!("Undo '{}' in tenant '{}' ({what})?", entry.command, entry.tenant), "msgrctl undo")?;
    for (_, _, store) in &secrets.vanishing {
        inside.store(*store).probe()?;
    }
    let mut left = Vec::new();
    {
        let going_on = unfinished.is_some();
        let change = Changing::begin_undo(&inside, &undo, inside.lock_tenant()?, unfinished)?;
        let _hold = interrupt::Hold::begin();
        // Now that nobody else changes them.
        if !last()? {
            return Err(CliError::failed("another command has changed something meanwhile; nothing was undone")
                .hint("msgrctl log shows the changes"));
        }
        check_unchanged(ctx, &undo, going_on)?;
        put_back(ctx, undo.files.iter().map(|file| (&file.path, &file.before)))
            .map_err(|error| change.not_undone(error))?;
        // The record first: a kill in between leaves a secret too many, which doctor finds.
        let (stuck, written) = inside.stores().file().at_once(|| {
            let remove = |(account, kind, store): &(Account, SecretKind, StoreName)| {
                inside.store(*store).remove(&key(account, *kind)).map(drop)
            };
            secrets.vanishing.iter().map(remove).collect::<Vec<_>>()
        });
        for ((account, kind, store), result) in secrets.vanishing.iter().zip(stuck) {
            let result = if *store == StoreName::File { result.and(written.clone()) } else { result };
            if let Err(error) = result {
                let entry = key(account, *kind).entry();
                left.push(format!("the {kind} in the {store} store (entry msgrctl / {entry}): {error}"));
            }
        }
        files::remove_empty_dir(&paths.tenant_dir(&entry.tenant));
        // Written down before an interrupt may end everything.
        drop(change);
    }
    if ctx.output.json {
        ctx.output.json(&UndoneView { schema_version: 1, undone: entry });
    } else {
        ctx.output.result(&format!("undid '{}' in tenant '{}': {what}", entry.command, entry.tenant));
    }
    for left in left {
        ctx.output.warning(&format!("undone, but this is left: {left}"));
    }
    let elsewhere = ctx.settings()?.tenant.value.as_str() != entry.tenant;
    let tenant = if elsewhere { format!(" --tenant {}", entry.tenant) } else { String::new() };
    for (account, kind) in &secrets.lost {
        ctx.output.warning(&format!(
            "the {kind} of '{}' was removed and cannot be brought back; {}{tenant}",
            account.name,
            match kind {
                SecretKind::NextVerifyToken => format!("make another: msgrctl webhook rotate {}", account.handle),
                _ => format!("give it again: msgrctl secret set {} {} --stdin", account.handle, kind.argument()),
            }
        ));
    }
    let replaced = entry.changes.iter().filter(|change| change.what == "changed").flat_map(|change| {
        change.fields.iter().filter_map(move |field| Some((&change.of, field.strip_prefix("secrets.")?)))
    });
    for (of, kind) in replaced {
        let kind = kind.replace('_', " ");
        let gone = secrets.lost.iter().any(|(account, lost)| account.name.as_str() == of && lost.words() == kind);
        let taken =
            secrets.vanishing.iter().any(|(account, lost, _)| account.name.as_str() == of && lost.words() == kind);
        if !gone && !taken {
            ctx.output.warning(&format!("the {kind} of '{of}' was replaced; the new one stays"));
        }
    }
    Ok(0)
}

/// Refuses when a file is not what the change made of it; for an undo that goes on,
/// what it was before is right too.
fn check_unchanged(ctx: &Context, undo: &Undo, going_on: bool) -> Result<(), CliError> {
    let root = ctx.settings()?.paths.root();
    for (file, may_be_back) in
        undo.files.iter().map(|file| (file, going_on)).chain(undo.others.iter().map(|file| (file, false)))
    {
        let now = files::read_text(&root.join(&file.path))?;
        let is_back = may_be_back && now == file.before;
        if !is_back && now.as_deref().map(fingerprint) != file.after_sha256 {
            return Err(CliError::failed(format!(
                "{} has changed since '{}'; nothing was undone",
                file.path.display(),
                undo.entry.command
            ))
            .hint("msgrctl log shows the changes"));
        }
    }
    if undo.files.is_empty() {
        return Err(values_alone(&undo.entry.command));
    }
    Ok(())
}

fn values_alone(command: &str) -> CliError {
    let error = CliError::failed(format!("'{command}' changed secrets and nothing else, which cannot be undone"));
    if command == "secret move" { error.hint("to move them back: msgrctl secret move --help") } else { error }
}

fn by_id(accounts: &[Account]) -> BTreeMap<&str, &Account> {
    accounts.iter().map(|account| (account.id.as_str(), account)).collect()
}

/// What taking back means for secrets.
struct Secrets {
    /// Secrets that no record will name any more: they go too.
    vanishing: Vec<(Account, SecretKind, StoreName)>,
    /// Secrets that the old record names and no store has any more.
    lost: Vec<(Account, SecretKind)>,
    /// Whether the records name other places than before.
    places_differ: bool,
    /// Secrets that are in another store now.
    moved: Vec<(Account, SecretRef)>,
}

impl Secrets {
    /// `unfinished` is the undo that goes on: the accounts may be back already.
    fn of(ctx: &Context, undo: &Undo, unfinished: Option<&Pending>) -> Result<Self, CliError> {
        let paths = &ctx.settings()?.paths;
        let path = paths.accounts_file(&undo.entry.tenant);
        let relative = path.strip_prefix(paths.root()).unwrap_or(&path);
        let mut secrets = Self { vanishing: Vec::new(), lost: Vec::new(), places_differ: false, moved: Vec::new() };
        let Some(file) = undo.files.iter().find(|file| file.path == relative) else { return Ok(secrets) };
        let read = |text: Option<&str>| match text {
            Some(text) => Ok::<_, CliError>(read_accounts(text, &path).map_err(AccountError::from)?),
            None => Ok(Vec::new()),
        };
        let now = match unfinished.and_then(|pending| pending.before.get(relative)) {
            Some(text) => read(text.as_deref())?,
            None => read(files::read_text(&path)?.as_deref())?,
        };
        let before = read(file.before.as_deref())?;
        if let Some([one, other]) = newly_alike(&now, &before) {
            return Err(CliError::failed(format!(
                "'{}' and '{}' would answer to the same name, handle or id again; nothing was undone",
                one.name, other.name
            ))
            .hint("msgrctl log shows the changes"));
        }
        let (old_by_id, now_by_id) = (by_id(&before), by_id(&now));
        for account in &before {
            let here = now_by_id.get(account.id.as_str());
            // What is in variables was never ours to remove.
            let ours = |source: &SecretRef| source.store().is_some_and(|store| store != StoreName::Env);
            for (kind, source) in account.secrets.iter().filter(|(_, source)| ours(source)) {
                match here.and_then(|here| here.secrets.get(kind)) {
                    Some(same) if same == source => {}
                    // A reference took its place, and the value went.
                    Some(other) if other.store().is_none() => secrets.lost.push((account.clone(), *kind)),
                    Some(other) => secrets.moved.push((account.clone(), other.clone())),
                    None => secrets.lost.push((account.clone(), *kind)),
                }
            }
        }
        for account in &now {
            let old = old_by_id.get(account.id.as_str());
            secrets.places_differ |= old.is_none_or(|old| old.secrets != account.secrets);
            for (kind, source) in &account.secrets {
                let stays = old.is_some_and(|old| old.secrets.get(kind) == Some(source));
                if let Some(store) = source.store().filter(|store| !stays && *store != StoreName::Env) {
                    secrets.vanishing.push((account.clone(), *kind, store));
                }
            }
        }
        Ok(secrets)
    }

    /// Another value in the same place: no file shows it, and nothing brings it back.
    fn refuse_values_alone(&self, entry: &Entry) -> Result<(), CliError> {
        let alone = entry
            .changes
            .iter()
            .all(|change| change.what == "changed" && change.fields.iter().all(|field| field.starts_with("secrets.")));
        if alone && !self.places_differ && self.lost.is_empty() {
            return Err(values_alone(&entry.command));
        }
        Ok(())
    }

    /// The new verify token of a rotation that is not finished would go: Meta may have it.
    fn refuse_rotations(&self) -> Result<(), CliError> {
        let is_next = |(_, kind, _): &&(Account, SecretKind, StoreName)| *kind == SecretKind::NextVerifyToken;
        let Some((account, ..)) = self.vanishing.iter().find(is_next) else { return Ok(()) };
        Err(CliError::failed(format!(
            "the rotation of the verify token of '{}' is not finished, and Meta may have the new one; nothing was undone",
            account.name
        ))
        .hint(format!("to finish it: msgrctl webhook rotate {}", account.handle))
        .hint(format!("or cancel it: msgrctl webhook rotate {} --cancel", account.handle)))
    }

    fn refuse_moves(&self) -> Result<(), CliError> {
        let Some((account, now)) = self.moved.first() else { return Ok(()) };
        let error = CliError::failed(format!(
            "the secrets of '{}' are in another place now ({now}); nothing was undone",
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
