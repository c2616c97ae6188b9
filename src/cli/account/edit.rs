//! `msgrctl account edit`: changes fields and replaces secrets.

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::fields::FieldArgs;
use super::inputs;
use super::view;
use super::wizard;
use crate::accounts::{Account, Name};
use crate::checks::Report;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;
use crate::operations::accounts::edit::{self, Clear, Edit, Prepared};
use crate::operations::accounts::fields::{Field, Fields, of_secret};
use crate::operations::accounts::gate::SAVE_ANYWAY;
use crate::operations::accounts::inputs::SecretInputs;
use crate::secrets::SecretKind;
use crate::text::for_shell;

/// Change an account's fields or replace its secrets
///
/// On a terminal, without flags, it shows the values and asks which to change. The
/// account's id stays. A change that can affect access is tested with Graph first.
/// Replacing or removing a secret asks first; without a terminal it needs --yes.
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
    /// A new name; the handle stays
    #[arg(long, value_name = "NEW_NAME")]
    name: Option<String>,
    #[command(flatten)]
    fields: FieldArgs,
    /// Clear a field: app (app id and app secret), callback-url, or user-token (the kept one)
    #[arg(long, value_name = "FIELD")]
    clear: Vec<Clear>,
}

impl ValueEnum for Clear {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::App, Self::CallbackUrl, Self::UserToken]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::App => PossibleValue::new("app").help("The app id and the app secret"),
            Self::CallbackUrl => PossibleValue::new("callback-url").help("The callback URL"),
            Self::UserToken => PossibleValue::new("user-token").help("The kept user access token"),
        })
    }
}

pub fn run(args: &EditArgs, ctx: &Context) -> Result<u8, CliError> {
    refuse_empty(args)?;
    let name: Option<Name> = args.name.as_deref().map(str::parse).transpose().map_err(CliError::from)?;
    let given = args.fields.parse(&ctx.output)?;
    refuse_contradictions(args, &given)?;
    let old = args.account.pick(ctx)?;
    let inputs = inputs::read(&args.fields, ctx, false)?;
    if inputs.keep_user_token && inputs.token.is_none() && !ctx.someone_can_answer {
        return Err(CliError::usage("--keep-user-token needs the person's or system user's token")
            .hint("give it with --token-stdin, --token-file PATH or --token-from REF"));
    }
    say_what_is_not_read(ctx, &args.fields, given.is_empty());
    if !gives_anything(args, &given, &inputs) {
        if ctx.someone_can_answer && !ctx.output.json {
            return wizard::edit(ctx, &old, &args.fields);
        }
        return Err(CliError::usage("nothing to change: no flag was given")
            .hint(format!("name what to change: msgrctl account edit {} --help", old.handle)));
    }
    let edit = Edit {
        name,
        given,
        inputs,
        clear: args.clear.clone(),
        gate: args.fields.gate(),
        store: None,
        to_save: SAVE_ANYWAY,
    };
    change(ctx, &old, edit, "")
}

/// Confirms a change that cannot be undone, saves it, shows the account. `command` goes
/// into the hint of the prompt; empty means the same command.
pub fn change(ctx: &Context, old: &Account, edit: Edit, command: &str) -> Result<u8, CliError> {
    let Some(prepared) = edit::prepare(ctx, old, edit)? else {
        ctx.output.notice("nothing to change");
        return show(ctx, old, None, false);
    };
    if let Some(question) = question(old, &prepared) {
        ctx.confirm(&question, command)?;
    }
    let saved = edit::carry_out(ctx, prepared).map_err(|error| view::with_report(ctx, error))?;
    show(ctx, &saved.account, saved.report.as_ref(), true)
}

/// Replacing or removing a secret cannot be undone.
fn question(old: &Account, prepared: &Prepared) -> Option<String> {
    let list = |kinds: Vec<SecretKind>| kinds.into_iter().map(SecretKind::words).collect::<Vec<_>>().join(" and ");
    let name = &old.name;
    Some(match (list(prepared.touched(false)).as_str(), list(prepared.touched(true)).as_str()) {
        ("", "") => return None,
        (replaced, "") => format!("Replace the {replaced} of '{name}'?"),
        ("", removed) => format!("Remove the {removed} of '{name}'?"),
        (replaced, removed) => format!("Replace the {replaced} and remove the {removed} of '{name}'?"),
    })
}

/// The variables of `account add` are not read here, which is easily overlooked.
fn say_what_is_not_read(ctx: &Context, fields: &FieldArgs, gives_no_field: bool) {
    for (kind, given) in fields.secrets() {
        let given = given.is_any() || kind == SecretKind::VerifyToken && fields.generate_verify_token;
        let Field { variable: Some(variable), flags, .. } = of_secret(kind) else { continue };
        // An edit of other fields expects nothing of a variable.
        let gives_any = gives_no_field || fields.secrets().iter().any(|(_, given)| given.is_any());
        if gives_any && !given && ctx.env.text(variable).is_some() {
            ctx.output.notice(&format!("{variable} is read only by 'account add'; to replace the {kind} use {flags}"));
        }
    }
}

/// An empty value does not clear a field.
fn refuse_empty(args: &EditArgs) -> Result<(), CliError> {
    let name = args.account.account.as_deref().unwrap_or("NAME");
    let name = for_shell(name);
    let clears =
        [(&args.fields.callback_url, "--callback-url", "callback-url"), (&args.fields.app_id, "--app-id", "app")];
    for (value, flag, clear) in clears {
        if value.as_deref().is_some_and(|value| value.trim().is_empty()) {
            return Err(CliError::usage(format!("{flag} is empty"))
                .hint(format!("to clear it: msgrctl account edit {name} --clear {clear}")));
        }
    }
    Ok(())
}

fn refuse_contradictions(args: &EditArgs, given: &Fields) -> Result<(), CliError> {
    let secret = args.fields.secrets().iter().any(|(kind, given)| *kind == SecretKind::AppSecret && given.is_any());
    if args.clear.contains(&Clear::App) && (given.app_id.is_some() || secret) {
        return Err(CliError::usage("--clear app conflicts with --app-id and --app-secret-…: give one or the other"));
    }
    if args.clear.contains(&Clear::CallbackUrl) && given.callback_url.is_some() {
        return Err(CliError::usage("--clear callback-url conflicts with --callback-url: give one or the other"));
    }
    Ok(())
}

fn gives_anything(args: &EditArgs, given: &Fields, inputs: &SecretInputs) -> bool {
    args.name.is_some()
        || !given.is_empty()
        || args.fields.channel.is_some()
        || !args.clear.is_empty()
        || !inputs.given().is_empty()
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
