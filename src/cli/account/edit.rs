//! `msgrctl account edit`: other fields, other secrets, the same account.

use clap::{Args, ValueEnum};

use super::fields::{Field, FieldArgs, Fields, of_secret};
use super::inputs::SecretInputs;
use super::owner;
use super::view;
use super::wizard;
use crate::accounts::{self, Account};
use crate::checks::{Report, Subject};
use crate::cli::account::gate::{SAVE_ANYWAY, gate};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;
use crate::operations::accounts::test::{self, Credentials, WARN_DAYS};
use crate::operations::change::{self, Change, New, Target};
use crate::operations::key;
use crate::operations::secrets::is_in_variables;
use crate::secrets::{SecretKind, SecretRef, StoreName};
use crate::ui::interrupt;

/// Change an account's fields or replace its secrets
///
/// On a terminal, without flags, it shows today's values and asks which to change.
/// The account's id stays. When anything changes that Meta judges, the
/// credentials are tested first, the new together with the old. Replacing or
/// removing a secret asks first; without a terminal it needs --yes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl account edit acme-support
  msgrctl account edit acme-support --callback-url https://example.com/messenger
  printf %s \"$TOKEN\" | msgrctl account edit acme-support --token-stdin --yes
  msgrctl account edit acme-support --clear app --yes")]
pub struct EditArgs {
    #[command(flatten)]
    account: AccountArg,
    #[command(flatten)]
    fields: FieldArgs,
    /// Take a field away: app (app id and app secret) or callback-url
    #[arg(long, value_name = "FIELD")]
    clear: Vec<Clear>,
}

/// What can be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Clear {
    /// The app id and the app secret
    App,
    /// The callback URL
    CallbackUrl,
}

pub fn run(args: &EditArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    let given = args.fields.parse(&ctx.output)?;
    refuse_contradictions(args, &given)?;
    let old = args.account.pick(ctx)?;
    let inputs = SecretInputs::read(&args.fields, ctx, false)?;
    say_what_is_not_read(ctx, &args.fields);
    if !gives_anything(args, &given, &inputs) {
        if ctx.someone_can_answer() && !ctx.output.json {
            return wizard::edit(ctx, &old, &args.fields);
        }
        return Err(CliError::usage("nothing to change was given")
            .hint(format!("name what to change: msgrctl account edit {} --help", old.handle)));
    }
    let edit = Edit {
        given,
        inputs,
        clear: &args.clear,
        no_test: args.fields.no_test,
        save_anyway: args.fields.save_anyway,
        command: None,
        store: None,
        to_save: SAVE_ANYWAY,
    };
    edit.carry_out(ctx, &old)
}

/// A change of an account, collected.
pub struct Edit<'a> {
    /// The fields.
    pub given: Fields,
    /// The secrets.
    pub inputs: SecretInputs,
    /// What is taken away.
    pub clear: &'a [Clear],
    /// Not asking Graph.
    pub no_test: bool,
    /// Saving whatever Graph says.
    pub save_anyway: bool,
    /// The command, for the question that needs `--yes`; `None`: the same again.
    pub command: Option<String>,
    /// Where new secrets go, whatever the settings say.
    pub store: Option<StoreName>,
    /// How to save what fails the test.
    pub to_save: &'static str,
}

