//! Test Connection as `add`, `edit` and `test` make it: an account's fields and
//! secrets become the subject of the checks.

use crate::accounts::Account;
use crate::checks::Subject;
use crate::cli::context::{Context, key};
use crate::cli::error::CliError;
use crate::graph::AppCredentials;
use crate::secrets::{Secret, SecretKind, StoreError};

/// How many days before an end of validity it is warned of.
pub const WARN_DAYS: u32 = 14;

/// What a test needs and an account may not have.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The Page access token.
    pub token: Secret,
    /// The app's secret.
    pub app_secret: Option<Secret>,
}

/// The subject of a test of `account`. `saved` says whether its handle can be
/// named in a command already.
pub fn subject(account: &Account, credentials: Credentials, warn_days: u32, saved: bool) -> Subject {
    let app_id = account.app_id.as_ref().map(ToString::to_string);
    let app = app_id.clone().zip(credentials.app_secret).map(|(id, secret)| AppCredentials { id, secret });
    let handle = &account.handle;
    let (replace_token, edit) = if saved {
        (format!("msgrctl account edit {handle} --token-stdin --yes"), format!("msgrctl account edit {handle}"))
    } else {
        ("run this command again with the new token".into(), "run this command again with".into())
    };
    Subject {
        replace_token,
        edit,
        page_id: Some(account.page_id.to_string()),
        page_username: Some(account.page_username.to_string()),
        token: credentials.token,
        app_id,
        app,
        warn_days,
    }
}

/// The stored secrets that a test needs; `None` when there is no token.
pub fn stored(ctx: &Context, account: &Account) -> Result<Option<Credentials>, StoreError> {
    let Some(token) = read(ctx, account, SecretKind::PageAccessToken)? else { return Ok(None) };
    let app_secret = match account.app_id {
        Some(_) => read(ctx, account, SecretKind::AppSecret)?,
        None => None,
    };
    Ok(Some(Credentials { token, app_secret }))
}

/// One stored secret; `None` where the record names none or the store has none.
pub fn read(ctx: &Context, account: &Account, kind: SecretKind) -> Result<Option<Secret>, StoreError> {
    match account.secrets.get(&kind) {
        Some(source) => ctx.store(source.0).get(&key(account, kind)),
        None => Ok(None),
    }
}

/// The error of an account that has no token to work with.
pub fn no_token(account: &Account) -> CliError {
    CliError::credentials(format!("there is no page access token for '{}'", account.name))
        .hint(format!("give it one: msgrctl account edit {} --token-stdin --yes", account.handle))
}
