//! `msgrctl state move`: moves the records to another place.

use clap::Args;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::envelope::Envelope;
use crate::cli::error::CliError;
use crate::operations::shared_state;

/// Move the records to another place: files here, or a bucket or database that a team shares
///
/// Copies accounts, messages, settings, health and the log, compares them, then writes the
/// setting 'state' into config.toml. The old place stays as a copy, in which nothing can be
/// changed any more: other machines are told where the records are. Secrets are not moved: they
/// stay in their stores. Asks first; without a terminal it needs --yes.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl state move --to s3://our-team/msgrctl --yes\n  msgrctl state move --to 's3://our-team/msgrctl?endpoint=https://s3.example.com' --yes\n  msgrctl state move --to postgres://ana@db.example.com/team --yes\n  msgrctl state move --to files --replace --yes"
)]
pub struct MoveArgs {
    /// files, s3://BUCKET/PREFIX or postgres://USER@HOST/DATABASE
    #[arg(long, value_name = "STATE")]
    to: String,
    /// Replace the records that are there
    #[arg(long)]
    replace: bool,
}

pub fn run(args: &MoveArgs, ctx: &Context) -> Result<u8, CliError> {
    let prepared = shared_state::prepare_move(ctx, &args.to, args.replace)?;
    let flag = if args.replace { " --replace" } else { "" };
    ctx.confirm(
        &format!("Move the records from {} to {}?", prepared.from, prepared.to),
        &format!("msgrctl state move --to '{}'{flag}", prepared.to),
    )?;
    let moved = shared_state::carry_out(ctx, &prepared)?;
    let shared_state::Moved { tenants, documents, lines, variable } = moved;
    if ctx.output.json {
        let moved = json!({
            "from": prepared.from, "to": prepared.to,
            "tenants": tenants, "documents": documents, "log_lines": lines,
        });
        ctx.output.json(&Envelope("moved", moved));
    } else {
        ctx.output.result(&format!(
            "moved the records from {} to {}: {}, {}, {} of logs",
            prepared.from,
            prepared.to,
            counted(tenants, "tenant"),
            counted(documents, "document"),
            counted(lines, "line")
        ));
    }
    ctx.output.notice("the old place stays as a copy that cannot be changed; secrets stay in their stores");
    if let Some(name) = variable {
        ctx.output.warning(&format!("{name} still names {}, and wins over config.toml: change it too", prepared.from));
    }
    Ok(0)
}

/// `1 tenant`, `2 tenants`.
fn counted(number: usize, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}
