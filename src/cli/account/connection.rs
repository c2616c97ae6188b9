//! Test Connection as `add`, `edit` and `test` make it: an account's fields and
//! secrets become the subject of the checks.

use super::view::{ResultsEnvelope, report_text};
use crate::accounts::{Account, AppId, Realm};
use crate::checks::causes::{PAGE_TOKEN_NEEDED, TOKEN_MISSING};
use crate::checks::{self, Callback, Commands, Outcome, Report, Subject};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::graph::{AppCredentials, Client};
use crate::messages::ChatSettings;
use crate::operations::key;
use crate::secrets::{Secret, SecretKind, SecretRef, StoreError, StoreName};
use crate::ui::progress::Progress;

/// How many days before an end of validity it is warned of.
pub const WARN_DAYS: u32 = 14;

/// The secrets that a test works with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The Page access token.
    pub token: Secret,
    /// The app's secret.
    pub app_secret: Option<Secret>,
    /// The verify token, where there is a callback to ask with it, or why it could not be read.
    pub verify_token: Result<Option<Secret>, StoreError>,
}

/// The subject of a test of `account`. `saved` says whether its handle can be
/// named in a command already.
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
        if saved { place(account, SecretKind::VerifyToken) } else { "its verify token is made when it is saved".into() }
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
        callback,
        commands: if saved { saved_commands(account) } else { unsaved_commands() },
        page_id: Some(account.page_id.to_string()),
        page_username: Some(account.page_username.to_string()),
        token: credentials.token,
        app: app_id.clone().zip(credentials.app_secret).map(|(id, secret)| AppCredentials { id, secret }),
        app_id,
        app_secret_gone,
        messages: account.messages.clone(),
        chat_settings,
        warn_days,
        among_others: false,
    }
}

/// What fixes an account that is saved: commands, or variables where its secrets
/// are in variables.
pub fn saved_commands(account: &Account) -> Commands {
    let mut commands = commands_of(account.handle.as_str());
    let Commands { test_again, edit, .. } = &commands;
    // Only the secret is missing where an app id is known; where it is wrong, both are asked for.
    let known = account.app_id.as_ref().map_or("APP_ID", AppId::as_str);
    let with_app = |app_id: &str| format!("{edit} --app-id {app_id} --app-secret-stdin --yes");
    let mut add_app = with_app(known);
    let reference = account.secrets.get(&SecretKind::PageAccessToken);
    if let Some(place) = reference.filter(|reference| reference.store().is_none()) {
        commands.replace_token = format!("put it where {place} finds it, and {test_again}");
    } else if reference.is_some_and(|reference| reference.store() == Some(StoreName::Env)) {
        let variable = |kind| key(account, kind).variable();
        let secret = variable(SecretKind::AppSecret);
        let set_app = format!("set {secret}, and {edit} --app-id APP_ID");
        add_app = format!("set {secret}, and {edit} --app-id {known}");
        commands.replace_token = format!("set {} to it, and {test_again}", variable(SecretKind::PageAccessToken));
        commands.set_app = set_app;
    }
    Commands { add_app, ..commands }
}

/// The commands of an account with this handle, whatever keeps its secrets.
pub fn commands_of(handle: &str) -> Commands {
    let edit = format!("msgrctl account edit {handle}");
    let set_app = format!("{edit} --app-id APP_ID --app-secret-stdin --yes");
    Commands {
        replace_token: format!("{edit} --token-stdin --yes"),
        test_again: format!("msgrctl account test {handle}"),
        add_app: set_app.clone(),
        set_app,
        edit,
        subscribe: format!("msgrctl webhook subscribe {handle}"),
        verify: format!("msgrctl webhook verify {handle}"),
        edit_messages: format!("msgrctl message edit {handle} EVENT"),
    }
}

/// Whether an account's secrets are in the variables of the env store.
pub fn is_in_variables(account: &Account) -> bool {
    account.secrets.values().any(|source| source.store() == Some(StoreName::Env))
}

/// What fixes an account that is not saved yet.
pub fn unsaved_commands() -> Commands {
    Commands {
        replace_token: "run this command again with the new token".into(),
        test_again: "run this command again".into(),
        set_app: "run this command again with the right app id and app secret".into(),
        add_app: "run this command again with the app id and the app secret".into(),
        edit: "run this command again with".into(),
        subscribe: "msgrctl webhook subscribe NAME (once it is saved)".into(),
        verify: "msgrctl webhook verify NAME (once it is saved)".into(),
        edit_messages: "msgrctl message edit NAME EVENT (once it is saved)".into(),
    }
}