impl Edit<'_> {
    /// Asks where something cannot be taken back, tests, saves, shows.
    pub fn carry_out(mut self, ctx: &Context, old: &Account) -> Result<u8, CliError> {
        let store = ctx.accounts()?;
        let mut new = old.clone();
        apply(&mut new, &self.given, self.clear);
        let mut changes = changes(ctx, &self, old)?;
        if self.inputs.app_secret.is_none()
            && !self.clear.contains(&Clear::App)
            && let Some(adopted) = adopted_app_secret(ctx, &new)?
        {
            // The test that follows works with it already.
            new.secrets.insert(adopted.kind, SecretRef::Stored(StoreName::Env));
            changes.push(adopted);
        }
        if self.inputs.app_secret.is_some() && new.app_id.is_none() {
            return Err(CliError::usage("an app secret needs its app id")
                .hint(format!("msgrctl account edit {} --app-id APP_ID --app-secret-stdin", old.handle)));
        }
        if new == *old && changes.is_empty() {
            ctx.output.notice("nothing to change");
            return show(ctx, old, None, false);
        }
        let mut others = store.load()?;
        others.retain(|other| other.id != old.id);
        accounts::check_renamed(&others, old, &new)?;
        change::check_variables(ctx, &new, Some(old))?;
        if new.page_id != old.page_id {
            change::warn_of_twins(ctx, &new)?;
        }
        self.ask(ctx, old, &changes)?;
        // A store that would fail at the end is better known now.
        let stores = changes.iter().filter_map(|change| change.new.as_ref()?.store());
        stores.into_iter().try_for_each(|store| ctx.store(store).probe())?;

        let mut judged = needs_test(old, &new, &self.inputs, self.clear) && !self.no_test;
        if judged
            && self.save_anyway
            && self.inputs.token.is_none()
            && ctx.secret(old, SecretKind::PageAccessToken)?.is_none()
        {
            ctx.output.warning("not tested: there is no page access token to test with");
            judged = false;
        }
        let report = if judged { Some(self.test(ctx, old, &new, &mut changes)?) } else { None };
        let page_name = report.as_ref().and_then(|report| report.page_name.clone());
        let now = ctx.now();
        let touched: Vec<SecretKind> = changes.iter().map(|change| change.kind).collect();
        let saved = change::save(ctx, &mut new, changes, |new| {
            store.update(&old.id, |current| {
                // What another process changed meanwhile, and this one did not, stays.
                apply(current, &self.given, self.clear);
                for kind in touched {
                    match new.secrets.get(&kind) {
                        Some(source) => current.secrets.insert(kind, source.clone()),
                        None => current.secrets.remove(&kind),
                    };
                }
                current.page_name = page_name.or(current.page_name.take());
                current.updated_at = now;
            })
        })?;
        show(ctx, &saved, report.as_ref(), true)
    }

    /// Replacing or removing a secret cannot be taken back.
    fn ask(&self, ctx: &Context, old: &Account, changes: &[Change]) -> Result<(), CliError> {
        let touched: Vec<&Change> = changes.iter().filter(|change| old.secrets.contains_key(&change.kind)).collect();
        let list = |removed: bool| {
            let kinds =
                touched.iter().filter(|change| change.new.is_none() == removed).map(|change| change.kind.words());
            kinds.collect::<Vec<_>>().join(" and ")
        };
        let question = match (list(false).as_str(), list(true).as_str()) {
            ("", "") => return Ok(()),
            (replaced, "") => format!("Replace the {replaced} of '{}'?", old.name),
            ("", removed) => format!("Remove the {removed} of '{}'?", old.name),
            (replaced, removed) => format!("Replace the {replaced} and remove the {removed} of '{}'?", old.name),
        };
        ctx.confirm(&question, self.command.as_deref().unwrap_or_default())
    }

    /// Tests the account as it would be. Where a person's token was given, and it reaches the
    /// account's Page, that Page's own token takes its place.
    fn test(
        &mut self,
        ctx: &Context,
        old: &Account,
        new: &Account,
        changes: &mut Vec<Change>,
    ) -> Result<Report, CliError> {
        ctx.check_realm(old)?;
        let client = ctx.graph()?;
        let subject = self.subject(ctx, old, new)?;
        let mut report = test::run(ctx, &client, new.name.as_str(), &subject)?;
        if let Some(given) = self.inputs.token.clone().filter(|_| test::lacks_page_token(&report))
            && let Some(own) = self.unless_saved_anyway(
                ctx,
                owner::own_page(ctx, &client, &given, subject.app.as_ref(), Some(&new.page_id)),
            )?
            && own.access_token.is_some()
        {
            ctx.output
                .notice("the token is a person's or a system user's: the Page's own token is stored in its place");
            self.inputs.put(SecretKind::PageAccessToken, own.access_token);
            let fresh = self::changes(ctx, self, old)?.into_iter();
            changes.retain(|change| change.kind != SecretKind::PageAccessToken);
            changes.extend(fresh.filter(|change| change.kind == SecretKind::PageAccessToken));
            report = test::run(ctx, &client, new.name.as_str(), &self.subject(ctx, old, new)?)?;
        }
        gate(ctx, &report, new.name.as_str(), self.save_anyway, self.to_save)?;
        Ok(report)
    }

    /// A Page's own token is not what `--save-anyway` waits for.
    fn unless_saved_anyway<T>(&self, ctx: &Context, found: Result<Option<T>, CliError>) -> Result<Option<T>, CliError> {
        match found {
            Err(error) if self.save_anyway && !error.is_interrupt() => {
                ctx.output.warning(error.message());
                Ok(None)
            }
            found => found,
        }
    }

    fn subject(&self, ctx: &Context, old: &Account, new: &Account) -> Result<Subject, CliError> {
        let token = match &self.inputs.token {
            Some(token) => Some(token.clone()),
            None => ctx.secret(old, SecretKind::PageAccessToken)?,
        };
        let token = token.ok_or_else(|| test::no_token(old))?;
        let app_secret = match &self.inputs.app_secret {
            Some(secret) => Some(secret.clone()),
            None if new.app_id.is_some() => ctx.secret(new, SecretKind::AppSecret)?,
            None => None,
        };
        let verify_token = match (&self.inputs.verify_token, &new.callback_url) {
            (Some(token), _) => Ok(Some(token.clone())),
            (None, Some(_)) => ctx.secret(old, SecretKind::VerifyToken),
            (None, None) => Ok(None),
        };
        let credentials = Credentials { token, app_secret, verify_token };
        Ok(test::subject(new, ctx.chat_settings()?.load()?, credentials, WARN_DAYS, true))
    }
}

