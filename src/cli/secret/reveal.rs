//! `msgrctl secret reveal`: prints a secret.

use clap::Args;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::{AccountArg, KindArg};
use crate::operations::secrets::place;
use crate::text::{code_point, first_unfit};

/// Print a secret
///
/// The value and a line end, on standard output. Anyone who sees the screen sees it.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl secret reveal acme-support verify-token\n  msgrctl secret reveal acme-support verify-token | wl-copy"
)]
pub struct RevealArgs {
    #[command(flatten)]
    account: AccountArg,
    #[command(flatten)]
    kind: KindArg,
}

pub fn run(args: &RevealArgs, ctx: &Context) -> Result<u8, CliError> {
    let account = args.account.pick(ctx)?;
    let kind = args.kind.pick(ctx, &account)?;
    let secret = ctx.secret(&account, kind)?.ok_or_else(|| {
        let place = place(&account, kind);
        CliError::credentials(format!("there is no {kind} to show: {place}")).hint(format!(
            "msgrctl secret set {} {} --help",
            account.handle,
            kind.argument()
        ))
    })?;
    let value = secret.expose();
    if ctx.output.json {
        ctx.output.json(&json!({"schema_version": 1, "kind": kind, "value": value}));
    } else {
        match first_unfit(value).filter(|_| ctx.output.terminal.stdout) {
            None => ctx.output.exact(format!("{value}\n").as_bytes()),
            Some(c) => {
                let unseen = code_point(c);
                ctx.output.warning(&format!(
                    "the {kind} has characters that a terminal does not show unchanged ({unseen}); a pipe or a file gets it exactly"
                ));
                ctx.output.result(value);
            }
        }
    }
    Ok(0)
}