/// What fixes an account in the wizard: its own answers, below the result list.
pub fn commands_below() -> Commands {
    Commands {
        replace_token: "paste another token below".into(),
        test_again: "test again below".into(),
        set_app: "change app id and secret below".into(),
        add_app: "change app id and secret below".into(),
        edit: "change it below; the flag is".into(),
        subscribe: "save it; it is offered then".into(),
        verify: "msgrctl webhook verify NAME (once it is saved)".into(),
        edit_messages: "msgrctl message edit NAME EVENT (once it is saved)".into(),
    }
}

/// Where a secret should be and is not, in words.
pub fn place(account: &Account, kind: SecretKind) -> String {
    match account.secrets.get(&kind) {
        Some(SecretRef::Stored(StoreName::Env)) => {
            format!("the variable {} is not set", key(account, kind).variable())
        }
        Some(source) => absent(source, kind),
        None => format!("the account has no {kind}"),
    }
}

/// The same of a place that is no account's variable.
pub fn absent(source: &SecretRef, kind: SecretKind) -> String {
    match source {
        SecretRef::Variable(name) => format!("the variable {name} is not set"),
        SecretRef::File(path) => format!("there is no file {}", path.display()),
        SecretRef::Keyring { service, user } => format!("the keyring has no entry {service}/{user}"),
        SecretRef::Stored(_) | SecretRef::Command(_) => format!("the {source} store has no {kind} for this account"),
    }
}

/// The stored secrets that a test needs; `None` when there is no token.
pub fn stored(ctx: &Context, account: &Account) -> Result<Option<Credentials>, StoreError> {
    let Some(token) = ctx.secret(account, SecretKind::PageAccessToken)? else { return Ok(None) };
    let app_secret = match account.app_id {
        Some(_) => ctx.secret(account, SecretKind::AppSecret)?,
        None => None,
    };
    let verify_token = match account.callback_url {
        Some(_) => ctx.secret(account, SecretKind::VerifyToken),
        None => Ok(None),
    };
    Ok(Some(Credentials { token, app_secret, verify_token }))
}

/// The error of an account that has no token to work with.
pub fn no_token(account: &Account) -> CliError {
    let kind = SecretKind::PageAccessToken;
    CliError::credentials(format!("there is no {kind} for '{}': {}", account.name, place(account, kind)))
        .reason(TOKEN_MISSING.id)
        .hint(format!("give it one: {}", saved_commands(account).replace_token))
}

/// Runs the checks with something on the screen meanwhile.
pub fn test(ctx: &Context, client: &Client, name: &str, subject: &Subject) -> Result<Report, CliError> {
    let _progress = Progress::start(&ctx.output, &format!("testing '{name}' with Graph …"));
    let prober = ctx.prober()?;
    // All but one together: what a token says of itself costs no request more.
    Context::wait(client.in_batches(checks::run(client, &prober, subject)))
}

/// Whether a person's or a system user's token was used where the Page's is needed.
pub fn lacks_page_token(report: &Report) -> bool {
    report.findings.iter().any(|finding| finding.cause == Some(PAGE_TOKEN_NEEDED.id) && finding.id == "token.type")
}

/// Lets an account through whose credentials passed; shows the report and ends
/// the command otherwise. `to_save` says how to save it as it is.
pub fn gate(ctx: &Context, report: &Report, name: &str, save_anyway: bool, to_save: &str) -> Result<(), CliError> {
    let outcome = report.credentials();
    if outcome < Outcome::Unreachable {
        return Ok(());
    }
    if save_anyway {
        ctx.output.warning(&format!("the credentials of '{name}' did not pass; saving all the same (--save-anyway)"));
        return Ok(());
    }
    if ctx.output.json {
        ctx.output.json(&ResultsEnvelope::new(name, report));
    } else {
        ctx.output.result(&report_text(name, report, ctx.output.terminal.out()));
    }
    Err(match outcome {
        Outcome::Fail => CliError::check("the credentials failed the test; nothing was saved")
            .hint(format!("fix the failed checks and try again; {to_save}")),
        _ => CliError::remote("Graph could not be reached; nothing was saved")
            .hint(format!("try again later; {to_save}")),
    }
    .because_of(report.worst_of_credentials()))
}

/// How to save an account whose values are all there.
pub const SAVE_ANYWAY: &str = "--save-anyway saves it as it is, --no-test without asking";
