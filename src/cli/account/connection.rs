//! Test Connection as `add`, `edit` and `test` make it: an account's fields and
//! secrets become the subject of the checks.

use super::view::{ResultsEnvelope, report_text};
use crate::accounts::Account;
use crate::checks::{self, Outcome, Report, Subject};
use crate::cli::context::{Context, key};
use crate::cli::error::CliError;
use crate::graph::{AppCredentials, Client};
use crate::secrets::{Secret, SecretKind, StoreError};
use crate::ui::progress::Progress;

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

/// Runs the checks with something on the screen meanwhile.
pub fn test(ctx: &Context, client: &Client, name: &str, subject: &Subject) -> Result<Report, CliError> {
    let _progress = Progress::start(&ctx.output, &format!("testing '{name}' with Graph …"));
    Context::wait(checks::run(client, subject))
}

/// Lets an account through whose credentials passed; shows the report and ends
/// the command otherwise.
pub fn gate(ctx: &Context, report: &Report, name: &str, save_anyway: bool) -> Result<(), CliError> {
    let outcome = report.credentials();
    if save_anyway && outcome >= Outcome::Unreachable {
        ctx.output.warning(&format!("the credentials of '{name}' did not pass; saving all the same (--save-anyway)"));
    }
    if save_anyway || outcome < Outcome::Unreachable {
        return Ok(());
    }
    if ctx.output.json {
        ctx.output.json(&ResultsEnvelope::new([(name, report)]));
    } else {
        ctx.output.result(&report_text(name, report, &ctx.output));
    }
    let advice = "mend what failed and run this again; --save-anyway saves it as it is";
    Err(match outcome {
        Outcome::Fail => CliError::check("the credentials failed the test; nothing was saved").hint(advice),
        _ => CliError::remote("Graph could not be reached; nothing was saved")
            .hint("try again later, or save without a test: --no-test"),
    })
}
