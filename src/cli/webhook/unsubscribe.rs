//! `msgrctl webhook unsubscribe`: the Page sends the app no more events.

use clap::Args;

use super::levels::{self, APP, AccountResult, Found, PAGE, Target};
use super::subscribe::others_of_app;
use crate::checks::Outcome;
use crate::checks::causes::NOT_READ_BACK;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;
use crate::graph::Client;
use crate::graph::endpoints::subscription;
use crate::operations::journal::note_at_meta;
use crate::provision::subscription::{AppLevel, PageLevel, observe_app, observe_page};
use crate::ui::interrupt;
use crate::ui::progress::Progress;

/// Stop an account's events
///
/// Ends the Page's subscription of the app: messages of customers no longer reach
/// the contact centre. The app's webhook stays, since other Pages may use it; --app
/// removes that too. Asks first; without a terminal it needs --yes.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl webhook unsubscribe acme-support\n  msgrctl webhook unsubscribe acme-support --app --yes"
)]
pub struct UnsubscribeArgs {
    #[command(flatten)]
    account: AccountArg,
    /// Remove the app's webhook for Pages as well: no Page of the app sends events any more
    #[arg(long)]
    app: bool,
}

pub fn run(args: &UnsubscribeArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    let account = args.account.pick(ctx)?;
    ctx.check_realm(&account)?;
    let target = Target::of(ctx, account)?;
    let account = &target.account;
    if args.app && target.app.is_none() {
        return Err(CliError::usage("the app's webhook can only be removed with the app id and the app secret").hint(
            format!(
                "give them: msgrctl account edit {} --app-id APP_ID --app-secret-stdin; or leave --app out",
                account.handle
            ),
        ));
    }
    let client = ctx.graph()?;
    let result = Context::wait(async {
        let progress = Progress::start(&ctx.output, "asking Graph about webhooks …");
        let (page, app) = there(&client, &target, args.app).await?;
        drop(progress);
        if page || app {
            ctx.confirm(&question(ctx, &target, app)?, &command(args, account.handle.as_str()))?;
        }
        let _progress = (page || app).then(|| Progress::start(&ctx.output, "unsubscribing …"));
        if page {
            let access = target.page();
            subscription::remove_of_page(&client, access.page_id, access.token, access.app).await?;
        }
        if let (true, Some(credentials)) = (app, &target.app) {
            subscription::remove_of_app(&client, credentials, None).await?;
        }
        let written: Vec<&'static str> =
            [(APP, app), (PAGE, page)].into_iter().filter_map(|(level, was)| was.then_some(level)).collect();
        if !written.is_empty() {
            note_at_meta(ctx, vec![levels::changed(account, &written)]);
        }
        let after = if page || app { there(&client, &target, args.app).await? } else { (false, false) };
        let mut found = Vec::new();
        if args.app {
            found.push(gone(APP, app, after.1, "the app's webhook for Pages"));
        }
        found.push(gone(PAGE, page, after.0, "the Page's subscription"));
        Ok::<_, CliError>(AccountResult { name: account.name.to_string(), changed: page || app, found })
    })??;
    let failed = result.outcome() == Outcome::Fail;
    levels::show(ctx, &[result]);
    if failed {
        return Err(CliError::failed("Meta took the change, but it is still there when it is read back")
            .hint(format!("wait a minute and try again: {}", command(args, account.handle.as_str()))));
    }
    Ok(0)
}

/// Whether the Page's subscription is there, and the app's webhook where it is asked about.
async fn there(client: &Client, target: &Target, app: bool) -> Result<(bool, bool), CliError> {
    let page = match observe_page(client, target.page()).await? {
        PageLevel::Absent => false,
        PageLevel::Fields(_) => true,
        PageLevel::OfAnotherApp(id) => {
            let found = Found::of_another_app(&target.account, &id);
            return Err(CliError::failed(found.summary).hint(found.hint.unwrap_or_default()));
        }
    };
    let app = match target.app.as_ref().filter(|_| app) {
        Some(credentials) => matches!(observe_app(client, credentials).await?, AppLevel::Present(_)),
        None => false,
    };
    Ok((page, app))
}

fn command(args: &UnsubscribeArgs, handle: &str) -> String {
    format!("msgrctl webhook unsubscribe {handle}{}", if args.app { " --app" } else { "" })
}

fn question(ctx: &Context, target: &Target, app: bool) -> Result<String, CliError> {
    let name = &target.account.name;
    if !app {
        return Ok(format!("Stop the events of '{name}'? Messages of its customers would no longer arrive."));
    }
    let others = others_of_app(ctx, &target.account, |_| false)?;
    let affects = if others.is_empty() { String::new() } else { format!(", and those of {}", others.join(", ")) };
    Ok(format!("Remove the app's webhook? The events of '{name}'{affects} would no longer arrive."))
}

fn gone(id: &'static str, was: bool, is: bool, what: &str) -> Found {
    if is {
        return Found::new(id, Outcome::Fail, format!("{what} is still there"), None).because(&NOT_READ_BACK);
    }
    let how = if was { "has ended" } else { "was not there" };
    Found::new(id, Outcome::Pass, format!("{what} {how}"), None)
}
