//! `msgrctl webhook verify`: plays Meta at a callback.

use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCandidates;
use rand::RngExt as _;
use url::Url;

use super::probe::{self, ProbeView};
use crate::accounts::{Account, CallbackUrl, Realm};
use crate::address::{is_loopback, shown, with_placeholders};
use crate::checks::causes::VERIFY_TOKEN_MISSING;
use crate::checks::{Outcome, misplaced};
use crate::cli::account::inputs::{Given, SecretInputs};
use crate::cli::candidates;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::AccountArg;
use crate::operations::accounts::commands;
use crate::secrets::{Secret, SecretKind};
use crate::ui::interrupt;
use crate::ui::progress::Progress;
use crate::webhook::{AGENT, Problem, handshake_address};

/// Play Meta: ask a callback for the handshake
///
/// Asks once with the verify token and once with a made-up one, as Meta does: its
/// parameters, no redirects, five seconds. Right is 200 with the bare challenge for
/// the verify token, and anything but the challenge for the made-up one. What else
/// comes is explained.
/// Works for any receiver: name an account, or give --url and the verify token.
///
/// Exit codes: 0 the callback would be taken, 7 it would not.
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
    /// A callback of no account, or another one than the account's
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    token: TokenArgs,
    /// Print the two requests as curl commands instead of making them
    #[arg(long)]
    curl: bool,
    /// Show the verify token in them, and the keys in the callback URL
    #[arg(long, requires = "curl")]
    reveal: bool,
}

/// Where a verify token is read from.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct TokenArgs {
    /// Read the verify token from standard input
    #[arg(long = "verify-token-stdin")]
    stdin: bool,
    /// Read the verify token from a file
    #[arg(long = "verify-token-file", value_name = "PATH")]
    file: Option<PathBuf>,
    /// Read the verify token from env:NAME, file:PATH, keyring:SERVICE/USER, command:PROGRAM ARG…
    #[arg(long = "verify-token-from", value_name = "REF", add = ArgValueCandidates::new(candidates::references))]
    from: Option<String>,
}

impl TokenArgs {
    /// The flags as they are given for one secret.
    pub fn given(&self) -> Given<'_> {
        Given { stdin: self.stdin, file: self.file.as_deref(), from: self.from.as_deref() }
    }

    /// The token that was given, if one was.
    fn read(&self, ctx: &Context) -> Result<Option<Secret>, CliError> {
        Ok(SecretInputs::of_one(SecretKind::VerifyToken, &self.given(), ctx)?.verify_token)
    }
}

pub fn run(args: &VerifyArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
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
    let token = match (args.token.read(ctx)?, &account) {
        (Some(token), _) => token,
        (None, Some(account)) => stored_token(ctx, account)?,
        (None, None) => {
            return Err(CliError::usage("missing: the verify token of this callback").hint(
                "give it with --verify-token-stdin, --verify-token-file PATH or --verify-token-from REF, or name an account",
            ));
        }
    };
    let url = parsed(&callback)?;
    if args.curl {
        return curl(ctx, &url, &token, args.reveal);
    }
    if account.as_ref().is_none_or(|account| account.graph == Realm::Live) {
        if is_loopback(&url) && account.is_some() {
            ctx.output.warning("the callback is on this machine: it may answer here, and Meta cannot reach it");
        } else if let Some(doubt) = callback.doubt() {
            ctx.output.warning(&doubt);
        }
    }
    let prober = ctx.prober()?;
    let found = {
        let _progress = Progress::start(&ctx.output, &format!("asking {} as Meta would …", callback.shown()));
        Context::wait(prober.ask(&url, &token))??
    };
    if let Some(account) = account.as_ref().filter(|_| probe::outcome_of(&found) == Outcome::Fail)
        && let Some(next) = ctx.secret(account, SecretKind::NextVerifyToken)?
        && probe::outcome_of(&Context::wait(prober.ask(&url, &next))??) != Outcome::Fail
    {
        ctx.output.notice(&format!(
            "the callback accepts the next verify token of a rotation that is not finished; to finish it: msgrctl webhook rotate {}",
            account.handle
        ));
    }
    let fix = found
        .problem
        .as_ref()
        .filter(|problem| matches!(problem, Problem::NotHttps))
        .and_then(|_| misplaced(callback.as_str(), false, &commands::saved(account.as_ref()?).edit))
        .map(|misplaced| misplaced.hint);
    if ctx.output.json {
        let name = account.as_ref().map(|account| account.name.as_str());
        ctx.output.json(&ProbeView::new(name, callback.as_str(), &found, fix.as_deref()));
    } else {
        ctx.output.result(&probe::text_with(callback.as_str(), &found, fix.as_deref(), ctx.output.terminal.out()));
    }
    Ok(if probe::outcome_of(&found) == Outcome::Fail { 7 } else { 0 })
}

/// Where an account's events go.
pub fn callback_of(account: &Account) -> Result<CallbackUrl, CliError> {
    account.callback_url.clone().ok_or_else(|| {
        CliError::usage(format!("'{}' has no callback URL yet", account.name)).hint(format!(
            "the contact centre's form shows it; then: msgrctl account edit {} --callback-url URL",
            account.handle
        ))
    })
}

/// The verify token of an account.
pub fn stored_token(ctx: &Context, account: &Account) -> Result<Secret, CliError> {
    let kind = SecretKind::VerifyToken;
    let found = ctx.secret(account, kind)?;
    found.ok_or_else(|| {
        let place = crate::operations::secrets::place(account, kind);
        CliError::credentials(format!("there is no {kind} for '{}': {place}", account.name))
            .reason(VERIFY_TOKEN_MISSING.id)
            .hint(format!("make one: msgrctl webhook rotate {}", account.handle))
    })
}

/// A callback URL as an address to be asked.
pub fn parsed(callback: &CallbackUrl) -> Result<Url, CliError> {
    parsed_text(callback.as_str())
}

fn parsed_text(address: &str) -> Result<Url, CliError> {
    Url::parse(address)
        .map_err(|error| CliError::usage(format!("'{}' is not an address", shown(address))).cause(error.to_string()))
}

fn curl(ctx: &Context, callback: &Url, token: &Secret, reveal: bool) -> Result<u8, CliError> {
    let challenge = rand::rng().random_range(1_000_000_u64..2_200_000_000).to_string();
    let (right, callback) = if reveal {
        (token.clone(), callback.clone())
    } else {
        (Secret::new(token.masked()), parsed_text(&with_placeholders(callback.as_str()))?)
    };
    if reveal {
        ctx.output.warning("what follows holds the verify token: whoever sees it can use it");
    } else {
        ctx.output
            .notice("the verify token is masked, so the first command is refused as it stands; --reveal shows it");
    }
    for (says, token) in [
        ("# the verify token: answered 200 with the bare challenge", right),
        ("# a made-up one: anything but the challenge", Secret::new("not-the-verify-token")),
    ] {
        let url = handshake_address(&callback, &challenge, &token);
        let url = shlex::try_quote(url.as_str()).map_err(|error| CliError::failed(error.to_string()))?;
        ctx.output.result(&format!("{says}\ncurl -sS -i --max-time 5 -A '{AGENT}' {url}"));
    }
    Ok(0)
}
