//! Test Connection for `add`, `edit` and `test`: builds the subject of the checks from an
//! account's fields and secrets.

use super::commands;
use crate::accounts::{Account, Realm};
use crate::checks::causes::{PAGE_TOKEN_NEEDED, TOKEN_MISSING};
use crate::checks::ids;
use crate::checks::{self, Callback, Report, Subject, WasSetUp};
use crate::graph::{AppCredentials, Client};
use crate::messages::ChatSettings;
use crate::operations::health::{self, SetUps};
use crate::operations::secrets::place;
use crate::operations::{Error, Workspace};
use crate::secrets::{Secret, SecretKind, StoreError};

/// Days before expiry to start warning.
pub const WARN_DAYS: u32 = 14;

/// The secrets for a test.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub token: Secret,
    pub app_secret: Option<Secret>,
    /// The verify token if there is a callback to ask, or why it could not be read.
    pub verify_token: Result<Option<Secret>, StoreError>,
    /// The kept token that the Page's came from.
    pub user_token: Option<Secret>,
}

/// The subject of a test of `account`; `saved`: its handle can be used in commands.
pub fn subject(
    account: &Account,
    chat_settings: ChatSettings,
    credentials: Credentials,
    warn_days: u32,
    saved: bool,
) -> Subject {
    let app_id = account.app_id.as_ref().map(ToString::to_string);
    let app_secret_gone = match (account.secrets.get(&SecretKind::AppSecret), &credentials.app_secret) {
        (Some(_), None) if saved => Some(place(account, SecretKind::AppSecret)),
        _ => None,
    };
    let gone = || {
        if saved {
            place(account, SecretKind::VerifyToken)
        } else {
            "its verify token is generated when it is saved".into()
        }
    };
    let callback = account.callback_url.as_ref().map(|url| Callback {
        url: url.as_str().to_owned(),
        verify_token: match credentials.verify_token {
            Ok(token) => token.ok_or_else(gone),
            Err(error) => Err(error.to_string()),
        },
        sandbox: account.graph == Realm::Sandbox,
    });
    Subject {
        channel: account.channel,
        callback,
        commands: if saved { commands::saved(account) } else { commands::unsaved() },
        page_id: Some(account.page_id.to_string()),
        page_username: Some(account.page_username.to_string()),
        token: credentials.token,
        parent: credentials.user_token,
        app: app_id.clone().zip(credentials.app_secret).map(|(id, secret)| AppCredentials { id, secret }),
        app_id,
        app_secret_gone,
        messages: account.messages.clone(),
        chat_settings,
        warn_days,
        was_set_up: WasSetUp::default(),
        among_others: false,
    }
}

/// The stored secrets for a test; `None` if the token is missing.
pub fn stored(workspace: &Workspace, account: &Account) -> Result<Option<Credentials>, StoreError> {
    let Some(token) = workspace.secret(account, SecretKind::PageAccessToken)? else { return Ok(None) };
    let app_secret = match account.app_id {
        Some(_) => workspace.secret(account, SecretKind::AppSecret)?,
        None => None,
    };
    let verify_token = match account.callback_url {
        Some(_) => workspace.secret(account, SecretKind::VerifyToken),
        None => Ok(None),
    };
    // It only tells more about the Page's token: that it is gone is for `account renew` to say.
    let user_token = workspace.secret(account, SecretKind::UserAccessToken).ok().flatten();
    Ok(Some(Credentials { token, app_secret, verify_token, user_token }))
}

/// The error for an account without a token.
pub fn no_token(account: &Account) -> Error {
    let kind = SecretKind::PageAccessToken;
    Error::credentials(format!("there is no {kind} for '{}': {}", account.name, place(account, kind)))
        .reason(TOKEN_MISSING.id)
        .hint(format!("give it one: {}", commands::saved(account).replace_token))
}

/// Test Connection of the account with this name, handle or id.
pub fn test(workspace: &Workspace, address: &str) -> Result<Report, Error> {
    account(workspace, &super::find(workspace, address)?)
}

/// The same for a known account.
pub fn account(workspace: &Workspace, account: &Account) -> Result<Report, Error> {
    workspace.check_realm(account)?;
    let credentials = stored(workspace, account)?.ok_or_else(|| no_token(account))?;
    let mut subject = subject(account, workspace.chat_settings()?.load()?, credentials, WARN_DAYS, true);
    subject.was_set_up = SetUps::of(workspace).levels(account);
    let report = run(workspace, &workspace.graph()?, account.name.as_str(), &subject)?;
    health::keep_one(workspace, account, Some(&report));
    Ok(report)
}

pub fn run(workspace: &Workspace, client: &Client, name: &str, subject: &Subject) -> Result<Report, Error> {
    let _progress = workspace.reporter.waiting(&format!("testing '{name}' with Graph …"));
    let prober = workspace.prober()?;
    // All but one call in one batch: asking about the token costs no extra request.
    Workspace::wait(client.in_batches(checks::run(client, &prober, subject)))
}

/// Whether a person's or a system user's token was used instead of the Page's.
pub fn lacks_page_token(report: &Report) -> bool {
    report.findings.iter().any(|finding| finding.cause == Some(PAGE_TOKEN_NEEDED.id) && finding.id == ids::TOKEN_TYPE)
}
