//! `msgrctl secret move`: secrets from one store to another.

use clap::Args;
use clap_complete::ArgValueCandidates;
use serde_json::json;

use crate::cli::candidates;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::operations::secrets::r#move::{self, Moved};
use crate::secrets::StoreName;

/// Move secrets to another store
///
/// Copies, reads back, compares, and only then removes the old copy. It can be run
/// again after any interruption. References are left as they are.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl secret move acme-support --to file\n  msgrctl secret move --all --to keyring"
)]
pub struct MoveArgs {
    /// Names, handles or ids of accounts
    #[arg(value_name = "NAME", required_unless_present = "all", add = ArgValueCandidates::new(candidates::accounts))]
    accounts: Vec<String>,
    /// Every account of the tenant
    #[arg(long, conflicts_with = "accounts")]
    all: bool,
    /// Where to
    #[arg(long, value_name = "STORE")]
    to: StoreName,
}

pub fn run(args: &MoveArgs, ctx: &Context) -> Result<u8, CliError> {
    let to = args.to;
    let named = (!args.all).then_some(args.accounts.as_slice());
    let prepared = r#move::prepare(ctx, named, to)?;
    let Moved { accounts, secrets: moved, mut failed } = r#move::carry_out(ctx, &prepared)?;
    for (account, error) in &failed {
        ctx.output.warning(&format!("'{}': {}", account.name, error.message()));
    }
    if ctx.output.json {
        ctx.output.json(&json!({"schema_version": 1, "store": to, "moved": moved, "failed": failed.len()}));
    } else if moved > 0 || failed.is_empty() {
        ctx.output.result(&match moved {
            0 => "nothing to move".to_owned(),
            1 => format!("moved 1 secret to the {to} store"),
            moved => format!("moved {moved} secrets to the {to} store"),
        });
    }
    match failed.len() {
        0 => Ok(0),
        all if all == accounts => Err(failed.swap_remove(0).1),
        some => Err(CliError::partial(format!("{some} of {accounts} accounts could not be moved; run it again"))),
    }
}
