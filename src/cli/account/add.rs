//! `msgrctl account add`, with flags or questions.

use std::collections::BTreeSet;

use clap::Args;

use super::fields::FieldArgs;
use super::inputs;
use super::view;
use super::ways_out::ways_out;
use super::wizard;
use crate::accounts::{Account, Name};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::operations::accounts::add;
use crate::operations::accounts::draft::Draft;
use crate::operations::key;
use crate::secrets::{SecretKind, SecretRef, StoreName};

/// Add an account
///
/// On a terminal it asks for what is missing, says where to find each value, and shows
/// everything before it saves. It needs the page access token; Graph says whose it is and
/// fills in the rest. With a person's (user) or a system user's token you choose one of
/// their Pages. With --yes, or without a terminal, it asks nothing; --page-id then names
/// the Page, and the Page's own token is stored. The token that it came from is kept only
/// with --keep-user-token.
///
/// The credentials are tested before anything is saved. Afterwards the steps that remain
/// before messages arrive are listed.
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
    let given = args.fields.parse(&ctx.output)?;
    let name: Option<Name> = args.name.as_deref().map(str::parse).transpose().map_err(CliError::from)?;
    let store = ctx.settings()?.store.value;
    let inputs = match store {
        StoreName::Env => inputs::in_variables(&args.fields, ctx, name.as_ref(), given.handle.as_ref())?,
        _ => inputs::read(&args.fields, ctx, true)?,
    };
    let mut draft = Draft::new(args.fields.channel.unwrap_or_default(), name, given, inputs, store);
    add::begin(ctx, &mut draft)?;
    if wizard::is_wanted(ctx, &draft) {
        return wizard::add(ctx, draft, &args.fields);
    }
    let gate = args.fields.gate();
    add::check_given(&draft, gate)?;
    // Fail now rather than at the end.
    if draft.inputs.keeps_anything() {
        ctx.store(store).probe().map_err(|error| ways_out(ctx, error, args.name.as_deref(), &args.fields))?;
    }
    let prepared = add::prepare(ctx, draft, gate).map_err(|error| view::with_report(ctx, error))?;
    let saved = add::carry_out(ctx, prepared)?;
    say_where_the_verify_token_is(ctx, &saved.account, saved.made_verify_token);
    if view::print_saved(ctx, &saved.account, saved.report.as_ref())? {
        return Ok(0);
    }
    say_saved(ctx, &saved.account);
    if saved.report.is_none() {
        ctx.output.notice(&format!("not tested yet; to test it: msgrctl account test {}", saved.account.handle));
    }
    ctx.output.notice(&format!("next: msgrctl account handover {}", saved.account.handle));
    Ok(0)
}

pub(super) fn say_saved(ctx: &Context, account: &Account) {
    let places: BTreeSet<String> = account.secrets.values().map(ToString::to_string).collect();
    let places = places.into_iter().collect::<Vec<_>>().join(", ");
    ctx.output.result(&format!("saved '{}' (handle {}); its secrets are in: {places}", account.name, account.handle));
}

fn say_where_the_verify_token_is(ctx: &Context, account: &Account, generated: bool) {
    if generated {
        ctx.output.notice(&format!(
            "a verify token was generated (--verify-token-file gives one of your own); it goes into the Meta app's webhook settings, beside the callback URL{}",
            in_keyring(account)
        ));
    }
}

fn in_keyring(account: &Account) -> String {
    if account.secrets.get(&SecretKind::VerifyToken) != Some(&SecretRef::Stored(StoreName::Keyring)) {
        return String::new();
    }
    format!(", and is in the keyring as '{}'", key(account, SecretKind::VerifyToken).label())
}
