//! Accounts and stores against each other, in every tenant: secrets that are missing, and
//! secrets that belong to no account any more.

use super::Found;
use crate::accounts::Account;
use crate::checks::Outcome;
use crate::checks::causes::{SECRET_MISSING, SECRETS_LEFT_BEHIND, STORE_UNAVAILABLE};
use crate::checks::ids;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::operations::Origin;
use crate::operations::secrets::left_behind;
use crate::operations::secrets::place;
use crate::operations::{Tenants, Workspace, key};
use crate::secrets::{SecretKind, SecretRef, StoreError, StoreName};

pub(super) fn look(ctx: &Context, tenants: &Tenants<'_>) -> Result<Vec<Found>, CliError> {
    let several = tenants.iter().count() > 1;
    let mut found = Vec::new();
    let mut all_read = true;
    for (tenant, inside) in tenants.iter() {
        // A file that cannot be read was named already, with the place.
        let Ok(accounts) = inside.accounts()?.load() else {
            all_read = false;
            continue;
        };
        found.extend(of_tenant(inside, &accounts, &Named::new(ctx, tenant, several)?));
    }
    if found.is_empty() && all_read {
        let count = if several { format!(" (tenants: {})", tenants.iter().count()) } else { String::new() };
        found.push(Found::pass(ids::SECRETS_PRESENT, format!("every secret is where its record says{count}")));
    }
    found.extend(left_behind(ctx, tenants));
    Ok(found)
}

/// A tenant as findings and commands name it.
struct Named {
    /// `in tenant acme: `, where there are several.
    place: String,
    /// ` --tenant acme`, where a command would work in another one.
    flag: String,
}

impl Named {
    fn new(ctx: &Context, tenant: &str, several: bool) -> Result<Self, CliError> {
        let setting = &ctx.settings()?.tenant;
        let is_meant = setting.value.as_str() == tenant && !matches!(setting.origin, Origin::Flag(_));
        Ok(Self {
            place: if several || !is_meant { format!("in tenant {tenant}: ") } else { String::new() },
            flag: if is_meant { String::new() } else { format!(" --tenant {tenant}") },
        })
    }
}

/// What is not where the records of one tenant say.
fn of_tenant(inside: &Workspace, accounts: &[Account], named: &Named) -> Vec<Found> {
    let mut found = Vec::new();
    let mut unknown: Vec<(&Account, SecretKind, StoreError)> = Vec::new();
    for account in accounts {
        for kind in account.secrets.keys().copied() {
            match inside.secret(account, kind) {
                Ok(Some(_)) => {}
                Ok(None) => found.push(missing(account, kind, named)),
                Err(error) => unknown.push((account, kind, error)),
            }
        }
        if !account.secrets.contains_key(&SecretKind::PageAccessToken) {
            found.push(missing(account, SecretKind::PageAccessToken, named));
        }
    }
    // One store that does not answer is one trouble, however many secrets it has.
    if let Some((account, kind, error)) = unknown.first() {
        let more = if unknown.len() > 1 { format!(", and {} more", unknown.len() - 1) } else { String::new() };
        let mut cannot = Found::of_error(ids::SECRETS_PRESENT, error.clone(), &STORE_UNAVAILABLE);
        cannot.summary =
            format!("{}the {kind} of {}{more} cannot be read: {}", named.place, account.handle, cannot.summary);
        found.push(cannot);
    }
    found
}

fn missing(account: &Account, kind: SecretKind, named: &Named) -> Found {
    let place = place(account, kind);
    let handle = &account.handle;
    let Named { place: tenant, flag } = named;
    let fix = match account.secrets.get(&kind) {
        Some(SecretRef::Stored(StoreName::Env)) => format!("set the variable {}", key(account, kind).variable()),
        Some(source) if source.store().is_none() => format!("put it back where {source} finds it"),
        _ if kind.is_verify_token() => {
            format!("make a new one, here and at Meta; then: msgrctl webhook rotate {handle} --yes{flag}")
        }
        _ => format!("give it one; then: msgrctl secret set {handle} {} --stdin --yes{flag}", kind.argument()),
    };
    Found::new(ids::SECRETS_PRESENT, Outcome::Fail, format!("{tenant}{handle}: {place}"))
        .because(&SECRET_MISSING)
        .hint(fix)
}

/// Entries of ours that no account of any tenant points to there.
fn left_behind(ctx: &Context, tenants: &Tenants<'_>) -> Vec<Found> {
    const ID: &str = ids::SECRETS_LEFT_BEHIND;
    const SHOWN: usize = 20;
    let not_known = |place: String, why: String| Found::new(ID, Outcome::Skip, format!("{place}not known: {why}"));
    let looked = match left_behind::find(ctx, tenants, None) {
        Ok(looked) => looked,
        Err(error) => return vec![not_known(String::new(), error.message().to_owned())],
    };
    let mut found: Vec<Found> = looked
        .unknown
        .iter()
        .map(|(tenant, error)| {
            let place = tenant.as_ref().map(|tenant| format!("in tenant {tenant}: ")).unwrap_or_default();
            not_known(place, error.to_string())
        })
        .collect();
    if looked.entries.is_empty() {
        if found.is_empty() {
            found.push(if looked.no_keyring {
                Found::pass(ID, "no secret is left behind in an encrypted file; this machine has no keyring")
            } else {
                Found::pass(ID, "no secret is left behind")
            });
        }
        return found;
    }
    let mut lines = left_behind::in_words(&looked.entries);
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    lines.extend((more > 0).then(|| format!("and {more} more accounts")));
    let count = looked.entries.len();
    let summary = format!("secrets that belong to no account of this configuration: {count}; {}", lines.join("; "));
    let shared = looked.entries.iter().any(|entry| entry.tenant.is_none());
    let fix = if shared {
        "another configuration directory of yours shares the keyring, and its accounts would lose their secrets: remove them only if none of these accounts is in one; the command lists them and asks"
    } else {
        "if accounts.toml was lost or edited, restore it first: these may be the only copies; otherwise remove them: the command lists them and asks"
    };
    found.push(
        Found::new(ID, Outcome::Warn, summary)
            .because(&SECRETS_LEFT_BEHIND)
            .hint(format!("{fix}; then: msgrctl secret remove --left-behind")),
    );
    found
}
