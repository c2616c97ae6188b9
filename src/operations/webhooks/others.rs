//! Whom a change of an app's webhook affects: an app has one for all of its Pages.

use crate::accounts::Account;
use crate::operations::{Error, Workspace};

/// The other accounts of an app, in every tenant of this configuration; those of which
/// `known` says so are skipped.
pub fn others_of_app(
    workspace: &Workspace,
    account: &Account,
    known: impl Fn(&Account) -> bool,
) -> Result<Vec<String>, Error> {
    let here = workspace.settings()?.tenant.value.to_string();
    let mut names = Vec::new();
    for tenant in workspace.tenant_names()? {
        for other in workspace.accounts_of(&tenant)?.load()? {
            let same = other.app_id == account.app_id && other.graph == account.graph && other.id != account.id;
            if same && !known(&other) {
                let place = if tenant == here { String::new() } else { format!(" (tenant {tenant})") };
                names.push(format!("'{}'{place}", other.name));
            }
        }
    }
    Ok(names)
}
