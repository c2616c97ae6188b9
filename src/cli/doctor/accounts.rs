//! Accounts and stores against each other: secrets that are missing, and secrets that
//! belong to nobody any more.

use super::Found;
use crate::accounts::Account;
use crate::checks::Outcome;
use crate::cli::account::connection;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::secret;
use crate::secrets::SecretKind;

pub(super) fn look(ctx: &Context) -> Result<Vec<Found>, CliError> {
    // A file that cannot be read was named already, with the place.
    let Ok(accounts) = ctx.accounts()?.load() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let mut unknown = None;
    for account in &accounts {
        for kind in account.secrets.keys().copied() {
            match ctx.secret(account, kind) {
                Ok(Some(_)) => {}
                Ok(None) => found.push(missing(account, kind)),
                Err(error) => unknown = unknown.or(Some(error)),
            }
        }
        if !account.secrets.contains_key(&SecretKind::PageAccessToken) {
            found.push(missing(account, SecretKind::PageAccessToken));
        }
    }
    if let Some(error) = unknown {
        found.push(Found::of_error("secrets.present", error));
    } else if found.is_empty() {
        found.push(Found::pass("secrets.present", "every secret is where its record says"));
    }
    found.push(left_behind(ctx));
    Ok(found)
}

fn missing(account: &Account, kind: SecretKind) -> Found {
    let place = connection::place(account, kind);
    let command = match account.secrets.get(&kind) {
        Some(source) if source.store().is_none() => format!("put it back where {source} finds it"),
        _ if connection::is_in_variables(account) => connection::saved_commands(account).replace_token,
        _ if kind == SecretKind::VerifyToken => {
            format!("msgrctl secret set {} verify-token --generate", account.handle)
        }
        _ => format!("msgrctl secret set {} {} --stdin", account.handle, kind.argument()),
    };
    Found::new("secrets.present", Outcome::Fail, format!("{}: {place}", account.handle))
        .hint(format!("give it one; then: {command}"))
}

/// Entries of ours that no account of any tenant points to: left by a process that
/// was killed, or by another configuration directory on this machine.
fn left_behind(ctx: &Context) -> Found {
    const ID: &str = "secrets.left_behind";
    let in_keyring = match ctx.stores().keyring().entries() {
        Ok(Some(entries)) => entries,
        Ok(None) => return Found::new(ID, Outcome::Skip, "this platform does not list its keyring"),
        // Where there is no keyring nothing is left in it.
        Err(_) => Vec::new(),
    };
    let in_file = ctx.stores().file().entries().unwrap_or_default();
    let mut orphans = Vec::new();
    for (store, entries) in [("keyring", in_keyring), ("file", in_file)] {
        for entry in entries {
            if matches!(secret::left_behind(ctx, &entry), Ok(Some(_))) {
                orphans.push((store, entry));
            }
        }
    }
    match orphans.as_slice() {
        [] => Found::pass(ID, "no secret is left behind"),
        [(store, entry), ..] => Found::new(
            ID,
            Outcome::Warn,
            format!(
                "{} secrets belong to no account of this configuration, such as {entry} in the {store} store",
                orphans.len()
            ),
        )
        .hint(format!(
            "if no other configuration uses them; then: msgrctl secret remove --entry {entry} --store {store} --yes"
        )),
    }
}
