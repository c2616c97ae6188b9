//! The app of a login: its id and secret from flags, variables, accounts, or the person.

use std::collections::BTreeMap;

use super::LoginArgs;
use crate::accounts::{Account, AppId};
use crate::cli::account::inputs::{self, Given};
use crate::cli::account::{Pasted, again, introduce, pasted};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::operations::accounts::fields::{self, Field};
use crate::operations::accounts::inputs::SecretInputs;
use crate::operations::login::connect::LoginApp;
use crate::secrets::{Secret, SecretKind, SecretRef};

const KIND: SecretKind = SecretKind::AppSecret;

/// The app, with the secret from its flags.
pub fn choose(ctx: &Context, args: &LoginArgs, id: Option<AppId>) -> Result<LoginApp, CliError> {
    let given = Given {
        stdin: args.app_secret_stdin,
        file: args.app_secret_file.as_deref(),
        from: args.app_secret_from.as_deref(),
    };
    of(ctx, id, inputs::of_one(KIND, &given, ctx, true)?)
}

/// What neither flags nor variables nor accounts give.
pub fn missing(ctx: &Context, args: &LoginArgs, id: Option<&AppId>) -> Result<Vec<&'static Field>, CliError> {
    let known = apps(ctx)?;
    let id = id.map(ToString::to_string).or(ctx.tenant()?.app_id.map(|id| id.to_string()));
    let id = id.or_else(|| known.keys().next().cloned());
    let has_secret = |account: &Account| account.secrets.contains_key(&KIND);
    let of_account = id.as_ref().and_then(|id| known.get(id)).is_some_and(|accounts| accounts.iter().any(has_secret));
    let given = args.app_secret_stdin || args.app_secret_file.is_some() || args.app_secret_from.is_some();
    let variable = fields::APP_SECRET.variable.is_some_and(|name| ctx.env.text(name).is_some());
    let mut missing = Vec::new();
    missing.extend(id.is_none().then_some(&fields::APP_ID));
    missing.extend((!given && !variable && !of_account).then_some(&fields::APP_SECRET));
    Ok(missing)
}

/// The app with a given id or the tenant's, and its secret: given, or that of an account.
pub fn of(ctx: &Context, id: Option<AppId>, mut given: SecretInputs) -> Result<LoginApp, CliError> {
    let known = apps(ctx)?;
    let id = match id.map(Ok).or_else(|| of_tenant(ctx, &known).transpose()) {
        Some(id) => id?,
        None => asked(ctx)?,
    };
    let reference = given.references.remove(&KIND);
    let found = match given.app_secret {
        Some(secret) => Some((secret, reference)),
        None => of_account(ctx, known.get(id.as_str()).map_or(&[], Vec::as_slice))?,
    };
    let (secret, reference) = match found {
        Some(found) => found,
        None => (asked_secret(ctx, &id)?, None),
    };
    Ok(LoginApp { id, secret, reference })
}

/// The accounts of each app, of the Graph that is asked.
fn apps(ctx: &Context) -> Result<BTreeMap<String, Vec<Account>>, CliError> {
    let realm = ctx.realm()?;
    let mut apps: BTreeMap<String, Vec<Account>> = BTreeMap::new();
    for account in ctx.accounts()?.load()?.into_iter().filter(|account| account.graph == realm) {
        if let Some(id) = &account.app_id {
            apps.entry(id.to_string()).or_default().push(account);
        }
    }
    Ok(apps)
}

/// The tenant's app, or the one of its accounts; with several the person chooses.
fn of_tenant(ctx: &Context, known: &BTreeMap<String, Vec<Account>>) -> Result<Option<AppId>, CliError> {
    let ids: Vec<&str> = known.keys().map(String::as_str).collect();
    let id = match (ctx.tenant()?.app_id, ids.as_slice()) {
        (Some(id), _) => return Ok(Some(id)),
        (None, []) => return Ok(None),
        (None, [id]) => *id,
        (None, several) if ctx.someone_can_answer && !ctx.output.json => {
            let name = |id: &&str| {
                let first = known[*id].first().map(|account| account.name.as_str()).unwrap_or_default();
                format!("{id} (used by '{first}')")
            };
            let items: Vec<String> = several.iter().map(name).collect();
            let chosen = ctx.prompter.choose("The app to log in with", &items, 0)?;
            several[chosen.ok_or_else(|| CliError::left("no app was chosen; nothing was changed"))?]
        }
        (None, several) => {
            return Err(CliError::usage(format!("the tenant's accounts use several apps: {}", several.join(", ")))
                .hint("name the one to log in with: --app-id ID"));
        }
    };
    let id: AppId = id.parse()?;
    ctx.output.notice(&format!("app id: {id} (from the tenant's accounts; --app-id sets another)"));
    Ok(Some(id))
}

fn asked(ctx: &Context) -> Result<AppId, CliError> {
    if !ctx.someone_can_answer || ctx.output.json {
        return Err(fields::missing(&[&fields::APP_ID], None));
    }
    introduce(ctx, &fields::APP_ID, "");
    again(ctx, &fields::APP_ID, "", |_: &AppId| Ok(()))?.ok_or_else(left)
}

/// The secret of one of the app's accounts: its reference where it has one.
fn of_account(ctx: &Context, accounts: &[Account]) -> Result<Option<(Secret, Option<SecretRef>)>, CliError> {
    let mut failure = None;
    for account in accounts {
        let Some(source) = account.secrets.get(&KIND) else { continue };
        match ctx.secret(account, KIND) {
            Ok(Some(secret)) => {
                ctx.output.notice(&format!("app secret: the one of '{}'", account.handle));
                let reference = source.store().is_none().then(|| source.clone());
                return Ok(Some((secret, reference)));
            }
            Ok(None) => {}
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(None),
    }
}

fn asked_secret(ctx: &Context, id: &AppId) -> Result<Secret, CliError> {
    if !ctx.someone_can_answer || ctx.output.json {
        return Err(fields::missing(
            &[&fields::APP_SECRET],
            Some("a login needs it to exchange Meta's code for a token"),
        ));
    }
    introduce(ctx, &fields::APP_SECRET, &format!(" It is the secret of app {id}."));
    match pasted(ctx, KIND, "App secret (not shown)")? {
        Pasted::Secret(secret) => Ok(secret),
        Pasted::Nothing | Pasted::Back => Err(left()),
    }
}

fn left() -> CliError {
    CliError::left("a login needs the app's id and secret; nothing was changed")
}
