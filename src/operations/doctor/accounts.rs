//! Missing secrets of accounts, in every tenant.

use crate::accounts::Account;
use crate::checks::Outcome;
use crate::checks::causes::{SECRET_MISSING, STORE_UNAVAILABLE};
use crate::checks::ids;
use crate::operations::secrets::place;
use crate::operations::{Error, Found, Tenants, Workspace, key};
use crate::secrets::{SecretKind, SecretRef, StoreError, StoreName};

/// Secrets that are not where their records say.
pub fn look(workspace: &Workspace, tenants: &Tenants<'_>) -> Result<Vec<Found>, Error> {
    let several = tenants.iter().count() > 1;
    let mut found = Vec::new();
    let mut all_read = true;
    for (tenant, inside) in tenants.iter() {
        // A file that cannot be read was reported already.
        let Ok(accounts) = inside.accounts()?.load() else {
            all_read = false;
            continue;
        };
        found.extend(of_tenant(inside, &accounts, &Named::new(workspace, tenant, several)?));
    }
    if found.is_empty() && all_read {
        let count = if several { format!(" (tenants: {})", tenants.iter().count()) } else { String::new() };
        found.push(Found::pass(ids::SECRETS_PRESENT, format!("every secret is where its record says{count}")));
    }
    Ok(found)
}

/// A tenant in findings and commands.
struct Named {
    /// `in tenant acme: `, if there are several.
    place: String,
    /// ` --tenant acme`, if a command would use another tenant.
    flag: String,
}

impl Named {
    fn new(workspace: &Workspace, tenant: &str, several: bool) -> Result<Self, Error> {
        let flag = workspace.tenant_flag(tenant)?;
        let is_named = several || !flag.is_empty();
        Ok(Self { place: if is_named { format!("in tenant {tenant}: ") } else { String::new() }, flag })
    }
}

/// The missing secrets of one tenant.
fn of_tenant(inside: &Workspace, accounts: &[Account], named: &Named) -> Vec<Found> {
    let mut found = Vec::new();
    let mut unknown: Vec<(&Account, SecretKind, StoreError)> = Vec::new();
    inside.read_ahead(accounts);
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
    // A store that does not answer is one problem, however many secrets it has.
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
