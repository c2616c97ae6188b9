//! `msgrctl account add`: collects the fields, fills in what Graph knows, tests,
//! saves once.

use std::collections::BTreeMap;

use clap::Args;
use uuid::Uuid;

use super::connection::{self, Credentials, SAVE_ANYWAY, WARN_DAYS};
use super::fields::{self, Field, FieldArgs, Fields};
use super::inputs::{self, SecretInputs};
use super::save::{self, Target};
use super::view;
use super::ways_out::ways_out;
use crate::accounts::{self, Account, AppId, Handle, MessengerType, Name, PageId, PageUsername};
use crate::checks::{Outcome, Report, Subject};
use crate::cli::context::{Context, key};
use crate::cli::error::CliError;
use crate::graph::endpoints::{app, page};
use crate::graph::{AppCredentials, Client, GraphError};
use crate::secrets::{Secret, SecretKey, SecretKind, SecretRef, StoreName, generate_verify_token};
use crate::ui::interrupt;
use crate::ui::progress::Progress;

/// Add an account
///
/// Needs the page access token; Graph says whose it is and fills in what was not
/// given. The credentials are tested before anything is saved; what is left to do
/// for the delivery of messages is listed and blocks nothing.
///
/// Secrets are read from standard input, files or the variables
/// MSGRCTL_PAGE_TOKEN, MSGRCTL_APP_SECRET and MSGRCTL_VERIFY_TOKEN, never from the
/// command line. With --store env nothing is copied: they stay in the variables
/// MSGRCTL_SECRET_<HANDLE>_<KIND>.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  printf %s \"$TOKEN\" | msgrctl account add --token-stdin
  msgrctl account add \"Acme Support\" --page-username acme.support --page-id 109876543210987 \\
      --token-file token.txt --app-id 123456789012345 --app-secret-file secret.txt \\
      --callback-url https://example.com/messenger")]
pub struct AddArgs {
    /// The account's name [default: the Page's name]
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    fields: FieldArgs,
}

/// What is known so far. Graph may fill in the rest.
struct Draft {
    name: Option<Name>,
    given: Fields,
    page_name: Option<String>,
    token: Secret,
    app_secret: Option<Secret>,
}

pub fn run(args: &AddArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    let given = args.fields.parse(&ctx.output)?;
    let name: Option<Name> = args.name.as_deref().map(str::parse).transpose().map_err(CliError::from)?;
    let store = ctx.settings()?.store.value;
    let id = Uuid::new_v4().to_string();
    let inputs = match store {
        StoreName::Env => from_variables(&args.fields, ctx, name.as_ref(), given.handle.as_ref())?,
        _ => SecretInputs::read(&args.fields, ctx, true)?,
    };
    let Some(token) = inputs.token.clone() else { return Err(nothing_to_go_by(name.as_ref(), &given)) };
    let mut draft = Draft { name, given, page_name: None, token, app_secret: inputs.app_secret.clone() };
    check_free(ctx, &draft)?;
    if args.fields.no_test && !draft.missing().is_empty() {
        return Err(fields::missing(&draft.missing(), Some("with --no-test Graph is not asked for them")));
    }
    // A store that would fail at the end is better known now.
    if inputs.keeps_anything() {
        ctx.store(store).probe().map_err(|error| ways_out(ctx, error, args.name.as_deref(), &args.fields))?;
    }

    let mut report = None;
    if !args.fields.no_test {
        let client = ctx.graph()?;
        if !draft.missing().is_empty() {
            fill_in(ctx, &client, &mut draft)?;
            check_free(ctx, &draft)?;
        }
    }
    let mut account = draft.account(ctx, id)?;
    save::warn_of_twins(ctx, &account)?;
    if !args.fields.no_test {
        let credentials = Credentials { token: draft.token.clone(), app_secret: draft.app_secret.clone() };
        let subject = connection::subject(&account, credentials, WARN_DAYS, false);
        let found = connection::test(ctx, &ctx.graph()?, account.name.as_str(), &subject)?;
        connection::gate(ctx, &found, account.name.as_str(), args.fields.save_anyway, SAVE_ANYWAY)?;
        account.page_name = found.page_name.clone().or(account.page_name);
        report = Some(found);
    }

    let (inputs, generated) = with_verify_token(inputs, store);
    let changes = match store {
        // They stay where they are; the record says so.
        StoreName::Env => {
            account.secrets = inputs.given().into_iter().map(|(kind, _)| (kind, SecretRef::Stored(store))).collect();
            Vec::new()
        }
        _ => inputs
            .given()
            .into_iter()
            .map(|(kind, secret)| inputs.change(kind, secret, Target::Chosen(store)))
            .collect(),
    };
    save::check_variables(ctx, &account, None)?;
    let derived = draft.given.handle.is_none() && store != StoreName::Env;
    let accounts = ctx.accounts()?;
    let saved = save::save(ctx, &mut account, changes, |account| accounts.add(account.clone(), derived))?;
    show(ctx, &saved, report.as_ref(), generated)
}

