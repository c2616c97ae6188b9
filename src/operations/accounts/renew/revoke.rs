//! Revokes the old token of a system user, once no account needs it.

use crate::checks::TokenLife;
use crate::checks::causes::Place;
use crate::graph::endpoints::{renewal, token};
use crate::graph::{AppCredentials, Client};
use crate::operations::{Error, Workspace};
use crate::secrets::{Secret, SecretKind};

/// Revokes `old` as the holder of `new`, unless an account of any tenant still keeps it or that
/// cannot be seen.
pub(super) async fn revoke(
    workspace: &Workspace,
    client: &Client,
    old: &Secret,
    new: &Secret,
    app: &AppCredentials,
) -> Result<(), Error> {
    if let Some(who) = keeper(workspace, old, app)? {
        return Err(Error::failed(format!("the old token was not revoked: {who}")));
    }
    let answered = renewal::revoke(client, old, new, app).await;
    if matches!(answered, Ok(true)) {
        return Ok(());
    }
    // An answer that was lost, or a second try: the token itself tells.
    if let Ok(answer) = token::debug(client, old, app).await
        && !answer.value.lives()
    {
        return Ok(());
    }
    let error = match answered {
        Err(error) => Error::of_graph(&error, Place::App.plain()),
        Ok(_) => Error::failed("Meta did not confirm it"),
    };
    Err(error
        .context("the old token was not revoked")
        .hint("it works on to its own end; to revoke it now: business.facebook.com, Business settings, System users"))
}

/// The account that keeps the old token, or whose own token may have come from it, in words. The
/// tokens of Pages die with the token that they were taken with.
fn keeper(workspace: &Workspace, old: &Secret, app: &AppCredentials) -> Result<Option<String>, Error> {
    for (tenant, inside) in workspace.tenants()?.iter() {
        let known = inside.records()?.health(tenant)?.0;
        for account in inside.accounts()?.load()? {
            if account.app_id.as_ref().is_some_and(|id| id.as_str() != app.id) {
                continue;
            }
            let name = format!("'{}' in tenant '{tenant}'", account.name);
            match inside.secret(&account, SecretKind::UserAccessToken) {
                Ok(Some(kept)) if kept == *old => return Ok(Some(format!("{name} keeps it too"))),
                Ok(Some(_)) => {}
                Ok(None) => {
                    let health = known.accounts.iter().find(|health| health.account_id == account.id);
                    let life = health.and_then(|health| TokenLife::named(health.token_life.as_deref()?));
                    let is_another = life.is_some_and(|life| !life.is_of_system_user());
                    if !is_another {
                        return Ok(Some(format!(
                            "{name} keeps no user token, and its own token may have come from this one"
                        )));
                    }
                }
                Err(error) => return Ok(Some(format!("whether {name} keeps it is not known: {error}"))),
            }
        }
    }
    Ok(None)
}
