//! `msgrctl webhook show`: what to enter in the Meta app.

use clap::Args;
use serde_json::json;

use crate::accounts::{AppId, CallbackUrl};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;
use crate::dashboard;
use crate::json::without_nulls;
use crate::operations::secrets::place;
use crate::provision::subscription::webhook;
use crate::secrets::SecretKind;
use crate::ui::style::{self, paint, wrap};

/// Show callback URL and verify token, and where each goes in the Meta app
///
/// The verify token is masked unless --reveal is given. With app id and app secret you need
/// not enter any of it: msgrctl webhook subscribe does it.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl webhook show acme-support\n  msgrctl webhook show acme-support --reveal --json"
)]
pub struct ShowArgs {
    #[command(flatten)]
    account: AccountArg,
    /// Show the verify token, and the keys in the callback URL
    #[arg(long)]
    reveal: bool,
}

pub fn run(args: &ShowArgs, ctx: &Context) -> Result<u8, CliError> {
    let account = args.account.pick(ctx)?;
    let read = |kind| -> Result<Option<String>, CliError> {
        let token = match ctx.secret(&account, kind) {
            Err(error) if !args.reveal => {
                ctx.output.warning(&format!("the {kind} could not be read: {error}"));
                None
            }
            found => found?,
        };
        if token.is_none() && account.secrets.contains_key(&kind) {
            ctx.output.warning(&format!("the {kind} could not be read: {}", place(&account, kind)));
        }
        Ok(token.map(|token| if args.reveal { token.expose().to_owned() } else { token.masked() }))
    };
    let (token, next) = (read(SecretKind::VerifyToken)?, read(SecretKind::NextVerifyToken)?);
    let callback_url = account.callback_url.as_ref().map(CallbackUrl::as_str);
    let fields = webhook(account.channel).fields;
    if ctx.output.json {
        ctx.output.json(&without_nulls(json!({
            "schema_version": 1,
            "account": account.name.as_str(),
            "app_id": account.app_id.as_ref().map(AppId::as_str),
            "callback_url": callback_url,
            "verify_token": token,
            // Of an unfinished rotation.
            "next_verify_token": next,
            "fields": fields,
            "place": dashboard::WEBHOOKS,
        })));
        return Ok(0);
    }
    let shown = account.callback_url.as_ref().filter(|_| !args.reveal).map(CallbackUrl::shown);
    let is_masked = shown.as_deref() != callback_url && shown.is_some();
    let screen = ctx.output.terminal.out();
    let handle = &account.handle;
    let calls = ctx.output.calls();
    let typed = |command: String| calls.complete(&command).into_owned();
    let unknown = typed(format!("not known yet; to set it: msgrctl account edit {handle} --callback-url URL"));
    let none = typed(format!("none; to generate one: msgrctl webhook rotate {handle}"));
    let rotate = typed(format!("msgrctl webhook rotate {handle}"));
    let subscribe = typed(format!("msgrctl webhook subscribe {handle}"));
    let verify = typed(format!("msgrctl webhook verify {handle}"));
    let mut lines = vec![paint(style::BOLD, account.name.as_str(), screen.color)];
    lines.push(format!("  {}", wrap(&format!("In the Meta app: {}", dashboard::WEBHOOKS), screen.width, 2)));
    let fields = fields.join(", ");
    let rows = [
        ("Callback URL", shown.as_deref().or(callback_url).or(Some(&*unknown))),
        ("Verify token", token.as_deref().or(Some(&*none))),
        ("Next token", next.as_deref()),
        ("Webhook fields", Some(&*fields)),
    ];
    for (label, value) in rows {
        lines.extend(value.map(|value| format!("    {label:<16}{}", wrap(value, screen.width, 20))));
    }
    lines.push(String::new());
    let known = account.app_id.is_some() && account.secrets.contains_key(&SecretKind::AppSecret);
    let next = if next.is_some() {
        let says = "The verify token is being rotated: put the next one into the contact centre's form, then continue:";
        format!("{}\n  {rotate}", wrap(says, screen.width, 0))
    } else if known && callback_url.is_some() {
        format!("To set it from here instead of typing it there:\n  {subscribe}")
    } else {
        format!(
            "Once it is entered there:\n  {verify}      # does the receiver answer?\n  {subscribe}   # does the Page send its events?"
        )
    };
    lines.push(next);
    if !args.reveal && (token.is_some() || is_masked) {
        let what = if is_masked { "what is masked" } else { "the verify token" };
        lines.push(typed(format!("\nTo see {what}: msgrctl webhook show {handle} --reveal")));
    }
    ctx.output.result(&lines.join("\n"));
    Ok(0)
}
