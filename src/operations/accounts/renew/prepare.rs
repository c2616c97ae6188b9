//! What an account has to be renewed with, and what Meta says of its tokens.

use futures_util::stream::{self, StreamExt as _};

use super::{AT_ONCE, Group, Member, Outcome};
use crate::accounts::Account;
use crate::checks::causes::APP_SECRET_MISSING;
use crate::graph::endpoints::token;
use crate::graph::{AppCredentials, Client};
use crate::operations::accounts::commands;
use crate::operations::accounts::test::{self, Credentials};
use crate::operations::{Error, Workspace};
use crate::secrets::{Secret, SecretKind, SecretRef, StoreName};

/// Asks what each token is, and each kept one once.
pub(super) async fn inspect(client: &Client, groups: &mut [Group]) {
    let mut asked = Vec::new();
    for (of, group) in groups.iter().enumerate() {
        asked.extend(group.parent.iter().map(|parent| (of, None, parent.clone(), group.app.clone())));
        let of_member =
            |(at, member): (usize, &Member)| (of, Some(at), member.credentials.token.clone(), group.app.clone());
        asked.extend(group.members.iter().enumerate().map(of_member));
    }
    let asked = stream::iter(asked).map(|(of, at, secret, app)| async move {
        (of, at, token::debug(client, &secret, &app).await.map(|answer| answer.value))
    });
    for (of, at, info) in asked.buffered(AT_ONCE).collect::<Vec<_>>().await {
        match at {
            Some(at) => groups[of].members[at].info = Some(info),
            None => groups[of].info = Some(info),
        }
    }
}

type Secrets = (AppCredentials, Option<Secret>, Credentials);

/// The secrets of an account, or why it cannot be renewed with them.
pub(super) fn secrets(workspace: &Workspace, account: &Account) -> Result<Secrets, (Outcome, Error)> {
    let failed = |error: Error| (Outcome::Failed, error);
    let credentials = test::stored(workspace, account).map_err(|error| failed(error.into()))?;
    let credentials = credentials.ok_or_else(|| (Outcome::CannotRenew, test::no_token(account)))?;
    let kind = SecretKind::UserAccessToken;
    let parent = workspace.secret(account, kind).map_err(|error| failed(error.into()))?;
    let app = account.app_id.as_ref().map(ToString::to_string).zip(credentials.app_secret.clone());
    let Some((id, secret)) = app else {
        let error = Error::credentials("renewing a token needs the app id and the app secret");
        let error = error.reason(APP_SECRET_MISSING.id).hint(commands::saved(account).add_app);
        return Err((Outcome::CannotRenew, error));
    };
    let is_ours = |kind| {
        let store = account.secrets.get(&kind).and_then(SecretRef::store);
        store.is_some_and(|store| store != StoreName::Env)
    };
    if parent.is_some()
        && let Some(kind) = [SecretKind::PageAccessToken, kind].into_iter().find(|kind| !is_ours(*kind))
    {
        let place = account.secrets.get(&kind).map(ToString::to_string).unwrap_or_default();
        let error =
            Error::credentials(format!("the {kind} is read from {place}, which msgrctl cannot write; renew it there"));
        return Err((Outcome::CannotRenew, error));
    }
    Ok((AppCredentials { id, secret }, parent, credentials))
}
