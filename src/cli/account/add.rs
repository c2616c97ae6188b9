//! `msgrctl account add`: collects the fields, fills in what Graph knows, tests,
//! saves once.

use std::collections::BTreeSet;

use clap::Args;

use super::draft::Draft;
use super::fields::{self, Field, FieldArgs};
use super::inputs::{self, SecretInputs};
use super::owner;
use super::view;
use super::ways_out::ways_out;
use super::wizard;
use crate::accounts::{Account, AppId, Handle, MessengerType, Name, PageId, PageUsername};
use crate::checks::causes::PAGE_WITHOUT_USERNAME;
use crate::checks::{Outcome, Subject};
use crate::cli::account::gate::{SAVE_ANYWAY, gate};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::tenant::check_known;
use crate::graph::endpoints::app;
use crate::graph::endpoints::page::{self, Page};
use crate::graph::{AppCredentials, Client, GraphError};
use crate::messages::{AccountMessages, ChatSettings};
use crate::operations::accounts::commands;
use crate::operations::accounts::test::{self, WARN_DAYS};
use crate::operations::change;
use crate::operations::key;
use crate::secrets::{Secret, SecretKey, SecretKind, SecretRef, StoreName};
use crate::ui::interrupt;
use crate::ui::progress::Progress;

/// Add an account
///
/// On a terminal it asks for what was not given, says where each value is found, and
/// shows everything once more before it saves. Needs the page access token; Graph says
/// whose it is and fills in the rest. A person's (user) or a system user's token shows the
/// Pages to choose from. With --yes, or without a terminal, nothing is asked: then
/// --page-id names the Page, and its own token is taken.
///
/// The credentials are tested before anything is saved; what is left to do
/// for the delivery of messages is listed and blocks nothing.
///
/// Secrets are read from standard input, files or the variables
/// MSGRCTL_PAGE_TOKEN, MSGRCTL_APP_SECRET and MSGRCTL_VERIFY_TOKEN, never from the
/// command line. With --store env nothing is copied: they stay in the variables
/// MSGRCTL_SECRET_<HANDLE>_<KIND>.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl account add
  printf %s \"$TOKEN\" | msgrctl account add --token-stdin
  msgrctl account add \"Acme Support\" --token-file token.txt \\
      --page-username acme.support --page-id 109876543210987 \\
      --app-id 123456789012345 --app-secret-file secret.txt \\
      --callback-url https://example.com/messenger")]
pub struct AddArgs {
    /// The account's name [default: the Page's name]
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    fields: FieldArgs,
}

pub fn run(args: &AddArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    let given = args.fields.parse(&ctx.output)?;
    let name: Option<Name> = args.name.as_deref().map(str::parse).transpose().map_err(CliError::from)?;
    let store = ctx.settings()?.store.value;
    let inputs = match store {
        StoreName::Env => from_variables(&args.fields, ctx, name.as_ref(), given.handle.as_ref())?,
        _ => SecretInputs::read(&args.fields, ctx, true)?,
    };
    let mut draft = Draft::new(name, given, inputs, store);
    draft.check_free(ctx)?;
    in_tenant(ctx, &mut draft)?;
    if wizard::is_wanted(ctx, &draft) {
        return wizard::add(ctx, draft, &args.fields);
    }
    let Some(token) = draft.inputs.token.clone() else { return Err(nothing_to_go_by(&draft)) };
    if args.fields.no_test && !draft.missing().is_empty() {
        return Err(fields::missing(&draft.missing(), Some("with --no-test Graph is not asked for them")));
    }
    // A store that would fail at the end is better known now.
    if draft.inputs.keeps_anything() {
        ctx.store(store).probe().map_err(|error| ways_out(ctx, error, args.name.as_deref(), &args.fields))?;
    }
    if !args.fields.no_test && !draft.missing().is_empty() {
        fill_in(ctx, &ctx.graph()?, &token, &mut draft)?;
        draft.check_free(ctx)?;
    }
    callback_of_tenant(ctx, &mut draft)?;
    let account = draft.account(ctx)?;
    change::warn_of_twins(ctx, &account)?;
    let mut report = None;
    if !args.fields.no_test {
        let name = account.name.as_str();
        let client = ctx.graph()?;
        let mut found = test::run(ctx, &client, name, &draft.subject(ctx)?)?;
        if test::lacks_page_token(&found) {
            match take_own_token(ctx, &client, &token, &mut draft) {
                Ok(None) => {}
                Ok(Some(_)) => found = test::run(ctx, &client, name, &draft.subject(ctx)?)?,
                Err(error) if args.fields.save_anyway && !error.is_interrupt() => {
                    ctx.output.warning(error.message());
                }
                Err(error) => return Err(error),
            }
        }
        gate(ctx, &found, name, args.fields.save_anyway, SAVE_ANYWAY)?;
        draft.page_name = found.page_name.clone().or(draft.page_name);
        report = Some(found);
    }
    let saved = draft.save(ctx)?;
    say_where_the_verify_token_is(ctx, &saved, draft.inputs.generated);
    if view::print_saved(ctx, &saved, report.as_ref())? {
        return Ok(0);
    }
    say_saved(ctx, &saved);
    if report.is_none() {
        ctx.output.notice(&format!("not tested yet; to test it: msgrctl account test {}", saved.handle));
    }
    Ok(0)
}

