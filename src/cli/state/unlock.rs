//! `msgrctl state unlock`: breaks a lock whose holder is gone.

use clap::Args;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::envelope::Envelope;
use crate::cli::error::CliError;
use crate::operations::shared_state;

/// Break the lock of a tenant whose holder is gone
///
/// A lock ends by itself a few minutes after its holder. The id names one lock: a newer one of
/// another command stays. A holder that is not gone stops before its next change at Meta, once
/// it notices: after half a minute at most. Asks first; without a terminal it needs --yes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl state unlock 3f9a0c51b2d4 --yes")]
pub struct UnlockArgs {
    /// The lock's id, as 'state show' and the error name it
    #[arg(value_name = "ID")]
    id: String,
}

pub fn run(args: &UnlockArgs, ctx: &Context) -> Result<u8, CliError> {
    let (tenant, lock) = shared_state::find_lock(ctx, &args.id)?;
    let question = format!("Break the lock of tenant '{tenant}', held by {}?", lock.in_words());
    ctx.confirm(&question, &format!("msgrctl state unlock {}", lock.id))?;
    shared_state::unlock(ctx, &tenant, &lock.id)?;
    if ctx.output.json {
        ctx.output.json(&Envelope("unlocked", json!({"tenant": tenant, "lock": lock})));
    } else {
        ctx.output.result(&format!("broke the lock of tenant '{tenant}', held by {}", lock.in_words()));
    }
    Ok(0)
}
