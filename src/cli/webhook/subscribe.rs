//! `msgrctl webhook subscribe`: subscribes app and Page, and writes only what differs.

use clap::Args;

use super::results::show;
use crate::accounts::Account;
use crate::channel::Channel;
use crate::checks::Outcome;
use crate::checks::causes::{self, Matter};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::{AccountsArg, Chosen};
use crate::operations::webhooks::subscribe::{self, Order};
use crate::operations::webhooks::{AccountResult, Target, with_app_and_callback};
use crate::provision::subscription::webhook;
use crate::text::for_shell;

/// The default fields: those of the only channel.
const FIELDS: &[&str] = {
    let [only] = Channel::ALL;
    webhook(only).fields
};

/// Have Meta send an account's events to its callback URL
///
/// Sets the app's webhook (callback URL, verify token, fields) and subscribes the Page.
/// Writes only what differs, and reads it back. Existing fields stay unless --exact is given.
/// If Meta's handshake with the callback fails, msgrctl repeats it from here and names the
/// cause.
///
/// Without the app secret it subscribes only the Page, and prints the steps to do by hand.
/// An app has one callback URL for all its Pages: before changing it, msgrctl names the
/// affected accounts and asks.
///
/// Exit codes: 0 done (steps to do by hand are a warning), 1 Meta refused, 4 credentials,
/// 5 Graph could not be reached, 9 some accounts failed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl webhook subscribe acme-support
  msgrctl webhook subscribe --all --yes
  msgrctl webhook subscribe acme-support --fields messages,messaging_postbacks --exact")]
pub struct SubscribeArgs {
    #[command(flatten)]
    accounts: AccountsArg,
    /// The webhook fields, separated by commas
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', default_values = FIELDS)]
    fields: Vec<String>,
    /// Only these fields: remove all others
    #[arg(long)]
    exact: bool,
    /// Send the callback URL and the verify token to Meta again, even if nothing else differs
    #[arg(long)]
    resend: bool,
}

impl SubscribeArgs {
    /// The same command, to paste.
    fn command(&self) -> String {
        let mut words = vec!["msgrctl webhook subscribe".to_owned()];
        words.extend(self.accounts.accounts.iter().map(|name| for_shell(name)));
        words.extend(self.accounts.all.then(|| "--all".to_owned()));
        if self.fields != FIELDS {
            words.push(format!("--fields {}", self.fields.join(",")));
        }
        words.extend(self.exact.then(|| "--exact".to_owned()));
        words.extend(self.resend.then(|| "--resend".to_owned()));
        words.join(" ")
    }
}

pub fn run(args: &SubscribeArgs, ctx: &Context) -> Result<u8, CliError> {
    let Chosen { accounts, left_out } = args.accounts.choose(ctx)?;
    if accounts.is_empty() {
        ctx.output.notice("no accounts to subscribe");
        show(ctx, &[]);
        return Ok(0);
    }
    let order = Order::new(&args.fields, args.exact, args.resend)?;
    let alone = accounts.len() == 1;
    let (targets, failed) = Target::all(ctx, accounts)?;
    let name = targets.first().map(|target| target.account.name.to_string()).unwrap_or_default();
    let results = subscribe(ctx, targets, &order, &args.command())?;
    show(ctx, &results);
    let bad: Vec<&AccountResult> = results.iter().filter(|result| result.outcome() >= Outcome::Unreachable).collect();
    let not_done = bad.len() + failed + left_out;
    if not_done == 0 {
        return Ok(0);
    }
    if !alone {
        return Err(CliError::partial(format!(
            "{not_done} of the accounts are not fully subscribed, for the reasons above; fix them and run the command again"
        )));
    }
    let refused = bad.iter().flat_map(|result| &result.found).find(|found| found.graph.is_some());
    let cause = refused.and_then(|found| found.cause);
    let of_token = causes::all().any(|known| Some(known.id) == cause && known.matter == Matter::Credentials);
    let message = format!("'{name}' is not fully subscribed, for the reason above");
    Err(match bad.first().map(|result| result.outcome()) {
        Some(Outcome::Unreachable) => CliError::remote(message),
        _ if of_token => CliError::credentials(message),
        _ => CliError::failed(message),
    })
}

/// After an account was added by hand: asks whether to subscribe it. A failure is printed, and
/// the account stays. Without app and callback URL it prints what the account needs.
pub fn offer(ctx: &Context, account: &Account) -> Result<(), CliError> {
    let handle = &account.handle;
    ctx.output.talk("");
    if account.callback_url.is_none() {
        let command = with_app_and_callback(account);
        ctx.output.notice(&format!(
            "to have Meta send its messages, give it the app and the callback URL first:\n    {command}\nthen:\n    msgrctl webhook subscribe {handle}"
        ));
        return Ok(());
    }
    if !ctx.prompter.confirm(&format!("Have Meta send the messages of '{}' now (webhook subscribe)?", account.name))? {
        ctx.output.notice(&format!("later: msgrctl webhook subscribe {handle}"));
        return Ok(());
    }
    let target = Target::of(ctx, account.clone())?;
    let command = format!("msgrctl webhook subscribe {handle}");
    let results = subscribe(ctx, vec![target], &Order::usual(account.channel), &command)?;
    show(ctx, &results);
    Ok(())
}

/// Subscribes both levels of every target; asks first if other Pages are affected.
fn subscribe(
    ctx: &Context,
    targets: Vec<Target>,
    order: &Order,
    command: &str,
) -> Result<Vec<AccountResult>, CliError> {
    let prepared = subscribe::prepare(ctx, targets, order)?;
    let moves = prepared.moves(ctx)?;
    for moved in &moves {
        ctx.output.notice(&moved.what);
        ctx.confirm(&moved.question, command)?;
    }
    if !moves.is_empty() && !ctx.global.yes {
        prepared.look_again(command)?;
    }
    subscribe::carry_out(ctx, &prepared)
}