/// What the tenant says: whether its provider has enabled the messenger, and which app
/// its accounts are of.
fn in_tenant(ctx: &Context, draft: &mut Draft) -> Result<(), CliError> {
    check_known(ctx, ctx.settings()?.tenant.value.as_str())?;
    let tenant = ctx.tenant()?;
    if !tenant.has_enabled(MessengerType::Facebook) {
        let name = &ctx.settings()?.tenant.value;
        let types: Vec<&str> = tenant.types.iter().map(|messenger| messenger.as_str()).collect();
        let types = types.join(",");
        return Err(CliError::failed(format!("Facebook is not enabled in the tenant '{name}' (enabled: {types})"))
            .hint(format!(
                "ask your service provider to enable it; then: msgrctl tenant edit {name} --types {types},facebook"
            )));
    }
    if draft.given.app_id.is_none()
        && let Some(id) = tenant.app_id
    {
        ctx.output.notice(&format!("app id: {id} (from the tenant; --app-id sets another)"));
        draft.given.app_id = Some(id);
    }
    Ok(())
}

/// The callback URL that the tenant's template gives.
fn callback_of_tenant(ctx: &Context, draft: &mut Draft) -> Result<(), CliError> {
    if draft.given.callback_url.is_none()
        && let Some(url) = draft.callback_of_tenant(ctx)?
    {
        ctx.output.notice(&format!(
            "callback URL: {} (from the tenant's template; --callback-url sets another)",
            url.shown()
        ));
        draft.given.callback_url = Some(url);
    }
    Ok(())
}