impl Draft {
    /// The required fields that nobody gave yet.
    fn missing(&self) -> Vec<&'static Field> {
        let mut missing = Vec::new();
        if self.name.is_none() {
            missing.push(&fields::NAME);
        }
        if self.given.page_username.is_none() {
            missing.push(&fields::PAGE_USERNAME);
        }
        if self.given.page_id.is_none() {
            missing.push(&fields::PAGE_ID);
        }
        if self.app_secret.is_some() && self.given.app_id.is_none() {
            missing.push(&fields::APP_ID);
        }
        missing
    }

    fn account(&self, ctx: &Context, id: String) -> Result<Account, CliError> {
        let (Some(name), Some(page_username), Some(page_id)) =
            (self.name.clone(), self.given.page_username.clone(), self.given.page_id.clone())
        else {
            return Err(fields::missing(&self.missing(), None));
        };
        let now = ctx.now();
        Ok(Account {
            id,
            handle: self.given.handle.clone().unwrap_or_else(|| Handle::slug(&name)),
            name,
            messenger: MessengerType::Facebook,
            page_username,
            page_id,
            page_name: self.page_name.clone(),
            app_id: self.given.app_id.clone(),
            callback_url: self.given.callback_url.clone(),
            graph: ctx.realm()?,
            created_at: now,
            updated_at: now,
            secrets: BTreeMap::new(),
        })
    }
}

/// Without a token Graph cannot be asked for anything: everything is named.
fn nothing_to_go_by(name: Option<&Name>, given: &Fields) -> CliError {
    let mut missing = vec![&fields::TOKEN];
    if name.is_none() {
        missing.push(&fields::NAME);
    }
    if given.page_username.is_none() {
        missing.push(&fields::PAGE_USERNAME);
    }
    if given.page_id.is_none() {
        missing.push(&fields::PAGE_ID);
    }
    let note =
        (missing.len() > 1).then_some("with a page access token the others may be left out: Graph is asked for them");
    fields::missing(&missing, note)
}

/// A name or handle that exists ends the command before any work.
fn check_free(ctx: &Context, draft: &Draft) -> Result<(), CliError> {
    let existing = ctx.accounts()?.load()?;
    if let Some(name) = &draft.name {
        accounts::check_name(&existing, name)?;
    }
    if let Some(handle) = &draft.given.handle {
        accounts::check_handle(&existing, handle.clone())?;
    }
    Ok(())
}

