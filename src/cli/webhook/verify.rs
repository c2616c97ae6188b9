//! `msgrctl webhook verify`: asks a callback for the handshake, as Meta does.

use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCandidates;
use rand::RngExt as _;
use url::Url;

use super::probe;
use crate::accounts::{CallbackUrl, Realm};
use crate::address::is_loopback;
use crate::checks::{Outcome, misplaced, way_out};
use crate::cli::account::inputs::{self, Given};
use crate::cli::candidates;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;
use crate::operations::accounts::commands;
use crate::operations::webhooks::rotate::Token;
use crate::operations::webhooks::{address, ask, callback_of, keep_answer, outcome_of, stored_token};
use crate::secrets::{Secret, SecretKind};
use crate::text::for_shell;
use crate::webhook::{AGENT, Problem, handshake_address};

/// Play Meta: ask a callback for the handshake
///
/// Sends Meta's request once with the verify token and once with a made-up one: Meta's
/// parameters, no redirects, five seconds. Correct is 200 with the bare challenge for the
/// verify token, and anything but the challenge for the made-up one. Other answers are
/// explained. Works for any receiver: name an account, or give --url and the verify token.
///
/// Exit codes: 0 Meta would accept the callback, 7 it would not.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl webhook verify acme-support
  printf %s \"$VERIFY_TOKEN\" | \\
      msgrctl webhook verify --url https://example.com/messenger --verify-token-stdin
  msgrctl webhook verify acme-support --curl")]
pub struct VerifyArgs {
    #[command(flatten)]
    account: AccountArg,
    /// A callback without an account, or instead of the account's
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    token: TokenArgs,
    /// Print the two requests as curl commands instead of making them
    #[arg(long)]
    curl: bool,
    /// Show the verify token and the keys of the callback URL in them
    #[arg(long, requires = "curl")]
    reveal: bool,
}

/// The source of a verify token.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct TokenArgs {
    /// Read the verify token from standard input
    #[arg(long = "verify-token-stdin")]
    stdin: bool,
    /// Read the verify token from a file
    #[arg(long = "verify-token-file", value_name = "PATH")]
    file: Option<PathBuf>,
    /// Read the verify token from env:NAME, file:PATH, keyring:SERVICE/USER, vault:PATH#FIELD, command:PROGRAM ARG…
    #[arg(long = "verify-token-from", value_name = "REF", add = ArgValueCandidates::new(candidates::references))]
    from: Option<String>,
}

impl TokenArgs {
    /// The given token, if any.
    pub fn read(&self, ctx: &Context) -> Result<Option<Token>, CliError> {
        let kind = SecretKind::VerifyToken;
        let given = Given { stdin: self.stdin, file: self.file.as_deref(), from: self.from.as_deref() };
        let mut inputs = inputs::of_one(kind, &given, ctx, false)?;
        let place = inputs.references.remove(&kind);
        Ok(inputs.verify_token.map(|value| Token { value, place }))
    }
}

pub fn run(args: &VerifyArgs, ctx: &Context) -> Result<u8, CliError> {
    let given: Option<CallbackUrl> = args.url.as_deref().map(str::parse).transpose()?;
    let account = match (&args.account.account, &given) {
        (None, Some(_)) => None,
        _ => Some(args.account.pick(ctx)?),
    };
    let callback = match (given, &account) {
        (Some(callback), _) => callback,
        (None, Some(account)) => callback_of(account)?,
        (None, None) => unreachable!("without a URL an account is picked"),
    };
    let token = args.token.read(ctx)?;
    let is_own = args.url.is_none() && token.is_none();
    let token = match (token, &account) {
        (Some(token), _) => token.value,
        (None, Some(account)) => stored_token(ctx, account)?,
        (None, None) => {
            return Err(CliError::usage("missing: the verify token of this callback").hint(
                "give it with --verify-token-stdin, --verify-token-file PATH or --verify-token-from REF, or name an account",
            ));
        }
    };
    let url = address(callback.as_str())?;
    if args.curl {
        let callback = if args.reveal { url } else { address(&callback.with_placeholders())? };
        curl(ctx, &callback, &token, args.reveal);
        return Ok(0);
    }
    if account.as_ref().is_none_or(|account| account.graph == Realm::Live) {
        if is_loopback(&url) && account.is_some() {
            ctx.output.warning("the callback is on this machine: it may answer here, but Meta cannot reach it");
        } else if let Some(doubt) = callback.doubt() {
            ctx.output.warning(&doubt);
        }
    }
    let found = ask(ctx, &callback, &token, "as Meta would")?;
    if let Some(account) = account.as_ref().filter(|_| is_own) {
        keep_answer(ctx, account, &found);
    }
    if let Some(account) = account.as_ref().filter(|_| outcome_of(&found) == Outcome::Fail)
        && let Some(next) = ctx.secret(account, SecretKind::NextVerifyToken)?
        && outcome_of(&ask(ctx, &callback, &next, "with the next verify token")?) != Outcome::Fail
    {
        ctx.output.notice(&format!(
            "the callback accepts the next verify token of a rotation that is not finished; to finish it: msgrctl webhook rotate {}",
            account.handle
        ));
    }
    let fix = found.problem.as_ref().zip(account.as_ref()).map(|(problem, account)| {
        let commands = commands::saved(account);
        let misplaced = misplaced(callback.as_str(), false, &commands.edit).filter(|_| *problem == Problem::NotHttps);
        let hint = misplaced.map_or_else(|| way_out(problem, &commands), |misplaced| misplaced.hint);
        ctx.output.calls().complete(&hint).into_owned()
    });
    if ctx.output.json {
        let name = account.as_ref().map(|account| account.name.as_str());
        ctx.output.json(&probe::view(name, callback.as_str(), &found, fix.as_deref()));
    } else {
        ctx.output.result(&probe::text(callback.as_str(), &found, fix.as_deref(), ctx.output.terminal.out()));
    }
    Ok(if outcome_of(&found) == Outcome::Fail { 7 } else { 0 })
}

fn curl(ctx: &Context, callback: &Url, token: &Secret, reveal: bool) {
    let challenge = rand::rng().random_range(1_000_000_u64..2_200_000_000).to_string();
    let right = if reveal { token.clone() } else { Secret::new(token.masked()) };
    if reveal {
        ctx.output.warning("the output contains the verify token: anyone who sees it can use it");
    } else {
        ctx.output
            .notice("the verify token is masked, so the callback refuses the first command; --reveal shows the token");
    }
    for (says, token) in [
        ("# the verify token: answered 200 with the bare challenge", right),
        ("# a made-up one: anything but the challenge", Secret::new("not-the-verify-token")),
    ] {
        let url = handshake_address(callback, &challenge, &token);
        let (agent, url) = (for_shell(AGENT), for_shell(url.as_str()));
        ctx.output.result(&format!("{says}\ncurl -sS -i --max-time 5 -A {agent} {url}"));
    }
}