/// Without a token Graph cannot be asked for anything: everything is named.
fn nothing_to_go_by(draft: &Draft) -> CliError {
    let mut missing = vec![&fields::TOKEN];
    missing.extend(draft.missing().into_iter().filter(|field| field.name != fields::APP_ID.name));
    let note =
        (missing.len() > 1).then_some("with a page access token the others may be left out: Graph is asked for them");
    fields::missing(&missing, note)
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
fn fill_in(ctx: &Context, client: &Client, token: &Secret, draft: &mut Draft) -> Result<(), CliError> {
    let progress = Progress::start(&ctx.output, "asking Graph whose the token is …");
    // Signing needs the secret alone; the id may be what is asked for.
    let signer = draft.inputs.app_secret.clone().map(|secret| AppCredentials { id: String::new(), secret });
    let (found, issuer) = Context::wait(async {
        tokio::join!(page::me(client, token, signer.as_ref()), async {
            match &draft.given.app_id {
                None if signer.is_some() => Some(app::of_token(client, token, signer.as_ref()).await),
                _ => None,
            }
        })
    })?;
    drop(progress);
    let say = |what: &str, value: &str, flag: &str| {
        ctx.output.notice(&format!("{what}: {value} (from Graph; {flag} sets another)"));
    };
    let found = match found {
        Ok(answer) if !answer.value.may_be_a_person() => answer.value,
        Err(error @ GraphError::Unreachable(_)) => return Err(out_of_reach(error, draft)),
        Err(GraphError::Refused(refused)) if !owner::may_be_a_persons(&refused) => {
            return Err(explain(ctx, client, token, draft)?);
        }
        Ok(_) | Err(GraphError::Refused(_)) => match take_own_token(ctx, client, token, draft)? {
            Some(page) => page,
            None => return Err(explain(ctx, client, token, draft)?),
        },
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
    draft.page_name.clone_from(&found.name);
    match draft.missing().as_slice() {
        [] => Ok(()),
        missing if found.username.is_none() && found.is_published.is_some() => {
            let name = found.name.as_deref().unwrap_or(&found.id);
            Err(fields::missing(missing, Some(&PAGE_WITHOUT_USERNAME.fix()))
                .note(format!("the Page '{name}' has none, and the contact centre's form needs one"))
                .reason(PAGE_WITHOUT_USERNAME.id))
        }
        missing => Err(fields::missing(missing, Some("Graph does not show them to this token"))),
    }
}

/// Where the token is a person's or a system user's and `--page-id` names one of their
/// Pages: that Page's own token takes its place. `None`: it is a Page's already.
fn take_own_token(ctx: &Context, client: &Client, token: &Secret, draft: &mut Draft) -> Result<Option<Page>, CliError> {
    let id = draft.given.app_id.as_ref().map(ToString::to_string);
    let signer = id.zip(draft.inputs.app_secret.clone()).map(|(id, secret)| AppCredentials { id, secret });
    let named = draft.given.page_id.clone();
    let Some(own) = owner::own_page(ctx, client, token, signer.as_ref(), named.as_ref())? else { return Ok(None) };
    let Some(own_token) = own.access_token else { return Ok(None) };
    ctx.output.notice("the token is a person's or a system user's: the Page's own token is stored in its place");
    // What a list of Pages leaves out, the Page's own token shows.
    let shown = Context::wait(page::me(client, &own_token, signer.as_ref()))?.ok().map(|answer| answer.value);
    draft.inputs.put(SecretKind::PageAccessToken, Some(own_token));
    Ok(Some(shown.unwrap_or(Page { id: own.id, name: own.name, username: own.username, is_published: None })))
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
fn explain(ctx: &Context, client: &Client, token: &Secret, draft: &Draft) -> Result<CliError, CliError> {
    let app = draft.given.app_id.as_ref().zip(draft.inputs.app_secret.clone());
    let subject = Subject {
        commands: commands::unsaved(),
        page_id: draft.given.page_id.as_ref().map(ToString::to_string),
        page_username: draft.given.page_username.as_ref().map(ToString::to_string),
        token: token.clone(),
        app_id: draft.given.app_id.as_ref().map(ToString::to_string),
        app: app.map(|(id, secret)| AppCredentials { id: id.to_string(), secret }),
        app_secret_gone: None,
        callback: None,
        messages: AccountMessages::default(),
        chat_settings: ChatSettings::default(),
        warn_days: WARN_DAYS,
        among_others: false,
    };
    let name = draft.name.as_ref().map_or("the token", |name| name.as_str());
    let report = test::run(ctx, client, name, &subject)?;
    if report.credentials() >= Outcome::Unreachable {
        let to_save = format!("to save it as it is, give {} and --save-anyway", flags(&draft.missing()));
        gate(ctx, &report, name, false, &to_save)?;
    }
    Ok(fields::missing(&draft.missing(), Some("Graph does not show them to this token")))
}

/// The last line.
pub(super) fn say_saved(ctx: &Context, account: &Account) {
    let places: BTreeSet<String> = account.secrets.values().map(ToString::to_string).collect();
    let places = places.into_iter().collect::<Vec<_>>().join(", ");
    ctx.output.result(&format!("saved '{}' (handle {}); its secrets are in: {places}", account.name, account.handle));
}

/// A generated verify token has to be found again.
fn say_where_the_verify_token_is(ctx: &Context, account: &Account, generated: bool) {
    if generated {
        ctx.output.notice(&format!(
            "a verify token was generated (--verify-token-file gives one of your own); it goes into the Meta app's webhook settings, beside the callback URL{}",
            in_keyring(account)
        ));
    }
}

/// How a person finds the generated verify token again.
fn in_keyring(account: &Account) -> String {
    if account.secrets.get(&SecretKind::VerifyToken) != Some(&SecretRef::Stored(StoreName::Keyring)) {
        return String::new();
    }
    format!(", and is in the keyring as '{}'", key(account, SecretKind::VerifyToken).label())
}