/// The env store: nothing is given, everything is there already.
fn from_variables(
    args: &FieldArgs,
    ctx: &Context,
    name: Option<&Name>,
    handle: Option<&Handle>,
) -> Result<SecretInputs, CliError> {
    let given = args.token_stdin
        || args.app_secret_stdin
        || args.verify_token_stdin
        || args.generate_verify_token
        || [&args.token_file, &args.app_secret_file, &args.verify_token_file].iter().any(|file| file.is_some())
        || [&args.token_from, &args.app_secret_from, &args.verify_token_from].iter().any(|from| from.is_some());
    let Some(handle) = handle.cloned().or_else(|| name.map(Handle::slug)) else {
        return Err(CliError::usage("missing: account name or handle")
            .hint("the env store finds an account's secrets by its handle: give NAME or --handle HANDLE"));
    };
    let key =
        |kind| SecretKey { account_id: String::new(), handle: handle.to_string(), account_name: String::new(), kind };
    let variable = |kind| key(kind).variable();
    if given {
        return Err(CliError::usage("the env store is read only: it takes secrets from variables and keeps none")
            .hint(format!(
                "set {} (and {}, {}), and leave the flags that give secrets out",
                variable(SecretKind::PageAccessToken),
                variable(SecretKind::VerifyToken),
                variable(SecretKind::AppSecret)
            )));
    }
    let store = ctx.store(StoreName::Env);
    let read = |kind| store.get(&key(kind));
    let (token, verify_token) = (read(SecretKind::PageAccessToken)?, read(SecretKind::VerifyToken)?);
    let missing: Vec<String> = [(&token, SecretKind::PageAccessToken), (&verify_token, SecretKind::VerifyToken)]
        .into_iter()
        .filter(|(secret, _)| secret.is_none())
        .map(|(_, kind)| format!("{kind}: the variable {}", variable(kind)))
        .collect();
    if !missing.is_empty() {
        return Err(CliError::usage(format!(
            "the env store has not all secrets of '{handle}': {}",
            missing.join("; ")
        ))
        .hint("set what is missing, and run this command again"));
    }
    let inputs =
        SecretInputs { token, app_secret: read(SecretKind::AppSecret)?, verify_token, ..SecretInputs::default() };
    inputs.given().into_iter().try_for_each(|(kind, secret)| inputs::judge(kind, secret, ctx))?;
    Ok(inputs)
}

/// Asks Graph whose the token is, and says what it filled in.
fn fill_in(ctx: &Context, client: &Client, draft: &mut Draft) -> Result<(), CliError> {
    let progress = Progress::start(&ctx.output, "asking Graph whose the token is …");
    // Signing needs the secret alone; the id may be what is asked for.
    let signer = draft.app_secret.clone().map(|secret| AppCredentials { id: String::new(), secret });
    let (found, issuer) = Context::wait(async {
        tokio::join!(page::me(client, &draft.token, signer.as_ref()), async {
            match &draft.given.app_id {
                None if signer.is_some() => Some(app::of_token(client, &draft.token, signer.as_ref()).await),
                _ => None,
            }
        })
    })?;
    drop(progress);
    let say = |what: &str, value: &str, flag: &str| {
        ctx.output.notice(&format!("{what}: {value} (from Graph; {flag} sets another)"));
    };
    let found = match found {
        Ok(answer) => answer.value,
        Err(error @ GraphError::Unreachable(_)) => return Err(out_of_reach(error, draft)),
        Err(refused) => return Err(explain(ctx, client, draft, &refused)?),
    };
    match issuer {
        Some(Ok(answer)) => {
            let id: AppId = answer.value.id.parse().map_err(CliError::from)?;
            say("app id", id.as_str(), "--app-id");
            draft.given.app_id = Some(id);
        }
        Some(Err(error @ GraphError::Unreachable(_))) => return Err(out_of_reach(error, draft)),
        Some(Err(GraphError::Refused(_))) | None => {}
    }
    if draft.given.page_id.is_none() {
        let id: PageId = found.id.parse().map_err(CliError::from)?;
        say("page id", id.as_str(), "--page-id");
        draft.given.page_id = Some(id);
    }
    if draft.given.page_username.is_none()
        && let Some(username) = &found.username
    {
        let username: PageUsername = username.parse().map_err(CliError::from)?;
        say("page username", username.as_str(), "--page-username");
        draft.given.page_username = Some(username);
    }
    if draft.name.is_none()
        && let Some(name) = &found.name
    {
        let name: Name = name.parse().map_err(CliError::from)?;
        say("account name", name.as_str(), "NAME");
        draft.name = Some(name);
    }
    draft.page_name = found.name;
    match draft.missing().as_slice() {
        [] => Ok(()),
        missing => Err(fields::missing(missing, Some("Graph does not show them to this token"))),
    }
}

