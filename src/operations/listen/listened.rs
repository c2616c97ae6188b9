//! The accounts to listen for.

use crate::accounts::Account;
use crate::operations::accounts::{self, commands};
use crate::operations::{Error, Workspace};
use crate::secrets::{Secret, SecretKind};

/// An account to listen for.
pub struct Listened {
    pub account: Account,
    /// The secret that its events are signed with.
    pub app_secret: Secret,
}

/// The named accounts, or all of this Graph. An account without an app secret is refused,
/// because a forged event would look like Meta's; if none was named it is skipped.
pub fn listened(workspace: &Workspace, named: &[String]) -> Result<Vec<Listened>, Error> {
    let store = workspace.accounts()?;
    let accounts = if named.is_empty() {
        let realm = workspace.realm()?;
        store.load()?.into_iter().filter(|account| account.graph == realm).collect()
    } else {
        accounts::named(workspace, &store.load()?, named)?
    };
    if accounts.is_empty() {
        let settings = workspace.settings()?;
        let error = Error::failed(format!("there are no accounts of {} to listen for", settings.graph_url.value));
        return Err(if store.load()?.is_empty() {
            error.hint("to add one: msgrctl account add")
        } else {
            error.hint(
                "the existing accounts belong to another Graph: set MSGRCTL_GRAPH_URL to it, or unset it for Meta's",
            )
        });
    }
    let alone = accounts.len() == 1;
    let mut listened: Vec<Listened> = Vec::new();
    for account in accounts {
        if let Some(app_secret) = workspace.secret(&account, SecretKind::AppSecret)? {
            listened.push(Listened { account, app_secret });
            continue;
        }
        let what =
            format!("'{}' has no app secret: without it Meta's events cannot be told from forged ones", account.name);
        let give = commands::saved(&account).add_app;
        if !named.is_empty() || alone {
            return Err(Error::credentials(what).hint(format!("give it one: {give}")));
        }
        workspace.warning(&format!("skipped: {what}; {give}"));
    }
    if listened.is_empty() {
        return Err(Error::credentials("no account has an app secret to check events with")
            .hint("to give one to an account: msgrctl account edit NAME --app-id APP_ID --app-secret-stdin"));
    }
    Ok(listened)
}