/// The variables of `account add` change nothing here, which is easily overlooked.
fn say_what_is_not_read(ctx: &Context, fields: &FieldArgs) {
    let token = fields.token_stdin || fields.token_file.is_some() || fields.token_from.is_some();
    let secret = fields.app_secret_stdin || fields.app_secret_file.is_some() || fields.app_secret_from.is_some();
    let verify = fields.verify_token_stdin
        || fields.verify_token_file.is_some()
        || fields.verify_token_from.is_some()
        || fields.generate_verify_token;
    for (kind, given) in SecretKind::ALL.into_iter().zip([token, secret, verify]) {
        let Field { variable: Some(variable), flags, .. } = of_secret(kind) else { continue };
        if !given && ctx.env.text(variable).is_some() {
            ctx.output.notice(&format!("{variable} is read by 'account add' alone; to replace the {kind} use {flags}"));
        }
    }
}

fn refuse_contradictions(args: &EditArgs, given: &Fields) -> Result<(), CliError> {
    let secret =
        args.fields.app_secret_stdin || args.fields.app_secret_file.is_some() || args.fields.app_secret_from.is_some();
    if args.clear.contains(&Clear::App) && (given.app_id.is_some() || secret) {
        return Err(CliError::usage("--clear app contradicts --app-id and --app-secret-…: give one or the other"));
    }
    if args.clear.contains(&Clear::CallbackUrl) && given.callback_url.is_some() {
        return Err(CliError::usage("--clear callback-url contradicts --callback-url: give one or the other"));
    }
    Ok(())
}

fn gives_anything(args: &EditArgs, given: &Fields, inputs: &SecretInputs) -> bool {
    !given.is_empty() || args.fields.messenger.is_some() || !args.clear.is_empty() || !inputs.given().is_empty()
}

/// Puts the given fields in place of the account's own.
fn apply(account: &mut Account, given: &Fields, clear: &[Clear]) {
    let Fields { page_username, page_id, app_id, callback_url, handle } = given.clone();
    if page_id.as_ref().is_some_and(|id| *id != account.page_id) {
        // The name was the other Page's.
        account.page_name = None;
    }
    account.page_id = page_id.unwrap_or(account.page_id.clone());
    account.page_username = page_username.unwrap_or(account.page_username.clone());
    account.handle = handle.unwrap_or(account.handle.clone());
    account.app_id = app_id.or(account.app_id.take());
    account.callback_url = callback_url.or(account.callback_url.take());
    if clear.contains(&Clear::App) {
        account.app_id = None;
    }
    if clear.contains(&Clear::CallbackUrl) {
        account.callback_url = None;
    }
}

/// An account whose secrets are in variables gets its app secret by setting one:
/// with an app id and a variable that is set, the record follows.
fn adopted_app_secret(ctx: &Context, account: &Account) -> Result<Option<Change>, CliError> {
    let kind = SecretKind::AppSecret;
    if !is_in_variables(account) || account.app_id.is_none() || account.secrets.contains_key(&kind) {
        return Ok(None);
    }
    let found = ctx.store(StoreName::Env).get(&key(account, kind))?;
    Ok(found.map(|_| Change { kind, new: Some(New::Reference(SecretRef::Stored(StoreName::Env))) }))
}

/// What happens to each secret. `--store` says where a new one goes; without it
/// a secret stays in the store where the old one is.
fn changes(ctx: &Context, edit: &Edit<'_>, old: &Account) -> Result<Vec<Change>, CliError> {
    let Edit { inputs, clear, .. } = edit;
    let settings = ctx.settings()?;
    let mut changes = Vec::new();
    for (kind, secret) in inputs.given() {
        let here = old.secrets.get(&kind).and_then(SecretRef::store);
        let set = settings.store.origin != crate::operations::Origin::BuiltIn;
        let chosen = edit.store.or(set.then_some(settings.store.value));
        let store = chosen.or(here).unwrap_or(settings.store.value);
        if store == StoreName::Env && !inputs.references.contains_key(&kind) {
            let variable = key(old, kind).variable();
            return Err(crate::secrets::StoreError::ReadOnly { variable }.into());
        }
        let target = if chosen.is_some() { Target::Chosen(store) } else { Target::WhereItIs(store) };
        changes.push(inputs.change(kind, secret, target));
    }
    if clear.contains(&Clear::App) && old.secrets.contains_key(&SecretKind::AppSecret) {
        changes.push(Change { kind: SecretKind::AppSecret, new: None });
    }
    Ok(changes)
}

/// Whether Meta would judge the account differently.
fn needs_test(old: &Account, new: &Account, inputs: &SecretInputs, clear: &[Clear]) -> bool {
    old.page_id != new.page_id
        || old.page_username != new.page_username
        || old.app_id != new.app_id && !clear.contains(&Clear::App)
        || inputs.token.is_some()
        || inputs.app_secret.is_some()
        || old.secrets.get(&SecretKind::AppSecret) != new.secrets.get(&SecretKind::AppSecret)
            && !clear.contains(&Clear::App)
}

fn show(ctx: &Context, account: &Account, report: Option<&Report>, changed: bool) -> Result<u8, CliError> {
    if view::print_saved(ctx, account, report)? {
        return Ok(0);
    }
    if changed {
        ctx.output.result(&format!("changed '{}' (handle {})", account.name, account.handle));
    }
    Ok(0)
}