fn out_of_reach(error: GraphError, draft: &Draft) -> CliError {
    CliError::from(error)
        .note("nothing was saved")
        .hint(format!("to save without asking Graph, give {} and --no-test", flags(&draft.missing())))
}

fn flags(fields: &[&Field]) -> String {
    fields.iter().map(|field| field.flags).collect::<Vec<_>>().join(", ")
}

/// A token that Graph refuses before anything is known of its Page: the checks
/// say why. When they find nothing wrong with it, the missing values are the point.
fn explain(ctx: &Context, client: &Client, draft: &Draft, refused: &GraphError) -> Result<CliError, CliError> {
    let app = draft.given.app_id.as_ref().zip(draft.app_secret.clone());
    let subject = Subject {
        commands: connection::unsaved_commands(),
        page_id: draft.given.page_id.as_ref().map(ToString::to_string),
        page_username: draft.given.page_username.as_ref().map(ToString::to_string),
        token: draft.token.clone(),
        app_id: draft.given.app_id.as_ref().map(ToString::to_string),
        app: app.map(|(id, secret)| AppCredentials { id: id.to_string(), secret }),
        app_secret_gone: None,
        warn_days: WARN_DAYS,
    };
    let name = draft.name.as_ref().map_or("the token", |name| name.as_str());
    let report = connection::test(ctx, client, name, &subject)?;
    if report.credentials() >= Outcome::Unreachable {
        let to_save = format!("to save it as it is, give {} and --save-anyway", flags(&draft.missing()));
        connection::gate(ctx, &report, name, false, &to_save)?;
    }
    let missing = fields::missing(&draft.missing(), Some("Graph does not show them to this token"));
    Ok(missing.cause(refused.to_string()))
}

/// A verify token is generated unless one was given; the env store has its own.
fn with_verify_token(mut inputs: SecretInputs, store: StoreName) -> (SecretInputs, bool) {
    if inputs.verify_token.is_none() && store != StoreName::Env {
        inputs.verify_token = Some(generate_verify_token());
        inputs.generated = true;
    }
    let generated = inputs.generated;
    (inputs, generated)
}

fn show(ctx: &Context, account: &Account, report: Option<&Report>, generated: bool) -> Result<u8, CliError> {
    if generated {
        ctx.output.notice(&format!(
            "a verify token was generated (--verify-token-file gives one of your own); it goes into the Meta app's webhook settings, beside the callback URL{}",
            in_keyring(account)
        ));
    }
    if view::print_saved(ctx, account, report)? {
        return Ok(0);
    }
    let places: std::collections::BTreeSet<String> = account.secrets.values().map(ToString::to_string).collect();
    let places = places.into_iter().collect::<Vec<_>>().join(", ");
    ctx.output.result(&format!("saved '{}' (handle {}); its secrets are in: {places}", account.name, account.handle));
    if report.is_none() {
        ctx.output.notice(&format!("not tested yet; to test it: msgrctl account test {}", account.handle));
    }
    Ok(0)
}

/// How a person finds the generated verify token again.
fn in_keyring(account: &Account) -> String {
    if account.secrets.get(&SecretKind::VerifyToken) != Some(&SecretRef::Stored(StoreName::Keyring)) {
        return String::new();
    }
    format!(", and is in the keyring as '{}'", key(account, SecretKind::VerifyToken).label())
}
