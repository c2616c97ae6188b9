//! `msgrctl webhook subscribe`: both levels as they should be, and no more written
//! than differs.

use clap::Args;

use super::results::show;
use crate::accounts::Account;
use crate::channel::Channel;
use crate::checks::Outcome;
use crate::checks::causes::{CAUSES, Matter};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::{AccountsArg, Chosen};
use crate::operations::webhooks::subscribe::{self, Order};
use crate::operations::webhooks::{AccountResult, Target, with_app_and_callback};
use crate::provision::subscription::webhook;
use crate::secrets::SecretKind;

/// The fields unless others are named: those of the only channel that there is.
const FIELDS: &[&str] = {
    let [only] = Channel::ALL;
    webhook(only).fields
};

/// Have Meta send an account's events to its callback URL
///
/// Sets the app's webhook (callback URL, verify token, fields) and subscribes the
/// Page, writes only what differs, and reads back what was written. Fields that are
/// there stay unless --exact is given. When Meta's handshake with the callback fails,
/// it is asked from here too, and the cause is named.
///
/// Without the app secret only the Page is subscribed, and what is left to do by
/// hand is printed. An app has one callback URL for all of its Pages: before it is
/// changed the accounts that it affects are named and asked for.
///
/// Exit codes: 0 done (what is left to do by hand is a warning), 1 Meta refused, 4 credentials, 5 Graph could
/// not be reached, 9 a part of the accounts failed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl webhook subscribe acme-support
  msgrctl webhook subscribe --all --yes
  msgrctl webhook subscribe acme-support --fields messages,messaging_postbacks --exact")]
pub struct SubscribeArgs {
    #[command(flatten)]
    accounts: AccountsArg,
    /// The webhook fields, with commas between them
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', default_values = FIELDS)]
    fields: Vec<String>,
    /// These fields and no others: take away what is there beside them
    #[arg(long)]
    exact: bool,
    /// Send the callback URL and the verify token to Meta again, where nothing else differs too
    #[arg(long)]
    resend: bool,
}

impl SubscribeArgs {
    /// The command again, to be pasted.
    fn command(&self) -> String {
        let mut words = vec!["msgrctl webhook subscribe".to_owned()];
        // Fails on a NUL only, which no argument can hold.
        words.extend(self.accounts.accounts.iter().map(|name| shlex::try_quote(name).unwrap_or_default().into_owned()));
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
            "{not_done} of the accounts are not subscribed as they should be, for the reasons above; fix them and run the command again"
        )));
    }
    let refused = bad.iter().flat_map(|result| &result.found).find(|found| found.graph.is_some());
    let cause = refused.and_then(|found| found.cause);
    let of_token = CAUSES.iter().any(|known| Some(known.id) == cause && known.matter == Matter::Credentials);
    let message = format!("'{name}' is not subscribed as it should be, for the reason above");
    Err(match bad.first().map(|result| result.outcome()) {
        Some(Outcome::Unreachable) => CliError::remote(message),
        _ if of_token => CliError::credentials(message),
        _ => CliError::failed(message),
    })
}

/// Asks, after an account was added by hand, whether its events should be sent; a
/// subscription that fails is shown, and the account stays as it is. Where neither its app nor
/// its callback URL is known, says what it needs first.
pub fn offer(ctx: &Context, account: &Account) -> Result<(), CliError> {
    let handle = &account.handle;
    ctx.output.talk("");
    if account.callback_url.is_none() && !account.secrets.contains_key(&SecretKind::AppSecret) {
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

/// Makes both levels of every target as they should be, and asks before other Pages notice it.
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
