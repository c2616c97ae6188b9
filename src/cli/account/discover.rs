//! `msgrctl account discover`: a manifest of the Pages that a token reaches.

use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCandidates;
use serde::Serialize;

use super::inputs::{self, Given};
use crate::accounts::AppId;
use crate::cli::candidates;
use crate::cli::context::Context;
use crate::cli::envelope::Envelope;
use crate::cli::error::CliError;
use crate::cli::tenant::check_known;
use crate::operations::accounts::discover::{self, Asker};
use crate::operations::accounts::fields::APP_ID;
use crate::provision::discovered::{Entry, ReachedBy, entries};
use crate::provision::manifest;

/// Write a manifest of the Pages that a person's or a system user's token reaches
///
/// YAML on standard output for plan and apply: the Pages of its roles and of its businesses, their
/// own and their clients'. Each has a name, a handle, and the variable that its token goes into;
/// a Page that cannot be connected is a comment with the reason, and a Page that has an account
/// stands as the account is. It holds no token. Changes nothing, here and at Meta.
///
/// Without a token from a flag or from MSGRCTL_PAGE_TOKEN it asks with the user tokens that
/// accounts keep (--keep-user-token).
///
/// Exit codes: 9 some lists could not be read to their end, the others are written; 7 the token
/// reaches no Page.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl account discover --token-file user-token.txt > accounts.yaml
  msgrctl account discover --token-file user-token.txt --business 200000000000001
  msgrctl account discover --token-file user-token.txt --json | jq -r '.pages[] | select(.usable) | .page_id'")]
pub struct DiscoverArgs {
    /// Only the Pages of this business, its own and its clients': its id
    #[arg(long, value_name = "ID")]
    business: Option<String>,
    /// The id of the token's app [default: Graph says it]
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,
    /// Read the person's or system user's token from standard input
    #[arg(long, groups = ["stdin", "token_from_group"], help_heading = "Secrets")]
    token_stdin: bool,
    /// Read the person's or system user's token from a file
    #[arg(long, value_name = "PATH", group = "token_from_group", help_heading = "Secrets")]
    token_file: Option<PathBuf>,
    /// Read the person's or system user's token from env:NAME, file:PATH, keyring:SERVICE/USER, vault:PATH#FIELD, command:PROGRAM ARG…
    #[arg(long, value_name = "REF", add = ArgValueCandidates::new(candidates::references), group = "token_from_group", help_heading = "Secrets")]
    token_from: Option<String>,
    /// Read the app secret from standard input
    #[arg(long, groups = ["stdin", "app_secret_from_group"], help_heading = "Secrets")]
    app_secret_stdin: bool,
    /// Read the app secret from a file
    #[arg(long, value_name = "PATH", group = "app_secret_from_group", help_heading = "Secrets")]
    app_secret_file: Option<PathBuf>,
    /// Read the app secret from env:NAME, file:PATH, keyring:SERVICE/USER, vault:PATH#FIELD, command:PROGRAM ARG…
    #[arg(long, value_name = "REF", add = ArgValueCandidates::new(candidates::references), group = "app_secret_from_group", help_heading = "Secrets")]
    app_secret_from: Option<String>,
}

pub fn run(args: &DiscoverArgs, ctx: &Context) -> Result<u8, CliError> {
    let business = args.business.as_deref().map(business_id).transpose()?;
    let app_id = args.app_id.as_deref().map(str::parse::<AppId>).transpose();
    let app_id = app_id.map_err(|error| CliError::from(error).context(APP_ID.flags))?;
    let tenant = &ctx.settings()?.tenant.value;
    check_known(ctx, tenant.as_str())?;
    let known = ctx.accounts()?.load()?;
    let askers = askers(args, ctx, app_id)?;
    let askers = if askers.is_empty() { discover::kept(ctx, &known)? } else { askers };
    if askers.is_empty() {
        return Err(discover::no_token());
    }
    let found = discover::discover(ctx, askers, &known, business)?;
    let realm = ctx.realm()?;
    let entries = entries(&found.pages, &known, &|account| account.graph == realm);
    if ctx.output.json {
        ctx.output.json(&Envelope("pages", entries.iter().map(PageView::of).collect::<Vec<_>>()));
    } else {
        ctx.output.exact(manifest::discovered(tenant, &entries).as_bytes());
    }
    match found.faults {
        0 => Ok(0),
        1 => Err(CliError::partial("one list of Pages was not read to its end, for the reason above")),
        several => Err(CliError::partial(format!(
            "{several} lists of Pages were not read to their end, for the reasons above"
        ))),
    }
}

/// The given token.
fn askers(args: &DiscoverArgs, ctx: &Context, app_id: Option<AppId>) -> Result<Vec<Asker>, CliError> {
    let token = Given { stdin: args.token_stdin, file: args.token_file.as_deref(), from: args.token_from.as_deref() };
    let app_secret = Given {
        stdin: args.app_secret_stdin,
        file: args.app_secret_file.as_deref(),
        from: args.app_secret_from.as_deref(),
    };
    let given = inputs::of_user(&token, &app_secret, ctx)?;
    let asker = given.user_token.map(|token| Asker { token, app_id, app_secret: given.app_secret });
    Ok(asker.into_iter().collect())
}

/// Checks the id of a business.
fn business_id(text: &str) -> Result<&str, CliError> {
    let text = text.trim();
    // The same form as an app's id.
    text.parse::<AppId>().map(|_| text).map_err(|_| {
        CliError::usage("--business: not a valid id of a business, which has 5 to 20 digits").hint(
            "without --business all businesses of the token are asked; with --json each Page names its business_id",
        )
    })
}

/// A Page of `--json`.
#[derive(Serialize)]
struct PageView<'e> {
    page_id: &'e str,
    page_username: Option<&'e str>,
    page_name: Option<&'e str>,
    tasks: &'e [String],
    business_id: Option<&'e str>,
    reached_by: ReachedBy,
    usable: bool,
    /// Why it is not usable, and what to do.
    reason: Option<String>,
    cause: Option<&'static str>,
    /// The handle of its account in this tenant.
    account: Option<&'e str>,
}

impl<'e> PageView<'e> {
    fn of(entry: &'e Entry<'e>) -> Self {
        let page = entry.page;
        Self {
            page_id: &page.id,
            page_username: page.username.as_deref(),
            page_name: page.name.as_deref(),
            tasks: page.tasks.as_deref().unwrap_or_default(),
            business_id: page.business.as_ref().map(|business| business.id.as_str()),
            reached_by: page.reached_by,
            usable: entry.obstacle.is_none(),
            reason: entry.obstacle.map(manifest::reason),
            cause: entry.obstacle.map(|cause| cause.id),
            account: entry.accounts.first().map(|account| account.handle.as_str()),
        }
    }
}
